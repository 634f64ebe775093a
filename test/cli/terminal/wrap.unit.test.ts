import { describe, expect, test } from 'vitest';
import { wrapped } from '../../../src/cli/terminal/wrap.ts';

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
