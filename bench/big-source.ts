import pg from 'pg';
import { keepConnection } from '../src/lamassu/session-cache.ts';
import { type Benchmark, pair, typical } from './benchmark.ts';
import { addClients, copies, install } from './installation.ts';

export const benchmark: Benchmark = {
  name: 'big-source',
  what: 'a poll on a Lamassu table of 1,000,000 rows over six years in the daemon (its connection open; nothing new, a week in the window) ÷ the best single query for the same window, likewise',
  unit: 'ms',
  compare: 'ratio',
  goal: { most: 1.3 },
  rounds: 11,
  async prepare(small, stack) {
    const rows = small ? 2_000 : 1_000_000;
    const startAt = new Date(Date.now() - 7 * 86_400_000).toISOString();
    const installation = await install(stack, { tunnel: 'direct', startAt });
    const { world, config } = installation;
    await addClients(installation, 5);
    await world.must(['payouts', 'pause', '--reason', 'only the reading is measured']);
    const id = await world.insertCashOut();
    // Spread evenly up to now, the newest last, as they come in.
    const step = (6 * 365 * 86_400) / rows;
    await copies(world, id, rows, `now() - make_interval(secs => ${step} * (${rows} - n) + 60)`);
    await installation.poll();

    const { mark } = (await installation.poll()).source;
    if (!mark) throw new Error('nothing was read');
    const client = new pg.Client({
      connectionString: world.lamassu.url,
      types: { getTypeParser: () => (value: string) => value },
    });
    await client.connect();
    stack.defer(() => client.end());
    const from = new Date(Date.parse(mark.confirmedAt) - config.lamassu.overlapMs).toISOString();
    const query = () => client.query({ name: 'window', text: WINDOW, values: [from] });
    const read = (await query()).rowCount;
    const polled = (await installation.poll()).source.read;
    if (read !== polled) throw new Error(`the query reads ${read} rows, the poll ${polled}`);
    const lamassu = keepConnection();
    stack.defer(() => lamassu.close());
    const poll = () => installation.poll(lamassu.connect);
    const times = small ? 1 : 3;
    return (round) =>
      pair(
        round,
        () => typical(times, poll),
        () => typical(times, query),
      );
  },
};

/** What a poll needs of each row, and nothing else; PostgreSQL plans it as it likes, with all its cores. */
const WINDOW = `select id, device_id, crypto_atoms, received_crypto_atoms, crypto_code, fiat, fiat_code, status, dispense,
    dispense_confirmed, error, error_code, created, confirmed_at, redeem, commission_percentage, discount, raw_ticker_price
  from cash_out_txs where confirmed_at >= $1 order by confirmed_at, id`;
