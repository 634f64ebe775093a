import type { Draws } from './draws.ts';
import type { Row } from './judgement.ts';

/* One row of Lamassu: what a machine writes, and what no machine should ever write. */

export interface RowWorld {
  draw: Draws;
  machines: readonly string[];
  /** `fixed_fee` is there. */
  fees: boolean;
  /** Amounts up to the ends of their columns; nobody can be paid these. */
  huge: boolean;
}

interface Currency {
  code: string;
  digits: number;
  /** Whole units. */
  note: number;
  price: number;
}

export const currencies = {
  USD: { code: 'USD', digits: 2, note: 20, price: 90_000 },
  GTQ: { code: 'GTQ', digits: 2, note: 100, price: 700_000 },
  JPY: { code: 'JPY', digits: 0, note: 1_000, price: 14_000_000 },
  KWD: { code: 'KWD', digits: 3, note: 5, price: 28_000 },
  COP: { code: 'COP', digits: 2, note: 50_000, price: 370_000_000 },
  CLF: { code: 'CLF', digits: 4, note: 1, price: 2_300 },
} satisfies Record<string, Currency>;

const { USD, GTQ, JPY, KWD, COP, CLF } = currencies;
const MOST_FIAT = 10n ** 14n - 1n;

/** A row of a machine that works: paid, dispensed, confirmed at `at`. */
export function soundRow(world: RowWorld, id: string, at: string): Row {
  const { draw } = world;
  const currency = draw.pick(USD, USD, USD, GTQ, GTQ, JPY, JPY, KWD, KWD, draw.pick(COP, CLF));
  const unit = 10n ** BigInt(5 - currency.digits);
  const whole = 10n ** BigInt(currency.digits) * BigInt(currency.note);
  let minor = draw.pick(
    () => whole * draw.big(1n, 100n),
    () => whole * draw.big(1n, 100n),
    () => draw.big(1n, whole * 20n),
    () => draw.big(1n, 30n),
  )();
  let price = BigInt(currency.price) * draw.big(80_000n, 120_000n);
  if (world.huge && draw.chance(15)) {
    minor = draw.pick(MOST_FIAT / unit, draw.big(1n, MOST_FIAT / unit));
    price = draw.pick(MOST_FIAT, draw.big(1n, MOST_FIAT), draw.big(10_000n, 10_000_000_000n), price);
  }
  const fiat = minor * unit;
  // Older screens of Lamassu took one below zero.
  const rate = draw.chance(4)
    ? -draw.big(500n, 20_000n)
    : draw.pick(5_500n, 8_000n, 0n, draw.big(0n, 20_000n));
  const discount = draw.pick(0n, 0n, 0n, 15n, 100n, draw.big(0n, 100n));
  const fee = world.fees && draw.chance(30) ? unit * draw.big(1n, 300n) : 0n;
  const exact = ((fiat + fee) * 10n ** 15n) / (price * (10n ** 7n - rate * (100n - discount)));
  const principal = (fiat * 10n ** 8n) / price;
  const steps = ((exact + 50n) / 100n) * 100n;
  const asked = draw.chance(92)
    ? draw.pick(exact, steps, steps)
    : // The ends of what is plausible: 200 sat too few, half of it commission.
      principal + draw.pick(-201n, -200n, -199n, 0n, principal - 1n, principal, principal + 1n);
  const received = draw.pick(asked, asked, asked - draw.big(0n, 100n), asked + draw.big(0n, 5_000n));
  return {
    id,
    device_id: draw.pick(...world.machines),
    to_address: 'lnbc1example',
    crypto_atoms: `${asked}`,
    received_crypto_atoms: draw.chance(10) ? null : `${received}`,
    crypto_code: draw.pick('BTC', 'LN'),
    fiat: decimal(fiat),
    fiat_code: currency.code,
    status: 'confirmed',
    dispense: 'true',
    dispense_confirmed: 'true',
    redeem: 'false',
    error: null,
    error_code: null,
    created: at,
    confirmed_at: at,
    commission_percentage: draw.chance(6) ? null : decimal(rate),
    discount: draw.chance(10) ? null : `${discount}`,
    raw_ticker_price: draw.chance(8) ? null : decimal(price),
    ...(world.fees ? { fixed_fee: decimal(fee) } : {}),
    phone: draw.pick(null, '+50255550123'),
    customer_id: '47ac1184-8102-11e7-9079-8f13a7117867',
  };
}

const WORDS = [
  '',
  ' ',
  'ошибка',
  '🏧💥',
  '\u202egnp.txt',
  '\u001b[2J\u0007',
  "'; drop table fundings;--",
  'é\u0301\u200d',
];

/** Times that no clock shows, and its last and first ones. */
export const strangeTimes = [
  'infinity',
  '-infinity',
  '12000-01-01 00:00:00+00',
  '0044-03-15 00:00:00+00 BC',
  '9999-12-31T23:59:59.999999Z',
  '0001-01-01T00:00:00.000000Z',
];

/** The row with one to three of its columns at the ends of their types, or full of nonsense. */
export function spoilt(world: RowWorld, row: Row): Row {
  const { draw } = world;
  const long = (length: number) => 'ж'.repeat(length);
  const atoms = world.huge ? ['2099999999999999', '1', '2000000000000000'] : ['1', '7'];
  const odd: Record<string, () => string | null> = {
    crypto_atoms: () => draw.pick('0', '-1', 'NaN', '2100000000000000', '9'.repeat(30), ...atoms),
    received_crypto_atoms: () => draw.pick('0', '-1', 'NaN', '2100000000000000', '9'.repeat(30), ...atoms),
    fiat: () =>
      draw.pick(
        '0.00000',
        '-20.00000',
        'NaN',
        '999999999.99999',
        '-999999999.99999',
        '0.00001',
        '20.12345',
        '100.50000',
      ),
    fiat_code: () =>
      draw.pick(
        '',
        'usd',
        'ZZZ',
        'XAU',
        'XXX',
        'US',
        'USD ',
        '\u202eUSD',
        'UЅD',
        'constructor',
        'EEK',
        long(300),
      ),
    crypto_code: () => draw.pick('ETH', 'LTC', 'btc', 'BTC ', '', 'LN\u200b', 'BTСLN', long(300)),
    device_id: () =>
      draw.pick(
        '',
        long(200),
        long(201),
        'a\nb',
        'tab\tb',
        '\u200b',
        'a\u0007',
        '机器 №5 🏧',
        "o'neil\\",
        ' ',
        '🏧'.repeat(200),
      ),
    raw_ticker_price: () => draw.pick('0.00000', '-1.00000', 'NaN', '999999999.99999', '0.00001'),
    commission_percentage: () =>
      draw.pick('-0.00001', 'NaN', '1.00000', '0.50000', '999999999.99999', '-999999999.99999'),
    discount: () => draw.pick('-1', '101', '100', '32767', '-32768'),
    ...(world.fees ? { fixed_fee: () => draw.pick('-0.00001', 'NaN', '999999999.99999') } : {}),
    error: () => draw.pick(...WORDS, long(5_000)),
    error_code: () => draw.pick(...WORDS, 'operatorCancel'),
    dispense_confirmed: () => draw.pick(null, 'false'),
    dispense: () => 'false',
    redeem: () => 'true',
    status: () => draw.pick('notSeen', 'published', 'authorized', 'instant', 'rejected', 'insufficientFunds'),
    created: () => draw.pick(...strangeTimes),
    confirmed_at: () => draw.pick(null, ...strangeTimes),
  };
  const columns = Object.keys(odd);
  const result = { ...row };
  for (let n = draw.pick(1, 1, 1, 2, 3); n > 0; n -= 1) {
    const column = draw.pick(...columns);
    result[column] = odd[column]?.() ?? null;
  }
  return result;
}

/** ×10^5 as PostgreSQL's numeric(14,5) writes it. */
export function decimal(scaled: bigint): string {
  const text = `${scaled < 0n ? -scaled : scaled}`.padStart(6, '0');
  return `${scaled < 0n ? '-' : ''}${text.slice(0, -5)}.${text.slice(-5)}`;
}
