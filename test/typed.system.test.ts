import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MACHINE, pairMachine } from './support/lamassu.ts';
import { ledgerSql } from './support/ledger-sql.ts';
import { startWorld, type World } from './support/world.ts';

/* On every command, a number that can be read in two ways is refused, and nothing is written. */

let world: World;
let key: string;
let funding: string;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.must(['doctor', '--quiet']);
  funding = await world.addFunding('alice', '20000 GTQ');
  const { inkey } = await world.lnbits.createUserWallet('bob');
  key = join(world.folder, 'bob.key');
  await writeFile(key, inkey);
});
afterAll(() => world.stop());

const external = (change: Record<string, string>) => [
  ...['settle', '--external', 'receipt-17', '--machine', MACHINE, '--reason', 'x', '--yes'],
  ...Object.entries({
    at: '2026-11-20',
    fiat: '500 GTQ',
    gross: '61234 sat',
    rate: '5.5%',
    ...change,
  }).flatMap(([name, value]) => [`--${name}`, value]),
];

const cases: [string, string, string, string, (typed: string) => string[]][] = [
  ['amount', '3.000 GTQ', '3 GTQ', '3000 GTQ', (typed) => ['fundings', 'add', 'alice', typed]],
  [
    '--counted',
    '3,000 GTQ',
    '3 GTQ',
    '3000 GTQ',
    (typed) => ['fundings', 'confirm', 'f1', '--counted', typed],
  ],
  [
    'amount',
    '1.500 GTQ',
    '1.5 GTQ',
    '1500 GTQ',
    (typed) => ['fundings', 'withdraw', funding, typed, '--reason', 'x'],
  ],
  [
    'amount',
    '-2.000 GTQ',
    '-2 GTQ',
    '-2000 GTQ',
    (typed) => ['fundings', 'adjust', funding, typed, '--reason', 'x'],
  ],
  ['--rate', '1,000%', '1%', '1000%', (typed) => ['fundings', 'add', 'alice', '5 GTQ', '--rate', typed]],
  [
    '--daily-limit',
    '50.000 CLP',
    '50 CLP',
    '50000 CLP',
    (typed) => ['clients', 'set', 'alice', '--daily-limit', typed],
  ],
  [
    '--max-daily-limit',
    '5,000 GTQ',
    '5 GTQ',
    '5000 GTQ',
    (typed) => ['clients', 'set', 'alice', '--max-daily-limit', typed],
  ],
  [
    '--daily-limit',
    '200.000 COP',
    '200 COP',
    '200000 COP',
    (typed) => ['clients', 'add', 'bob', '--wallet-key-file', key, '--daily-limit', typed],
  ],
  [
    '--commission-rate',
    '5,000%',
    '5%',
    '5000%',
    (typed) => ['machines', 'set', MACHINE, '--commission-rate', typed],
  ],
  ['--min-rate', '3,000%', '3%', '3000%', (typed) => ['machines', 'set', MACHINE, '--min-rate', typed]],
  ['--max-rate', '8,000%', '8%', '8000%', (typed) => ['machines', 'set', MACHINE, '--max-rate', typed]],
  [
    '--weight',
    '7.000',
    '7',
    '7000',
    (typed) => ['commission', 'add', 'bob', '--wallet-key-file', key, '--weight', typed],
  ],
  ['--fiat', '3.000 GTQ', '3 GTQ', '3000 GTQ', (typed) => external({ fiat: typed })],
  ['--gross', '211.000 sat', '211 sat', '211000 sat', (typed) => external({ gross: typed })],
  ['--rate', '5,000%', '5%', '5000%', (typed) => external({ rate: typed })],
  ['--limit', '1.000', '1', '1000', (typed) => ['payouts', 'list', '--limit', typed]],
];

test.each(cases)('%s %s', async (field, typed, one, other, args) => {
  const before = await ledgerSql(world.ledgerUrl, 'select id from log');
  const ran = await world.aioDca(args(typed));
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({
    code: 64,
    stderr: expect.stringContaining(`${field}: "`),
  });
  expect(ran.stderr).toContain(`"${one}"`);
  expect(ran.stderr).toContain(`"${other}"`);
  expect(await ledgerSql(world.ledgerUrl, 'select id from log')).toEqual(before);
});

test.each([
  '３０００ GTQ',
  '٣٠٠٠ GTQ',
  '3e3 GTQ',
  '+3000 GTQ',
  '0x10 GTQ',
  '3000GTQ',
  '03000 GTQ',
  '3 000 GTQ',
  '3\u00a0000 GTQ',
])('%s is no amount', async (typed) => {
  const ran = await world.aioDca(['fundings', 'add', 'alice', typed]);
  expect({ code: ran.code, stderr: ran.stderr }).toEqual({
    code: 64,
    stderr: expect.stringContaining('amount: '),
  });
});
