import { z } from 'zod';
import { invalid } from '../errors.ts';
import { refuseUnknownName } from '../ledger/clients/names.ts';
import { dueGroups, formPayouts } from '../ledger/payouts/form.ts';
import {
  heldPayouts,
  holdAllByHand,
  holdByHand,
  releasePayout,
  retryPayout,
} from '../ledger/payouts/operator-actions.ts';
import { pauseOf, pausePaying, resumePaying } from '../ledger/payouts/pause.ts';
import { noPayout, showPayout as readPayout, listPayouts as readPayouts } from '../ledger/payouts/read.ts';
import type { Db } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { checkBeforeRecording, formOptions } from '../scheduler/pay.ts';
import { parseLimit } from '../typed/limit.ts';
import { parseId, parseName } from '../typed/names.ts';
import { viewOfProblem } from '../views/fields.ts';
import {
  heldAllView,
  heldPayoutView,
  type PayoutDetailView,
  pauseView,
  payoutDetailView,
  payoutsView,
  releasedView,
  viewOfHeldPayout,
  viewOfPause,
  viewOfPayout,
  viewOfPayoutDetail,
} from '../views/payouts.ts';
import { PAYOUT_STATES } from '../views/states.ts';
import { payoutId } from './ids.ts';
import { assertOwn, operation, ownerOf, withReason } from './operation.ts';

/* Payouts: what is due to each recipient, and the operator's decisions. */

const one = z.object({ id: payoutId });

export const listPayouts = operation({
  name: 'payouts.list',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.object({
    state: z.enum(PAYOUT_STATES).optional(),
    /** Only those that are not settled. */
    open: z.boolean().default(false),
    client: z.string().optional(),
    limit: z.string().optional(),
  }),
  view: payoutsView,
  run: async ({ ledger: { db }, who }, { state, open, ...given }) => {
    const limit = parseLimit(given.limit);
    if (state && open) throw invalid('open', message`${field('state')} is given too`, 'Use one of them.');
    const states = state ? [state] : open ? PAYOUT_STATES.filter((some) => some !== 'settled') : undefined;
    const named = given.client === undefined ? undefined : parseName(given.client, 'client');
    if (named !== undefined) {
      assertOwn(who, named);
      await refuseUnknownName(db, named, 'client');
    }
    const recipient = ownerOf(who) ?? named;
    const { rows, total } = await readPayouts(db, { states, recipient }, limit);
    return { rows: rows.map(viewOfPayout), total };
  },
});

export const showPayout = operation({
  name: 'payouts.show',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: one,
  view: payoutDetailView,
  run: async ({ ledger, who }, { id }) => {
    const payout = await payoutOf(ledger.db, id);
    // To a client, another client's payout does not exist.
    if (payout.recipient !== (ownerOf(who) ?? payout.recipient)) throw noPayout(id);
    return payout;
  },
});

export const holdPayout = operation({
  name: 'payouts.hold',
  needs: 'lease',
  may: [],
  errors: [],
  reasoned: true,
  input: one,
  view: payoutDetailView,
  run: async ({ clock, write, who }, { id }) => {
    const act = { ...withReason(who), at: clock.now() };
    return write(async (trx) => {
      await holdByHand(trx, act, id);
      return payoutOf(trx, id);
    });
  },
});

/** Holds what is open and what is due now; what becomes due later is stopped by `payouts.pause`. */
export const holdAllPayouts = operation({
  name: 'payouts.hold_all',
  needs: 'lease',
  may: [],
  errors: ['ledger/restored', 'ledger/in-use-elsewhere'],
  reasoned: true,
  input: z.object({}),
  view: heldAllView,
  run: async ({ clock, ledger, config, run, write, who }) => {
    const reasoned = withReason(who);
    // An older copy of the ledger forms nothing: recovering it forms what was paid since.
    const { signal } = new AbortController();
    const problem = await checkBeforeRecording({ ledger, config, run, signal, problems: [] });
    const options = formOptions(config, run.id, clock.now());
    return write(async (trx) => {
      // While paying is paused, what is due is in no payout that could be held.
      if (problem === null) await formPayouts(trx, options);
      const held = (await holdAllByHand(trx, { ...reasoned, at: clock.now() })).map((id) => `p${id}`);
      const due = await dueGroups(trx, options);
      if (due.length === 0) return { held };
      const due_sats = due.reduce((sum, { sats }) => sum + sats, 0n);
      return { held, due_sats, ...(problem && { problem: viewOfProblem(problem) }) };
    });
  },
});

export const releasePayoutById = operation({
  name: 'payouts.release',
  needs: 'lease',
  may: [],
  errors: [],
  input: one,
  view: payoutDetailView,
  run: ({ clock, write, who }, { id }) =>
    write(async (trx) => {
      await releasePayout(trx, { ...who, at: clock.now() }, id);
      return payoutOf(trx, id);
    }),
});

/** What `payouts.release_all` would release. */
export const listHeldPayouts = operation({
  name: 'payouts.release_all_preview',
  needs: 'read',
  may: [],
  errors: [],
  input: z.object({}),
  view: z.array(heldPayoutView),
  run: async ({ ledger }) => (await heldPayouts(ledger.db)).map(viewOfHeldPayout),
});

/** Releases those of `held` that are still held for the same reason: what became held meanwhile was not agreed to. */
export const releaseAllPayouts = operation({
  name: 'payouts.release_all',
  needs: 'lease',
  may: [],
  errors: [],
  input: z.object({ held: z.array(heldPayoutView.pick({ id: true, reason: true })) }),
  view: releasedView,
  run: async ({ clock, write, who }, { held }) =>
    write(async (trx) => {
      const still = new Map((await heldPayouts(trx)).map(({ id, reason }) => [`p${id}`, reason]));
      const released = held.filter(({ id, reason }) => still.get(id) === reason).map(({ id }) => id);
      for (const id of released)
        await releasePayout(trx, { ...who, at: clock.now() }, parseId('p', id, 'held'));
      return { released };
    }),
});

export const retryPayoutById = operation({
  name: 'payouts.retry',
  needs: 'lease',
  may: [],
  errors: [],
  input: one,
  view: payoutDetailView,
  run: ({ clock, write, who }, { id }) =>
    write(async (trx) => {
      await retryPayout(trx, { ...who, at: clock.now() }, id);
      return payoutOf(trx, id);
    }),
});

/** Pauses paying; recording goes on. Also takes effect during a run. */
export const pausePayouts = operation({
  name: 'payouts.pause',
  needs: 'write',
  may: [],
  errors: [],
  reasoned: true,
  input: z.object({}),
  view: pauseView,
  run: async ({ clock, write, who }) => {
    const act = { ...withReason(who), at: clock.now() };
    return write(async (trx) => {
      const changed = await pausePaying(trx, act);
      return viewOfPause(await pauseOf(trx), changed);
    });
  },
});

export const resumePayouts = operation({
  name: 'payouts.resume',
  needs: 'write',
  may: [],
  errors: [],
  input: z.object({}),
  view: pauseView,
  run: ({ clock, write, who }) =>
    write(async (trx) => viewOfPause(null, await resumePaying(trx, { ...who, at: clock.now() }))),
});

/** One payout, as it is shown. */
export async function payoutOf(db: Db, id: bigint): Promise<PayoutDetailView> {
  return viewOfPayoutDetail(await readPayout(db, id));
}
