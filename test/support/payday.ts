import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Secret } from '../../src/config/secret.ts';
import type { BridgeError } from '../../src/errors.ts';
import { ingest } from '../../src/ledger/cash-outs/ingest.ts';
import { addCommission } from '../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { type Run, startRun } from '../../src/ledger/runs/lease.ts';
import { ALWAYS } from '../../src/ledger/store/effective-dated.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import { type PayReport, pay } from '../../src/scheduler/pay-due.ts';
import { type Clock, plus, systemClock } from '../../src/time.ts';
import { bootless, now } from './clock.ts';
import type { LnbitsVersion, WalletKeys } from './lnbits.ts';
import { type LnbitsSimulator, type SeenRequest, startLnbitsSimulator } from './lnbits-simulator.ts';

/** A ledger that owes its clients sats, an LNbits simulator to pay them at, and the paying half of a run. */
export interface Payday {
  ledger: Ledger;
  lnbits: LnbitsSimulator;
  source: WalletKeys;
  config: Config;
  /**
   * A client with its own wallet, whose key is known to show the invoices it makes, and with 10,000.00 USD in a
   * machine that holds no other client's cash.
   */
  addClient(name: string): Promise<WalletKeys>;
  /**
   * A cash-out at that client's machine: the sats are the client's, those of `commission` the recipients'. Answers
   * its id.
   */
  owe(name: string, sats: bigint, commission?: bigint): Promise<string>;
  /** A recipient of the commission of all machines, or of one, from now on. */
  addCommission(name: string, weight?: bigint, machine?: string | null): Promise<WalletKeys>;
  /** The paying half of one run. */
  payNow(options?: { signal?: AbortSignal }): Promise<PayReport & { problems: BridgeError[] }>;
  /** From now on no payment to this client reaches LNbits, however often it is sent. */
  loseEachPost(name: string): void;
  payouts(): Promise<{ id: bigint; name: string; state: string; reason: string | null; sats: bigint }[]>;
  payments(): Promise<{ payout_id: bigint; state: string; attempt: bigint; payment_hash: string }[]>;
  stop(): Promise<void>;
}

export interface PaydayOptions {
  version?: LnbitsVersion;
  quiet?: string;
  /** Lines for `[payouts]`. */
  payouts?: string;
  funds?: bigint;
  requestsPerSecond?: number;
  /** Lines for `[lnbits]`. */
  lnbits?: string;
  clock?: Clock;
}

export async function payday(options: PaydayOptions = {}): Promise<Payday> {
  const {
    version = '1.6.2',
    quiet = '1 ms',
    payouts = '',
    funds = 1_000_000n,
    lnbits: more = '',
    requestsPerSecond,
    clock = systemClock,
  } = options;
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-payday-'));
  const lnbits = await startLnbitsSimulator({ version, ...(requestsPerSecond && { requestsPerSecond }) });
  const source = await lnbits.createUserWallet('source');
  if (funds > 0n) await lnbits.topUp(source.id, funds);
  const file = join(folder, 'config.toml');
  writeFileSync(
    file,
    `timezone = "UTC"
[lamassu]
host = "127.0.0.1"
database = "lamassu"
user = "aio_dca"
password = "unused"
start_at = "2026-01-01T00:00:00Z"
[lnbits]
url = "${lnbits.url}"
source_wallet_key = "${source.adminkey}"
${more}
[payouts]
quiet = "${quiet}"
${payouts}
`,
    { mode: 0o600 },
  );
  const config = loadConfig(file, {});
  const ledger = await openLedger({ clock, ...config.ledger, use: 'create' });
  const at = plus(clock.now(), -60_000);

  const wallets = new Map<string, string>();
  return {
    ledger,
    lnbits,
    source,
    config,
    addClient: async (name) => {
      const wallet = await lnbits.createUserWallet(name);
      wallets.set(name, wallet.id);
      await ledger.write(async (trx) => {
        await trx
          .insertInto('currencies')
          .values({ code: 'USD', digits: 2n })
          .onConflict((c) => c.doNothing())
          .execute();
        await trx.insertInto('machines').values({ device_id: name, first_seen: at }).execute();
        await trx
          .insertInto('wallets')
          .values({ id: wallet.id, invoice_key: wallet.inkey, created_at: at, seen_at: at })
          .execute();
        const { id } = await trx
          .insertInto('recipients')
          .values({ kind: 'client', name, wallet_id: wallet.id, status: 'active', created_at: at })
          .returning('id')
          .executeTakeFirstOrThrow();
        await trx
          .insertInto('client_settings')
          .values({ client_id: id, from_at: ALWAYS, mode: 'flow', paused: 0n })
          .execute();
        await trx
          .insertInto('fundings')
          .values({
            client_id: id,
            machine: name,
            currency: 'USD',
            amount: 1_000_000n,
            remaining: 1_000_000n,
            spent: 0n,
            withdrawn: 0n,
            status: 'deposited',
            created_at: at,
            deposited_at: at,
          })
          .execute();
      });
      return wallet;
    },
    addCommission: async (name, weight = 1n, machine = null) => {
      const keys = await lnbits.createUserWallet(name);
      const wallet = { id: keys.id, key: new Secret(keys.inkey) };
      await nextMoment();
      await ledger.write((trx) =>
        addCommission(
          trx,
          { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: clock.now() },
          { name, wallet, weight, machine },
        ),
      );
      return keys;
    },
    owe: async (name, sats, commission = 0n) => {
      const cashOut = {
        id: randomUUID(),
        source: 'lamassu',
        machine: name,
        confirmedAt: clock.now(),
        currency: 'USD',
        digits: 2,
        fiat: 10_000n,
        distributed: sats + commission,
        undelivered: 0n,
        commission,
        method: 'ticker' as const,
        lamassu: {},
      };
      const how = {
        timezone: 'UTC',
        priority: 'shared' as const,
        origin: 'lamassu' as const,
      };
      const act = { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: clock.now() };
      const division = await ledger.write((trx) => ingest(trx, act, cashOut, how));
      if (division?.net !== sats) throw new Error(`${name} was allocated ${division?.net} of ${sats} sat`);
      return cashOut.id;
    },
    payNow: async ({ signal = new AbortController().signal } = {}) => {
      const run: Run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
      const problems: BridgeError[] = [];
      const report = await pay({ ledger, config, run, signal, problems });
      await run.finish('ok', null);
      return { ...report, problems };
    },
    loseEachPost: (name) => {
      const rows = () => lnbits.payments(wallets.get(name) ?? '');
      const when = ({ kind, hash }: SeenRequest) =>
        kind === 'pay' && rows().some(({ payment_hash }) => payment_hash === hash);
      lnbits.rules = [{ when, times: Number.POSITIVE_INFINITY, fault: { at: 'before', do: 'reset' } }];
    },
    payouts: () =>
      ledger.db
        .selectFrom('payouts')
        .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
        .select(['payouts.id', 'recipients.name', 'payouts.state', 'payouts.reason', 'payouts.sats'])
        .orderBy('payouts.id')
        .execute(),
    payments: () =>
      ledger.db
        .selectFrom('payments')
        .select(['payout_id', 'state', 'attempt', 'payment_hash'])
        .orderBy('id')
        .execute(),
    stop: async () => {
      lnbits.release();
      await ledger.close();
      await lnbits.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Alice is owed 1,000 sat and Bob 2,000: their wallets, and what is in them, and how their payouts stand. */
export async function oweTwo(day: Payday) {
  const alice = await day.addClient('alice');
  const bob = await day.addClient('bob');
  await day.owe('alice', 1000n);
  await day.owe('bob', 2000n);
  const balances = () => [day.lnbits.balance(alice.id), day.lnbits.balance(bob.id)];
  const states = async () => (await day.payouts()).map((one) => one.state);
  return { alice, bob, balances, states };
}

/** Steps after it have a later time than steps before. */
export async function nextMoment(): Promise<void> {
  const before = now();
  while (now() === before) await sleep(1);
}
