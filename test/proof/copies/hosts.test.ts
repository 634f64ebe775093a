import { randomBytes } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCommand } from '../../support/command.ts';
import { type LedgerKind, ledgerKinds } from '../../support/ledgers.ts';
import { type LnbitsVersion, lnbitsVersions, type WalletKeys } from '../../support/lnbits.ts';
import { lnbitsAvailable, startLnbits } from '../../support/lnbits-real.ts';
import { runBesideSql } from '../../support/postgres.ts';
import { ago, HOUR } from '../../support/restore.ts';
import { startWorld, type World } from '../../support/world.ts';
import { long } from '../seed.ts';

/* A host is cloned, folder and ledger and all, and both go on: whole commands, on both ledgers, at a real LNbits. */

const CASES = lnbitsVersions.flatMap((lnbits) => ledgerKinds.map((ledger) => ({ lnbits, ledger })));
const chosen = CASES.filter(({ lnbits, ledger }) => long || (lnbits === '1.0.0') === (ledger === 'sqlite'));

/** Alice's sats of one cash-out. */
const DUE = 484_207n;

interface Host {
  run(...args: string[]): ReturnType<World['aioDca']>;
}

/** Another host with the same configuration and a copy of the ledger. */
async function clone(world: World): Promise<Host> {
  const folder = `${world.folder}-clone`;
  await cp(world.folder, folder, { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = join(folder, basename(world.configFile));
  if (!world.ledgerUrl.startsWith('sqlite:')) {
    const url = new URL(world.ledgerUrl);
    const from = url.pathname.slice(1);
    const to = `t${randomBytes(6).toString('hex')}`;
    const server = (statement: string) => runBesideSql(url.href, statement);
    await server(`create database ${to} template ${from}`);
    onTestFinished(() => server(`drop database ${to} with (force)`));
    await writeFile(config, (await readFile(config, 'utf8')).replace(`/${from}"`, `/${to}"`), {
      mode: 0o600,
    });
  }
  return { run: (...args) => startCommand(['--config', config, ...args]).ended };
}

async function begin(lnbits: LnbitsVersion, ledger: LedgerKind) {
  const world = await startWorld({
    ...{ tunnel: 'direct', quiet: '1 s', ledger, sats: 9_000_000n },
    lnbits: await startLnbits({ version: lnbits }),
  });
  onTestFinished(() => world.stop());
  await world.must(['migrate']);
  const alice = await world.addClient('alice');
  await world.addFunding('alice', '30000 GTQ');
  await world.insertCashOut({ confirmed_at: ago(20 * HOUR) });
  await world.must(['poll']);
  return { world, alice, first: { run: (...args: string[]) => world.aioDca(args) } satisfies Host };
}

describe.each(chosen)('LNbits $lnbits, a ledger in $ledger', ({ lnbits, ledger }) => {
  test.skipIf(!lnbitsAvailable(lnbits))(
    'a host and its clone pay at the same time: nobody twice, one is told, and either can go on',
    async () => {
      const { world, alice, first } = await begin(lnbits, ledger);
      const second = await clone(world);
      await world.insertCashOut({ confirmed_at: ago(5 * HOUR) });
      const ran = await Promise.all([first, second].map((host) => host.run('poll', '--json')));
      const told = ran.filter(
        ({ code, stdout }) => code === 78 && stdout.includes('"ledger/in-use-elsewhere"'),
      );
      expect(ran.map(({ code, stdout }) => [code, stdout])).toEqual(
        expect.arrayContaining([[78, expect.stringContaining('ledger/in-use-elsewhere')]]),
      );
      const received = await world.balance(alice);
      expect(received).toBe(told.length === 2 ? DUE : 2n * DUE);

      // The host that was not refused goes on; if both were, the first to run again.
      const winner = ran[0]?.code === 78 && ran[1]?.code === 0 ? second : first;
      const loser = winner === first ? second : first;
      await world.insertCashOut({ confirmed_at: ago(4 * HOUR) });
      expect((await winner.run('poll')).code).toBe(0);
      expect(await world.balance(alice)).toBe(3n * DUE);
      expect((await loser.run('poll')).code).toBe(78);

      // The winner is stopped for good, and the other one is to stay.
      expect((await loser.run('ledger', 'recover', '--json')).json()).toMatchObject({ ok: true });
      await world.insertCashOut({ confirmed_at: ago(3 * HOUR) });
      const goesOn = await loser.run('poll', '--json');
      expect([goesOn.code, goesOn.json()]).toMatchObject([0, { payouts: { settled: 1 } }]);
      expect(await world.balance(alice)).toBe(4n * DUE);
      expect((await loser.run('verify')).code).toBe(0);
      expect((await loser.run('reconcile')).code).toBe(0);
      // And the winner, started again by mistake, is now refused.
      await world.insertCashOut({ confirmed_at: ago(2 * HOUR) });
      const late = await winner.run('poll', '--json');
      expect([late.code, late.stdout]).toEqual([78, expect.stringContaining('ledger/in-use-elsewhere')]);
      expect(await world.balance(alice)).toBe(4n * DUE);

      await aHostileClient(world, alice, loser);
    },
    300_000,
  );
});

/** The client reads the label of a payment in the client's wallet, and pays into the wallet under it. */
async function aHostileClient(world: World, alice: WalletKeys, host: Host): Promise<void> {
  const api = async (key: string, path: string, body?: object) => {
    const answer = await fetch(`${world.lnbits.url}/api/v1/payments${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'X-Api-Key': key, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as { bolt11: string; status: string; data: { extra: object }[] };
  };
  const [real] = (await api(alice.inkey, '/paginated?tag=aio-dca&limit=1')).data;
  const purse = await world.lnbits.createUserWallet('purse');
  await world.lnbits.topUp(purse.id, 100n);
  for (const extra of [{ ...real?.extra }, { ...real?.extra, payout: 'p99', seal: 'f'.repeat(64) }]) {
    const invoice = { out: false, internal: true, unit: 'sat', amount: 1, memo: 'mine', extra };
    const { bolt11 } = await api(alice.inkey, '', invoice);
    expect((await api(purse.adminkey, '', { out: true, bolt11, extra })).status).toBe('success');
  }
  expect((await host.run('reconcile', '--json')).json()).toMatchObject({
    ok: true,
    checked: { foreign_labels: 2 },
  });
  const next = await world.lnbits.createUserWallet('next source');
  await world.lnbits.topUp(next.id, 2_000_000n);
  for (const folder of [world.folder, `${world.folder}-clone`])
    await writeFile(join(folder, 'source.adminkey'), next.adminkey, { mode: 0o600 });
  const before = await world.balance(alice);
  const ran = await host.run('poll', '--json');
  expect([ran.code, ran.json()]).toMatchObject([0, { problems: [] }]);
  expect((await world.balance(alice)) - before).toBe(DUE);
}
