import type { Selectable } from 'kysely';
import type { Instant } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import { holderColumns, holderSubject, type SessionHolder } from '../sessions/sessions.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

/* What people and clients sign in with: passkeys; people also by a password with a one-time password. */

export type Credential = Selectable<Schema['credentials']>;

export interface NewCredential {
  kind: Credential['kind'];
  keyId?: string;
  secret: string;
  counter?: bigint;
  label: string | null;
}

/** What the holder can sign in with now, oldest first. */
export function credentialsOf(db: Db, holder: Pick<SessionHolder, 'kind' | 'id'>): Promise<Credential[]> {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where(holder.kind === 'person' ? 'person_id' : 'client_id', '=', holder.id)
    .where('removed_at', 'is', null)
    .orderBy('id')
    .execute();
}

/** The passkey of this id, if it was not removed. */
export function findPasskey(db: Db, keyId: string): Promise<Credential | undefined> {
  return db
    .selectFrom('credentials')
    .selectAll()
    .where('kind', '=', 'passkey')
    .where('key_id', '=', keyId)
    .where('removed_at', 'is', null)
    .executeTakeFirst();
}

/** Adds a passkey; a password and a secret of one-time passwords replace the former one. */
export async function addCredential(
  trx: Trx,
  act: Act,
  holder: SessionHolder,
  { kind, keyId, secret, counter = 0n, label }: NewCredential,
): Promise<void> {
  if (kind !== 'passkey') {
    for (const one of await credentialsOf(trx, holder)) if (one.kind === kind) await remove(trx, act.at, one);
  }
  await trx
    .insertInto('credentials')
    .values({
      ...{ ...holderColumns(holder), kind, key_id: keyId ?? null, secret, counter, label },
      created_at: act.at,
    })
    .execute();
  await record(trx, act, {
    ...{ action: 'credential add', subject: holderSubject(holder) },
    after: { kind, ...(label !== null && { label }) },
  });
}

/** Removes what the holder signs in with; false if there is none of that id. */
export async function removeCredential(
  trx: Trx,
  act: Act,
  holder: SessionHolder,
  id: bigint,
): Promise<boolean> {
  const one = (await credentialsOf(trx, holder)).find((some) => some.id === id);
  if (!one) return false;
  await remove(trx, act.at, one);
  await record(trx, act, {
    ...{ action: 'credential remove', subject: holderSubject(holder) },
    before: { kind: one.kind, ...(one.label !== null && { label: one.label }) },
  });
  return true;
}

async function remove(trx: Trx, at: Instant, { id }: Credential): Promise<void> {
  await trx.updateTable('credentials').set({ removed_at: at }).where('id', '=', id).execute();
}

/**
 * Notes the use of a credential. A step of one-time passwords counts once: false if it, or a later one, was used
 * before. The counter of a passkey stays 0 where the authenticator has none.
 */
export async function useCredential(
  trx: Trx,
  { id, kind }: Pick<Credential, 'id' | 'kind'>,
  counter: bigint,
  at: Instant,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('credentials')
    .set({ counter, used_at: at })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .$if(kind === 'totp', (some) => some.where('counter', '<', counter))
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}
