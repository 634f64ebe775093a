import { type Benchmark, pair, timed } from './benchmark.ts';
import { addClients, insertCashOuts } from './installation.ts';
import { installBehindSsh } from './ssh-psql.ts';

export const benchmark: Benchmark = {
  name: 'cold-poll',
  what: '`aio-dca poll`, as the package has it, in a new process with nothing to do (OpenSSH; 20 cash-outs in the window) ÷ one `ssh host psql -c "select 1"`',
  unit: 'ms',
  compare: 'ratio',
  goal: { most: 0.7 },
  rounds: 21,
  async prepare(_small, stack) {
    const installation = await installBehindSsh(stack);
    await addClients(installation, 5);
    await insertCashOuts(installation.world, 20);
    const measure = () => timed(() => installation.world.must(['poll']));
    const baseline = () => timed(installation.selectOne);
    // The first one pays, and the next keeps what Node compiled.
    for (let i = 0; i < 3; i += 1) await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};
