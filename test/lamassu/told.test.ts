import { describe, expect, test } from 'vitest';
import type { LamassuRow } from '../../src/lamassu/row.ts';
import { toldBy } from '../../src/lamassu/told.ts';

const NOW = '2026-11-20T12:00:00.000000Z';
const jammed: LamassuRow = {
  id: '0b1c2d3e-0000-4000-8000-000000000001',
  device_id: 'a1b2c3',
  crypto_atoms: '529100',
  received_crypto_atoms: '529050',
  crypto_code: 'LN',
  fiat: '500.00000',
  fiat_code: 'USD',
  status: 'confirmed',
  dispense: 'true',
  dispense_confirmed: 'false',
  error: 'jam',
  error_code: null,
  created: '2026-11-20T10:00:00.000001Z',
  confirmed_at: '2026-11-20T10:01:00.000001Z',
  redeem: 'false',
  commission_percentage: '0.05500',
  discount: null,
  raw_ticker_price: '100000.00000',
  fixed_fee: null,
};
const told = (columns: Partial<LamassuRow> = {}, dispensed: bigint | null = 200_00000n) =>
  toldBy({ ...jammed, ...columns }, dispensed, NOW, new Map());

describe('what a row tells of a cash-out that a person settles', () => {
  test('is everything that is sound', () => {
    expect(told()).toEqual({
      ...{ machine: 'a1b2c3', at: jammed.confirmed_at, atFrom: 'confirmed_at' },
      ...{ currency: 'USD', digits: 2, asked: 500_00n, cameOut: 200_00n, gross: 529_050n },
      charge: { ticker: 100_000_00000n, rate: 5_500n, discount: 0n, fixedFee: 0n },
    });
  });

  test.each<[string, Partial<LamassuRow>, bigint | null, Record<string, unknown>]>([
    ['all came out where Lamassu confirmed that', { dispense_confirmed: 'true' }, null, { cameOut: 500_00n }],
    ['no dispense, no cash', {}, null, { cameOut: null }],
    ['an empty dispense is no figure', {}, 0n, { cameOut: null }],
    ['more notes than were asked for are no figure', {}, 501_00000n, { cameOut: null }],
    ['a payment that never arrived is no figure', { received_crypto_atoms: '0' }, null, { gross: null }],
    ['an older server has what was asked', { received_crypto_atoms: null }, null, { gross: 529_100n }],
    ['another coin has no satoshi', { crypto_code: 'ETH' }, null, { gross: null, charge: null }],
    ['an unknown currency', { fiat_code: 'XYZ' }, 5n, { currency: null, asked: null, cameOut: null }],
    ['finer than the currency goes', { fiat: '500.00100' }, null, { asked: null }],
    ['no number', { crypto_atoms: 'NaN', fiat: '-5' }, null, { gross: null, asked: null }],
    ['no machine', { device_id: '\u0007' }, null, { machine: null }],
    ['never confirmed', { confirmed_at: null }, null, { at: jammed.created, atFrom: 'created' }],
    [
      'from the future',
      { confirmed_at: '2026-11-20T12:00:00.000001Z' },
      null,
      { at: jammed.created, atFrom: 'created' },
    ],
    ['no time at all', { confirmed_at: 'infinity', created: null }, null, { at: NOW, atFrom: 'now' }],
  ])('%s', (_what, columns, dispensed, expected) => {
    expect(told(columns, dispensed)).toMatchObject(expected);
  });
});
