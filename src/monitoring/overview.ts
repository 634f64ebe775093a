import type { Config } from '../config/config.ts';
import { missing } from '../ledger/owed.ts';
import { dueGroups } from '../ledger/payouts/form.ts';
import { unsentSats } from '../ledger/payouts/open-payouts.ts';
import { ledgerStatus, type Status } from '../ledger/status.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { type FormConfig, formOptions } from '../scheduler/due.ts';
import { type Instant, plus } from '../time.ts';

/** The ledger at a glance, in satoshi; the configuration tells which sats without a payout are due. */
export interface Overview {
  /** Its `attention.aged` includes `overdue`: one for each payout that forming would make. */
  status: Status;
  /** Not due yet. */
  waiting: bigint;
  /** What a run would send now. */
  due: bigint;
  /** Due for longer than `[attention] payout_after` without a payout: paying is paused, or no run could form one. */
  overdue: { payouts: bigint; sats: bigint };
}

/** What the configuration says of what is due, late and missing. */
export type OverviewConfig = FormConfig & Pick<Config, 'attention' | 'lamassu' | 'lnbits'>;

export async function overview(
  { db, clock }: Ledger,
  config: OverviewConfig,
  at: Instant,
): Promise<Overview> {
  const agedBefore = plus(at, -config.attention.payoutAfterMs);
  const status = await ledgerStatus(db, {
    now: at,
    host: clock.host(),
    source: config.lamassu.name,
    staleBefore: plus(at, -config.attention.staleAfterMs),
    agedBefore,
    creditSource: config.lnbits.creditSource,
  });
  const due = await dueGroups(db, formOptions(config, 0n, at));
  const overdue = await dueGroups(db, formOptions(config, 0n, agedBefore), agedBefore);
  const { attention, owed } = status;
  return {
    status: { ...status, attention: { ...attention, aged: attention.aged + BigInt(overdue.length) } },
    waiting: owed.unformed - satsOf(due),
    due: (await unsentSats(db)) + satsOf(due),
    overdue: { payouts: BigInt(overdue.length), sats: satsOf(overdue) },
  };
}

/**
 * What the source wallet lacks for what is due now, in satoshi: until the operator tops it up, clients wait. Null if
 * its balance is not known. Held payouts do not count, for the operator decides first; nor do payments under way, for
 * LNbits may have debited them already.
 */
export function shortSats(
  { status, due }: Overview,
  sourceWallet: { balance: bigint } | { problem: unknown },
): bigint | null {
  if (!('balance' in sourceWallet)) return null;
  const { credits, fee, wantsMore } = status;
  return missing(due, { balance: sourceWallet.balance, toCome: credits.toCome, fee, wantsMore });
}

function satsOf(groups: { sats: bigint }[]): bigint {
  return groups.reduce((all, group) => all + group.sats, 0n);
}
