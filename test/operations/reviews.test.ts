import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { commandOf } from '../../src/cli/terminal/words.ts';
import { loadConfig } from '../../src/config/load.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { dismissReview, releaseReview, showReview } from '../../src/operations/reviews.ts';
import { plus } from '../../src/time.ts';
import { now } from '../support/clock.ts';
import { type Counter, openCounter } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

const DAY = 86_400_000;

describe.each(ledgerKinds)('the review queue, in %s', (kind) => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({
      ledger: kind,
      config: '[review]\ncash_out_above = ["400 USD", "9000 GTQ"]',
    });
  });
  afterAll(() => counter.stop());
  afterEach(async () => {
    expect((await verifyLedger(counter.ledger)).differences).toEqual([]);
  });

  const fine = { dispense_confirmed: true, error: null };
  const letGo = async (id: string) => (await counter.perform(releaseReview, { id })).written;
  const dismiss = async (id: string) =>
    (await counter.perform(dismissReview, { id }, { reason: 'refunded' })).written;
  const reviewOf = (id: string) =>
    counter.ledger.db
      .selectFrom('review')
      .selectAll()
      .where('cash_out_id', '=', id)
      .executeTakeFirstOrThrow();
  const set = (id: string, change: string) =>
    counter.world.lamassu.query(`update cash_out_txs set ${change} where id = $1`, [id]);

  test('a large cash-out waits until it is released, and others go on', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const large = await shop.jammed(fine);
    const limit = await shop.jammed({
      ...fine,
      fiat: '400',
      crypto_atoms: '423280',
      received_crypto_atoms: '423280',
    });
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', distributed: { cashOuts: 1 } });
    expect(await reviewOf(limit).catch(() => null)).toBeNull();
    expect(await reviewOf(large)).toMatchObject({ state: 'open', reason: 'large' });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 0 } });
    await expect(dismiss(large)).rejects.toThrow('only large');
    expect(await letGo(large)).toBe(true);
    expect(await letGo(large)).toBe(false);
    expect(await counter.poll()).toMatchObject({
      outcome: 'ok',
      distributed: { cashOuts: 1, gross: 529_100n },
    });
    expect(await reviewOf(large)).toMatchObject({ state: 'processed' });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 0 } });
    await expect(letGo(large)).rejects.toThrow('was distributed');
    expect(await shop.remaining('alice')).toMatchObject({ spent: 900_00n });
  });

  test('a release applies to what Lamassu said then: if the row changes, it waits again', async () => {
    const shop = await counter.shop({ alice: 9000n });
    const id = await shop.jammed(fine);
    await counter.poll();
    await letGo(id);
    await set(id, "fiat = 5000, crypto_atoms = '5291000', received_crypto_atoms = '5291000'");
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', distributed: { cashOuts: 0 } });
    expect(await reviewOf(id)).toMatchObject({ state: 'open', reason: 'large' });
    await letGo(id);
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1, gross: 5_291_000n } });
  });

  test('a release applies to the row as it was previewed', async () => {
    const shop = await counter.shop({ alice: 9000n });
    const id = await shop.jammed(fine);
    await counter.poll();
    const { digest } = await counter.perform(showReview, { id });
    await set(id, 'discount = 10');
    const agreed = { id, digest: digest ?? '' };
    await expect(counter.perform(releaseReview, agreed)).rejects.toMatchObject({ code: 'usage/changed' });
    expect(await reviewOf(id)).toMatchObject({ state: 'open' });
    const again = await counter.perform(showReview, { id });
    expect(await counter.perform(releaseReview, { id, digest: again.digest ?? '' })).toMatchObject({
      ...{ state: 'released', written: true, released: { by: 'dora', reason: 'asked' } },
    });
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
  });

  test('a row from before the start is distributed once it is released, however old, seen before or not', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const confirmed_at = plus(now(), -60 * DAY);
    const id = await shop.jammed({ ...fine, confirmed_at });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 0 } });
    expect(await letGo(id)).toBe(true);
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
    const row = await counter.ledger.db
      .selectFrom('cash_outs')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ confirmed_at, own_fiat: 500_00n, origin: 'lamassu' });
  });

  test('a row that something else holds back is not released, and the error says why', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const small = { fiat: '100', crypto_atoms: '105820', received_crypto_atoms: '105820' };
    await expect(letGo(await shop.jammed())).rejects.toThrow('error while dispensing (error): error "jam"');
    const early = { confirmed_at: plus(now(), -60 * DAY) };
    await expect(letGo(await shop.jammed(early))).rejects.toThrow(
      'error while dispensing (error): error "jam"',
    );
    await expect(letGo(await shop.jammed({ ...fine, ...small }))).rejects.toThrow('nothing holds');
    await expect(letGo('00000000-0000-4000-8000-000000000000')).rejects.toThrow('Lamassu has no');
    await counter.poll();
  });

  test('a dismissed row is hidden; if it becomes eligible later, it is still distributed', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const small = { fiat: '100', crypto_atoms: '105820', received_crypto_atoms: '105820' };
    const id = await shop.jammed(small);
    await counter.poll();
    expect(await dismiss(id)).toBe(true);
    expect(await dismiss(id)).toBe(false);
    expect(await reviewOf(id)).toMatchObject({
      state: 'dismissed',
      closed_by: 'dora',
      closed_reason: 'refunded',
    });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', source: { toReview: 0 } });
    await set(id, 'dispense_confirmed = true, error = null');
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
    await expect(dismiss('00000000-0000-4000-8000-000000000000')).rejects.toThrow('is not in review');
  });

  test('each reason names the commands that resolve it, with the figures that are missing', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const say = async (columns: Parameters<typeof shop.jammed>[0], notes = true) => {
      const id = await shop.jammed(columns);
      if (!notes) await counter.world.lamassu.query('delete from cash_out_actions where tx_id = $1', [id]);
      await counter.poll();
      const { next } = await counter.perform(showReview, { id });
      return next.slice(0, 1).map(commandOf).join().replace(id, 'ID');
    };
    expect(await say({})).toBe('aio-dca settle ID --reason "…"');
    expect(await say({ error_code: 'operatorCancel' }, false)).toBe(
      'aio-dca settle ID --fiat "… USD" --reason "…"',
    );
    expect(await say({ crypto_code: 'LTC' })).toBe('aio-dca settle ID --price "… USD" --reason "…"');
    expect(await say({ ...fine, raw_ticker_price: '1' })).toBe(
      'aio-dca settle ID --commission "… sat" --reason "…"',
    );
    expect(await say(fine)).toBe('aio-dca review release ID');
  });

  test('if Lamassu cannot be asked, the view says so, and what is known still counts', async () => {
    const shop = await counter.shop({ alice: 3000n });
    const id = await shop.jammed();
    await counter.poll();
    const file = `${counter.world.folder}/nowhere.toml`;
    const text = `timezone = "UTC"\n[lamassu]\nport = 1\npassword = "x"\nstart_at = "2026-01-01T00:00:00Z"\n[lnbits]\nurl = "http://127.0.0.1:1"\n`;
    await writeFile(file, text);
    const seen = await counter.perform(showReview, { id }, { config: loadConfig(file, {}) });
    expect(seen).toMatchObject({ lamassu: null, next: [{ operation: 'settlements.settle' }, {}] });
    expect(`${'lamassu_says' in seen && seen.lamassu_says}`).toContain('lamassu/unreachable');
    expect(seen.next.slice(0, 1).map(commandOf)).toEqual([`aio-dca settle ${id} --reason "…"`]);
  });
});
