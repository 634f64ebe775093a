import { Secret } from '../../src/config/secret.ts';
import type { Division } from '../../src/dca/allocate.ts';
import type { CashOut } from '../../src/dca/cash-out.ts';
import type { Mode } from '../../src/dca/fill.ts';
import { type IngestOptions, ingest } from '../../src/ledger/cash-outs/ingest.ts';
import { addClient, type LimitChange, pauseClient, setClient } from '../../src/ledger/clients/changes.ts';
import { addFunding, type NewFunding } from '../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { seeMachine } from '../../src/ledger/machines/register.ts';
import { formPayouts } from '../../src/ledger/payouts/form.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { formOptions } from '../../src/scheduler/due.ts';
import type { Instant } from '../../src/time.ts';
import { bootless } from './clock.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

/** The settings that decide what is due; a test changes them as an operator changes config.toml. */
interface BookSettings {
  timezone: string;
  times: string[];
  priority: IngestOptions['priority'];
  minimumSats: bigint;
}

/** Cash-outs and days of a ledger at moments that the test names, in USD at 1,000 sat for each. */
export interface Books {
  ledger: Ledger;
  settings: BookSettings;
  client(name: string, settings: { mode: Mode; daily?: number; max?: number }, at: Instant): Promise<void>;
  /** Cash in whole USD that is in machine `m` since `at`. */
  cash(client: string, usd: number, at: Instant, more?: Partial<NewFunding>): Promise<bigint>;
  limit(client: string, usd: number, at: Instant): Promise<void>;
  mode(client: string, mode: Mode, at: Instant): Promise<void>;
  pause(client: string, at: Instant): Promise<void>;
  /** A run that read Lamassu, or another `source`, to its end at that moment. */
  read(at: Instant, source?: string): Promise<void>;
  /** A cash-out in whole USD; what each client gives for it, in USD, by name, and `own`. */
  cashOut(
    usd: number,
    confirmedAt: Instant,
    processedAt?: Instant,
    more?: Partial<CashOut>,
  ): Promise<Partial<Record<string, string>>>;
  /** Forms what is due at that moment; the new payouts in sats, by client. */
  pay(at: Instant, fixedDueAt?: Instant): Promise<Partial<Record<string, bigint>>>;
}

export async function books(ledger: Ledger): Promise<Books> {
  const settings: BookSettings = {
    timezone: 'America/Guatemala',
    times: ['12:00'],
    priority: 'shared',
    minimumSats: 1n,
  };
  let runs = 0n;
  let cashOuts = 0;
  const run = async (at: Instant, readAt: Instant | null, source: string | null) => {
    runs += 1n;
    const row = { id: runs, kind: 'poll', actor: 'test', started_at: at, finished_at: at, outcome: 'ok' };
    await ledger.db
      .insertInto('runs')
      .values({ ...row, read_at: readAt, source })
      .execute();
    return runs;
  };
  await ledger.write((trx) => seeMachine(trx, { ...who, at: '2026-01-01T00:00:00.000000Z' }, 'm', 'lamassu'));
  return {
    ledger,
    settings,
    client: async (name, { mode, daily, max }, at) => {
      const limits = daily === undefined ? [] : [limitOf(daily, max)];
      const wallet = { id: `wallet of ${name}`, key: new Secret(name) };
      await ledger.write((trx) => addClient(trx, { ...who, at }, { name, wallet, mode, limits }));
    },
    cash: async (client, usd, at, more = {}) => {
      const amount = { minor: minor(usd), currency: 'USD', digits: 2 };
      const usual = { client, amount, machine: 'm', rate: null, depositedAt: at };
      const { funding } = await ledger.write((trx) => addFunding(trx, { ...who, at }, { ...usual, ...more }));
      return funding.id;
    },
    limit: async (client, usd, at) => {
      await ledger.write((trx) =>
        setClient(trx, { ...who, at }, client, { limits: [limitOf(usd)], newWallet: false }),
      );
    },
    mode: async (client, mode, at) => {
      await ledger.write((trx) =>
        setClient(trx, { ...who, at }, client, { mode, limits: [], newWallet: false }),
      );
    },
    pause: async (client, at) => {
      await ledger.write((trx) => pauseClient(trx, { ...who, at }, client, true));
    },
    read: async (at, source = 'lamassu') => {
      await run(at, at, source);
    },
    cashOut: async (usd, confirmedAt, processedAt = confirmedAt, more = {}) => {
      cashOuts += 1;
      const division = await ledger.write((trx) =>
        ingest(
          trx,
          { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: processedAt },
          {
            id: `cash-out ${cashOuts}`,
            source: 'lamassu',
            machine: 'm',
            confirmedAt,
            currency: 'USD',
            digits: 2,
            fiat: minor(usd),
            distributed: BigInt(usd) * 1_000n,
            commission: 0n,
            undelivered: 0n,
            method: 'ticker',
            lamassu: {},
            ...more,
          },
          {
            ...settings,
            origin: 'lamassu',
          },
        ),
      );
      if (!division) throw new Error('a cash-out that is known already');
      return byClient(ledger, division);
    },
    pay: async (at, fixedDueAt) => {
      const { timezone, times, minimumSats } = settings;
      const payouts = { batch: 'poll' as const, minimumSats, maximumSats: 10_000_000n, quietMs: 0 };
      const config = { timezone, fixed: { times }, payouts: { ...payouts, dailyCeilingSats: undefined } };
      const options = formOptions(config, await run(at, null, null), at);
      const ids = await ledger.write((trx) =>
        formPayouts(trx, fixedDueAt === undefined ? options : { ...options, fixedDueAt }),
      );
      if (ids.length === 0) return {};
      const rows = await ledger.db
        .selectFrom('payouts')
        .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
        .select(['recipients.name', 'payouts.sats'])
        .where('payouts.id', 'in', ids)
        .execute();
      return Object.fromEntries(rows.map((row) => [row.name, row.sats]));
    },
  };
}

async function byClient(ledger: Ledger, division: Division): Promise<Partial<Record<string, string>>> {
  const names = await ledger.db.selectFrom('recipients').select(['id', 'name']).execute();
  const given: Record<string, bigint> = { own: division.own.fiat };
  for (const { client, fiat } of division.allocations) {
    const name = names.find((one) => one.id === client)?.name ?? '';
    given[name] = (given[name] ?? 0n) + fiat;
  }
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, fiat]) => (fiat === 0n ? [] : [[name, usd(fiat)]])),
  );
}

function limitOf(daily: number, max?: number): LimitChange {
  const limit = { currency: 'USD', digits: 2, daily: minor(daily) };
  return max === undefined ? limit : { ...limit, max: minor(max) };
}

function minor(whole: number): bigint {
  return BigInt(whole) * 100n;
}

/** `1500.00`, without a grouping. */
function usd(cents: bigint): string {
  const text = `${cents}`.padStart(3, '0');
  return `${text.slice(0, -2)}.${text.slice(-2)}`;
}
