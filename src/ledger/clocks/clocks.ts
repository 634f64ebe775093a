import { sql } from 'kysely';
import { BridgeError } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import { type HostClock, type Instant, MAY_DIFFER_MS, plus, toInstant, toMs } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';
import { isPostgres } from '../store/tables.ts';

/*
 * Lamassu's times decide whose cash went out. So an entry that counts from now on needs the present time of Lamassu's
 * clock. Each run that reads Lamassu records both clocks. Until this host reboots, the monotonic clock gives the time
 * since then. After a reboot, it is only known that time has passed.
 */

/** Both clocks at one moment. */
export interface Clocks {
  /** Lamassu's clock. */
  source: Instant;
  /** This host's clock. */
  host: Instant;
  boot: string | null;
  /** The uptime of this host, in milliseconds. */
  uptime: number;
}

/** How far Lamassu's clock is ahead of this host's, in ms; less than 0 if it is behind. */
export function apart({ source, host }: Pick<Clocks, 'source' | 'host'>): number {
  return toMs(source) - toMs(host);
}

/** `6 h`, `90 s`, `365 days`: how far apart two clocks are. */
export function clockOffsetInWords(ms: number): string {
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

/** The clocks in the newest run that read both; undefined if none has. */
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

/** The clocks in the newest run in which they agreed; undefined if no recent run has. */
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

/**
 * Lamassu's present time, counted by the monotonic clock since it was read, and the largest error in ms; null after a
 * reboot.
 */
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
 * The present time for an entry that counts from now on: by Lamassu's clock, if it is known to a minute. Throws
 * `clock/differs` if this host's clock cannot be right, or if Lamassu's differed from it in the last run.
 */
export async function entryTime(db: Db, host: HostClock): Promise<Instant> {
  const said = toInstant(host.wall);
  const known = await reckoned(db, host);
  if (known) {
    const off = host.wall - toMs(known.source);
    if (Math.abs(off) > MAY_DIFFER_MS + known.give) {
      throw differs(
        `this host's clock shows ${said}, and by run r${known.run} Lamassu's clock shows ${known.source}: they are ${clockOffsetInWords(off)} apart`,
      );
    }
    return Math.abs(off) > 1_000 + known.give ? known.source : said;
  }
  const { time, what } = await lowest(db);
  if (time !== null && said < plus(time, -MAY_DIFFER_MS)) {
    throw differs(
      `this host's clock shows ${said}, and ${what} ${time}: it is behind by ${clockOffsetInWords(toMs(time) - host.wall)} or more`,
    );
  }
  const server = await ledgerTime(db);
  if (server !== null && Math.abs(toMs(server) - host.wall) > MAY_DIFFER_MS) {
    throw differs(
      `this host's clock shows ${said}, and that of the ledger's PostgreSQL ${server}: they are ${clockOffsetInWords(toMs(server) - host.wall)} apart`,
    );
  }
  return said;
}

/**
 * The best estimate of the present time. The monotonic clock counts it since both clocks agreed, so neither has to be
 * right now. If they never did, it counts since the newest run read Lamassu's clock, unless that clock was set back.
 * `stated`: the time that the operator gave for an entry, which cannot be in the future. If this host's clock is behind
 * by an unknown amount, that time counts as the present.
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

/** A time that has certainly passed: both Lamassu's clock and this host's have shown it. */
async function lowest(db: Db): Promise<{ time: Instant | null; what: string }> {
  const last = await lastClocks(db);
  if (last) {
    const time = last.source < last.host ? last.source : last.host;
    return { time, what: `run r${last.run} has read Lamassu at` };
  }
  // In an older ledger: the newest cash-out by Lamassu's clock, the newest run by this host's.
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

/** The clock of the ledger's server; null for a file, which has none. */
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
    message`The time from which the entry would count is not known, and nothing was written. Check with \`timedatectl\` which clock is wrong, and set it; if it was Lamassu’s, ${call('poll')} reads it again. Cash can be entered with its time, ${field('at')}, like "2026-11-20 09:30".`,
  );
}
