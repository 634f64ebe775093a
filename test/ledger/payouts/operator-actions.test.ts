import { expect, test } from 'vitest';
import type { Who } from '../../../src/ledger/log/log.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import {
  findCase,
  holdByHand,
  openPayment,
  releasePayout,
  resolvePayment,
  retryPayout,
} from '../../../src/ledger/payouts/operator-actions.ts';
import { pausePaying, resumePaying } from '../../../src/ledger/payouts/pause.ts';
import {
  addPayment,
  deferPayment,
  deferPayout,
  holdPayout,
  markUnknown,
  type Payment,
  sendPayment,
  settlePayment,
} from '../../../src/ledger/payouts/payouts.ts';
import { type Run, startRun } from '../../../src/ledger/runs/lease.ts';
import type { Ledger, Trx } from '../../../src/ledger/store/open.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { call } from '../../../src/lib/message.ts';
import { bootless, now } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const AT = '2026-11-20T10:00:00.000000Z';

const because = (who: Who, reason: string) => ({ ...who, at: now(), reason });

/** A payout of 100 sat in as many parts as there are amounts, with the allocation that it pays. */
async function owe(trx: Trx, parts = [100n]): Promise<bigint> {
  await trx
    .insertInto('currencies')
    .values({ code: 'USD', digits: 2n })
    .onConflict((c) => c.doNothing())
    .execute();
  await trx.insertInto('machines').values({ device_id: 'm1', first_seen: AT }).execute();
  await trx.insertInto('wallets').values({ id: 'wallet', invoice_key: 'key', created_at: AT }).execute();
  await trx.updateTable('ledger').set({ source_wallet_id: 'source' }).execute();
  const recipient = {
    kind: 'client' as const,
    name: 'alice',
    wallet_id: 'wallet',
    status: 'active' as const,
  };
  const { id: client_id } = await trx
    .insertInto('recipients')
    .values({ ...recipient, created_at: AT })
    .returning('id')
    .executeTakeFirstOrThrow();
  const cash = { currency: 'USD', amount: 10n, remaining: 0n, spent: 10n, withdrawn: 0n };
  await trx
    .insertInto('fundings')
    .values({ client_id, ...cash, status: 'exhausted', created_at: AT, deposited_at: AT })
    .execute();
  const net = parts.reduce((total, part) => total + part, 0n);
  await trx
    .insertInto('cash_outs')
    .values({
      ...{
        id: 'c1',
        source: 'lamassu',
        machine: 'm1',
        confirmed_at: AT,
        processed_at: AT,
        local_date: '2026-11-20',
      },
      ...{
        currency: 'USD',
        fiat: 10n,
        gross: net,
        commission: 0n,
        net,
        own: 0n,
        undelivered: 0n,
        own_fiat: 0n,
      },
      ...{ method: 'ticker', origin: 'lamassu', lamassu: '{}' },
    })
    .execute();
  const { id } = await trx
    .insertInto('payouts')
    .values({
      ...{ recipient_id: client_id, kind: 'client', sats: net, fiat: 10n, currency: 'USD', state: 'planned' },
      created_at: AT,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const [index, sats] of parts.entries())
    await trx
      .insertInto('payout_parts')
      .values({ payout_id: id, part: BigInt(index + 1), sats })
      .execute();
  await trx
    .insertInto('allocations')
    .values({
      ...{
        cash_out_id: 'c1',
        funding_id: 1n,
        client_id,
        mode: 'flow',
        local_date: '2026-11-20',
        currency: 'USD',
      },
      ...{ fiat: 10n, gross: net, commission: 0n, net, payout_id: id },
    })
    .execute();
  return id;
}

async function invoice(trx: Trx, run: Run, payout: bigint, part = 1n, sats = 100n): Promise<Payment> {
  const id = part;
  const wallets = { clientWallet: 'wallet', sourceWallet: 'source' };
  return addPayment(
    trx,
    { id, payout, part, sats, hash: `hash${id}`, bolt11: `lnbc${id}`, ...wallets, run: run.id },
    now(),
  );
}

forEachLedger((_kind, open) => {
  /** A run on a ledger that owes one payout, in the state that `make` brings it to. */
  async function begin(
    make: (trx: Trx, run: Run, id: bigint) => Promise<unknown> = async () => {},
    parts?: bigint[],
  ): Promise<{ ledger: Ledger; run: Run; id: bigint }> {
    const ledger = await open();
    const run = await startRun(ledger, 'payouts test', { principal: OPERATOR, actor: 'dora' });
    const id = await run.write(async (trx) => {
      const payout = await owe(trx, parts);
      await make(trx, run, payout);
      return payout;
    });
    return { ledger, run, id };
  }

  async function stateOf({ ledger, id }: { ledger: Ledger; id: bigint }) {
    expect((await verifyLedger(ledger)).differences).toEqual([]);
    const { state, live } = await findCase(ledger.db, id);
    return [state, ...live.map((one) => one.state)];
  }

  const hold = (trx: Trx, run: Run, id: bigint) => holdPayout(trx, { ...run.who, at: now() }, id, 'to see');

  test('a released payout goes on from what was sent of it', async () => {
    const cases: [expected: string[], make: (trx: Trx, run: Run, id: bigint) => Promise<unknown>][] = [
      [['planned'], async () => {}],
      [['paying', 'invoiced'], (trx, run, id) => invoice(trx, run, id)],
      [
        ['unknown', 'unknown'],
        async (trx, run, id) => sendPayment(trx, { ...run.who, at: now() }, await invoice(trx, run, id)),
      ],
      [
        ['unknown', 'unknown'],
        async (trx, run, id) => {
          const payment = await invoice(trx, run, id);
          await sendPayment(trx, { ...run.who, at: now() }, payment);
          await markUnknown(trx, payment, 'no answer');
        },
      ],
    ];
    for (const [expected, make] of cases) {
      const at = await begin(async (trx, run, id) => {
        await make(trx, run, id);
        await hold(trx, run, id);
      });
      await at.run.write((trx) => releasePayout(trx, { ...at.run.who, at: now() }, at.id));
      expect(await stateOf(at)).toEqual(expected);
    }
  });

  test('a deferred payout becomes planned as if just formed, and keeps its invoice', async () => {
    const bare = await begin((trx, _run, id) => deferPayout(trx, id, 'balance'));
    expect(await bare.run.write((trx) => retryPayout(trx, { ...bare.run.who, at: now() }, bare.id))).toBe(
      'planned',
    );
    expect(await stateOf(bare)).toEqual(['planned']);
    const invoiced = await begin(async (trx, run, id) =>
      deferPayment(trx, await invoice(trx, run, id), 'refused'),
    );
    await invoiced.run.write((trx) => retryPayout(trx, { ...invoiced.run.who, at: now() }, invoiced.id));
    expect(await stateOf(invoiced)).toEqual(['paying', 'invoiced']);
    // The next run can go on from there.
    await invoiced.run.write(async (trx) => {
      const [payment] = (await findCase(trx, invoiced.id)).live;
      if (payment) await sendPayment(trx, { ...invoiced.run.who, at: now() }, payment);
    });
    expect(await stateOf(invoiced)).toEqual(['paying', 'sending']);
  });

  test('parts are resolved one by one, and the last one settles the payout', async () => {
    const at = await begin(
      async (trx, run, id) => {
        for (const [part, sats] of [
          [1n, 60n],
          [2n, 40n],
        ] as const) {
          const payment = await invoice(trx, run, id, part, sats);
          await sendPayment(trx, { ...run.who, at: now() }, payment);
          await markUnknown(trx, payment, 'no answer');
        }
        await hold(trx, run, id);
      },
      [60n, 40n],
    );
    const { run, id, ledger } = at;
    const found = await findCase(ledger.db, id);
    expect(() => openPayment(found, undefined)).toThrow('has 2 open payments');
    expect(() => openPayment(found, 'hash9')).toThrow('has no open payment hash9');
    const resolve = (hash: string, paid: boolean) =>
      run.write(async (trx) => {
        const payment = openPayment(await findCase(trx, id), hash);
        return resolvePayment(trx, because(run.who, 'seen'), { payout: id, payment, paid, seen: true });
      });
    expect(await resolve('hash2', true)).toBe('unknown');
    expect(await stateOf(at)).toEqual(['unknown', 'unknown', 'settled']);
    expect(await resolve('hash1', false)).toBe('paying');
    expect(await stateOf(at)).toEqual(['paying', 'settled']);
    await expect(resolve('hash1', true)).rejects.toThrow('has no open payment hash1');
  });

  test('a settled one that is held is in doubt, until a run or the operator has checked it again', async () => {
    const settled = async (trx: Trx, run: Run, id: bigint) => {
      const payment = await invoice(trx, run, id);
      await sendPayment(trx, { ...run.who, at: now() }, payment);
      await settlePayment(trx, { ...run.who, at: now() }, payment);
    };
    const at = await begin(settled);
    const { run, id, ledger } = at;
    await run.write((trx) => holdByHand(trx, because(run.who, 'LNbits was restored'), id));
    expect(await stateOf(at)).toEqual(['held', 'unknown']);
    await run.write((trx) => releasePayout(trx, { ...run.who, at: now() }, id));
    expect(await stateOf(at)).toEqual(['unknown', 'unknown']);
    const [payment] = (await findCase(ledger.db, id)).live;
    await run.write((trx) => settlePayment(trx, { ...run.who, at: now() }, payment as Payment));
    expect(await stateOf(at)).toEqual(['settled', 'settled']);
    // A wallet that is not in use any more cannot be checked again.
    await ledger.db.updateTable('ledger').set({ source_wallet_id: 'another' }).execute();
    const again = run.write((trx) => holdByHand(trx, because(run.who, 'why'), id));
    await expect(again).rejects.toMatchObject({ code: 'usage/invalid' });
    expect(await stateOf(at)).toEqual(['settled', 'settled']);
  });

  test('a decision is refused if the state leaves nothing to decide, and nothing is written', async () => {
    const at = await begin(async (trx, run, id) => {
      const payment = await invoice(trx, run, id);
      await sendPayment(trx, { ...run.who, at: now() }, payment);
      await settlePayment(trx, { ...run.who, at: now() }, payment);
    });
    const { run, id, ledger } = at;
    const { who } = run;
    const log = () => ledger.db.selectFrom('log').selectAll().execute();
    const before = await log();
    const refused = (says: string, work: (trx: Trx) => Promise<unknown>) =>
      expect(run.write(work)).rejects.toMatchObject({
        code: 'usage/invalid',
        message: expect.stringContaining(says),
        hint: expect.toSatisfy((hint) => /\w/.test(`${hint}`)),
      });
    await refused('p1 is settled, not held', (trx) => releasePayout(trx, { ...who, at: now() }, id));
    await refused('p1 is settled', (trx) => retryPayout(trx, { ...who, at: now() }, id));
    await refused('p1 is settled', async (trx) => openPayment(await findCase(trx, id), undefined));
    await refused('p99 does not exist', (trx) => holdByHand(trx, because(who, 'why'), 99n));
    expect(await log()).toEqual(before);
    expect(await stateOf(at)).toEqual(['settled', 'settled']);

    const held = await begin(hold);
    const again = held.run.write((trx) => holdByHand(trx, because(held.run.who, 'why'), held.id));
    await expect(again).rejects.toMatchObject({ message: expect.stringContaining('held already: to see') });
    const retried = held.run.write((trx) => retryPayout(trx, { ...held.run.who, at: now() }, held.id));
    await expect(retried).rejects.toMatchObject({ next: call('payouts.release', { id: 'p1' }) });
    const bare = findCase(held.ledger.db, held.id).then((found) => openPayment(found, undefined));
    await expect(bare).rejects.toMatchObject({ next: call('payouts.release', { id: 'p1' }) });
  });

  test('paying is paused once and resumed once, with actor and reason', async () => {
    const { ledger } = await begin();
    const who = { principal: OPERATOR, actor: 'emil', run: null, clock: bootless };
    const pause = (reason: string) => ledger.write((trx) => pausePaying(trx, { ...who, at: AT, reason }));
    expect(await pause('moving')).toBe(true);
    expect(await pause('again')).toBe(false);
    const row = () => ledger.db.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
    expect(await row()).toMatchObject({ paused_at: AT, paused_by: 'emil', paused_reason: 'moving' });
    expect(await ledger.write((trx) => resumePaying(trx, { ...who, at: AT }))).toBe(true);
    expect(await ledger.write((trx) => resumePaying(trx, { ...who, at: AT }))).toBe(false);
    expect(await row()).toMatchObject({ paused_at: null, paused_by: null, paused_reason: null });
    const log = await ledger.db.selectFrom('log').select(['action', 'actor', 'reason']).execute();
    expect(log).toEqual([
      { action: 'payouts pause', actor: 'emil', reason: 'moving' },
      { action: 'payouts resume', actor: 'emil', reason: null },
    ]);
  });
});
