import { inspect } from 'node:util';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';

const secret = new Secret('hunter2');

test('prints as [redacted], wherever it is printed', () => {
  const lines: string[] = [];
  pino({}, { write: (line: string) => lines.push(line) }).info({ secret, nested: { list: [secret] } });
  const printed = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { showHidden: true, depth: 9 }),
    new Error(`key ${secret}`).message,
    ...lines,
  ];
  for (const text of printed) {
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('hunter2');
  }
  expect({ ...secret }).toEqual({});
});

test('is revealed only when asked, and compared without', () => {
  expect(secret.reveal()).toBe('hunter2');
  expect(secret.same(new Secret('hunter2'))).toBe(true);
  expect(secret.same(new Secret('hunter3'))).toBe(false);
  expect(secret.same(new Secret('hunter22'))).toBe(false);
});
