import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { sql } from 'kysely';
import { BridgeError } from '../../errors.ts';
import { bootId, type Instant, plus } from '../../time.ts';
import type { Asker, Who } from '../log/log.ts';
import type { Db, Ledger, Trx } from '../store/open.ts';
import { isPostgres } from '../store/tables.ts';
import { endClaims } from './claims.ts';

/*
 * One run at a time per ledger. The lease names the run that may act, and expires unless it is renewed. A run that
 * finds another number in the lease has lost it and ends: its number is the fence, which every step checks. Expiry
 * goes by the database's clock, so two hosts need not agree on the time. That clock may be set back: if
 * a lease ends later than a new one would, it is given 30 seconds from when it is first seen, and a living owner
 * renews it meanwhile.
 */

const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** Runs in which the operator decided about payouts and credits: they read nothing and pay nothing. */
export const DECISIONS = [
  'payouts hold',
  'payouts release',
  'payouts retry',
  'payouts resolve',
  'credits resolve',
] as const;

export type RunDecision = (typeof DECISIONS)[number];

/** A run that holds the lease. */
export interface Run {
  id: bigint;
  /** The run in the log: who asked for it, and its number. */
  who: Who;
  /** Aborted when another run has taken the lease. */
  lost: AbortSignal;
  /** One ledger transaction of this run; refused if the run has lost the lease. */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /**
   * Records the outcome of the run and gives the lease back, `within` a transaction of the run or in one of its own.
   */
  finish(outcome: string, summary: unknown, within?: Trx): Promise<void>;
}

/** The identity of a process: by it, another process can tell for certain that it is gone. */
interface ProcessIdentity {
  host: string;
  /** The machine id of the system; a clone has the same. */
  machine?: string | null;
  boot: string | null;
  pidNamespace: string | null;
  pid: number;
  /** Start of the process in clock ticks since boot: a reused pid has another. */
  started: string | null;
  /** The place of its ledger: a copy at another place may have been made while the process was working. */
  ledger: string;
}

/** Begins a run, or throws `run/busy` with who holds the lease. `source`: the name of the Lamassu that it reads. */
export async function startRun(
  ledger: Ledger,
  kind: string,
  who: Asker,
  source: string | null = null,
): Promise<Run> {
  const { clock } = ledger;
  const me = JSON.stringify(thisProcess(ledger.url));
  const taken = await ledger.write(async (trx): Promise<bigint | BridgeError> => {
    const time = await databaseTime(trx);
    const held = await trx
      .selectFrom('lease')
      .innerJoin('runs', 'runs.id', 'lease.run_id')
      .select(['runs.id', 'runs.kind', 'runs.actor', 'runs.started_at', 'lease.owner', 'lease.expires_at'])
      .executeTakeFirst();
    if (held) {
      const owner = JSON.parse(held.owner) as ProcessIdentity;
      if (held.expires_at > time && !isGone(owner, isPostgres(trx))) {
        const latest = plus(time, LEASE_MS);
        const ends = held.expires_at > latest ? latest : held.expires_at;
        await trx.updateTable('lease').set({ expires_at: ends }).execute();
        return new BridgeError(
          'run/busy',
          `run r${held.id} (${held.kind}, by ${held.actor}, process ${owner.pid} on ${owner.host}) has been going on since ${held.started_at}`,
          `Wait for it to end. A run that died elsewhere is replaced after ${ends}.`,
        );
      }
      await endRun(trx, held.id, clock.now(), 'died', null);
      // A process that is certainly gone sends nothing more. Any other may still send, even after a reboot: this host
      // may be a clone, and the run may go on at the other one.
      if (hasEnded(owner) && owner.ledger === ledger.url) await endClaims(trx, held.id);
    }
    const { last } = await trx
      .selectFrom('runs')
      .select((eb) => eb.fn.coalesce(eb.fn.max('id'), sql<bigint>`0`).as('last'))
      .executeTakeFirstOrThrow();
    const next = last + 1n;
    await trx
      .insertInto('runs')
      .values({ id: next, kind, actor: who.actor, started_at: clock.now(), source })
      .execute();
    await trx
      .insertInto('lease')
      .values({ one: 1n, run_id: next, owner: me, expires_at: plus(time, LEASE_MS) })
      .execute();
    return next;
  });
  if (taken instanceof BridgeError) throw taken;
  const id = taken;

  const lost = new AbortController();
  const finished = new AbortController();
  const keepRenewing = async () => {
    for (;;) {
      await clock.sleep(RENEW_MS, { signal: finished.signal, ref: false });
      if (finished.signal.aborted) return;
      // A ledger that does not answer now may answer before the lease expires; every step checks the fence anyway.
      renew(ledger.db, id).then(
        (mine) => mine || lost.abort(),
        () => {},
      );
    }
  };
  void keepRenewing();
  return {
    id,
    who: { ...who, run: id, clock },
    lost: lost.signal,
    write: (work) =>
      ledger.write(async (trx) => {
        await checkFence(trx, id);
        return work(trx);
      }),
    finish: async (outcome, summary, within) => {
      finished.abort();
      const end = async (trx: Trx) => {
        await checkFence(trx, id);
        await endClaims(trx, id);
        await endRun(trx, id, clock.now(), outcome, summary);
      };
      await (within ? end(within) : ledger.write(end));
    },
  };
}

export interface LeaseOptions {
  /** What the run is for, as the log and `runs.kind` name it. */
  kind: string;
  who: Asker;
  /** The name of the Lamassu that the run reads. */
  source?: string;
  /** The outcome to record if an error ends the run. */
  outcomeOf?: (error: unknown) => string;
}

/**
 * Holds the lease for as long as `work` takes, so that no other run pays meanwhile. Never ask the operator while it is
 * held. `work` may finish the run itself, with a summary; otherwise it ends `ok`. Throws `run/busy`.
 */
export async function withLease<T>(
  ledger: Ledger,
  { kind, who, source, outcomeOf = () => 'failed' }: LeaseOptions,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const run = await startRun(ledger, kind, who, source);
  let isFinished = false;
  const finish: Run['finish'] = async (...how) => {
    await run.finish(...how);
    isFinished = true;
  };
  try {
    const result = await work({ ...run, finish });
    if (!isFinished) await finish('ok', null);
    return result;
  } catch (error) {
    // A lost lease belongs to another run by now, and a ledger that fails may not record an ending either.
    await run.finish(outcomeOf(error), null).catch(() => {});
    throw error;
  }
}

/** The holder of the lease, for `status`; undefined if no run is going on. */
export async function currentRun(
  db: Db,
): Promise<{ id: bigint; kind: string; actor: string; startedAt: Instant } | undefined> {
  const held = await db
    .selectFrom('lease')
    .innerJoin('runs', 'runs.id', 'lease.run_id')
    .select(['runs.id', 'runs.kind', 'runs.actor', 'runs.started_at', 'lease.owner', 'lease.expires_at'])
    .executeTakeFirst();
  if (!held || held.expires_at <= (await databaseTime(db))) return undefined;
  if (isGone(JSON.parse(held.owner), isPostgres(db))) return undefined;
  return { id: held.id, kind: held.kind, actor: held.actor, startedAt: held.started_at };
}

/**
 * The newest run that has ended without a recorded outcome: it was killed, or the ledger could not be written, as on a
 * full disk. The next run replaces it and records that it died.
 */
export async function brokenOff(db: Db): Promise<bigint | null> {
  const running = await currentRun(db);
  const newest = await db
    .selectFrom('runs')
    .select('id')
    .where('outcome', 'is', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest === undefined || newest.id === running?.id ? null : newest.id;
}

async function endRun(trx: Trx, id: bigint, at: Instant, outcome: string, summary: unknown): Promise<void> {
  await trx
    .updateTable('runs')
    .set({ finished_at: at, outcome, summary: summary === null ? null : JSON.stringify(summary) })
    .where('id', '=', id)
    .execute();
  await trx.deleteFrom('lease').where('run_id', '=', id).execute();
}

async function checkFence(trx: Trx, id: bigint): Promise<void> {
  const lease = await trx.selectFrom('lease').select('run_id').executeTakeFirst();
  if (lease?.run_id === id) return;
  throw new BridgeError(
    'run/lost-lease',
    `run r${id} was replaced${lease ? ` by run r${lease.run_id}` : ''} while it was suspended`,
    'Nothing is lost: the other run goes on from the same ledger.',
  );
}

async function renew(db: Db, id: bigint): Promise<boolean> {
  const expires = plus(await databaseTime(db), LEASE_MS);
  const { numUpdatedRows } = await db
    .updateTable('lease')
    .set({ expires_at: expires })
    .where('run_id', '=', id)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

async function databaseTime(db: Db): Promise<Instant> {
  const time = isPostgres(db)
    ? sql<{
        now: string;
      }>`select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`
    : sql<{ now: string }>`select strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z' as now`;
  const [row] = (await time.execute(db)).rows;
  if (!row) throw new Error('the database told no time');
  return row.now;
}

/** A process belongs to the host, not to the clock that is handed down: its boot comes from the host, like its pid. */
function thisProcess(ledger: string): ProcessIdentity {
  return {
    host: hostname(),
    machine: read(() => readFileSync('/etc/machine-id', 'utf8').trim() || null),
    boot: bootId(),
    pidNamespace: read(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    started: startOf(process.pid),
    ledger,
  };
}

/**
 * Whether this host has rebooted since, or the process has certainly ended. All users of a SQLite file share one
 * kernel. With a server, the owner's host has to be this one, by name and machine id; a clone that shares both is
 * stopped by the fence.
 */
function isGone(owner: ProcessIdentity, isServer: boolean): boolean {
  const me = thisProcess(owner.ledger);
  if (me.boot === null || owner.boot === null) return false;
  if (me.boot === owner.boot) return hasEnded(owner);
  const sameHost = me.host === owner.host && me.machine !== null && me.machine === owner.machine;
  return !isServer || sameHost;
}

/** Whether the owner ran under this kernel and in this pid namespace, and its pid is free or another process's. */
function hasEnded(owner: ProcessIdentity): boolean {
  const me = thisProcess(owner.ledger);
  if (me.boot === null || me.boot !== owner.boot || me.pidNamespace !== owner.pidNamespace) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const started = startOf(owner.pid);
  return started !== null && owner.started !== null && started !== owner.started;
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)), counted after the name, which may hold spaces. A zombie is gone. */
function startOf(pid: number): string | null {
  return read(() => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? null);
  });
}

function read(what: () => string | null): string | null {
  try {
    return what();
  } catch {
    return null;
  }
}
