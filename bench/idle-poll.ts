import { keepConnection } from '../src/lamassu/session-cache.ts';
import { type Benchmark, pair, timed, typical } from './benchmark.ts';
import { addClients, insertCashOuts } from './installation.ts';
import { installBehindSsh } from './ssh-psql.ts';

export const benchmark: Benchmark = {
  name: 'idle-poll',
  what: 'a poll with nothing new in the daemon, its tunnel being open (OpenSSH; 20 cash-outs in the window) ÷ one `ssh host psql -c "select 1"`',
  unit: 'ms',
  compare: 'ratio',
  goal: { most: 0.02 },
  rounds: 15,
  async prepare(small, stack) {
    const installation = await installBehindSsh(stack);
    await addClients(installation, 5);
    await insertCashOuts(installation.world, 20);
    await installation.poll();
    const lamassu = keepConnection();
    stack.defer(() => lamassu.close());
    const poll = () => installation.poll(lamassu.connect);
    const measure = () => typical(small ? 3 : 20, poll);
    const baseline = () => timed(installation.selectOne);
    await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};
