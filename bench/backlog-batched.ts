import { type Benchmark, pair, timed } from './benchmark.ts';
import { addClients, type Installation, insertCashOuts, install } from './installation.ts';

export const benchmark: Benchmark = {
  name: 'backlog-batched',
  what: 'wall time of a poll over 1,000 cash-outs × 20 clients (LNbits simulated, which answers much faster than a real one) with batch = "poll" ÷ with batch = "cash-out"',
  unit: 'ms',
  compare: 'ratio',
  goal: { most: 0.05 },
  rounds: 3,
  async prepare(small) {
    const [cashOuts, clients] = small ? [20, 5] : [1_000, 20];
    const wallTime = async (batch: 'poll' | 'cash-out', payouts: number) => {
      // A new one each time: neither finds what the other has left.
      await using own = new AsyncDisposableStack();
      const installation = await install(own, {
        ...{ tunnel: 'direct', sats: 1_000_000_000n, payouts: `batch = "${batch}"` },
      });
      await addClients(installation, clients);
      await insertCashOuts(installation.world, cashOuts);
      return await timed(() => pollAll(installation, payouts));
    };
    return (round) =>
      pair(
        round,
        () => wallTime('poll', clients),
        () => wallTime('cash-out', cashOuts * clients),
      );
  },
};

async function pollAll(installation: Installation, payouts: number): Promise<void> {
  const { settled } = (await installation.poll()).payouts;
  if (settled !== payouts) throw new Error(`${settled} of ${payouts} payouts were settled`);
}
