import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MACHINE, pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

const REIMAGED = '9c2d1e7f5a3b4860';

describe.each(ledgerKinds)('machines on %s', (ledger) => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ tunnel: 'direct', ledger });
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.must(['poll']);
  });
  afterAll(async () => {
    await world.must(['verify']);
    await world.stop();
  });

  const rates = async () => (await ledgerSql(world.ledgerUrl, 'select id from machine_rates')).length;

  test('the operator sets a name, a currency and rates; Lamassu does not overwrite them', async () => {
    const anywhere = await world.addFunding('alice', '300 GTQ', { args: ['--any-machine'] });
    const before = (await world.must(['machines', 'list'])).stdout;
    expect(before).toMatch(/Antigua \(7a1f4c2e\) +│ not set +│.*│ +300\.00 GTQ │/);
    for (const line of before.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
    await world.must(['fundings', 'withdraw', anywhere, '--yes', '--reason', 'only for the table']);
    const set = await world.must([
      ...['machines', 'set', 'Antigua', '--name', 'Parque Central', '--currency', 'gtq'],
      ...['--commission-rate', '5%', '--min-rate', '3%', '--max-rate', '0.08', '--json'],
    ]);
    const settings = {
      machine: MACHINE,
      name: 'Parque Central',
      currency: 'GTQ',
      commission_rate: '0.05000',
      min_rate: '0.03000',
      max_rate: '0.08000',
    };
    expect(set.json()).toMatchObject({ ...settings, outside: [] });
    await world.must(['poll']);
    await world.aioDca(['doctor']);
    const shown = await world.must(['machines', 'show', 'Parque Central', '--json']);
    expect(shown.json()).toMatchObject(settings);
    expect((await world.must(['machines', 'show', MACHINE])).stdout).toContain(
      'Commission: 5 %; a funding may have 3 % to 8 %',
    );
    const list = (await world.must(['machines', 'list'])).stdout;
    expect(list).toMatch(/Parque Central.*GTQ.*5 %/);
    for (const line of list.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
    const log = await world.must(['log', '--json']);
    expect(log.json<{ action: string }[]>().map((one) => one.action)).toContain('machine set');
    const above = await world.aioDca(['machines', 'set', MACHINE, '--min-rate', '6%']);
    expect(above.stderr).toContain('--min-rate: 6 % is more than the commission rate of the machine, 5 %');
    const why = ['--reason', 'as it was', '--json'];
    const unset = await world.must(['machines', 'set', MACHINE, '--no-name', '--no-currency', ...why]);
    expect(unset.json()).toMatchObject({ name: null, currency: null, min_rate: '0.03000' });
    expect((await world.must(['log', '--json'])).json()).toContainEqual(
      expect.objectContaining({ action: 'machine set', reason: 'as it was' }),
    );
    await world.must(['poll']);
    expect((await world.must(['machines', 'show', MACHINE, '--json'])).json()).toMatchObject({
      name: 'Antigua',
    });
    await world.must(['machines', 'set', MACHINE, '--name', 'Parque Central', '--currency', 'GTQ']);
  });

  test('a rate outside of the range is refused with the range; without a rate, it is what Lamassu charged', async () => {
    const ran = await world.aioDca(['fundings', 'add', 'alice', '100 GTQ', '--rate', '9%', '--json']);
    expect(ran.code).toBe(64);
    expect(ran.json()).toMatchObject({
      error: { code: 'usage/invalid', message: expect.stringContaining('3 % to 8 %') },
    });
    const { id } = (
      await world.must(['fundings', 'add', 'alice', '100 GTQ', '--rate', '8%', '--json'])
    ).json<{ id: string }>();
    const narrowed = await world.must(['machines', 'set', MACHINE, '--max-rate', '7%']);
    expect(narrowed.stdout).toContain(`as agreed before: ${id} (8 %)`);
    const set = await world.must(['machines', 'set', MACHINE, '--commission-rate', 'none', '--json']);
    expect(set.json()).toMatchObject({ commission_rate: null, max_rate: '0.07000' });
    await world.must(['fundings', 'cancel', id]);
  });

  const bad: [string, string[], string][] = [
    ['nothing to change', ['set', MACHINE], 'no change was given'],
    ['a machine that is not known', ['set', 'Nowhere', '--name', 'x'], 'MACHINE'],
    ['an empty name', ['set', MACHINE, '--name', ' '], '--name'],
    ['a name of two lines', ['set', MACHINE, '--name', 'a\nb'], '--name'],
    ['a currency that is none', ['set', MACHINE, '--currency', 'QQQ'], '--currency'],
    ['a rate that forgot its percent', ['set', MACHINE, '--min-rate', '5'], '--min-rate'],
    ['a rate of more than 50 %', ['set', MACHINE, '--commission-rate', '51%'], '--commission-rate'],
    ['a default outside of the range', ['set', MACHINE, '--commission-rate', '1%'], '--commission-rate'],
    ['a range upside down', ['set', MACHINE, '--min-rate', '40%'], '--min-rate'],
    ['a replacement by itself', ['replace', MACHINE, MACHINE], 'NEW'],
    ['a replacement by what is not known', ['replace', MACHINE, 'Nowhere'], 'NEW'],
  ];

  test.each(bad)('refuses %s, and writes nothing', async (_what, args, field) => {
    const before = await rates();
    const ran = await world.aioDca(['machines', ...args, '--json']);
    expect(ran.code).toBe(64);
    expect(ran.json()).toMatchObject({
      error: { code: 'usage/invalid', message: expect.stringContaining(field), hint: expect.any(String) },
    });
    expect(await rates()).toBe(before);
  });

  test('a re-imaged machine replaces itself: cash, name and rates move, and late cash-outs use them', async () => {
    const id = await world.addFunding('alice', '9000 GTQ', { args: ['--machine', MACHINE] });
    await world.lamassu.query('delete from devices');
    await pairMachine(world.lamassu, '', REIMAGED);
    await world.must(['poll']);
    const replace = ['machines', 'replace', 'Parque Central', REIMAGED];
    const asked = await world.aioDca(replace);
    expect(asked.code).toBe(64);
    expect(asked.stderr.replace(/\s+/g, ' ')).toContain(`${id} of alice (9,000.00 GTQ)`);
    expect(asked.stderr.replace(/\s+/g, ' ')).toContain(`Device id ${MACHINE} is then no longer in use`);
    expect((await world.must(['machines', 'show', MACHINE, '--json'])).json()).toMatchObject({
      replaced_by: null,
    });
    const replaced = await world.must([...replace, '--yes', '--json']);
    expect(replaced.json()).toMatchObject({
      machine: REIMAGED,
      replaces: MACHINE,
      fundings: [id],
      max_rate: '0.07000',
      remaining: { GTQ: '9000.00' },
    });
    const sold = { created: new Date().toISOString(), confirmed_at: new Date().toISOString() };
    await world.insertCashOut(sold);
    await world.insertCashOut({ ...sold, device_id: REIMAGED });
    const poll = await world.must(['poll', '--json']);
    expect(poll.json()).toMatchObject({
      distributed: { cash_outs: 2, net_sats: 968_414, own_sats: 0 },
      payouts: { settled: 1 },
    });
    expect((await world.must(['fundings', 'show', id, '--json'])).json()).toMatchObject({
      machine: REIMAGED,
      remaining: '1000.00',
      history: [{ action: 'funding add' }, { action: 'funding move' }, {}, {}],
    });
    expect((await world.must(['machines', 'list', '--json'])).json()).toMatchObject([{ machine: REIMAGED }]);
    expect(
      (await world.must(['doctor', '--json'])).json<{ checks: { name: string; level: string }[] }>().checks,
    ).not.toContainEqual(expect.objectContaining({ name: 'fundings', level: 'warn' }));
  });

  test('a replaced machine can be shown and restored, and doctor warns while Lamassu has it', async () => {
    const checks = async () =>
      (await world.must(['doctor', '--json'])).json<{ checks: { name: string; level: string }[] }>().checks;
    const still = expect.objectContaining({
      name: 'replaced machines',
      level: 'warn',
      detail: expect.stringMatching(
        `${MACHINE.slice(0, 8)}.* was replaced by .*${REIMAGED.slice(0, 8)}.* still in Lamassu, and has paid out since: 2`,
      ),
    });
    expect(await checks()).not.toContainEqual(still);
    await pairMachine(world.lamassu, 'Antigua');
    await world.insertCashOut({ confirmed_at: new Date().toISOString(), created: new Date().toISOString() });
    await world.must(['poll']);
    expect(await checks()).toContainEqual(still);
    const shown = await world.must(['machines', 'show', MACHINE]);
    expect(shown.stdout).toMatch(new RegExp(`^Replaced by .*${REIMAGED.slice(0, 8)}\\) since \\d{4}-`));
    expect(shown.stdout).toContain(`aio-dca machines replace ${REIMAGED} ${MACHINE}`);
    await world.must(['machines', 'replace', REIMAGED, MACHINE, '--yes']);
    expect((await world.must(['machines', 'list', '--json'])).json()).toMatchObject([{ machine: MACHINE }]);
    expect((await world.must(['machines', 'show', REIMAGED, '--json'])).json()).toMatchObject({
      replaced_by: MACHINE,
    });
  });
});

test('a machine that only Lamassu knows is read when it is named, and its name is suggested', async () => {
  const world = await startWorld({ tunnel: 'direct' });
  try {
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    await world.addClient('alice');
    const add = (machine: string) =>
      world.aioDca(['fundings', 'add', 'alice', '2000 GTQ', '--machine', machine, '--deposited']);
    const config = await readFile(world.configFile, 'utf8');
    await writeFile(world.configFile, config.replace(/^port = .*$/m, 'port = 9'));
    const away = await add('antigua');
    expect([away.code, away.stderr]).toEqual([
      64,
      expect.stringContaining('None is known yet. Run `aio-dca doctor`'),
    ]);
    await writeFile(world.configFile, config);
    const near = await add('antigua');
    expect([near.code, near.stderr]).toEqual([64, expect.stringContaining('Did you mean Antigua?')]);
    expect((await world.must(['machines', 'list', '--json'])).json()).toEqual([]);
    expect((await add('Antigua')).stdout).toContain('for machine Antigua (7a1f4c2e)');
    expect((await world.must(['machines', 'list'])).stdout).toContain('Antigua (7a1f4c2e)');
    const other = 'b2'.repeat(16);
    await pairMachine(world.lamassu, 'Plaza', other);
    expect((await world.must(['fundings', 'move', 'f1', '--machine', 'Plaza'])).stdout).toContain(
      'Plaza (b2b2b2b2)',
    );
    await pairMachine(world.lamassu, 'Centro', 'c3'.repeat(16));
    await world.must(['machines', 'set', 'Centro', '--currency', 'GTQ']);
    await pairMachine(world.lamassu, 'Xela', 'd4'.repeat(16));
    const { inkey } = await world.lnbits.createUserWallet('carla');
    await writeFile(join(world.folder, 'carla'), inkey);
    await world.must([
      ...['commission', 'add', 'carla', '--wallet-key-file', join(world.folder, 'carla')],
      ...['--weight', '1', '--machine', 'Xela'],
    ]);
    await world.must(['verify']);
  } finally {
    await world.stop();
  }
});
