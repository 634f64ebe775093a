import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
  await world.addClient('alice');
});
afterAll(() => world.stop());

async function count(): Promise<number> {
  return (await ledgerSql(world.ledgerUrl, 'select id from fundings')).length;
}

test('cash on its way, confirmed, taken out in part and then all of it', async () => {
  const added = await world.must(['fundings', 'add', 'alice', '3000 GTQ', '--rate', '5%', '--json']);
  const { id, ...funding } = added.json<{ id: string }>();
  expect(id).toMatch(/^f\d+$/);
  expect(funding).toMatchObject({
    client: 'alice',
    machine: null,
    currency: 'GTQ',
    amount: '3000.00',
    remaining: '3000.00',
    rate: '0.05000',
    status: 'in_flight',
    deposited_at: null,
    past: { cash_outs: 0, own_fiat: '0.00' },
  });
  const confirmed = await world.must(['fundings', 'confirm', id, '--at', '2025-11-20', '--json']);
  // Midnight in Guatemala.
  expect(confirmed.json()).toMatchObject({
    status: 'deposited',
    deposited_at: '2025-11-20T06:00:00.000000Z',
  });
  const part = await world.must(['deposits', 'withdraw', id, '500 GTQ', '--reason', 'asked for']);
  expect(part.stdout).toContain('Withdrew 500.00 GTQ');
  await world.must(['--actor', 'dora', 'fundings', 'withdraw', id, '--reason', 'all of it']);
  const shown = await world.must(['fundings', 'show', id, '--json']);
  expect(shown.json()).toMatchObject({
    remaining: '0.00',
    withdrawn: '3000.00',
    status: 'withdrawn',
    history: [
      { action: 'funding add' },
      { action: 'funding confirm' },
      { action: 'funding withdraw', reason: 'asked for' },
      { action: 'funding withdraw', actor: 'dora', reason: 'all of it' },
    ],
  });
  const page = (await world.must(['fundings', 'show', id])).stdout;
  expect(page).toContain('funding withdraw by dora');
});

test('the list is a table of at most 100 columns, or an array', async () => {
  const id = await world.addFunding('alice', '10 GTQ');
  const page = (await world.must(['fundings', 'list', '--client', 'alice', '--status', 'deposited'])).stdout;
  expect(page).toContain(id);
  for (const line of page.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
  const list = await world.must(['fundings', 'list', '--json']);
  expect(list.json<{ id: string }[]>().find((one) => one.id === id)).not.toHaveProperty('history');
});

describe('refuses, naming the field, and writes nothing:', () => {
  const bad: [string, string[], string][] = [
    ['an amount without a currency', ['add', 'alice', '3000'], 'amount'],
    ['an amount of zero', ['add', 'alice', '0 GTQ'], 'amount'],
    ['a rate of more than 50 %', ['add', 'alice', '1 GTQ', '--rate', '51%'], '--rate'],
    ['a rate that forgot its percent', ['add', 'alice', '1 GTQ', '--rate', '5.5'], '--rate'],
    ['a time in the future', ['add', 'alice', '1 GTQ', '--deposited', '--at', '2099-01-01'], '--at'],
    ['a time of cash that is on its way', ['add', 'alice', '1 GTQ', '--at', '2026-11-01'], '--at'],
    ['a machine that is not known', ['add', 'alice', '1 GTQ', '--machine', 'Nowhere'], '--machine'],
    [
      'one machine and all of them',
      ['add', 'alice', '1 GTQ', '--machine', 'Nowhere', '--any-machine'],
      '--machine',
    ],
    ['a client that is not known', ['add', 'nobody', '1 GTQ'], 'CLIENT'],
    ['an id that is none', ['confirm', 'p1'], 'ID'],
    ['a withdrawal without a reason', ['withdraw', 'f1'], '--reason'],
  ];

  test.each(bad)('%s', async (_what, args, field) => {
    const before = await count();
    const ran = await world.aioDca(['fundings', ...args, '--json']);
    expect(ran.code).toBe(64);
    expect(ran.json()).toMatchObject({
      error: { code: 'usage/invalid', message: expect.stringContaining(field), hint: expect.any(String) },
    });
    expect(await count()).toBe(before);
  });
});

test('machines that are known can be named, and one has to be', async () => {
  const other = await startWorld({ tunnel: 'direct' });
  try {
    await other.must(['migrate']);
    await other.addClient('alice');
    for (const [id, name] of [
      ['m1', 'Antigua'],
      ['m2', 'Centro'],
    ] as const) {
      const sql = 'insert into machines (device_id, name, first_seen) values ($1, $2, $3)';
      await ledgerSql(other.ledgerUrl, sql, [id, name, '2026-11-01T00:00:00.000000Z']);
    }
    const unsaid = await other.aioDca(['fundings', 'add', 'alice', '1 GTQ']);
    expect(unsaid.code).toBe(64);
    expect(unsaid.stderr).toContain('Antigua (m1), Centro (m2)');
    const said = await other.must([
      'fundings',
      'add',
      'alice',
      '9 GTQ',
      '--machine',
      'Centro',
      '--deposited',
    ]);
    expect(said.stdout).toContain('for machine Centro');
    const machines = await other.must(['machines', 'list', '--json']);
    expect(machines.json()).toMatchObject([
      { machine: 'm1', name: 'Antigua', remaining: {} },
      { machine: 'm2', name: 'Centro', remaining: { GTQ: '9.00' } },
    ]);
    expect((await other.must(['machines', 'show', 'm2'])).stdout).toContain('9.00 GTQ');
  } finally {
    await other.stop();
  }
});

test('cash entered late is told what was divided without it', async () => {
  const other = await startWorld({ tunnel: 'direct' });
  try {
    await other.must(['migrate']);
    await other.addClient('alice');
    await other.insertCashOut();
    await other.must(['poll']);
    const at = new Date(Date.now() - 86_400_000).toISOString();
    const late = await other.must(['fundings', 'add', 'alice', '500 GTQ', '--deposited', '--at', at]);
    expect(late.stdout).toContain(
      '1 cash-out since then was divided before this cash was entered: 4,000.00 GTQ',
    );
    // The next run finds nothing new for it.
    const poll = await other.must(['poll', '--json']);
    expect(poll.json()).toMatchObject({ source: { new: 0, already_processed: 1 } });
  } finally {
    await other.stop();
  }
});

describe.each(ledgerKinds)('on %s', (ledger) => {
  test('several terminals and a run change one funding at once, and no change is lost', async () => {
    const busy = await startWorld({ tunnel: 'direct', ledger });
    try {
      await busy.must(['migrate']);
      await busy.addClient('alice');
      const id = await busy.addFunding('alice', '5000 GTQ');
      await busy.insertCashOut();
      const withdraw = ['fundings', 'withdraw', id, '100 GTQ', '--reason', 'at once'];
      await Promise.all([
        ...[1, 2, 3, 4].map(() => busy.must(withdraw)),
        busy.must(['poll']),
        busy.must(['clients', 'pause', 'alice']),
      ]);
      const shown = (await busy.must(['fundings', 'show', id, '--json'])).json<{ history: unknown[] }>();
      // 5000 less 4 × 100 is more than the 4000 of the cash-out, in whatever order they came.
      expect(shown).toMatchObject({
        amount: '5000.00',
        remaining: '600.00',
        spent: '4000.00',
        withdrawn: '400.00',
      });
      expect(shown.history).toHaveLength(6);
    } finally {
      await busy.stop();
    }
  });

  test('of two terminals that take all that remains, one does and the other is told', async () => {
    const busy = await startWorld({ tunnel: 'direct', ledger });
    try {
      await busy.must(['migrate']);
      await busy.addClient('alice');
      const id = await busy.addFunding('alice', '50 GTQ');
      const withdraw = ['fundings', 'withdraw', id, '--reason', 'at once'];
      const both = await Promise.all([busy.aioDca(withdraw), busy.aioDca(withdraw)]);
      expect(both.map((ran) => ran.code).sort()).toEqual([0, 64]);
      expect(both.find((ran) => ran.code === 64)?.stderr).toContain(`${id} is withdrawn`);
    } finally {
      await busy.stop();
    }
  });
});
