import type { PersonPrincipal, Principal } from '../../src/ledger/log/log.ts';
import { now } from './clock.ts';

/* On whose right a test asks. */

/** Somebody with a session who has just proved who it is; the session is no row of a ledger. */
export function person(role: PersonPrincipal['role'], name = 'emil'): PersonPrincipal {
  return { kind: 'person', person: name, role, session: 0n, provenAt: now() };
}

export const operator: Principal = { kind: 'operator' };
export const bookkeeper: Principal = person('bookkeeper');
