import { sql } from 'kysely';
import { BridgeError } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import { type HostClock, type Instant, MAY_DIFFER_MS, plus, toInstant, toMs } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';
import { isPostgres } from '../store/tables.ts';

/*
 * Whose cash went out is told by Lamassu's times, and what the operator enters counts from a time on: so a moment of now has to be
 * one of Lamassu's clock. Each run that reads Lamassu keeps what both clocks showed. In the same boot of this host the time
 * that has passed since is counted by a clock that nobody sets; after another boot, all that is known is that time goes on.
 */

/** What two clocks showed at one moment. */
export interface Clocks {
  /** Lamassu's. */
  source: Instant;
  /** This host's. */
  host: Instant;
  boot: string | null;
  /** Of this host, in milliseconds. */
  uptime: number;
}

/** How far Lamassu's clock is ahead of this host's, in ms; less than 0 where it is behind. */
export function apart({ source, host }: Pick<Clocks, 'source' | 'host'>): number {
  return toMs(source) - toMs(host);
}

/** `6 h`, `90 s`, `365 days`: how far apart two clocks are. */
export function inWords(ms: number): string {
  const off = Math.abs(ms);
  const units: [number, string][] = [
    [86_400_000, 'days'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ];
  const [size, name] = units.find(([unit]) => off >= 2 * unit) ?? [1_000, 's'];
  return `${Math.trunc(off / size + 0.5)} ${name}`;
}

/** Records the clocks that a run saw. */
export async function keepClocks(
  trx: Trx,
  run: bigint,
  { source, host, boot, uptime }: Clocks,
): Promise<void> {
  await trx
    .updateTable('runs')
    .set({ source_now: source, host_now: host, boot, uptime_ms: BigInt(uptime) })
    .where('id', '=', run)
    .execute();
}

/** What the newest run saw that looked at both clocks; undefined where none has. */
export async function lastClocks(db: Db): Promise<(Clocks & { run: bigint }) | undefined> {
  const row = await db
    .selectFrom('runs')
    .select(['id', 'source_now', 'host_now', 'boot', 'uptime_ms'])
    .where('source_now', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row || row.source_now === null || row.host_now === null) return undefined;
  return {
    run: row.id,
    source: row.source_now,
    host: row.host_now,
    boot: row.boot,
    uptime: Number(row.uptime_ms ?? 0n),
  };
}

/** The largest error of the monotonic clock: the kernel slews it by at most 500 ppm. */
export function drift(elapsed: number): number {
  return Math.abs(elapsed) / 2_000;
}

/** The clocks of the newest run in which they agreed; undefined where none of late has. */
export async function lastAgreed(db: Db): Promise<Clocks | undefined> {
  const rows = await db
    .selectFrom('runs')
    .select(['source_now', 'host_now', 'boot', 'uptime_ms'])
    .where('source_now', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1_000)
    .execute();
  for (const { source_now: source, host_now: host, boot, uptime_ms: uptime } of rows) {
    if (source === null || host === null || Math.abs(apart({ source, host })) > MAY_DIFFER_MS) continue;
    return { source, host, boot, uptime: Number(uptime ?? 0n) };
  }
  return undefined;
}

/** What Lamassu's clock shows by a count since it was seen, and by how much that may be wrong, in ms; null after another boot. */
export function shouldShow(
  seen: Clocks,
  { boot, uptime }: Pick<HostClock, 'boot' | 'uptime'>,
): { source: Instant; give: number } | null {
  if (boot === null || seen.boot !== boot || uptime < seen.uptime) return null;
  const elapsed = uptime - seen.uptime;
  return { source: plus(seen.source, elapsed), give: drift(elapsed) };
}

/** The same since the newest run. */
async function reckoned(
  db: Db,
  host: HostClock,
): Promise<{ source: Instant; give: number; run: bigint } | undefined> {
  const last = await lastClocks(db);
  const shown = last && shouldShow(last, host);
  return shown ? { ...shown, run: last.run } : undefined;
}

/**
 * Now, for what counts from now on: by Lamassu's clock, where that is known to be less than a minute off. Throws
 * `clock/differs` where this host's clock cannot be right, or where Lamassu's own differed from it in the last run.
 */
export async function entryTime(db: Db, host: HostClock): Promise<Instant> {
  const said = toInstant(host.wall);
  const known = await reckoned(db, host);
  if (known) {
    const off = host.wall - toMs(known.source);
    if (Math.abs(off) > MAY_DIFFER_MS + known.give) {
      throw differs(
        `this host's clock shows ${said}, and by what run r${known.run} saw of Lamassu's it is ${known.source} there: they are ${inWords(off)} apart`,
      );
    }
    return Math.abs(off) > 1_000 + known.give ? known.source : said;
  }
  const { time, what } = await lowest(db);
  if (time !== null && said < plus(time, -MAY_DIFFER_MS)) {
    throw differs(
      `this host's clock shows ${said}, and ${what} ${time}: it is behind by ${inWords(toMs(time) - host.wall)} or more`,
    );
  }
  const server = await ledgerTime(db);
  if (server !== null && Math.abs(toMs(server) - host.wall) > MAY_DIFFER_MS) {
    throw differs(
      `this host's clock shows ${said}, and that of the ledger's PostgreSQL ${server}: they are ${inWords(toMs(server) - host.wall)} apart`,
    );
  }
  return said;
}

/**
 * The best that is known of now: by the count since both clocks agreed, for then neither of them need be right; else by what
 * the newest run saw of Lamassu's, unless that was set back behind what it had shown. For an entry with a time that the operator states, `stated`: nothing of it is in the future; but
 * where this host's clock is known to be behind, and not by how much, that time itself is now.
 */
export async function bestTime(db: Db, host: HostClock, stated?: Instant): Promise<Instant> {
  const agreed = await lastAgreed(db);
  const counted = agreed && shouldShow(agreed, host);
  if (counted) return counted.source;
  const known = await reckoned(db, host);
  const wentBack = known && agreed && known.source < plus(agreed.source, -MAY_DIFFER_MS);
  if (known && !wentBack) return known.source;
  const said = toInstant(host.wall);
  const { time } = await lowest(db);
  const server = await ledgerTime(db);
  const [latest = said] = [said, time ?? '', server ?? ''].sort().reverse();
  const isBehind = server === null && time !== null && time > said;
  return isBehind && stated !== undefined && stated > latest ? stated : latest;
}

/** A time that has certainly come: Lamassu's clock and this host's both had shown it. */
async function lowest(db: Db): Promise<{ time: Instant | null; what: string }> {
  const last = await lastClocks(db);
  if (last) {
    const time = last.source < last.host ? last.source : last.host;
    return { time, what: `run r${last.run} has read Lamassu at` };
  }
  // Of an older ledger: its newest cash-out by Lamassu's clock, its newest run by this host's.
  const { mark } = await db
    .selectFrom('sources')
    .select((eb) => eb.fn.max('mark_confirmed_at').as('mark'))
    .executeTakeFirstOrThrow();
  const run = await db
    .selectFrom('runs')
    .select('finished_at')
    .where('finished_at', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const ended = run?.finished_at ?? null;
  const time = mark === null || ended === null ? null : mark < ended ? mark : ended;
  return { time, what: 'what the ledger holds is of' };
}

/** What the server of the ledger shows; null for a file, which has no clock of its own. */
export async function ledgerTime(db: Db): Promise<Instant | null> {
  if (!isPostgres(db)) return null;
  const { rows } = await sql<{ now: Instant }>`select to_char(clock_timestamp() at time zone 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`.execute(db);
  return rows[0]?.now ?? null;
}

function differs(what: string): BridgeError {
  return new BridgeError(
    'clock/differs',
    what,
    message`From when it counts cannot be told, and nothing was written. Look with \`timedatectl\` which clock is wrong and set it; after Lamassu’s was set, ${call('poll')} looks at it again. Cash can be entered with its time, ${field('at')}, like "2026-11-20 09:30".`,
  );
}
