import { describe, expect, test } from 'vitest';
import { jsonDocument } from '../../../src/cli/terminal/json.ts';
import { Secret } from '../../../src/config/secret.ts';

describe('JSON', () => {
  test('sats are numbers, secrets stay secret', () => {
    const document = jsonDocument({ sats: 2_100_000_000_000_000n, list: [1n], key: new Secret('hunter2') });
    expect(JSON.parse(document)).toEqual({ sats: 2_100_000_000_000_000, list: [1], key: '[redacted]' });
  });

  test('it cannot control a terminal, and says the same', () => {
    const evil = { name: '\u001b[2J\u009b31m\u202eback\u2028\u{e0001}' };
    expect(jsonDocument(evil)).not.toMatch(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(jsonDocument(evil))).toEqual(evil);
  });

  test('refuses a number that would not be exact', () => {
    expect(() => jsonDocument({ sats: 2n ** 53n })).toThrow(RangeError);
  });
});
