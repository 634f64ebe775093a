import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MACHINE, pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

describe.each(ledgerKinds)('the log on %s', (ledger) => {
  let world: World;
  let cashOut: string;

  /** The heads of the entries, without their times, and what stands below each. */
  async function log(...args: string[]): Promise<{ head: string; values: string[] }[]> {
    const { stdout } = await world.must(['log', ...args]);
    return stdout
      .trim()
      .split(/\n(?! )/)
      .map((entry) => {
        const [head = '', ...values] = entry.split('\n').map((line) => line.trim());
        expect(head).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} GMT-6 /);
        return { head: head.replace(/^.*? GMT-6 /, ''), values };
      });
  }

  beforeAll(async () => {
    world = await startWorld({ tunnel: 'direct', ledger });
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    await world.addClient('alice', ['--actor', 'dora']);
    await world.addClient('bob', ['--actor', 'emil']);
    await world.addFunding('alice', '5000 GTQ', { args: ['--any-machine', '--actor', 'dora'] });
    cashOut = await world.insertCashOut();
    await world.must(['poll', '--actor', 'timer']);
    const limit = ['--mode', 'fixed', '--daily-limit', '500 GTQ'];
    await world.must(['clients', 'set', 'bob', ...limit, '--actor', 'dora']);
    await world.must(['payouts', 'hold', 'p1', '--reason', 'alice asked', '--actor', 'dora']);
    await world.must(['payouts', 'pause', '--reason', 'moving LNbits', '--actor', 'emil']);
  });

  afterAll(async () => {
    expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
    await world.stop();
  });

  test('it shows who changed what and why, with the values before and after, oldest first', async () => {
    const entries = await log();
    expect(entries.map(({ head }) => head.replace(/bound .*/, 'bound …'))).toEqual([
      'dora: client add alice',
      'emil: client add bob',
      'dora: funding add f1',
      `timer, run r1: machine found ${MACHINE}`,
      `timer, run r1: cash-out divided ${cashOut}`,
      'timer, run r1: payout formed p1',
      'timer, run r1: source wallet bound …',
      'timer, run r1: payout settled p1',
      'dora: client set bob',
      'dora, run r2: payout held p1 (alice asked)',
      'emil: payouts pause (moving LNbits)',
    ]);
    expect(entries[2]?.values).toContain('amount: 5000.00');
    expect(entries[4]?.values).toEqual(expect.arrayContaining(['net: 484,207 sat', 'fiat: 4000.00']));
    expect(entries[4]?.values.join()).toMatch(
      /allocations: client alice, funding f1, fiat 4000.00, .*net 484,207 sat/,
    );
    expect(entries[5]?.values).toEqual([
      'recipient: alice',
      'sats: 484,207 sat',
      'fiat: 4000.00',
      'currency: GTQ',
    ]);
    expect(entries[8]?.values).toEqual(['mode: flow → fixed', 'limits: none → currency GTQ, daily 500.00']);
    expect(entries[9]?.values).toEqual(['state: settled → held']);
  });

  test('a time in an error is local, as everywhere', async () => {
    const again = await world.must(['payouts', 'pause', '--reason', 'again']);
    expect(again.stdout).toMatch(/by emil since \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} GMT-6: moving LNbits/);
    const paused = await world.aioDca(['fixed', 'run']);
    expect(paused.stderr).toMatch(/paused by emil at .* GMT-6: moving LNbits/);
    expect(paused.stderr).not.toMatch(/\dT\d/);
  });

  test('by actor, by time, and by subject; a client comes with fundings and payouts', async () => {
    expect((await log('--actor', 'emil')).map(({ head }) => head)).toEqual([
      'emil: client add bob',
      'emil: payouts pause (moving LNbits)',
    ]);
    expect((await log('--subject', 'alice')).map(({ head }) => head)).toEqual([
      'dora: client add alice',
      'dora: funding add f1',
      `timer, run r1: cash-out divided ${cashOut}`,
      'timer, run r1: payout formed p1',
      'timer, run r1: payout settled p1',
      'dora, run r2: payout held p1 (alice asked)',
    ]);
    const heads = async (...args: string[]) => (await log(...args)).map(({ head }) => head);
    expect(await heads('--subject', 'f1')).toEqual([
      'dora: funding add f1',
      `timer, run r1: cash-out divided ${cashOut}`,
    ]);
    expect(await heads('--subject', 'p1')).toEqual([
      'timer, run r1: payout formed p1',
      'timer, run r1: payout settled p1',
      'dora, run r2: payout held p1 (alice asked)',
    ]);
    expect(await heads('--subject', cashOut.slice(0, 8))).toEqual([
      `timer, run r1: cash-out divided ${cashOut}`,
    ]);
    expect(await heads('--subject', 'Antigua')).toEqual([`timer, run r1: machine found ${MACHINE}`]);
    expect(await heads('--actor', 'timer')).toHaveLength(5);
    expect((await world.must(['log', '--to', '2020-01-01'])).stdout).toBe('No change was made.\n');
    expect((await world.must(['log', '--from', '2099-01-01', '--json'])).json()).toEqual([]);
  });

  test('an unknown name is refused, and the known ones are listed', async () => {
    for (const [option, name, known] of [
      ['--subject', 'nobody', `alice, bob, Antigua (${MACHINE.slice(0, 8)})`],
      ['--subject', 'f99', 'alice'],
      ['--subject', '00000000-0000-4000-8000-000000000000', 'alice'],
      ['--actor', 'nobody', 'dora, emil, '],
    ] as const) {
      const ran = await world.aioDca(['log', option, name]);
      expect(ran).toMatchObject({ code: 64, stdout: '' });
      expect(ran.stderr).toContain(`${option}: `);
      expect(ran.stderr).toContain(known);
    }
  });

  test('--json has before and after, and no secret', async () => {
    const ran = await world.must(['log', '--actor', 'dora', '--json']);
    const entries = ran.json<Record<string, unknown>[]>();
    expect(entries.at(-1)).toMatchObject({
      actor: 'dora',
      run: 'r2',
      action: 'payout held',
      subject: 'p1',
      reason: 'alice asked',
      before: { state: 'settled' },
      after: { state: 'held' },
    });
    for (const { adminkey, inkey } of [world.source, ...world.wallets.values()]) {
      expect(ran.stdout).not.toContain(adminkey);
      expect(ran.stdout).not.toContain(inkey);
    }
  });

  test('control characters for the terminal are not printed', async () => {
    const reason = 'clear\u001b[2J\nroot: nothing happened';
    await ledgerSql(
      world.ledgerUrl,
      `insert into log (at, actor, action, subject, reason) values ('2020-01-01T00:00:00.000000Z', 'dora', 'test', 'x', $1)`,
      [reason],
    );
    const [entry] = await log('--to', '2020-01-02');
    expect(entry).toEqual({ head: 'dora: test x (clear root: nothing happened)', values: [] });
  });

  test('sats with their unit, and of a settlement undone the cash-out at each funding', async () => {
    const settled = ['settle', '--external', 'slip-7', '--fiat', '200 GTQ', '--gross', '25620 sat'];
    const at = new Date().toISOString();
    const rest = [
      '--commission',
      '1410 sat',
      '--machine',
      'Antigua',
      '--at',
      at,
      '--reason',
      'paper',
      '--yes',
    ];
    await world.must([...settled, ...rest, '--actor', 'fay']);
    await world.must(['settle', '--void', 'slip-7', '--reason', 'entered twice', '--yes', '--actor', 'fay']);
    const [first, ...undone] = await log('--actor', 'fay');
    expect(first?.values).toContain('gross: 25,620 sat');
    expect(first?.values.join()).toMatch(/allocations: .*net 24,210 sat/);
    expect(undone.map(({ head }) => head).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'fay: settle void f1 (entered twice)',
      'fay: settle void slip-7 (entered twice)',
    ]);
    expect(undone.find(({ head }) => head.includes('f1'))?.values).toContain('cash_out: slip-7');
  });

  test('a row that a run puts into review, and puts there again', async () => {
    const id = await world.insertCashOut({ error: 'jammed', error_code: 'jammed' });
    await world.aioDca(['poll', '--actor', 'timer']);
    await world.must(['review', 'dismiss', id, '--reason', 'paid in cash', '--actor', 'dora']);
    await world.lamassu.query(
      'update cash_out_txs set error = null, error_code = null, crypto_code = $1 where id = $2',
      ['LTC', id],
    );
    await world.aioDca(['poll', '--actor', 'timer']);
    const entries = await log('--subject', id);
    expect(entries.map(({ head, values }) => [head.replace(/, run r\d+/, ''), values])).toEqual([
      [expect.stringContaining(`timer: review open ${id} (`), ['state: open', 'reason: error']],
      [`dora: review dismiss ${id} (paid in cash)`, expect.arrayContaining(['state: open → dismissed'])],
      [
        expect.stringContaining(`timer: review open ${id} (`),
        ['state: dismissed → open', 'reason: error → other-coin'],
      ],
    ]);
  });

  test.each([
    ['--from', 'soon'],
    ['--to', '2026-02-30'],
  ])('%s %s is refused', async (option, value) => {
    const ran = await world.aioDca(['log', option, value]);
    expect(ran).toMatchObject({ code: 64, stdout: '' });
    expect(ran.stderr).toContain(`${option}: `);
  });
});
