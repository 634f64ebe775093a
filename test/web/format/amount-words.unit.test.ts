import { expect, test } from 'vitest';
import { amountInWords } from '../../../src/web/format/amount-words.ts';

/* Amounts in words: what an operator reads before cash is entered. */

test.each([
  ['3000.00', 'GTQ', 'three thousand Guatemalan quetzals', 'tres mil quetzales'],
  ['3000.50', 'GTQ', 'three thousand Guatemalan quetzals and 50/100', 'tres mil quetzales con 50/100'],
  ['1.00', 'GTQ', 'one Guatemalan quetzal', 'un quetzal'],
  ['21.00', 'GTQ', 'twenty-one Guatemalan quetzals', 'veintiún quetzales'],
  ['131.00', 'GTQ', 'one hundred thirty-one Guatemalan quetzals', 'ciento treinta y un quetzales'],
  ['100.00', 'USD', 'one hundred US dollars', 'cien dólares estadounidenses'],
  [
    '21951.00',
    'GTQ',
    'twenty-one thousand nine hundred fifty-one Guatemalan quetzals',
    'veintiún mil novecientos cincuenta y un quetzales',
  ],
  ['1000000.00', 'GTQ', 'one million Guatemalan quetzals', 'un millón de quetzales'],
  ['2000100.00', 'GTQ', 'two million one hundred Guatemalan quetzals', 'dos millones cien quetzales'],
  ['0.05', 'GTQ', 'zero Guatemalan quetzals and 05/100', 'cero quetzales con 05/100'],
  ['1.250', 'KWD', 'one Kuwaiti dinars and 250/1000', 'un dinares kuwaitíes con 250/1000'],
  ['5000', 'JPY', 'five thousand Japanese yen', 'cinco mil yenes japoneses'],
])('%s %s', (decimal, currency, en, es) => {
  expect(amountInWords('en', decimal, currency)).toBe(en);
  expect(amountInWords('es', decimal, currency)).toBe(es);
});

test('each number up to two thousand has words of its own', () => {
  for (const language of ['en', 'es'] as const) {
    const all = new Set(Array.from({ length: 2_001 }, (_, n) => amountInWords(language, `${n}`, 'GTQ')));
    expect(all.size).toBe(2_001);
    expect([...all].filter((words) => /undefined|\s\s|\d/.test(words))).toEqual([]);
  }
});
