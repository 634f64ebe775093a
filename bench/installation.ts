import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import type { Config } from '../src/config/config.ts';
import { loadConfig } from '../src/config/load.ts';
import { Secret } from '../src/config/secret.ts';
import { addClient } from '../src/ledger/clients/changes.ts';
import { addFunding } from '../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../src/ledger/log/log.ts';
import { type Ledger, openLedger } from '../src/ledger/store/open.ts';
import { poll } from '../src/scheduler/poll.ts';
import type { PollReport } from '../src/scheduler/report.ts';
import { type Instant, plus, systemClock } from '../src/time.ts';
import { bootless, now } from '../test/support/clock.ts';
import type { WalletKeys } from '../test/support/lnbits.ts';
import { startWorld, type World, type WorldOptions } from '../test/support/world.ts';

const DAY_MS = 86_400_000;
/** More than any benchmark takes out of it. */
const amount = { minor: 10n ** 14n, currency: 'GTQ', digits: 2 };
const who = { principal: OPERATOR, actor: 'bench', run: null, clock: bootless };

/** A world with an empty ledger and its configuration, stopped with `stack`. */
export interface Installation {
  world: World;
  config: Config;
  /** A ledger opened for one piece of work. */
  withLedger<T>(work: (ledger: Ledger) => Promise<T>): Promise<T>;
  /** One run, as the daemon does it. Throws unless it did all that there was to do. */
  poll(connect?: Parameters<typeof poll>[0]['connect']): Promise<PollReport>;
}

export async function install(stack: AsyncDisposableStack, options: WorldOptions): Promise<Installation> {
  const world = await startWorld(options);
  stack.defer(() => world.stop());
  await world.must(['migrate']);
  const config = loadConfig(world.configFile, {});
  const withLedger: Installation['withLedger'] = async (work) => {
    const { url, password } = config.ledger;
    const ledger = await openLedger({ clock: systemClock, url, password, use: 'write' });
    try {
      return await work(ledger);
    } finally {
      await ledger.close();
    }
  };
  const deps = { config, who, log: pino({ level: 'silent' }) };
  return {
    world,
    config,
    withLedger,
    poll: async (connect) => {
      const { signal } = new AbortController();
      const report = await withLedger((ledger) =>
        poll({ ledger, ...deps, signal, ...(connect && { connect }) }),
      );
      if (report.outcome !== 'ok')
        throw new Error(`the run was ${report.outcome}: ${report.problems.map(({ message }) => message)}`);
      return report;
    },
  };
}

/** Clients in flow mode, each with a wallet at LNbits and a lot of cash that serves every machine. */
export async function addClients({ world, withLedger }: Installation, count: number): Promise<void> {
  const wallets: WalletKeys[] = [];
  for (let i = 0; i < count; i += 1) wallets.push(await world.lnbits.createUserWallet(`client ${i}`));
  await withLedger((ledger) =>
    ledger.write((trx) =>
      addToLedger(
        trx,
        wallets.map(({ id, inkey }) => ({ id, key: inkey })),
        plus(now(), -29 * DAY_MS),
      ),
    ),
  );
}

/** The same without an LNbits; the cash lies there since `depositedAt`. */
export async function addClientsOnly(ledger: Ledger, count: number, depositedAt: Instant): Promise<void> {
  const wallets = Array.from({ length: count }, () => ({
    id: randomBytes(16).toString('hex'),
    key: randomBytes(16).toString('hex'),
  }));
  await ledger.write((trx) => addToLedger(trx, wallets, depositedAt));
}

async function addToLedger(
  trx: Parameters<typeof addClient>[0],
  wallets: { id: string; key: string }[],
  depositedAt: Instant,
): Promise<void> {
  for (const [index, { id, key }] of wallets.entries()) {
    const name = `client-${index}`;
    await addClient(
      trx,
      { ...who, at: now() },
      { name, wallet: { id, key: new Secret(key) }, mode: 'flow', limits: [] },
    );
    await addFunding(
      trx,
      { ...who, at: now() },
      { client: name, amount, machine: null, rate: null, depositedAt },
    );
  }
}

/** Sound cash-outs of the last minutes, all of them after `insertCashOut`'s defaults, a millisecond apart. */
export async function insertCashOuts(world: World, count: number): Promise<void> {
  const id = await world.insertCashOut();
  await copies(
    world,
    id,
    count - 1,
    `clock_timestamp() - interval '1 hour' + make_interval(secs => n / 1000.0)`,
  );
}

/** Copies of a row, `n` from 1 to `count`, with `time` (SQL) as the time of each. */
export async function copies(world: World, id: string, count: number, time: string): Promise<void> {
  const names = await world.lamassu.query(
    `select attname as name from pg_attribute where attrelid = 'cash_out_txs'::regclass and attnum > 0`,
  );
  const kept = names
    .map(({ name }) => String(name))
    .filter((name) => !['id', 'created', 'confirmed_at'].includes(name));
  await world.lamassu.query(
    `insert into cash_out_txs (id, created, confirmed_at, ${kept.join(', ')})
     select gen_random_uuid(), ${time} - interval '2 minutes', ${time}, ${kept.map((name) => `t.${name}`).join(', ')}
     from cash_out_txs t, generate_series(1, ${count}) n where t.id = '${id}'`,
  );
  await world.lamassu.query('vacuum analyze cash_out_txs');
}
