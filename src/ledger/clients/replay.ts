import { sql } from 'kysely';
import { allocate, type EligibleFunding } from '../../dca/allocate.ts';
import type { Mode, Priority } from '../../dca/fill.ts';
import { parseDecimal, sum } from '../../dca/money.ts';
import type { Clock, Instant } from '../../time.ts';
import { successors } from '../machines/lineage.ts';
import { ratesAt } from '../machines/rates.ts';
import type { Db } from '../store/open.ts';
import { CASH_LEFT } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';

/*
 * What a client's cash would have bought in cash-outs of the past, with other settings or with more cash: each of them
 * is divided once more, by the same division, over the cash that was in the machines then. All other clients have the
 * settings that they had. Where fundings have a rate of their own, the commission of the others is taken as an average.
 */

/** What would have been different. Without it, the division is as it was. */
export interface WhatIf {
  /** In force all the time, and not paused. */
  settings?: { mode: Mode; daily: bigint | null } | undefined;
  /** More cash from the beginning on, where the client's newest cash is. Minor units. */
  added?: bigint | undefined;
}

export interface ReplayRange {
  currency: string;
  digits: number;
  from: Instant;
  until: Instant;
  priority: Priority;
}

/** The client's part of all of them together; fiat in minor units. */
export interface Replayed {
  /** How many were divided, and from when on. */
  cashOuts: number;
  from: Instant;
  /** Those in which the client had a part. */
  purchases: number;
  fiat: bigint;
  net: bigint;
  /** Of the added cash. */
  addedFiat: bigint;
  addedNet: bigint;
}

/** More of them take long, so only the newest are divided. */
const MOST = 1_000;
/** So many at once; then other requests have their turn. */
const AT_ONCE = 50;

export async function replay(
  { db, clock }: { db: Db; clock: Pick<Clock, 'sleep'> },
  client: bigint,
  range: ReplayRange,
  whatIf: WhatIf = {},
): Promise<Replayed> {
  const cashOuts = await cashOutsIn(db, range);
  const from = cashOuts[0]?.confirmed_at ?? range.from;
  const state = await stateAt(db, range, from);
  const added = whatIf.added === undefined ? null : addCash(state, client, whatIf.added, from);
  const settings = await settingsOf(db, range);
  const lines = new Map<string, string[]>();
  const rates = new Map<string, bigint | null>();
  const result: Replayed = {
    ...{ cashOuts: cashOuts.length, from, purchases: 0 },
    ...{ fiat: 0n, net: 0n, addedFiat: 0n, addedNet: 0n },
  };
  let used = new Map<bigint, bigint>();
  let day = '';
  for (const [index, cashOut] of cashOuts.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await clock.sleep(0);
    const { machine, confirmed_at: at } = cashOut;
    if (cashOut.local_date !== day) [day, used] = [cashOut.local_date, new Map()];
    const line = lines.get(machine) ?? (await successors(db, machine));
    lines.set(machine, line);
    const rate = rates.has(machine)
      ? (rates.get(machine) ?? null)
      : (await ratesAt(db, machine, range.until)).rate;
    rates.set(machine, rate);
    state.moveTo(at);
    const then = (id: bigint) => {
      if (id === client && whatIf.settings) {
        const { mode, daily } = whatIf.settings;
        return { mode, isPaused: false, daily };
      }
      return settings.of(id, at);
    };
    const fundings = [...state.fundings.values()].flatMap((one): EligibleFunding[] => {
      const isThere = one.remaining > 0n && one.depositedAt <= at;
      if (!isThere || (one.machine !== null && !line.includes(one.machine))) return [];
      const { mode, isPaused } = then(one.client);
      if (isPaused) return [];
      return [{ id: one.id, client: one.client, remaining: one.remaining, mode, rate: one.rate ?? rate }];
    });
    const limitLeft = new Map(
      fundings
        .filter(({ mode }) => mode === 'fixed')
        .map(({ client: id }) => {
          const left = (then(id).daily ?? 0n) - (used.get(id) ?? 0n);
          return [id, left > 0n ? left : 0n];
        }),
    );
    const { allocations } = allocate({
      ...{ fiat: cashOut.fiat, distributed: cashOut.gross - cashOut.undelivered },
      ...{ commission: cashOut.commission, fundings, limitLeft, priority: range.priority },
    });
    for (const part of allocations) {
      const funding = state.fundings.get(part.funding);
      if (funding) funding.remaining -= part.fiat;
      if (part.mode === 'fixed') used.set(part.client, (used.get(part.client) ?? 0n) + part.fiat);
    }
    const own = allocations.filter((part) => part.client === client);
    const more = own.filter((part) => part.funding === added);
    if (own.length > 0) result.purchases += 1;
    result.fiat += sum(own.map((part) => part.fiat));
    result.net += sum(own.map((part) => part.net));
    result.addedFiat += sum(more.map((part) => part.fiat));
    result.addedNet += sum(more.map((part) => part.net));
  }
  return result;
}

async function cashOutsIn(db: Db, { currency, from, until }: ReplayRange) {
  const rows = await db
    .selectFrom('cash_outs')
    .select(['id', 'machine', 'confirmed_at', 'local_date', 'fiat', 'gross', 'undelivered', 'commission'])
    .where('currency', '=', currency)
    .where('confirmed_at', '>=', from)
    .where('confirmed_at', '<', until)
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(MOST)
    .execute();
  return rows.reverse();
}

interface PastFunding {
  id: bigint;
  client: bigint;
  machine: string | null;
  depositedAt: Instant;
  rate: bigint | null;
  remaining: bigint;
}

interface PastState {
  fundings: Map<bigint, PastFunding>;
  /** Puts in and takes out what was put in and taken out until then. */
  moveTo(at: Instant): void;
}

/** The cash in machines at a moment: what is there now, with what went out since, and without what came in. */
async function stateAt(db: Db, { currency, digits }: ReplayRange, from: Instant): Promise<PastState> {
  const spent = await db
    .selectFrom('cash_outs')
    .innerJoin('allocations', 'allocations.cash_out_id', 'cash_outs.id')
    .select(['allocations.funding_id', sumOf('allocations.fiat').as('fiat')])
    .where('cash_outs.confirmed_at', '>=', from)
    .where('allocations.currency', '=', currency)
    .groupBy('allocations.funding_id')
    .execute();
  const since = new Map(spent.map((row) => [row.funding_id, row.fiat]));
  const rows = await db
    .selectFrom('fundings')
    .select(['id', 'client_id as client', 'machine', 'deposited_at', 'rate', 'remaining', 'status'])
    .where('currency', '=', currency)
    .where('deposited_at', 'is not', null)
    .where((eb) =>
      eb.or([
        eb('status', 'in', CASH_LEFT),
        eb(
          'id',
          'in',
          db
            .selectFrom('cash_outs')
            .innerJoin('allocations', 'allocations.cash_out_id', 'cash_outs.id')
            .select('allocations.funding_id')
            .where('cash_outs.confirmed_at', '>=', from),
        ),
      ]),
    )
    .execute();
  const changes = await changesSince(db, rows, from, digits);
  const fundings = new Map<bigint, PastFunding>();
  for (const { id, client, machine, deposited_at: depositedAt, rate, remaining } of rows) {
    const later = sum(changes.filter((one) => one.funding === id).map((one) => one.fiat));
    const then = remaining + (since.get(id) ?? 0n) - later;
    fundings.set(id, { id, client, machine, depositedAt: depositedAt ?? '', rate, remaining: then });
  }
  let next = 0;
  return {
    fundings,
    moveTo: (at) => {
      for (; next < changes.length && (changes[next]?.at ?? '') <= at; next += 1) {
        const change = changes[next];
        const funding = change && fundings.get(change.funding);
        if (!funding) continue;
        // What the replay has spent already cannot be taken out any more.
        const after = funding.remaining + change.fiat;
        funding.remaining = after > 0n ? after : 0n;
      }
    },
  };
}

interface CashChange {
  at: Instant;
  funding: bigint;
  fiat: bigint;
}

/** What the operator put in and took out since a moment, oldest first. */
async function changesSince(
  db: Db,
  fundings: readonly { id: bigint; deposited_at: Instant | null }[],
  from: Instant,
  digits: number,
): Promise<CashChange[]> {
  const depositedAt = new Map(
    fundings.map((one) => [`f${one.id}`, { id: one.id, at: one.deposited_at ?? '' }]),
  );
  if (depositedAt.size === 0) return [];
  const rows = await db
    .selectFrom('log')
    .select(['at', 'subject', 'before', 'after'])
    .where('subject', 'in', [...depositedAt.keys()])
    .where('action', 'like', 'funding %')
    .orderBy('id')
    .execute();
  const changes = rows.flatMap(({ at, subject, before, after }): CashChange[] => {
    const deposit = depositedAt.get(subject);
    const [was, is] = [inMachine(before, digits), inMachine(after, digits)];
    if (!deposit || was === is) return [];
    // Cash counts from the moment at which it was in the machine.
    const when = was === 0n || at < deposit.at ? deposit.at : at;
    return when < from ? [] : [{ at: when, funding: deposit.id, fiat: is - was }];
  });
  return changes.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function inMachine(json: string | null, digits: number): bigint {
  if (json === null) return 0n;
  const { status, remaining } = JSON.parse(json) as Partial<Record<string, unknown>>;
  return status === 'in_flight' || typeof remaining !== 'string' ? 0n : parseDecimal(remaining, digits);
}

/** Cash where the client's newest is, as that is; for all machines if there is none. Answers its id. */
function addCash({ fundings }: PastState, client: bigint, remaining: bigint, from: Instant): bigint {
  const ids = [...fundings.keys()];
  const id = ids.reduce((most, one) => (one > most ? one : most), 0n) + 1n;
  const newest = [...fundings.values()].filter((one) => one.client === client).at(-1);
  const like = { machine: newest?.machine ?? null, rate: newest?.rate ?? null };
  fundings.set(id, { id, client, ...like, depositedAt: from, remaining });
  return id;
}

interface PastSettings {
  of(client: bigint, at: Instant): { mode: Mode; isPaused: boolean; daily: bigint | null };
}

async function settingsOf(db: Db, { currency, until }: ReplayRange): Promise<PastSettings> {
  const modes = await db
    .selectFrom('client_settings')
    .select(['client_id', 'from_at', 'mode', 'paused'])
    .where('from_at', '<', until)
    .orderBy(sql`from_at desc, id desc`)
    .execute();
  const limits = await db
    .selectFrom('client_limits')
    .select(['client_id', 'from_at', 'daily_limit'])
    .where('currency', '=', currency)
    .where('from_at', '<', until)
    .orderBy(sql`from_at desc, id desc`)
    .execute();
  const modesOf = Map.groupBy(modes, (row) => row.client_id);
  const limitsOf = Map.groupBy(limits, (row) => row.client_id);
  return {
    of: (client, at) => {
      const setting = modesOf.get(client)?.find((row) => row.from_at <= at);
      const limit = limitsOf.get(client)?.find((row) => row.from_at <= at);
      return {
        ...{ mode: setting?.mode ?? 'flow', isPaused: setting?.paused !== 0n },
        daily: limit?.daily_limit ?? null,
      };
    },
  };
}
