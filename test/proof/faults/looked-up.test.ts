import { describe, expect, test, vi } from 'vitest';
import { audit } from '../../support/auditor.ts';
import type { Ran } from '../../support/command.ts';
import { lnbitsVersions } from '../../support/lnbits.ts';
import { startWorld, type World, type WorldOptions } from '../../support/world.ts';

/*
 * Somebody else's look-up of an invoice while it is paid, at the moments that hurt. LNbits 1.6 marks an unpaid invoice
 * as failed for whoever asks for its hash, LNbits 1.0 for whoever lists the payments of the client's wallet; and what
 * became of it between its reading and its writing, it writes over.
 */

interface Polled {
  payouts: { settled: number; unknown: number; held: number };
}
type Payout = { id: string; state: string; reason: string | null };

describe.concurrent.each(lnbitsVersions)('LNbits %s', (lnbitsVersion) => {
  test('an invoice that is marked between the check and the debit is paid once', async () => {
    await using stack = new AsyncDisposableStack();
    const world = await alicesWorld({ lnbitsVersion }, stack);
    const lookup = lookUp(world);
    lookup.whilePaid = async () => {
      await lookup.begin();
      await lookup.end();
      expect(lookup.clientShows()).toBe('failed');
    };
    const ran = await world.must(['poll', '--json']);
    expect(ran.json<Polled>().payouts).toMatchObject({ settled: 1, unknown: 0, held: 0 });
    expect((await audit(world)).violations).toEqual([]);
  });

  test('one that was paid, and is marked as failed before LNbits says so, is held and not paid again', async () => {
    await using stack = new AsyncDisposableStack();
    const world = await alicesWorld({ lnbitsVersion }, stack);
    const lookup = lookUp(world);
    lookup.whilePaid = () => lookup.begin();
    lookup.whenPaid = () => lookup.end();
    const held = [{ id: 'p1', state: 'held', reason: "debited, not credited: the client's side is failed" }];
    // The first run says so, the next leaves it alone.
    for (const code of [2, 0]) {
      const ran = await world.aioDca(['poll', '--json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(code);
      expect(await payouts(world)).toMatchObject(held);
      expect(debits(world)).toEqual([lookup.hash]);
    }
    await paidAgain(world, lookup.hash);
  });

  test('one that is marked as failed after the bridge saw it paid is found by reconciling', async () => {
    await using stack = new AsyncDisposableStack();
    const world = await alicesWorld({ lnbitsVersion }, stack);
    const lookup = lookUp(world);
    lookup.whilePaid = () => lookup.begin();
    const ran = await world.must(['poll', '--json']);
    await lookup.end();
    expect(ran.json<Polled>().payouts).toMatchObject({ settled: 1, held: 0 });
    const { code, json } = await world.aioDca(['reconcile', '--json']);
    expect(code).toBe(2);
    expect(codesOf(json)).toContain('payment/not-credited');
    await world.must(['payouts', 'hold', 'p1', '--reason', 'LNbits does not show it', '--yes']);
    await paidAgain(world, lookup.hash);
  });
});

/** The operator says that the credit is missing; the next run pays once more, and never again. */
async function paidAgain(world: World, lost: string): Promise<void> {
  // Nothing is said of a payment until its quiet time is over.
  const word = ['payouts', 'resolve', 'p1', '--not-paid', '--reason', 'never credited', '--yes'];
  const said = await vi.waitUntil(
    async () => {
      const ran = await world.aioDca(word);
      return ran.stderr.includes('payout/under-way') ? null : ran;
    },
    { timeout: 30_000 },
  );
  expect(said.code, said.stderr).toBe(0);
  await world.must(['poll', '--json']);
  expect(await payouts(world)).toMatchObject([{ id: 'p1', state: 'settled' }]);
  expect(debits(world)).toHaveLength(2);
  expect((await audit(world, { lostByLnbits: [lost] })).violations).toEqual([]);
}

async function alicesWorld(options: WorldOptions, stack: AsyncDisposableStack): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', ...options });
  stack.defer(() => world.stop());
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '60000 GTQ');
  await world.insertCashOut();
  return world;
}

/**
 * One look-up of the first payment of alice's; it has read the invoice when it has begun, and written it when it ends.
 */
interface LookUp {
  hash: string;
  /** When LNbits found that it may pay; and when it has paid, before it says so. */
  whilePaid(): Promise<void>;
  whenPaid(): Promise<void>;
  begin(): Promise<void>;
  end(): Promise<void>;
  clientShows(): string | undefined;
}

function lookUp(world: World): LookUp {
  const lnbits = world.simulator();
  const alice = world.wallets.get('alice');
  if (!alice) throw new Error('no alice');
  const read = Promise.withResolvers<void>();
  const write = Promise.withResolvers<void>();
  let answered: Promise<unknown> = Promise.resolve();
  const lookup: LookUp = {
    hash: '',
    whilePaid: async () => {},
    whenPaid: async () => {},
    begin: async () => {
      const payments = `${lnbits.url}/api/v1/payments`;
      answered =
        lnbits.version === '1.0.0'
          ? fetch(`${payments}/paginated?limit=20`, { headers: { 'X-Api-Key': alice.inkey } })
          : fetch(`${payments}/${lookup.hash}`);
      await read.promise;
    },
    end: async () => {
      write.resolve();
      await answered;
    },
    clientShows: () =>
      lnbits.payments(alice.id).find(({ payment_hash }) => payment_hash === lookup.hash)?.status,
  };
  lnbits.onRequest = async ({ kind, hash, walletId }, phase) => {
    if (kind === 'pay' && phase === 'checked' && lookup.hash === '') {
      lookup.hash = hash ?? '';
      await lookup.whilePaid();
    } else if (kind === 'pay' && phase === 'after' && hash === lookup.hash) {
      await lookup.whenPaid();
    } else if (kind !== 'pay' && phase === 'between' && walletId !== world.source.id) {
      // Not the run's own look at the source wallet, which marks the claims of runs there on LNbits 1.0.
      read.resolve();
      await write.promise;
    }
  };
  return lookup;
}

async function payouts(world: World): Promise<Payout[]> {
  return (await world.must(['payouts', 'list', '--json'])).json<Payout[]>();
}

/** The hashes of what left the source wallet. */
function debits(world: World): string[] {
  const rows = world.simulator().payments(world.source.id);
  return rows
    .filter(({ amount, status }) => amount < 0 && status !== 'failed')
    .map(({ payment_hash }) => payment_hash);
}

function codesOf(json: Ran['json']): string[] {
  return json<{ differences: { code: string }[] }>().differences.map(({ code }) => code);
}
