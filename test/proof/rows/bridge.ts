import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { pino } from 'pino';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { Secret } from '../../../src/config/secret.ts';
import { type Connection, connect, type LamassuOptions, type TextRow } from '../../../src/lamassu/connect.ts';
import { addClient, pauseClient, setClient } from '../../../src/ledger/clients/changes.ts';
import { addCommission, setCommission } from '../../../src/ledger/commission/commission.ts';
import { addFunding, withdrawFunding } from '../../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { setMachine } from '../../../src/ledger/machine-changes.ts';
import { seeMachine } from '../../../src/ledger/machines/register.ts';
import { pausePaying, resumePaying } from '../../../src/ledger/payouts/pause.ts';
import { type Ledger, openLedger, type Trx } from '../../../src/ledger/store/open.ts';
import { type Plan as DryRun, dryRun } from '../../../src/scheduler/dry-run.ts';
import { poll } from '../../../src/scheduler/poll.ts';
import type { PollReport } from '../../../src/scheduler/report.ts';
import type { Instant } from '../../../src/time.ts';
import { bootless } from '../../support/clock.ts';
import { createLamassu, type Lamassu, pairMachine } from '../../support/lamassu.ts';
import { freshLedgerUrl, type LedgerKind } from '../../support/ledgers.ts';
import type { WalletKeys } from '../../support/lnbits.ts';
import { startLnbitsSimulator } from '../../support/lnbits-simulator.ts';
import { freshDatabase } from '../../support/postgres.ts';
import { type Change, clients, type Limit, recipients } from './agree.ts';
import { setBack } from './clock.ts';
import type { Row } from './judgement.ts';
import type { Plan } from './plan.ts';
import { currencies } from './row.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

/** The real program on a Lamassu of its own, with a ledger and a simulated LNbits. */
export interface Bridge extends AsyncDisposable {
  lamassu: Lamassu;
  ledger: Ledger;
  wallets: Map<string, WalletKeys>;
  change(change: Change): Promise<void>;
  insert(rows: readonly Row[]): Promise<void>;
  update(rows: readonly Row[]): Promise<void>;
  /** Inserts and updates in another session; what comes back commits. */
  hold(inserted: readonly Row[], updated: readonly Row[]): Promise<() => Promise<void>>;
  /** From here on what is due is paid. */
  resume(): Promise<unknown>;
  /** `meanwhile` happens when Lamassu has answered with many rows, and before it is asked for more. */
  poll(meanwhile?: () => Promise<void>): Promise<PollReport>;
  dryRun(): Promise<DryRun>;
  /** In sats. */
  balance(wallet: WalletKeys): Promise<bigint>;
}

export async function startBridge(plan: Plan, kind: LedgerKind): Promise<Bridge> {
  await using stack = new AsyncDisposableStack();
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const lamassu = await createLamassu(database.url, { version: plan.version });
  stack.defer(() => lamassu.end());
  const clock = await setBack(lamassu);
  const { now } = clock;
  const lnbits = await startLnbitsSimulator();
  stack.defer(() => lnbits.stop());
  const source = await lnbits.createUserWallet('source');
  await lnbits.topUp(source.id, 9_000_000_000_000n);
  const ledger = await openLedger({ clock, url: await freshLedgerUrl(kind), use: 'create' });
  stack.defer(() => ledger.close());
  // Nothing is killed here, so nothing has to wait for the disk.
  if (kind === 'sqlite') await sql`pragma synchronous = off`.execute(ledger.db);
  const config = await configure(
    plan,
    { lamassu: database.url, ledger: ledger.url, lnbits: lnbits.url, source },
    stack,
  );

  const wallets = new Map<string, WalletKeys>();
  for (const name of [...clients, ...recipients]) wallets.set(name, await lnbits.createUserWallet(name));
  for (const machine of plan.machines) {
    await pairMachine(lamassu, `machine ${machine}`, machine);
    await ledger.write((trx) => seeMachine(trx, { ...who, at: now() }, machine, 'lamassu'));
  }
  const wallet = (name: string) => {
    const keys = wallets.get(name);
    if (!keys) throw new Error(`${name} has no wallet`);
    return { id: keys.id, key: new Secret(keys.inkey) };
  };
  const { startAt } = plan.rules;
  for (const name of recipients) {
    const recipient = { name, wallet: wallet(name), weight: name === 'operator' ? 1n : 0n, machine: null };
    await ledger.write((trx) => addCommission(trx, { ...who, at: startAt }, recipient));
  }
  // Recording goes on, paying waits for the end.
  await ledger.write((trx) => pausePaying(trx, { ...who, at: now(), reason: 'until the end' }));

  // What was agreed, and what turned up, in days gone by is entered and read now: that is no clock that was wrong.
  const { boot, uptime } = clock.host();
  await ledger.db
    .insertInto('runs')
    .values({
      ...{ id: 0n, kind: 'fixed', actor: 'test', outcome: 'ok', started_at: now(), finished_at: now() },
      ...{ source_now: now(), host_now: now(), boot, uptime_ms: BigInt(uptime) },
    })
    .execute();
  const asOfThen = () =>
    ledger.db.updateTable('runs').set({ source_now: null }).where('id', '>', 0n).execute();

  const signal = new AbortController().signal;
  const deps = {
    ledger,
    config,
    who: { principal: OPERATOR, actor: 'test' },
    log: pino({ level: 'silent' }),
    signal,
  };
  const release = stack.move();
  return {
    lamassu,
    ledger,
    wallets,
    change: (change) => ledger.write((trx) => apply(trx, change, now(), wallet)),
    insert: (rows) => insertAll(lamassu.query, rows),
    update: (rows) => updateAll(lamassu.query, rows),
    hold: async (inserted, updated) => {
      const session = new pg.Client(lamassu.url);
      session.on('error', () => undefined);
      await session.connect();
      release.defer(() => session.end());
      await session.query('begin');
      const query: Query = (text, values) => session.query(text, values);
      await insertAll(query, inserted);
      await updateAll(query, updated);
      return async () => {
        await session.query('commit');
      };
    },
    resume: () => ledger.write((trx) => resumePaying(trx, { ...who, at: now() })),
    poll: async (meanwhile) => {
      await asOfThen();
      return poll(meanwhile ? { ...deps, connect: (options) => interrupted(options, meanwhile) } : deps);
    },
    dryRun: async () => {
      await asOfThen();
      return dryRun(deps);
    },
    balance: async (keys) => {
      const answer = await fetch(`${lnbits.url}/api/v1/wallet`, { headers: { 'X-Api-Key': keys.inkey } });
      return BigInt(((await answer.json()) as { balance: number }).balance) / 1000n;
    },
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

const MANY = 1_000;

/** A session in which that happens once, after the first answer of many rows. */
async function interrupted(options: LamassuOptions, meanwhile: () => Promise<void>): Promise<Connection> {
  const connection = await connect(options);
  let done = false;
  return {
    query: async <R extends TextRow>(sql: string, values?: unknown[]) => {
      const rows = await connection.query<R>(sql, values);
      if (!done && rows.length >= MANY) {
        done = true;
        await meanwhile();
      }
      return rows;
    },
    close: () => connection.close(),
  };
}

type Query = (text: string, values: unknown[]) => Promise<unknown>;

async function updateAll(query: Query, rows: readonly Row[]): Promise<void> {
  for (const row of rows) {
    const names = Object.keys(row).filter((name) => name !== 'id');
    const set = names.map((name, i) => `${name} = $${i + 2}`).join(', ');
    await query(`update cash_out_txs set ${set} where id = $1`, [row.id, ...names.map((name) => row[name])]);
  }
}

async function insertAll(query: Query, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const names = Object.keys(first).join(', ');
  await query(
    `insert into cash_out_txs (${names}) select ${names} from json_populate_recordset(null::cash_out_txs, $1)`,
    [JSON.stringify(rows)],
  );
}

async function configure(
  { rules }: Plan,
  urls: { lamassu: string; ledger: string; lnbits: string; source: WalletKeys },
  stack: AsyncDisposableStack,
): Promise<Config> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-rows-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { hostname, port, pathname, username, password } = new URL(urls.lamassu);
  const above = [...rules.largeAbove].map(([code, minor]) => `"${minor / 100n} ${code}"`);
  const text = `timezone = "${rules.timezone}"
[lamassu]
host = "${hostname}"
port = ${port}
database = "${pathname.slice(1)}"
user = "${username}"
password = "${password}"
start_at = "${rules.startAt}"
overlap = "${rules.overlap / 3_600_000_000n} hours"
[ledger]
url = "${urls.ledger}"
[lnbits]
url = "${urls.lnbits}"
source_wallet_key = "${urls.source.adminkey}"
[commission]
method = "${rules.method}"
fallback = "${rules.fallback}"
[allocation]
priority = "${rules.priority}"
[review]
cash_out_above = [${above.join(', ')}]
[payouts]
quiet = "1 ms"
`;
  const file = join(folder, 'config.toml');
  await writeFile(file, text, { mode: 0o600 });
  return loadConfig(file, {});
}

type Wallet = Parameters<typeof addClient>[2]['wallet'];

async function apply(
  trx: Trx,
  change: Change,
  now: Instant,
  wallet: (name: string) => Wallet,
): Promise<void> {
  switch (change.kind) {
    case 'client': {
      const { name, mode, limits } = change;
      await addClient(
        trx,
        { ...who, at: now },
        { name, wallet: wallet(name), mode, limits: limits.map(limitOf) },
      );
      return;
    }
    case 'mode':
    case 'limit': {
      const limits = change.kind === 'limit' ? [limitOf(change.limit)] : [];
      const mode = change.kind === 'mode' ? { mode: change.mode } : {};
      await setClient(trx, { ...who, at: change.at }, change.client, { ...mode, limits, newWallet: false });
      return;
    }
    case 'pause':
      await pauseClient(trx, { ...who, at: change.at }, change.client, change.paused);
      return;
    case 'rate':
      await setMachine(trx, { ...who, at: change.at }, change.machine, { rate: change.rate });
      return;
    case 'weight': {
      const { recipient, machine, weight, at } = change;
      await setCommission(trx, { ...who, at }, recipient, { weight, machine, newWallet: false });
      return;
    }
    case 'funding': {
      const { client, machine, currency, amount: minor, rate, depositedAt } = change;
      const amount = { minor, currency, digits: currencies[currency].digits };
      await addFunding(
        trx,
        { ...who, at: now },
        { client, amount, machine, rate, depositedAt, past: 'leave', newCurrency: true },
      );
      return;
    }
    case 'withdraw': {
      const left = await trx
        .selectFrom('fundings')
        .selectAll()
        .where('remaining', '>', 0n)
        .orderBy('id')
        .execute();
      const one = left[change.nth];
      if (!one) return;
      const minor = (one.remaining * change.percent) / 100n;
      if (minor > 0n)
        await withdrawFunding(trx, { ...who, at: now, reason: 'asked for it' }, one.id, {
          minor,
          currency: one.currency,
        });
    }
  }
}

function limitOf({ currency, daily }: Limit) {
  return { currency, digits: currencies[currency].digits, daily };
}
