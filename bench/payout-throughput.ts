import { Pool } from 'undici';
import type { WalletKeys } from '../test/support/lnbits.ts';
import { startLnbits } from '../test/support/lnbits-real.ts';
import { type Benchmark, pair, timed } from './benchmark.ts';
import { addClients, insertCashOuts, install } from './installation.ts';

const PAYMENTS = '/api/v1/payments';

export const benchmark: Benchmark = {
  name: 'payout-throughput',
  what: 'payouts a second of a whole poll on LNbits 1.6.2 with SQLite (reading, dividing and all that it records included) ÷ a bare loop of create, pay and one look-up with undici, to as many wallets',
  unit: 'payouts/s',
  compare: 'ratio',
  goal: { least: 0.95 },
  rounds: 9,
  async prepare(small, stack) {
    const payouts = small ? 5 : 100;
    const lnbits = await startLnbits({ version: '1.6.2' });
    const installation = await install(stack, { lnbits, tunnel: 'direct' });
    const { world } = installation;
    await addClients(installation, payouts);
    const receivers: WalletKeys[] = [];
    for (let i = 0; i < payouts; i += 1) receivers.push(await lnbits.createUserWallet(`receiver ${i}`));
    const pool = new Pool(lnbits.url);
    stack.defer(() => pool.close());

    const perSecond = (ms: number) => (payouts * 1000) / ms;
    const measure = async () => {
      await lnbits.topUp(world.source.id, 1_000_000n);
      await insertCashOuts(world, 1);
      const ms = await timed(async () => {
        const { settled } = (await installation.poll()).payouts;
        if (settled !== payouts) throw new Error(`${settled} of ${payouts} payouts were settled`);
      });
      return perSecond(ms);
    };
    const baseline = async () => {
      await lnbits.topUp(world.source.id, 1_000_000n);
      const ms = await timed(async () => {
        for (const [i, receiver] of receivers.entries())
          await payBare(pool, world.source, receiver, 4_842 + i);
      });
      return perSecond(ms);
    };
    await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};

async function payBare(pool: Pool, source: WalletKeys, receiver: WalletKeys, sats: number): Promise<void> {
  const extra = { tag: 'bench' };
  const invoice = await post(pool, receiver.inkey, {
    ...{ out: false, internal: true, unit: 'sat', amount: sats, memo: `${sats} sat`, expiry: 86_400, extra },
  });
  await post(pool, source.adminkey, { out: true, bolt11: invoice.bolt11, extra });
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: `${PAYMENTS}/paginated?payment_hash=${invoice.payment_hash}&limit=100`,
    headers: { 'x-api-key': receiver.inkey },
  });
  const { data } = (await body.json()) as { data?: { status: string }[] };
  if (data?.[0]?.status !== 'success') throw new Error(`LNbits answered ${statusCode} to the look-up`);
}

async function post(
  pool: Pool,
  key: string,
  json: object,
): Promise<{ bolt11: string; payment_hash: string }> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: PAYMENTS,
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  const answer = (await body.json()) as { bolt11: string; payment_hash: string };
  if (statusCode !== 201) throw new Error(`LNbits answered ${statusCode}: ${JSON.stringify(answer)}`);
  return answer;
}
