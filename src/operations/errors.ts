import type { ErrorCode } from '../errors.ts';
import type { Needs } from './operation.ts';

/* The errors of operations. Each operation states its own; the errors that whole groups share are stated here. */

/**
 * Errors of every operation: the input, the rights of the principal and the proof of who it is, the key of the request,
 * and the configuration.
 */
const EVERY = [
  'usage/invalid',
  'usage/forbidden',
  'usage/key-reused',
  'access/prove',
  'config/missing',
  'config/invalid',
  'config/secret',
] as const satisfies ErrorCode[];

/** Opening, reading and writing a ledger. */
export const LEDGER = [
  'ledger/missing',
  'ledger/owner',
  'ledger/newer',
  'ledger/outdated',
  'ledger/retired',
  'ledger/unfinished',
  'ledger/rights',
  'ledger/unusable',
  'ledger/unreachable',
  'ledger/read-only',
  'ledger/tls',
  'ledger/busy',
] as const satisfies ErrorCode[];

export const LEASE = ['run/busy', 'run/lost-lease'] as const satisfies ErrorCode[];

/** Asking LNbits by the key of a wallet. */
export const LNBITS = [
  'lnbits/unreachable',
  'lnbits/tls',
  'lnbits/redirect',
  'lnbits/proxy',
  'lnbits/rate-limited',
  'lnbits/refused',
  'lnbits/key',
  'lnbits/rights',
  'lnbits/version',
] as const satisfies ErrorCode[];

/** Reaching and reading a Lamassu. */
export const LAMASSU = [
  'lamassu/ssh-unreachable',
  'lamassu/ssh-host-key',
  'lamassu/ssh-algorithms',
  'lamassu/ssh-key',
  'lamassu/ssh-authentication',
  'lamassu/ssh-forbidden',
  'lamassu/ssh-forward',
  'lamassu/unreachable',
  'lamassu/tls',
  'lamassu/credentials',
  'lamassu/no-database',
  'lamassu/unsuitable',
  'lamassu/column-missing',
  'lamassu/not-granted',
  'lamassu/timeout',
  'lamassu/lost',
  'lamassu/query',
] as const satisfies ErrorCode[];

/** Reading a Lamassu that has to be the one that the ledger is bound to. */
export const SOURCE_ERRORS = [...LAMASSU, 'ledger/source-differs'] as const satisfies ErrorCode[];

/** Recovering a restored ledger, besides the lease. */
export const RECOVERY = [
  ...LEDGER,
  ...LNBITS,
  ...SOURCE_ERRORS,
  'lamassu/start-at',
  'clock/differs',
  'ledger/currency',
  'ledger/restored',
  'ledger/wallet-differs',
  'payout/wallet-unseen',
] as const satisfies ErrorCode[];

const OF_NEEDS: Record<Needs, readonly ErrorCode[]> = {
  none: EVERY,
  config: EVERY,
  read: [...EVERY, ...LEDGER],
  write: [...EVERY, ...LEDGER],
  lease: [...EVERY, ...LEDGER, ...LEASE],
};

/** Every error that an operation may end with: those of all operations with the same needs, and its own. */
export function errorsOf({ needs, errors }: { needs: Needs; errors: readonly ErrorCode[] }): Set<ErrorCode> {
  return new Set([...OF_NEEDS[needs], ...errors]);
}
