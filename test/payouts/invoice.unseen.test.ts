import { expect, test } from 'vitest';
import type { Permission, SharedKeys } from '../support/lnbits.ts';
import {
  asked,
  balance,
  day,
  owing,
  PAUSED,
  pause,
  payments,
  posts,
  reasons,
  run,
  states,
  walletOf,
  when,
} from '../support/one-run.ts';

/* Keys of shared wallets, which may receive and perhaps not see what they receive. */

const HELD = "nothing was paid: the key of the client's wallet does not show its payments";

/** From now on alice is paid by such a key onto alice's wallet, which no payment was made by yet. */
async function shareAlice(permissions: Permission[]): Promise<SharedKeys> {
  const wallet = { id: walletOf('alice'), adminkey: '', inkey: '' };
  const shared = await day.lnbits.share(wallet, permissions);
  await day.ledger.db
    .updateTable('wallets')
    .set({ invoice_key: shared.inkey, seen_at: null })
    .where('id', '=', wallet.id)
    .execute();
  return shared;
}

const release = () =>
  day.ledger.db
    .updateTable('payouts')
    .set({ state: 'planned', reason: null })
    .where('state', '=', 'held')
    .execute();

test('a client whose key does not show what it makes is held before a sat moves, and the others are paid', async () => {
  await owing({ alice: 1_000n, bob: 2_000n });
  const shared = await shareAlice(['receive-payments']);
  expect((await run()).problems).toEqual([]);
  expect(await states()).toEqual({ alice: 'held', bob: 'settled' });
  expect(await reasons()).toMatchObject({ alice: HELD });
  expect([posts(), balance('alice'), (await payments()).length]).toEqual([1, 0n, 1]);

  await shared.allow(['view-payments', 'receive-payments']);
  await release();
  await run();
  expect(await states()).toEqual({ alice: 'settled', bob: 'settled' });
  expect(balance('alice')).toBe(1_000n);
});

test('each key is checked once, and not if the check would make the invoice fail', async () => {
  await owing({ alice: 1_000n });
  await shareAlice(['view-payments', 'receive-payments']);
  expect((await run()).asked).toEqual(['invoice', 'find', 'pay', 'find']);
  await day.owe('alice', 10n);
  expect((await run()).asked).toEqual(['invoice', 'pay', 'find']);
  await day.stop();

  await owing({ alice: 1_000n }, { version: '1.0.0' });
  await day.ledger.db.updateTable('wallets').set({ seen_at: null }).execute();
  expect((await run()).asked).toEqual(['invoice', 'pay', 'find']);
});

test('a right that is taken away later is noticed after the debit, and nothing is paid twice', async () => {
  await owing({ alice: 1_000n });
  const shared = await shareAlice(['view-payments', 'receive-payments']);
  await run();
  await shared.allow(['receive-payments']);
  await day.owe('alice', 10n);
  await run();
  expect(await reasons()).toMatchObject({
    alice:
      "paid from the source wallet; whether it arrived cannot be seen: the key of the client's wallet does not show its payments",
  });
  expect(balance('alice')).toBe(1_010n);

  await shared.allow(['view-payments', 'receive-payments']);
  await day.ledger.db.updateTable('payouts').set({ state: 'unknown' }).where('state', '=', 'held').execute();
  await run();
  expect(asked()).not.toContain('pay');
  expect(await states()).toEqual({ alice: 'settled' });
  expect(balance('alice')).toBe(1_010n);
});

test.each([
  ['cannot be seen', true, "the key of the client's wallet does not show its payments"],
  ['is not there', false, "LNbits does not know the invoice that the client's wallet made"],
])(
  'an invoice of an earlier run that %s is reported as such, and nothing is paid',
  async (_, blind, reason) => {
    await owing({ alice: 1_000n });
    when('invoice', 'after', () => pause(PAUSED));
    await run();
    await pause(null);
    const [made] = day.lnbits.payments(walletOf('alice'));
    if (blind) await shareAlice(['receive-payments']);
    else day.lnbits.change(walletOf('alice'), made?.payment_hash ?? '', { payment_hash: 'ab'.repeat(32) });
    await run();
    expect([await reasons(), posts()]).toEqual([{ alice: reason }, 0]);
  },
);
