import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { ingest } from '../../../src/ledger/cash-outs/ingest.ts';
import { addClient } from '../../../src/ledger/clients/changes.ts';
import {
  addCommission,
  commissionRecipients,
  removeCommission,
  setCommission,
} from '../../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { replaceMachine } from '../../../src/ledger/machine-changes.ts';
import { seeMachine } from '../../../src/ledger/machines/register.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
/** `day(3)`: noon of the third day. */
const day = (n: number) => `2026-11-${String(n).padStart(2, '0')}T12:00:00.000000Z`;
const wallet = (id: string) => ({ id, key: new Secret(`key-${id}`) });

async function withMachines(open: () => Promise<Ledger>): Promise<Ledger> {
  const ledger = await open();
  await ledger.write(async (trx) => {
    for (const id of ['m1', 'm2']) await seeMachine(trx, { ...who, at: day(1) }, id, 'lamassu');
  });
  return ledger;
}

function add(ledger: Ledger, name: string, weight: bigint, at = day(1), machine: string | null = null) {
  return ledger.write((trx) =>
    addCommission(trx, { ...who, at }, { name, wallet: wallet(`w-${name}`), weight, machine }),
  );
}

function set(ledger: Ledger, name: string, weight: bigint, at: string, machine: string | null = null) {
  return ledger.write((trx) =>
    setCommission(trx, { ...who, at }, name, { weight, machine, newWallet: false }),
  );
}

function remove(ledger: Ledger, name: string, at: string, machine: string | null = null) {
  return ledger.write((trx) => removeCommission(trx, { ...who, at }, name, machine));
}

/** A cash-out of 100 sat commission that is read on day 9. Answers who shares in it, by name. */
async function shared(ledger: Ledger, id: string, at: string, machine = 'm1') {
  const cash = {
    currency: 'USD',
    digits: 2,
    fiat: 100n,
    distributed: 1100n,
    commission: 100n,
    undelivered: 0n,
  };
  const row = { id, source: 'lamassu', machine, confirmedAt: at, method: 'ticker' as const, lamassu: {} };
  const how = {
    timezone: 'UTC',
    priority: 'shared',
    origin: 'lamassu',
  } as const;
  const act = { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: day(9) };
  await ledger.write((trx) => ingest(trx, act, { ...row, ...cash }, how));
  const rows = await ledger.db
    .selectFrom('commission_shares as s')
    .innerJoin('recipients as r', 'r.id', 's.recipient_id')
    .select(['r.name', 's.sats'])
    .where('s.cash_out_id', '=', id)
    .execute();
  return Object.fromEntries(rows.map(({ name, sats }) => [name, Number(sats)]));
}

forEachLedger((_kind, open) => {
  describe('the commission', () => {
    test('is divided by the weights in force when the cash-out was confirmed, however late it is read', async () => {
      const ledger = await withMachines(open);
      expect(await shared(ledger, 'nobody', day(1))).toEqual({});
      await add(ledger, 'owner', 2n, day(2));
      await add(ledger, 'shop', 1n, day(2));
      await set(ledger, 'owner', 1n, day(4));
      await remove(ledger, 'shop', day(6));
      await set(ledger, 'shop', 3n, day(8));
      expect(await shared(ledger, 'before', '2026-11-02T11:59:59.999999Z')).toEqual({});
      expect(await shared(ledger, 'first', day(2))).toEqual({ owner: 67, shop: 33 });
      expect(await shared(ledger, 'changed', day(4))).toEqual({ owner: 50, shop: 50 });
      expect(await shared(ledger, 'removed', day(6))).toEqual({ owner: 100 });
      expect(await shared(ledger, 'back', day(8))).toEqual({ owner: 25, shop: 75 });
      expect((await verifyLedger(ledger)).differences).toEqual([]);
    });

    test('of a machine goes to its own recipients, and to the general ones once it has none', async () => {
      const ledger = await withMachines(open);
      await add(ledger, 'owner', 1n);
      await add(ledger, 'local', 3n, day(2), 'm1');
      await set(ledger, 'owner', 1n, day(3), 'm1');
      await remove(ledger, 'local', day(5), 'm1');
      await remove(ledger, 'owner', day(6), 'm1');
      expect(await shared(ledger, 'a', day(2))).toEqual({ local: 100 });
      expect(await shared(ledger, 'b', day(2), 'm2')).toEqual({ owner: 100 });
      expect(await shared(ledger, 'c', day(3))).toEqual({ owner: 25, local: 75 });
      expect(await shared(ledger, 'd', day(5))).toEqual({ owner: 100 });
      expect(await shared(ledger, 'e', day(7))).toEqual({ owner: 100 });
      expect((await verifyLedger(ledger)).differences).toEqual([]);
    });

    test('of a machine that replaces another goes to the other’s recipients, except what was divided before', async () => {
      const ledger = await withMachines(open);
      await add(ledger, 'owner', 1n);
      await add(ledger, 'local', 1n, day(1), 'm1');
      expect(await shared(ledger, 'a', day(2), 'm2')).toEqual({ owner: 100 });
      await ledger.write((trx) => replaceMachine(trx, { ...who, at: day(9) }, 'm1', 'm2'));
      expect(await shared(ledger, 'b', '2026-11-09T12:00:00.000001Z', 'm2')).toEqual({ local: 100 });
      expect(await shared(ledger, 'c', day(3), 'm1')).toEqual({ local: 100 });
      expect((await verifyLedger(ledger)).differences).toEqual([]);
    });

    test('is listed with weights, shares and sats', async () => {
      const ledger = await withMachines(open);
      await add(ledger, 'owner', 2n);
      await add(ledger, 'shop', 1n);
      await add(ledger, 'local', 5n, day(1), 'm2');
      await shared(ledger, 'a', day(2));
      expect(await commissionRecipients(ledger.db, day(3))).toMatchObject([
        { name: 'local', weights: [{ machine: 'm2', weight: 5n, of: 5n }], waiting: 0n, received: 0n },
        { name: 'owner', weights: [{ machine: null, weight: 2n, of: 3n }], waiting: 67n, received: 0n },
        { name: 'shop', removed: false, weights: [{ machine: null, weight: 1n, of: 3n }], waiting: 33n },
      ]);
      expect(await remove(ledger, 'shop', day(3))).toMatchObject({
        removed: true,
        weights: [],
        waiting: 33n,
      });
    });
  });

  describe('a change of recipients', () => {
    test('is logged with its actor and the values before and after; a repetition changes nothing, a second removal is refused', async () => {
      const ledger = await withMachines(open);
      await add(ledger, 'owner', 2n);
      await set(ledger, 'owner', 3n, day(2));
      await set(ledger, 'owner', 3n, day(3));
      await remove(ledger, 'owner', day(4));
      await expect(remove(ledger, 'owner', day(5))).rejects.toThrow('owner was already removed');
      const log = await ledger.db
        .selectFrom('log')
        .selectAll()
        .where('subject', '=', 'commission owner')
        .orderBy('id')
        .execute();
      const actions = ['commission add', 'commission set', 'commission remove'];
      expect(log.map(({ action }) => action)).toEqual(actions);
      expect(log.every(({ actor }) => actor === 'dora')).toBe(true);
      expect(JSON.parse(log[1]?.before ?? '')).toMatchObject({ weights: [{ machine: null, weight: '2' }] });
      expect(JSON.parse(log[1]?.after ?? '')).toMatchObject({ weights: [{ machine: null, weight: '3' }] });
      expect(JSON.parse(log[2]?.after ?? '')).toMatchObject({ status: 'removed', weights: [] });
      const rows = await ledger.db.selectFrom('commission_weights').select('weight').orderBy('id').execute();
      expect(rows.map(({ weight }) => weight)).toEqual([2n, 3n, 0n]);
    });

    test('is refused where the name is taken, by a client as well', async () => {
      const ledger = await withMachines(open);
      await add(ledger, 'owner', 1n);
      await expect(add(ledger, 'owner', 1n)).rejects.toThrow('commission recipient "owner" already');
      await ledger.write((trx) =>
        addClient(
          trx,
          { ...who, at: day(1) },
          { name: 'alice', wallet: wallet('w-alice'), mode: 'flow', limits: [] },
        ),
      );
      await expect(add(ledger, 'alice', 1n)).rejects.toThrow('there is a client "alice" already');
    });

    test('is refused for the source wallet, and for the wallet of another recipient', async () => {
      const ledger = await withMachines(open);
      await ledger.db.updateTable('ledger').set({ source_wallet_id: 'w-source' }).execute();
      await expect(add(ledger, 'source', 1n)).rejects.toThrow('this is the source wallet');
      await add(ledger, 'owner', 1n);
      const again = { name: 'again', wallet: wallet('w-owner'), weight: 1n, machine: null };
      await expect(ledger.write((trx) => addCommission(trx, { ...who, at: day(1) }, again))).rejects.toThrow(
        'belongs to commission recipient owner',
      );
      // A client who also receives commission may use one wallet for both.
      await ledger.write((trx) =>
        addClient(
          trx,
          { ...who, at: day(1) },
          { name: 'alice', wallet: wallet('w-owner'), mode: 'flow', limits: [] },
        ),
      );
    });

    test('is refused where there is nothing to change', async () => {
      const ledger = await withMachines(open);
      await expect(set(ledger, 'nobody', 1n, day(2))).rejects.toThrow('no commission recipient "nobody"');
      await add(ledger, 'owner', 1n);
      await expect(remove(ledger, 'owner', day(2), 'm1')).rejects.toThrow('no weight of its own at m1');
      const key = { machine: null, wallet: wallet('another'), newWallet: false };
      await expect(
        ledger.write((trx) => setCommission(trx, { ...who, at: day(2) }, 'owner', key)),
      ).rejects.toThrow('key of another wallet');
    });
  });
});
