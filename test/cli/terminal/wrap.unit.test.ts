import { describe, expect, test } from 'vitest';
import { fittedPage, wrapped } from '../../../src/cli/terminal/wrap.ts';

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

describe('fittedPage', () => {
  const at = (columns: number) => ({ isTTY: true, columns }) as NodeJS.WriteStream;

  test('a line keeps its indent, and a command that fits stays whole', () => {
    expect(fittedPage('  one two three four\nNext: `aio-dca poll --dry-run`', at(26))).toBe(
      '  one two three four\nNext:\n  `aio-dca poll --dry-run`',
    );
    expect(fittedPage('  one two three four five', at(20))).toBe('  one two three four\n    five');
  });

  test('a user of that name in a sentence is no command', () => {
    expect(fittedPage('The server refuses user aio-dca with this key (it takes: password)', at(40))).toBe(
      'The server refuses user aio-dca with\n  this key (it takes: password)',
    );
  });

  test('a longer command goes on after a backslash', () => {
    const command = 'aio-dca payouts resolve p1 --payment 0123456789abcdef --paid --reason "it is there"';
    expect(fittedPage(`  ${command}`, at(50))).toBe(
      '  aio-dca payouts resolve p1 \\\n      --payment 0123456789abcdef --paid \\\n      --reason "it is there"',
    );
  });

  test('in a pipe each line stays whole', () => {
    const line = 'word '.repeat(100);
    expect(fittedPage(line, { isTTY: false } as NodeJS.WriteStream)).toBe(line);
  });
});
