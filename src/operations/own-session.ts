import { BridgeError } from '../errors.ts';
import type { Who } from '../ledger/log/log.ts';
import { findSessionById, type OpenSession } from '../ledger/sessions/sessions.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';

/** The session of the one who asks. Throws `access/required` for whoever has none, as at the shell. */
export async function ownSession(db: Db, { principal }: Who, at: Instant): Promise<OpenSession> {
  const id = principal.kind === 'person' || principal.kind === 'client' ? principal.session : undefined;
  const session = id === undefined ? null : await findSessionById(db, id, at);
  if (session) return session;
  throw new BridgeError(
    'access/required',
    'This is about your own sign-in, and you have none here.',
    'Sign in.',
  );
}
