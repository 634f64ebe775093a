import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, type Reason, type Rules, reasons } from '../../src/lamassu/eligibility.ts';
import type { LamassuRow } from '../../src/lamassu/row.ts';
import { plus } from '../../src/time.ts';

const NOW = '2026-11-20T12:00:00.000000Z';
const HOUR = 3_600_000;
const ago = (hours: number) => plus(NOW, -hours * HOUR);

const rules: Rules = {
  source: 'lamassu',
  startAt: '2026-11-01T06:00:00.000000Z',
  cashOutAbove: [],
  method: 'ticker',
  fallback: 'margin',
  currencies: new Map(),
};

const successful: LamassuRow = {
  id: '0b1c2d3e-0000-4000-8000-000000000001',
  device_id: 'a1b2c3',
  crypto_atoms: '512400',
  received_crypto_atoms: '512400',
  crypto_code: 'LN',
  fiat: '4000.00000',
  fiat_code: 'GTQ',
  status: 'confirmed',
  dispense: 'true',
  dispense_confirmed: 'true',
  error: null,
  error_code: null,
  created: '2026-11-20T10:00:00.000001Z',
  confirmed_at: '2026-11-20T10:00:30.123456Z',
  redeem: 'false',
  commission_percentage: '0.05500',
  discount: '0',
  raw_ticker_price: '826091.28000',
  fixed_fee: null,
};

/** By default, created when it was confirmed. */
const rowOf = ({ confirmed_at: at, ...change }: Partial<LamassuRow>): LamassuRow => ({
  ...successful,
  ...(at === undefined ? {} : { confirmed_at: at, created: at }),
  ...change,
});

const judged = (change: Partial<LamassuRow>, changedRules: Partial<Rules> = {}) =>
  judge(rowOf(change), { ...rules, ...changedRules }, NOW, {}).judgement;

function eligible(change: Partial<LamassuRow>, changedRules: Partial<Rules> = {}) {
  const judgement = judged(change, changedRules);
  if (!judgement.eligible) throw new Error(`${judgement.reason}: ${judgement.detail}`);
  return judgement.cashOut;
}

describe('a successful row', () => {
  test('becomes a cash-out with exact figures', () => {
    expect(eligible({})).toEqual({
      id: successful.id,
      source: 'lamassu',
      machine: 'a1b2c3',
      confirmedAt: '2026-11-20T10:00:30.123456Z',
      currency: 'GTQ',
      digits: 2,
      fiat: 400_000n,
      undelivered: 0n,
      distributed: 512_400n,
      commission: 28_193n,
      method: 'ticker',
      lamassu: successful,
    });
  });

  test.each<[string, Partial<LamassuRow>, object]>([
    ['on-chain', { crypto_code: 'BTC' }, { distributed: 512_400n }],
    [
      'tolerated underpayment: what arrived counts',
      { received_crypto_atoms: '512300' },
      { distributed: 512_300n, commission: 28_093n },
    ],
    ['overpayment: what was asked counts', { received_crypto_atoms: '600000' }, { distributed: 512_400n }],
    [
      'a server that does not record what arrived',
      { received_crypto_atoms: null },
      { distributed: 512_400n },
    ],
    ['no price: the fallback', { raw_ticker_price: null }, { method: 'margin', commission: 28_182n }],
    ['a currency without minor units', { fiat: '4000.00000', fiat_code: 'JPY' }, { fiat: 4000n, digits: 0 }],
    ['redeemed later', { redeem: 'true', confirmed_at: ago(100) }, { confirmedAt: ago(100) }],
    ['exactly at the start', { confirmed_at: rules.startAt }, { confirmedAt: rules.startAt }],
    ['a clock that is a little off', { confirmed_at: plus(NOW, 300_000) }, {}],
  ])('%s', (_, change, expected) => {
    expect(eligible(change)).toMatchObject(expected);
  });

  test('by the formula of the older extension', () => {
    expect(eligible({}, { method: 'markup' })).toMatchObject({ commission: 512_400n - 485_687n });
  });
});

describe('the machine', () => {
  const dispense = (device_id: string | null, action = 'dispense') => ({
    ...{ action, device_id, created: ago(1), cash: '4000' },
  });
  test.each<[string, ReturnType<typeof dispense>[] | null, string, string | undefined]>([
    ['that gave out the cash counts', [dispense('m2')], 'm2', 'a1b2c3'],
    ['is where it was begun, where nothing was logged', null, 'a1b2c3', undefined],
    ['is where it was begun, where the log names none', [dispense(null)], 'a1b2c3', undefined],
    [
      'is that of the dispense, not of what came before',
      [dispense('m3', 'provisionNotes'), dispense('m2')],
      'm2',
      'a1b2c3',
    ],
    ['that only made ready does not count', [dispense('m3', 'provisionNotes')], 'a1b2c3', undefined],
    ['may have logged it twice', [dispense('m2'), dispense('m2')], 'm2', 'a1b2c3'],
    ['is one', [dispense('a1b2c3')], 'a1b2c3', undefined],
  ])('%s', (_, actions, machine, begunAt) => {
    const cashOut = eligible({ actions: actions && JSON.stringify(actions) });
    expect([cashOut.machine, cashOut.begunAt]).toEqual([machine, begunAt]);
  });
});

describe('a row that is not paid automatically', () => {
  const zeroConf = {
    status: 'authorized',
    dispense: 'true',
    dispense_confirmed: 'false',
    confirmed_at: null,
  };
  const review = true;
  const watch = true;
  const quiet = { review: false, watch };
  const needsPerson = { review, watch };

  test.each<[string, Partial<LamassuRow>, Reason, { review: boolean; watch: boolean }]>([
    [
      'not paid',
      { status: 'published', dispense: 'false', dispense_confirmed: 'false', confirmed_at: null },
      'not-confirmed',
      { review: false, watch: false },
    ],
    ['rejected after a confirmation', { status: 'rejected' }, 'not-confirmed', { review: false, watch }],
    ['zero-conf, waiting for its confirmation', { ...zeroConf, created: ago(23) }, 'not-confirmed', quiet],
    ['zero-conf, a day old', { ...zeroConf, created: ago(25) }, 'unconfirmed', needsPerson],
    [
      'dispensed, a day old, never confirmed',
      { status: 'insufficientFunds', confirmed_at: null, created: ago(25) },
      'unconfirmed',
      needsPerson,
    ],
    [
      'cancelled by the operator before a payment',
      { ...zeroConf, error_code: 'operatorCancel', created: ago(99) },
      'not-confirmed',
      { review: false, watch: false },
    ],
    [
      'paid, the cash not fetched yet',
      { dispense: 'false', dispense_confirmed: 'false', confirmed_at: ago(47) },
      'not-dispensed',
      quiet,
    ],
    [
      'paid, the cash not fetched for two days',
      { dispense: 'false', dispense_confirmed: 'false', confirmed_at: ago(49) },
      'not-dispensed',
      needsPerson,
    ],
    ['dispense unknown', { dispense_confirmed: null, confirmed_at: ago(1) }, 'not-dispensed', quiet],
    ['partial dispense', { dispense_confirmed: 'false', error: 'Partial dispense' }, 'error', needsPerson],
    [
      'operator cancel',
      { dispense_confirmed: 'false', error: 'Operator cancel', error_code: 'operatorCancel' },
      'error',
      needsPerson,
    ],
    ['an error code alone', { error_code: 'scoreThresholdReached' }, 'error', needsPerson],
    [
      'another coin',
      { crypto_code: 'ETH', crypto_atoms: '25000000000000000000' },
      'other-coin',
      { review, watch: false },
    ],
    ['dated in the future', { confirmed_at: plus(NOW, 300_001) }, 'future', needsPerson],
    [
      'successful before the start',
      { confirmed_at: ago(24 * 30) },
      'before-start',
      { review: false, watch: false },
    ],
    ['an error before the start', { confirmed_at: ago(24 * 30), error: 'jam' }, 'error', quiet],
    ['malformed before the start', { confirmed_at: ago(24 * 30), fiat: 'NaN' }, 'malformed', quiet],
    [
      'neither price nor rate',
      { raw_ticker_price: null, commission_percentage: null },
      'no-rate',
      needsPerson,
    ],
    ['more principal than gross', { raw_ticker_price: '400000.00000' }, 'implausible-rate', needsPerson],
    ['more than half is commission', { raw_ticker_price: '2000000.00000' }, 'implausible-rate', needsPerson],
  ])('%s', (_, change, reason, next) => {
    expect(judged(change)).toMatchObject({ eligible: false, reason, ...next });
  });

  test.each<[Partial<LamassuRow>]>([
    [{ confirmed_at: null }],
    [{ confirmed_at: 'infinity' }],
    [{ confirmed_at: '10000-01-01 00:00:00+00' }],
    [{ crypto_code: null }],
    [{ device_id: null }],
    [{ device_id: '' }],
    [{ device_id: 'a\u0000b' }],
    [{ device_id: 'a'.repeat(201) }],
    [{ fiat_code: null }],
    [{ fiat_code: 'gtq' }],
    [{ fiat: null }],
    [{ fiat: 'NaN' }],
    [{ fiat: '0.00000' }],
    [{ fiat: '-4000.00000' }],
    [{ fiat: '1e3' }],
    [{ fiat: '4000.00100' }],
    [{ fiat: '1000000000.00000' }],
    [{ fiat: '9'.repeat(1_000_000) }],
    [{ crypto_atoms: null }],
    [{ crypto_atoms: '0' }],
    [{ crypto_atoms: '-1' }],
    [{ crypto_atoms: '512400.5' }],
    [{ crypto_atoms: '2100000000000001' }],
    [{ received_crypto_atoms: '0' }],
    [{ raw_ticker_price: '0.00000' }],
    [{ raw_ticker_price: 'NaN' }],
    [{ discount: '101' }],
    [{ fixed_fee: '-1.00000' }],
  ])('malformed: %o', (change) => {
    const judgement = judged(change);
    expect(judgement).toMatchObject({ eligible: false, reason: 'malformed', review: true, watch: true });
    expect(judgement).toHaveProperty('detail', expect.stringContaining(Object.keys(change)[0] ?? ''));
  });

  test('a row in an unknown currency waits until its digits are known', () => {
    const row = { ...successful, fiat_code: 'QQQ', fiat: '40.50000' };
    const waits = judge(row, rules, NOW, {}).judgement;
    expect(waits).toMatchObject({ reason: 'unknown-currency', review: true, watch: true });
    expect(waits).toHaveProperty('detail', 'fiat_code is "QQQ"');
    const known = { ...rules, currencies: new Map([['QQQ', 1]]), method: 'margin' as const };
    expect(judge(row, known, NOW, {}).judgement).toMatchObject({
      ...{ eligible: true, cashOut: { digits: 1, fiat: 405n } },
    });
  });

  const dispense = (cash: string | null, device_id: string | null = 'a1b2c3', hours = 2) => ({
    ...{ action: 'dispense', device_id, created: ago(hours), cash },
  });
  const logged = (...actions: { action: string }[]) => JSON.stringify(actions);
  const stuck = { dispense_confirmed: 'false', confirmed_at: ago(2) };
  const provisioned = { ...dispense(null), action: 'provisionNotes', created: ago(0.5) };

  test.each<[string, Partial<LamassuRow>, RegExp]>([
    ['out of bills, nothing logged', {}, /^nothing was counted; dispensing began by 2026-11-20T10/],
    ['in part, and no error', { actions: logged(dispense('1000')) }, /^1,000 of 4,000 GTQ came out;/],
    ['no notes', { actions: logged(dispense('0')) }, /^Lamassu counted no notes out;/],
    ['all of them', { actions: logged(dispense('4000')) }, /^all 4,000 GTQ came out by the notes counted;/],
    ['too many', { actions: logged(dispense('5000')) }, /counted 5,000 GTQ, more than the 4,000 GTQ/],
    ['no count', { actions: logged(dispense(null)) }, /^nothing was counted;/],
    [
      'logged twice: not added up',
      { actions: logged(dispense('800'), dispense('800', 'm2')) },
      /^Lamassu logged 2 dispenses, which may be one and the same: 800 GTQ at a1b2c3; 800 GTQ at m2;/,
    ],
    ['finer than the currency', { actions: logged(dispense('0.001')) }, /^0\.001 of 4,000 GTQ/],
    ['a currency nobody knows', { fiat_code: 'XYZ', actions: logged(dispense('5')) }, /^5 of 4,000 XYZ/],
    ['a day after the payment', { confirmed_at: ago(30), actions: logged(dispense('1000')) }, /^1,000 of/],
  ])('dispensing was begun an hour ago and never confirmed: %s', (_, change, words) => {
    const judgement = judged({ ...stuck, ...change });
    expect(judgement).toMatchObject({ reason: 'dispense-unconfirmed', ...needsPerson });
    expect(judgement).toHaveProperty('detail', expect.stringMatching(words));
  });

  test.each<[string, Partial<LamassuRow>]>([
    ['waiting to be fetched', { ...stuck, dispense: 'false' }],
    ['begun an hour ago', { ...stuck, confirmed_at: ago(1) }],
    [
      'fetched a day later, half an hour ago',
      { ...stuck, confirmed_at: ago(30), actions: logged(provisioned) },
    ],
  ])('has time to come out: %s', (_, change) => {
    expect(judged(change)).toMatchObject({ reason: 'not-dispensed', ...quiet });
  });

  test('cash of two machines needs the operator', () => {
    const judgement = judged({ actions: logged(dispense('1000', 'm2'), dispense('3000', 'm3')) });
    expect(judgement).toMatchObject({
      ...{ reason: 'several-machines', ...needsPerson },
      detail: 'dispense at m2: 1,000 GTQ; dispense at m3: 3,000 GTQ',
    });
    // One has no machine recorded: it counts for the machine of the transaction.
    expect(judged({ actions: logged(dispense('1000', null), dispense('3000', 'm3')) })).toMatchObject({
      reason: 'several-machines',
    });
  });

  test('a machine that cannot be one', () => {
    expect(judged({ actions: logged(dispense('4000', 'a\u0007')) })).toMatchObject({
      ...{ reason: 'malformed', ...needsPerson },
      detail: 'device_id of the dispense is "a "',
    });
  });

  test('a commission below zero is reported with the missing sats', () => {
    const below = {
      commission_percentage: '-0.05500',
      crypto_atoms: '458900',
      received_crypto_atoms: '458900',
    };
    for (const method of ['ticker', 'margin', 'markup'] as const) {
      const judgement = judged(below, { method });
      expect(judgement).toMatchObject({ reason: 'negative-commission', ...needsPerson });
      expect(judgement).toHaveProperty(
        'detail',
        expect.stringMatching(/was worth 48\d,\d{3} sat, and only 458,900 were paid: 2\d,\d{3} are missing/),
      );
    }
    // Where no satoshi is missing by the price, the price decides.
    expect(judged({ commission_percentage: '-0.00001' })).toMatchObject({ eligible: true });
  });

  test('its detail is one short line, whatever the row holds', () => {
    const judgement = judged({ error: `jam\n\u001b[31m\u202e${'x'.repeat(5000)}` });
    if (judgement.eligible) throw new Error('eligible');
    expect(judgement.detail).not.toMatch(/[\p{C}\n]/u);
    expect(judgement.detail.length).toBeLessThan(300);
  });
});

test('nothing that a row holds makes judging it throw, and every cash-out is sound', () => {
  const odd = fc.constantFrom(
    '',
    'NaN',
    'infinity',
    '-infinity',
    '-1',
    '0',
    '1e9',
    '9'.repeat(50),
    ago(1),
    'true',
  );
  const column = fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    odd,
    fc.string(),
    fc.string({ unit: 'binary' }),
  );
  const names = Object.keys(successful).filter((name) => name !== 'id');
  const change = fc.record(Object.fromEntries(names.map((name) => [name, column])));
  fc.assert(
    fc.property(change, (values) => {
      const set = Object.entries(values).filter(([, value]) => value !== undefined);
      const judgement = judged(Object.fromEntries(set));
      if (!judgement.eligible) {
        expect(reasons).toHaveProperty(judgement.reason);
        expect(judgement.detail).not.toMatch(/\p{C}/u);
        return;
      }
      const { distributed, commission, fiat } = judgement.cashOut;
      expect(fiat > 0n && commission >= 0n && commission * 2n <= distributed).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe('what the ledger knows of a row', () => {
  const early = rowOf({ confirmed_at: ago(24 * 30) });
  const review = (state: string, reason: string, row: LamassuRow) => ({
    review: { state, reason, lamassu: JSON.stringify(row) },
  });

  test('a large one waits until it is released', () => {
    const cashOutAbove = [{ currency: 'GTQ', digits: 2, minor: 399_999n }];
    const large = (known: Parameters<typeof judge>[3]) =>
      judge(successful, { ...rules, cashOutAbove }, NOW, known);
    expect(large({}).judgement).toMatchObject({
      eligible: false,
      reason: 'large',
      review: true,
      watch: true,
    });
    expect(large(review('open', 'large', successful)).judgement).toMatchObject({ reason: 'large' });
    expect(large(review('released', 'large', successful))).toMatchObject({
      ...{ judgement: { eligible: true }, released: true },
    });
    const otherwise = { ...successful, fiat: '4000.01000' };
    expect(large(review('released', 'large', otherwise))).toMatchObject({
      ...{ judgement: { reason: 'large' }, released: false },
    });
  });

  test('one confirmed before it was created waits, and goes on waiting after its time was corrected', () => {
    const backdated = { ...successful, confirmed_at: ago(3), created: ago(2) };
    expect(judge(backdated, rules, NOW, {}).judgement).toMatchObject({ reason: 'backdated', review: true });
    const known = review('open', 'backdated', successful);
    expect(judge(successful, rules, NOW, known).judgement).toMatchObject({ reason: 'backdated' });
  });

  test('a processed row stays processed, even before the start or after Lamassu’s clock', () => {
    const later = rowOf({ confirmed_at: plus(NOW, HOUR) });
    for (const row of [early, later]) {
      const processed = { confirmed_at: row.confirmed_at ?? '' };
      expect(judge(row, rules, NOW, { processed }).judgement).toMatchObject({ eligible: true });
      expect(judge(row, rules, NOW, {}).judgement).toMatchObject({ eligible: false });
    }
  });

  test('the watermark may go as far as Lamassu’s clock', () => {
    const readAt = (at: string | null) => judge({ ...successful, confirmed_at: at }, rules, NOW, {}).readAt;
    expect(readAt(ago(1))).toBe(ago(1));
    expect(readAt(NOW)).toBe(NOW);
    expect(['infinity', null, plus(NOW, 1)].map(readAt)).toEqual([null, null, null]);
  });
});
