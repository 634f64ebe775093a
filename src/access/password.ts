import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../config/secret.ts';

/*
 * Passwords, kept by scrypt. The parameters are those of OWASP's Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3,
 * 32 MiB each.
 */

const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** By NIST SP 800-63B: what is short is guessed; what is long is not cut. */
export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 200;

/** `scrypt$32768$8$3$SALT$KEY`, in base64url. */
export async function hashPassword(password: Secret): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, KEY_BYTES, COST);
  const { N, r, p } = COST;
  return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether it is the password of this hash. Without a hash it takes as long, and is false. */
export async function isPassword(password: Secret, hash: string | undefined): Promise<boolean> {
  const [, n = '', r = '', p = '', salt = '', key = ''] = (hash ?? NOBODYS).split('$');
  const known = Buffer.from(key, 'base64url');
  const cost = { N: whole(n), r: whole(r), p: whole(p), maxmem: COST.maxmem };
  const derived = await derive(password, Buffer.from(salt, 'base64url'), known.length, cost);
  return timingSafeEqual(derived, known) && hash !== undefined;
}

const whole = (text: string): number => Number.parseInt(text, 10);

const NOBODYS = ['scrypt', COST.N, COST.r, COST.p, 'AAAAAAAAAAAAAAAAAAAAAA', 'A'.repeat(43)].join('$');

/** The same letters may be typed in composed and decomposed form. */
function derive(password: Secret, salt: Buffer, length: number, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.reveal().normalize('NFKC'), salt, length, cost, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
