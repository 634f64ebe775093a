import { createHmac } from 'node:crypto';
import { Secret } from '../../config/secret.ts';

/**
 * How a ledger seals what it writes into wallets, so that nobody else can write it. What stands in a client's wallet is
 * the client's word: a client can copy the ledger's id and a payout's number out of payments that arrived.
 */
export interface Seals {
  /** The ledger's id. */
  ledger: string;
  /** Never shown, not even to the operator; backups and copies of the ledger have it. */
  secret: Secret;
  /** Whether everything that this ledger ever paid carries a seal; not so where it is older than its secret. */
  all: boolean;
}

/** HMAC-SHA256 of the ledger's id and `parts`, 64 hex digits. */
export function sealOf({ ledger, secret }: Seals, parts: readonly (string | number)[]): string {
  const text = JSON.stringify([ledger, ...parts]);
  return createHmac('sha256', secret.reveal()).update(text).digest('hex');
}

/** Whether `seal` is the one of these parts; of anything that is no text it is not. */
export function isSealed(seals: Seals, parts: readonly (string | number)[], seal: unknown): boolean {
  return typeof seal === 'string' && new Secret(sealOf(seals, parts)).same(new Secret(seal));
}
