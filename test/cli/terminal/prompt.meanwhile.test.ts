import { afterEach, expect, test } from 'vitest';
import { ledgerSql } from '../../support/ledger-sql.ts';
import { inTerminal, keys, type Terminal } from '../../support/terminal.ts';
import { startWorld, type World } from '../../support/world.ts';

/* A question never holds the lease, so runs go on while the operator is asked, and its subject may change meanwhile. */

let world: World;
afterEach(async () => {
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
  await world.stop();
});

async function owed(credit: boolean): Promise<void> {
  world = await startWorld({ tunnel: 'direct', quiet: '1 ms', credit });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '50000 GTQ');
  await world.insertCashOut();
}

/** The command at its question. */
async function asking(...args: string[]): Promise<Terminal> {
  const terminal = inTerminal(['--config', world.configFile, ...args, '--reason', 'I looked']);
  await terminal.shows('Yes');
  return terminal;
}

async function yes(terminal: Terminal): Promise<{ code: number | null; screen: string }> {
  terminal.type('y');
  terminal.type(keys.enter);
  return terminal.ended;
}

test.each([false, true])(
  'payouts resolve: meanwhile runs go on; held again for something else: %s',
  async (changed) => {
    await owed(false);
    world.simulator().rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
    await world.aioDca(['poll']);
    const alice = world.wallets.get('alice') ?? world.source;
    const hash = `${world.simulator().payments(alice.id).at(-1)?.payment_hash}`;
    world.simulator().change(alice.id, hash, { status: 'failed' });

    const terminal = await asking('payouts', 'resolve', 'p1', '--not-paid');
    await world.insertCashOut({ fiat: '2000', crypto_atoms: '256200', received_crypto_atoms: '256200' });
    const ran = await world.aioDca(['poll', '--json']);
    expect(ran.json()).toMatchObject({ problems: [], payouts: { settled: 1, held: 1 } });
    if (changed) {
      await world.must(['payouts', 'release', 'p1']);
      await world.must(['payouts', 'hold', 'p1', '--reason', 'alice asked to wait']);
    }
    const { code, screen } = await yes(terminal);
    const { state } = (await world.must(['payouts', 'show', 'p1', '--json'])).json<{ state: string }>();
    expect([code, state, screen.includes('payout/changed')]).toEqual(
      changed ? [75, 'held', true] : [0, 'planned', false],
    );
  },
);

test('payouts resolve: a payment that was settled meanwhile cannot be declared unpaid', async () => {
  await owed(false);
  world.simulator().rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
  await world.aioDca(['poll']);
  const alice = world.wallets.get('alice') ?? world.source;
  const hash = `${world.simulator().payments(alice.id).at(-1)?.payment_hash}`;
  world.simulator().change(alice.id, hash, { status: 'failed' });
  const terminal = await asking('payouts', 'resolve', 'p1', '--not-paid');
  world.simulator().change(alice.id, hash, { status: 'success' });
  const { code, screen } = await yes(terminal);
  expect([code, screen]).toEqual([75, expect.stringContaining('payout/changed')]);
  expect((await world.must(['payouts', 'show', 'p1', '--json'])).json()).toMatchObject({ state: 'held' });
  await world.must(['payouts', 'release', 'p1']);
  await world.must(['poll']);
  expect(await world.balance(alice)).toBe(484_207n);
});

test('credits resolve: meanwhile runs go on, and the source wallet is read again before the decision is recorded', async () => {
  await owed(true);
  world.simulator().onRequest = ({ kind }, phase) =>
    kind === 'credit' && phase === 'between' ? 'drop' : undefined;
  await world.aioDca(['poll']);
  world.simulator().onRequest = undefined;
  const hash = `${
    world
      .simulator()
      .payments(world.source.id)
      .find(({ memo }) => memo === 'Admin credit')?.payment_hash
  }`;
  world.simulator().change(world.source.id, hash, { status: 'failed' });
  const terminal = await asking('credits', 'resolve', 'c1', '--not-credited');
  expect((await world.aioDca(['poll'])).stderr).not.toContain('run/busy');
  world.simulator().change(world.source.id, hash, { status: 'success' });
  const { code, screen } = await yes(terminal);
  expect([code, screen]).toEqual([75, expect.stringContaining('payout/changed')]);
  expect((await world.must(['credits', 'list', '--json'])).json()).toMatchObject([{ state: 'held' }]);
});

test('machines replace: cash that was added meanwhile is not moved without being shown', async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
  await world.addClient('alice');
  const machines =
    "insert into machines (device_id, name, first_seen) values ('m1', 'Antigua', $1), ('m2', 'Centro', $1)";
  await ledgerSql(world.ledgerUrl, machines, [new Date(0).toISOString()]);
  const add = ['fundings', 'add', 'alice', '10 GTQ', '--new-currency', '--machine', 'm1'];
  await world.must(add);
  const terminal = await asking('machines', 'replace', 'm1', 'm2');
  await world.must(add);
  expect(await yes(terminal)).toMatchObject({ code: 64, screen: expect.stringContaining('usage/changed') });
});
