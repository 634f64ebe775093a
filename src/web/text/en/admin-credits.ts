import type { CreditView } from '../../../views/credits.ts';

const states: Record<CreditView['state'], string> = {
  intended: 'not made yet',
  sending: 'sent, no answer yet',
  unknown: 'outcome not known',
  credited: 'credited',
  held: 'held',
  dropped: 'given up',
};

export const creditsEn = {
  title: 'Credits',
  lead: 'What LNbits’ superuser puts into the source wallet, so that the sats of cash-outs are there to be paid.',
  caption: 'Credits, newest first',
  states,
  tabs: 'States of credits',
  all: 'all',
  heads: { credit: 'Credit', state: 'State', made: 'Recorded', cashOuts: 'Cash-outs', why: 'Why' },
  emptyTitle: 'There are no credits.',
  empty: 'Crediting is off, or nothing had to be credited yet. docs/crediting.md says when it is needed.',
  nothingFound: 'No credit in this state.',
  detail: {
    title: (id: string) => `Credit ${id}`,
    state: 'State',
    wallet: 'Source wallet',
    made: 'Recorded',
    sent: 'Sent',
    credited: 'Credited',
    payment: 'Payment',
    cashOuts: 'For these cash-outs',
    fee: 'for LNbits’ service fee alone',
    decide: 'Decide',
  },
  resolveForm: {
    title: (id: string) => `What became of credit ${id}?`,
    lead: 'The source wallet is read first. What it shows clearly cannot be overruled here.',
    word: 'Your decision',
    yes: 'It is in the source wallet',
    yesHelp: 'It is recorded as credited, and not made again.',
    no: 'It is not, and never will be',
    noHelp: (seconds: string) =>
      `It is given up; what is missing is credited anew. LNbits may still be working on it, so this waits ${seconds} s first.`,
    payment: 'Which payment of the source wallet it is, or is not, by its hash',
    waits: (seconds: string) =>
      `Waiting up to ${seconds} s, until LNbits can no longer be working on it; then the source wallet is read. You may leave this page and come back.`,
    button: 'Record it',
  },
  resolved: 'Your decision is recorded.',
};

export type CreditsTexts = typeof creditsEn;
