import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertAction, MACHINE, pairMachine } from '../../support/lamassu.ts';
import { inTerminal } from '../../support/terminal.ts';
import { startWorld, type World } from '../../support/world.ts';

/* What the operator sees: in a terminal of 80 and of 100 columns, and in a pipe. */

const LONG = `${'a'.repeat(31)}.${'b'.repeat(32)}`;

let world: World;
let cashOut: string;

beforeAll(async () => {
  world = await startWorld();
  await pairMachine(world.lamassu, 'Antigua, the one at the corner of the main square');
  await world.must(['migrate']);
  await world.addClient(LONG);
  await world.addClient('bob');
  await world.addCommission('partner');
  await world.addFunding(LONG, '50000 GTQ');
  await world.addFunding('bob', '2000000 GTQ');
  cashOut = await world.insertCashOut();
  const jammed = await world.insertCashOut({ dispense_confirmed: false, error: 'Dispenser jammed' });
  await insertAction(world.lamassu, { tx_id: jammed, action: 'dispenseError' });
  await world.aioDca(['poll']);
});
afterAll(async () => {
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
  await world.stop();
});

const pages = [
  ['clients', 'list'],
  ['clients', 'show', LONG],
  ['fundings', 'list'],
  ['fundings', 'show', 'f1'],
  ['machines', 'list'],
  ['commission', 'list'],
  ['cash-outs', 'list'],
  ['cash-outs', 'show'],
  ['payouts', 'list'],
  ['payouts', 'show', 'p1'],
  ['review', 'list'],
  ['status'],
  ['poll', '--dry-run'],
  ['log'],
  ['reconcile'],
];

/** The arguments of a page; a cash-out's id is known only later. */
function argsOf(page: readonly string[]): string[] {
  return page.join(' ') === 'cash-outs show' ? [...page, cashOut] : [...page];
}

function widestTable(text: string): number {
  const widths = text.split(/\r?\n/).flatMap((line) => (/[│─]/.test(line) ? [[...line].length] : []));
  return Math.max(0, ...widths);
}

describe.each([
  { columns: 80, shown: pages },
  { columns: 100, shown: pages.filter(([, verb]) => verb === 'list') },
])('in a terminal of $columns columns', ({ columns, shown }) => {
  test.each(shown.map((page) => [page.join(' '), page] as const))('%s fits', async (_name, page) => {
    const { screen } = await inTerminal(['--config', world.configFile, ...argsOf(page)], { columns }).ended;
    expect(widestTable(screen), screen).toBeLessThanOrEqual(columns);
  });
});

test.each([
  ['--help'],
  ['settle', '--help'],
  ['init', '--help'],
  ['metrics', '--help'],
  ['fundings', 'add', '--help'],
  ['doctor'],
  ['log'],
  ['machines', 'show', 'Antigua, the one at the corner of the main square'],
  ['fundings', 'add', 'bob', '100 USD', '--deposited', '--any-machine'],
])('%s %s %s: no line is wider than 80 columns', async (...args) => {
  const { screen } = await inTerminal(['--config', world.configFile, ...args], { columns: 80 }).ended;
  // A command to be copied may be.
  const lines = screen.split(/\r?\n/).filter((line) => !/^ +aio-dca /.test(line));
  expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
});

test('money and ids are never cut', async () => {
  for (const page of [
    ['fundings', 'list'],
    ['fundings', 'show', 'f1'],
    ['machines', 'list'],
  ]) {
    const { screen } = await inTerminal(['--config', world.configFile, ...page], { columns: 80 }).ended;
    expect(screen.split(/\r?\n/).filter((line) => /\d…/.test(line))).toEqual([]);
  }
  const prefix = await world.must(['machines', 'show', MACHINE.slice(0, 6), '--json']);
  expect(prefix.json()).toMatchObject({ machine: MACHINE });
});

test('headings are emphasised in a terminal, but not with NO_COLOR', async () => {
  const args = ['--config', world.configFile, 'clients', 'list'];
  // With CI set, Node assumes a terminal without colours.
  const coloured = await inTerminal(args, { env: { NO_COLOR: undefined, CI: undefined } }).ended;
  expect(coloured.raw).toContain('\u001b[1m');
  const plain = await inTerminal(args, { env: { NO_COLOR: '1' } }).ended;
  expect(plain.raw).not.toContain('\u001b');
});

test('into a pipe there is no colour, and no table is wider than a page', async () => {
  for (const page of pages) {
    const env = { NO_COLOR: undefined, TERM: 'xterm-256color' };
    const { stdout, stderr } = await world.aioDca(argsOf(page), { env });
    expect(stripVTControlCharacters(stdout + stderr)).toBe(stdout + stderr);
    expect(widestTable(stdout), stdout).toBeLessThanOrEqual(100);
  }
});
