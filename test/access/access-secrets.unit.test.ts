import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, newCode, newSecret, typedCode } from '../../src/access/access-secrets.ts';
import { Secret } from '../../src/config/secret.ts';

test('a code is read as it was made, however it is typed', () => {
  fc.assert(
    fc.property(fc.constantFrom(' ', '-', ''), fc.boolean(), (separator, small) => {
      const code = newCode().reveal();
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
      const typed = code.replaceAll('-', separator).replaceAll('0', 'o').replaceAll('1', 'l');
      expect(typedCode(small ? typed.toLowerCase() : typed)?.reveal()).toBe(code);
    }),
  );
});

test.each(['', '7KQ2', '7KQ2-9XBM-4T1C-ZP0', '7KQ2-9XBM-4T1C-ZP0WX', '7KQ2-9XBM-4T1C-ZP0U', '<script>'])(
  '%j is no code',
  (text) => {
    expect(typedCode(text)).toBeNull();
  },
);

test('secrets have 256 bits, and only their hash is kept', () => {
  const secret = newSecret();
  expect(Buffer.from(secret.reveal(), 'base64url')).toHaveLength(32);
  expect(hashOf(secret)).toMatch(/^[0-9a-f]{64}$/);
  expect(hashOf(new Secret(secret.reveal()))).toBe(hashOf(secret));
  expect(newSecret().reveal()).not.toBe(secret.reveal());
});
