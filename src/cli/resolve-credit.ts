import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';
import {
  type CreditView,
  findCredit,
  refuseResolving,
  resolveCredit,
  resolveLate,
} from '../ledger/credits/operator-actions.ts';
import type { Run } from '../ledger/runs/lease.ts';
import { withLease } from '../ledger/runs/lease.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { type CreditsShown, creditsShown, judgeCreditWord } from '../payouts/credit-evidence.ts';
import { cameLate } from '../payouts/late-credits.ts';
import { openSourceWallet } from '../payouts/session.ts';
import { now } from '../time.ts';
import { type Cli, usage } from './context.ts';
import { clean, formatSats } from './print.ts';
import { untilNothingIsUnderWay } from './under-way.ts';
import { errorInWords } from './words.ts';

export interface ResolveCredit {
  cli: Cli;
  config: Config;
  ledger: Ledger;
  id: bigint;
  /** What the person says: it is in the source wallet; else it is not, and never will be. */
  credited: boolean;
  /** Which “Admin credit” of the source wallet is meant, where the person says so. */
  payment: string | null;
  reason: string;
}

/** What a person's word was held against. */
interface Preview {
  credit: CreditView;
  /** Null: it was never sent, so there is nothing to look for; or nobody could look. */
  shown: CreditsShown | null;
  /** The payment by which it is known from then on. */
  hash: string | null;
  question: string;
}

/**
 * Records a person's word on a credit, as `resolveByHand` does on a payment. Nobody holds the lease while the person is
 * asked.
 *
 * Errors: `usage/invalid` where nothing is left to say or the payment is not of this credit, `payout/under-way` within
 * the quiet time, `credit/contradicted` where LNbits shows otherwise, `payout/changed` where it shows something else
 * after the question, and those of LNbits where nobody can look and the word would have it credited again.
 */
export async function resolveCreditByHand(deps: ResolveCredit): Promise<CreditView> {
  const { cli, ledger, id } = deps;
  const kind = 'credits resolve';
  const first = await withLease(ledger, { kind, actor: cli.actor }, async (run) => {
    const preview = await look(deps, run, null);
    if (!cli.globals.yes) return preview;
    if (preview.shown === null && preview.credit.sent_at !== null)
      process.stderr.write(`${preview.question}\n`);
    await write(deps, run, preview);
    return null;
  });
  if (first !== null) {
    await cli.confirm(first.question);
    await withLease(ledger, { kind, actor: cli.actor }, async (run) =>
      write(deps, run, await look(deps, run, first)),
    );
  }
  return findCredit(ledger.db, id);
}

async function look(deps: ResolveCredit, run: Run, agreed: Preview | null): Promise<Preview> {
  const { ledger, config, id, credited, payment } = deps;
  const credit = await findCredit(ledger.db, id);
  if (agreed !== null) refuseChanged(same(agreed.credit, credit), id);
  const { quietMs } = config.payouts;
  refuseResolving(credit, { credited, quietMs, now: now() });
  // Nothing was sent since the first look, which waited.
  if (!credited && agreed === null) await untilNothingIsUnderWay(run, credit.sent_at, quietMs);
  if (credit.state === 'intended' && payment !== null)
    throw usage('--payment: the credit was never sent, so it has no payment.', 'Leave it out.');
  if (credit.state === 'intended')
    return { credit, shown: null, hash: null, question: question(credit, credited) };
  const shown = await lookAtWallet(deps, credit);
  if (shown instanceof BridgeError) {
    if (!credited || credit.state === 'dropped') throw shown;
    if (agreed !== null) refuseChanged(agreed.shown === null, id);
    const which = payment === null ? 'Whether it is there' : `Whether ${payment} is that credit`;
    const asked = `${which} cannot be seen (${errorInWords(shown).message}). ${question(credit, credited)}`;
    return { credit, shown: null, hash: payment, question: asked };
  }
  if (agreed !== null) refuseChanged(JSON.stringify(agreed.shown) === JSON.stringify(shown), id);
  if (payment !== null && !shown.possible.includes(payment)) throw notThisOne(credit, payment, shown);
  if (credit.state === 'dropped') {
    const hash = whichCame(credit, shown, deps);
    return { credit, shown, hash, question: questionOfLate(credit, hash, credited) };
  }
  const why = judgeCreditWord(shown, { credited, payment, sent: credit.sent_at !== null });
  if (why !== null) {
    throw new BridgeError(
      'credit/contradicted',
      `credit c${id} of ${formatSats(credit.sats)} cannot be called ${credited ? 'credited' : 'not credited'}: ${why.because}`,
      why.wayOut(`aio-dca credits resolve c${id}`),
    );
  }
  const [only, another] = shown.possible;
  const hash = credited ? (payment ?? (another === undefined ? (only ?? null) : null)) : null;
  return { credit, shown, hash, question: question(credit, credited) };
}

async function write(
  { credited, reason }: ResolveCredit,
  run: Run,
  { credit, shown, hash }: Preview,
): Promise<void> {
  const seen = shown?.all.map(({ hash: one }) => one) ?? null;
  if (credit.state === 'dropped' && hash !== null) {
    const late = { credit, hash, shown: cameLate(credit), credited, reason };
    await run.write((trx) => resolveLate(trx, run.who, late, now()));
    return;
  }
  const resolution = { credit, credited, payment: hash, reason, seen };
  await run.write((trx) => resolveCredit(trx, run.who, resolution, now()));
}

/** Of one that was dropped: which payment came late. Throws where LNbits shows none, or several and none is named. */
function whichCame(
  { id }: CreditView,
  { possible }: CreditsShown,
  { payment, credited }: ResolveCredit,
): string {
  const [only, another] = possible;
  if (only === undefined) {
    throw usage(
      `ID: credit c${id} is dropped, and the source wallet shows none of it.`,
      'There is nothing left to resolve.',
    );
  }
  if (payment !== null) return payment;
  if (credited && another === undefined) return only;
  throw usage(
    `--payment: it was not said which “Admin credit” is ${credited ? '' : 'not '}c${id}.`,
    `Name it: ${possible.map((hash) => `--payment ${hash}`).join(', or ')}.`,
  );
}

function questionOfLate({ id, sats }: CreditView, hash: string, credited: boolean): string {
  const what = `Credit c${id} of ${formatSats(sats)} was dropped, and the source wallet shows ${hash}.`;
  return credited
    ? `${what} Record it as credited, so that LNbits owes these sats?`
    : `${what} Record that it is another one, or was taken back?`;
}

function same(one: CreditView, other: CreditView): boolean {
  return one.state === other.state && one.sent_at === other.sent_at && one.reason === other.reason;
}

function refuseChanged(unchanged: boolean, id: bigint): void {
  if (unchanged) return;
  throw new BridgeError(
    'payout/changed',
    `what LNbits or the ledger show of credit c${id} became something else while you were asked`,
    `Nothing was written. See what it is now: aio-dca credits show c${id}`,
  );
}

function notThisOne({ id, sats }: CreditView, payment: string, { possible }: CreditsShown): BridgeError {
  return usage(
    `--payment: ${payment} is not c${id}, which is an “Admin credit” of ${formatSats(sats)} in the source wallet, since its cash-outs, of which no other credit is known.`,
    possible.length === 0
      ? `LNbits shows none. Was it not made: aio-dca credits resolve c${id} --not-credited --reason "…"`
      : `It can be ${possible.join(' or ')}`,
  );
}

function question({ id, sats, state, reason }: CreditView, credited: boolean): string {
  if (state === 'intended')
    return `Credit c${id} of ${formatSats(sats)} was never sent. Give it up? With crediting on, the next run credits what is still to be paid of its cash-outs.`;
  const why = reason === null ? state : `${state}: ${clean(reason)}`;
  return credited
    ? `Credit c${id} of ${formatSats(sats)} is ${why}. Record it as credited, so that nobody credits it again?`
    : `Credit c${id} of ${formatSats(sats)} is ${why}. Record it as not credited, so that LNbits is asked for these sats again?`;
}

/** What the source wallet shows of such credits, or why nobody can look. */
async function lookAtWallet(
  { config: { lnbits: settings }, ledger }: ResolveCredit,
  credit: CreditView,
): Promise<CreditsShown | BridgeError> {
  try {
    const { lnbits, source } = await openSourceWallet(settings, settings.sourceWalletKey);
    try {
      if (source.walletId === credit.wallet_id)
        return await creditsShown({ db: ledger.db, lnbits, key: source.key }, credit);
      return new BridgeError(
        'ledger/wallet-differs',
        `credit c${credit.id} is of another source wallet, ${credit.wallet_id}`,
        'Say it with the key of that wallet in a copy of config.toml: aio-dca --config COPY credits resolve …',
      );
    } finally {
      await lnbits.close();
    }
  } catch (error) {
    if (error instanceof BridgeError && /^(lnbits|config)\//.test(error.code)) return error;
    throw error;
  }
}
