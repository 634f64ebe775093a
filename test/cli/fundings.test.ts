import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MACHINE } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { inTerminal, keys } from '../support/terminal.ts';
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

test('cash on its way is confirmed, withdrawn in part, and then in full', async () => {
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
  await world.must(['--actor', 'dora', 'fundings', 'withdraw', id, '--yes', '--reason', 'all of it']);
  const shown = await world.must(['fundings', 'show', id, '--json']);
  expect(shown.json()).toMatchObject({
    remaining: '0.00',
    withdrawn: '3000.00',
    status: 'withdrawn',
    history: [
      { action: 'funding add', after: { amount: '3000.00', rate: '0.05000' } },
      { action: 'funding confirm' },
      { action: 'funding withdraw', reason: 'asked for' },
      { action: 'funding withdraw', actor: 'dora', reason: 'all of it' },
    ],
  });
  const page = (await world.must(['fundings', 'show', id])).stdout;
  expect(page).toContain('funding withdraw by dora');
  for (const line of page.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
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
    ['an adjustment by nothing', ['adjust', 'f1', '-0 GTQ', '--reason', 'x'], 'amount'],
    ['an adjustment that is none', ['adjust', 'f1', '-5', '--reason', 'x'], 'amount'],
    ['an amount below zero', ['add', 'alice', '-3000 GTQ', '--deposited'], 'amount'],
    ['a withdrawal below zero', ['withdraw', 'f1', '-5 GTQ', '--reason', 'x'], 'amount'],
    ['an option that there is not', ['adjust', 'f1', '-5 GTQ', '--reason', 'x', '--reson', 'y'], '--reson'],
    ['an adjustment without a reason', ['adjust', 'f1', '-5 GTQ', '--reason', ' '], '--reason'],
    ['a count in another currency', ['confirm', 'f1', '--counted', '5'], '--counted'],
    ['a move to nowhere', ['move', 'f1'], '--machine'],
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

test('if several machines are known, one has to be named', async () => {
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

test('the counted cash is the amount; corrections and moves are in the history, with their reasons', async () => {
  const { id } = (await world.must(['fundings', 'add', 'alice', '3000 GTQ', '--json'])).json<{
    id: string;
  }>();
  const counted = await world.must(['fundings', 'confirm', id, '--counted', '2950 GTQ']);
  expect(counted.stdout).toContain('2,950.00 GTQ of alice');
  expect(counted.stdout).toContain('3,000.00 GTQ were announced.');
  const adjusted = await world.must([
    'fundings',
    'adjust',
    id,
    '-50 GTQ',
    '--reason',
    'a note twice',
    '--json',
  ]);
  expect(adjusted.json()).toMatchObject({ amount: '2900.00', remaining: '2900.00' });
  const more = (await world.must(['fundings', 'adjust', id, '+10.50 GTQ', '--reason', 'found'])).stdout;
  expect(more).toContain('2,910.50 GTQ');
  expect(more).toContain('Lamassu was never read');
  const sql = 'insert into machines (device_id, name, first_seen) values ($1, $2, $3)';
  await ledgerSql(world.ledgerUrl, sql, ['m1', 'Antigua', '2026-11-01T00:00:00.000000Z']);
  const moved = await world.must(['fundings', 'move', id, '--machine', 'Antigua', '--json']);
  expect(moved.json()).toMatchObject({ machine: 'm1', remaining: '2910.50' });
  expect((await world.must(['fundings', 'move', id, '--any-machine'])).stdout).toContain('for any machine');
  const page = (await world.must(['fundings', 'show', id])).stdout.replace(/[\s│]+/g, ' ');
  for (const row of [
    /funding add by \S+ 3,000\.00 GTQ/,
    /funding confirm by \S+ -50\.00 GTQ to 2,950\.00 GTQ/,
    /funding adjust by \S+ -50\.00 GTQ to 2,900\.00 GTQ: a note twice/,
    /funding adjust by \S+ \+10\.50 GTQ to 2,910\.50 GTQ: found/,
    /funding move by \S+ to machine m1/,
    /funding move by \S+ to any machine/,
  ])
    expect(page).toMatch(row);
  const shown = await world.must(['fundings', 'show', id, '--json']);
  expect(shown.json()).toMatchObject({
    history: [
      { action: 'funding add' },
      { action: 'funding confirm', after: { difference: '-50.00' } },
      { action: 'funding adjust', reason: 'a note twice', after: { difference: '-50.00' } },
      { action: 'funding adjust', reason: 'found', after: { difference: '10.50' } },
      { action: 'funding move', before: { machine: null }, after: { machine: 'm1' } },
      { action: 'funding move', after: { machine: null } },
    ],
  });
  await world.must(['verify']);
});

describe.each(ledgerKinds)('cash entered late, on %s', (ledger) => {
  let late: World;

  beforeAll(async () => {
    late = await startWorld({ tunnel: 'direct', ledger });
    await late.must(['migrate']);
    await late.addClient('alice');
  });
  afterAll(async () => {
    await late.must(['verify']);
    await late.stop();
  });

  const at = new Date(Date.now() - 86_400_000).toISOString();
  const args = ['fundings', 'add', 'alice', '500 GTQ', '--any-machine', '--deposited', '--at', at];
  const cashOut = async () => {
    const id = await late.insertCashOut();
    await late.must(['poll', '--json']);
    return id;
  };
  const shown = async (id: string) =>
    (await late.must(['cash-outs', 'show', id, '--json'])).json<{
      own_fiat: string;
      own_sats: number;
      net_sats: number;
      allocations: unknown[];
    }>();

  test('without a terminal and without a choice it exits 64, explains both options, and writes nothing', async () => {
    const id = await cashOut();
    const ran = await late.aioDca([...args, '--json']);
    expect(ran.code).toBe(64);
    const { error } = ran.json<{ error: { message: string; hint: string } }>();
    expect(error.message).toContain('1 cash-out since then was divided without this cash, and 4,000.00 GTQ');
    expect(error.message).toContain(
      `${id.slice(0, 8)}: own share 4,000.00 GTQ, it would get 500.00 GTQ for 60,526 sat`,
    );
    expect(error.hint).toMatch(/--from-own.*--no-past/);
    expect((await late.aioDca([...args, '--yes'])).code).toBe(64);
    expect((await late.aioDca([...args, '--from-own', '--no-past'])).stderr).toContain(
      '--no-past is given too',
    );
    expect((await late.must(['fundings', 'list', '--json'])).json()).toEqual([]);
    expect(await shown(id)).toMatchObject({ own_fiat: '4000.00', allocations: [] });
  });

  test('--from-own without a past to take from is refused, and says what is missing', async () => {
    const base = ['fundings', 'add', 'alice', '500 GTQ', '--any-machine'];
    const ran = await late.aioDca([...base, '--from-own']);
    expect(ran).toMatchObject({ code: 64, stderr: expect.stringContaining('--deposited was not given') });
    const noTime = await late.aioDca([...base, '--deposited', '--from-own']);
    expect(noTime).toMatchObject({ code: 64, stderr: expect.stringContaining('without --at') });
  });

  test('--no-past leaves past cash-outs; the next run finds nothing new for the cash', async () => {
    const ran = await late.must([...args, '--no-past']);
    expect(ran.stdout).toContain(
      '1 cash-out since then was divided before this cash was entered: 4,000.00 GTQ',
    );
    const poll = await late.must(['poll', '--json']);
    expect(poll.json()).toMatchObject({ source: { new: 0 }, payouts: { settled: 0 } });
    const [funding] = (await late.must(['fundings', 'list', '--json'])).json<{ id: string }[]>();
    await late.must(['fundings', 'withdraw', funding?.id ?? '', '--yes', '--reason', 'the test goes on']);
  });

  test('--from-own gives it its part out of the own share, which the next run pays', async () => {
    const before = await late.must(['fundings', 'list', '--json']);
    const ran = await late.must([...args, '--from-own', '--json']);
    const { id, past } = ran.json<{ id: string; past: { cash_outs: number; from_own: { id: string }[] } }>();
    expect(past).toMatchObject({
      cash_outs: 1,
      own_fiat: '4000.00',
      from_own: [{ fiat: '500.00', gross_sats: 64_050, commission_sats: 3_524, net_sats: 60_526 }],
    });
    const cash = await shown(past.from_own[0]?.id ?? '');
    expect(cash).toMatchObject({
      own_fiat: '3500.00',
      own_sats: 484_207 - 60_526,
      net_sats: 60_526,
      allocations: [{ client: 'alice', funding: id, fiat: '500.00', net_sats: 60_526 }],
    });
    expect((await late.must(['fundings', 'list', '--json'])).json()).toMatchObject([
      ...before.json<object[]>(),
      { id, status: 'exhausted', remaining: '0.00', spent: '500.00' },
    ]);
    const poll = await late.must(['poll', '--json']);
    expect(poll.json()).toMatchObject({ payouts: { settled: 1, sats_settled: 60_526 } });
    const [alice] = [...late.wallets.values()];
    expect(alice && (await late.balance(alice))).toBe(60_526n);
  });

  test('two terminals at once never get one share twice', async () => {
    const many = args.with(3, '3000 GTQ').concat('--from-own', '--json');
    const both = await Promise.all([late.must(many), late.must(many)]);
    const spent = both.map((ran) => ran.json<{ spent: string }>().spent).sort();
    expect(spent).toEqual(['3000.00', '500.00']);
  });

  test('on a terminal it asks: Ctrl-C and leaving write nothing, each choice does what it says', async () => {
    const id = await cashOut();
    const count = async () => (await late.must(['fundings', 'list', '--json'])).json<object[]>().length;
    const before = await count();
    // The 500 GTQ of before that remain were deposited in time: they have their share.
    const ask = async (...typed: string[]) => {
      const terminal = inTerminal(['--config', late.configFile, ...args]);
      await terminal.shows('What should happen to them?');
      for (const key of typed) terminal.type(key);
      return terminal.ended;
    };
    const left = await ask(keys.interrupt);
    expect(left.screen).toContain(`${id.slice(0, 8)}: own share`);
    for (const key of [keys.interrupt, keys.enter, keys.escape, keys.endOfInput]) {
      expect(await ask(key)).toMatchObject({ code: 64, screen: expect.stringContaining('usage/declined') });
    }
    expect(await count()).toBe(before);
    const leave = await ask(keys.up, keys.enter);
    expect(leave).toMatchObject({ code: 0, screen: expect.stringContaining('That stays as it is') });
    const give = await ask(keys.up, keys.up, keys.enter);
    expect(give.screen).toContain('it gave 500.00 GTQ for 60,526 sat');
    expect(await count()).toBe(before + 2);
  });

  test('a currency that no machine has paid out has to be confirmed; doctor reports such cash', async () => {
    const usd = ['fundings', 'add', 'alice', '100 USD', '--deposited', '--reason', 'dollars from today'];
    for (const where of [['--machine', MACHINE], ['--any-machine']]) {
      const ran = await late.aioDca([...usd, ...where]);
      expect(ran).toMatchObject({ code: 64, stderr: expect.stringMatching(/GTQ[\s\S]*--new-currency/) });
    }
    const added = await late.must([...usd, '--machine', MACHINE, '--new-currency', '--json']);
    const { id } = added.json<{ id: string }>();
    expect((await late.must(['fundings', 'show', id, '--json'])).json()).toMatchObject({
      history: [{ action: 'funding add', reason: 'dollars from today' }],
    });
    const { checks } = (await late.aioDca(['doctor', '--json'])).json<{ checks: { detail: string }[] }>();
    expect(checks).toContainEqual(
      expect.objectContaining({ level: 'warn', detail: expect.stringContaining(`${id}, cash in USD`) }),
    );
    const moved = await late.aioDca(['fundings', 'move', id, '--machine', MACHINE]);
    expect(moved).toMatchObject({ code: 64, stderr: expect.stringContaining('is there already') });
  });
});

describe('a withdrawal of all that remains', () => {
  let machine: World;
  let id: string;
  beforeAll(async () => {
    machine = await startWorld({ tunnel: 'direct' });
    await machine.must(['migrate']);
    await machine.addClient('alice');
    id = await machine.addFunding('alice', '5000 GTQ', { at: '2025-11-20' });
  });
  afterAll(() => machine.stop());
  const withdraw = (...more: string[]) => ['fundings', 'withdraw', id, ...more, '--reason', 'asked for it'];
  const remaining = async () =>
    (await machine.must(['fundings', 'show', id, '--json'])).json<{ remaining: string }>().remaining;

  test('is refused while a cash-out that took of it waits, also with --yes; less is not', async () => {
    await machine.insertCashOut();
    for (const args of [['--yes'], [], ['1000.01 GTQ']]) {
      const { code, stderr } = await machine.aioDca(withdraw(...args));
      expect(code).toBe(64);
      expect(stderr.replace(/\s+/g, ' ')).toContain(
        `1 cash-out that is not distributed yet took 4,000.00 GTQ of ${id} out of the machine`,
      );
      expect(stderr.replace(/\s+/g, ' ')).toContain('Then 1,000.00 GTQ of alice remain.');
    }
    expect(await remaining()).toBe('5000.00');
    const part = await machine.must(withdraw('100 GTQ', '--json'));
    expect(part.json()).toMatchObject({ taken: '100.00', lamassu: { problem: null } });
    await machine.must(['poll']);
    expect(await remaining()).toBe('900.00');
  });

  test('asks on a terminal and names the sum; without one it exits 64 with the question', async () => {
    const without = await machine.aioDca(withdraw());
    expect(without).toMatchObject({ code: 64, stderr: expect.stringContaining('usage/confirm') });
    expect(without.stderr.replace(/\s+/g, ' ')).toMatch(/all 900\.00 GTQ .* of alice .* Add --yes/);
    const ask = async (key: string) => {
      const terminal = inTerminal(['--config', machine.configFile, ...withdraw()], { columns: 80 });
      await terminal.shows('that remain of');
      terminal.type(key);
      return terminal.ended;
    };
    expect(await ask(keys.enter)).toMatchObject({
      code: 64,
      screen: expect.stringContaining('usage/declined'),
    });
    expect(await remaining()).toBe('900.00');
    const agreed = await ask('y');
    expect(agreed).toMatchObject({ code: 0, screen: expect.stringContaining('Lamassu was read just now') });
    expect(await remaining()).toBe('0.00');
  });

  test('is undone by an adjustment, and an unreachable Lamassu is said', async () => {
    const back = await machine.must(['fundings', 'adjust', id, '+900 GTQ', '--reason', 'mistake', '--json']);
    expect(back.json()).toMatchObject({ status: 'deposited', remaining: '900.00', withdrawn: '1000.00' });
    expect(back.json()).toMatchObject({ lamassu: null, last_read_at: expect.stringMatching(/^20/) });
    const config = await readFile(machine.configFile, 'utf8');
    const wrong = config.replace(/^password_file = .*lamassu\.password.*$/m, 'password = "wrong"');
    await writeFile(machine.configFile, wrong);
    const without = await machine.aioDca(withdraw());
    expect(without.code).toBe(64);
    expect(without.stderr.replace(/\s+/g, ' ')).toMatch(
      /Lamassu could not be read now: lamassu\/credentials: .* It was last read at 20.* all 900\.00 GTQ/,
    );
    const done = await machine.must(withdraw('--yes', '--json'));
    expect(done.json()).toMatchObject({
      ...{ taken: '900.00', status: 'withdrawn' },
      lamassu: { read_at: expect.any(String), problem: { code: 'lamassu/credentials' } },
    });
    expect((await machine.aioDca(['verify'])).code).toBe(0);
  });
});

describe.each(ledgerKinds)('on %s', (ledger) => {
  test('Lamassu is read before cash is taken off, moved or cancelled', async () => {
    const first = await startWorld({ tunnel: 'direct', ledger });
    try {
      await first.must(['migrate']);
      await first.addClient('alice');
      const sql = 'insert into machines (device_id, name, first_seen) values ($1, $2, $3)';
      for (const [id, name] of [
        [MACHINE, 'Antigua'],
        ['m2', 'Centro'],
      ] as const)
        await ledgerSql(first.ledgerUrl, sql, [id, name, '2025-11-01T00:00:00.000000Z']);
      const at = '2025-11-20';
      const here = await first.addFunding('alice', '5000 GTQ', { at, args: ['--machine', 'Antigua'] });
      const there = await first.addFunding('alice', '1000 GTQ', { at, args: ['--machine', 'Centro'] });
      const add = ['fundings', 'add', 'alice', '70 GTQ', '--any-machine', '--json'];
      const onItsWay = async () => (await first.must(add)).json<{ id: string }>().id;
      const adjust = (id: string, amount: string) => ['fundings', 'adjust', id, amount, '--reason', 'x'];
      const move = (id: string, machine: string) => ['fundings', 'move', id, '--machine', machine];
      const overpaid = ['payouts', 'overpaid', 'p1', '--sats', '12105', '--funding', here, '--reason', 'x'];
      const refused = async (args: string[], said: string) => {
        const { code, stderr } = await first.aioDca(args);
        expect(code).toBe(64);
        expect(stderr.replace(/\s+/g, ' ')).toContain(said);
      };

      await first.insertCashOut();
      const took = `1 cash-out that is not distributed yet took 4,000.00 GTQ of ${here} out of the machine`;
      await refused(adjust(here, '-1000.01 GTQ'), took);
      await refused(move(here, 'Centro'), took);
      await refused(
        move(there, 'Antigua'),
        `not distributed yet would take 666.67 GTQ of ${there} out of a machine that it was not in`,
      );
      const isRead = { lamassu: { read_at: expect.any(String), problem: null } };
      const less = await first.must([...adjust(here, '-100 GTQ'), '--json']);
      expect(less.json()).toMatchObject({ remaining: '4900.00', ...isRead });
      const more = await first.must([...adjust(here, '+100 GTQ'), '--json']);
      expect(more.json()).toMatchObject({ remaining: '5000.00', lamassu: null });
      const sent = await first.must(['fundings', 'cancel', await onItsWay(), '--json']);
      expect(sent.json()).toMatchObject({ status: 'cancelled', ...isRead });

      await first.must(['poll']);
      expect((await first.must([...move(there, 'Antigua'), '--json'])).json()).toMatchObject(isRead);
      await first.must(move(there, 'Centro'));
      await first.insertCashOut();
      await refused(overpaid, `not distributed yet took 1,000.00 GTQ of ${here} out of the machine`);
      expect((await first.must([...adjust(there, '-10 GTQ'), '--json'])).json()).toMatchObject(isRead);

      const config = await readFile(first.configFile, 'utf8');
      const wrong = config.replace(/^password_file = .*lamassu\.password.*$/m, 'password = "wrong"');
      await writeFile(first.configFile, wrong);
      const unread = [adjust(here, '-1 GTQ'), move(here, 'Centro'), ['fundings', 'cancel', await onItsWay()]];
      for (const args of [...unread, [...overpaid, '--yes']]) {
        const page = (await first.must(args)).stdout.replace(/\s+/g, ' ');
        expect(page).toMatch(
          /Lamassu could not be read now: lamassu\/credentials: .* It was last read at 20/,
        );
        expect(page).toMatch(/Cash of f\d may have come out that the ledger does not know\./);
      }
      expect((await first.aioDca(['verify'])).code).toBe(0);
    } finally {
      await first.stop();
    }
  });

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

  test('if two terminals withdraw all that remains, one does and the other gets an error', async () => {
    const busy = await startWorld({ tunnel: 'direct', ledger });
    try {
      await busy.must(['migrate']);
      await busy.addClient('alice');
      const id = await busy.addFunding('alice', '50 GTQ');
      const withdraw = ['fundings', 'withdraw', id, '--yes', '--reason', 'at once'];
      const both = await Promise.all([busy.aioDca(withdraw), busy.aioDca(withdraw)]);
      expect(both.map((ran) => ran.code).sort()).toEqual([0, 64]);
      expect(both.find((ran) => ran.code === 64)?.stderr).toContain(`${id} is withdrawn`);
    } finally {
      await busy.stop();
    }
  });
});
