import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currencyDigits } from '../src/dca/currency.ts';
import { formatDecimal, formatRate, percent } from '../src/dca/money.ts';
import { BridgeError } from '../src/errors.ts';
import { parseId, parseName } from '../src/typed/names.ts';
import {
  parseAmount,
  parseCurrency,
  parseDifference,
  parseRate,
  parseSats,
  parseSatsOrNone,
  parseWhole,
} from '../src/typed/numbers.ts';
import { parseTime, parseZonedTime } from '../src/typed/times.ts';

function refusal(act: () => unknown): { message: string; hint: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof BridgeError && error.code === 'usage/invalid') {
      return { message: error.message, hint: `${error.hint ?? ''}` };
    }
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
    '1.5 JPY',
    '3000 XYZ',
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

  test.each([
    [
      '3,000 GTQ',
      '"3,000 GTQ" can be read as 3 or as 3,000',
      '"3000 GTQ", without a comma, or "3 GTQ", whichever',
    ],
    [
      '3,000.50 GTQ',
      '"3,000.50 GTQ" has a comma, and only digits and a point go',
      '"3000.5 GTQ", without a comma, if',
    ],
    ['1,234,567 GTQ', '"1,234,567 GTQ" has a comma', '"1234567 GTQ", without a comma, if'],
    ['3 000 GTQ', '"3 000 GTQ" has a blank', '"3000 GTQ", without a blank, if'],
    ["3'000 GTQ", `"3'000 GTQ" has an apostrophe`, '"3000 GTQ", without an apostrophe, if'],
    ['3_000 GTQ', '"3_000 GTQ" has an underscore', '"3000 GTQ", without an underscore, if'],
    ['30,5 GTQ', '"30,5 GTQ" has a comma', '"30.5 GTQ" if'],
    // A price has more digits, and the same rule.
    ['780,5 GTQ', '"780,5 GTQ" has a comma, and only digits and a point go', '"780.5 GTQ" if'],
    ['780000,50 GTQ', '"780000,50 GTQ" has a comma, and only digits', '"780000.5 GTQ" if'],
    ['780.000,50 GTQ', '"780.000,50 GTQ" has a comma, and only digits', '"780000.5 GTQ" if'],
    ['780,000.50 GTQ', '"780,000.50 GTQ" has a comma', '"780000.5 GTQ", without a comma, if'],
  ])('%s: the error names what groups the digits, as the output of this program does', (text, what, hint) => {
    const error = refusal(() => parseAmount(text, 'amount'));
    expect(error.message).toContain(what);
    expect(error.hint).toContain(hint);
  });

  test('says which decimals are too many', () => {
    expect(refusal(() => parseAmount('3000.505 GTQ', 'amount')).message).toContain('finer than 2 decimals');
  });
});

describe('differences', () => {
  test.each([
    ['-50 GTQ', -5_000n],
    ['−50 GTQ', -5_000n],
    [' - 50.5 GTQ', -5_050n],
    ['+50 GTQ', 5_000n],
    ['50 GTQ', 5_000n],
  ])('%s', (text, minor) => {
    expect(parseDifference(text, 'amount')).toEqual({ minor, currency: 'GTQ', digits: 2 });
  });

  test.each([
    [
      '-3.000 GTQ',
      '"-3.000 GTQ" can be read as -3 or as -3,000',
      'Write "-3000 GTQ" or "-3 GTQ", whichever is meant.',
    ],
    [
      '−50,5 GTQ',
      '"-50,5 GTQ" has a comma, and only digits and a point go',
      'Write "-50.5 GTQ" if that is meant.',
    ],
    ['-50GTQ', '"50GTQ" is not an amount with its currency', 'Write a blank between: "-50 GTQ".'],
    ['--50 GTQ', '"--50 GTQ" is negative', 'Write a number and a currency, like "-3000.50 GTQ".'],
    [
      '+3.000 GTQ',
      '"3.000 GTQ" can be read as 3 or as 3,000',
      'Write "3000 GTQ" or "3 GTQ", whichever is meant.',
    ],
  ])('%s: what is proposed keeps the sign', (text, what, hint) => {
    expect(refusal(() => parseDifference(text, 'amount'))).toEqual({ message: `amount: ${what}.`, hint });
  });
});

describe('sats', () => {
  test('another unit is shown as it was typed', () => {
    for (const wrong of ['0.00211 BTC', '211000 msat', '211k'])
      expect(refusal(() => parseSats(wrong, '--gross')).message).toBe(
        `--gross: "${wrong}" is not a plain number.`,
      );
  });

  test.each(['61234', '61234 sat', '61234sat', '61234 sats', '61234 Sats', '61234 SAT'])('%s', (text) => {
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

/** A hint without the mark that has to go, which a test above looks at. */
const plain = (hint: unknown) => `${hint}`.replace(/, without an? \w+,/, '');

describe('a number with two readings is refused with both', () => {
  test.each([
    ['3.000 GTQ', '3', '3,000', '3 GTQ', '3000 GTQ'],
    ['50.000 CLP', '50', '50,000', '50 CLP', '50000 CLP'],
    ['200.000 COP', '200', '200,000', '200 COP', '200000 COP'],
    ['3,000 GTQ', '3', '3,000', '3 GTQ', '3000 GTQ'],
    ['3,000 KWD', '3', '3,000', '3 KWD', '3000 KWD'],
    ['1,250 KWD', '1.25', '1,250', '1.25 KWD', '1250 KWD'],
    ['12.000 jpy', '12', '12,000', '12 JPY', '12000 JPY'],
  ])('%s', (text, one, other, small, large) => {
    const { message, hint } = refusal(() => parseAmount(text, '--fiat'));
    const shown = `${text.split(' ')[0]} ${text.split(' ')[1]?.toUpperCase()}`;
    expect(message).toBe(`--fiat: "${shown}" can be read as ${one} or as ${other}.`);
    expect(plain(hint)).toBe(`Write "${large}" or "${small}", whichever is meant.`);
  });

  test('satoshi', () => {
    const { message, hint } = refusal(() => parseSats('211.000 sat', '--gross'));
    expect(message).toBe('--gross: "211.000 sat" can be read as 211 or as 211,000.');
    expect(hint).toBe('Write "211000 sat" or "211 sat", whichever is meant.');
  });

  test('a rate', () => {
    const { message, hint } = refusal(() => parseRate('1,000%', '--rate'));
    expect(message).toBe('--rate: "1,000%" can be read as 1 % or as 1,000 %.');
    expect(hint).toBe('Write "1000%", without a comma, or "1%", whichever is meant.');
  });

  test.each([
    ['3.000,00 GTQ', '3000 GTQ'],
    ['3,000.50 GTQ', '3000.5 GTQ'],
    ['1.500.000 COP', '1500000 COP'],
    ['3000,50 GTQ', '3000.5 GTQ'],
    ['3000.505 GTQ', '3000505 GTQ'],
    ['3.0000 GTQ', '3 GTQ'],
    ['0.500 GTQ', '0.5 GTQ'],
    ['5.0 JPY', '5 JPY'],
    ['3 000 GTQ', '3000 GTQ'],
    ['3\u00a0000 GTQ', '3000 GTQ'],
    ['3\u2009000 GTQ', '3000 GTQ'],
    ['3\u202f000 GTQ', '3000 GTQ'],
    ["3'000 GTQ", '3000 GTQ'],
    ['3’000 GTQ', '3000 GTQ'],
    ['3_000 GTQ', '3000 GTQ'],
    ['0003 GTQ', '3 GTQ'],
  ])('%s may be meant as one number, and has to be written so', (text, meant) => {
    const { message, hint } = refusal(() => parseAmount(text, 'amount'));
    expect(message).toMatch(/^amount: "/);
    expect(plain(hint)).toBe(`Write "${meant}" if that is meant.`);
  });

  test.each([
    '+3000 GTQ',
    '-3000 GTQ',
    '−3000 GTQ',
    '--3000 GTQ',
    '3e3 GTQ',
    '3E3 GTQ',
    '0x10 GTQ',
    '0b11 GTQ',
    'Infinity GTQ',
    'NaN GTQ',
    '３０００ GTQ',
    '٣٠٠٠ GTQ',
    '३००० GTQ',
    '3٫5 GTQ',
    '²5 GTQ',
    '3\u200b000 GTQ',
    '.5 GTQ',
    '5. GTQ',
    '5.-- GTQ',
    '3000GTQ',
    'GTQ 3000',
    'Q3000 GTQ',
    '3000 ＧＴＱ',
    '3000 Q',
    '3000 GTQ.',
    `${'9'.repeat(100_000)} GTQ`,
  ])('%s is no amount', (text) => {
    expect(refusal(() => parseAmount(text, 'amount')).message).toMatch(/^amount: "/);
  });

  test('invisible characters are shown', () => {
    expect(refusal(() => parseAmount('3\u200b000 GTQ', 'amount')).message).toContain('3\\u200b000');
    expect(refusal(() => parseAmount('３ GTQ', 'amount')).message).toContain('only the digits 0 to 9 go');
  });

  test('a currency of three digits takes three decimals for what they are', () => {
    for (const code of ['KWD', 'TND', 'BHD', 'JOD', 'OMR']) {
      expect(parseAmount(`3.000 ${code}`, 'amount').minor).toBe(3_000n);
    }
    expect(refusal(() => parseAmount('3.0000 KWD', 'amount')).message).toContain('finer than 3 decimals');
  });

  test('a currency with given digits uses them', () => {
    const known = new Map([
      ['QQQ', 0],
      ['GTQ', 3],
    ]);
    expect(parseAmount('5 QQQ', 'amount', known)).toEqual({ minor: 5n, currency: 'QQQ', digits: 0 });
    expect(parseAmount('3.000 GTQ', 'amount', known).minor).toBe(3_000n);
    expect(refusal(() => parseCurrency('QQQ', '--currency')).hint).toContain('[currencies] QQQ = 2');
  });

  const written = fc.stringMatching(/^[0-9]{1,5}[-+.,' _eE]{0,2}[0-9]{0,4}$/);
  test('whatever is accepted prints back to the same amount', () => {
    const sure = ['GTQ', 'JPY', 'KWD', 'CLP', 'XCG'];
    let accepted = 0;
    fc.assert(
      fc.property(written, fc.constantFrom(...sure), (number, code) => {
        let read: ReturnType<typeof parseAmount>;
        try {
          read = parseAmount(`${number} ${code}`, 'amount');
        } catch {
          return;
        }
        accepted += 1;
        const digits = currencyDigits(code) ?? -1;
        const canonical = formatDecimal(read.minor, digits);
        expect(parseAmount(`${canonical} ${code}`, 'amount')).toEqual(read);
        const [whole = '', decimals = ''] = number.trim().split('.');
        expect(canonical.replace(/^-/, '')).toBe(
          digits === 0 ? whole : `${whole}.${decimals.padEnd(digits, '0')}`,
        );
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  test('every amount in its canonical form is accepted, and every rate', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2_100_000_000_000_000n }),
        fc.constantFrom('GTQ', 'JPY', 'KWD'),
        (minor, currency) => {
          const digits = currencyDigits(currency) ?? -1;
          expect(parseAmount(`${formatDecimal(minor, digits)} ${currency}`, 'amount').minor).toBe(minor);
          expect(parseSats(`${minor} sat`, '--gross')).toBe(minor);
        },
      ),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 49_999n }), (rate) => {
        expect(parseRate(formatRate(rate), '--rate')).toBe(rate);
        expect(parseRate(percent(rate), '--rate')).toBe(rate);
      }),
    );
  });
});

describe('whole numbers', () => {
  const whole = (text: string) => parseWhole(text, '--weight', 999n, 'Like 70.');
  test('are digits only', () => {
    expect(whole(' 70 ')).toBe(70n);
    expect(refusal(() => whole('7.000')).message).toBe('--weight: "7.000" can be read as 7 or as 7,000.');
    expect(refusal(() => whole('1000')).message).toBe('--weight: "1000" is more than 999.');
    for (const wrong of ['0', '-1', '1.5', '1e2', '0x1', '٧', '7 0', ''])
      expect(refusal(() => whole(wrong)).message).toMatch(/^--weight: /);
  });
});

describe('times in other digits, or with a zone that would be ignored', () => {
  test.each([
    '٢٠٢٦-11-20',
    '２０２６-11-20',
    '2026-11-20T10:00[America/Guatemala]',
    '2026-11-20T10:00-06:00[Europe/Berlin]',
    '20261120',
    '2026-11-20T10:00:60',
    '2026-11-20T10',
    '2026-11-20T10:00,5',
    '2026-11-20Z',
    '1795000000',
  ])('%s is refused', (text) => {
    expect(refusal(() => parseTime(text, 'America/Guatemala', '--at')).message).toMatch(/^--at: /);
    expect(parseZonedTime(text)).toBeUndefined();
  });
});
