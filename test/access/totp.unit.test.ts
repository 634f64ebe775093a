import { Secret as Shared, TOTP } from 'otpauth';
import { expect, test } from 'vitest';
import { newTotpSecret, totpStep, totpUri } from '../../src/access/totp.ts';

// RFC 6238, appendix B: the secret "12345678901234567890", SHA-1; of eight digits the last six.
const RFC = Shared.fromUTF8('12345678901234567890').base32;

test.each([
  [59, '287082'],
  [1_111_111_109, '081804'],
  [1_234_567_890, '005924'],
  [20_000_000_000, '353130'],
])('at %i s the code is %s', (seconds, code) => {
  expect(totpStep(RFC, code, seconds * 1000)).toBe(BigInt(Math.floor(seconds / 30)));
  expect(totpStep(RFC, `${code.slice(0, 3)} ${code.slice(3)}`, seconds * 1000)).not.toBeNull();
});

test('a code counts one step before and after its own, with the number of its step', () => {
  const at = 1_700_000_010_000;
  const step = BigInt(Math.floor(at / 30_000));
  const codeOf = (ms: number) => new TOTP({ secret: RFC }).generate({ timestamp: ms });
  expect(totpStep(RFC, codeOf(at - 30_000), at)).toBe(step - 1n);
  expect(totpStep(RFC, codeOf(at + 30_000), at)).toBe(step + 1n);
  expect(totpStep(RFC, codeOf(at - 60_000), at)).toBeNull();
  for (const bad of ['', '12345', '1234567', 'abcdef']) expect(totpStep(RFC, bad, at)).toBeNull();
});

test('an authenticator app gets secret, name and issuer', () => {
  const secret = newTotpSecret();
  expect(secret.reveal()).toMatch(/^[A-Z2-7]{32}$/);
  const uri = new URL(totpUri(secret, 'dora'));
  expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
    'otpauth:',
    'totp',
    '/aio-dca:dora',
  ]);
  expect(uri.searchParams.get('secret')).toBe(secret.reveal());
});
