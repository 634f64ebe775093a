import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Counter, openCounter, type Shop } from '../support/counter.ts';

let counter: Counter;
let shop: Shop;

beforeAll(async () => {
  counter = await openCounter({ config: '[review]\ncash_out_above = ["400 USD"]' });
  shop = await counter.shop({ alice: 2000n });
});
afterAll(async () => {
  expect((await counter.world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
  await counter.stop();
});

const run = (...args: string[]) => counter.world.aioDca(args);

test('a settlement is shown, confirmed and written, and a repetition gets the same answer', async () => {
  const id = await shop.jammed();
  const dry = await run('settle', id, '--reason', 'jam', '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain('Dry run: nothing was written.');
  expect(dry.stdout).toContain('error "jam"');
  expect(dry.stdout).toContain('Cash that came out: 200.00 USD');
  expect(dry.stdout).toContain('317,460 sat of the 529,100 sat paid');
  for (const line of dry.stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);

  const asked = await run('settle', id, '--reason', 'jam', '--json');
  expect(asked).toMatchObject({ code: 64 });
  expect(asked.json()).toMatchObject({
    error: { code: 'usage/confirm', hint: expect.stringContaining('--yes') },
  });

  const first = await run('--actor', 'dora', 'settle', id, '--reason', 'jam', '--yes', '--json');
  expect(first.json()).toMatchObject({
    ...{ id, fiat: '200.00', currency: 'USD', gross_sats: 529_100, undelivered_sats: 317_460 },
    ...{ net_sats: 200_000, commission_sats: 11_640, own_sats: 0, origin: 'settled' },
    allocations: [{ client: shop.client('alice'), fiat: '200.00', net_sats: 200_000, payout: null }],
    settlement: { actor: 'dora', reason: 'jam', credit: false },
    ...{ settled: true, already_settled: false, dry_run: false },
  });
  // Its beginning is known to the ledger now.
  const again = await run('settle', id.slice(0, 8), '--reason', 'jam', '--fiat', '200 USD');
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain('nothing was changed');
  const other = await run('settle', id, '--reason', 'jam', '--gross', '1000');
  expect(other).toMatchObject({ code: 64 });
  expect(other.stderr).toContain('--gross was 211,640 sat, now 1,000 sat');
});

test('the operator’s own figures are named, with the commission and the price that follow', async () => {
  const id = await shop.jammed();
  const own = ['--fiat', '500 USD', '--rate', '3%', '--dry-run'];
  const { stdout } = await run('settle', id, '--reason', 'paid by hand', ...own);
  expect(stdout).toContain('You say otherwise: 500.00 USD came out, not 200.00 USD.');
  expect(stdout).toContain('You say otherwise: the commission is not what Lamassu charged.');
  expect(stdout).toContain('a commission of 3 %, and a price of 97,422.77 USD per BTC');
});

test('one that Lamassu never saw, and its undoing', async () => {
  const receipt = ['settle', '--external', 'receipt-17', '--machine', shop.machine, '--at', '2026-01-01'];
  const figures = ['--fiat', '100 USD', '--gross', '110000 sat', '--commission', '6050 sat'];
  for (const how of ['--yes', '--dry-run']) {
    const refused = await run(...receipt, ...figures, '--credit', '--reason', 'server down', how);
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toContain('--credit: [lnbits] credit_source is off');
  }
  const done = await run(...receipt, ...figures, '--reason', 'server down', '--yes', '--json');
  expect(done.json()).toMatchObject({
    ...{ id: 'receipt-17', source: 'external', confirmed_at: '2026-01-01T06:00:00.000000Z' },
    // Nobody's cash was in the machine then.
    ...{ own_fiat: '100.00', own_sats: 103_950, settlement: { credit: false } },
  });
  const shown = await run('settle', '--void', 'receipt-17', '--reason', 'wrong day', '--dry-run');
  expect(shown.stdout).toContain('The reference is free again');
  const undone = await run('settle', '--void', 'receipt-17', '--reason', 'wrong day', '--yes', '--json');
  expect(undone.json()).toMatchObject({ id: 'receipt-17', voided: true, was: { net_sats: 0 } });
  const twice = await run('settle', '--void', 'receipt-17', '--reason', 'wrong day', '--yes');
  expect(twice).toMatchObject({ code: 64 });
});

test('the currency of an external cash-out has to be confirmed if the machine never paid it out', async () => {
  const receipt = ['settle', '--external', 'receipt-19', '--machine', shop.machine, '--at', '2026-01-01'];
  const figures = ['--fiat', '100 GTQ', '--gross', '11000 sat', '--commission', '0 sat', '--reason', 'x'];
  const dry = await run(...receipt, ...figures, '--dry-run');
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.stdout).toMatch(/Is that the right currency\? .*nobody has put GTQ into it/);
  for (const args of [[], ['--yes']]) {
    const refused = await run(...receipt, ...figures, ...args);
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toContain('--fiat: is that the right currency?');
    expect(refused.stderr).toContain('add --new-currency');
  }
  const done = await run(...receipt, ...figures, '--new-currency', '--yes', '--json');
  expect(done.json()).toMatchObject({
    settled: true,
    commission_sats: 0,
    own_fiat: '100.00',
    own_sats: 11_000,
  });
});

test('a row that only its size holds back is released, not settled', async () => {
  // Settled, it would be divided without the check that `cash_out_above` asks for, and count as paid by hand forever.
  const id = await shop.jammed({ dispense_confirmed: true, error: null });
  for (const before of [() => {}, () => counter.poll()]) {
    await before();
    const refused = await run('settle', id, '--reason', 'x', '--yes');
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toContain('only its size holds it back: 500.00 USD is more than the 400.00 USD');
    expect(refused.stderr).toContain(`aio-dca review release ${id}`);
  }
  await counter.world.must(['review', 'release', id]);
  const released = await run('settle', id, '--reason', 'x', '--yes');
  expect(released).toMatchObject({ code: 64, stdout: '' });
  expect(released.stderr).toContain('there is nothing to settle');
  expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
});

test.each<[string[], string]>([
  [['--reason', 'x'], 'no cash-out was given'],
  [['abcdef', '--void', 'abcdef', '--reason', 'x'], 'more than one'],
  [['abcdef'], '--reason'],
  [['abcdef', '--reason', ' '], '--reason: it is empty'],
  [['abcdef', '--reason', 'x'], 'ID: there is no cash-out'],
  [['abcdef', '--reason', 'x', '--gross', '1.5'], '--gross: '],
  [['abcdef', '--reason', 'x', '--rate', '5.5'], '--rate: 5.5 would be 550 %'],
  [['abcdef', '--reason', 'x', '--rate', '5%', '--commission', '5'], '--rate'],
  [['abcdef', '--reason', 'x', '--price', '780000 GTQ', '--commission', '5'], '--price'],
  [['abcdef', '--reason', 'x', '--price', '780000 GTQ', '--rate', '5%'], '--price'],
  [['abcdef', '--reason', 'x', '--price', '780,000 GTQ'], '--price'],
  [['--external', 'receipt-18', '--reason', 'x', '--rate', '5%'], '--machine: an external settlement needs'],
  [['--external', 'receipt-18', '--reason', 'x'], '--commission: an external settlement needs'],
  [['--void', 'abcdef', '--reason', 'x', '--fiat', '5 USD'], '--fiat: it has no effect here'],
  [['abcdef', '--reason', 'x', '--new-currency'], '--new-currency: it has no effect here'],
])('settle %j is refused, and nothing is written', async (args, message) => {
  const ran = await run('settle', ...args);
  expect(ran).toMatchObject({ code: 64, stdout: '' });
  expect(ran.stderr).toContain(message);
});

test('the queue: why a row waits, what Lamassu says now, and the commands that resolve it', async () => {
  const id = await shop.jammed({ dispense_confirmed: true, error: null });
  await counter.poll();
  const listed = await run('review', 'list', '--json');
  expect(listed.json<{ id: string }[]>().find((row) => row.id === id)).toMatchObject({
    ...{ reason: 'large', state: 'open', age_seconds: expect.any(Number) },
  });
  await counter.world.lamassu.query('update cash_out_txs set discount = 10 where id = $1', [id]);
  const shown = await run('review', 'show', id.slice(0, 8), '--json');
  expect(shown.json()).toMatchObject({
    ...{
      id,
      reason: 'large',
      lamassu: { discount: '10' },
      lamassu_says: expect.stringContaining('500.00 USD'),
    },
    ledger: { lamassu_said: { discount: '0' }, cash_out: null },
    commands: [`aio-dca review release ${id}`],
  });
  const page = await run('review', 'show', id);
  expect(page.stdout).toMatch(/discount +│ 0 +│ 10/);
  // In a pipe a sentence stays on its line; a table is made to the width.
  const rows = page.stdout.split('\n').filter((line) => /^[│┌├└]/.test(line));
  expect(rows).not.toEqual([]);
  for (const line of rows) expect([...line].length).toBeLessThanOrEqual(100);

  expect(await run('review', 'dismiss', id, '--reason', 'x')).toMatchObject({ code: 64 });
  expect(await run('review', 'release', id, '--reason', 'asked')).toMatchObject({ code: 0, stderr: '' });
  expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
  const after = await run('review', 'show', id, '--json');
  expect(after.json()).toMatchObject({
    ...{ state: 'processed', ledger: { cash_out: { gross_sats: 529_100 } } },
    commands: [`aio-dca cash-outs show ${id}`],
  });
});

test('a row is hidden with a reason', async () => {
  const id = await shop.jammed();
  await counter.poll();
  expect(await run('review', 'dismiss', id)).toMatchObject({ code: 64 });
  const hidden = await run('review', 'dismiss', id, '--reason', 'refunded', '--json');
  expect(hidden.json()).toMatchObject({ state: 'dismissed', closed_reason: 'refunded' });
  expect((await run('review', 'list')).stdout).not.toContain(id.slice(0, 8));
  expect((await run('review', 'list', '--all')).stdout).toContain(id.slice(0, 8));
});
