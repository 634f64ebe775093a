import { type Instant, plus } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import type { Holder, Role, SignInMethod } from '../store/access-schema.ts';
import type { Db, Trx } from '../store/open.ts';

/*
 * Sessions of people on the admin site and of clients on theirs. The browser has the secret of a session, the ledger
 * its hash.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** How long a session lasts: without being used, and at most. A client can do little, so its sessions last longer. */
const LASTS = {
  person: { idleMs: 120 * MINUTE_MS, mostMs: DAY_MS },
  client: { idleMs: 30 * DAY_MS, mostMs: 180 * DAY_MS },
};

/** The last use is written at most this often. */
const TOUCH_MS = 5 * MINUTE_MS;

/** Whose session it is. */
export type SessionHolder =
  | { kind: 'person'; id: bigint; name: string; role: Role }
  | { kind: 'client'; id: bigint; name: string };

export interface OpenSession {
  id: bigint;
  holder: SessionHolder;
  method: SignInMethod;
  device: string | null;
  createdAt: Instant;
  provenAt: Instant;
  usedAt: Instant;
  expiresAt: Instant;
}

export interface NewSession {
  holder: Pick<SessionHolder, 'kind' | 'id'>;
  secretHash: string;
  method: SignInMethod;
  device: string | null;
}

/** The columns that say of whom a row is. */
export function holderColumns({ kind, id }: Pick<SessionHolder, 'kind' | 'id'>): Holder {
  return { person_id: kind === 'person' ? id : null, client_id: kind === 'client' ? id : null };
}

/** `person dora`, `client alice`: the subject of the log. */
export function holderSubject({ kind, name }: SessionHolder): string {
  return `${kind} ${name}`;
}

/** Of whom a row is, if that one may sign in; null otherwise. */
export async function findHolder(db: Db, { person_id, client_id }: Holder): Promise<SessionHolder | null> {
  if (person_id !== null) {
    const person = await db
      .selectFrom('people')
      .select(['name', 'role'])
      .where('id', '=', person_id)
      .where('disabled_at', 'is', null)
      .executeTakeFirst();
    return person ? { kind: 'person', id: person_id, ...person } : null;
  }
  const client = await db
    .selectFrom('recipients')
    .select('name')
    .where('id', '=', client_id ?? 0n)
    .where('kind', '=', 'client')
    .executeTakeFirst();
  return client && client_id !== null ? { kind: 'client', id: client_id, name: client.name } : null;
}

export async function startSession(
  trx: Trx,
  at: Instant,
  { holder, secretHash, method, device }: NewSession,
): Promise<void> {
  await trx
    .insertInto('sessions')
    .values({
      ...{ ...holderColumns(holder), secret_hash: secretHash, method, device },
      ...{ created_at: at, proven_at: at, used_at: at, expires_at: plus(at, LASTS[holder.kind].mostMs) },
    })
    .execute();
}

/** The open session under this hash; null if there is none, it is over, or its holder may not sign in any more. */
export async function findSession(db: Db, secretHash: string, at: Instant): Promise<OpenSession | null> {
  const [found] = await openSessions(db, at, { secretHash });
  return found ?? null;
}

/** The same by its id. */
export async function findSessionById(db: Db, id: bigint, at: Instant): Promise<OpenSession | null> {
  const [found] = await openSessions(db, at, { id });
  return found ?? null;
}

/** The open sessions of one holder, the last used first. */
export function sessionsOf(
  db: Db,
  holder: Pick<SessionHolder, 'kind' | 'id'>,
  at: Instant,
): Promise<OpenSession[]> {
  return openSessions(db, at, { holder });
}

async function openSessions(
  db: Db,
  at: Instant,
  of: { secretHash?: string; id?: bigint; holder?: Pick<SessionHolder, 'kind' | 'id'> },
): Promise<OpenSession[]> {
  const { secretHash, id, holder } = of;
  const rows = await db
    .selectFrom('sessions')
    .leftJoin('people', 'people.id', 'sessions.person_id')
    .leftJoin('recipients', 'recipients.id', 'sessions.client_id')
    .selectAll('sessions')
    .select(['people.name as person', 'people.role', 'people.disabled_at'])
    .select(['recipients.name as client', 'recipients.status'])
    .where('sessions.ended_at', 'is', null)
    .where('sessions.expires_at', '>', at)
    .$if(secretHash !== undefined, (some) => some.where('sessions.secret_hash', '=', secretHash ?? ''))
    .$if(id !== undefined, (some) => some.where('sessions.id', '=', id ?? 0n))
    .$if(holder?.kind === 'person', (some) => some.where('sessions.person_id', '=', holder?.id ?? 0n))
    .$if(holder?.kind === 'client', (some) => some.where('sessions.client_id', '=', holder?.id ?? 0n))
    .orderBy('sessions.used_at', 'desc')
    .orderBy('sessions.id', 'desc')
    .execute();
  return rows.flatMap((row) => {
    const whose = holderOf(row);
    // A clock that was set back does not make an old session new.
    if (whose === null || plus(row.used_at, LASTS[whose.kind].idleMs) <= at) return [];
    return [
      {
        ...{ id: row.id, holder: whose, method: row.method, device: row.device, createdAt: row.created_at },
        ...{ provenAt: row.proven_at, usedAt: row.used_at, expiresAt: row.expires_at },
      },
    ];
  });
}

function holderOf(row: {
  person_id: bigint | null;
  client_id: bigint | null;
  person: string | null;
  role: Role | null;
  disabled_at: Instant | null;
  client: string | null;
  status: string | null;
}): SessionHolder | null {
  if (row.person_id !== null) {
    if (row.person === null || row.role === null || row.disabled_at !== null) return null;
    return { kind: 'person', id: row.person_id, name: row.person, role: row.role };
  }
  if (row.client_id === null || row.client === null) return null;
  return { kind: 'client', id: row.client_id, name: row.client };
}

/** Whether the last use is old enough to be written. */
export function isStaleUse({ usedAt }: Pick<OpenSession, 'usedAt'>, at: Instant): boolean {
  return plus(usedAt, TOUCH_MS) <= at || usedAt > at;
}

export async function touchSession(trx: Trx, { id }: Pick<OpenSession, 'id'>, at: Instant): Promise<void> {
  await trx.updateTable('sessions').set({ used_at: at }).where('id', '=', id).execute();
}

/** The holder proved once more who it is. */
export async function proveSession(trx: Trx, { id }: Pick<OpenSession, 'id'>, at: Instant): Promise<void> {
  await trx.updateTable('sessions').set({ proven_at: at, used_at: at }).where('id', '=', id).execute();
}

/** Ends one open session of this holder; false if there is none of that id. */
export async function endSession(trx: Trx, act: Act, holder: SessionHolder, id: bigint): Promise<boolean> {
  const ended = await end(trx, act.at, { holder, id });
  if (ended.length === 0) return false;
  await record(trx, act, { action: 'session end', subject: holderSubject(holder) });
  return true;
}

/** Ends all open sessions of a holder, and answers how many they were. The caller records why. */
export async function endSessions(
  trx: Trx,
  at: Instant,
  holder: Pick<SessionHolder, 'kind' | 'id'>,
): Promise<number> {
  return (await end(trx, at, { holder })).length;
}

function end(trx: Trx, at: Instant, of: { holder: Pick<SessionHolder, 'kind' | 'id'>; id?: bigint }) {
  const column = of.holder.kind === 'person' ? 'person_id' : 'client_id';
  return trx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where(column, '=', of.holder.id)
    .where('ended_at', 'is', null)
    .$if(of.id !== undefined, (some) => some.where('id', '=', of.id ?? 0n))
    .returning('id')
    .execute();
}
