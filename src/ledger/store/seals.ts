import { createHmac } from 'node:crypto';
import { Secret } from '../../config/secret.ts';

/**
 * How a ledger seals what it writes into wallets, so nobody else can write it. Without a seal, anything in a client's
 * wallet may be the client's own text: a client can copy the ledger's id and a payout's number from payments that
 * arrived.
 */
export interface Seals {
  /** The ledger's id. */
  ledger: string;
  /** Never shown, not even to the operator; backups and copies of the ledger have it. */
  secret: Secret;
  /** Whether every payment of this ledger carries a seal; false if the ledger is older than its secret. */
  all: boolean;
}

/** HMAC-SHA256 of the ledger's id and `parts`, 64 hex digits. */
export function sealOf({ ledger, secret }: Seals, parts: readonly (string | number)[]): string {
  const text = JSON.stringify([ledger, ...parts]);
  return createHmac('sha256', secret.reveal()).update(text).digest('hex');
}

/** Whether `seal` is the one of these parts; false for anything but text. */
export function isSealed(seals: Seals, parts: readonly (string | number)[], seal: unknown): boolean {
  return typeof seal === 'string' && new Secret(sealOf(seals, parts)).same(new Secret(seal));
}
