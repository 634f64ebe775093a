import { fstatSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isJournal, levelOf, withLevels } from '../../../src/cli/terminal/journal.ts';
import { inJournal } from '../../../src/cli/terminal/logger.ts';

test('a stream is the journal only if it is the one that systemd named', () => {
  const { dev, ino } = fstatSync(2, { bigint: true });
  expect(isJournal(2, { JOURNAL_STREAM: `${dev}:${ino}` })).toBe(true);
  expect(isJournal(2, { JOURNAL_STREAM: `${dev}:${ino + 1n}` })).toBe(false);
  expect(isJournal(2, {})).toBe(false);
});

test('each line has its level: errors with their hints, and all else', () => {
  const page = [
    'Paid 1 payout with 500 sat.',
    '  alice waits',
    'lnbits/balance: too little',
    '  Top it up.',
    '',
    '<0>not a level',
  ];
  expect(withLevels(`${page.join('\n')}\n`).split('\n')).toEqual([
    '<6>Paid 1 payout with 500 sat.',
    '<6>  alice waits',
    '<3>lnbits/balance: too little',
    '<3>  Top it up.',
    '',
    '<6><0>not a level',
    '',
  ]);
  expect(withLevels('Needs the operator:\n  1 row in review\n\nRead up to')).toBe(
    '<4>Needs the operator:\n<4>  1 row in review\n\n<6>Read up to',
  );
  expect(withLevels('Error: x\n    at file.js:1', 3)).toBe('<3>Error: x\n<3>    at file.js:1');
});

test('a line of the log is in words, its time left to the journal', () => {
  const line = (fields: object) => inJournal(JSON.stringify({ time: '2026-11-20T10:00:00Z', ...fields }));
  expect(line({ level: 30, msg: 'run ends', run: 'r7', outcome: 'ok' })).toBe(
    '<6>run ends (run r7, outcome ok)\n',
  );
  expect(line({ level: 50, code: 'lnbits/balance', hint: 'Top it up:\n  now', msg: 'too little' })).toBe(
    '<3>lnbits/balance: too little\n<3>  Top it up:\n<3>  now\n',
  );
  expect(
    line({
      level: 50,
      msg: 'a defect',
      err: { type: 'TypeError', message: 'x', stack: 'TypeError: x\n    at y' },
    }),
  ).toBe('<3>a defect\n<3>  TypeError: x\n<3>  at y\n');
  expect(line({ level: 40, msg: 'not\u001b[31m told', fixed: ['12:00'] })).toBe(
    '<4>not told (fixed ["12:00"])\n',
  );
  expect([10, 20, 30, 40, 50, 60].map(levelOf)).toEqual([7, 7, 6, 4, 3, 2]);
});
