import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { audit } from '../support/auditor.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { lnbitsVersions } from '../support/lnbits.ts';
import { ago, balances, HOUR, installation, keep, recorded, recover } from '../support/restore.ts';
import type { World } from '../support/world.ts';

// Each command is a process of its own, and a drill takes twenty of them.
vi.setConfig({ testTimeout: 240_000 });

/** Every client was paid once and in full, and the books balance. */
async function allIsWell(world: World): Promise<void> {
  expect((await audit(world)).violations).toEqual([]);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
}

describe.each(lnbitsVersions)('the restore drill on LNbits %s', (lnbitsVersion) => {
  test.each(ledgerKinds)('with a ledger in %s: pay, restore, refuse, recover, go on', async (ledger) => {
    const world = await installation({ lnbitsVersion, ledger });
    const putBack = await keep(world);
    await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
    await world.insertCashOut({
      confirmed_at: ago(9 * HOUR),
      fiat: '300',
      crypto_atoms: 39_000,
      received_crypto_atoms: 39_000,
    });
    await world.must(['poll']);
    await world.insertCashOut({ confirmed_at: ago(3 * HOUR) });
    await world.must(['poll']);
    const paid = await balances(world);

    await putBack();
    const before = await recorded(world);
    const refused = await world.aioDca(['poll', '--json']);
    expect(refused.code).toBe(78);
    const { problems, source } = refused.json<{ problems: { code: string }[]; source: object }>();
    expect(problems.map((one) => one.code)).toEqual(['ledger/restored']);
    expect(source).toMatchObject({ read: 0, new: 0 });
    expect(await recorded(world)).toEqual(before);
    expect(await balances(world)).toEqual(paid);

    const told = await recover(world, '--dry-run');
    expect(told).toMatchObject({ code: 0, ok: true, payments: 4, cash_outs: 3, differences: [] });
    expect((await world.aioDca(['poll'])).code).toBe(78);

    expect(await recover(world)).toMatchObject({
      code: 0,
      payments: 4,
      payouts: [
        { id: 'p3', recipient: 'alice', state: 'settled' },
        { id: 'p4', recipient: 'bob', state: 'settled' },
        { id: 'p5', recipient: 'alice', state: 'settled' },
        { id: 'p6', recipient: 'bob', state: 'settled' },
      ],
    });
    expect(await recover(world)).toMatchObject({ code: 0, payments: 0, payouts: [] });
    await world.must(['poll']);
    expect(await balances(world)).toEqual(paid);
    await allIsWell(world);

    // New numbers follow the recovered ones.
    await world.insertCashOut({ confirmed_at: ago(HOUR) });
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 2 } });
    expect(await ledgerSql(world.ledgerUrl, 'select max(id) as id from payouts')).toEqual([{ id: 8n }]);
    await allIsWell(world);
  });
});

test('a payout that was open in the copy, and paid in parts since, is settled with its parts', async () => {
  const world = await installation({ payouts: 'maximum_sats = 100000' });
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  world.simulator().rules = [
    {
      when: { kind: 'pay' },
      times: 99,
      fault: { at: 'before', answer: { status: 520, body: { detail: 'Not now.' } } },
    },
  ];
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const putBack = await keep(world);
  // The invoices of the copy fail, as after a restart of LNbits, so new ones are paid.
  world.simulator().rules = [];
  await world.simulator().restart();
  await world.must(['poll']);
  const paid = await balances(world);
  await putBack();
  await world.insertCashOut({
    confirmed_at: ago(HOUR),
    fiat: '100',
    crypto_atoms: 12_000,
    received_crypto_atoms: 12_000,
  });
  expect((await world.aioDca(['poll'])).code).toBe(78);
  expect(await balances(world)).toEqual(paid);
  const report = await recover(world);
  expect(report.differences).toEqual([]);
  expect(report.payouts.map(({ id, state, payments }) => [id, state, payments.length])).toEqual([
    ['p3', 'settled', 4],
    ['p4', 'settled', 2],
  ]);
  await world.must(['poll']);
  await allIsWell(world);
});

test('a payout of several parts that was begun after the copy is paid in full', async () => {
  const world = await installation({ payouts: 'maximum_sats = 100000' });
  const putBack = await keep(world);
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  const { simulator, aioDca } = world;
  const second = (request: { kind: string; n: number }) => request.kind === 'pay' && pays++ > 0;
  let pays = 0;
  simulator().rules = [
    {
      when: second,
      times: 99,
      fault: { at: 'before', answer: { status: 520, body: { detail: 'Not now.' } } },
    },
  ];
  expect((await aioDca(['poll'])).code).toBe(75);
  simulator().rules = [];
  await putBack();
  expect(await recover(world)).toMatchObject({
    code: 0,
    payouts: [{ id: 'p3', recipient: 'alice', state: 'paying' }],
  });
  await world.must(['poll']);
  await allIsWell(world);
});

test('cash-outs that were distributed in another order than that of their times are recovered in that order', async () => {
  const world = await installation();
  await world.addFunding('bob', '7000 GTQ', { at: ago(8 * HOUR) });
  const putBack = await keep(world);
  const late = await world.insertCashOut({
    confirmed_at: ago(10 * HOUR),
    dispense: false,
    dispense_confirmed: false,
  });
  await world.insertCashOut({ confirmed_at: ago(5 * HOUR) });
  await world.must(['poll']);
  await world.lamassu.query(
    'update cash_out_txs set dispense = true, dispense_confirmed = true where id = $1',
    [late],
  );
  await world.must(['poll']);
  const paid = await balances(world);
  await putBack();
  expect(await recover(world)).toMatchObject({ code: 0, payments: 4, differences: [] });
  await world.must(['poll']);
  expect(await balances(world)).toEqual(paid);
  await allIsWell(world);
});

test('one payout for each cash-out, and one of more cash-outs than its payment can name', async () => {
  const world = await installation({ payouts: 'batch = "cash-out"' });
  const putBack = await keep(world);
  const small = { fiat: '90', crypto_atoms: 11_500, received_crypto_atoms: 11_500 };
  for (let n = 0; n < 3; n += 1) await world.insertCashOut({ ...small, confirmed_at: ago(10 * HOUR - n) });
  await world.must(['poll']);
  const config = await readFile(world.configFile, 'utf8');
  await writeFile(world.configFile, config.replace('batch = "cash-out"', 'batch = "poll"'));
  for (let n = 0; n < 60; n += 1) await world.insertCashOut({ ...small, confirmed_at: ago(8 * HOUR - n) });
  await world.must(['poll']);
  await putBack();
  expect(await recover(world)).toMatchObject({ code: 0, payments: 8, cash_outs: 63, differences: [] });
  await world.must(['poll']);
  await allIsWell(world);
});

describe('what was entered after the copy', () => {
  /** Carol and carol's cash are in no copy, and carol was paid. */
  async function withoutCarol(): Promise<{ world: World; putBack: () => Promise<void>; carol: string }> {
    const world = await installation();
    const putBack = await keep(world);
    await world.addClient('carol');
    await world.addFunding('carol', '5000 GTQ', { at: ago(15 * HOUR) });
    await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
    await world.must(['poll']);
    await putBack();
    return { world, putBack, carol: join(world.folder, 'carol.invoicekey') };
  }

  test('has to be entered again, and nothing is written or paid before', async () => {
    const { world, carol } = await withoutCarol();
    const paid = await balances(world);
    const refused = await world.aioDca(['poll']);
    expect([refused.code, refused.stdout]).toEqual([78, expect.stringMatching(/^Nothing was recorded\.$/m)]);
    expect(refused.stderr + refused.stdout).toContain(
      'Enter again what was entered after that copy was made',
    );
    for (const args of [['--dry-run'], []]) {
      const { code, differences } = await recover(world, ...args);
      expect(code).toBe(2);
      expect(differences.map((one) => one.code).sort()).toEqual([
        'recover/does-not-fit',
        'recover/does-not-fit',
        'recover/recipient-unknown',
      ]);
    }
    expect(await ledgerSql(world.ledgerUrl, 'select count(*) as n from cash_outs')).toEqual([{ n: 1n }]);
    expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });

    await world.must(['clients', 'add', 'carol', '--wallet-key-file', carol]);
    await world.addFunding('carol', '5000 GTQ', { at: ago(15 * HOUR) });
    expect(await recover(world)).toMatchObject({ code: 0, payments: 3, differences: [] });
    await world.must(['poll']);
    expect(await balances(world)).toEqual(paid);
    await allIsWell(world);
  });

  test('or is left to the operator: what does not fit is held, and nothing is paid again', async () => {
    const { world, carol } = await withoutCarol();
    await world.must(['clients', 'add', 'carol', '--wallet-key-file', carol]);
    await world.addFunding('carol', '4000 GTQ', { at: ago(15 * HOUR) });
    const paid = await balances(world);
    expect((await world.aioDca(['ledger', 'recover', '--hold'])).code).toBe(64);
    expect(await recover(world)).toMatchObject({ code: 2 });
    const report = await recover(world, '--hold', '--reason', 'the receipt is lost');
    expect(report).toMatchObject({ code: 0, differences: [] });
    expect(report.payouts.map(({ recipient, state }) => [recipient, state])).toEqual([
      ['alice', 'held'],
      ['bob', 'held'],
      ['carol', 'held'],
    ]);
    const { code, stdout } = await world.aioDca(['poll']);
    expect([code, stdout]).toEqual([2, expect.stringContaining('3')]);
    expect(await balances(world)).toEqual(paid);
    expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
    for (const { id, payments } of report.payouts)
      await world.must([
        'payouts',
        'resolve',
        id,
        '--payment',
        `${payments[0]}`,
        '--paid',
        '--reason',
        'it arrived',
        '--yes',
      ]);
    expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
    expect(await balances(world)).toEqual(paid);
  });
});

test('a copy that paid from another wallet asks for its key, too', async () => {
  const world = await installation();
  const putBack = await keep(world);
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  await world.must(['poll']);
  const next = await world.lnbits.createUserWallet('next source');
  await world.lnbits.topUp(next.id, 5_000_000n);
  await writeFile(join(world.folder, 'former.adminkey'), world.source.adminkey, { mode: 0o600 });
  await writeFile(join(world.folder, 'source.adminkey'), next.adminkey, { mode: 0o600 });
  await world.insertCashOut({ confirmed_at: ago(5 * HOUR) });
  await world.must(['poll']);
  const paid = await balances(world);
  await putBack();
  const refused = await world.aioDca(['ledger', 'recover', '--json']);
  expect([refused.code, refused.json()]).toMatchObject([78, { error: { code: 'ledger/wallet-differs' } }]);
  const former = ['--former-wallet-key-file', join(world.folder, 'former.adminkey')];
  expect(await recover(world, ...former)).toMatchObject({ code: 0, payments: 4, differences: [] });
  await world.must(['poll']);
  expect(await balances(world)).toEqual(paid);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
});

test('a credit of the source wallet that the lost ledger may have made is left to the operator', async () => {
  const world = await installation();
  const superuser = world.simulator().superuser;
  await writeFile(join(world.folder, 'superuser'), superuser.password, { mode: 0o600 });
  const config = await readFile(world.configFile, 'utf8');
  const credit = `[lnbits]\ncredit_source = true\nsuperuser = "${superuser.name}"\nsuperuser_password_file = "superuser"`;
  await writeFile(world.configFile, config.replace('[lnbits]', credit));
  // Fred's part waits for the next time of fixed mode, and is credited with the rest.
  await world.addClient('fred', [
    '--mode',
    'fixed',
    '--daily-limit',
    '500 GTQ',
    '--max-daily-limit',
    '500 GTQ',
  ]);
  await world.addFunding('fred', '5000 GTQ');
  const putBack = await keep(world);
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  await world.must(['poll']);
  const balance = await world.balance(world.source);
  await putBack();
  const { code, held_credits: held } = await recover(world);
  expect([code, held]).toEqual([0, 1]);
  await world.aioDca(['poll']);
  expect(await world.balance(world.source)).toBe(balance);
  expect((await world.must(['credits', 'list', '--state', 'held', '--json'])).json()).toHaveLength(1);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
});
