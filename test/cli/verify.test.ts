import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Verification } from '../../src/ledger/verify/verify.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
});
afterAll(() => world.stop());

test('without a ledger there is nothing to verify, and none is made', async () => {
  const ran = await world.aioDca(['verify', '--json']);
  expect(ran.code).toBe(78);
  expect(ran.json()).toMatchObject({ error: { code: 'ledger/missing' } });
  expect((await world.aioDca(['verify'])).code).toBe(78);
});

test('books that balance are counted, exit 0', async () => {
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '6000 GTQ');
  await world.insertCashOut();
  await world.insertCashOut();
  await world.must(['poll']);
  const ran = await world.must(['verify', '--json']);
  expect(ran.json()).toMatchObject({
    ok: true,
    checked: { cash_outs: 2, allocations: 2, fundings: 1, payouts: 1, payments: 1, sources: 1 },
    differences: [],
  });
  const page = (await world.must(['verify'])).stdout;
  expect(page).toMatch(/\b1 source\b/);
  for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  expect(page).toContain('The books balance: 2 cash-outs, 2 allocations');
});

test('a difference is named with both sides and the way out, exit 2', async () => {
  // The tables themselves refuse this.
  await ledgerSql(world.ledgerUrl, 'drop trigger payouts_are_final');
  await ledgerSql(world.ledgerUrl, 'update payouts set sats = sats + 1');
  const ran = await world.aioDca(['verify', '--json']);
  expect(ran.code).toBe(2);
  const { ok, differences } = ran.json<Verification>();
  expect(ok).toBe(false);
  expect(differences).toMatchObject([
    { code: 'payout/sats', what: 'p1', ledger: '726311 sat', other: '726310 sat' },
    { code: 'payout/parts', what: 'p1', ledger: '726311 sat', other: '726310 sat' },
  ]);
  const page = await world.aioDca(['verify']);
  expect(page.code).toBe(2);
  expect(page.stdout).toContain('payout/sats: p1: 726,311 sat, but 726,310 sat');
  expect(page.stdout).toContain('aio-dca payouts pause');
});
