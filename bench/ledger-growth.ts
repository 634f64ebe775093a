import { DatabaseSync } from 'node:sqlite';
import { type Benchmark, pair, typical } from './benchmark.ts';
import { addClients, type Installation, insertCashOuts, install } from './installation.ts';

export const benchmark: Benchmark = {
  name: 'ledger-growth',
  what: 'a poll with nothing new (SQLite; direct connection, 20 cash-outs in the window) with 1,000,000 processed cash-outs in the ledger, 2,000,000 allocations and 100,000 payouts ÷ with 1,000',
  unit: 'ms',
  compare: 'ratio',
  goal: { most: 1.2 },
  rounds: 11,
  async prepare(small, stack) {
    const old = await grown(small ? 10_000 : 1_000_000, stack);
    const young = await grown(1_000, stack);
    // Both are made alike.
    await young.world.must(['verify']);
    const times = small ? 3 : 15;
    const measure = () => typical(times, () => old.poll());
    const baseline = () => typical(times, () => young.poll());
    await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};

/** An installation whose ledger has so many cash-outs of former years, all paid. */
async function grown(cashOuts: number, stack: AsyncDisposableStack): Promise<Installation> {
  const installation = await install(stack, { tunnel: 'direct', startAt: '2013-06-01T00:00:00Z' });
  const { world, config } = installation;
  await addClients(installation, 2);
  await insertCashOuts(world, 20);
  await installation.poll();
  const db = new DatabaseSync(config.ledger.url.replace('sqlite:', ''), {
    enableForeignKeyConstraints: true,
  });
  try {
    db.exec(history(cashOuts));
  } finally {
    db.close();
  }
  await installation.poll();
  return installation;
}

/** Each cash-out divided over both clients, a payout to each for every 20, and a run for every 20. */
function history(cashOuts: number): string {
  const groups = Math.floor(cashOuts / 20);
  const series = (name: string, count: number) =>
    `with recursive ${name} (n) as (select 0 union all select n + 1 from ${name} where n + 1 < ${count})`;
  // A time of the years before: so many minutes after 2014.
  const time = (minutes: string) =>
    `strftime('%Y-%m-%dT%H:%M:%S.000000Z', '2014-01-01', '+' || (${minutes}) || ' minutes')`;
  const id = "printf('%08x-0000-4000-8000-%012x', n, n)";
  const lamassu = `json_set(c.lamassu, '$.id', ${id}, '$.crypto_atoms', '20000', '$.received_crypto_atoms', '20000',
    '$.fiat', '200.00000', '$.confirmed_at', ${time('n * 6')})`;
  const payout = 'n / 20 * 2 + r.id + (select first from bounds) - 1';
  return `begin;
    create temp table bounds as select
      (select coalesce(max(id), 0) + 1 from payouts) as first, (select coalesce(max(id), 0) + 1 from payments) as payment,
      (select coalesce(max(id), 0) from runs) as run;
    update fundings set deposited_at = '2013-02-01T00:00:00.000000Z';
    create temp table one as select * from cash_outs limit 1;
    ${series('s', groups)} insert into runs (id, kind, actor, started_at, finished_at, outcome, read_at, summary, source)
      select n + 1 + (select run from bounds), 'poll', 'bench', ${time('n * 120')}, ${time('n * 120 + 1')}, 'ok', ${time('n * 120')}, '{}', c.source
      from s, one as c;
    ${series('s', cashOuts)} insert into cash_outs (id, source, machine, confirmed_at, processed_at,
        local_date, currency, fiat, gross, commission, net, own, undelivered, own_fiat, method, origin,
        run_id, lamassu)
      select ${id}, c.source, c.machine, ${time('n * 6')}, ${time('n * 6 + 1')},
        substr(${time('n * 6')}, 1, 10), c.currency, 20000, 20000, 1000, 19000, 0, 0, 0, 'ticker', 'lamassu',
        n / 20 + 1 + (select run from bounds), ${lamassu} from s, one as c;
    ${series('s', groups)} insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at, settled_at, run_id)
      select n * 2 + r.id + (select first from bounds) - 1, r.id, 'client', 190000, 200000, c.currency, 'settled',
        ${time('n * 120')}, ${time('n * 120 + 1')}, n + 1 + (select run from bounds) from s, recipients as r, one as c;
    insert into payout_parts (payout_id, part, sats) select id, 1, sats from payouts where id >= (select first from bounds);
    insert into payments (id, payout_id, part, sats, attempt, payment_hash, bolt11, client_wallet_id, source_wallet_id,
        state, run_id, created_at, sent_at, settled_at, checked_at)
      select p.id - (select first from bounds) + (select payment from bounds), p.id, 1, p.sats, 1, printf('%064x', p.id),
        'lnbc' || p.id, r.wallet_id, l.source_wallet_id, 'settled', p.run_id, p.created_at, p.created_at, p.settled_at, p.settled_at
      from payouts as p join recipients as r on r.id = p.recipient_id, ledger as l where p.id >= (select first from bounds);
    ${series('s', cashOuts)} insert into allocations (cash_out_id, funding_id, client_id, mode, local_date, currency, fiat, gross, commission, net, payout_id)
      select ${id}, f.id, f.client_id, 'flow', substr(${time('n * 6')}, 1, 10), f.currency,
        10000, 10000, 500, 9500, ${payout} from s, fundings as f join recipients as r on r.id = f.client_id;
    update fundings set remaining = remaining - 10000 * ${cashOuts}, spent = spent + 10000 * ${cashOuts};
    commit; analyze;`;
}
