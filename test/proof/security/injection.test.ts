import { afterAll, beforeAll, expect, test } from 'vitest';
import { localMonth } from '../../../src/typed/months.ts';
import { now } from '../../support/clock.ts';
import { insertAction, insertCashOut, MACHINE, pairMachine } from '../../support/lamassu.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import { inTerminal } from '../../support/terminal.ts';
import { startWorld, type World } from '../../support/world.ts';

/*
 * Everybody who can write a word that the program shows writes one that would steer a terminal, forge a line, turn
 * what follows around, run as a formula or end an SQL text.
 */

const STEERS = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202eback\u0085';
const EVIL = `=1+1'"); drop table payouts; --${STEERS}\r\nforged: yes\u2028forged: too`;
/** The name of an actor has no colon. */
const ACTOR = `dora${EVIL.replaceAll(':', '')}`;
const STRANGE = `m1${EVIL}`;

let world: World;
/** The hostile row that waits in review. */
let waiting: string;
/** What `doctor` said, which is how the ledger came to know the machines. */
let examined: string;
let distributed: string;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await pairMachine(world.lamassu, EVIL, MACHINE);
  await pairMachine(world.lamassu, `another ${EVIL}`, STRANGE);
  await world.must(['migrate']);
  await world.addClient('alice');
  const { stdout, stderr } = await world.must(['doctor']);
  examined = stdout + stderr;
  await world.addFunding('alice', '9000 GTQ', { args: ['--machine', MACHINE] });
  waiting = await insertCashOut(world.lamassu, { device_id: STRANGE, error: EVIL, error_code: EVIL });
  await insertAction(world.lamassu, { tx_id: waiting, error: EVIL, error_code: EVIL });
  distributed = await insertCashOut(world.lamassu);
  world.simulator().rules = [
    { when: { kind: 'pay' }, fault: { at: 'before', answer: { status: 520, body: { detail: EVIL } } } },
  ];
});
afterAll(async () => {
  await world.must(['poll', '--quiet']).catch(() => undefined);
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

/** Fails where a line steers a terminal, or is one that somebody else made up. */
function harmless(text: string, what: string): void {
  for (const line of text.split('\n')) {
    expect.soft(line, what).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect.soft(line, what).not.toMatch(/^forged/);
  }
}

test('a client, a machine and a reference with such a name are refused, and the refusal is harmless', async () => {
  const refused = await Promise.all([
    world.aioDca(['clients', 'add', EVIL, '--wallet-key-file', '/dev/null']),
    world.aioDca(['machines', 'set', STRANGE, '--name', EVIL]),
    world.aioDca(['settle', EVIL, '--external', '--fiat', '1 GTQ', '--reason', EVIL]),
    world.aioDca([EVIL]),
    world.aioDca(['fundings', 'show', EVIL]),
    world.aioDca(['payouts', 'show', EVIL]),
  ]);
  for (const { code, stdout, stderr } of refused) {
    expect(code).toBe(64);
    expect(stdout).toBe('');
    harmless(stderr, 'a refusal');
  }
});

test('the text output, on a pipe', async () => {
  harmless(examined, 'doctor');
  const polled = await world.aioDca(['poll', '--actor', ACTOR, '--verbose']);
  expect(polled.stdout).toContain('1 new cash-out');
  harmless(polled.stdout + polled.stderr, 'poll');
  await world.must(['payouts', 'pause', '--reason', EVIL, '--actor', ACTOR]);
  await world.must(['payouts', 'hold', 'p1', '--reason', EVIL]);
  const lines = [
    ['machines', 'show', MACHINE],
    ['machines', 'show', STRANGE],
    ['poll', '--dry-run'],
    ['purchases', 'list', '--client', 'alice'],
    ['purchases', 'show', distributed, '--client', 'alice'],
    ['clients', 'show', 'alice'],
    ['clients', 'statement', 'alice', '--month', localMonth(now(), 'America/Guatemala')],
    ['cash-outs', 'list'],
    ['commission', 'list'],
    ['status'],
    ['review', 'show', waiting],
    ['cash-outs', 'show', distributed],
    ['payouts', 'show', 'p1'],
    ['fundings', 'list'],
    ['fundings', 'show', 'f1'],
    ['log'],
  ];
  for (const args of lines) {
    const ran = await world.aioDca(args);
    expect.soft(ran.stdout, args.join(' ')).not.toBe('');
    harmless(ran.stdout + ran.stderr, args.join(' '));
  }
});

test('the same as JSON, which says all of it', async () => {
  for (const args of [['machines', 'list'], ['review', 'show', waiting], ['log'], ['metrics']]) {
    const ran = await world.must([...args, '--json']);
    harmless(ran.stdout + ran.stderr, args.join(' '));
    ran.json();
  }
  const machines = (await world.must(['machines', 'list', '--json'])).json<
    { machine: string; name: string }[]
  >();
  expect(machines.map(({ machine, name }) => [machine, name])).toEqual(
    expect.arrayContaining([
      [MACHINE, EVIL],
      [STRANGE, `another ${EVIL}`],
    ]),
  );
});

test('in a terminal, with the log of a run on it', async () => {
  const { raw, screen } = await inTerminal(['--config', world.configFile, 'poll', '--verbose', '--yes'])
    .ended;
  // Colours are the program's own; any other escape stays in.
  const [first = '', ...rest] = raw.replaceAll('\r\n', '\n').split('\u001b');
  const plain = rest.map((part) =>
    /^\[[\d;]*m/.test(part) ? part.replace(/^\[[\d;]*m/, '') : `\u001b${part}`,
  );
  harmless([first, ...plain].join(''), 'poll in a terminal');
  expect(screen).toContain('run');
  expect(screen).toContain('Paying is paused by dora=1+1');
});

test('in CSV nothing of it is a formula, and a row stays a row', async () => {
  const { stdout } = await world.must(['export', 'changes']);
  expect(stdout).toContain(`"'=1+1'""); drop table payouts`);
  // Quoted cells aside, no line begins with what somebody wrote.
  const rows = stdout
    .replace(/"(?:[^"]|"")*"/g, 'cell')
    .trim()
    .split('\r\n');
  const commas = (line = '') => line.split(',').length;
  expect(rows.map(commas)).toEqual(rows.map(() => commas(rows[0])));
  expect(rows.join('\n')).not.toMatch(/(^|,)[=+@\t-]/m);
});

test('metrics stay valid for Prometheus, whatever the ledger contains', async () => {
  const { stdout } = await world.must(['metrics']);
  const sample = /^aio_dca_\w+(\{\w+="[^"\\]*"(,\w+="[^"\\]*")*\})? -?[\d.e+-]+$/;
  const strange = stdout
    .split('\n')
    .filter((line) => line !== '' && !/^# (HELP|TYPE) /.test(line) && !sample.test(line));
  expect(strange).toEqual([]);
  expect(stdout).not.toContain('forged');
});

test('a search text never becomes a part of SQL', async () => {
  const hostile = "x' or '1'='1";
  expect((await world.aioDca(['log', '--subject', hostile])).code).toBe(64);
  expect((await world.aioDca(['log', '--actor', hostile])).code).toBe(64);
  expect((await world.aioDca(['clients', 'show', hostile])).code).toBe(64);
  for (const wild of ['______', '%%%%%%', `${waiting.slice(0, 5)}_`])
    expect((await world.aioDca(['review', 'show', wild])).code, wild).toBe(64);
  expect(await ledgerSql(world.ledgerUrl, 'select count(*) as n from payouts')).toMatchObject([{ n: 1n }]);
});
