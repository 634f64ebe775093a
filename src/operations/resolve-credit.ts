import * as z from 'zod';
import { formatSats } from '../dca/money.ts';
import { BridgeError, invalid, notFound, wrongState } from '../errors.ts';
import {
  type CreditRow,
  findCredit,
  recordResolution,
  refuseResolving,
  resolveLate,
} from '../ledger/credits/operator-actions.ts';
import type { ReasonedAct } from '../ledger/log/log.ts';
import type { Trx } from '../ledger/store/open.ts';
import { call, field, type Message, message } from '../lib/message.ts';
import { keepsFromLnbits } from '../lnbits/answer.ts';
import { type CreditsShown, creditsShown, judgeCreditWord } from '../payouts/credit-evidence.ts';
import { cameLate } from '../payouts/late-credits.ts';
import { openSourceWallet } from '../payouts/session.ts';
import { creditView, resolveCreditPreview, viewOfCredit } from '../views/credits.ts';
import { LNBITS } from './errors.ts';
import { creditId } from './ids.ts';
import { assertSameDigest, type Context, digestOf, operation, withReason } from './operation.ts';
import { untilNothingIsUnderWay } from './under-way.ts';

/*
 * The operator decides what became of a credit, like a payment in resolve-payout.ts. The decision is compared with what
 * the source wallet shows, and the lease is not held while the operator is asked.
 *
 * Errors of both: `usage/invalid` if nothing is left to decide or the payment is not of this credit, `payout/under-way`
 * within the quiet time, `credit/contradicted` if LNbits shows otherwise, and those of LNbits if the wallet cannot be
 * read and the decision would have it credited again. With a digest: `payout/changed` if the ledger or LNbits now shows
 * something else.
 */

const input = z.strictObject({
  id: creditId,
  /** It is in the source wallet. */
  credited: z.boolean().default(false),
  /** It is not, and never will be. */
  not_credited: z.boolean().default(false),
  /** Which “Admin credit” of the source wallet it is, or is not, by its hash. */
  payment: z.string().optional(),
});

export const previewResolveCredit = operation({
  name: 'credits.preview_resolve',
  needs: 'lease',
  kind: 'credits resolve',
  may: [],
  errors: [...LNBITS, 'payout/under-way', 'credit/contradicted', 'ledger/wallet-differs'],
  reasoned: 'when-applied',
  input: input.transform(wordOf),
  view: resolveCreditPreview,
  run: async (context, word) => {
    const { question, digest } = await readEvidence(context, word, undefined);
    return { question, digest };
  },
});

/** Without a digest there was no preview, so if the wallet cannot be read, the error contains the question. */
export const resolveCredit = operation({
  name: 'credits.resolve',
  needs: 'lease',
  kind: 'credits resolve',
  may: [],
  errors: [...LNBITS, 'payout/under-way', 'credit/contradicted', 'payout/changed', 'ledger/wallet-differs'],
  reasoned: true,
  input: input
    .extend({ digest: z.string().optional() })
    .transform((given) => ({ ...wordOf(given), digest: given.digest })),
  view: creditView,
  run: async (context, { digest, ...word }) => {
    const { tell } = context;
    const evidence = await readEvidence(context, word, digest);
    const { credit, shown, question } = evidence;
    if (digest === undefined && shown === null && credit.sent_at !== null) await tell(question);
    return context.write(async (trx) => {
      await write(trx, { ...withReason(context.who), at: context.clock.now() }, word, evidence);
      return viewOfCredit(await findCredit(trx, word.id));
    });
  },
});

/** The operator's decision: it is in the source wallet, or it never will be. */
interface CreditDecision {
  id: bigint;
  credited: boolean;
  payment: string | null;
}

function wordOf({ id, credited, not_credited, payment: named }: z.output<typeof input>): CreditDecision {
  const payment = named?.trim().toLowerCase() ?? null;
  if (credited === not_credited) {
    throw new BridgeError(
      'usage/invalid',
      message`${field('credited')}, ${field('not_credited')}: one of them must be given.`,
      'State what became of the credit.',
    );
  }
  if (payment !== null && !/^[0-9a-f]{64}$/.test(payment)) {
    throw invalid(
      'payment',
      `${JSON.stringify(payment)} is not a payment hash`,
      'It has 64 hexadecimal digits.',
    );
  }
  return { id, credited, payment };
}

/** What the decision was compared with. */
interface CreditEvidence {
  credit: CreditRow;
  /** Null: it was never sent, so there is nothing to look for; or the wallet could not be read. */
  shown: CreditsShown | null;
  /** The payment by which it is known from then on. */
  hash: string | null;
  question: Message;
  /** Of the ledger's part and of what LNbits shows. */
  digest: string;
}

async function readEvidence(
  context: Context,
  word: CreditDecision,
  agreed: string | undefined,
): Promise<CreditEvidence> {
  const { ledger, config, clock } = context;
  const { id, credited, payment } = word;
  const credit = await findCredit(ledger.db, id);
  const recorded = digestOf({ word, credit: [credit.state, credit.sent_at, credit.reason] });
  // Before LNbits is looked at: of a credit that was sent meanwhile, something may be under way.
  assertSameDigest(recorded, agreed?.split('.')[0], () => changed(id));
  const { quietMs } = config.payouts;
  refuseResolving(credit, { credited, quietMs, now: clock.now() });
  // The preview waited for the quiet time, and nothing was sent since.
  if (!credited && agreed === undefined) await untilNothingIsUnderWay(context, credit.sent_at, quietMs);
  const seen = (shown: CreditsShown | null) => {
    const digest = `${recorded}.${digestOf(shown)}`;
    assertSameDigest(digest, agreed, () => changed(id));
    return { credit, shown, digest };
  };
  if (credit.state === 'intended') {
    if (payment !== null)
      throw wrongState('payment', 'the credit was never sent, so it has no payment', 'Leave it out.');
    return { ...seen(null), hash: null, question: question(credit, credited) };
  }
  const shown = await readWallet(context, credit);
  if (shown instanceof BridgeError) {
    if (!credited || credit.state === 'dropped') throw shown;
    const which = payment === null ? 'Whether it is there' : `Whether ${payment} is that credit`;
    const both = message`${which} cannot be seen (${shown.sentence}). ${question(credit, credited)}`;
    return { ...seen(null), hash: payment, question: both };
  }
  const evidence = seen(shown);
  if (payment !== null && !shown.possible.includes(payment)) throw notThisOne(credit, payment, shown);
  if (credit.state === 'dropped') {
    const hash = whichCame(credit, shown, word);
    return { ...evidence, hash, question: questionOfLate(credit, hash, credited) };
  }
  const why = judgeCreditWord(shown, { id: `c${id}`, credited, payment, sent: credit.sent_at !== null });
  if (why !== null) {
    throw new BridgeError(
      'credit/contradicted',
      `credit c${id} of ${formatSats(credit.sats)} cannot be called ${credited ? 'credited' : 'not credited'}: ${why.because}`,
      why.wayOut,
    );
  }
  const [only, another] = shown.possible;
  const hash = credited ? (payment ?? (another === undefined ? (only ?? null) : null)) : null;
  return { ...evidence, hash, question: question(credit, credited) };
}

async function write(
  trx: Trx,
  act: ReasonedAct,
  { credited }: CreditDecision,
  { credit, shown, hash }: CreditEvidence,
): Promise<void> {
  if (credit.state === 'dropped' && hash !== null) {
    const late = { credit, hash, shown: cameLate(credit), credited };
    await resolveLate(trx, act, late);
    return;
  }
  const seen = shown?.all.map(({ hash: one }) => one) ?? null;
  await recordResolution(trx, act, { credit, credited, payment: hash, seen });
}

/** Of one that was dropped: which payment came late. Throws if LNbits shows none, or several and none is named. */
function whichCame(
  { id }: CreditRow,
  { possible }: CreditsShown,
  { payment, credited }: Pick<CreditDecision, 'payment' | 'credited'>,
): string {
  const [only, another] = possible;
  if (only === undefined) {
    throw wrongState(
      'id',
      `credit c${id} is dropped, and the source wallet shows none of it`,
      'There is nothing left to resolve.',
    );
  }
  if (payment !== null) return payment;
  if (credited && another === undefined) return only;
  throw invalid(
    'payment',
    `no payment was given for the “Admin credit” that is ${credited ? '' : 'not '}c${id}`,
    message`Give it: ${orOf(possible.map((hash) => message`${field('payment')} ${hash}`))}.`,
  );
}

function orOf([first = message``, ...others]: Message[]): Message {
  return others.reduce((all, one) => message`${all}, or ${one}`, first);
}

function questionOfLate(credit: CreditRow, hash: string, credited: boolean): Message {
  const what = `Credit c${credit.id} of ${formatSats(credit.sats)} was dropped, and the source wallet shows ${hash}.`;
  return credited
    ? message`${what} Record it as credited, so that LNbits owes these sats?`
    : message`${what} Record that it is another one, or was taken back?`;
}

function changed(id: bigint): BridgeError {
  return new BridgeError(
    'payout/changed',
    `what LNbits or the ledger show of credit c${id} changed while you were asked`,
    message`Nothing was written. See its present state: ${call('credits.show', { id: `c${id}` })}`,
  );
}

function notThisOne(credit: CreditRow, payment: string, { possible }: CreditsShown): BridgeError {
  const id = `c${credit.id}`;
  const notMade = call('credits.resolve', { id, not_credited: true, reason: null });
  return notFound(
    'payment',
    `${payment} is not ${id}, which is an “Admin credit” of ${formatSats(credit.sats)} in the source wallet, since its cash-outs, of which no other credit is known`,
    possible.length === 0
      ? message`LNbits shows none. If it was not made: ${notMade}`
      : `It can be ${possible.join(' or ')}`,
  );
}

function question(credit: CreditRow, credited: boolean): Message {
  const { id, state, reason } = credit;
  const what = `Credit c${id} of ${formatSats(credit.sats)}`;
  if (state === 'intended')
    return message`${what} was never sent. Give it up? With crediting on, the next run credits what is still to be paid of its cash-outs.`;
  const why = reason === null ? state : `${state}: ${reason}`;
  return credited
    ? message`${what} is ${why}. Record it as credited, so it is not credited again?`
    : message`${what} is ${why}. Record it as not credited, so that LNbits is asked for these sats again?`;
}

/** What the source wallet shows of such credits, or why it cannot be read. */
async function readWallet(
  { config: { lnbits: settings }, ledger }: Context,
  credit: CreditRow,
): Promise<CreditsShown | BridgeError> {
  try {
    const { lnbits, sourceWallet } = await openSourceWallet(settings, settings.sourceWalletKey, ledger.clock);
    try {
      if (sourceWallet.walletId === credit.wallet_id)
        return await creditsShown({ db: ledger.db, lnbits, key: sourceWallet.key }, credit);
      return new BridgeError(
        'ledger/wallet-differs',
        `credit c${credit.id} is of another source wallet, ${credit.wallet_id}`,
        'Resolve it with a copy of config.toml that has the key of that wallet as [lnbits] source_wallet_key.',
      );
    } finally {
      await lnbits.close();
    }
  } catch (error) {
    if (keepsFromLnbits(error)) return error;
    throw error;
  }
}
