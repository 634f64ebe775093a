import { Counter, Histogram, Registry } from 'prom-client';
import { catalogue } from '../errors.ts';
import type { RunSeen } from '../scheduler/daemon.ts';

/** Begins to count the daemon's runs and their errors in `registry`; `onRun` counts one. */
export function countRuns(): { registry: Registry; onRun(run: RunSeen): void } {
  const registry = new Registry();
  const registers = [registry];
  const runs = new Counter({
    name: 'aio_dca_runs_total',
    help: 'Runs of this daemon, by how they ended.',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'aio_dca_run_duration_seconds',
    help: 'How long they took.',
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000],
    registers,
  });
  const problems = new Counter({
    name: 'aio_dca_problems_total',
    help: 'What went wrong in them, by error code: lnbits/… for LNbits, lamassu/… for the tunnel and the database.',
    labelNames: ['code'],
    registers,
  });
  // From 0: the first one would else not count as an increase.
  for (const [code, known] of Object.entries(catalogue))
    if ('concerns' in known && known.concerns !== 'both') problems.inc({ code }, 0);
  const onRun = ({ outcome, seconds, codes }: RunSeen) => {
    runs.inc({ outcome });
    duration.observe(seconds);
    for (const code of codes) problems.inc({ code });
  };
  return { registry, onRun };
}
