import { Counter, Histogram, Registry } from 'prom-client';
import { catalogue } from '../errors.ts';
import type { RunSeen } from '../scheduler/daemon.ts';

/** Counters of the daemon's runs and their errors in `registry`; call `onRun` after each run. */
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
  // Start from 0: otherwise the first one is no increase to Prometheus.
  for (const [code, known] of Object.entries(catalogue))
    if ('concerns' in known && known.concerns !== 'both') problems.inc({ code }, 0);
  const onRun = ({ outcome, seconds, codes }: RunSeen) => {
    runs.inc({ outcome });
    duration.observe(seconds);
    for (const code of codes) problems.inc({ code });
  };
  return { registry, onRun };
}
