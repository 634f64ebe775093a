import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from '../../src/lnbits/redact.ts';

/* Secrets in a peer's answer that it had received. */

const percent = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const units = (text: string) =>
  [...Array(text.length).keys()].map((i) => text.charCodeAt(i).toString(16).padStart(4, '0'));
const base64 = (text: string) => Buffer.from(text).toString('base64');

const FORMS: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  'in upper case': (secret) => secret.toUpperCase(),
  'as a part of an address': (secret) => encodeURIComponent(secret),
  'with every byte percent-encoded': percent,
  'in upper hex digits': (secret) => percent(secret).toUpperCase(),
  'percent-encoded twice': (secret) => encodeURIComponent(percent(secret)),
  'as a form': (secret) => new URLSearchParams({ key: secret }).toString().slice(4),
  'as JSON': (secret) => JSON.stringify(secret).slice(1, -1),
  'as JSON within JSON': (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  'with the escapes of JSON': (secret) =>
    units(secret)
      .map((unit) => `\\u${unit}`)
      .join(''),
  'as HTML': (secret) => secret.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`),
  'in Base64': base64,
  'in Base64 for addresses': (secret) => Buffer.from(secret).toString('base64url'),
  'in Base64, percent-encoded': (secret) => encodeURIComponent(base64(secret)),
  'as hex digits': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
};
const key = '7c1f09b2ad3e4f5a8890a1b2c3d4e5f6';
const passwords = ['pa"s\\s/w&rd<1>', 'correct horse battery staple', 'grün€🗝-12345', '100%+sure=yes?'];

describe.each(Object.entries(FORMS))('a secret %s', (_form, encode) => {
  test.each([key, ...passwords])('%s', (secret) => {
    const said = redact(`before ${encode(secret)} after`, secret);
    expect(said).toMatch(/^before \[redacted\]=* after$/);
  });
});

test.each([key, ...passwords])('in Base64 within something longer: %s', (secret) => {
  for (const user of ['', 'a', 'ab', 'abc']) {
    const said = redact(`Basic ${base64(`${user}:${secret}@`)}`, secret);
    const left = Buffer.from(
      said.replace('Basic ', '').replace('[redacted]', '').padEnd(4, '='),
      'base64',
    ).toString();
    expect(said, user).toContain('[redacted]');
    expect(left.length).toBeLessThan(user.length + 6);
  }
});

test('whatever the secret is, and whichever of its characters are encoded', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 8, maxLength: 24, unit: 'binary' }),
      fc.infiniteStream(fc.boolean()),
      (secret, odd) => {
        const mixed = [...secret]
          .map((char) => (odd.next().value && !/\p{Cs}/u.test(char) ? percent(char) : char))
          .join('');
        expect(redact(`a: ${mixed}`, secret)).not.toContain(mixed);
      },
    ),
    { numRuns: 25 },
  );
});

test('user and password of any address', () => {
  for (const [said, safe] of [
    ['to https://op:hunter2@lnbits.example/x?y=1', 'to https://[redacted]@lnbits.example/x?y=1'],
    ['rd=https%3A%2F%2Fop%3Ahunter2%40host/', 'rd=https%3A%2F%2F[redacted]@host/'],
    ['https:\\/\\/op:hunter2@host', 'https:\\/\\/[redacted]@host'],
    ['https://lnbits.example/a@b', 'https://lnbits.example/a@b'],
    ['write to a@b.example', 'write to a@b.example'],
  ])
    expect(redact(said ?? '', null)).toBe(safe);
});

test('other text stays', () => {
  const said = 'Wallet not found. 100 % of 7c1f09 at 12:30';
  expect(redact(said, key)).toBe(said);
  expect(redact(said, null)).toBe(said);
});
