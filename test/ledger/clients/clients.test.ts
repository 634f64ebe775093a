import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import type { Mode } from '../../../src/dca/fill.ts';
import { ingest } from '../../../src/ledger/cash-outs/ingest.ts';
import { addClient, pauseClient, setClient } from '../../../src/ledger/clients/changes.ts';
import { clientsAt, findClient } from '../../../src/ledger/clients/clients.ts';
import { closeClient } from '../../../src/ledger/clients/close.ts';
import { viewsOf } from '../../../src/ledger/clients/view.ts';
import { addFunding, cancelFunding, withdrawFunding } from '../../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { pausePaying } from '../../../src/ledger/payouts/pause.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { type Instant, plus } from '../../../src/time.ts';
import { bootless, now } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const DAY_MS = 86_400_000;

/** A hint that names these operations, a line each. */
function steps(...calls: string[]): unknown {
  return expect.toSatisfy((hint) => `${hint}` === ['To clear it:', ...calls].join('\n  '));
}

function wallet(id: string) {
  return { id: `wallet-of-${id}`, key: new Secret(`key-of-${id}`) };
}

function add(ledger: Ledger, name: string, options: { mode?: Mode; limit?: bigint; max?: bigint } = {}) {
  const { mode = 'flow', limit, max } = options;
  const limits =
    limit === undefined
      ? []
      : [{ currency: 'GTQ', digits: 2, daily: limit, ...(max !== undefined && { max }) }];
  return ledger.write((trx) =>
    addClient(trx, { ...who, at: now() }, { name, wallet: wallet(name), mode, limits }),
  );
}

function fund(ledger: Ledger, client: string, minor: bigint, depositedAt: Instant | null = ago(DAY_MS)) {
  const amount = { minor, currency: 'GTQ', digits: 2 };
  return ledger.write((trx) =>
    addFunding(trx, { ...who, at: now() }, { client, amount, machine: null, rate: null, depositedAt }),
  );
}

/** A cash-out of `fiat` with one sat per minor unit and no commission. */
function cashOut(ledger: Ledger, id: string, fiat: bigint, confirmedAt: Instant) {
  return ledger.write((trx) =>
    ingest(
      trx,
      { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: now() },
      {
        id,
        source: 'lamassu',
        machine: 'm1',
        confirmedAt,
        currency: 'GTQ',
        digits: 2,
        fiat,
        distributed: fiat,
        commission: 0n,
        undelivered: 0n,
        method: 'ticker',
        lamassu: {},
      },
      {
        timezone: 'UTC',
        priority: 'shared',
        origin: 'lamassu',
      },
    ),
  );
}

/** Puts all that waits into one payout in `state`. */
async function payOut(ledger: Ledger, client: bigint, sats: bigint, state: 'planned' | 'held' | 'settled') {
  const at = now();
  const { id } = await ledger.db
    .insertInto('payouts')
    .values({
      recipient_id: client,
      kind: 'client',
      sats,
      fiat: sats,
      currency: 'GTQ',
      state,
      created_at: at,
      settled_at: state === 'settled' ? at : null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await ledger.db.updateTable('allocations').set({ payout_id: id }).where('payout_id', 'is', null).execute();
  return id;
}

function ago(ms: number): Instant {
  return plus(now(), -ms);
}

async function logOf(ledger: Ledger, subject: string) {
  return ledger.db
    .selectFrom('log')
    .select(['action', 'actor', 'before', 'after'])
    .where('subject', '=', subject)
    .orderBy('id')
    .execute();
}

forEachLedger((_kind, open) => {
  describe('adding', () => {
    test("a client's first settings hold for every cash-out, however early", async () => {
      const ledger = await open();
      await add(ledger, 'alice', { mode: 'fixed', limit: 50_000n, max: 80_000n });
      const [alice] = await clientsAt(ledger.db, '2001-01-01T00:00:00.000000Z');
      expect(alice).toMatchObject({
        mode: 'fixed',
        paused: false,
        status: 'active',
        limits: [{ currency: 'GTQ', digits: 2, daily: 50_000n, max: 80_000n }],
      });
    });

    test('who added it is in the log, the key is not', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      const log = await logOf(ledger, 'client alice');
      expect(log).toMatchObject([{ action: 'client add', actor: 'dora', before: null }]);
      expect(JSON.stringify(log)).not.toContain('key-of-alice');
    });

    test('refuses impossible settings, and writes nothing', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await ledger.db.updateTable('ledger').set({ source_wallet_id: 'wallet-of-source' }).execute();
      const refused = (name: string, of: string, mode: Mode, limits: { daily?: bigint; max?: bigint }[]) =>
        ledger.write((trx) =>
          addClient(
            trx,
            { ...who, at: now() },
            {
              name,
              wallet: wallet(of),
              mode,
              limits: limits.map((limit) => ({ currency: 'GTQ', digits: 2, ...limit })),
            },
          ),
        );
      await expect(refused('alice', 'b', 'flow', [])).rejects.toThrow('there is a client "alice" already');
      await expect(refused('bob', 'alice', 'flow', [])).rejects.toThrow('belongs to client alice');
      await expect(refused('bob', 'source', 'flow', [])).rejects.toThrow('this is the source wallet');
      await expect(refused('bob', 'bob', 'fixed', [])).rejects.toThrow('without a daily limit');
      await expect(refused('bob', 'bob', 'fixed', [{ daily: 2n, max: 1n }])).rejects.toThrow(
        '0.02 GTQ is more than the maximum of 0.01 GTQ',
      );
      await expect(refused('bob', 'bob', 'flow', [{ max: 1n }])).rejects.toThrow('no daily limit in GTQ');
      expect(await clientsAt(ledger.db, now())).toHaveLength(1);
      expect(await ledger.db.selectFrom('wallets').select('id').execute()).toEqual([
        { id: 'wallet-of-alice' },
      ]);
    });

    test('a closed client keeps its name and frees its wallet', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await ledger.write((trx) => closeClient(trx, { ...who, at: now() }, 'alice'));
      await expect(add(ledger, 'alice')).rejects.toThrow('there is a closed client "alice" already');
      const again = { name: 'alice2', wallet: wallet('alice'), mode: 'flow' as const, limits: [] };
      await ledger.write((trx) => addClient(trx, { ...who, at: now() }, again));
      expect(await findClient(ledger.db, 'alice2', now())).toMatchObject({ walletId: 'wallet-of-alice' });
    });
  });

  describe('changing', () => {
    test('holds from now on; cash-outs before keep what was in force', async () => {
      const ledger = await open();
      await add(ledger, 'bob', { mode: 'fixed', limit: 50_000n });
      const before = now();
      const change = {
        mode: 'flow' as const,
        limits: [{ currency: 'GTQ', digits: 2, daily: 60_000n }],
        newWallet: false,
      };
      await ledger.write((trx) => setClient(trx, { ...who, at: plus(before, 5) }, 'bob', change));
      const [then] = await clientsAt(ledger.db, before);
      const [later] = await clientsAt(ledger.db, plus(before, 5));
      expect(then).toMatchObject({ mode: 'fixed', limits: [{ daily: 50_000n }] });
      expect(later).toMatchObject({ mode: 'flow', limits: [{ daily: 60_000n }] });
      expect(await logOf(ledger, 'client bob')).toMatchObject([
        { action: 'client add' },
        { action: 'client set', actor: 'dora' },
      ]);
    });

    test('a limit above the maximum is refused; a raised maximum lets it through', async () => {
      const ledger = await open();
      await add(ledger, 'bob', { mode: 'fixed', limit: 50_000n, max: 80_000n });
      const limit = (daily: bigint, max?: bigint) => ({
        limits: [{ currency: 'GTQ', digits: 2, daily, ...(max !== undefined && { max }) }],
        newWallet: false,
      });
      const set = (daily: bigint, max?: bigint) =>
        ledger.write((trx) => setClient(trx, { ...who, at: now() }, 'bob', limit(daily, max)));
      await expect(set(90_000n)).rejects.toThrow('900.00 GTQ is more than the maximum of 800.00 GTQ');
      expect(await set(90_000n, 100_000n)).toMatchObject({ limits: [{ daily: 90_000n, max: 100_000n }] });
    });

    test('to fixed needs a limit in every currency in which there is cash', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await fund(ledger, 'alice', 10_000n);
      const set = (currency: string) =>
        ledger.write((trx) =>
          setClient(trx, { ...who, at: now() }, 'alice', {
            mode: 'fixed',
            limits: [{ currency, digits: 2, daily: 5_000n }],
            newWallet: false,
          }),
        );
      await expect(set('USD')).rejects.toThrow('without a daily limit in GTQ, and f1 is cash in it');
      expect(await findClient(ledger.db, 'alice', now())).toMatchObject({ mode: 'flow', limits: [] });
      expect(await set('GTQ')).toMatchObject({ mode: 'fixed' });
    });

    test('a new key of the same wallet replaces the old one; another wallet needs newWallet', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      const set = (id: string, key: string, newWallet: boolean) =>
        ledger.write((trx) =>
          setClient(trx, { ...who, at: now() }, 'alice', {
            limits: [],
            wallet: { id: `wallet-of-${id}`, key: new Secret(key) },
            newWallet,
          }),
        );
      await set('alice', 'second-key', false);
      await expect(set('other', 'third-key', false)).rejects.toThrow('the key of another wallet');
      expect(await set('other', 'third-key', true)).toMatchObject({ walletId: 'wallet-of-other' });
      expect(
        await ledger.db.selectFrom('wallets').select(['id', 'invoice_key']).orderBy('id').execute(),
      ).toEqual([
        { id: 'wallet-of-alice', invoice_key: 'second-key' },
        { id: 'wallet-of-other', invoice_key: 'third-key' },
      ]);
      expect(JSON.stringify(await logOf(ledger, 'client alice'))).not.toContain('-key"');
    });

    test('a paused client takes no share of what is confirmed meanwhile', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await fund(ledger, 'alice', 10_000n);
      const start = ago(3_000);
      await ledger.write((trx) => pauseClient(trx, { ...who, at: plus(start, 1_000) }, 'alice', true));
      await ledger.write((trx) => pauseClient(trx, { ...who, at: plus(start, 2_000) }, 'alice', false));
      const shares = [];
      for (const [id, ms] of [
        ['before', 500],
        ['meanwhile', 1_500],
        ['after', 2_500],
      ] as const) {
        const division = await cashOut(ledger, id, 100n, plus(start, ms));
        shares.push(division?.allocations.length);
      }
      expect(shares).toEqual([1, 0, 1]);
    });

    test('pausing twice changes nothing the second time', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      for (const _ of [1, 2])
        await ledger.write((trx) => pauseClient(trx, { ...who, at: now() }, 'alice', true));
      expect(await logOf(ledger, 'client alice')).toHaveLength(2);
    });
  });

  describe('closing', () => {
    test('is refused while there is cash, and prints the commands that clear it', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await fund(ledger, 'alice', 10_000n);
      await fund(ledger, 'alice', 20_000n, null);
      const close = () => ledger.write((trx) => closeClient(trx, { ...who, at: now() }, 'alice'));
      await expect(close()).rejects.toMatchObject({
        code: 'usage/invalid',
        message: expect.stringContaining('f1 (deposited), f2 (in flight)'),
        hint: steps(
          'fundings.withdraw(id: f1, reason: …)',
          'fundings.cancel(id: f2)',
          'clients.close(name: alice)',
        ),
      });
      await ledger.write((trx) => withdrawFunding(trx, { ...who, at: now(), reason: 'closing' }, 1n, null));
      await ledger.write((trx) => cancelFunding(trx, { ...who, at: now() }, 2n));
      expect(await close()).toMatchObject({ status: 'closed' });
    });

    test('is refused until what is owed is settled, with what clears it, and changes nothing', async () => {
      const ledger = await open();
      const alice = await add(ledger, 'alice');
      await fund(ledger, 'alice', 100n);
      await cashOut(ledger, 'one', 100n, ago(1_000));
      const close = () => ledger.write((trx) => closeClient(trx, { ...who, at: now() }, 'alice'));
      await fund(ledger, 'alice', 100n, null);
      await expect(close()).rejects.toMatchObject({
        code: 'usage/invalid',
        message: 'name: alice still has cash: f2 (in flight); and is owed 100 sat that are not settled yet.',
        hint: steps('fundings.cancel(id: f2)', 'poll', 'clients.close(name: alice)'),
      });
      await ledger.write((trx) => cancelFunding(trx, { ...who, at: now() }, 2n));
      await ledger.write((trx) => pausePaying(trx, { ...who, at: now(), reason: 'odd' }));
      await expect(close()).rejects.toMatchObject({
        message: 'name: alice is owed 100 sat that are not settled yet.',
        hint: steps('payouts.resume', 'poll', 'clients.close(name: alice)'),
      });

      const id = await payOut(ledger, alice.id, 100n, 'held');
      await expect(close()).rejects.toMatchObject({
        hint: steps(`payouts.show(id: p${id})`, 'clients.close(name: alice)'),
      });
      expect((await findClient(ledger.db, 'alice', now())).status).toBe('active');
      await ledger.db.updateTable('payouts').set({ state: 'settled', settled_at: now() }).execute();
      expect(await close()).toMatchObject({ status: 'closed' });
      expect((await logOf(ledger, 'client alice')).map((row) => row.action)).toEqual([
        'client add',
        'client close',
      ]);
    });

    test('is final; one that an older version began can be taken back', async () => {
      const ledger = await open();
      await add(ledger, 'alice');
      await fund(ledger, 'alice', 100n);
      await ledger.db.updateTable('recipients').set({ status: 'closing' }).execute();
      await expect(fund(ledger, 'alice', 100n)).rejects.toThrow('alice is closing');
      const resume = () => ledger.write((trx) => pauseClient(trx, { ...who, at: now() }, 'alice', false));
      expect(await resume()).toMatchObject({ status: 'active' });
      await ledger.db.updateTable('recipients').set({ status: 'closed' }).execute();
      await expect(resume()).rejects.toThrow('alice is closed');
    });
  });

  test('metrics count settled sats, and list waiting ones separately', async () => {
    const ledger = await open();
    const alice = await add(ledger, 'alice');
    await add(ledger, 'bob');
    await fund(ledger, 'alice', 100_000n);
    await fund(ledger, 'alice', 7_000n, null);
    await cashOut(ledger, 'one', 20_000n, ago(3_000));
    await cashOut(ledger, 'two', 30_000n, ago(2_000));
    await payOut(ledger, alice.id, 50_000n, 'settled');
    await cashOut(ledger, 'three', 10_000n, ago(1_000));
    await payOut(ledger, alice.id, 10_000n, 'planned');
    await cashOut(ledger, 'four', 5_000n, ago(500));

    const views = await viewsOf(ledger.db, await clientsAt(ledger.db, now()));
    expect(views).toMatchObject([
      {
        client: { name: 'alice' },
        currencies: [
          {
            currency: 'GTQ',
            inFlight: 7_000n,
            remaining: 35_000n,
            spent: 65_000n,
            // 500.00 GTQ for 50,000 sat: 1,000,000.00 GTQ per BTC, 100.00 sat per GTQ.
            metrics: {
              satsStacked: 50_000n,
              fiatSpent: 50_000n,
              averageRate: 100_000_000n,
              satsPerUnit: 10_000n,
            },
            purchases: 2,
            waitingSats: 15_000n,
            waitingFiat: 15_000n,
          },
        ],
      },
      { client: { name: 'bob' }, currencies: [] },
    ]);
    const [first, last] = [views[0]?.currencies[0]?.firstAt, views[0]?.currencies[0]?.lastAt];
    expect(first && last && first < last).toBe(true);
  });
});
