import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import { type JudgingConfig, judgingOf } from '../judging/judging.ts';
import { openSource } from '../lamassu/source.ts';
import { markOf } from '../ledger/cash-outs/watermark.ts';
import { creditsIn } from '../ledger/credits/credits.ts';
import type { Asker } from '../ledger/log/log.ts';
import { anyOpenPayment } from '../ledger/payouts/open-payouts.ts';
import { withLease } from '../ledger/runs/lease.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { bookFees } from '../payouts/service-fee.ts';
import { openSourceWallet, type SourceWallet } from '../payouts/session.ts';
import { reconcileCredits } from './credits.ts';
import { type ComparedRange, type Difference, Findings } from './findings.ts';
import { type Day, reconcileLamassu } from './lamassu.ts';
import { reconcileLnbits } from './lnbits.ts';

export interface Reconciliation {
  ok: boolean;
  /** How much was compared: rows, wallets, and the sats of the range on each side. */
  checked: Record<string, bigint>;
  differences: Difference[];
  /** The cash-outs of both sides, per day and machine. */
  days: Day[];
}

/**
 * Compares the ledger with LNbits and with Lamassu, to the sat. Changes nothing. What cannot be compared never counts
 * as equal: it is an error of LNbits, Lamassu or the ledger, or a difference of its own.
 *
 * Up to LNbits 1.3, reading a wallet's payments marks its unpaid invoices as failed. There it holds the lease while it
 * reads, and throws `run/busy`, or `reconcile/open` while payments are open.
 */
export async function reconcile(
  ledger: Ledger,
  config: JudgingConfig & Pick<Config, 'lnbits' | 'timezone'>,
  who: Asker,
  range: ComparedRange,
): Promise<Reconciliation> {
  const { clock } = ledger;
  const findings = new Findings();
  const wallet = await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey, clock);
  try {
    if (wallet.looksArePure) await reconcileWallets(ledger, wallet, range, findings);
    else {
      await withLease(ledger, { kind: 'reconcile', who }, async () => {
        await refuseOpen(ledger.db);
        await reconcileWallets(ledger, wallet, range, findings);
      });
    }
  } finally {
    await wallet.lnbits.close();
  }
  const processedBefore = clock.now();
  const mark = await markOf(ledger.db, config.lamassu.name);
  const judging = { ...(await judgingOf(config, ledger.db)), withNotesOfProcessed: true };
  const source = await openSource(config.lamassu, clock, judging);
  try {
    const { timezone } = config;
    const { rules } = judging;
    const options = { rules, timezone, range, mark, processedBefore };
    const days = await reconcileLamassu(ledger.db, source, options, findings);
    const { checked, differences } = findings;
    return { ok: differences.length === 0, checked, differences, days };
  } finally {
    await source.close();
  }
}

/** Books the service fee that LNbits shows for every payment from the source wallet. */
export async function bookEachFee(ledger: Ledger, config: Pick<Config, 'lnbits'>, who: Asker): Promise<void> {
  const { clock } = ledger;
  const { lnbits, sourceWallet } = await openSourceWallet(
    config.lnbits,
    config.lnbits.sourceWalletKey,
    clock,
  );
  try {
    await withLease(ledger, { kind: 'reconcile', who }, async (run) => {
      for await (const page of lnbits.tagged(sourceWallet.key, 'aio-dca'))
        await bookFees({ ledger, clock, run }, page);
    });
  } finally {
    await lnbits.close();
  }
}

async function reconcileWallets(
  ledger: Ledger,
  wallet: SourceWallet,
  range: ComparedRange,
  findings: Findings,
): Promise<void> {
  await reconcileLnbits(ledger, wallet, range, findings);
  await reconcileCredits(ledger.db, wallet, range, findings);
}

/** Before LNbits 1.4, reading a wallet changes its open invoices, so nothing may be open. */
async function refuseOpen(db: Db): Promise<void> {
  const open = await anyOpenPayment(db);
  const [credit] = await creditsIn(db, ['sending', 'unknown']);
  if (credit) {
    throw new BridgeError(
      'reconcile/open',
      `the outcome of credit c${credit.id} is not known yet, and on this LNbits, reading the source wallet could change it`,
      message`Run ${call('poll')} until nothing is open (${call('credits.list')}), or upgrade LNbits to 1.4.`,
    );
  }
  if (open) {
    throw new BridgeError(
      'reconcile/open',
      `a payment of p${open.payout_id} is open, and on this LNbits, reading the wallets would change its invoice`,
      message`Run ${call('poll')} until nothing is open (${call('payouts.list')}), or upgrade LNbits to 1.4.`,
    );
  }
}
