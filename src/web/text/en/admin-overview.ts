import type { StatusView } from '../../../views/status.ts';

/** How many there are, as written, and whether it is one; `subject`: what it is about. */
export interface Counted {
  count: string;
  isOne: boolean;
  subject: string;
}

const needs: Record<StatusView['needs'][number]['code'], (need: Counted) => string> = {
  review: ({ count, isOne }) => (isOne ? 'A cash-out is in review' : `${count} cash-outs are in review`),
  held: ({ count, isOne }) => (isOne ? 'A payout is held' : `${count} payouts are held`),
  unknown: ({ count, isOne }) =>
    isOne
      ? 'Of a payout it is not known whether it arrived'
      : `Of ${count} payouts it is not known whether they arrived`,
  refused: () => 'The last run was refused',
  defect: () => 'The last run ended in a defect of this program',
  'wallet-full': () => 'The source wallet holds more than LNbits allows',
  start: () => 'start_at is probably a mistake',
  'broken-off': ({ subject }) => `Run ${subject} broke off: it was killed, or the disk is full`,
  stale: () => 'No run has succeeded for too long',
  overrun: () => 'A run goes on for too long',
  clock: () => 'The clock of this host is wrong',
  entry: ({ subject }) => `${subject} was entered by a wrong clock`,
  'credits-doubtful': ({ count, isOne }) =>
    isOne
      ? 'A credit of the source wallet is in doubt'
      : `${count} credits of the source wallet are in doubt`,
  'credits-not-made': ({ count, isOne }) =>
    isOne
      ? 'A credit of the source wallet was not made'
      : `${count} credits of the source wallet were not made`,
  contradicted: ({ count, isOne }) =>
    isOne
      ? 'A payment was given up, but LNbits shows it'
      : `${count} payments were given up, but LNbits shows them`,
  aged: ({ count, isOne }) =>
    isOne ? 'A payout is open for too long' : `${count} payouts are open for too long`,
  overdue: ({ count }) => `${count} sats are due for too long`,
  short: ({ count }) =>
    count === ''
      ? 'LNbits wants more than what is due'
      : `${count} sats are missing in the source wallet for what is due`,
};

export const overviewEn = {
  needs: {
    title: 'Needs you',
    nothing: 'Nothing needs you.',
    nothingYet: 'The next run tries again what did not work.',
    unseen: 'LNbits did not tell what the source wallet holds; nothing else is known to need you.',
    codes: needs,
    actions: {
      look: 'Look at it',
      decide: 'Decide',
      check: 'Check everything',
      run: 'Run now',
      resume: 'Resume paying',
      books: 'See the books',
      clocks: 'See the clocks',
      configuration: 'See the configuration',
      runs: 'See the runs',
      topUp: 'See what is owed',
    },
  },
  run: {
    title: 'Runs',
    lastSuccess: 'Last success',
    never: 'none yet',
    last: 'Last run',
    next: 'Next run',
    nextHelp: 'by the schedule, where the service runs it',
    going: 'Running now',
    goingBy: (run: string, kind: string, who: string) => `${run}, ${kind} by ${who}`,
    notGoing: 'no',
    readUpTo: 'Lamassu read up to',
    nothingRead: 'nothing read yet',
    now: 'Run now',
    dry: 'Dry run',
    all: 'All runs',
  },
  money: {
    title: 'Money',
    owed: 'Owed to clients',
    openPayouts: (count: string, isOne: boolean) => (isOne ? 'in 1 open payout' : `in ${count} open payouts`),
    waiting: 'Of it not due yet',
    source: 'Source wallet',
    enough: 'enough for what is owed',
    short: (sats: string) => `${sats} sats less than is owed`,
    wantsMore: 'LNbits wants more than is owed',
    unknown: 'not known',
    toCome: (sats: string) => `and ${sats} sats to be credited`,
    paidToday: 'Paid today',
    payouts: (count: string, isOne: boolean) => (isOne ? 'in 1 payout' : `in ${count} payouts`),
    commission: (sats: string) => `${sats} sats of it commission`,
  },
  waits: {
    title: 'Who waits for what',
    none: 'Nothing waits to be paid.',
    more: (count: string) => `${count} more`,
  },
  machines: {
    title: 'Clients’ cash in the machines',
    none: 'No client has cash in a machine.',
    machine: 'Machine',
    left: 'Left',
    onTheWay: 'On its way',
    out: 'Out in 7 days',
    own: 'Your own share of it',
    clients: 'Clients',
    paused: (all: string) => `Paused, and no part of cash-outs: ${all}`,
  },
  months: {
    title: 'This month against last',
    what: 'What',
    soFar: (month: string) => `${month}, so far`,
    cashOuts: 'Cash-outs',
    clients: 'Clients’ sats',
    commission: 'Commission in sats',
    own: 'Your own share in sats',
  },
  first: {
    title: 'First steps',
    lead: 'In this order, each once. This list goes away after the first run that succeeds.',
    done: 'done',
    open: 'to do',
    doctor: 'Check everything: configuration, Lamassu, LNbits, rights',
    client: 'Add a client',
    funding: 'Add the cash of a client',
    dry: 'Try a run: nothing is written, nothing is paid',
    timer: 'Let it run by itself: as a service, or by a timer',
    timerHelp: 'At the shell of the host; docs/install.md has both.',
  },
};

export type OverviewTexts = typeof overviewEn;
