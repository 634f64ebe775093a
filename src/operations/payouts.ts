import * as z from 'zod';
import { invalid } from '../errors.ts';
import { refuseUnknownName } from '../ledger/clients/names.ts';
import { dueGroups, formPayouts } from '../ledger/payouts/form.ts';
import {
  type HeldPayout,
  heldPayouts,
  holdAllByHand,
  holdByHand,
  releasePayout,
  retryPayout,
} from '../ledger/payouts/operator-actions.ts';
import { pauseOf, pausePaying, resumePaying } from '../ledger/payouts/pause.ts';
import { noPayout, readPayout, readPayoutList as readPayouts } from '../ledger/payouts/view.ts';
import type { Db } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { formOptions } from '../scheduler/due.ts';
import { checkBeforeRecording } from '../scheduler/pay-due.ts';
import { parseLimit } from '../typed/limit.ts';
import { parseName } from '../typed/names.ts';
import { viewOfProblem } from '../views/fields.ts';
import {
  heldAllView,
  heldPayoutsView,
  type PayoutDetailView,
  pauseView,
  payoutDetailView,
  payoutsView,
  releasedView,
  shownPauseView,
  viewOfHeldPayout,
  viewOfPause,
  viewOfPayout,
  viewOfPayoutDetail,
} from '../views/payouts.ts';
import { PAYOUT_STATES } from '../views/states.ts';
import { payoutId } from './ids.ts';
import { clientOf, digestOf, operation, ownerOf, withReason } from './operation.ts';

/* Payouts: what is due to each recipient, and the operator's decisions. */

const one = z.strictObject({ id: payoutId });

/** Why a payout is held, if the operator says no more. */
const HELD_BY_HAND = 'held by hand';

export const listPayouts = operation({
  name: 'payouts.list',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({
    state: z.enum(PAYOUT_STATES).optional(),
    /** Only those that are not settled. */
    open: z.boolean().default(false),
    client: z.string().optional(),
    limit: z.string().optional(),
    /** The last row that was shown: those behind it. */
    after: payoutId.optional(),
  }),
  view: payoutsView,
  run: async ({ ledger: { db }, who }, { state, open, ...given }) => {
    const limit = parseLimit(given.limit);
    if (state && open) throw invalid('open', message`${field('state')} is given too`, 'Use one of them.');
    const states = state ? [state] : open ? PAYOUT_STATES.filter((some) => some !== 'settled') : undefined;
    const named = given.client === undefined ? undefined : parseName(given.client, 'client');
    const recipient = clientOf(who, named);
    if (recipient !== undefined) await refuseUnknownName(db, recipient, 'client');
    const { rows, total } = await readPayouts(db, { states, recipient }, { limit, after: given.after });
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
  kind: 'payouts hold',
  may: [],
  errors: [],
  reasoned: true,
  usualReason: HELD_BY_HAND,
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

/** Holds what is open and what is due now; `payouts.pause` also stops what becomes due later. */
export const holdAllPayouts = operation({
  name: 'payouts.hold_all',
  needs: 'lease',
  kind: 'payouts hold',
  may: [],
  errors: ['ledger/restored', 'ledger/in-use-elsewhere'],
  reasoned: true,
  usualReason: HELD_BY_HAND,
  input: z.strictObject({}),
  view: heldAllView,
  run: async ({ clock, ledger, config, run, write, who }) => {
    const reasoned = withReason(who);
    // An older copy of the ledger forms nothing; to recover it forms the payouts that were paid since.
    const { signal } = new AbortController();
    const problem = await checkBeforeRecording({ ledger, config, run, signal, problems: [] });
    const options = formOptions(config, run.id, clock.now());
    return write(async (trx) => {
      // While paying is paused, sats that are due are in no payout that could be held.
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
  kind: 'payouts release',
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
export const previewReleaseAll = operation({
  name: 'payouts.preview_release_all',
  needs: 'read',
  may: [],
  errors: [],
  input: z.strictObject({}),
  view: heldPayoutsView,
  run: async ({ ledger }) => {
    const held = await heldPayouts(ledger.db);
    return { held: held.map(viewOfHeldPayout), digest: held.map(digestOfHeld).join('.') };
  },
});

/**
 * Releases what is held. With a digest, only what was held then for the same reason: the operator did not agree to
 *  anything held since.
 */
export const releaseAllPayouts = operation({
  name: 'payouts.release_all',
  needs: 'lease',
  kind: 'payouts release',
  may: [],
  errors: [],
  input: z.strictObject({ digest: z.string().optional() }),
  view: releasedView,
  run: async ({ clock, write, who }, { digest }) => {
    const agreed = digest?.split('.');
    return write(async (trx) => {
      const held = await heldPayouts(trx);
      const released = held.filter((one) => agreed?.includes(digestOfHeld(one)) ?? true);
      for (const { id } of released) await releasePayout(trx, { ...who, at: clock.now() }, id);
      return { released: released.map(({ id }) => `p${id}`) };
    });
  },
});

function digestOfHeld({ id, reason }: HeldPayout): string {
  return digestOf({ id, reason });
}

export const retryPayoutById = operation({
  name: 'payouts.retry',
  needs: 'lease',
  kind: 'payouts retry',
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

/** Whether paying is paused, by whom and why. */
export const showPause = operation({
  name: 'payouts.pause_state',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: shownPauseView,
  run: async ({ ledger: { db } }) => {
    const pause = await pauseOf(db);
    return { paused: pause !== null, pause };
  },
});

/** Pauses paying; recording goes on. Also takes effect during a run. */
export const pausePayouts = operation({
  name: 'payouts.pause',
  needs: 'write',
  may: [],
  errors: [],
  reasoned: true,
  input: z.strictObject({}),
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
  input: z.strictObject({}),
  view: pauseView,
  run: ({ clock, write, who }) =>
    write(async (trx) => viewOfPause(null, await resumePaying(trx, { ...who, at: clock.now() }))),
});

/** One payout, as it is shown. */
export async function payoutOf(db: Db, id: bigint): Promise<PayoutDetailView> {
  return viewOfPayoutDetail(await readPayout(db, id));
}
