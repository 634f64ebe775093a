import { type SqlBool, sql } from 'kysely';
import { BridgeError, conflict, invalid, notFound } from '../../errors.ts';
import { type Call, call, message } from '../../lib/message.ts';
import { type HostClock, type Instant, MAY_DIFFER_MS, plus, toMs } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import { successors } from '../machines/lineage.ts';
import { ALWAYS } from '../store/effective-dated.ts';
import type { Db, Trx } from '../store/open.ts';
import type { ClockPlace } from '../store/schema.ts';
import { apart, bestTime, type Clocks, drift, entryTime } from './clocks.ts';

/*
 * Clock doubts: entries that were made while a clock was wrong. Such cash, or such a setting, counts from a time in the
 * future, or from another time than that of the entry. A doubt stays recorded until the operator has corrected the
 * time. Until then, a cash-out whose division may depend on it waits.
 */

const SEE = message`${call('clock.show')} shows what is in doubt.`;

/** An entry that counts from a time on. */
export interface Entry {
  place: ClockPlace;
  rowId: bigint;
  /** The subject, as the log names it: `f12`, `client alice`. */
  subject: string;
  /** From when it counts. */
  at: Instant;
}

export interface Doubt extends Entry {
  /** The right time of the entry; null: not known, but before the doubt was found. */
  expected: Instant | null;
}

/** The parts of a subject as the log names it. Null: an entry has no such subject. */
export function subjectOf(subject: string): {
  noun: 'funding' | 'client' | 'machine' | 'commission' | null;
  name: string;
} {
  if (/^f\d+$/.test(subject)) return { noun: 'funding', name: subject };
  const [first, name = ''] = subject.split(/ (.*)/s);
  return {
    noun: (['client', 'machine', 'commission'] as const).find((noun) => noun === first) ?? null,
    name,
  };
}

/** Every row of the ledger that counts from a time on; only fundings with cash left. */
const entries = sql`(
  select cast('fundings' as text) as place, id as row_id, 'f' || id as subject, deposited_at as at, machine, currency,
      client_id from fundings where status = 'deposited'
  union all select cast('client_settings' as text), s.id, 'client ' || r.name, s.from_at, null, null, s.client_id
    from client_settings as s join recipients as r on r.id = s.client_id
  union all select cast('client_limits' as text), l.id, 'client ' || r.name, l.from_at, null, l.currency, l.client_id
    from client_limits as l join recipients as r on r.id = l.client_id
  union all select cast('machine_rates' as text), id, 'machine ' || device_id, from_at, device_id, null, null
    from machine_rates
  union all select cast('commission_weights' as text), w.id, 'commission ' || r.name, w.from_at, w.machine, null, null
    from commission_weights as w join recipients as r on r.id = w.recipient_id)`;

async function select(db: Db, where: ReturnType<typeof sql<SqlBool>>): Promise<Entry[]> {
  const { rows } = await sql<{ place: ClockPlace; row_id: bigint; subject: string; at: Instant }>`
    select e.place, e.row_id, e.subject, e.at from ${entries} as e where ${where} order by e.at, e.place, e.row_id`.execute(
    db,
  );
  return rows.map(({ place, row_id, subject, at }) => ({ place, rowId: row_id, subject, at }));
}

/** Entries that count from a time ahead of `now`, by more than an ordinary clock step. */
export function entriesAhead(db: Db, now: Instant): Promise<Entry[]> {
  return select(db, sql<SqlBool>`e.at > ${plus(now, MAY_DIFFER_MS)}`);
}

/** Entries that count from a time between these two, and could share in a cash-out of that machine and currency. */
export async function entriesBetween(
  trx: Trx,
  { machine, currency }: { machine: string; currency: string },
  from: Instant,
  to: Instant,
): Promise<Entry[]> {
  const line = sql.join(await successors(trx, machine));
  return select(
    trx,
    sql<SqlBool>`e.at >= ${from} and e.at <= ${to} and case e.place
      when 'fundings' then e.currency = ${currency} and (e.machine is null or e.machine in (${line}))
      when 'machine_rates' then e.machine = ${machine}
      when 'commission_weights' then e.machine is null or e.machine = ${machine}
      else (e.currency is null or e.currency = ${currency}) and exists (select 1 from fundings as f
        where f.client_id = e.client_id and f.status = 'deposited' and f.currency = ${currency}
          and (f.machine is null or f.machine in (${line}))) end`,
  );
}

/** The open doubts, oldest first. */
export async function openDoubts(db: Db): Promise<Doubt[]> {
  const rows = await db
    .selectFrom('clock_doubts')
    .selectAll()
    .where('closed_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    ...{ place: row.place, rowId: row.row_id, subject: row.subject },
    ...{ at: row.stamped, expected: row.expected },
  }));
}

/** Everything that the operator has to correct: open doubts, and entries ahead of `now` that are not recorded yet. */
export async function doubtsAt(db: Db, now: Instant): Promise<Doubt[]> {
  const open = await openDoubts(db);
  const known = new Set(open.map(keyOf));
  const ahead = (await entriesAhead(db, now)).filter((one) => !known.has(keyOf(one)));
  return [...open, ...ahead.map((one) => ({ ...one, expected: null }))];
}

/** The doubts that may change the division of a cash-out. */
export async function doubtsAbout(
  trx: Trx,
  cashOut: { machine: string; currency: string; confirmedAt: Instant },
  doubts: readonly Doubt[],
): Promise<Doubt[]> {
  const touching: Doubt[] = [];
  for (const doubt of doubts) {
    const [from, to] = [doubt.expected ?? ALWAYS, doubt.at].sort();
    if (from === undefined || to === undefined || cashOut.confirmedAt < from || cashOut.confirmedAt >= to)
      continue;
    const there = await entriesBetween(trx, cashOut, doubt.at, doubt.at);
    if (there.some((one) => keyOf(one) === keyOf(doubt))) touching.push(doubt);
  }
  return touching;
}

/**
 * Records the entries by a wrong clock that a run finds, and answers the new ones. Those are entries ahead of both
 * Lamassu's clock and this host's, and entries of this boot whose time differs from the monotonic clock.
 */
export async function findDoubts(trx: Trx, run: bigint, clocks: Clocks): Promise<Doubt[]> {
  const latest = clocks.source > clocks.host ? clocks.source : clocks.host;
  const ahead = (await entriesAhead(trx, latest)).map((one) => ({ ...one, expected: null }));
  const found: Doubt[] = [];
  for (const doubt of [...(await enteredWrongly(trx, run, clocks)), ...ahead]) {
    const { place, rowId, subject, at, expected } = doubt;
    const { numInsertedOrUpdatedRows: kept } = await trx
      .insertInto('clock_doubts')
      .values({ place, row_id: rowId, subject, stamped: at, expected, found_at: clocks.host, run_id: run })
      .onConflict((conflict) => conflict.columns(['place', 'row_id', 'stamped']).doNothing())
      .executeTakeFirstOrThrow();
    if (kept === 1n) found.push(doubt);
  }
  return found;
}

/**
 * Entries of this boot that were made before the first run read Lamassu's clock; later ones are compared with it at
 * entry.
 */
async function enteredWrongly(trx: Trx, run: bigint, clocks: Clocks): Promise<Doubt[]> {
  const { boot } = clocks;
  if (boot === null || Math.abs(apart(clocks)) > MAY_DIFFER_MS) return [];
  const earlier = await trx
    .selectFrom('runs')
    .select(['source_now as source', 'host_now as host'])
    .where('boot', '=', boot)
    .where('id', '<', run)
    .orderBy('id', 'desc')
    .limit(50)
    .execute();
  const agreed = earlier.some(
    ({ source, host }) =>
      source !== null && host !== null && Math.abs(apart({ source, host })) <= MAY_DIFFER_MS,
  );
  if (agreed) return [];
  const made = await trx
    .selectFrom('log')
    .select(['at', 'uptime_ms'])
    .where('boot', '=', boot)
    .where('run_id', 'is', null)
    .execute();
  const found: Doubt[] = [];
  for (const { at, uptime_ms: uptime } of made) {
    const elapsed = clocks.uptime - Number(uptime ?? 0n);
    const expected = plus(clocks.source, -elapsed);
    if (Math.abs(toMs(at) - toMs(expected)) <= MAY_DIFFER_MS + drift(elapsed)) continue;
    for (const entry of await select(trx, sql<SqlBool>`e.at = ${at}`)) found.push({ ...entry, expected });
  }
  return found;
}

/** From when a change counts. */
export interface Counts {
  /** From now on. */
  fromNow: boolean;
  /** Whose settings it changes, if it has earlier ones. */
  subject?: string;
  /** The time that the operator gave for it, which cannot be in the future. */
  stated?: Instant | undefined;
}

/**
 * When a change is made. What counts from now on needs a clock that is right; for anything else the best estimate of
 * now is enough. Throws what `entryTime` throws, and `usage/invalid` if an earlier entry of the subject is in doubt,
 * because it would be unknown which of the two applies.
 */
export async function timeOfChange(
  trx: Trx,
  host: HostClock,
  { fromNow, subject, stated }: Counts,
): Promise<Instant> {
  if (!fromNow) return bestTime(trx, host, stated);
  const at = await entryTime(trx, host);
  if (subject === undefined) return at;
  const doubt = (await doubtsAt(trx, at)).find((one) => one.subject === subject);
  if (!doubt) return at;
  throw new BridgeError(
    'usage/invalid',
    `${subject} has an entry by a clock that was wrong: it applies from ${doubt.at} on.`,
    message`Correct its time first: ${call('clock.restate', { subject, at: null })}.`,
  );
}

/**
 * Makes the doubtful settings of a subject apply from `since` on, and answers their number. Throws `usage/invalid` if
 * there is none, if `since` is in the future, or if a later cash-out was divided without them.
 */
export async function restate(trx: Trx, act: Act, subject: string, since: Instant): Promise<number> {
  const { at } = act;
  const doubts = (await doubtsAt(trx, at)).filter((one) => one.subject === subject);
  if (doubts.length === 0) {
    throw notFound('subject', `${subject} has nothing that was entered by a clock that was wrong`, SEE);
  }
  if (since > at) throw invalid('at', `${since} is in the future`, SEE);
  const divided = await lastDivided(trx, subject);
  if (divided !== null && since <= divided) {
    throw conflict(
      'at',
      `a cash-out of ${divided} was divided without it, so it applies from a later time`,
      SEE,
    );
  }
  for (const { place, rowId } of doubts) {
    if (place === 'fundings') continue;
    await trx.updateTable(place).set({ from_at: since }).where('id', '=', rowId).execute();
  }
  await closeDoubts(trx, act, subject);
  await record(trx, act, {
    ...{ action: 'clock restate', subject },
    before: { from: doubts.map((one) => one.at) },
    after: { from: since },
  });
  return doubts.length;
}

/** The confirmation time of the newest cash-out in which a subject had a part, or could have had one. */
async function lastDivided(trx: Trx, subject: string): Promise<Instant | null> {
  const { noun, name } = subjectOf(subject);
  const { at } = await trx
    .selectFrom('cash_outs as c')
    .select((eb) => eb.fn.max('c.confirmed_at').as('at'))
    .$if(noun === 'machine', (query) => query.where('c.machine', '=', name))
    .$if(noun === 'client', (query) =>
      query.where(
        sql<SqlBool>`exists (select 1 from allocations as a join recipients as r on r.id = a.client_id
          where a.cash_out_id = c.id and r.name = ${name})`,
      ),
    )
    .executeTakeFirstOrThrow();
  return at;
}

/** Closes the doubts of a subject: their time was corrected, or confirmed. */
export async function closeDoubts(trx: Trx, { actor, reason, at }: Act, subject: string): Promise<void> {
  await trx
    .updateTable('clock_doubts')
    .set({ closed_at: at, closed_by: actor, closed_reason: reason ?? null })
    .where('subject', '=', subject)
    .where('closed_at', 'is', null)
    .execute();
}

/** The operation that corrects the time of an entry. */
export function wayOut({ subject }: Pick<Doubt, 'subject'>): Call {
  return subjectOf(subject).noun === 'funding'
    ? call('fundings.confirm', { id: subject, at: null })
    : call('clock.restate', { subject, at: null });
}

function keyOf({ place, rowId, at }: Entry): string {
  return `${place} ${rowId} ${at}`;
}
