import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Secret } from '../config/secret.ts';

const ITERATIONS = 4096;

/**
 * A password as PostgreSQL keeps it, `SCRAM-SHA-256$4096:SALT$StoredKey:ServerKey`: it proves a password and does not
 * tell it. RFC 5802, section 3; RFC 7677. PostgreSQL takes it in `alter role … password`.
 */
export function scramVerifier(password: Secret, salt = randomBytes(16)): string {
  // The part of SASLprep (RFC 4013) that concerns what people type; pg's client does the same at login.
  const salted = pbkdf2Sync(password.reveal().normalize('NFKC'), salt, ITERATIONS, 32, 'sha256');
  const key = (label: string) => createHmac('sha256', salted).update(label).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${key('Server Key').toString('base64')}`;
}
