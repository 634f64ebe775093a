import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MACHINE, pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '20000 GTQ');
  await world.must(['doctor', '--quiet']);
});
afterAll(async () => {
  const verified = await world.must(['verify', '--json']);
  expect(verified.json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

async function keyFile(name: string): Promise<string> {
  const { inkey } = await world.lnbits.createUserWallet(name);
  const path = join(world.folder, `${name}.key`);
  await writeFile(path, `${inkey}\n`, { mode: 0o600 });
  return path;
}

/** How many weights and recipients the database has. */
async function rows(): Promise<number> {
  const found = await ledgerSql(world.ledgerUrl, 'select id from commission_weights');
  const recipients = await ledgerSql(world.ledgerUrl, 'select id from recipients');
  return found.length + recipients.length;
}

describe('commission', () => {
  test('stays in the source wallet if there are no recipients, and the list says so', async () => {
    expect((await world.must(['commission', 'list'])).stdout).toContain('stays in the source wallet');
    expect((await world.must(['commission', 'list', '--json'])).json()).toEqual([]);
  });

  test('is divided by weights from now on, and paid with the clients', async () => {
    const key = await keyFile('owner');
    const added = await world.must([
      'commission',
      'add',
      'owner',
      '--wallet-key-file',
      key,
      '--weight',
      '70',
    ]);
    expect(added.stdout).toContain('all machines: owner 100.00 %');
    const second = [
      'commission',
      'add',
      'shop',
      '--wallet-key-file',
      await keyFile('shop'),
      '--weight',
      '30',
    ];
    expect((await world.must([...second, '--json'])).json()).toMatchObject({
      name: 'shop',
      status: 'active',
      weights: [{ machine: null, weight: 30, share: '30.00 %' }],
      waiting_sats: 0,
      received_sats: 0,
      recipients: [
        { name: 'owner', weights: [{ share: '70.00 %' }] },
        { name: 'shop', weights: [{ share: '30.00 %' }] },
      ],
    });
    // Half an hour ago the commission had no recipient; for a cash-out of now it goes to both.
    await world.insertCashOut();
    await world.insertCashOut({ confirmed_at: new Date().toISOString() });
    await world.must(['poll']);
    const list = (await world.must(['commission', 'list', '--json'])).json<unknown[]>();
    expect(list).toMatchObject([
      { name: 'owner', waiting_sats: 0, received_sats: 19_735 },
      { name: 'shop', waiting_sats: 0, received_sats: 8_458 },
    ]);
    const table = (await world.must(['commission', 'list'])).stdout;
    expect(table).toContain('19,735 sat');
    for (const line of table.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
  });

  test('of one machine goes to its own recipients, named by its name or its id', async () => {
    const set = await world.must(['commission', 'set', 'shop', '--weight', '1', '--machine', 'Antigua']);
    expect(set.stdout).toContain('Antigua: shop 100.00 %');
    expect(set.stdout).toContain('all other machines: owner 70.00 %, shop 30.00 %');
    const removed = ['commission', 'remove', 'shop', '--machine', MACHINE];
    expect((await world.must(removed)).stdout).toContain('all machines: owner 70.00 %, shop 30.00 %');
    const again = await world.aioDca(removed);
    expect(again.code).toBe(64);
    expect(again.stderr).toContain(
      `--machine: shop has no weight of its own at Antigua (${MACHINE.slice(0, 8)})`,
    );
  });

  test('a removed recipient takes no new share, and a weight restores it', async () => {
    const removed = await world.must(['commission', 'remove', 'shop', '--json']);
    expect(removed.json()).toMatchObject({ name: 'shop', status: 'removed', weights: [] });
    expect((await world.must(['commission', 'list'])).stdout).toContain('(removed)');
    const again = await world.aioDca(['commission', 'remove', 'shop']);
    expect(again.code).toBe(64);
    expect(again.stderr).toContain('NAME: shop was already removed');
    const back = await world.must(['commission', 'set', 'shop', '--weight', '10', '--json']);
    expect(back.json()).toMatchObject({ status: 'active', weights: [{ weight: 10, share: '12.50 %' }] });
  });

  test('has its share rounded, not cut', async () => {
    await world.must(['commission', 'set', 'shop', '--weight', '35']);
    const { stdout } = await world.must(['commission', 'list']);
    expect(stdout).toContain('66.67 %');
    expect(stdout).toContain('33.33 %');
  });

  test('gets another key of the same wallet, and another wallet with --new-wallet', async () => {
    const other = await keyFile('other');
    const set = ['commission', 'set', 'owner', '--wallet-key-file', other];
    const refused = await world.aioDca(set);
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain('--new-wallet');
    await world.must([...set, '--new-wallet']);
    expect((await world.must([...set, '--json'])).json()).toMatchObject({ name: 'owner' });
  });

  test('is logged with its actor', async () => {
    const changes = [
      ['set', 'owner', '--weight', '71', '--reason', 'a new contract'],
      ['add', 'third', '--wallet-key-file', await keyFile('third'), '--weight', '1', '--reason', 'a partner'],
      ['remove', 'third', '--reason', 'it left'],
    ];
    for (const change of changes) await world.must(['commission', ...change, '--actor', 'dora']);
    const told = (await world.must(['log', '--actor', 'dora'])).stdout;
    expect(told).toContain('commission set owner (a new contract)');
    expect(told).toContain('commission add third (a partner)');
    expect(told).toContain('commission remove third (it left)');
    const log = await ledgerSql(
      world.ledgerUrl,
      `select actor, action, subject, before, after from log where action = 'commission set' order by id desc limit 1`,
    );
    expect(log).toMatchObject([{ actor: 'dora', subject: 'commission owner' }]);
    expect(`${log[0]?.before}`).toContain('"70"');
    expect(`${log[0]?.after}`).toContain('"71"');
  });
});

describe('refused, with exit 64, the field named and nothing written:', () => {
  const cases: [string, (key: string) => string[], string][] = [
    ['a weight of 0', (key) => ['add', 'x', '--wallet-key-file', key, '--weight', '0'], '--weight: 0'],
    ['a weight below 0', (key) => ['add', 'x', '--wallet-key-file', key, '--weight=-1'], '--weight: "-1"'],
    [
      'a weight in percent',
      (key) => ['add', 'x', '--wallet-key-file', key, '--weight', '30%'],
      '--weight: "30%"',
    ],
    ['a fraction', (key) => ['add', 'x', '--wallet-key-file', key, '--weight', '1.5'], '--weight: "1.5"'],
    ['no weight', (key) => ['add', 'x', '--wallet-key-file', key], '--weight'],
    ['no key', () => ['add', 'x', '--weight', '1'], '--wallet-key-file'],
    [
      'a name with a space',
      (key) => ['add', 'x y', '--wallet-key-file', key, '--weight', '1'],
      'NAME: "x y"',
    ],
    [
      'the name of a client',
      (key) => ['add', 'alice', '--wallet-key-file', key, '--weight', '1'],
      'a client "alice"',
    ],
    [
      'a name that is taken',
      (key) => ['add', 'owner', '--wallet-key-file', key, '--weight', '1'],
      'commission set owner',
    ],
    [
      'an unknown machine',
      (key) => ['add', 'x', '--wallet-key-file', key, '--weight', '1', '--machine', 'Paris'],
      '--machine: there is no machine "Paris"',
    ],
    ['a machine without a weight', () => ['set', 'owner', '--machine', 'Antigua'], '--machine: no weight'],
    ['nothing to change', () => ['set', 'owner'], 'no change was given'],
    ['a new wallet without its key', () => ['set', 'owner', '--new-wallet', '--weight', '1'], '--new-wallet'],
    ['an unknown recipient', () => ['remove', 'nobody'], 'NAME: there is no commission recipient "nobody"'],
  ];
  test('all of them', async () => {
    const key = await keyFile('unused');
    const before = await rows();
    const ran = await Promise.all(cases.map(([, args]) => world.aioDca(['commission', ...args(key)])));
    for (const [index, [name, , said]] of cases.entries()) {
      expect(ran[index]?.code, name).toBe(64);
      expect(ran[index]?.stderr, name).toContain(said);
    }
    expect(await rows()).toBe(before);
  });

  test('the key of the source wallet, and one that LNbits does not know', async () => {
    const before = await rows();
    for (const [name, key, said] of [
      ['source', world.source.inkey, 'this is the source wallet'],
      ['admin', world.source.adminkey, 'an admin key'],
      ['unknown', '0123456789abcdef0123456789abcdef', 'does not know the key'],
    ] as const) {
      const path = join(world.folder, `${name}.bad`);
      await writeFile(path, key);
      const ran = await world.aioDca(['commission', 'add', 'x', '--wallet-key-file', path, '--weight', '1']);
      expect(ran.code, name).toBe(64);
      expect(ran.stderr, name).toContain(said);
    }
    expect(await rows()).toBe(before);
  });
});

test('the help of each command has an example', async () => {
  for (const verb of ['list', 'add', 'set', 'remove'])
    expect((await world.must(['commission', verb, '--help'])).stdout).toContain(
      `  aio-dca commission ${verb}`,
    );
});

test.each(['sqlite', 'postgresql'] as const)(
  'from several terminals at once, on %s, no change is lost',
  async (ledger) => {
    const own = await startWorld({ tunnel: 'direct', ledger });
    try {
      await own.must(['migrate']);
      const names = ['a', 'b', 'c', 'd'];
      await Promise.all(names.map((name) => own.addCommission(name)));
      await Promise.all([
        own.must(['commission', 'set', 'a', '--weight', '5']),
        own.must(['commission', 'set', 'b', '--weight', '6']),
        own.must(['commission', 'remove', 'c']),
      ]);
      const list = (await own.must(['commission', 'list', '--json'])).json<
        { weights: { weight: number }[] }[]
      >();
      expect(list.map(({ weights }) => weights[0]?.weight ?? 0)).toEqual([5, 6, 0, 1]);
      await own.must(['verify']);
    } finally {
      await own.stop();
    }
  },
);
