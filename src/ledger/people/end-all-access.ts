import { type Act, record } from '../log/log.ts';
import type { Trx } from '../store/open.ts';

/**
 * Ends every session, link and token. A ledger that was restored would let in again whoever was shut out since, and
 * make used links new.
 */
export async function endAllAccess(trx: Trx, act: Act): Promise<void> {
  const { at } = act;
  const sessions = await trx
    .updateTable('sessions')
    .set({ ended_at: at })
    .where('ended_at', 'is', null)
    .returning('id')
    .execute();
  const links = await trx
    .updateTable('invitations')
    .set({ revoked_at: at })
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  const tokens = await trx
    .updateTable('tokens')
    .set({ revoked_at: at })
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  if (sessions.length + links.length + tokens.length === 0) return;
  const after = { sessions: sessions.length, invitations: links.length, tokens: tokens.length };
  await record(trx, act, { action: 'access end', subject: 'ledger', after });
}
