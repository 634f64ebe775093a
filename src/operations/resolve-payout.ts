import * as z from 'zod';
import { formatSats } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { findCase, openPayment, resolvePayment } from '../ledger/payouts/operator-actions.ts';
import type { Payment } from '../ledger/payouts/payouts.ts';
import type { Db } from '../ledger/store/open.ts';
import { call, field, type Message, message } from '../lib/message.ts';
import { keepsFromLnbits } from '../lnbits/answer.ts';
import { LnbitsClient } from '../lnbits/wallet-client.ts';
import { LnbitsDestination } from '../payouts/lnbits-destination.ts';
import { bothSides, clientShows, judgeWord, type Shown, sidesInWords, UNREAD } from '../payouts/resolve.ts';
import { openSourceWallet } from '../payouts/session.ts';
import { type Instant, plus } from '../time.ts';
import { payoutDetailView, resolvePreview } from '../views/payouts.ts';
import { LNBITS } from './errors.ts';
import { payoutId } from './ids.ts';
import { assertSameDigest, type Context, digestOf, operation, withReason } from './operation.ts';
import { payoutOf } from './payouts.ts';
import { untilNothingIsUnderWay } from './under-way.ts';

/*
 * The operator decides what became of a payment. First both wallets are read. If they contradict the decision, it is
 * refused; if they leave it open, the operator is asked. The lease is not held meanwhile, so the wallets are read again
 * before the decision is recorded.
 *
 * Errors of both: `usage/invalid` if nothing of the payout is open, `payout/under-way` within the quiet time,
 * `payout/contradicted` if the wallets show otherwise, and those of LNbits if the wallets cannot be read and the
 * decision would have it paid again. With a digest: `payout/changed` if the ledger or the wallets now show something
 * else.
 */

const input = z.strictObject({
  id: payoutId,
  /** The hash of the payment, if several are open. */
  payment: z.string().optional(),
  /** It arrived. */
  paid: z.boolean().default(false),
  /** It did not, and never will. */
  not_paid: z.boolean().default(false),
});

export const previewResolvePayout = operation({
  name: 'payouts.preview_resolve',
  needs: 'lease',
  kind: 'payouts resolve',
  may: [],
  errors: [...LNBITS, 'payout/under-way', 'payout/contradicted', 'ledger/wallet-differs'],
  reasoned: 'when-applied',
  input: input.transform(wordOf),
  view: resolvePreview,
  run: async (context, word) => {
    const { payment, shown, question, digest } = await readEvidence(context, word, undefined);
    const { payment_hash, sats } = payment;
    return { payment_hash, sats, source: shown.sourceWallet, client: shown.client, question, digest };
  },
});

export const resolvePayout = operation({
  name: 'payouts.resolve',
  needs: 'lease',
  kind: 'payouts resolve',
  may: [],
  errors: [...LNBITS, 'payout/under-way', 'payout/contradicted', 'payout/changed', 'ledger/wallet-differs'],
  reasoned: true,
  input: input
    .extend({ digest: z.string().optional() })
    .transform((given) => ({ ...wordOf(given), digest: given.digest })),
  view: payoutDetailView,
  run: async (context, { digest, ...word }) => {
    const act = withReason(context.who);
    const { payment, shown } = await readEvidence(context, word, digest);
    const resolution = {
      ...{ payout: word.id, payment, paid: word.paid, seen: shown.sourceWallet !== 'unread' },
      shown: shown.sourceWallet === 'success' ? sidesInWords(shown) : undefined,
    };
    return context.write(async (trx) => {
      await resolvePayment(trx, { ...act, at: context.clock.now() }, resolution);
      return payoutOf(trx, word.id);
    });
  },
});

/** The operator's decision: it arrived, or it never will. */
interface PaymentDecision {
  id: bigint;
  hash: string | undefined;
  paid: boolean;
}

function wordOf({ id, payment, paid, not_paid }: z.output<typeof input>): PaymentDecision {
  if (paid === not_paid) {
    const what = paid ? 'only one of them can be true' : 'one of them must be given';
    throw new BridgeError(
      'usage/invalid',
      message`${field('paid')}, ${field('not_paid')}: ${what}.`,
      'State what became of the payment.',
    );
  }
  return { id, hash: payment?.toLowerCase(), paid };
}

/** What the decision was compared with. */
interface PaymentEvidence {
  payment: Payment;
  shown: Shown;
  /** Null if both wallets confirm the decision. */
  question: Message | null;
  /** Of the ledger's part and of what the wallets show. */
  digest: string;
}

/** What the ledger and the wallets show, under the lease; `agreed` is the digest of what the operator agreed to. */
async function readEvidence(
  context: Context,
  { id, hash, paid }: PaymentDecision,
  agreed: string | undefined,
): Promise<PaymentEvidence> {
  const { config, ledger } = context;
  const found = await findCase(ledger.db, id);
  const payment = openPayment(found, hash);
  const recorded = digestOf({
    ...{ payout: [id, found.state, found.reason], paid },
    payment: [payment.id, payment.state, payment.sent_at],
  });
  // Before the wallets are looked at: of another payment, something may be under way, which a look could change.
  assertSameDigest(recorded, agreed?.split('.')[0], () => changed(id));
  const { quietMs } = config.payouts;
  refuseUnderWay(payment, context.clock.now(), quietMs);
  // The preview waited for the quiet time, and nothing was sent since.
  if (!paid && agreed === undefined) await untilNothingIsUnderWay(context, payment.sent_at, quietMs);
  const { shown, blind } = await readBoth(context, payment);
  if (blind !== null && !paid) throw blind;
  const digest = `${recorded}.${digestOf(shown)}`;
  assertSameDigest(digest, agreed, () => changed(id));
  const judgement = judgeWord(shown, paid);
  if (judgement === 'contradicts') throw contradicted(payment, shown, paid, await keyOf(ledger.db, payment));
  if (judgement === 'bears-out') return { payment, shown, question: null, digest };
  const seen =
    blind === null
      ? inWords(shown)
      : message`What the wallets show cannot be seen (${blind.sentence}).${alone(shown)}`;
  return { payment, shown, question: message`${seen} ${act(id, paid, payment)}`, digest };
}

/** What the client's wallet shows, where the source wallet's side could not be looked at. */
function alone({ client }: Shown): string {
  return client === 'unread' ? '' : ` The client’s shows it ${CLIENT[client]}.`;
}

function changed(id: bigint): BridgeError {
  return new BridgeError(
    'payout/changed',
    `what the wallets or the ledger show of p${id} changed while you were asked`,
    message`Nothing was written. See its present state: ${call('payouts.show', { id: `p${id}` })}`,
  );
}

function refuseUnderWay({ sent_at, payout_id }: Payment, now: Instant, quietMs: number): void {
  if (sent_at === null) return;
  const until = plus(sent_at, quietMs);
  if (until <= now) return;
  throw new BridgeError(
    'payout/under-way',
    `a payment of p${payout_id} was sent at ${sent_at}, and may still be under way at LNbits`,
    `It can be resolved after ${until}. The next run finds out what became of it.`,
  );
}

function act(id: bigint, paid: boolean, { sats }: Payment): string {
  const what = `${formatSats(sats)} of p${id}`;
  return paid
    ? `Record ${what} as paid, so they are not paid again?`
    : `Record ${what} as not paid, so they are paid again?`;
}

const SOURCE: Record<Shown['sourceWallet'], string> = {
  success: 'as paid',
  pending: 'as pending',
  failed: 'as failed',
  none: 'not at all',
  unseen: 'nothing, and its key is not shown what is there',
  unread: 'not known how',
};

const CLIENT: Record<Shown['client'], string> = {
  arrived: 'as arrived',
  pending: 'as pending',
  failed: 'as failed',
  nothing: 'with nothing credited',
  'wrong-amount': 'with another amount',
  none: 'not at all',
  unseen: 'nothing, and its key is not shown what is there',
  gone: 'nothing, for it does not answer to its key',
  unread: 'not known how',
};

function inWords({ sourceWallet, client }: Shown): string {
  return `LNbits shows this payment in the source wallet ${SOURCE[sourceWallet]}, in the client’s ${CLIENT[client]}.`;
}

function contradicted(payment: Payment, shown: Shown, paid: boolean, giveKey: Message | ''): BridgeError {
  return new BridgeError(
    'payout/contradicted',
    `payment ${payment.payment_hash} of p${payment.payout_id} cannot be called ${paid ? 'paid' : 'not paid'}: ${inWords(shown)}`,
    wayOut(payment.payout_id, shown, giveKey),
  );
}

/**
 * How the wallet of a payment is given a key that shows it; one that its recipient no longer has cannot be given one.
 */
async function keyOf(db: Db, { payout_id, client_wallet_id }: Payment): Promise<Message | ''> {
  const { name, kind, wallet_id } = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['recipients.name', 'recipients.kind', 'recipients.wallet_id'])
    .where('payouts.id', '=', payout_id)
    .executeTakeFirstOrThrow();
  if (wallet_id !== client_wallet_id) return '';
  const operation = kind === 'client' ? 'clients.set' : 'commission.set';
  return message`Give a key that shows the wallet: ${call(operation, { name, wallet_key: null })}. `;
}

/** The way out after a refused decision, by what the wallets show. */
function wayOut(payout: bigint, { sourceWallet, client }: Shown, giveKey: Message | ''): string | Message {
  const id = `p${payout}`;
  const release = call('payouts.release', { id });
  const paid = call('payouts.resolve', { id, paid: true, reason: null });
  const notPaid = call('payouts.resolve', { id, not_paid: true, reason: null });
  if (sourceWallet === 'pending')
    return message`LNbits is still working on it. The next run looks again: ${call('poll')}`;
  if (sourceWallet === 'unseen' || sourceWallet === 'unread')
    return 'Configure a key of the source wallet that may view its payments, then decide again.';
  if (client === 'arrived') {
    return sourceWallet === 'success'
      ? message`Let the next run settle it: ${release}`
      : message`It arrived: ${paid}`;
  }
  if (client === 'wrong-amount') {
    return sourceWallet === 'success'
      ? message`Settle the difference with the client, then: ${paid}`
      : message`None of it left the source wallet; what the client has came from elsewhere. Settle that with the client; then it is paid in full by: ${notPaid}`;
  }
  if (sourceWallet !== 'success') {
    const left = 'It did not leave the source wallet.';
    if (client === 'pending' || client === 'failed')
      return message`${left} Let the next run go on: ${release}`;
    const first =
      client === 'none' || client === 'nothing' ? '' : ' once the client has a wallet that answers';
    return message`${left} It is paid by a new invoice${first}: ${notPaid}`;
  }
  if (client === 'gone' || client === 'unseen')
    return message`${giveKey}A deleted wallet got the sats: a superuser can restore it. Otherwise it arrived: ${paid}`;
  if (client === 'pending')
    return 'LNbits may still credit it. Once it has expired, or LNbits was restarted, it shows the payment as failed, or as arrived.';
  return message`The client did not get it: ${notPaid}`;
}

/** What both wallets show; `blind`: why the source wallet could not be read. The client's wallet is read anyway. */
async function readBoth(
  { config, ledger }: Context,
  payment: Payment,
): Promise<{ shown: Shown; blind: BridgeError | null }> {
  let blind: BridgeError;
  try {
    const opened = await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey, ledger.clock);
    try {
      if (opened.sourceWallet.walletId === payment.source_wallet_id)
        return { shown: await bothSides({ ...opened, ledger }, payment), blind: null };
      blind = new BridgeError(
        'ledger/wallet-differs',
        `payment ${payment.payment_hash} was sent from another source wallet, ${payment.source_wallet_id}`,
        'Resolve it with a copy of config.toml that has the key of that wallet as [lnbits] source_wallet_key.',
      );
    } finally {
      await opened.lnbits.close();
    }
  } catch (error) {
    blind = orThrow(error);
  }
  const lnbits = new LnbitsClient(config.lnbits, ledger.clock);
  try {
    const destination = new LnbitsDestination(lnbits, config.lnbits.sourceWalletKey);
    const client = await clientShows({ lnbits, destination, ledger }, payment);
    return { shown: { sourceWallet: 'unread', client }, blind };
  } catch (error) {
    orThrow(error);
    return { shown: UNREAD, blind };
  } finally {
    await lnbits.close();
  }
}

/** The error, if LNbits or the way to it prevents reading; anything else is thrown. */
function orThrow(error: unknown): BridgeError {
  if (keepsFromLnbits(error)) return error;
  throw error;
}
