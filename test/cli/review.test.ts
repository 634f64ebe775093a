import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plus } from '../../src/time.ts';
import { now } from '../support/clock.ts';
import { type Counter, openCounter, type Shop } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

const DAY = 86_400_000;

describe.each(ledgerKinds)('rows that the operator names, on %s', (ledger) => {
  let counter: Counter;
  let shop: Shop;

  beforeAll(async () => {
    counter = await openCounter({ ledger, config: '[review]\ncash_out_above = ["400 USD"]' });
    shop = await counter.shop({ alice: 3000n });
  });
  afterAll(async () => {
    expect((await counter.world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
    await counter.stop();
  });

  const run = (...args: string[]) => counter.world.aioDca(args);
  const fine = { dispense_confirmed: true, error: null };
  /** From before `start_at`, and behind every overlap: no run finds it. */
  const early = () => ({ confirmed_at: plus(now(), -60 * DAY), created: plus(now(), -60 * DAY) });

  test('one that only Lamassu has is shown and released by the beginning of its id', async () => {
    const id = await shop.jammed({ ...fine, ...early(), id: '191cd1aa-1b67-4e3d-9b40-2f3b5c7d9e01' });
    await counter.poll();
    const shown = await run('review', 'show', '191CD1', '--json');
    expect(shown.json()).toMatchObject({
      ...{ id, reason: 'before-start', state: null, lamassu: { id } },
      commands: [`aio-dca review release ${id}`],
    });
    expect((await run('review', 'show', '191cd1')).stdout).toContain('not in review');
    const hidden = await run('review', 'dismiss', '191cd1', '--reason', 'x');
    expect([hidden.code, hidden.stderr]).toEqual([64, expect.stringContaining(`${id} is not in review`)]);
    const released = await run('review', 'release', '191cd1', '--reason', 'lost by the extension', '--json');
    expect(released.json()).toMatchObject({ id, state: 'released' });
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
  });

  test('one that only Lamassu has is settled by the beginning of its id', async () => {
    const id = await shop.jammed(early());
    await counter.poll();
    const settled = await run('settle', id.slice(0, 13), '--reason', 'jam', '--yes', '--json');
    expect(settled.json()).toMatchObject({ id, fiat: '200.00' });
    const shown = await run('review', 'show', id);
    expect([shown.code, shown.stderr]).toEqual([64, expect.stringContaining(`aio-dca cash-outs show ${id}`)]);
  });

  test('an ambiguous beginning is refused with the ids; so is one of no id, and one that is too short', async () => {
    const ids = ['01', '02'].map((end) => `abcdef12-0000-4000-8000-0000000000${end}`);
    for (const id of ids) await shop.jammed({ ...early(), id });
    const both = await run('review', 'release', 'abcdef1');
    expect([both.code, both.stderr]).toEqual([64, expect.stringContaining(ids.join(', '))]);
    expect(
      await run('settle', 'abcdef12-0000-4000-8000-000000000001', '--reason', 'x', '--dry-run'),
    ).toMatchObject({ code: 0 });
    for (const [text, said] of [
      ['abcdef12-0000-4000-8000-00000000009', 'there is no cash-out'],
      ['nosuch-id', 'there is no cash-out'],
      ['abcde', 'too short'],
    ] as const) {
      const refused = await run('review', 'show', text);
      expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining(said)]);
    }
  });

  test('for a row with more decimals than its currency, the printed command has the received cash, and works', async () => {
    const id = await shop.jammed({ ...fine, fiat: '500.00100' });
    await counter.poll();
    const { commands } = (await run('review', 'show', id, '--json')).json<{ commands: string[] }>();
    expect(commands[0]).toBe(`aio-dca settle ${id} --fiat "… USD" --gross "529100 sat" --reason "…"`);
    const stated = ['--fiat', '500 USD', '--gross', '529100 sat', '--reason', 'cut off'];
    expect(await run('settle', id, ...stated, '--dry-run')).toMatchObject({ code: 0 });
  });

  test('a settlement that pays no client says so, and the stated rate is shown as stated', async () => {
    const figures = ['--fiat', '100 USD', '--gross', '61230 sat', '--rate', '5.5%', '--reason', 'x'];
    const receipt = ['--external', 'receipt-17', '--machine', shop.machine, '--at', '2026-01-01'];
    const { stdout } = await run('settle', ...receipt, ...figures, '--yes');
    expect(stdout).toContain('a commission of 5.5 %');
    expect(stdout).toContain('No client’s cash came out with it');
    const { checked } = (await run('reconcile', '--json')).json<{ checked: Record<string, number> }>();
    expect(checked).toMatchObject({ external: 1, other_sources: 0 });
    expect((await run('reconcile')).stdout).toContain('never seen by Lamassu');
  });

  test('undelivered sats are in the totals', async () => {
    const total = async () =>
      (await run('status', '--json')).json<{ totals: { undelivered_sats: number } }>().totals
        .undelivered_sats;
    const before = await total();
    await run('settle', await shop.jammed(), '--reason', 'jam', '--yes');
    expect((await total()) - before).toBe(317_460);
    expect((await run('status')).stdout).toMatch(/[\d,]+ sat undelivered/);
    expect((await run('metrics')).stdout).toContain(
      `aio_dca_cash_out_sats{part="undelivered"} ${before + 317_460}`,
    );
  });

  test('other figures: the error offers to undo the settlement only while that is possible', async () => {
    const id = await shop.jammed();
    const say = (rate: string) => run('settle', id, '--rate', rate, '--reason', 'jam', '--yes');
    expect(await say('5%')).toMatchObject({ code: 0 });
    expect((await say('6%')).stderr).toContain(`aio-dca settle --void ${id}`);
    await counter.poll();
    const late = await say('6%');
    expect([late.code, late.stderr]).toEqual([64, expect.stringContaining('It cannot be undone')]);
    expect(late.stderr).not.toContain('--void');
  });

  test('a released row shows who released it, and why', async () => {
    const id = await shop.jammed(fine);
    await counter.poll();
    await run('--actor', 'dora', 'review', 'release', id, '--reason', 'asked the customer');
    await counter.poll();
    const { stdout } = await run('review', 'show', id);
    expect(stdout).toMatch(/Released .* by dora: asked the customer/);
    expect(stdout).toMatch(/Closed .* by ingest: distributed after its release/);
    expect((await run('review', 'show', id, '--json')).json()).toMatchObject({
      released: { by: 'dora', reason: 'asked the customer' },
    });
  });
});
