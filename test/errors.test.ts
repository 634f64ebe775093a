import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exitCodeOf } from '../src/cli/command/exit-codes.ts';
import { BridgeError, catalogue, type ErrorCode } from '../src/errors.ts';

const docs = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');

/** Entries of docs/errors.md: a heading "### `code`, exit N", what it means, and what to do. */
const documented = docs
  .split(/^(?=##)/m)
  .filter((part) => part.startsWith('### '))
  .map((part) => {
    const [heading = '', means = '', ...advice] = part.trim().split(/\n\n+/);
    return { heading, means, advice: advice.join(' ') };
  });

test('docs/errors.md has each code once, with its exit code and meaning, and no other', () => {
  const expected = Object.entries(catalogue).map(([code, { means }]) => ({
    heading: `### \`${code}\`, exit ${exitCodeOf(new BridgeError(code as ErrorCode, means))}`,
    means,
  }));
  const found = documented.map(({ heading, means }) => ({ heading, means }));
  const byHeading = (a: { heading: string }, b: { heading: string }) => (a.heading < b.heading ? -1 : 1);
  expect(found.sort(byHeading)).toEqual(expected.sort(byHeading));
});

test('docs/errors.md says for each code what to do', () => {
  expect(documented.filter(({ advice }) => advice.length < 20)).toEqual([]);
});

test('every code is used in the program', () => {
  const folder = new URL('../src/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && name !== 'errors.ts')
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
  expect(Object.keys(catalogue).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
});

test('codes are an area and a name in lower case', () => {
  for (const code of Object.keys(catalogue)) {
    expect(code).toMatch(/^[a-z]+\/[a-z]+(-[a-z]+)*$/);
  }
});

test('an error has the exit code of its kind', () => {
  expect(exitCodeOf(new BridgeError('run/busy', 'another run'))).toBe(75);
  expect(exitCodeOf(new BridgeError('config/invalid', 'a mistake'))).toBe(78);
  expect(exitCodeOf(new BridgeError('payout/changed', 'another one'))).toBe(75);
  expect(exitCodeOf(new BridgeError('usage/changed', 'another one'))).toBe(64);
});
