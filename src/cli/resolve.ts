import type { Config } from '../config/load.ts';
import { groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { findCase, openPayment, resolvePayment } from '../ledger/decisions.ts';
import type { Run } from '../ledger/lease.ts';
import type { Ledger } from '../ledger/open.ts';
import type { Payment } from '../ledger/payouts.ts';
import type { PayoutState } from '../ledger/schema.ts';
import { openSourceWallet } from '../payouts/context.ts';
import { bearsOut, bothSides, type Shown } from '../payouts/resolve.ts';
import { now, plus } from '../time.ts';
import type { Cli } from './context.ts';
import { untilNothingIsUnderWay } from './under-way.ts';

export interface Resolve {
  cli: Cli;
  config: Config;
  ledger: Ledger;
  /** Holds the lease: nobody else pays meanwhile. */
  run: Run;
  id: bigint;
  /** Which payment, where several are open. */
  hash: string | undefined;
  /** What the person says: it arrived, or it never will. */
  paid: boolean;
  reason: string;
}

/**
 * Records a person's word on a payment. What both wallets show is looked at first, and where it does not bear the
 * word out, or cannot be seen, the person is asked.
 *
 * Errors: `usage/invalid` where nothing of the payout is open, `payout/under-way` within the quiet time.
 */
export async function resolveByHand(deps: Resolve): Promise<PayoutState> {
  const { cli, config, ledger, run, id, hash, paid, reason } = deps;
  const payment = openPayment(await findCase(ledger.db, id), hash);
  const { quietMs } = config.payouts;
  refuseUnderWay(payment, quietMs);
  if (!paid) await untilNothingIsUnderWay(run, payment.sent_at, quietMs);
  const shown = await look(deps, payment);
  const doubt = doubtOf(shown, paid);
  if (doubt !== null) {
    const sats = `${groupDigits(payment.sats)} sat of p${id}`;
    const act = paid
      ? `Record ${sats} as paid, so that nobody pays them any more?`
      : `Record ${sats} as not paid, so that they are paid again?`;
    await cli.confirm(`${doubt} ${act}`);
  }
  return run.write((trx) => resolvePayment(trx, run.who, { payout: id, payment, paid, reason }, now()));
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

/** Why the person has to be asked once more; null where both wallets bear the word out. */
function doubtOf(shown: Shown | string, paid: boolean): string | null {
  if (typeof shown === 'string') return `What the wallets show cannot be seen (${shown}).`;
  if (bearsOut(shown, paid)) return null;
  return `LNbits shows something else: ${shown.source} on the source wallet's side, ${shown.client} on the client's.`;
}

/** What both wallets show, or why it cannot be seen. */
async function look({ config, ledger }: Resolve, payment: Payment): Promise<Shown | string> {
  try {
    const opened = await openSourceWallet(config.lnbits.url, config.lnbits.sourceWalletKey);
    try {
      if (opened.source.walletId !== payment.source_wallet_id)
        return 'it was sent from another source wallet';
      return await bothSides({ ...opened, ledger }, payment);
    } finally {
      await opened.lnbits.close();
    }
  } catch (error) {
    if (error instanceof BridgeError && /^(lnbits|config)\//.test(error.code)) return error.message;
    throw error;
  }
}
