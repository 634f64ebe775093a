import * as z from 'zod';
import { BridgeError, invalid } from '../errors.ts';
import { bestTime, entryTime, lastClocks, ledgerTime } from '../ledger/clocks/clocks.ts';
import { doubtsAt, restate, subjectOf, timeOfChange } from '../ledger/clocks/doubts.ts';
import { call, message } from '../lib/message.ts';
import { toInstant } from '../time.ts';
import { parseTime } from '../typed/times.ts';
import { clocksView, viewOfClocks } from '../views/clock.ts';
import { instant } from '../views/fields.ts';
import { operation } from './operation.ts';

/* The clocks that decide whose cash went out, and the entries of a clock that was wrong. */

export const showClocks = operation({
  name: 'clock.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: clocksView,
  run: async ({ clock, ledger: { db } }) => {
    const host = toInstant(clock.host().wall);
    const problem = await entryTime(db, clock.host()).then(
      () => null,
      (error: unknown) => {
        if (error instanceof BridgeError) return error;
        throw error;
      },
    );
    return viewOfClocks({
      ...{ host, problem, last: await lastClocks(db), server: await ledgerTime(db) },
      entries: await doubtsAt(db, await bestTime(db, clock.host())),
    });
  },
});

/** Corrects the time from which settings apply, if a wrong clock entered them. */
export const restateEntry = operation({
  name: 'clock.restate',
  needs: 'write',
  may: [],
  errors: [],
  input: z.strictObject({ subject: z.string(), at: z.string() }),
  view: z.object({ subject: z.string(), from: instant, entries: z.number() }),
  run: async ({ clock, config, who, write }, given) => {
    const subject = given.subject.trim();
    if (subjectOf(subject).noun === 'funding') {
      throw invalid(
        'subject',
        'the time of cash is corrected where the cash is confirmed',
        message`${call('fundings.confirm', { id: subject, at: given.at })}`,
      );
    }
    const since = parseTime(given.at, config.timezone, 'at');
    return write(async (trx) => {
      const act = { ...who, at: await timeOfChange(trx, clock.host(), { fromNow: false, stated: since }) };
      return { subject, from: since, entries: await restate(trx, act, subject, since) };
    });
  },
});
