import { expect, test } from 'vitest';
import { hashPassword, isPassword } from '../../src/access/password.ts';
import { Secret } from '../../src/config/secret.ts';

test('a password is known by its hash, in both forms of Unicode, and nothing else is', async () => {
  const hash = await hashPassword(new Secret('caf\u00e9 con leche 12'));
  expect(hash).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
  expect(await isPassword(new Secret('cafe\u0301 con leche 12'), hash)).toBe(true);
  expect(await isPassword(new Secret('cafe con leche 12'), hash)).toBe(false);
  expect(await isPassword(new Secret(''), hash)).toBe(false);
  expect(await hashPassword(new Secret('caf\u00e9 con leche 12'))).not.toBe(hash);
});

test('without a hash no password is right', async () => {
  expect(await isPassword(new Secret('x'), undefined)).toBe(false);
  expect(await isPassword(new Secret(''), undefined)).toBe(false);
});
