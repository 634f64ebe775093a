import { type SqlBool, sql } from 'kysely';
import { BridgeError } from '../errors.ts';
import { type HostClock, type Instant, MAY_DIFFER_MS, plus } from '../time.ts';
import type { Mark } from './cash-outs/watermark.ts';
import { bestTime, entryTime } from './clocks/clocks.ts';
import { type Doubt, doubtsAt } from './clocks/doubts.ts';
import { type Credit, creditTotals, stuckCredits } from './credits/credits.ts';
import { creditsToCome, type Owed, owed, wantsMore } from './owed.ts';
import { openContradictions } from './payouts/contradictions.ts';
import { arrivedSats, notSettled } from './payouts/open-payouts.ts';
import { type Pause, pauseOf } from './payouts/pause.ts';
import { type FeeRate, feeRate } from './payouts/service-fee.ts';
import { currentRun, DECISIONS } from './runs/lease.ts';
import type { Db } from './store/open.ts';
import { sumOf } from './store/sum.ts';

/** The ledger at a glance. Sats in satoshi. */
export interface Status {
  /** Of the source asked for; null before its first row. */
  mark: Mark | null;
  /** When the last run ended that read this source to its end, and reached LNbits where there was something to pay. */
  lastSuccessAt: Instant | null;
  /** The last run that ended; commands that decide about payouts and credits are not counted. */
  lastRun: {
    id: bigint;
    kind: string;
    outcome: string;
    finishedAt: Instant;
    /** Codes of what went wrong in it. */
    problems: string[];
  } | null;
  paused: Pause | null;
  owed: Owed;
  /** Payouts that a later run tries again, oldest first; `sats` is what is left of each. */
  deferred: { id: bigint; recipient: string; sats: bigint; reason: string }[];
  credits: Credits;
  /** What LNbits takes on top of each payment now. */
  fee: FeeRate;
  /** LNbits refused payments although the source wallet held enough, as far as its fee is known. */
  wantsMore: boolean;
  clock: ClockDoubts;
  attention: Attention;
  /** When the oldest of what needs the operator began. */
  oldest: OldestNeeds;
  totals: Totals;
}

export interface OldestNeeds {
  review: Instant | null;
  /** These three: when the payout was formed. */
  held: Instant | null;
  unknown: Instant | null;
  open: Instant | null;
}

/** What LNbits' superuser puts into the source wallet, in satoshi. */
export interface Credits {
  /** What has arrived. */
  credited: bigint;
  /** What the next runs will credit, recorded or not; nothing with crediting off. */
  toCome: bigint;
  /** Recorded but not made: because crediting is off, or for the `reason` of each. */
  stuck: Pick<Credit, 'id' | 'sats' | 'reason'>[];
}

/** What wrong clocks left for the operator to correct. */
export interface ClockDoubts {
  /** Why this host's clock cannot be right; null if nothing contradicts it. */
  problem: BridgeError | null;
  /** What was entered by a clock that was wrong. */
  entries: Doubt[];
}

export interface Attention {
  review: bigint;
  held: bigint;
  unknown: bigint;
  /** No run that reads this source has succeeded for too long. */
  stale: boolean;
  /** Open payouts that are too old. */
  aged: bigint;
  /** Payments and credits that were given up but that LNbits shows. */
  contradicted: bigint;
  /** Credits of the source wallet that are held, whose outcome is not known, or that are not made. */
  credits: bigint;
  /** Entries by a wrong clock, and this host's clock if it is wrong now. */
  clock: bigint;
  /** A run has been going on for too long, or began at a time in the future. */
  overrun: boolean;
}

export interface Totals {
  cashOuts: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
  own: bigint;
  /** The laypeople's part of what was dispensed only in part. */
  undelivered: bigint;
  /** What has arrived. */
  settled: bigint;
  /** What LNbits took on top as its service fee, in msat. */
  feeMsat: bigint;
}

export interface StatusOptions {
  now: Instant;
  host: HostClock;
  /** The source's name. */
  source: string;
  /** Without a successful run since this time, the ledger is stale. */
  staleBefore: Instant;
  /** Open payouts formed before this time are aged. */
  agedBefore: Instant;
  /** Whether runs credit the source wallet. */
  creditSource: boolean;
}

export async function ledgerStatus(db: Db, options: StatusOptions): Promise<Status> {
  const { created_at } = await db.selectFrom('ledger').select('created_at').executeTakeFirstOrThrow();
  const source = await db
    .selectFrom('sources')
    .select(['mark_confirmed_at', 'mark_id'])
    .where('name', '=', options.source)
    .executeTakeFirst();
  const lastSuccessAt = await lastSuccess(db, options.source);
  const credits = await creditTotals(db);
  const toCome = await creditsToCome(db, options.creditSource);
  const stuck = await stuckCredits(db, options.creditSource);
  const clock = await clockDoubts(db, options.host);
  const running = await currentRun(db);
  // A time in the future does not tell how long ago something was.
  const soon = plus(options.now, MAY_DIFFER_MS);
  const { oldest, ...needing } = await whatNeeds(db, options.agedBefore, soon);
  const isOld = (at: Instant) => at < options.staleBefore || at > soon;
  return {
    mark:
      source?.mark_confirmed_at && source.mark_id
        ? { confirmedAt: source.mark_confirmed_at, id: source.mark_id }
        : null,
    lastSuccessAt,
    lastRun: await lastRun(db),
    paused: await pauseOf(db),
    owed: await owed(db),
    deferred: await deferred(db),
    wantsMore: await wantsMore(db),
    credits: { credited: credits.credited, toCome, stuck },
    fee: await feeRate(db),
    clock,
    attention: {
      ...needing,
      credits: credits.doubtful + BigInt(stuck.length),
      contradicted: BigInt((await openContradictions(db)).length),
      clock: BigInt(clock.entries.length + (clock.problem === null ? 0 : 1)),
      overrun: running !== undefined && isOld(running.startedAt),
      stale: isOld(lastSuccessAt ?? created_at),
    },
    oldest,
    totals: await totals(db),
  };
}

async function clockDoubts(db: Db, host: HostClock): Promise<ClockDoubts> {
  const problem = await entryTime(db, host).then(
    () => null,
    (error: unknown) => {
      if (error instanceof BridgeError && error.code === 'clock/differs') return error;
      throw error;
    },
  );
  return { problem, entries: await doubtsAt(db, await bestTime(db, host)) };
}

async function lastSuccess(db: Db, source: string): Promise<Instant | null> {
  const row = await db
    .selectFrom('runs')
    .select('finished_at')
    .where('source', '=', source)
    .where('succeeded', '=', 1n)
    .where('finished_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.finished_at ?? null;
}

async function lastRun(db: Db): Promise<Status['lastRun']> {
  const row = await db
    .selectFrom('runs')
    .select(['id', 'kind', 'outcome', 'finished_at', 'summary'])
    .where('outcome', 'is not', null)
    .where('kind', 'not in', DECISIONS)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row?.outcome || !row.finished_at) return null;
  const { problems = [] } = JSON.parse(row.summary ?? '{}') as { problems?: { code: string }[] };
  const { id, kind, outcome, finished_at: finishedAt } = row;
  return { id, kind, outcome, finishedAt, problems: problems.map(({ code }) => code) };
}

async function deferred(db: Db): Promise<Status['deferred']> {
  const rows = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['payouts.id', 'recipients.name as recipient', 'payouts.sats', 'payouts.reason'])
    .select(arrivedSats.as('arrived'))
    .where(notSettled)
    .where('payouts.state', '=', 'deferred')
    .orderBy('payouts.id')
    .execute();
  return rows.map(({ arrived, reason, ...row }) => ({
    ...row,
    sats: row.sats - arrived,
    reason: reason ?? '',
  }));
}

async function whatNeeds(
  db: Db,
  agedBefore: Instant,
  soon: Instant,
): Promise<Pick<Attention, 'review' | 'held' | 'unknown' | 'aged'> & Pick<Status, 'oldest'>> {
  const { review, oldestReview } = await db
    .selectFrom('review')
    .select((eb) => [
      eb.fn.countAll<bigint>().as('review'),
      eb.fn.min<Instant | null>('since').as('oldestReview'),
    ])
    .where('state', '=', 'open')
    .executeTakeFirstOrThrow();
  const count = (condition: ReturnType<typeof sql<SqlBool>>) =>
    sql<bigint>`cast(coalesce(sum(case when ${condition} then 1 else 0 end), 0) as bigint)`;
  const first = (state: string) => sql<Instant | null>`min(case when state = ${state} then created_at end)`;
  const { firstHeld, firstUnknown, firstOpen, ...open } = await db
    .selectFrom('payouts')
    .select([
      first('held').as('firstHeld'),
      first('unknown').as('firstUnknown'),
      sql<Instant | null>`min(created_at)`.as('firstOpen'),
      count(sql`state = 'held'`).as('held'),
      count(sql`state = 'unknown'`).as('unknown'),
      count(sql`created_at < ${agedBefore} or created_at > ${soon}`).as('aged'),
    ])
    .where(notSettled)
    .executeTakeFirstOrThrow();
  const oldest = { review: oldestReview, held: firstHeld, unknown: firstUnknown, open: firstOpen };
  return { review, ...open, oldest };
}

async function totals(db: Db): Promise<Totals> {
  const sums = await cashOutSums(db).executeTakeFirstOrThrow();
  const paid = await db
    .selectFrom('payments')
    .select([sumOf('sats').as('settled'), sumOf('fee_msat').as('feeMsat')])
    .where('state', '=', 'settled')
    .executeTakeFirstOrThrow();
  return { ...sums, ...paid };
}

/** What was distributed of the cash-outs of a month, in satoshi. */
export type MonthTotals = Pick<Totals, 'cashOuts' | 'net' | 'commission' | 'own'>;

export async function totalsBetween(db: Db, from: Instant, before: Instant): Promise<MonthTotals> {
  return cashOutSums(db)
    .where('confirmed_at', '>=', from)
    .where('confirmed_at', '<', before)
    .executeTakeFirstOrThrow();
}

function cashOutSums(db: Db) {
  return db
    .selectFrom('cash_outs')
    .select([
      (eb) => eb.fn.countAll<bigint>().as('cashOuts'),
      sumOf('gross').as('gross'),
      sumOf('commission').as('commission'),
      sumOf('net').as('net'),
      sumOf('own').as('own'),
      sumOf('undelivered').as('undelivered'),
    ]);
}
