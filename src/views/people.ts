import * as z from 'zod';
import type { Credential } from '../ledger/credentials/credentials.ts';
import type { Person } from '../ledger/people/people.ts';
import type { OpenSession } from '../ledger/sessions/sessions.ts';
import type { Token } from '../ledger/tokens/tokens.ts';
import type { Instant } from '../time.ts';
import { instant } from './fields.ts';
import { ROLE_NAMES } from './roles.ts';

/** Somebody who may use the admin site. */
export const personView = z.object({
  name: z.string(),
  role: z.enum(ROLE_NAMES),
  status: z.enum(['enabled', 'disabled']),
  created_at: instant,
  disabled_at: instant.nullable(),
  /** What the person signs in with; empty: only a link. */
  ways: z.array(z.enum(['passkey', 'password', 'totp'])),
  /** Open sessions. */
  sessions: z.int(),
  /** The last use of an open session, to five minutes. */
  last_seen_at: instant.nullable(),
});

/** A one-time link, and the same as a code to type; shown once. */
export const invitationView = z.object({
  name: z.string(),
  link: z.string(),
  code: z.string(),
  expires_at: instant,
});

export const tokenView = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  status: z.enum(['active', 'expired', 'revoked']),
  created_at: instant,
  expires_at: instant.nullable(),
  /** To five minutes. */
  used_at: instant.nullable(),
  revoked_at: instant.nullable(),
});

/** A new token; the only time that it is shown. */
export const newTokenView = z.object({
  name: z.string(),
  token: z.string(),
  scopes: z.array(z.string()),
  expires_at: instant.nullable(),
});

/** A credential of the caller. */
export const credentialView = z.object({
  id: z.string(),
  kind: z.enum(['passkey', 'password', 'totp']),
  label: z.string().nullable(),
  created_at: instant,
  used_at: instant.nullable(),
});

/** A session of the one who asks. */
export const sessionView = z.object({
  id: z.string(),
  method: z.enum(['link', 'passkey', 'password']),
  device: z.string().nullable(),
  created_at: instant,
  used_at: instant,
  expires_at: instant,
  /** The session that asks. */
  current: z.boolean(),
});

export type PersonView = z.output<typeof personView>;
export type InvitationView = z.output<typeof invitationView>;
export type TokenView = z.output<typeof tokenView>;
export type NewTokenView = z.output<typeof newTokenView>;
export type CredentialView = z.output<typeof credentialView>;
export type SessionView = z.output<typeof sessionView>;

export function viewOfPerson(person: Person, credentials: Credential[], sessions: OpenSession[]): PersonView {
  return {
    ...{ name: person.name, role: person.role, created_at: person.createdAt },
    ...{ status: person.disabledAt === null ? 'enabled' : 'disabled', disabled_at: person.disabledAt },
    ways: [...new Set(credentials.map(({ kind }) => kind))],
    ...{ sessions: sessions.length, last_seen_at: sessions[0]?.usedAt ?? null },
  };
}

export function viewOfToken(token: Token, now: Instant): TokenView {
  const { name, scopes, createdAt, expiresAt, usedAt, revokedAt } = token;
  const isExpired = expiresAt !== null && expiresAt <= now;
  const status = revokedAt !== null ? 'revoked' : isExpired ? 'expired' : 'active';
  return {
    ...{ name, scopes, status, created_at: createdAt, expires_at: expiresAt },
    ...{ used_at: usedAt, revoked_at: revokedAt },
  };
}

export function viewOfCredential({ id, kind, label, created_at, used_at }: Credential): CredentialView {
  return { id: `${id}`, kind, label, created_at, used_at };
}

export function viewOfSession(session: OpenSession, current: bigint): SessionView {
  const { id, method, device, createdAt, usedAt, expiresAt } = session;
  return {
    ...{ id: `${id}`, method, device, created_at: createdAt, used_at: usedAt },
    ...{ expires_at: expiresAt, current: id === current },
  };
}
