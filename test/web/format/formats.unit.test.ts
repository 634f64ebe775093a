import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDecimal } from '../../../src/dca/money.ts';
import { formatsOf, LANGUAGES } from '../../../src/web/format/formats.ts';

const both = LANGUAGES.map((language) => formatsOf(language, 'America/Guatemala'));

test('amounts of any size are exact, and the same in each language', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.integer({ min: 0, max: 5 }),
      (minor, digits) => {
        const decimal = formatDecimal(minor, digits);
        const shown = both.map((f) => f.money(decimal, 'GTQ'));
        expect(new Set(shown).size).toBe(1);
        expect(shown[0]?.replaceAll(/[^\d.−]/g, '').replace('−', '-')).toBe(decimal);
        expect(both.map((f) => f.sats(minor).replaceAll(',', ''))).toEqual([`${minor}`, `${minor}`]);
        expect(both[0]?.btc(minor).replace('−', '-')).toBe(formatDecimal(minor, 8));
      },
    ),
  );
});

test('a currency is written so that no other can be meant', () => {
  const [en] = both;
  expect(en?.money('3000.00', 'GTQ')).toBe('Q\u00a03,000.00');
  expect(en?.money('3000.00', 'USD')).toBe('USD\u00a03,000.00');
  expect(en?.money('3000', 'MXN')).toBe('MXN\u00a03,000');
  expect(en?.money('-0.50', 'GTQ')).toBe('−Q\u00a00.50');
});

test('rates lose no digit', () => {
  const [, es] = both;
  const rates = ['0.05500', '0.10000', '1.00000', '0.00000', '0.00001', '0.12345'];
  expect(rates.map((rate) => es?.percent(rate))).toEqual(
    ['5.5', '10', '100', '0', '0.001', '12.345'].map((one) => `${one}\u00a0%`),
  );
});

test('times are local, and say so in each language', () => {
  const [en, es] = both;
  expect(en?.time('2026-11-21T05:32:00.000000Z')).toMatch(/^Nov 20, 2026, 11:32\sPM$/);
  expect(es?.time('2026-11-21T05:32:00.000000Z')).toMatch(/^20 nov 2026, 11:32\sp\.\sm\.$/);
  expect([en?.isoDay('2026-11-21T05:32:00.000000Z'), es?.month('2026-11')]).toEqual([
    ...['2026-11-20', 'noviembre de 2026'],
  ]);
});

test('hidden amounts have no digit', () => {
  const f = formatsOf('es', 'UTC', true);
  for (const text of [f.money('3000.00', 'GTQ'), f.sats(5n), f.btc(5n), f.decimal('1.5')])
    expect(text).not.toMatch(/\d/);
});
