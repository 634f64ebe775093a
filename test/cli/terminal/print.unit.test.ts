import stringWidth from 'string-width';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  clean,
  foldedTable,
  formatFiat,
  formatSats,
  formatTime,
  jsonDocument,
  printError,
  shortId,
  table,
  withLocalTimes,
  wrapped,
} from '../../../src/cli/terminal/print.ts';
import { Secret } from '../../../src/config/secret.ts';
import { BridgeError } from '../../../src/errors.ts';

afterEach(() => vi.restoreAllMocks());

const longest = (text: string) => Math.max(...text.split('\n').map((line) => stringWidth(line)));

describe('wrapped', () => {
  test('breaks between words, indents the rest, and keeps text that fits or cannot be broken', () => {
    const long = 'x'.repeat(30);
    expect(wrapped(`  one two three four\nshort\n${long}`, { width: 12, indent: '    ' })).toBe(
      `  one two\n    three\n    four\nshort\n${long}`,
    );
  });
});

test('a line is broken by the width of its letters in the terminal', () => {
  expect(wrapped('漢字 漢字 漢字', { width: 10 })).toBe('漢字 漢字\n  漢字');
});

describe('foldedTable', () => {
  const hash = 'a1b2'.repeat(16);
  const hint = 'Look at both wallets in LNbits; once it is clear, state what happened.';
  const groups = [
    {
      rows: [['payment/credit-amount', `payment ${hash} of p12`, 'settled, 484207 sat', 'nothing']],
      below: hint,
    },
    { rows: [['day/sums', '2026-11-20', '2 cash-outs', '1 cash-out']], below: 'Report it.' },
  ];

  test.each([80, 100])('fits %i columns, and cuts nothing', (width) => {
    const text = foldedTable(['difference', 'where', 'ledger', 'other'], groups, { width });
    expect(longest(text)).toBeLessThanOrEqual(width);
    expect(text).not.toContain('…');
    const second = text.split('\n').map((line) => (line.split('│')[2] ?? '').trim());
    expect(second.join('')).toContain(hash);
    expect(text.replace(/[│\s]+/g, ' ')).toContain(hint);
  });
});

test('times in a text are local', () => {
  const text = 'since 2026-11-20T10:00:00.123456Z, until 9999-99-99T10:00:00.000000Z';
  expect(withLocalTimes(text, 'America/Guatemala')).toBe(
    'since 2026-11-20 04:00:00 GMT-6, until 9999-99-99T10:00:00.000000Z',
  );
});

describe('table', () => {
  const rows = [
    ['alice', '123,456 sat', '3,000.00 GTQ', '2026-11-20 04:00:00 GMT-6', 'x'.repeat(200)],
    ['bob', 12n, null, null, 'short'],
  ];

  test('fits its width, cuts text with …, keeps numbers and times whole, numbers to the right', () => {
    const text = table(['client', 'sats', 'fiat', 'at', 'note'], rows, { width: 100 });
    expect(longest(text)).toBeLessThanOrEqual(100);
    expect(text).toContain('x…');
    expect(text).toContain('123,456 sat │ 3,000.00 GTQ │ 2026-11-20 04:00:00 GMT-6 │');
    expect(text).toContain('│          12 │');
  });

  test('a narrow terminal', () => {
    const text = table(['name', 'reason'], [['a'.repeat(60), 'b'.repeat(60)]], { width: 40 });
    expect(longest(text)).toBeLessThanOrEqual(40);
  });

  test('a number is never cut, however narrow the terminal', () => {
    const row = ['2,100,000,000,000,000 sat', '2026-11-20 04:00:00 GMT-6', 'b'.repeat(60)];
    const text = table(['sats', 'at', 'reason'], [row], { width: 40 });
    expect(text).toContain('│2,100,000,000,000,000 sat│2026-11-20 04:00:00 GMT-6│bbbbb…│');
  });

  test('amounts within a text, ids and references continue in the next line, and lose nothing', () => {
    const row = ['f1', '2,450.50 GTQ for 301,300 sat, not settled yet', '7a1f4c2e9b8d4f60', 'receipt-2'];
    const text = table(['id', 'what', 'machine', 'row'], [row, row], { width: 46 });
    expect(longest(text)).toBeLessThanOrEqual(46);
    expect(text).not.toContain('…');
    expect(text).toMatch(/2,450\.50 GTQ[\s\S]*301,300 sat/);
    const cut = text.split('\n').map((line) => (line.split('│')[3] ?? '').trim());
    expect(cut.join('')).toContain('7a1f4c2e9b8d4f60');
  });

  test.each([
    ['Chinese, Japanese, Korean', ['漢字の名前', '김철수', 'ﾃｽﾄ']],
    ['emoji', ['🦊', '🪙 coin', '🇬🇹 Ana', '❤️']],
    ['accents as signs of their own', ['Jose\u0301', 'Nu\u0303ez', 'plain']],
  ])('every line is as wide as the others: %s', (_, names) => {
    const rows = names.map((name, index) => [name, `${index},000 sat`, `paid to ${name} at ${index}`]);
    for (const width of [100, 34]) {
      const text = table(['client', 'sats', 'note'], rows, { width });
      expect(new Set(text.split('\n').map((line) => stringWidth(line))).size).toBe(1);
      expect(longest(text)).toBeLessThanOrEqual(width);
    }
  });

  test('wide letters continue in the next line, and none is cut in two', () => {
    const wide = '漢🦊'.repeat(30);
    const cut = table(['name', 'note'], [[wide, 'b'.repeat(60)]], { width: 41 });
    expect(cut.split('\n').map((line) => stringWidth(line))).toEqual(Array(5).fill(41));
    expect(cut).toContain('…');
    expect(cut.isWellFormed()).toBe(true);
    const folded = foldedTable(['name', 'note'], [{ rows: [[wide, '1']], below: wide }], { width: 41 });
    expect(new Set(folded.split('\n').map((line) => stringWidth(line)))).toEqual(new Set([41]));
    expect(folded.replace(/[^漢🦊]/gu, '')).toBe(wide + wide);
  });

  test('only ids of Lamassu are shortened', () => {
    expect(shortId('3F0C5E11-1111-4111-8111-111111111111')).toBe('3F0C5E11');
    expect(shortId('receipt-2')).toBe('receipt-2');
  });

  test('no colour where stdout is not a terminal', () => {
    expect(table(['a'], [['b']])).not.toContain('\u001b');
  });

  test('text from outside cannot control the terminal', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007red\r\nnext\u009b31m\u202eback\u2028line\u0000';
    expect(table(['a'], [[evil]])).toContain('│ red next');
    expect(clean(evil)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});

test('amounts and times for people', () => {
  expect(formatSats(123_456n)).toBe('123,456 sat');
  expect(formatFiat(300_000n, 2, 'GTQ')).toBe('3,000.00 GTQ');
  expect(formatFiat(-5n, 2, 'USD')).toBe('-0.05 USD');
  expect(formatFiat(3000n, 0, 'JPY')).toBe('3,000 JPY');
  expect(formatTime('2026-11-20T10:00:00.123456Z', 'America/Guatemala')).toBe('2026-11-20 04:00:00 GMT-6');
  expect(formatTime('2026-11-20T00:00:00.000000Z', 'UTC')).toBe('2026-11-20 00:00:00 GMT+0');
  expect(formatTime('2026-07-01T22:30:00.000000Z', 'Asia/Kolkata')).toBe('2026-07-02 04:00:00 GMT+5:30');
});

describe('JSON', () => {
  test('sats are numbers, secrets stay secret', () => {
    const document = jsonDocument({ sats: 2_100_000_000_000_000n, list: [1n], key: new Secret('hunter2') });
    expect(JSON.parse(document)).toEqual({ sats: 2_100_000_000_000_000, list: [1], key: '[redacted]' });
  });

  test('it cannot control a terminal, and says the same', () => {
    const evil = { name: '\u001b[2J\u009b31m\u202eback\u2028\u{e0001}' };
    expect(jsonDocument(evil)).not.toMatch(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(jsonDocument(evil))).toEqual(evil);
  });

  test('refuses a number that would not be exact', () => {
    expect(() => jsonDocument({ sats: 2n ** 53n })).toThrow(RangeError);
  });
});

describe('errors', () => {
  const error = new BridgeError('config/missing', 'There is no x.toml\u001b[2J.', 'Make one.');

  test('for the operator on stderr, with the way out', () => {
    const stdout = vi.spyOn(console, 'log').mockReturnValue();
    const stderr = vi.spyOn(console, 'error').mockReturnValue();
    printError(error, false);
    expect(stderr).toHaveBeenCalledWith('config/missing: There is no x.toml.\n  Make one.');
    expect(stdout).not.toHaveBeenCalled();
  });

  test('as one JSON document on stdout', () => {
    const stdout = vi.spyOn(console, 'log').mockReturnValue();
    printError(error, true);
    expect(stdout).toHaveBeenCalledTimes(1);
    expect(JSON.parse(stdout.mock.calls[0]?.[0])).toEqual({
      error: { code: 'config/missing', message: 'There is no x.toml.', hint: 'Make one.' },
    });
  });

  test('a defect shows its stack trace', () => {
    const stderr = vi.spyOn(console, 'error').mockReturnValue();
    const defect = new TypeError('x is undefined');
    printError(defect, false);
    expect(stderr).toHaveBeenCalledWith(defect.stack);
    expect(stderr.mock.calls.at(-1)?.[0]).toContain('internal/defect: x is undefined');
  });
});
