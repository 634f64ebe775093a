import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('each test that docs/dev/threats.md names is there', () => {
  const rows = readFileSync('docs/dev/threats.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const names = rows
    .slice(1)
    .map((row) => [...(row.split(' | ')[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const tests = globSync('test/**/*.test.ts')
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  expect(names.filter((row) => row.length === 0)).toEqual([]);
  expect(names.flat().filter((name) => !tests.includes(`'${name}'`))).toEqual([]);
});
