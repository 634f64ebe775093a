import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../config/secret.ts';

/* The secrets that let somebody in: of sessions, links and tokens. The ledger has their hashes. */

/** Crockford's base32: no I, L, O or U, which are misread or misheard. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 16;

/** 256 random bits in base64url. */
export function newSecret(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

/** A secret as short as can be typed: 80 random bits, `7KQ2-9XBM-4T1C-ZP0W`. */
export function newCode(): Secret {
  const digits = [...randomBytes(CODE_LENGTH)].map((byte) => ALPHABET[byte % 32]).join('');
  return new Secret((digits.match(/.{4}/g) ?? []).join('-'));
}

/** The code as it was made, from how somebody typed it: small letters, other separators, O for 0, I and L for 1. */
export function typedCode(text: string): Secret | null {
  const digits = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  if (digits.length !== CODE_LENGTH || ![...digits].every((digit) => ALPHABET.includes(digit))) return null;
  return new Secret((digits.match(/.{4}/g) ?? []).join('-'));
}

/**
 * SHA-256 in hexadecimal. These secrets have at least 80 random bits, so unlike a password they need no slow hash; and
 * they are found by the hash, so its comparison tells nothing of the secret.
 */
export function hashOf(secret: Secret): string {
  return createHash('sha256').update(secret.reveal()).digest('hex');
}
