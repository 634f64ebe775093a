import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';
import { openSource } from '../lamassu/source.ts';
import { creditsIn } from '../ledger/credits.ts';
import { startRun } from '../ledger/lease.ts';
import type { Ledger } from '../ledger/open.ts';
import { anyOpenPayment } from '../ledger/open-payouts.ts';
import { openSourceWallet, type SourceWallet } from '../payouts/context.ts';
import { bookFees } from '../payouts/service-fee.ts';
import { rulesOf } from '../scheduler/rules.ts';
import { markOf } from '../scheduler/setup.ts';
import { now } from '../time.ts';
import { reconcileCredits } from './credits.ts';
import { type Difference, Findings, type Range } from './findings.ts';
import { type Day, reconcileLamassu } from './lamassu.ts';
import { reconcileLnbits } from './lnbits.ts';

export interface Reconciliation {
  ok: boolean;
  /** How much was compared: rows, wallets, and the sats of the range on each side. */
  checked: Record<string, bigint>;
  differences: Difference[];
  /** What both call a cash-out, per day and machine. */
  days: Day[];
}

/**
 * The ledger against LNbits and against Lamassu, to the sat. Changes nothing. What could not be compared is never
 * taken for equal: it is an error of LNbits, Lamassu or the ledger, or a difference of its own.
 *
 * Up to LNbits 1.3 a look at a wallet marks its unpaid invoices as failed: there it holds the lease while it looks, and
 * throws `run/busy`, or `reconcile/open` while payments are open.
 */
export async function reconcile(
  ledger: Ledger,
  config: Config,
  actor: string,
  range: Range,
): Promise<Reconciliation> {
  const findings = new Findings();
  const wallet = await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey);
  try {
    if (wallet.looksArePure) await reconcileWallets(ledger, wallet, range, findings);
    else await underLease(ledger, actor, wallet, range, findings);
  } finally {
    await wallet.lnbits.close();
  }
  const processedBefore = now();
  const mark = await markOf(ledger.db, config.lamassu.name);
  const source = await openSource(config.lamassu);
  try {
    const { timezone } = config;
    const options = { rules: await rulesOf(config, ledger.db), timezone, range, mark, processedBefore };
    const days = await reconcileLamassu(ledger.db, source, options, findings);
    const { checked, differences } = findings;
    return { ok: differences.length === 0, checked, differences, days };
  } finally {
    await source.close();
  }
}

/** Books what LNbits shows as its service fee of every payment from the source wallet. */
export async function bookEachFee(ledger: Ledger, config: Config, actor: string): Promise<void> {
  const { lnbits, source } = await openSourceWallet(config.lnbits, config.lnbits.sourceWalletKey);
  try {
    const run = await startRun(ledger, 'reconcile', actor);
    try {
      for await (const page of lnbits.tagged(source.key, 'aio-dca')) await bookFees({ ledger, run }, page);
      await run.finish('ok', null);
    } catch (error) {
      await run.finish('failed', null).catch(() => {});
      throw error;
    }
  } finally {
    await lnbits.close();
  }
}

async function reconcileWallets(
  ledger: Ledger,
  wallet: SourceWallet,
  range: Range,
  findings: Findings,
): Promise<void> {
  await reconcileLnbits(ledger, wallet, range, findings);
  await reconcileCredits(ledger.db, wallet, range, findings);
}

async function underLease(
  ledger: Ledger,
  actor: string,
  wallet: SourceWallet,
  range: Range,
  findings: Findings,
): Promise<void> {
  const run = await startRun(ledger, 'reconcile', actor);
  try {
    const open = await anyOpenPayment(ledger.db);
    const [credit] = await creditsIn(ledger.db, ['sending', 'unknown']);
    if (credit) {
      throw new BridgeError(
        'reconcile/open',
        `what became of credit c${credit.id} is not known yet, and on this LNbits a look at the source wallet could change it`,
        'Run `aio-dca poll` until nothing is open (`aio-dca credits list`), or upgrade LNbits to 1.4.',
      );
    }
    if (open) {
      throw new BridgeError(
        'reconcile/open',
        `a payment of p${open.payout_id} is open, and on this LNbits a look at the wallets would change its invoice`,
        'Run `aio-dca poll` until nothing is open (`aio-dca payouts list`), or upgrade LNbits to 1.4.',
      );
    }
    await reconcileWallets(ledger, wallet, range, findings);
    await run.finish('ok', null);
  } catch (error) {
    await run.finish('failed', null).catch(() => {});
    throw error;
  }
}
