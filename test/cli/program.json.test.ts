import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { localMonth } from '../../src/typed/months.ts';
import { now } from '../support/clock.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { commandIn, commandViews } from '../support/views.ts';
import { startWorld, type World } from '../support/world.ts';

/*
 * Every command once with `--json`, on one installation. What it prints is held against its view wherever a test starts
 * it (test/support/command.ts): here, no command is left out.
 */

let world: World;
afterEach(() => world.stop());

/** What is done where its case is made: by tests that start it with `--json`. */
const ELSEWHERE = {
  init: 'cli/init.test.ts',
  'credits resolve': 'cli/credits.test.ts',
  'ledger source': 'cli/ledger.source.test.ts',
  'payouts overpaid': 'cli/payouts.test.ts',
  'payouts resolve': 'cli/payouts.test.ts',
  'payouts retry': 'cli/payouts.test.ts',
  'review release': 'cli/review.test.ts',
};

test('every command answers by its view', async () => {
  world = await startWorld({
    tunnel: 'direct',
    credit: true,
    quiet: '1 ms',
    lnbitsVersion: '1.6.2',
    config: '[web.admin]\n[web.client]',
  });
  const held = new Set<string>();
  const json = async <T = Record<string, unknown>>(args: string[], codes = [0]): Promise<T> => {
    const ran = await world.aioDca([...args, '--json']);
    expect([args, ran.json(), codes]).toEqual([
      args,
      expect.not.objectContaining({ error: expect.anything() }),
      expect.arrayContaining([ran.code]),
    ]);
    held.add(commandIn(args) ?? args.join(' '));
    return ran.json<T>();
  };
  const key = async (name: string): Promise<string> => {
    const file = join(world.folder, `${name}.key`);
    await writeFile(file, (await world.lnbits.createUserWallet(name)).inkey, { mode: 0o600 });
    return file;
  };
  const reason = ['--reason', 'a test', '--yes'];

  await json(['migrate']);
  await json(['config']);
  await json(['role-sql']);
  await json(['clients', 'add', 'alice', '--wallet-key-file', await key('alice')]);
  await json(['clients', 'set', 'alice', '--daily-limit', '500 GTQ']);
  await json(['clients', 'pause', 'alice', ...reason]);
  await json(['clients', 'resume', 'alice']);
  await json(['clients', 'add', 'bob', '--wallet-key-file', await key('bob')]);
  await json(['clients', 'close', 'bob', ...reason]);
  await json(['commission', 'add', 'ann', '--wallet-key-file', await key('ann'), '--weight', '2']);
  await json(['commission', 'set', 'ann', '--weight', '1']);
  await json(['commission', 'list']);
  // As if it had been entered by a host whose clock was years ahead.
  await ledgerSql(world.ledgerUrl, "update commission_weights set from_at = '2099-01-01T00:00:00.000000Z'");
  await json(['clock', 'restate', 'commission ann', '--at', new Date().toISOString(), ...reason]);
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  await json(['fundings', 'add', 'alice', '9000 GTQ', '--any-machine', '--deposited', '--at', ago(14)]);
  await json(['fundings', 'adjust', 'f1', '+50 GTQ', ...reason]);
  await json(['fundings', 'add', 'alice', '100 GTQ', '--any-machine', '--yes']);
  await json(['fundings', 'confirm', 'f2', '--yes']);
  await json(['fundings', 'add', 'alice', '200 GTQ', '--any-machine', '--yes']);
  await json(['fundings', 'cancel', 'f3', ...reason]);

  const row = await world.insertCashOut();
  await world.insertCashOut({ crypto_code: 'LTC' });
  await world.insertCashOut({ device_id: 'b'.repeat(64) });
  await json(['poll', '--dry-run'], [0, 2]);
  await json(['poll'], [0, 2]);
  for (const args of [
    ['doctor'],
    ['status'],
    ['verify'],
    ['reconcile'],
    ['metrics'],
    ['log'],
    ['clock', 'show'],
  ])
    await json(args, [0, 2]);
  await json(['cash-outs', 'list']);
  await json(['cash-outs', 'show', row]);
  await json(['clients', 'list']);
  await json(['clients', 'show', 'alice']);
  const month = localMonth(now(), 'America/Guatemala');
  await json(['clients', 'statement', 'alice', '--month', month]);
  await json(['credits', 'list']);
  await json(['credits', 'show', 'c1']);
  await json(['fundings', 'list']);
  await json(['fundings', 'show', 'f1']);
  await json(['fundings', 'withdraw', 'f2', '10 GTQ', ...reason]);
  await json(['payouts', 'list']);
  await json(['payouts', 'show', 'p1']);
  await json(['purchases', 'list', '--client', 'alice']);
  await json(['purchases', 'show', row, '--client', 'alice']);
  for (const kind of ['allocations', 'cash-outs', 'changes', 'commission', 'fundings', 'payouts'])
    await json(['export', kind, '--format', 'json']);

  const [review] = await json<{ id: string }[]>(['review', 'list']);
  await json(['review', 'show', review?.id ?? '']);
  await json(['review', 'dismiss', review?.id ?? '', ...reason]);
  const [machine, other] = await json<{ machine: string }[]>(['machines', 'list']);
  await json(['machines', 'show', machine?.machine ?? '']);
  await json(['machines', 'set', machine?.machine ?? '', '--name', 'Antigua', '--yes']);
  await json(['fundings', 'move', 'f2', '--machine', machine?.machine ?? '', ...reason]);
  await json([
    'settle',
    '--external',
    'receipt-17',
    '--machine',
    'Antigua',
    '--at',
    ago(0.01),
    '--fiat',
    '500 GTQ',
    '--gross',
    '61234 sat',
    '--rate',
    '5%',
    ...reason,
  ]);
  await json(['payouts', 'pause', ...reason]);
  await json(['payouts', 'resume']);
  await json(['payouts', 'hold', '--all', ...reason], [0, 2]);
  await json(['payouts', 'release', '--all', ...reason]);
  await json(['fixed', 'run'], [0, 2, 75]);
  await json(['machines', 'replace', machine?.machine ?? '', other?.machine ?? '', '--yes']);
  await json(['people', 'add', 'dora', '--role', 'operator']);
  await json(['people', 'set', 'dora', '--role', 'bookkeeper']);
  await json(['people', 'invite', 'dora']);
  await json(['people', 'disable', 'dora']);
  await json(['people', 'enable', 'dora']);
  await json(['people', 'list']);
  await json(['tokens', 'add', 'till', '--scopes', 'read']);
  await json(['tokens', 'list']);
  await json(['tokens', 'revoke', 'till']);
  await json(['clients', 'invite', 'alice']);
  await json(['backup', join(world.folder, 'copy.sqlite')]);
  await json(['ledger', 'recover', '--dry-run'], [0, 2]);
  await json(['commission', 'remove', 'ann', ...reason]);
  await json(['ledger', 'copy', '--to', `sqlite:${join(world.folder, 'other.sqlite')}`, '--yes']);

  for (const [command, file] of Object.entries(ELSEWHERE)) {
    const text = await readFile(new URL(`../${file}`, import.meta.url), 'utf8');
    for (const word of [...command.split(' '), '--json'])
      expect([file, text.includes(`'${word}'`)]).toEqual([file, true]);
  }
  // `run` and `serve` print none.
  expect(new Set([...held, ...Object.keys(ELSEWHERE), 'run', 'serve'])).toEqual(
    new Set(Object.keys(commandViews)),
  );
}, 240_000);
