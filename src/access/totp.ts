import { Secret as Shared, TOTP } from 'otpauth';
import { Secret } from '../config/secret.ts';

/* One-time passwords by RFC 6238, as the authenticator apps have them: six digits, 30 seconds, SHA-1. */

const PERIOD_S = 30;
const ISSUER = 'aio-dca';

/** A new shared secret, 160 bits in base32. */
export function newTotpSecret(): Secret {
  return new Secret(new Shared({ size: 20 }).base32);
}

/** What an authenticator app scans. */
export function totpUri(secret: Secret, name: string): string {
  return totpOf(secret.reveal(), name).toString();
}

/** The number of the step that this code belongs to, now or one step before or after; null if it belongs to none. */
export function totpStep(secret: string, code: string, ms: number): bigint | null {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return null;
  const totp = totpOf(secret, '');
  const delta = totp.validate({ token, timestamp: ms, window: 1 });
  return delta === null ? null : BigInt(totp.counter({ timestamp: ms }) + delta);
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({ issuer: ISSUER, label, secret, period: PERIOD_S, digits: 6, algorithm: 'SHA1' });
}
