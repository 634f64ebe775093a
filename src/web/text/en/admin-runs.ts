import type { CausesView } from '../../../views/own-share.ts';
import type { RunView } from '../../../views/run.ts';

type OwnReason = CausesView[number]['reason'];

const outcomes: Record<RunView['outcome'] | 'failed' | 'aborted', string> = {
  ok: 'all well',
  attention: 'needs somebody',
  incomplete: 'incomplete',
  refused: 'refused',
  stopped: 'stopped',
  failed: 'defect',
  aborted: 'broke off',
};

/** `who`: the clients; `no`: that there is none. */
const ownReasons: Record<OwnReason, (who: string) => string> = {
  'daily-limit': (who) => `the daily limit of ${who} was reached`,
  paused: (who) => `paused: ${who}`,
  'not-deposited': (who) => `the cash of ${who} was not in the machine yet`,
  'no-cash-left': () => 'no client had cash left there',
  'not-funded': () => 'no client had cash for it',
};

export const runsEn = {
  title: 'Runs',
  kinds: {
    poll: 'a run',
    fixed: 'fixed mode',
    'payouts hold': 'payouts held',
    'payouts release': 'payouts released',
    'payouts retry': 'a payout tried again',
    'payouts resolve': 'a payout decided',
    'credits resolve': 'a credit decided',
  },
  outcomes,
  ownReasons,
  list: {
    caption: 'Each run, newest first',
    run: 'Run',
    began: 'Began',
    took: 'Took',
    kind: 'What',
    by: 'By',
    outcome: 'Outcome',
    problems: 'Problems',
    going: 'goes on, or broke off',
    emptyTitle: 'There was no run yet.',
    empty: 'A run reads Lamassu, divides what is new and pays what is due. Try one first: it writes nothing.',
    seconds: (count: string) => `${count} s`,
    minutes: (count: string) => `${count} min`,
  },
  now: {
    title: 'Run now',
    lead: 'Reads Lamassu, divides what is new, and pays what is due, as the next run by the schedule would.',
    button: 'Run now',
    fixed: 'Pay fixed mode now',
    fixedLead:
      'Pays what waits for the next time of fixed mode, and whatever else is due. Lamassu is not read.',
    fixedButton: 'Pay it now',
    dryFirst: 'Dry run first',
    goesOn: (run: string, who: string) => `A run goes on: ${run}, by ${who}. A second one would be refused.`,
    missing: 'This process cannot run, because it has no keys:',
  },
  dry: {
    title: 'Dry run',
    nothing: 'Nothing was written, and nothing was paid.',
    cashOuts: 'What would be divided',
    cashOut: 'Cash-out',
    at: 'Confirmed',
    whose: 'Whose cash',
    cash: 'Cash',
    net: 'Sats',
    commission: 'Commission',
    ownShare: 'your own share',
    none: 'No new cash-out would be divided.',
    payouts: 'What would be paid',
    nobody: 'Nothing would be paid.',
    to: 'To',
    credit: (sats: string) => `The source wallet would first be credited with ${sats} sats.`,
    noClients: 'The ledger has no clients, so a run would refuse: every cash-out would be your own.',
    waits: 'What would wait',
  },
  going: {
    title: 'A run goes on',
    since: (time: string, who: string) =>
      `Since ${time}, by ${who}. You may leave this page: the run goes on.`,
    refresh: 'Look again',
    working: 'Working…',
    payouts: 'Payouts that are open now',
    none: 'No payout is open yet, or none any more.',
    paid: (count: string, sats: string) => `Paid today: ${count} payouts with ${sats} sats.`,
  },
  ended: {
    title: 'What the run did',
    took: (run: string, time: string, seconds: string) => `${run}, ${time}, took ${seconds} s`,
    failed: 'The run did not begin, or was broken off. Nothing is lost: the next one goes on from here.',
    busy: 'Another run is going on. It pays what is due; try again when it has ended.',
    again: 'Run again',
    toPayouts: 'See the payouts',
    read: 'Read from Lamassu',
    rows: (count: string) => `${count} rows`,
    unread: 'Lamassu could not be read',
    unreadEnd: 'Lamassu could not be read to its end',
    fresh: 'New cash-outs',
    known: 'Known already',
    toReview: 'To review',
    notYet: 'Not paid, or not yet',
    gross: 'Divided',
    clients: 'To clients',
    commission: 'Commission',
    own: 'Your own share',
    unshared: (sats: string) =>
      `${sats} sats of the commission stay in the source wallet: their cash-outs were confirmed before it had a recipient.`,
    paid: 'Paid',
    paidIn: (count: string) => `in ${count} payouts`,
    credited: 'Credited to the source wallet',
    open: 'Still open',
    paused: (who: string, when: string) => `Paying is stopped by ${who} since ${when}:`,
    pausedWaits: (sats: string) => `${sats} sats that could be paid wait.`,
    problems: 'Problems',
    noProblems: 'No problems.',
    news: 'Newly in review',
    moreNews: (count: string) => `and ${count} more`,
    ownShares: 'Your own share, and why',
    in: (cash: string, count: string, isOne: boolean) =>
      isOne ? `${cash} in 1 cash-out` : `${cash} in ${count} cash-outs`,
    stopped: 'It was asked to stop before it was done: the next run goes on from here.',
  },
};

export type RunsTexts = typeof runsEn;
