import { describe, expect, test } from 'vitest';
import {
  asked,
  balance,
  DONE,
  day,
  fails,
  LOST,
  NO,
  nextMoment,
  owing,
  PAUSED,
  pause,
  payments,
  quietWaits,
  reasons,
  run,
  states,
  to,
  waiting,
  walletOf,
  when,
} from '../support/one-run.ts';

/*
 * Sats go to the recipient's wallet at the moment of the invoice; a payment that was ever sent stays with its wallet.
 */

/** Gives a recipient another wallet, as `clients set --new-wallet` does. Answers what is in it. */
async function move(name: string): Promise<() => bigint> {
  const wallet = await day.lnbits.createUserWallet(`${name} 2`);
  await day.ledger.write(async (trx) => {
    await trx
      .insertInto('wallets')
      .values({ id: wallet.id, invoice_key: wallet.inkey, created_at: PAUSED, seen_at: PAUSED })
      .execute();
    await trx.updateTable('recipients').set({ wallet_id: wallet.id }).where('name', '=', name).execute();
  });
  return () => day.lnbits.balance(wallet.id);
}

/** An invoice of Alice's that was made and not sent. */
async function invoiced(): Promise<void> {
  when('invoice', 'after', () => pause(PAUSED));
  await run();
  await pause(null);
  expect(await payments()).toEqual([['invoiced', null]]);
}

describe('another wallet while a run goes on', () => {
  let moved: () => bigint;
  const moves = async (name: string) => {
    moved = await move(name);
  };

  test('before the turn of its payout', async () => {
    await owing({ alice: 10n, bob: 20n });
    when('pay', 'before', () => moves('bob'));
    expect(await run()).toMatchObject({ settled: 2, problems: [] });
    expect([balance('bob'), moved()]).toEqual([0n, 20n]);
  });

  test('between two parts: each goes where its invoice was made', async () => {
    await owing({ alice: 1_000n }, { payouts: 'maximum_sats = 400' });
    when('pay', 'after', () => moves('alice'));
    expect(await run()).toMatchObject({ settled: 1, satsSettled: 1_000n, problems: [] });
    expect([balance('alice'), moved()]).toEqual([400n, 600n]);
  });

  test('while the invoice is made: that one is dropped, and another is made', async () => {
    await owing({ alice: 10n });
    when('invoice', 'after', () => moves('alice'));
    expect(await run()).toMatchObject({
      settled: 1,
      problems: [],
      asked: ['invoice', 'invoice', 'pay', 'find'],
    });
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
    expect(await payments()).toHaveLength(1);
  });

  test('again and again while invoices are made: later', async () => {
    await owing({ alice: 10n, bob: 20n });
    const ran = await run((ctx) => {
      const make = ctx.lnbits.createInvoice.bind(ctx.lnbits);
      ctx.lnbits.createInvoice = async (key, invoice) => {
        const made = await make(key, invoice);
        if (invoice.sats === 10n) await moves('alice');
        return made;
      };
    });
    expect(ran).toMatchObject({ settled: 1 });
    expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
    expect((await reasons()).alice).toBe('its wallet was changed while an invoice was made');
    expect(await run()).toMatchObject({ settled: 1 });
    expect(moved()).toBe(10n);
  });

  test('between the invoice and the payment: it is given up unsent, and another is made', async () => {
    await owing({ alice: 10n });
    const { write } = day.ledger;
    day.ledger.write = async (work) => {
      const result = await write(work);
      if ((await payments())[0]?.[0] === 'invoiced') {
        day.ledger.write = write;
        await moves('alice');
      }
      return result;
    };
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
    expect((await payments()).map(([state]) => state)).toEqual(['dead', 'settled']);
  });

  test('of a commission recipient likewise', async () => {
    await owing({ alice: 10n });
    const owner = await day.addCommission('owner');
    await nextMoment();
    await day.owe('alice', 10n, 7n);
    when('invoice', 'after', () => moves('owner'), 2);
    expect(await run()).toMatchObject({ settled: 2, problems: [] });
    expect([day.lnbits.balance(owner.id), moved()]).toEqual([0n, 7n]);
  });

  test('another key of the same wallet: the new one is used, also where the old one is refused by then', async () => {
    await owing({ alice: 10n });
    const ran = await run((ctx) => {
      const make = ctx.lnbits.createInvoice.bind(ctx.lnbits);
      ctx.lnbits.createInvoice = async (key, invoice) => {
        ctx.lnbits.createInvoice = make;
        const { inkey } = await day.lnbits.resetKeys(walletOf('alice'));
        await day.ledger.db
          .updateTable('wallets')
          .set({ invoice_key: inkey })
          .where('id', '=', walletOf('alice'))
          .execute();
        return make(key, invoice);
      };
    });
    expect(ran).toMatchObject({ settled: 1, problems: [], asked: ['invoice', 'invoice', 'pay', 'find'] });
    expect(balance('alice')).toBe(10n);
  });
});

describe('another wallet between two runs', () => {
  test('an invoice that was never sent is given up, and another is made', async () => {
    await owing({ alice: 10n });
    await invoiced();
    const moved = await move('alice');
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
    expect(await payments()).toEqual([
      ['dead', 'it was not sent, and the recipient is paid into another wallet now'],
      ['settled', null],
    ]);
  });

  test('also where the former wallet is gone', async () => {
    await owing({ alice: 10n });
    await invoiced();
    await day.lnbits.deleteWallet(walletOf('alice'));
    const moved = await move('alice');
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(moved()).toBe(10n);
  });

  test('but not where the source wallet shows it as paid, or somebody else has paid it', async () => {
    await owing({ alice: 10n, bob: 20n });
    when('invoice', 'after', () => pause(PAUSED), 2);
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 2)];
    await run();
    await pause(null);
    // As in a copy of the ledger from before it was sent.
    await day.ledger.db.updateTable('payments').set({ state: 'invoiced' }).where('id', '=', 1n).execute();
    const [alice] = await day.payments();
    const { bolt11 } = await day.ledger.db
      .selectFrom('payments')
      .select('bolt11')
      .orderBy('id')
      .executeTakeFirstOrThrow();
    await fetch(`${day.lnbits.url}/api/v1/payments`, {
      method: 'POST',
      headers: { 'X-Api-Key': day.source.adminkey, 'content-type': 'application/json' },
      body: JSON.stringify({ out: true, bolt11 }),
    });
    const moved = await move('alice');
    expect(await run()).toMatchObject({ settled: 2 });
    expect([balance('alice'), moved()]).toEqual([10n, 0n]);
    expect((await day.payments())[0]).toEqual({ ...alice, state: 'settled' });
  });

  test.each([
    ['without effect', LOST],
    ['with effect', DONE],
  ] as const)('a payment that was sent %s, and not answered, stays with its wallet', async (_name, fault) => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails(to('alice'), fault, 4)];
    await run();
    expect(await states()).toEqual(fault === LOST ? { alice: 'unknown' } : { alice: 'settled' });
    const moved = await move('alice');
    await run();
    expect([balance('alice'), moved()]).toEqual([10n, 0n]);
    expect(asked()).not.toContain('invoice');
  });
});

describe('what LNbits refused', () => {
  const reason = 'LNbits refused it, and the recipient is paid into another wallet now';
  const refused = async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, NO)];
    expect(await run()).toMatchObject({ settled: 0 });
    expect((await payments())[0]?.[0]).toBe('invoiced');
    return move('alice');
  };

  test('goes to the new wallet', async () => {
    const moved = await refused();
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(await payments()).toEqual([
      ['dead', reason],
      ['settled', null],
    ]);
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
  });

  test('and may still be under way as far as a run knows: not before the quiet time is over', async () => {
    const moved = await refused();
    waiting.meanwhile = async () => {
      expect(await states()).toEqual({ alice: 'deferred' });
      expect((await reasons()).alice).toBe(reason);
      expect(asked()).not.toContain('invoice');
    };
    const ran = await run((ctx) => {
      ctx.began = ctx.clock.monotonic();
    });
    expect(ran).toMatchObject({ settled: 1, problems: [] });
    expect(quietWaits()).toHaveLength(1);
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
  });

  test('but was paid stays with its wallet', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, NO)];
    await run();
    const { bolt11 } = await day.ledger.db.selectFrom('payments').select('bolt11').executeTakeFirstOrThrow();
    await fetch(`${day.lnbits.url}/api/v1/payments`, {
      method: 'POST',
      headers: { 'X-Api-Key': day.source.adminkey, 'content-type': 'application/json' },
      body: JSON.stringify({ out: true, bolt11 }),
    });
    const moved = await move('alice');
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect([balance('alice'), moved()]).toEqual([10n, 0n]);
  });

  test('for want of room in its rate limit, while the run waits, goes to the new wallet', async () => {
    await owing({ alice: 10n });
    const headers = { 'retry-after': '0' };
    const answer = { status: 429, headers, body: { error: 'Rate limit exceeded: 1000 per 1 second' } };
    day.lnbits.rules = [fails({ kind: 'pay' }, { at: 'before', answer })];
    let moved = () => 0n;
    when('pay', 'half', async () => {
      moved = await move('alice');
    });
    expect(
      await run((ctx) => {
        ctx.began = ctx.clock.monotonic();
      }),
    ).toMatchObject({ settled: 1, problems: [] });
    expect([balance('alice'), moved()]).toEqual([0n, 10n]);
  });

  test('after a POST that was not answered stays with its wallet', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST), fails({ kind: 'pay' }, NO, 9)];
    waiting.meanwhile = async () => false;
    await run();
    expect((await payments())[0]?.[0]).toBe('unknown');
    const moved = await move('alice');
    day.lnbits.rules = [];
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect([balance('alice'), moved()]).toEqual([10n, 0n]);
  });
});
