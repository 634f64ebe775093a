import { expect, test } from 'vitest';
import { currencyDigits } from '../../src/dca/currency.ts';

test.each([
  ['GTQ', 2],
  ['USD', 2],
  ['EUR', 2],
  ['JPY', 0],
  ['KWD', 3],
  ['COP', 2],
  ['IDR', 2],
  ['HUF', 2],
])('%s has %i digits, whatever Intl says', (code, digits) => {
  expect(currencyDigits(code)).toBe(digits);
});

test.each(['gtq', 'GT', 'GTQX', '', 'XYZ', 'BTC', 'XXX', 'XTS', 'XAU', '320', 'constructor'])(
  '%j is no currency',
  (code) => {
    expect(currencyDigits(code)).toBeUndefined();
  },
);
