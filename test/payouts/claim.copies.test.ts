import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { errorInWords } from '../../src/cli/terminal/words.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { payAll } from '../../src/payouts/pay.ts';
import { openSourceWallet } from '../../src/payouts/session.ts';
import { systemClock } from '../../src/time.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { copyOf } from '../support/ledger-copy.ts';
import type { LnbitsVersion } from '../support/lnbits.ts';
import { oweTwo, type Payday, payday } from '../support/payday.ts';

/* Two copies of one ledger, both in use: nothing is paid twice, and one of them notices the other. */

let day: Payday;
let clock: TestClock;
beforeEach(() => {
  clock = testClock();
});
/** How often a run waited for what an earlier one may still send. */
const waits = () => clock.waits.filter((ms) => ms > 10_000).length;
afterEach(async () => {
  expect((await verifyLedger(day.ledger)).differences).toEqual([]);
  await day.stop();
});

const begin = async (version: LnbitsVersion) => {
  day = await payday({ version, clock });
  return oweTwo(day);
};
const copied = async () => {
  const copy = await copyOf(day);
  onTestFinished(() => copy.stop());
  return copy;
};
const codes = ({ problems }: { problems: { code: string }[] }) => problems.map(({ code }) => code);
/** The claims that the source wallet shows, oldest first. */
const claims = () =>
  day.lnbits
    .payments(day.source.id)
    .filter(({ tag }) => tag === 'aio-dca-run')
    .map(({ extra }) => extra);

/** LNbits gets each request for a claim of this host twice; `before` the first of them something else happens. */
function claimsArriveTwice(before = async () => {}): void {
  const seen = new Set<unknown>();
  let begun = false;
  let ready = false;
  day.lnbits.onRequest = async ({ kind, walletId }, phase) => {
    if (kind !== 'invoice' || walletId !== day.source.id) return;
    if (phase === 'before' && !begun) {
      begun = true;
      await before();
      ready = true;
    }
    const extra = claims().at(-1);
    if (!ready || phase !== 'after' || extra?.withdrawn !== false || seen.has(extra.nonce)) return;
    seen.add(extra.nonce);
    const answer = await fetch(`${day.lnbits.url}/api/v1/payments`, {
      method: 'POST',
      headers: { 'X-Api-Key': day.source.adminkey, 'content-type': 'application/json' },
      body: JSON.stringify({ out: false, unit: 'sat', amount: 1, memo: 'the same', extra }),
    });
    expect(answer.ok).toBe(true);
  };
}

describe.each(['1.0.0', '1.6.2'] as LnbitsVersion[])('at LNbits %s', (version) => {
  test('the copy that pays later is refused, pays nothing and disturbs nobody; the other one goes on', async () => {
    const { balances } = await begin(version);
    const copy = await copied();
    expect(await day.payNow()).toMatchObject({ settled: 2, problems: [] });
    const refused = await copy.payNow();
    const told = refused.problems.map((one) => ({ ...errorInWords(one), code: one.code, kind: one.kind }));
    expect(told).toMatchObject([
      {
        ...{ code: 'ledger/in-use-elsewhere', kind: 'misconfigured' },
        message: expect.stringMatching(
          /^another copy of this ledger is in use: run r1 on \S+ \(sqlite:\S+\), at /,
        ),
        hint: expect.stringContaining('ledger recover'),
      },
    ]);
    expect(claims()).toHaveLength(1);
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(codes(await copy.payNow())).toEqual(['ledger/in-use-elsewhere']);
    expect(balances()).toEqual([1010n, 2000n]);
  });

  test('a claim counts however old it is, and whatever the clocks of the hosts say', async () => {
    const { balances } = await begin(version);
    const copy = await copied();
    await day.payNow();
    for (const hours of [-48, 48, 24 * 400]) {
      clock.ahead = hours * 3_600_000;
      expect(codes(await copy.payNow())).toEqual(['ledger/in-use-elsewhere']);
    }
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('if both claim before either checks, both are refused; claims that they took back stop nobody', async () => {
    const { balances } = await begin(version);
    const copy = await copied();
    let both = Promise.withResolvers<void>();
    let made = 0;
    day.lnbits.onRequest = async ({ kind, walletId }, phase) => {
      if (kind !== 'invoice' || walletId !== day.source.id || phase !== 'after' || made === 2) return;
      made += 1;
      if (made === 2) both.resolve();
      await both.promise;
    };
    const [a, b] = await Promise.all([day.payNow(), copy.payNow()]);
    expect([codes(a), codes(b)]).toEqual([['ledger/in-use-elsewhere'], ['ledger/in-use-elsewhere']]);
    expect(claims().map(({ withdrawn }) => withdrawn)).toEqual([false, false, true, true]);
    both = Promise.withResolvers();
    expect(await day.payNow()).toMatchObject({ settled: 2, problems: [] });
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('a claim whose request arrived twice is waited for, once, and stops nobody', async () => {
    const { balances } = await begin(version);
    claimsArriveTwice();
    for (const [times, paid] of [
      [1, 2],
      [1, 1],
    ]) {
      clock.waits = [];
      expect(await day.payNow()).toMatchObject({ settled: paid, problems: [] });
      expect(waits()).toBe(times);
      await day.owe('alice', 1n);
    }
    day.lnbits.onRequest = undefined;
    clock.waits = [];
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(waits()).toBe(0);
    expect(balances()).toEqual([1002n, 2000n]);
  });

  test('a claim that is there twice is not taken back: a copied host may be paying by it', async () => {
    const { balances } = await begin(version);
    await day.payNow();
    await day.owe('alice', 1n);
    const copy = await copied();
    let other: object | undefined;
    claimsArriveTwice(async () => {
      other = await copy.payNow();
    });
    expect(codes(await day.payNow())).toEqual(['ledger/in-use-elsewhere']);
    expect(other).toMatchObject({ settled: 1, problems: [] });
    const [, , doubled, same, ...later] = claims();
    expect(same?.nonce).toBe(doubled?.nonce);
    expect(later.filter(({ withdrawn }) => withdrawn).map(({ nonce }) => nonce)).toEqual([later[0]?.nonce]);
    expect(balances()).toEqual([1001n, 2000n]);
  });

  test('a copy that was made in the middle of a run waits, and pays nothing that the other one paid meanwhile', async () => {
    const { balances } = await begin(version);
    let copy: Awaited<ReturnType<typeof copied>> | undefined;
    day.lnbits.onRequest = async ({ kind }, phase) => {
      if (kind === 'invoice' && phase === 'before' && claims().length > 0) copy ??= await copied();
    };
    await day.payNow();
    day.lnbits.onRequest = undefined;
    // It knows the claim of that run, but not its outcome; the claim says where it was made.
    const { problems } = (await copy?.payNow()) ?? { problems: [] };
    expect(problems).toMatchObject([
      {
        code: 'ledger/in-use-elsewhere',
        message: expect.stringMatching(
          /^another copy of this ledger is in use: run r1 on \S+ \(sqlite:\S+\), at \S+, made payment [0-9a-f]{64} of this ledger \(p2 for bob\), and/,
        ),
      },
    ]);
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('a run that was killed on this host is followed at once; one that may live elsewhere is waited for, once', async () => {
    const { balances } = await begin(version);
    const killed = async (owner: object) => {
      await day.ledger.db
        .updateTable('claims')
        .set({ over: 0n })
        .where('run_id', '=', await latest())
        .execute();
      const held = { ...JSON.parse(thisProcess), ...owner };
      await day.ledger.db
        .insertInto('lease')
        .values({ one: 1n, run_id: await latest(), owner: JSON.stringify(held), expires_at: PAST })
        .execute();
    };
    let thisProcess = '';
    day.lnbits.onRequest = async () => {
      const { owner } = await day.ledger.db.selectFrom('lease').select('owner').executeTakeFirstOrThrow();
      thisProcess = owner;
    };
    const latest = async () =>
      (await day.ledger.db.selectFrom('runs').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow())
        .id;
    await day.payNow();
    await killed({ pid: 2 ** 22 + 1 });
    await day.owe('alice', 1n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(waits()).toBe(0);
    for (const owner of [
      { boot: 'another' },
      { pid: 2 ** 22 + 1, ledger: 'sqlite:/where/it/was/copied/from' },
    ]) {
      await killed(owner);
      for (const times of [1, 0]) {
        clock.waits = [];
        await day.owe('alice', 1n);
        expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
        expect(waits()).toBe(times);
      }
    }
    expect(balances()).toEqual([1005n, 2000n]);
  });

  test('a run that goes on for long notices a copy that comes into use meanwhile, and pays nothing more', async () => {
    const { balances } = await begin(version);
    let copy: Awaited<ReturnType<typeof copied>> | undefined;
    let other: object | undefined;
    day.lnbits.onRequest = async ({ kind }, phase) => {
      // Alice is paid; the invoice for bob is being made.
      if (kind !== 'invoice' || phase !== 'before' || balances()[0] === 0n || copy) return;
      copy = await copied();
      other = await copy.payNow();
      clock.ahead += 6_000;
    };
    expect(codes(await day.payNow())).toEqual(['ledger/in-use-elsewhere']);
    expect(other).toMatchObject({ settled: 1, problems: [] });
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('a host that is restored to a moment of its run, with its memory, pays nothing again', async () => {
    const { balances } = await begin(version);
    let snapshot: Awaited<ReturnType<typeof copied>> | undefined;
    day.lnbits.onRequest = async ({ kind, walletId }, phase) => {
      if (kind === 'invoice' && phase === 'before' && walletId !== day.source.id) snapshot ??= await copied();
    };
    await day.payNow();
    if (!snapshot) throw new Error('there was no such moment');
    // It goes on under its own claim, which it checked a moment ago by its clocks, and an hour ago by LNbits'.
    const { ledger } = snapshot;
    await ledger.db.updateTable('lease').set({ expires_at: PAST }).execute();
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
    const opened = await openSourceWallet(day.config.lnbits, day.config.lnbits.sourceWalletKey, systemClock);
    const { nonce } = await ledger.db.selectFrom('claims').select('nonce').executeTakeFirstOrThrow();
    const monotonic = performance.now();
    const looked = { monotonic, date: Date.now(), lnbits: opened.lnbits.clock - 3_600_000 };
    await expect(
      payAll({
        ...{ ...opened, ledger, run, ceiling: null, signal: new AbortController().signal },
        ...{
          claim: { nonce, walletId: day.source.id, checked: looked },
          quietMs: 1,
          maximumSats: 1_000_000n,
          began: monotonic,
          posted: new Map(),
        },
        ...{ answered: new Set(), problems: new Map() },
      }),
    ).rejects.toMatchObject({ code: 'ledger/restored' });
    await opened.lnbits.close();
    await run.finish('ok', null);
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('if it was suspended right before it could send, it checks again before it sends', async () => {
    await begin(version);
    const write = day.ledger.write.bind(day.ledger);
    let before = 0;
    day.ledger.write = async (work) => {
      const done = await write(work);
      const [sending] = await day.ledger.db
        .selectFrom('payments')
        .select('id')
        .where('state', '=', 'sending')
        .execute();
      if (sending && clock.ahead === 0) {
        clock.ahead = 11_000;
        before = day.lnbits.requests.length;
      }
      return done;
    };
    await day.payNow();
    expect(clock.ahead).toBe(11_000);
    const after = day.lnbits.requests.slice(before);
    const looked = after.findIndex(({ query }) => query.get('tag') === 'aio-dca-run');
    expect(looked).not.toBe(-1);
    expect(after.slice(0, looked).map(({ kind }) => kind)).not.toContain('pay');
  });
});

const PAST = '2026-01-01T00:00:00.000000Z';
