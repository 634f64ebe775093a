import * as z from 'zod';
import type { OpenSession } from '../ledger/sessions/sessions.ts';
import { instant } from './fields.ts';
import { ROLE_NAMES } from './roles.ts';

/** Who signs in: people to the admin site, clients to the client site. */
export const holderView = z.object({ kind: z.enum(['person', 'client']), name: z.string() });

/** A new session, with its secret for the cookie. */
export const enteredView = holderView.extend({ session: z.string() });

/** What is asked of the browser, and the challenge that its answer has to sign. */
export const ceremonyView = z.object({ challenge: z.string(), options: z.record(z.string(), z.unknown()) });

/** The shared secret of one-time passwords, and as what an authenticator app scans. */
export const totpSecretView = z.object({ secret: z.string(), uri: z.string() });

export const foundTokenView = z.object({ name: z.string(), scopes: z.array(z.string()) });

export const foundSessionView = holderView.extend({
  id: z.bigint(),
  /** Null: a client. */
  role: z.enum(ROLE_NAMES).nullable(),
  method: z.enum(['link', 'passkey', 'password']),
  proven_at: instant,
});

export type FoundSession = z.output<typeof foundSessionView>;

export function viewOfFoundSession({ id, holder, method, provenAt }: OpenSession): FoundSession {
  const role = holder.kind === 'person' ? holder.role : null;
  return { id, kind: holder.kind, name: holder.name, role, method, proven_at: provenAt };
}
