import { describe, expect, test } from 'vitest';
import { commissionWeights } from '../../../src/ledger/cash-outs/ingest.ts';
import { findFunding } from '../../../src/ledger/fundings/view.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { type MachineChange, replaceMachine, setMachine } from '../../../src/ledger/machine-changes.ts';
import { findMachine, machinesInUse } from '../../../src/ledger/machines/machines.ts';
import { ratesAt } from '../../../src/ledger/machines/rates.ts';
import { seeMachines } from '../../../src/ledger/machines/register.ts';
import { machineViews } from '../../../src/ledger/machines/view.ts';
import { ALWAYS } from '../../../src/ledger/store/effective-dated.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import type { Instant } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const begin = '2026-11-01T00:00:00.000000Z';
const day = (number: number): Instant => `2026-11-${`${number}`.padStart(2, '0')}T18:00:00.000000Z`;

forEachLedger((_kind, open) => {
  /** Machine `m`, which Lamassu calls Antigua, `m2` without a name, and alice in flow mode. */
  const start = async () => {
    const book = await books(await open());
    await see(book, 'm', 'Antigua');
    await see(book, 'm2');
    await book.client('alice', { mode: 'flow' }, begin);
    return book;
  };
  const see = ({ ledger }: Books, id: string, name: string | null = null) =>
    ledger.write((trx) => seeMachines(trx, { ...who, at: begin }, [{ deviceId: id, name }], 'lamassu'));
  const set = ({ ledger }: Books, named: string, change: MachineChange, at = day(2)) =>
    ledger.write((trx) => setMachine(trx, { ...who, at }, named, change));
  const replace = ({ ledger }: Books, old: string, next: string) =>
    ledger.write((trx) => replaceMachine(trx, { ...who, at: day(10) }, old, next));
  const names = async ({ ledger }: Books) =>
    (await machinesInUse(ledger.db)).map(({ device_id, name }) => [device_id, name]);
  const balances = async ({ ledger }: Books) => expect((await verifyLedger(ledger)).differences).toEqual([]);

  describe('a name', () => {
    test('from Lamassu follows Lamassu; one that the operator gave stays', async () => {
      const book = await start();
      await see(book, 'm', 'Antigua Sur');
      expect(await names(book)).toEqual([
        ['m', 'Antigua Sur'],
        ['m2', null],
      ]);
      await set(book, 'Antigua Sur', { name: 'Parque' });
      await see(book, 'm', 'Antigua Norte');
      await see(book, 'm');
      expect(await names(book)).toEqual([
        ['m', 'Parque'],
        ['m2', null],
      ]);
    });

    test('that another machine has, as name or as id, is refused', async () => {
      const book = await start();
      await expect(set(book, 'm2', { name: 'Antigua' })).rejects.toThrow(
        'Antigua (m) is already called "Antigua"',
      );
      await expect(set(book, 'm', { name: 'm2' })).rejects.toThrow('m2 is already called "m2"');
      await set(book, 'm', { name: 'Antigua' });
    });
  });

  describe('a currency', () => {
    test('is that of its fundings, and they have to fit', async () => {
      const book = await start();
      await set(book, 'm', { currency: { code: 'GTQ', digits: 2 } });
      await expect(book.cash('alice', 10, begin)).rejects.toThrow('Antigua (m) pays out GTQ, not USD');
      await set(book, 'm', { currency: { code: 'USD', digits: 2 } });
      await book.cash('alice', 10, begin);
      await expect(set(book, 'm', { currency: { code: 'GTQ', digits: 2 } })).rejects.toThrow(
        'currency: f1 is cash in USD, and Antigua (m) would pay out GTQ',
      );
      expect((await findMachine(book.ledger.db, 'm', '')).currency).toBe('USD');
    });
  });

  describe('rates', () => {
    test('hold for cash-outs confirmed from then on, however late those are read', async () => {
      const book = await start();
      await book.cash('alice', 1_000, begin);
      await set(book, 'm', { rate: 10_000n }, day(5));
      await set(book, 'm', { rate: null }, day(7));
      const paid = { distributed: 100_000n, commission: 5_000n };
      await book.cashOut(100, day(4), day(8), paid);
      await book.cashOut(100, day(5), day(8), paid);
      await book.cashOut(100, day(7), day(8), paid);
      await book.cashOut(100, day(5), day(8), { ...paid, machine: 'm2' });
      const rows = await book.ledger.db.selectFrom('cash_outs').select('commission').orderBy('id').execute();
      expect(rows.map((row) => row.commission)).toEqual([5_000n, 10_000n, 5_000n, 5_000n]);
      await balances(book);
    });

    test("a funding's own rate comes first", async () => {
      const book = await start();
      await book.cash('alice', 1_000, begin, { rate: 2_000n });
      await set(book, 'm', { rate: 10_000n });
      await book.cashOut(100, day(5), day(5), { distributed: 100_000n, commission: 5_000n });
      expect(await book.ledger.db.selectFrom('allocations').select('commission').execute()).toEqual([
        { commission: 2_000n },
      ]);
      await balances(book);
    });

    test('the default lies within the range, and the range is one', async () => {
      const book = await start();
      await expect(set(book, 'm', { min_rate: 5_000n, max_rate: 4_000n })).rejects.toThrow(
        'min_rate: 5 % is more than max_rate, 4 %',
      );
      await expect(set(book, 'm', { rate: 3_000n, min_rate: 4_000n })).rejects.toThrow(
        'commission_rate: 3 % is outside of what fundings may have here, at least 4 %',
      );
      await set(book, 'm', { rate: 5_000n, min_rate: 4_000n, max_rate: 8_000n });
      // Settings that are not given stay.
      await expect(set(book, 'm', { max_rate: 4_500n })).rejects.toThrow('max_rate: 4.5 % is less than the');
      await set(book, 'm', { rate: 4_500n });
      expect(await ratesAt(book.ledger.db, 'm', day(3))).toEqual({
        rate: 4_500n,
        min_rate: 4_000n,
        max_rate: 8_000n,
      });
    });

    test("a funding's own rate outside of its machine's range is refused with the range", async () => {
      const book = await start();
      await set(book, 'm', { min_rate: 3_000n, max_rate: 8_000n }, begin);
      const fund = (rate: bigint, machine: string | null = 'm') =>
        book.cash('alice', 10, day(3), { rate, machine });
      await expect(fund(2_999n)).rejects.toThrow(
        'rate: 2.999 % is outside of what Antigua (m) allows, 3 % to 8 %',
      );
      await expect(fund(8_001n)).rejects.toThrow('3 % to 8 %');
      await fund(3_000n);
      await fund(8_000n);
      await fund(20_000n, 'm2');
    });

    test('cash for any machine needs a rate that every machine of its currency allows', async () => {
      const book = await start();
      await set(book, 'm', { max_rate: 8_000n }, begin);
      await set(book, 'm2', { min_rate: 5_000n }, begin);
      await see(book, 'm3');
      await set(book, 'm3', { max_rate: 1_000n, currency: { code: 'GTQ', digits: 2 } }, begin);
      const fund = (rate: bigint) => book.cash('alice', 10, day(3), { rate, machine: null });
      await expect(fund(9_000n)).rejects.toThrow('Antigua (m) allows, at most 8 %');
      await expect(fund(4_000n)).rejects.toThrow('m2 allows, at least 5 %');
      await fund(6_000n);
    });

    test('fundings keep what was agreed when the range changes, and are named', async () => {
      const book = await start();
      const id = await book.cash('alice', 10, day(2), { rate: 9_000n });
      const { outside } = await set(book, 'm', { max_rate: 8_000n });
      expect(outside.map((one) => one.id)).toEqual([id]);
      expect((await findFunding(book.ledger.db, id)).rate).toBe(9_000n);
    });
  });

  test('every change is in the log, and none where nothing changes', async () => {
    const book = await start();
    await set(book, 'm', { rate: 5_000n, name: 'Parque' });
    await set(book, 'm', { rate: 5_000n });
    const log = await book.ledger.db
      .selectFrom('log')
      .select(['actor', 'subject', 'before', 'after'])
      .where('action', '=', 'machine set')
      .execute();
    expect(
      log.map((row) => ({
        ...row,
        before: JSON.parse(row.before ?? ''),
        after: JSON.parse(row.after ?? ''),
      })),
    ).toEqual([
      {
        actor: 'dora',
        subject: 'machine m',
        before: { name: 'Antigua', currency: null, commission_rate: null, min_rate: null, max_rate: null },
        after: { name: 'Parque', currency: null, commission_rate: '0.05000', min_rate: null, max_rate: null },
      },
    ]);
  });

  describe('a machine that is replaced', () => {
    test('passes on its open fundings, and its late cash-outs are still divided over them', async () => {
      const book = await start();
      const spent = await book.cash('alice', 10, begin);
      await book.cashOut(10, day(2));
      const lying = await book.cash('alice', 100, day(3));
      const coming = await book.cash('alice', 50, day(3), { depositedAt: null });
      const { moved } = await replace(book, 'Antigua', 'm2');
      expect(moved.map((one) => one.id)).toEqual([lying, coming]);
      expect(await findFunding(book.ledger.db, lying)).toMatchObject({ machine: 'm2', remaining: 10_000n });
      expect(await findFunding(book.ledger.db, coming)).toMatchObject({ machine: 'm2', status: 'in_flight' });
      expect(await findFunding(book.ledger.db, spent)).toMatchObject({ machine: 'm' });
      expect(await book.cashOut(30, day(9), day(11))).toEqual({ alice: '30.00' });
      expect(await book.cashOut(30, day(11), day(11), { machine: 'm2' })).toEqual({ alice: '30.00' });
      await balances(book);
    });

    test('passes on its name, currency, rates and commission recipients if the other has none', async () => {
      const book = await start();
      await set(book, 'm', { rate: 5_000n, max_rate: 8_000n, currency: { code: 'USD', digits: 2 } });
      const recipient = await commissionRecipient(book, 'm');
      await replace(book, 'm', 'm2');
      expect(await machineViews(book.ledger.db, await machinesInUse(book.ledger.db), day(11))).toMatchObject([
        { deviceId: 'm2', name: 'Antigua', currency: 'USD', rates: { rate: 5_000n, max_rate: 8_000n } },
      ]);
      // Also for cash-outs of the new one before it was entered here.
      expect(await ratesAt(book.ledger.db, 'm2', begin)).toMatchObject({ rate: 5_000n });
      expect(await commissionWeights(book.ledger.db, 'm2', day(3))).toMatchObject([
        { id: recipient, weight: 3n },
      ]);
      await balances(book);
    });

    test('changes nothing that the other has of its own', async () => {
      const book = await start();
      await see(book, 'm2', 'Centro');
      await set(book, 'm', { rate: 5_000n });
      await set(book, 'm2', { rate: 7_000n });
      await replace(book, 'm', 'm2');
      expect(await machineViews(book.ledger.db, await machinesInUse(book.ledger.db), day(11))).toMatchObject([
        { deviceId: 'm2', name: 'Centro', rates: { rate: 7_000n } },
      ]);
    });

    test('is not in use any more, also when Lamassu still shows it, and gets no cash', async () => {
      const book = await start();
      await replace(book, 'm', 'm2');
      await see(book, 'm', 'Antigua');
      await expect(book.cash('alice', 10, day(11), { machine: 'm' })).rejects.toThrow(
        'machine: m is no longer in use: Antigua (m2) took its place.',
      );
      await expect(replace(book, 'm', 'm2')).rejects.toThrow('old: m is no longer in use');
      await see(book, 'm3');
      await expect(replace(book, 'm3', 'm')).rejects.toThrow('new: m is no longer in use');
      await expect(set(book, 'm2', { name: 'm' })).rejects.toThrow(
        'name: "m" is the device id of a machine whose place Antigua (m2) took',
      );
      expect(
        await book.ledger.db
          .selectFrom('machines')
          .select('replaced_by')
          .where('device_id', '=', 'm')
          .execute(),
      ).toEqual([{ replaced_by: 'm2' }]);
    });

    test('cannot be replaced by itself, by one that is not known, or by one of another currency', async () => {
      const book = await start();
      await book.cash('alice', 10, begin);
      await set(book, 'm2', { currency: { code: 'GTQ', digits: 2 } });
      await expect(replace(book, 'm', 'Antigua')).rejects.toThrow('cannot replace itself');
      await expect(replace(book, 'm', 'm9')).rejects.toThrow('new: there is no machine "m9"');
      await expect(replace(book, 'm', 'm2')).rejects.toThrow(
        'new: f1 is cash in USD, and m2 would pay out GTQ',
      );
      expect(await names(book)).toHaveLength(2);
    });

    test('is in the log at both, and each funding has it in its history', async () => {
      const book = await start();
      await book.cash('alice', 10, begin);
      await set(book, 'm', { rate: 5_000n });
      await set(book, 'm2', { name: 'Centro' });
      await replace(book, 'm', 'm2');
      const log = await book.ledger.db
        .selectFrom('log')
        .select(['action', 'subject', 'before', 'after', 'reason'])
        .where('at', '=', day(10))
        .orderBy('id')
        .execute();
      const read = (json: string | null) => JSON.parse(json ?? '');
      expect(log).toMatchObject([
        { action: 'funding move', subject: 'f1', reason: 'Centro (m2) replaces Antigua (m)' },
        { action: 'machine replace', subject: 'machine m' },
        { action: 'machine take over', subject: 'machine m2' },
      ]);
      const [, old, next] = log.map(({ before, after }) => ({ before: read(before), after: read(after) }));
      expect(old).toEqual({ before: { replaced_by: null }, after: { replaced_by: 'm2', fundings: ['f1'] } });
      expect(next).toMatchObject({
        before: { name: 'Centro', commission_rate: null },
        after: { name: 'Centro', commission_rate: '0.05000', replaces: 'm', fundings: ['f1'] },
      });
    });

    test('is restored by replacing it the other way round', async () => {
      const book = await start();
      const id = await book.cash('alice', 100, begin);
      await replace(book, 'm', 'm2');
      expect(await book.cashOut(10, day(9), day(11))).toEqual({ alice: '10.00' });
      await replace(book, 'm2', 'm');
      expect(await names(book)).toEqual([['m', 'Antigua']]);
      expect(await findFunding(book.ledger.db, id)).toMatchObject({ machine: 'm', remaining: 9_000n });
      expect(await book.cashOut(10, day(11), day(11))).toEqual({ alice: '10.00' });
      expect(await book.cashOut(10, day(11), day(12), { machine: 'm2' })).toEqual({ alice: '10.00' });
      await balances(book);
    });
  });

  test('changes in Lamassu are in the log: machines found, and renamed', async () => {
    const book = await start();
    await see(book, 'm', 'Antigua');
    await see(book, 'm', 'Antigua Sur');
    await see(book, 'm');
    await book.cashOut(10, day(2), day(2), { machine: 'm7' });
    const log = await book.ledger.db
      .selectFrom('log')
      .select(['action', 'subject', 'before', 'after'])
      .where('action', 'in', ['machine found', 'machine renamed'])
      .orderBy('id')
      .execute();
    expect(log.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
      'machine found machine m',
      'machine renamed machine m',
      'machine found machine m2',
      'machine renamed machine m',
      'machine found machine m7',
    ]);
    expect(log[3]).toMatchObject({ before: '{"name":"Antigua"}', after: '{"name":"Antigua Sur"}' });
  });
});

async function commissionRecipient({ ledger }: Books, machine: string): Promise<bigint> {
  return ledger.write(async (trx) => {
    const wallet = { id: 'of the operator', invoice_key: 'key', created_at: begin };
    await trx.insertInto('wallets').values(wallet).execute();
    const { id } = await trx
      .insertInto('recipients')
      .values({ kind: 'commission', name: 'op', wallet_id: wallet.id, status: 'active', created_at: begin })
      .returning('id')
      .executeTakeFirstOrThrow();
    await trx
      .insertInto('commission_weights')
      .values({ recipient_id: id, machine, from_at: ALWAYS, weight: 3n })
      .execute();
    return id;
  });
}
