import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lnbitsVersions } from '../support/lnbits.ts';
import { lnbitsAvailable, startLnbits } from '../support/lnbits-real.ts';
import { startWorld, type World } from '../support/world.ts';

/* What a real LNbits refuses, by settings of its own, is deferred alone, and paid as soon as LNbits accepts it. */

describe.each(lnbitsVersions)('LNbits %s takes less than it did', (version) => {
  const skipped = !lnbitsAvailable(version);
  if (skipped) process.stdout.write(`skipped: LNbits ${version} is not installed\n`);
  let world: World;

  beforeAll(async () => {
    if (skipped) return;
    const lnbits = await startLnbits({ version });
    world = await startWorld({ tunnel: 'direct', quiet: '1 s', lnbits });
    await world.must(['migrate']);
    for (const name of ['alice', 'bob']) await world.addClient(name);
    await world.addFunding('alice', '20000 GTQ');
    await world.addFunding('bob', '2000 GTQ');
  });
  afterAll(async () => {
    await world?.stop();
  });

  const allow = async (settings: Record<string, number>) => {
    const { url, superuser } = world.lnbits;
    const call = async (method: string, path: string, body: object, token?: string) => {
      const headers = {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      };
      const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()) as { access_token: string };
    };
    const { name: username, password } = superuser;
    const { access_token } = await call('POST', '/api/v1/auth', { username, password });
    await call('PATCH', '/admin/api/v1/settings', settings, access_token);
  };
  const poll = async () => {
    const ran = await world.aioDca(['poll', '--json']);
    const { problems, payouts } = ran.json<{
      problems: { code: string; message: string }[];
      payouts: { settled: number; deferred: number };
    }>();
    return {
      code: ran.code,
      ...payouts,
      problems: problems.map(({ code, message }) => `${code}: ${message}`),
    };
  };
  const held = (name: string) => world.balance(world.wallets.get(name) as never);
  const stale = async () =>
    (await world.aioDca(['status', '--json'])).json<{
      attention: { stale: boolean };
      last_success_at: string;
    }>();
  const maximum = async (sats: number) => {
    const text = (await readFile(world.configFile, 'utf8')).replace(/^maximum_sats = .*\n/m, '');
    await writeFile(world.configFile, text.replace('[payouts]\n', `[payouts]\nmaximum_sats = ${sats}\n`));
  };

  test.skipIf(skipped)('at once: what was not sent goes in smaller parts', async () => {
    await world.insertCashOut();
    await allow({ lnbits_max_incoming_payment_amount_sats: 100_000 });
    expect(await poll()).toMatchObject({
      ...{ code: 75, settled: 1, deferred: 1 },
      problems: [expect.stringMatching(/^lnbits\/refused: p1 to alice is deferred: .*100000/)],
    });
    expect((await stale()).last_success_at).not.toBeNull();
    await maximum(100_000);
    expect(await poll()).toMatchObject({ code: 0, settled: 1, problems: [] });
    expect(await held('alice')).toBe(484_207n - (await held('bob')));
    await world.must(['verify']);
    await world.must(['reconcile']);
  });

  test.skipIf(skipped)('in a wallet: another one is paid', async () => {
    // More than the source wallet holds, because a run's claim must still fit in it.
    await allow({ lnbits_max_incoming_payment_amount_sats: 10_000_000 });
    await world.lnbits.topUp(world.wallets.get('alice')?.id ?? '', 10_000_000n);
    const before = [await held('alice'), await held('bob')] as const;
    await world.insertCashOut();
    await allow({ lnbits_wallet_limit_max_balance: Number(before[0]) });
    const refused = await poll();
    expect(refused).toMatchObject({ code: 75, deferred: 1 });
    expect(refused.problems).toEqual([expect.stringMatching(/^lnbits\/refused: p\d to alice is deferred: /)]);
    const other = await world.lnbits.createUserWallet('alice 2');
    const file = join(world.folder, 'alice2.key');
    await writeFile(file, other.inkey, { mode: 0o600 });
    await world.must(['clients', 'set', 'alice', '--wallet-key-file', file, '--new-wallet']);
    const after = await poll();
    expect(after).toMatchObject({ settled: 1, problems: [] });
    expect(await world.balance(other)).toBe(484_207n - ((await held('bob')) - before[1]));
    expect(await held('alice')).toBe(before[0]);
    await world.must(['verify']);
    await world.must(['reconcile']);
  });

  test.skipIf(skipped)('in the source wallet: the run says so, and pays nobody', async () => {
    await allow({ lnbits_wallet_limit_max_balance: 0 });
    const alice = await held('alice');
    await world.insertCashOut();
    const most = (await world.balance(world.source)) - 1n;
    await allow({ lnbits_wallet_limit_max_balance: Number(most) });
    const refused = await poll();
    expect(refused).toMatchObject({ code: 75, settled: 0 });
    const full = new RegExp(
      `source wallet .*${world.source.id}.* holds [\\d,]+ sat, .*at most .*lnbits_wallet_limit_max_balance`,
    );
    expect(refused.problems).toEqual([expect.stringMatching(full)]);
    expect((await world.aioDca(['doctor'])).stdout.replace(/\s+/g, ' ')).toMatch(full);
    const { code, stdout } = await world.aioDca(['status']);
    expect({ code, stdout }).toEqual({
      code: 2,
      stdout: expect.stringContaining('the source wallet holds more than LNbits allows'),
    });
    expect(await held('alice')).toBe(alice);
    await allow({ lnbits_wallet_limit_max_balance: 0 });
    expect(await poll()).toMatchObject({ code: 0, problems: [] });
    await world.must(['verify']);
  });
});
