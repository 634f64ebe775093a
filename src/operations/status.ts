import * as z from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import { localDate, startOfDay } from '../dca/local-time.ts';
import { startProblem } from '../lamassu/start.ts';
import { ownSharesSince } from '../ledger/cash-outs/own-shares.ts';
import { bestTime } from '../ledger/clocks/clocks.ts';
import { cashLeft, pausedCash } from '../ledger/fundings/cash-left.ts';
import { paidSince } from '../ledger/payouts/paid.ts';
import { brokenOff as brokenOffRun, currentRun } from '../ledger/runs/lease.ts';
import { totalsBetween } from '../ledger/status.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import { needsOf, nextStepOf } from '../monitoring/attention.ts';
import { overview, shortSats } from '../monitoring/overview.ts';
import { sourceWalletBalance } from '../monitoring/source-wallet-balance.ts';
import { waitsNow } from '../scheduler/due.ts';
import { hasClients } from '../scheduler/setup.ts';
import { plus } from '../time.ts';
import { addMonths, localMonth } from '../typed/months.ts';
import { parseMonth } from '../typed/range.ts';
import { statusView, viewOfStatus } from '../views/status.ts';
import { operation } from './operation.ts';

const DAY_MS = 86_400_000;

export const showStatus = operation({
  name: 'status',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: statusView,
  run: async ({ ledger, config }) => {
    const at = ledger.clock.now();
    const { db, id, url, schema } = ledger;
    const balance = sourceWalletBalance(config.lnbits, ledger.clock);
    const seen = await overview(ledger, config, at);
    const sourceWallet = await balance;
    const short = shortSats(seen, sourceWallet);
    const { startAt } = config.lamassu;
    const problem = startProblem(startAt, await bestTime(db, ledger.clock.host()), seen.status.mark === null);
    const day = localDate(at, config.timezone);
    const month = localMonth(at, config.timezone);
    const weekAgo = plus(at, -7 * DAY_MS);
    const running = await currentRun(db);
    const months = await Promise.all(
      [month, addMonths(month, -1)].map(async (one) => {
        const { from, before } = parseMonth(one, config.timezone);
        return { month: one, ...(await totalsBetween(db, from, before)) };
      }),
    );
    const brokenOff = await brokenOffRun(db);
    const cash = await cashLeft(db, weekAgo);
    const paused = await pausedCash(db, at);
    const beginnings = {
      hasClients: await hasClients(db),
      hasCash: paused.length > 0 || cash.some(({ remaining }) => remaining > 0n),
      hasCashInFlight: cash.some(({ inFlight }) => inFlight > 0n),
    };
    return viewOfStatus({
      ...seen,
      ...{ version: pkg.version, at, ledger: { id, url, schema }, running, brokenOff, sourceWallet, short },
      start: { at: startAt, problem },
      months,
      // Loaded here, because no other command needs it.
      nextRun: await (await import('../scheduler/next-run.ts')).nextRun(config),
      waits: await waitsNow(ledger, config),
      minimumSats: config.payouts.minimumSats,
      ...{ cash, pausedCash: paused },
      ownShares: await ownSharesSince(db, weekAgo),
      names: await readNames(db),
      today: { day, ...(await paidSince(db, startOfDay(day, config.timezone))) },
      creditSource: config.lnbits.creditSource,
      needs: needsOf(seen, { short, startProblem: problem, brokenOff }),
      next: nextStepOf(seen, beginnings),
    });
  },
});
