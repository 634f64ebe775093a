import { BridgeError } from '../errors.ts';
import type { Principal } from '../ledger/log/log.ts';
import { type Clock, plus } from '../time.ts';

/*
 * Who may do which operation. The operator at the shell may do all of them. An operation itself says whether a guest,
 * a client or a bookkeeper may; the rest is here, in one place.
 */

/** Who may do an operation besides owners and operators; what a bookkeeper may, each person may. */
export type Audience = 'guest' | 'client' | 'bookkeeper';

interface Named {
  name: string;
  needs: string;
  may: readonly Audience[];
}

/** The scopes of tokens. `read` is what a bookkeeper reads, and the plan and the comparison of the books. */
export const SCOPES = [
  'read',
  'fundings:write',
  'clients:write',
  'payouts:write',
  'review:write',
  'settlements:write',
  'machines:write',
  'commission:write',
  'runs:write',
] as const;

export type Scope = (typeof SCOPES)[number];

/** Nouns of the host, which only its shell has: files, the daemon, the schema. */
const SHELL = ['backup', 'init', 'ledger', 'migrate', 'role_sql', 'run', 'serve'];

/** Nouns, and single operations, that are for owners: who may sign in, and who is paid the commission. */
const OWNER = ['people', 'tokens', 'machines.replace', 'machines.preview_replace'];
const OWNER_WRITES = ['commission'];

/** Operations on the caller's own sign-in; tokens may do none of them. */
const PERSONAL = ['access', 'credentials', 'sessions'];

/** Readings that ask Lamassu and LNbits, and change nothing. */
const READINGS = ['poll.preview', 'poll.preview_first', 'reconcile', 'doctor', 'config'];

const RUNS = ['poll', 'fixed'];

/** What changes where money goes, or who may sign in: it needs a recent sign-in. */
const FRESH = new Set([
  'clients.add',
  'clients.invite',
  'clock.restate',
  'commission.add',
  'commission.remove',
  'commission.set',
  'credentials.add_passkey',
  'credentials.remove',
  'credentials.set_password',
  'credits.resolve',
  'fundings.adjust',
  'fundings.withdraw',
  'machines.replace',
  'payouts.overpaid',
  'payouts.release',
  'payouts.release_all',
  'payouts.resolve',
  'payouts.resume',
  'people.add',
  'people.disable',
  'people.enable',
  'people.invite',
  'people.set',
  'review.release',
  'settlements.external',
  'settlements.settle',
  'settlements.void',
  'tokens.add',
  'tokens.revoke',
]);

/** How long an authentication is recent, in ms. */
const FRESH_MS = 300_000;

/** Whether the principal may do it. */
export function mayDo(operation: Named, principal: Principal): boolean {
  const { name, may } = operation;
  switch (principal.kind) {
    case 'operator':
      return true;
    case 'person':
      if (principal.role === 'bookkeeper') return may.includes('bookkeeper');
      return !SHELL.includes(nounOf(name)) && (principal.role === 'owner' || !isOwners(operation));
    case 'token': {
      const scope = scopeOf(operation);
      return scope !== null && principal.scopes.includes(scope);
    }
    default:
      return may.includes(principal.kind);
  }
}

/** The scope with which a token may do it; null: no token may. */
export function scopeOf({ name, needs, may }: Named): Scope | null {
  const noun = nounOf(name);
  if (PERSONAL.includes(noun) || SHELL.includes(noun)) return null;
  if (READINGS.includes(name) || (needs === 'read' && may.includes('bookkeeper'))) return 'read';
  const write = `${RUNS.includes(noun) ? 'runs' : noun}:write`;
  return SCOPES.find((scope) => scope === write) ?? null;
}

/** Whether only owners may, of those who sign in. */
export function isOwners({ name, needs }: Named): boolean {
  const noun = nounOf(name);
  return OWNER.includes(noun) || OWNER.includes(name) || (OWNER_WRITES.includes(noun) && needs !== 'read');
}

/** Whether people need to have signed in, or proved who they are, just before. `input`: another wallet counts, too. */
export function needsProof(name: string, input: unknown): boolean {
  if (FRESH.has(name)) return true;
  const isWallet = typeof input === 'object' && input !== null && Reflect.get(input, 'wallet_key');
  return name === 'clients.set' && isWallet !== undefined && isWallet !== false;
}

/** Throws `access/prove` if the person proved too long ago who it is. */
export function assertProven(principal: Principal, name: string, input: unknown, clock: Clock): void {
  if (principal.kind !== 'person' || !needsProof(name, input)) return;
  if (plus(principal.provenAt, FRESH_MS) > clock.now()) return;
  throw new BridgeError(
    'access/prove',
    `${name} moves money or changes who may do so, and the last sign-in was more than five minutes ago.`,
    'Confirm who you are, and do it again. Nothing was changed.',
  );
}

function nounOf(name: string): string {
  return name.split('.')[0] ?? name;
}
