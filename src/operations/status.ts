import { z } from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import { startProblem } from '../lamassu/start.ts';
import { bestTime } from '../ledger/clocks/clocks.ts';
import { brokenOff as brokenOffRun, currentRun } from '../ledger/runs/lease.ts';
import { needsOf } from '../monitoring/attention.ts';
import { overview, shortSats } from '../monitoring/overview.ts';
import { sourceBalance } from '../monitoring/source-balance.ts';
import { statusView, viewOfStatus } from '../views/status.ts';
import { operation } from './operation.ts';

export const showStatus = operation({
  name: 'status',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.object({}),
  view: statusView,
  run: async ({ ledger, config }) => {
    const at = ledger.clock.now();
    const { db, id, url, schema } = ledger;
    const balance = sourceBalance(config.lnbits, ledger.clock);
    const seen = await overview(ledger, config, at);
    const source = await balance;
    const short = shortSats(seen, source);
    const { startAt } = config.lamassu;
    const problem = startProblem(startAt, await bestTime(db, ledger.clock.host()), seen.status.mark === null);
    const running = await currentRun(db);
    const brokenOff = await brokenOffRun(db);
    return viewOfStatus({
      ...seen,
      ...{ version: pkg.version, at, ledger: { id, url, schema }, running, brokenOff, source, short },
      start: { at: startAt, problem },
      creditSource: config.lnbits.creditSource,
      needs: needsOf(seen, { short, startProblem: problem, brokenOff }),
    });
  },
});
