import type { Config } from '../config/load.ts';
import { groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { findCase, openPayment, resolvePayment } from '../ledger/decisions.ts';
import type { Run } from '../ledger/lease.ts';
import type { Db, Ledger } from '../ledger/open.ts';
import type { Payment } from '../ledger/payouts.ts';
import type { PayoutState } from '../ledger/schema.ts';
import { openSourceWallet } from '../payouts/context.ts';
import { bothSides, clientShows, judgeWord, type Shown, sidesInWords, UNREAD } from '../payouts/resolve.ts';
import { now, plus } from '../time.ts';
import { asRun } from './as-run.ts';
import type { Cli } from './context.ts';
import { untilNothingIsUnderWay } from './under-way.ts';

export interface Resolve {
  cli: Cli;
  config: Config;
  ledger: Ledger;
  id: bigint;
  /** Which payment, where several are open. */
  hash: string | undefined;
  /** What the person says: it arrived, or it never will. */
  paid: boolean;
  reason: string;
}

/** What a person's word was held against. */
interface Preview {
  payment: Payment;
  /** The payout's state, and why. */
  state: string;
  shown: Shown;
  /** Null where both wallets bear the word out. */
  question: string | null;
}

/**
 * Records a person's word on a payment. What both wallets show is looked at first: where it contradicts the word, the
 * word is refused, and where it leaves it open, the person is asked. Nobody holds the lease meanwhile, so it is looked
 * at again before it is written.
 *
 * Errors: `usage/invalid` where nothing of the payout is open, `payout/under-way` within the quiet time,
 * `payout/contradicted` where the wallets show otherwise, `payout/changed` where they show something else after the
 * question, and those of LNbits where nobody can look and the word would have it paid again.
 */
export async function resolveByHand(deps: Resolve): Promise<PayoutState> {
  const { cli, ledger } = deps;
  const kind = 'payouts resolve';
  const first = await asRun(ledger, cli, kind, async (run) => {
    const preview = await look(deps, run, null);
    if (preview.question !== null && !cli.globals.yes) return { preview };
    return { state: await write(deps, run, preview) };
  });
  if (first.preview === undefined) return first.state;
  const { preview } = first;
  await cli.confirm(preview.question ?? '');
  return asRun(ledger, cli, kind, async (run) => write(deps, run, await look(deps, run, preview)));
}

/** What the wallets show, under the lease; `agreed`: what the person has agreed to, which it must still be. */
async function look(deps: Resolve, run: Run, agreed: Preview | null): Promise<Preview> {
  const { config, ledger, id, hash, paid } = deps;
  const found = await findCase(ledger.db, id);
  const payment = openPayment(found, hash);
  const state = `${found.state}: ${found.reason}`;
  if (agreed !== null) refuseChanged(agreed.state === state && same(agreed.payment, payment), id);
  const { quietMs } = config.payouts;
  refuseUnderWay(payment, quietMs);
  // Nothing was sent since the first look, which waited.
  if (!paid && agreed === null) await untilNothingIsUnderWay(run, payment.sent_at, quietMs);
  const { shown, blind } = await lookAtBoth(deps, payment);
  if (blind !== null && !paid) throw blind;
  if (agreed !== null) {
    const { source, client } = agreed.shown;
    refuseChanged(source === shown.source && client === shown.client, id);
  }
  const judgement = judgeWord(shown, paid);
  if (judgement === 'contradicts') throw contradicted(payment, shown, paid, await setKey(ledger.db, payment));
  if (judgement === 'bears-out') return { payment, state, shown, question: null };
  const seen =
    blind === null
      ? inWords(shown)
      : `What the wallets show cannot be seen (${blind.message}).${alone(shown)}`;
  return { payment, state, shown, question: `${seen} ${act(deps, payment)}` };
}

/** What the client's wallet shows, where the source wallet's side could not be looked at. */
function alone({ client }: Shown): string {
  return client === 'unread' ? '' : ` The client’s shows it ${CLIENT[client]}.`;
}

function write({ id, paid, reason }: Resolve, run: Run, preview: Preview): Promise<PayoutState> {
  const { payment, shown } = preview;
  const known = shown.source === 'success' ? sidesInWords(shown) : undefined;
  const resolution = { payout: id, payment, paid, reason, seen: shown.source !== 'unread', shown: known };
  return run.write((trx) => resolvePayment(trx, run.who, resolution, now()));
}

function same(one: Payment, other: Payment): boolean {
  return one.id === other.id && one.state === other.state && one.sent_at === other.sent_at;
}

function refuseChanged(unchanged: boolean, id: bigint): void {
  if (unchanged) return;
  throw new BridgeError(
    'payout/changed',
    `what the wallets or the ledger show of p${id} became something else while you were asked`,
    `Nothing was written. See what it is now: aio-dca payouts show p${id}`,
  );
}

function refuseUnderWay({ sent_at, payout_id }: Payment, quietMs: number): void {
  if (sent_at === null) return;
  const until = plus(sent_at, quietMs);
  if (until <= now()) return;
  throw new BridgeError(
    'payout/under-way',
    `a payment of p${payout_id} was sent at ${sent_at}, and may still be under way at LNbits`,
    `What became of it can be said after ${until}. The next run finds out by itself.`,
  );
}

function act({ id, paid }: Resolve, { sats }: Payment): string {
  const what = `${groupDigits(sats)} sat of p${id}`;
  return paid
    ? `Record ${what} as paid, so that nobody pays them any more?`
    : `Record ${what} as not paid, so that they are paid again?`;
}

const SOURCE: Record<Shown['source'], string> = {
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

function inWords({ source, client }: Shown): string {
  return `LNbits shows this payment in the source wallet ${SOURCE[source]}, in the client’s ${CLIENT[client]}.`;
}

function contradicted(payment: Payment, shown: Shown, paid: boolean, setKey: string): BridgeError {
  return new BridgeError(
    'payout/contradicted',
    `payment ${payment.payment_hash} of p${payment.payout_id} cannot be called ${paid ? 'paid' : 'not paid'}: ${inWords(shown)}`,
    wayOut(payment.payout_id, shown, setKey),
  );
}

/** How the wallet of a payment is given a key that shows it; of one that nobody is paid into any more, nobody can. */
async function setKey(db: Db, { payout_id, client_wallet_id }: Payment): Promise<string> {
  const { name, kind, wallet_id } = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['recipients.name', 'recipients.kind', 'recipients.wallet_id'])
    .where('payouts.id', '=', payout_id)
    .executeTakeFirstOrThrow();
  if (wallet_id !== client_wallet_id) return '';
  const command = kind === 'client' ? 'clients' : 'commission';
  return `Give a key that shows the wallet: aio-dca ${command} set ${name} --wallet-key-file FILE. `;
}

/** What leads on where a word was refused: by what the wallets show. */
function wayOut(id: bigint, { source, client }: Shown, setKey: string): string {
  const release = `aio-dca payouts release p${id}`;
  if (source === 'pending') return 'LNbits is still at it. The next run looks again: aio-dca poll';
  if (source === 'unseen' || source === 'unread')
    return 'Configure a key of the source wallet that may view its payments, then say it again.';
  if (client === 'arrived')
    return source === 'success'
      ? `Let the next run settle it: ${release}`
      : `It arrived: aio-dca payouts resolve p${id} --paid --reason "…"`;
  const resolve = (word: string) => `aio-dca payouts resolve p${id} ${word} --reason "…"`;
  if (client === 'wrong-amount')
    return source === 'success'
      ? `Put the difference right with the client, then: ${resolve('--paid')}`
      : `None of it left the source wallet; what the client has came from elsewhere. Put that right with the client; then it is paid in full by: ${resolve('--not-paid')}`;
  if (source !== 'success') {
    const left = 'It did not leave the source wallet.';
    if (client === 'pending' || client === 'failed') return `${left} Let the next run go on: ${release}`;
    const first =
      client === 'none' || client === 'nothing' ? '' : ' once the client has a wallet that answers';
    return `${left} It is paid by a new invoice${first}: ${resolve('--not-paid')}`;
  }
  if (client === 'gone' || client === 'unseen')
    return `${setKey}A deleted wallet got the sats: a superuser can bring it back. Else it arrived: ${resolve('--paid')}`;
  if (client === 'pending')
    return 'LNbits may credit it yet. Once it has expired, or LNbits was restarted, it shows the payment as failed, or as arrived.';
  return `The client did not get it: aio-dca payouts resolve p${id} --not-paid --reason "…"`;
}

/** What both wallets show; `blind`: why nobody could look at the source wallet. The client's is looked at all the same. */
async function lookAtBoth(
  { config, ledger }: Resolve,
  payment: Payment,
): Promise<{ shown: Shown; blind: BridgeError | null }> {
  let blind: BridgeError;
  try {
    const opened = await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey);
    try {
      if (opened.source.walletId === payment.source_wallet_id)
        return { shown: await bothSides({ ...opened, ledger }, payment), blind: null };
      blind = new BridgeError(
        'ledger/wallet-differs',
        `payment ${payment.payment_hash} was sent from another source wallet, ${payment.source_wallet_id}`,
        'Say it with the key of that wallet in a copy of config.toml: aio-dca --config COPY payouts resolve …',
      );
    } finally {
      await opened.lnbits.close();
    }
  } catch (error) {
    blind = cannotLook(error);
  }
  const { LnbitsClient } = await import('../lnbits/client.ts');
  const lnbits = new LnbitsClient(config.lnbits);
  try {
    return { shown: { source: 'unread', client: await clientShows({ lnbits, ledger }, payment) }, blind };
  } catch (error) {
    cannotLook(error);
    return { shown: UNREAD, blind };
  } finally {
    await lnbits.close();
  }
}

/** Where it is LNbits, or how to reach it, that keeps anybody from looking; anything else is thrown. */
function cannotLook(error: unknown): BridgeError {
  if (error instanceof BridgeError && /^(lnbits|config)\//.test(error.code)) return error;
  throw error;
}
