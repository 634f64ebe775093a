import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noticeText, questionText } from '../../../src/cli/terminal/notices.ts';

const { columns } = process.stderr;

beforeAll(() => Object.assign(process.stderr, { columns: 80 }));
afterAll(() => Object.assign(process.stderr, { columns }));

const TEXT =
  'lamassu/unreachable: 127.0.0.1 does not answer at that port: a firewall, or a service that is not running. ' +
  'Look there with `ssh -p 22 aio-dca@atm.example.org -o StrictHostKeyChecking=yes`, and try again.';

test('a notice fits beside the bar, breaks between words and keeps commands whole', () => {
  const lines = noticeText(TEXT).split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(77);
  expect(lines.join(' ')).toBe(TEXT);
  expect(
    lines.some((line) => line.includes('`ssh -p 22 aio-dca@atm.example.org -o StrictHostKeyChecking=yes`')),
  ).toBe(true);
});

test('a question has the bar before each of its lines', () => {
  const [first, ...more] = stripVTControlCharacters(questionText(TEXT)).split('\n');
  expect(first).toMatch(/^lamassu/);
  expect(more.length).toBeGreaterThan(0);
  for (const line of more) expect(line).toMatch(/^│ {2}\S/);
});
