import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { audit } from '../../support/auditor.ts';
import { finish } from '../../support/kill.ts';
import { type LnbitsVersion, lnbitsVersions } from '../../support/lnbits.ts';
import { type ProxiedLnbits, proxied } from '../../support/lnbits-proxy.ts';
import { lnbitsAvailable, type RealLnbits, startLnbits } from '../../support/lnbits-real.ts';
import { startWorld, type World } from '../../support/world.ts';
import { long } from '../seed.ts';

/*
 * What others do to a real LNbits while the bridge pays, and older copies that are put back. One installation for each
 * version; each test leaves it as one from which the next may begin.
 */

vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });

interface Place {
  world: World;
  lnbits: ProxiedLnbits;
  real: RealLnbits;
}
const places = new Map<LnbitsVersion, Place>();
const place = (version: LnbitsVersion): Place => {
  const found = places.get(version);
  if (!found) throw new Error(`LNbits ${version} did not start`);
  return found;
};
const installed = lnbitsVersions.filter((version) => lnbitsAvailable(version));
for (const version of lnbitsVersions)
  if (!installed.includes(version)) process.stdout.write(`skipped: LNbits ${version} is not installed\n`);
const of = installed.length > 0 ? installed : (['1.6.2'] as const);
/** On all versions at once; what follows begins when it is over. */
const onEach = (title: string, what: (version: LnbitsVersion) => Promise<void>) =>
  describe(title, () => {
    test.skipIf(installed.length === 0).concurrent.each(of)('LNbits %s', what);
  });

beforeAll(async () => {
  await Promise.all(
    installed.map(async (version) => {
      const real = await startLnbits({ version });
      const lnbits = await proxied(real);
      const world = await startWorld({ tunnel: 'direct', lnbits });
      places.set(version, { world, lnbits, real });
      await world.must(['migrate']);
      for (const name of ['alice', 'bob']) {
        await world.addClient(name);
        await world.addFunding(name, '400000 GTQ');
      }
    }),
  );
});
afterAll(async () => {
  for (const { world } of places.values()) await world.stop();
});

interface Polled {
  problems: { code: string }[];
  payouts: { settled: number; unknown: number; held: number };
}

/** Which part of a payout was debited how often. */
async function debits({ world, real }: Place): Promise<Map<string, number>> {
  const url = `${real.url}/api/v1/payments/paginated?tag=aio-dca&limit=1000`;
  const answer = await fetch(url, { headers: { 'X-Api-Key': world.source.adminkey } });
  const { data } = (await answer.json()) as {
    data: { amount: number; status: string; extra: { payout: string; part: number } }[];
  };
  const paid = data.filter(({ amount, status }) => amount < 0 && status !== 'failed');
  const counts = new Map<string, number>();
  for (const { extra } of paid) {
    const part = `${extra.payout}/${extra.part}`;
    counts.set(part, (counts.get(part) ?? 0) + 1);
  }
  return counts;
}

onEach('somebody looks up the hash of each payment while it is paid', async (version) => {
  const { world, lnbits, real } = place(version);
  const rounds = long ? 60 : 3;
  const ends = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    await world.insertCashOut();
    const lookups: Promise<unknown>[] = [];
    lnbits.onRequest = ({ kind, hash }, phase) => {
      if (kind !== 'pay' || phase !== 'before' || hash === null) return;
      // LNbits marks an unpaid invoice as failed by this, for anybody who knows the hash.
      for (let n = 0; n < 4; n += 1)
        lookups.push(fetch(`${real.url}/api/v1/payments/${hash}`).catch(() => undefined));
    };
    const ran = await world.aioDca(['poll', '--json']);
    lnbits.onRequest = undefined;
    await Promise.all(lookups);
    expect([0, 2, 75], ran.stdout + ran.stderr).toContain(ran.code);
  }
  await world.aioDca(['poll', '--json']);
  const payouts = (await world.must(['payouts', 'list', '--json'])).json<
    { id: string; state: string; reason: string }[]
  >();
  for (const { state } of payouts) ends.set(state, (ends.get(state) ?? 0) + 1);
  process.stdout.write(
    `LNbits ${version}, looked up while paid: ${[...ends].map(([state, n]) => `${state} ${n}`).join(', ')}\n`,
  );
  // LNbits may debit and then not credit; that is before a person, with its reason, and is not paid again.
  expect(payouts.filter(({ state }) => state !== 'settled' && state !== 'held')).toEqual([]);
  for (const { reason } of payouts.filter(({ state }) => state === 'held'))
    expect(reason).toMatch(/^debited, not credited/);
  const { violations } = await audit(world);
  expect(violations.filter(({ kind }) => kind === 'twice')).toEqual([]);
  expect([...(await debits(place(version))).values()].filter((times) => times > 1)).toEqual([]);
  // What LNbits did not credit is given by hand, as an operator would, so that the books of the next tests are exact.
  for (const { id } of payouts.filter(({ state }) => state === 'held'))
    await world.must(['payouts', 'resolve', id, '--not-paid', '--reason', 'never credited', '--yes']);
  await world.aioDca(['poll', '--json']);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
});

onEach('a payment that it does after the client gave up', async (version) => {
  const { world, lnbits } = place(version);
  await world.insertCashOut();
  // Longer than the bridge waits for the answer, as the default of a minute is.
  const config = join(world.folder, 'patient.toml');
  await writeFile(
    config,
    (await readFile(world.configFile, 'utf8')).replace('quiet = "1 s"', 'quiet = "34 s"'),
    {
      mode: 0o600,
    },
  );
  let slow: string | null = null;
  const asked = Promise.withResolvers<void>();
  lnbits.onRequest = async ({ kind, hash }, phase) => {
    if (slow === null && kind === 'pay' && phase === 'before') {
      slow = hash;
      await asked.promise;
    } else if (hash === slow && kind === 'find' && phase === 'after') asked.resolve();
  };
  const begun = performance.now();
  const ran = await world.aioDca(['poll', '--json', '--config', config]);
  lnbits.onRequest = undefined;
  const seconds = (performance.now() - begun) / 1_000;
  expect(seconds).toBeGreaterThan(30);
  expect(seconds).toBeLessThan(100);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.json<Polled>().payouts).toMatchObject({ settled: 2, unknown: 0, held: 0 });
  expect([...(await debits(place(version))).values()].filter((times) => times > 1)).toEqual([]);
});

onEach('keys that are reset between invoice and payment', async (version) => {
  const { world, lnbits } = place(version);
  await world.insertCashOut();
  const alice = world.wallets.get('alice');
  if (!alice) throw new Error('no alice');
  let fresh = alice;
  let reset = false;
  lnbits.onRequest = async ({ kind }, phase) => {
    if (reset || kind !== 'pay' || phase !== 'before') return;
    reset = true;
    fresh = await lnbits.resetKeys(alice.id);
  };
  const ran = await world.aioDca(['poll', '--json']);
  lnbits.onRequest = undefined;
  expect(ran.code, ran.stdout + ran.stderr).toBe(2);
  expect(ran.json<Polled>().payouts).toMatchObject({ settled: 1, held: 1 });
  const file = join(world.folder, 'fresh.invoicekey');
  await writeFile(file, fresh.inkey, { mode: 0o600 });
  await world.must(['clients', 'set', 'alice', '--wallet-key-file', file]);
  const held = (await world.must(['payouts', 'list', '--state', 'held', '--json'])).json<{ id: string }[]>();
  for (const { id } of held) await world.must(['payouts', 'release', id]);
  world.wallets.set('alice', fresh);
  expect((await world.must(['poll', '--json'])).json<Polled>().payouts).toMatchObject({
    settled: 1,
    held: 0,
  });
  expect([...(await debits(place(version))).values()].filter((times) => times > 1)).toEqual([]);
});

onEach('an older copy of the ledger is put back', async (version) => {
  const { world } = place(version);
  const copy = join(world.folder, 'older.sqlite');
  await world.must(['backup', copy]);
  await world.insertCashOut();
  await world.must(['poll', '--json']);
  const file = world.ledgerUrl.slice('sqlite:'.length);
  for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
  await copyFile(copy, file);
  await world.insertCashOut();
  const refused = await world.aioDca(['poll', '--json']);
  expect(refused.code).toBe(78);
  expect(refused.json<Polled>().problems.map(({ code }) => code)).toContain('ledger/restored');
  await world.must(['ledger', 'recover', '--json', '--yes']);
  expect(await finish(world)).toEqual([]);
});

onEach('a wallet that is deleted between invoice and payment', async (version) => {
  const { world, lnbits } = place(version);
  const carol = await world.addClient('carol');
  const funding = await world.addFunding('carol', '5000 GTQ');
  await world.insertCashOut();
  let deleted = false;
  lnbits.onRequest = async ({ kind, payee }, phase) => {
    if (deleted || kind !== 'pay' || phase !== 'before' || payee !== carol.inkey) return;
    deleted = true;
    await lnbits.deleteWallet(carol.id);
  };
  const ran = await world.aioDca(['poll', '--json']);
  lnbits.onRequest = undefined;
  expect(deleted).toBe(true);
  expect(ran.code, ran.stdout + ran.stderr).toBe(2);
  expect(ran.json<Polled>().payouts).toMatchObject({ settled: 2, held: 1 });
  // LNbits debits and credits a wallet that nobody can look into any more: a person decides, and nothing is paid again.
  const [held, ...others] = (await world.must(['payouts', 'list', '--state', 'held', '--json'])).json<
    { id: string; recipient: string; reason: string }[]
  >();
  expect(held).toMatchObject({
    recipient: 'carol',
    reason: "the client's wallet does not answer to its key any more",
  });
  expect(others).toEqual([]);
  const before = await debits(place(version));
  expect(before.get(`${held?.id}/1`)).toBe(1);
  await world.must(['poll']);
  expect(await debits(place(version))).toEqual(before);
  // Reconciliation goes on without the wallet and names it; below LNbits 1.4 it waits until nothing is open.
  const open = await world.aioDca(['reconcile', '--json']);
  expect(open.code, open.stdout + open.stderr).toBe(version === '1.0.0' ? 75 : 2);
  await world.must([
    ...['payouts', 'resolve', held?.id ?? '', '--paid', '--yes'],
    ...['--reason', 'LNbits shows it in the wallet that was deleted'],
  ]);
  const { differences } = (await world.aioDca(['reconcile', '--json'])).json<{
    differences: { code: string }[];
  }>();
  expect(differences.map(({ code }) => code)).toEqual(['wallet/unreadable']);
  await world.must(['fundings', 'withdraw', funding, '--reason', 'she takes it back', '--yes']);
});

onEach('an older copy of LNbits is put back', async (version) => {
  const { world, real } = place(version);
  const putBack = await real.keep();
  await world.insertCashOut();
  await world.must(['poll', '--json']);
  await putBack();
  await world.insertCashOut();
  const before = await debits(place(version));
  for (const _ of [1, 2]) {
    const refused = await world.aioDca(['poll', '--json']);
    expect(refused.code).toBe(78);
    expect(refused.json<Polled>().problems.map(({ code }) => code)).toEqual(['lnbits/restored']);
  }
  expect(await debits(place(version))).toEqual(before);

  // The way out: what LNbits forgot is held, newest first, then said to be not paid, and paid again.
  const forgotten = async () => {
    const { differences } = (await world.aioDca(['reconcile', '--json'])).json<{
      differences: { code: string; what: string }[];
    }>();
    const payouts = differences.map(({ code, what }) =>
      code === 'payment/not-debited' ? (/ of (p\d+) for /.exec(what)?.[1] ?? what) : [],
    );
    return [...new Set(payouts.flat())].sort((one, other) => Number(other.slice(1)) - Number(one.slice(1)));
  };
  const lost = await forgotten();
  expect(lost).toHaveLength(2);
  for (const id of lost) await world.must(['payouts', 'hold', id, '--reason', 'LNbits forgot it', '--yes']);
  await world.aioDca(['poll', '--json']);
  for (const id of lost)
    await world.must(['payouts', 'resolve', id, '--not-paid', '--reason', 'LNbits forgot it', '--yes']);
  await world.must(['poll']);
  expect(await forgotten()).toEqual([]);
  expect([...(await debits(place(version))).values()].filter((times) => times > 1)).toEqual([]);
  const all = (await world.must(['payouts', 'list', '--json'])).json<{ state: string }[]>();
  expect(all.filter(({ state }) => state !== 'settled')).toEqual([]);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
});
