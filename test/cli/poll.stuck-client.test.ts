import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

/*
 * A wallet that accepts nothing more: its payout waits, but does not stop the others, and does not make the bridge
 * stale.
 */

interface Report {
  outcome: string;
  problems: { code: string; message: string; hint: string }[];
}
interface Status {
  last_success_at: string;
  attention: { stale: boolean; aged: number; short_sats: number };
  deferred: { payout: string; recipient: string; sats: number; reason: string }[];
}

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct', quiet: '1 ms' });
  await world.must(['migrate']);
  for (const name of ['alice', 'bob', 'carol']) {
    await world.addClient(name);
    await world.addFunding(name, '30000 GTQ');
  }
});
afterAll(() => world.stop());

const poll = async () => {
  const ran = await world.aioDca(['poll', '--json']);
  return { code: ran.code, ...ran.json<Report>() };
};
const status = async () => {
  const ran = await world.aioDca(['status', '--json']);
  return { code: ran.code, ...ran.json<Status>() };
};

test('refusals name payout and client, the others are paid, and the run succeeded', async () => {
  const answer = {
    status: 520,
    body: { detail: 'Wallet balance cannot exceed 100 sats.', status: 'failed' },
  };
  world.simulator().rules = ['alice', 'bob'].map((name) => ({
    when: { kind: 'invoice' as const, walletId: world.wallets.get(name)?.id ?? null },
    times: 99,
    fault: { at: 'before' as const, answer },
  }));
  await world.insertCashOut();
  for (let run = 1; run <= 2; run += 1) {
    const report = await poll();
    expect(report).toMatchObject({ code: 75, outcome: 'incomplete' });
    expect(report.problems.map(({ code, message }) => [code, message])).toEqual([
      ['lnbits/refused', expect.stringMatching(/^p1 to alice is deferred: .*cannot exceed 100 sats\.$/)],
      ['lnbits/refused', expect.stringMatching(/^p2 to bob is deferred: .*cannot exceed 100 sats\.$/)],
    ]);
    expect(report.problems[1]?.hint).toContain('aio-dca clients set bob --wallet-key-file FILE --new-wallet');
    const now = await status();
    expect(now).toMatchObject({
      code: 0,
      last_run: { outcome: 'incomplete', finished_at: now.last_success_at },
      attention: { stale: false, aged: 0, short_sats: 0 },
      deferred: [
        { payout: 'p1', recipient: 'alice' },
        { payout: 'p2', recipient: 'bob' },
      ],
    });
  }
  expect(await world.balance(world.wallets.get('carol') as never)).toBeGreaterThan(0n);
});

test('one that waits for too long needs the operator; a run that LNbits does not answer is no success', async () => {
  const before = await status();
  await world.simulator().stop();
  expect(await poll()).toMatchObject({ code: 75, problems: [{ code: 'lnbits/unreachable' }] });
  await world.simulator().start();
  expect((await status()).last_success_at).toBe(before.last_success_at);
  const text = await readFile(world.configFile, 'utf8');
  await writeFile(
    world.configFile,
    text.replace('[payouts]', '[attention]\npayout_after = "1 ms"\n[payouts]'),
  );
  expect(await status()).toMatchObject({ code: 2, attention: { stale: false, aged: 2 } });
});
