import { expect, test } from 'vitest';
import { addMonths, isMonth, localMonth } from '../../src/typed/months.ts';

test('a month has four digits of the year and a number from 01 to 12', () => {
  expect(['2026-11', '2026-01', '2026-12'].map(isMonth)).toEqual([true, true, true]);
  for (const text of [undefined, '', '2026-00', '2026-13', '2026-1', '26-11', '2026-11-01']) {
    expect([text, isMonth(text)]).toEqual([text, false]);
  }
});

test('the month of a time is that of its local day', () => {
  const at = '2026-12-01T05:59:59.999999Z';
  expect([localMonth(at, 'America/Guatemala'), localMonth(at, 'UTC')]).toEqual(['2026-11', '2026-12']);
});

test('months are counted over the end of a year', () => {
  expect(addMonths('2026-12', 1)).toBe('2027-01');
  expect(addMonths('2027-01', -1)).toBe('2026-12');
  expect(addMonths('2026-11', -12)).toBe('2025-11');
});
