import { describe, expect, test } from 'vitest';
import {
  parseAmount,
  parseId,
  parseName,
  parseRate,
  parseSats,
  parseSatsOrNone,
  parseTime,
} from '../../src/cli/parse.ts';
import { BridgeError } from '../../src/errors.ts';

function refusal(act: () => unknown): { message: string; hint: string | undefined } {
  try {
    act();
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'usage/invalid') return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('amounts', () => {
  test.each([
    ['3000 GTQ', { minor: 300_000n, currency: 'GTQ', digits: 2 }],
    ['3000.50 GTQ', { minor: 300_050n, currency: 'GTQ', digits: 2 }],
    ['3000.5 gtq', { minor: 300_050n, currency: 'GTQ', digits: 2 }],
    [' 5000  JPY ', { minor: 5000n, currency: 'JPY', digits: 0 }],
    ['1.250 KWD', { minor: 1250n, currency: 'KWD', digits: 3 }],
    ['100000 COP', { minor: 10_000_000n, currency: 'COP', digits: 2 }],
  ])('%s', (text, amount) => {
    expect(parseAmount(text, 'amount')).toEqual(amount);
  });

  test.each([
    '3000',
    'GTQ',
    '0 GTQ',
    '-5 GTQ',
    '3000.505 GTQ',
    '1.5 JPY',
    '3000 XYZ',
    '3,000 GTQ',
    '1e3 GTQ',
    '3000 GTQ x',
    '٣ GTQ',
    '99999999999999999999 GTQ',
    '',
  ])('refuses %j, naming the field and a right value', (text) => {
    const error = refusal(() => parseAmount(text, '--daily-limit'));
    expect(error.message).toMatch(/^--daily-limit: /);
    expect(error.hint).toContain('3000.50 GTQ');
  });

  test('says which decimals are too many', () => {
    expect(refusal(() => parseAmount('3000.505 GTQ', 'amount')).message).toContain('finer than 2 decimals');
  });
});

describe('sats', () => {
  test.each(['61234', '61234 sat', '61234sat', '61234 sats'])('%s', (text) => {
    expect(parseSats(text, '--gross')).toBe(61_234n);
  });

  test.each(['0', '-1', '1.5', '61234 GTQ', '61_234', 'sat', '2100000000000001'])('refuses %j', (text) => {
    expect(refusal(() => parseSats(text, '--gross')).message).toMatch(/^--gross: /);
  });
});

describe('sats, or none', () => {
  test.each([
    ['0', 0n],
    ['0 sat', 0n],
    ['3000 sat', 3000n],
  ])('%s', (text, sats) => {
    expect(parseSatsOrNone(text, '--commission')).toBe(sats);
  });

  test.each(['-1', '-0', '0.5', '0 GTQ', '', 'sat'])('refuses %j', (text) => {
    expect(refusal(() => parseSatsOrNone(text, '--commission')).message).toMatch(/^--commission: /);
  });
});

describe('rates', () => {
  test.each([
    ['0.055', 5500n],
    ['5.5%', 5500n],
    ['5.5 %', 5500n],
    ['0', 0n],
    ['0.49999', 49_999n],
    ['50%', 50_000n],
    ['0.001%', 1n],
  ])('%s', (text, rate) => {
    expect(parseRate(text, '--rate')).toBe(rate);
  });

  test.each(['-5%', '100%', '0.0000001', '5,5%', '%', 'five', ''])('refuses %j', (text) => {
    expect(refusal(() => parseRate(text, '--rate')).message).toMatch(/^--rate: /);
  });

  test('a bare number that looks like percent is asked for as percent', () => {
    const error = refusal(() => parseRate('5.5', '--rate'));
    expect(error.message).toBe('--rate: 5.5 would be 550 %.');
    expect(error.hint).toContain('5.5%');
    expect(refusal(() => parseRate('0.5', '--rate')).message).toBe('--rate: 0.5 would be 50 %.');
  });
});

describe('times', () => {
  const guatemala = 'America/Guatemala';
  test.each([
    ['2026-11-20T10:00:00-06:00', '2026-11-20T16:00:00.000000Z'],
    ['2026-11-20T10:00:00.123456789Z', '2026-11-20T10:00:00.123456Z'],
    ['2026-11-20', '2026-11-20T06:00:00.000000Z'],
    ['2026-11-20T10:00', '2026-11-20T16:00:00.000000Z'],
    ['2026-11-20 10:00:30', '2026-11-20T16:00:30.000000Z'],
  ])('%s', (text, instant) => {
    expect(parseTime(text, guatemala, '--at')).toBe(instant);
  });

  test('a local time that is skipped moves on, one that comes twice is the first', () => {
    expect(parseTime('2026-03-29T02:30', 'Europe/Berlin', '--at')).toBe('2026-03-29T01:30:00.000000Z');
    expect(parseTime('2026-10-25T02:30', 'Europe/Berlin', '--at')).toBe('2026-10-25T00:30:00.000000Z');
  });

  test('a day that starts without a midnight starts when the clock goes on', () => {
    expect(parseTime('2026-04-24', 'Africa/Cairo', '--from')).toBe('2026-04-23T22:00:00.000000Z');
  });

  test.each(['2026-02-30', 'yesterday', '20.11.2026', '2026-11-20T25:00', '10:00', '+012026-01-01', ''])(
    'refuses %j',
    (text) => {
      const error = refusal(() => parseTime(text, guatemala, '--at'));
      expect(error.message).toMatch(/^--at: /);
      expect(error.hint).toContain('2026-11-20');
    },
  );
});

describe('ids and names', () => {
  test('short ids say what they are', () => {
    expect(parseId('f', 'f12', 'ID')).toBe(12n);
    expect(parseId('p', 'P118', 'ID')).toBe(118n);
    for (const wrong of ['12', 'p12', 'f', 'f-1', 'f1.5', `f${'9'.repeat(30)}`]) {
      expect(refusal(() => parseId('f', wrong, 'ID')).hint).toContain('f12');
    }
  });

  test('names', () => {
    expect(parseName('alice-2_b.c', 'NAME')).toBe('alice-2_b.c');
    expect(parseName('Jose\u0301', 'NAME')).toBe('Jos\u00e9');
    for (const wrong of ['', 'a b', 'a'.repeat(65), 'x\u001b[2J', 'a/b'])
      refusal(() => parseName(wrong, 'NAME'));
  });
});
