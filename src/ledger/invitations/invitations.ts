import { type Instant, plus } from '../../time.ts';
import { findHolder, holderColumns, type SessionHolder } from '../sessions/sessions.ts';
import type { Db, Trx } from '../store/open.ts';

/* One-time links. The link has the secret in its fragment; the code is for whoever cannot open the link. */

/** How long a link can be used, in ms. */
const INVITATION_MS = 86_400_000;

/** SHA-256 of the secret or of the code. */
export type InvitationKey = { secretHash: string } | { codeHash: string };

/** Makes a link for somebody, and answers when it expires. It replaces the links that were not used. */
export async function makeInvitation(
  trx: Trx,
  at: Instant,
  holder: Pick<SessionHolder, 'kind' | 'id'>,
  { secretHash, codeHash }: { secretHash: string; codeHash: string },
): Promise<Instant> {
  await revokeInvitations(trx, at, holder);
  const expiresAt = plus(at, INVITATION_MS);
  const whose = holderColumns(holder);
  await trx
    .insertInto('invitations')
    .values({ ...whose, secret_hash: secretHash, code_hash: codeHash, created_at: at, expires_at: expiresAt })
    .execute();
  return expiresAt;
}

export async function revokeInvitations(
  trx: Trx,
  at: Instant,
  holder: Pick<SessionHolder, 'kind' | 'id'>,
): Promise<void> {
  await trx
    .updateTable('invitations')
    .set({ revoked_at: at })
    .where(holder.kind === 'person' ? 'person_id' : 'client_id', '=', holder.id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .execute();
}

/** Whose link it is; null if it cannot be used, and nobody learns why. */
export async function lookAtInvitation(
  db: Db,
  key: InvitationKey,
  at: Instant,
): Promise<SessionHolder | null> {
  const [column, hash] = columnOf(key);
  const row = await db
    .selectFrom('invitations')
    .select(['person_id', 'client_id'])
    .where(column, '=', hash)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .executeTakeFirst();
  return row ? findHolder(db, row) : null;
}

/** Uses a link up, and answers whose it was; null if it cannot be used. Of several at once, one succeeds. */
export async function spendInvitation(
  trx: Trx,
  key: InvitationKey,
  at: Instant,
): Promise<SessionHolder | null> {
  const [column, hash] = columnOf(key);
  const row = await trx
    .updateTable('invitations')
    .set({ used_at: at })
    .where(column, '=', hash)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', at)
    .returning(['person_id', 'client_id'])
    .executeTakeFirst();
  return row ? findHolder(trx, row) : null;
}

function columnOf(key: InvitationKey): ['secret_hash' | 'code_hash', string] {
  return 'secretHash' in key ? ['secret_hash', key.secretHash] : ['code_hash', key.codeHash];
}
