import { expect, test } from 'vitest';
import { formatTime, shortId, withLocalTimes } from '../../../src/cli/terminal/figures.ts';

test('times in a text are local', () => {
  const text = 'since 2026-11-20T10:00:00.123456Z, until 9999-99-99T10:00:00.000000Z';
  expect(withLocalTimes(text, 'America/Guatemala')).toBe(
    'since 2026-11-20 04:00:00 GMT-6, until 9999-99-99T10:00:00.000000Z',
  );
});

test('only ids of Lamassu are shortened', () => {
  expect(shortId('3F0C5E11-1111-4111-8111-111111111111')).toBe('3F0C5E11');
  expect(shortId('receipt-2')).toBe('receipt-2');
});

test('times for people', () => {
  expect(formatTime('2026-11-20T10:00:00.123456Z', 'America/Guatemala')).toBe('2026-11-20 04:00:00 GMT-6');
  expect(formatTime('2026-11-20T00:00:00.000000Z', 'UTC')).toBe('2026-11-20 00:00:00 GMT+0');
  expect(formatTime('2026-07-01T22:30:00.000000Z', 'Asia/Kolkata')).toBe('2026-07-02 04:00:00 GMT+5:30');
});
