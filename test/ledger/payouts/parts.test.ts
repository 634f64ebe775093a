import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { splitPart } from '../../../src/ledger/payouts/parts.ts';
import { addPayment, markDead, partsOf } from '../../../src/ledger/payouts/payouts.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const AT = '2026-11-20T10:00:00.000000Z';
const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

forEachLedger((_kind, fresh) => {
  test('a part of which nothing can arrive is split into others, which are paid instead', async () => {
    const ledger = await fresh();
    const { db } = ledger;
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
    const pay = (id: bigint, part: bigint, sats: bigint) =>
      ledger.write((trx) =>
        addPayment(
          trx,
          {
            ...{ id, part, sats, payout: 1n, hash: `h${id}`, bolt11: `b${id}` },
            ...{ clientWallet: 'w', sourceWallet: 's', run: run.id },
          },
          AT,
        ),
      );
    const split = (part: bigint, sats: bigint, into: bigint[]) =>
      ledger.write((trx) => splitPart(trx, { ...who, at: AT }, { payout: 1n, part, sats }, into));
    for (const statement of [
      `insert into currencies (code, digits) values ('USD', 2)`,
      `insert into wallets (id, invoice_key, created_at) values ('w', 'k', '${AT}')`,
      `insert into recipients (id, kind, name, wallet_id, status, created_at) values (1, 'client', 'alice', 'w', 'active', '${AT}')`,
      `insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at) values (1, 1, 'client', 100, 0, 'USD', 'planned', '${AT}')`,
      'insert into payout_parts (payout_id, part, sats) values (1, 1, 60), (1, 2, 40)',
    ])
      await sql.raw(statement).execute(db);

    const first = await pay(1n, 1n, 60n);
    await expect(split(1n, 60n, [30n, 30n])).rejects.toThrow('a part never changes');
    await ledger.write((trx) => markDead(trx, { ...who, at: AT }, first, 'it failed'));
    await expect(split(1n, 60n, [30n, 31n])).rejects.toThrow('60 sat, was split into 30, 31');
    await split(1n, 60n, [25n, 25n, 10n]);
    const parts = (await partsOf(db, 1n)).map(({ part, sats }) => [part, sats]);
    expect(parts).toEqual([
      [2n, 40n],
      [3n, 25n],
      [4n, 25n],
      [5n, 10n],
    ]);
    await expect(split(1n, 60n, [30n, 30n])).rejects.toThrow('p1 has no part 1 that could be split');
    await expect(pay(2n, 1n, 60n)).rejects.toThrow('a part that was split is not paid');
    await pay(2n, 3n, 25n);
    const entry = await db
      .selectFrom('log')
      .select(['action', 'subject', 'before', 'after'])
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(entry).toMatchObject({
      action: 'payout split',
      subject: 'p1',
      before: '{"part":"1","sats":"60"}',
    });
    expect(JSON.parse(entry.after ?? '')).toEqual({
      parts: [
        { part: '3', sats: '25' },
        { part: '4', sats: '25' },
        { part: '5', sats: '10' },
      ],
    });
    const { differences } = await verifyLedger(ledger);
    // The payout has no allocations here; its parts are right.
    expect(
      differences.filter(({ code }) => code.startsWith('payout/parts') || code.startsWith('payment/')),
    ).toEqual([expect.objectContaining({ code: 'payment/source-wallet' })]);
    await run.finish('ok', null);
  });
});
