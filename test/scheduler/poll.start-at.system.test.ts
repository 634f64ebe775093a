import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hostOff, setLamassuClock } from '../support/clocks.ts';
import { type Counter, openCounter } from '../support/counter.ts';

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

let counter: Counter;
beforeAll(async () => {
  counter = await openCounter({ ledger: 'sqlite' });
});
afterAll(() => counter.stop());

async function startAt(time: string): Promise<void> {
  const file = counter.world.configFile;
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/start_at = ".*"/, `start_at = "${time}"`));
  onTestFinished(() => writeFile(file, text));
}

const problem = expect.objectContaining({ code: 'lamassu/start-at' });

test.each([
  ['2062-11-01T00:00:00Z', 'in the future'],
  ['1970-01-01T00:00:00Z', 'before there were Lamassu machines'],
])('a start_at of %s is reported by a run, a dry run, and status', async (time, says) => {
  const { world } = counter;
  await counter.shop({ alice: 1n });
  await startAt(time);
  for (const args of [['poll', '--dry-run'], ['poll']]) {
    const ran = await world.aioDca([...args, '--json']);
    expect(ran.code).toBe(2);
    expect(ran.json()).toMatchObject({ problems: [problem] });
  }
  const status = await world.aioDca(['status']);
  expect(status.code).toBe(2);
  expect(status.stdout.replace(/\s+/g, ' ')).toContain(says);
  expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({
    start_at: { problem: expect.stringContaining(says) },
  });
});

test.each([
  ['this host’s', hostOff(-365 * 24 * HOUR), 0],
  ['this host’s, since a boot,', hostOff(-365 * 24 * HOUR, 'another boot'), 0],
  ['Lamassu’s', {}, -365 * 24 * HOUR],
])('while %s clock is behind, no start_at counts as in the future', async (_, options, ms) => {
  const { world } = counter;
  await world.must(['poll']);
  await setLamassuClock(world, ms);
  onTestFinished(() => setLamassuClock(world, 0));
  for (const args of [['poll', '--dry-run'], ['poll'], ['status'], ['doctor']]) {
    const ran = await world.aioDca(args, options);
    expect(ran.stdout + ran.stderr).toMatch(/clock/);
    expect(ran.stdout + ran.stderr).not.toContain('start_at is');
  }
});

test.each(['sqlite', 'postgresql'] as const)(
  'what an earlier start_at lets in is read once more, however old, on %s',
  async (ledger) => {
    const slipped = await openCounter({ ledger, startAt: '2062-11-01T00:00:00Z' });
    onTestFinished(() => slipped.stop());
    const { world } = slipped;
    const { machine } = await slipped.shop({ alice: 9_000n });
    const sold = (hours: number) =>
      world.insertCashOut({
        ...{ device_id: machine, fiat_code: 'USD', fiat: '100', raw_ticker_price: '100000' },
        ...{ crypto_atoms: '105500', received_crypto_atoms: '105500', confirmed_at: ago(hours) },
      });
    for (const hours of [300, 200, 1]) await sold(hours);
    await world.aioDca(['poll']);
    // Cash that is entered late is no reason to doubt what was passed over.
    await world.must([
      'fundings',
      'add',
      'alice-1',
      '50 USD',
      '--machine',
      machine,
      '--deposited',
      '--at',
      ago(250),
    ]);
    const file = world.configFile;
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/start_at = ".*"/, `start_at = "${ago(400)}"`));
    const plan = await world.aioDca(['poll', '--dry-run', '--json']);
    const ran = await world.aioDca(['poll', '--json']);
    for (const { code, json } of [plan, ran]) {
      expect(code).toBe(0);
      expect(json()).toMatchObject({ distributed: { cash_outs: 3, net_sats: 300_000 } });
    }
    await sold(2);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ source: { new: 1 } });
  },
);

describe('commission of a backlog', () => {
  // One that no run has read yet: what a later one finds of earlier was dated by a wrong clock.
  let counter: Counter;
  beforeAll(async () => {
    counter = await openCounter({ ledger: 'sqlite' });
  });
  afterAll(() => counter.stop());

  const fine = (machine: string) =>
    counter.world.insertCashOut({
      ...{ device_id: machine, fiat_code: 'USD', fiat: '100', raw_ticker_price: '100000' },
      ...{ crypto_atoms: '105500', received_crypto_atoms: '105500' },
      ...{ confirmed_at: ago(3), created: ago(3) },
    });

  test('stays in the source wallet where recipients came later, and a run says so; --from includes it', async () => {
    const { world } = counter;
    const { machine } = await counter.shop({ bob: 900n });
    const keys = await world.lnbits.createUserWallet('late');
    const file = `${world.folder}/late.key`;
    await writeFile(file, keys.inkey);
    const add = [
      'commission',
      'add',
      'late',
      '--wallet-key-file',
      file,
      '--weight',
      '1',
      '--machine',
      machine,
    ];
    expect(await world.aioDca([...add, '--from', ago(-2)])).toMatchObject({ code: 64 });
    const added = await world.must(add);
    expect(added.stdout).toContain('--from includes them');
    const first = await fine(machine);
    const plan = await world.aioDca(['poll', '--dry-run']);
    expect(plan.stdout.replace(/\s+/g, ' ')).toContain(
      '5,500 sat of the commission stay in the source wallet',
    );
    const ran = await world.aioDca(['poll', '--json']);
    expect(ran.json()).toMatchObject({
      distributed: { commission_sats: 5500, unshared_commission_sats: 5500 },
    });

    const other = await counter.shop({ carol: 900n });
    const second = await fine(other.machine);
    const early = await world.lnbits.createUserWallet('early');
    await writeFile(file, early.inkey);
    const from = ['commission', 'add', 'early', '--wallet-key-file', file, '--weight', '1', '--machine'];
    await world.must([...from, other.machine, '--from', ago(24)]);
    const again = await world.aioDca(['poll', '--json']);
    expect(again.json()).toMatchObject({
      distributed: { commission_sats: 5500, unshared_commission_sats: 0 },
    });
    const shares = await counter.ledger.db
      .selectFrom('commission_shares')
      .select(['cash_out_id', 'sats'])
      .execute();
    expect(shares).toEqual([{ cash_out_id: second, sats: 5_500n }]);
    expect(first).not.toBe(second);
  });
});
