import { describe, expect, test } from 'vitest';
import { partialFigures } from '../../src/lamassu/partial-figures.ts';
import type { LamassuRow } from '../../src/lamassu/row.ts';

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
const dispense = (cash: string | null, device_id: string | null = 'a1b2c3') => ({
  ...{ action: 'dispenseError', device_id, created: NOW, cash },
});
const told = (columns: Partial<LamassuRow> = {}, dispenses = [dispense('200.00000')]) =>
  partialFigures({ ...jammed, actions: JSON.stringify(dispenses), ...columns }, NOW, new Map());

describe('what a row tells of a cash-out that the operator settles', () => {
  test('is everything that is sound', () => {
    expect(told()).toEqual({
      ...{ machine: 'a1b2c3', begunAt: null, at: jammed.confirmed_at, atFrom: 'confirmed_at' },
      ...{ currency: 'USD', digits: 2, asked: 500_00n, cameOut: 200_00n, gross: 529_050n },
      charge: { ticker: 100_000_00000n, rate: 5_500n, discount: 0n, fixedFee: 0n },
    });
  });

  test.each<[string, Partial<LamassuRow>, ReturnType<typeof dispense>[], Record<string, unknown>]>([
    ['all came out where Lamassu confirmed that', { dispense_confirmed: 'true' }, [], { cameOut: 500_00n }],
    ['no dispense, no cash', {}, [], { cameOut: null }],
    ['no notes counted out are a count', {}, [dispense('0.00000')], { cameOut: 0n }],
    ['a dispense without a count is no figure', {}, [dispense(null)], { cameOut: null }],
    ['below zero', {}, [dispense('-20.00000')], { cameOut: null }],
    ['two dispenses are not added up', {}, [dispense('200'), dispense('200')], { cameOut: null }],
    ['the machine that gave it out', {}, [dispense('200', 'm2')], { machine: 'm2', begunAt: 'a1b2c3' }],
    ['a machine that was not recorded', {}, [dispense('200', null)], { machine: 'a1b2c3', begunAt: null }],
    ['two machines', {}, [dispense('80', 'm2'), dispense('120', 'm3')], { machine: null, begunAt: 'a1b2c3' }],
    [
      'one of two that was not written down',
      {},
      [dispense('80', null), dispense('120', 'm3')],
      { machine: null },
    ],
    ['more notes than were asked for are no figure', {}, [dispense('501')], { cameOut: null }],
    ['a payment that never arrived is no figure', { received_crypto_atoms: '0' }, [], { gross: null }],
    ['an older server has what was asked', { received_crypto_atoms: null }, [], { gross: 529_100n }],
    ['another coin has no satoshi', { crypto_code: 'ETH' }, [], { gross: null, charge: null }],
    [
      'an unknown currency',
      { fiat_code: 'XYZ' },
      [dispense('5')],
      { currency: null, asked: null, cameOut: null },
    ],
    ['finer than the currency goes', { fiat: '500.00100' }, [], { asked: null }],
    ['no number', { crypto_atoms: 'NaN', fiat: '-5' }, [], { gross: null, asked: null }],
    ['no machine', { device_id: '\u0007' }, [], { machine: null }],
    ['never confirmed', { confirmed_at: null }, [], { at: jammed.created, atFrom: 'created' }],
    [
      'from the future',
      { confirmed_at: '2026-11-20T12:00:00.000001Z' },
      [],
      { at: jammed.created, atFrom: 'created' },
    ],
    ['no time at all', { confirmed_at: 'infinity', created: null }, [], { at: NOW, atFrom: 'now' }],
  ])('%s', (_what, columns, dispenses, expected) => {
    expect(told(columns, dispenses)).toMatchObject(expected);
  });
});
