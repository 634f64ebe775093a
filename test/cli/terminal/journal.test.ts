import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../../support/command.ts';
import { pairMachine } from '../../support/lamassu.ts';
import { until } from '../../support/ssh.ts';
import { startWorld, type World } from '../../support/world.ts';

/* A file stands for the journal: what counts is that $JOURNAL_STREAM names the stream that is written to. */

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
});
afterAll(() => world.stop());

/** Starts the command on such a file, and answers what is in it so far. */
function inService(args: string[]) {
  const file = join(world.folder, 'journal');
  writeFileSync(file, '');
  const { file: node, argv, env } = commandLine(['--config', world.configFile, ...args]);
  const script = 'exec >>"$0" 2>&1; JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"';
  const child = spawn('sh', ['-c', script, file, node, ...argv], { env });
  const read = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return { child, read, ended: once(child, 'exit') };
}

async function lines(args: string[]): Promise<string[]> {
  const { read, ended } = inService(args);
  await ended;
  return read();
}

test('what a command says has levels: errors, and all else', async () => {
  const refused = await lines(['poll']);
  expect(refused[0]).toMatch(/^<3>ledger\/no-clients: /);
  expect(refused.every((line) => line.startsWith('<3>'))).toBe(true);

  await world.addClient('alice');
  await world.addFunding('alice', '2000 GTQ');
  await world.addClient('bob');
  await world.addFunding('bob', '2000 GTQ');
  await world.insertCashOut();
  const status = await lines(['status']);
  expect(status.length).toBeGreaterThan(3);
  for (const line of status) expect(line).toMatch(/^(<6>.+)?$/);
  // A document is for a program.
  expect(JSON.parse((await lines(['--json', 'status'])).join('\n'))).toHaveProperty('attention');
});

test('a poll that was asked to stop says so', async () => {
  const paying = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  world.simulator().onRequest = async ({ kind }, phase) => {
    if (kind !== 'pay' || phase !== 'before') return;
    paying.resolve();
    await goOn.promise;
  };
  const poll = inService(['poll']);
  await paying.promise;
  poll.child.kill('SIGTERM');
  goOn.resolve();
  expect(await poll.ended).toEqual([75, null]);
  world.simulator().onRequest = undefined;
  expect(poll.read()).toContain('<6>Asked to stop before it was done: the next run goes on from here.');
});

test('the daemon logs in words, with levels', async () => {
  const daemon = inService(['run']);
  await until(() => daemon.read().some((line) => line.includes('run ends')), 'the first run is over');
  daemon.child.kill('SIGTERM');
  expect(await daemon.ended).toEqual([0, null]);
  const said = daemon.read();
  expect(said[0]).toMatch(/^<6>daemon begins \(schedule .*timezone America\/Guatemala\)$/);
  expect(said).toContain('<6>daemon ends');
  expect(said.filter((line) => !/^<[346]>[^{]/.test(line))).toEqual([]);
});

test('what needs the operator is a warning', async () => {
  await world.insertCashOut({ crypto_code: 'LTC' });
  await lines(['poll']);
  const warnings = (await lines(['status'])).filter((line) => line.startsWith('<4>'));
  expect(warnings).toEqual([
    '<4>Needs the operator:',
    expect.stringMatching(/^<4> {2}1 row of Lamassu in review/),
  ]);
});
