import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { clean } from '../../../src/cli/terminal/clean.ts';
import { foldedTable, table } from '../../../src/cli/terminal/table.ts';

const longest = (text: string) => Math.max(...text.split('\n').map((line) => stringWidth(line)));

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
    expect(text).toBe(
      [
        'sats    2,100,000,000,000,000 sat',
        'at      2026-11-20 04:00:00 GMT-6',
        `reason  ${'b'.repeat(32)}`,
        `        ${'b'.repeat(28)}`,
      ].join('\n'),
    );
  });

  test('what is too wide for a table has a line for each cell, and loses nothing', () => {
    const row = ['f1', '123,456,789.00 GTQ', '123,456,789 sat', 'exhausted'];
    const text = table(['id', 'cash', 'sats', 'state'], [row, row], {
      width: 40,
      heads: new Map([[1, 'the second']]),
    });
    const lines = ['id     f1', 'cash   123,456,789.00 GTQ', 'sats   123,456,789 sat', 'state  exhausted'];
    expect(text).toBe([...lines, '', 'the second', ...lines].join('\n'));
  });

  test('short words and titles are neither broken nor cut', () => {
    const row = ['Estación Central de Antigua 7a1f4c2e', 'f1', 'exhausted', 'x'.repeat(60)];
    const text = table(['cash for any', 'id', 'status', 'note'], [row], { width: 46 });
    expect(longest(text)).toBeLessThanOrEqual(46);
    for (const word of ['Estación', 'Central', 'Antigua', '7a1f4c2e', 'exhausted', 'any'])
      expect(text).toMatch(new RegExp(`[│ ]${word}[│ ]`));
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

  test('no colour where stdout is not a terminal', () => {
    expect(table(['a'], [['b']])).not.toContain('\u001b');
  });

  test('text from outside cannot control the terminal', () => {
    const evil = '\u001b[2J\u001b]0;title\u0007red\r\nnext\u009b31m\u202eback\u2028line\u0000';
    expect(table(['a'], [[evil]])).toContain('│ red next');
    expect(clean(evil)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});
