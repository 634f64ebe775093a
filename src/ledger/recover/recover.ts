import { formatDecimal, sum } from '../../dca/money.ts';
import { record } from '../log/log.ts';
import { movePayout, type PayoutStep, partsOf } from '../payouts/payouts.ts';
import type { Trx } from '../store/open.ts';
import type { PayoutState } from '../store/schema.ts';
import { syncIdentity } from '../store/tables.ts';
import { formAgain } from './form-again.ts';
import { putBackPart } from './payments.ts';
import { splitAgain } from './split-again.ts';
import { Differs, type Lost, type Misfit, paidText, type RecoverOptions } from './unknown-payments.ts';

export type { Lost, Misfit } from './unknown-payments.ts';

export interface Restored {
  payout: bigint;
  recipient: string;
  sats: bigint;
  state: PayoutState;
  payments: string[];
}

export interface RecoverReport {
  /** Payments that LNbits shows and the ledger did not know. */
  payments: number;
  /** Cash-outs that were read and distributed again. */
  cashOuts: number;
  restored: Restored[];
  /** Credits of the source wallet that the lost ledger may have made already: held. */
  heldCredits: number;
  /** Payments that do not fit; then nothing was written. */
  misfits: Misfit[];
  /** Runs that LNbits shows and the ledger did not know. They no longer count as another copy in use. */
  claims: number;
  /** Payments with this ledger's id that it did not send; nothing is done about them. */
  foreign: number;
  /**
   * Whether the former source wallets are accounted for: clients' wallets are no longer searched for their payments.
   */
  accounted: boolean;
}

/**
 * Books payments that a lost ledger made: payouts are formed again from the same cash-outs, with the same numbers,
 * parts and hashes. What was paid must equal what the ledger owes, to the sat. Otherwise the answer has a misfit, and
 * the caller has to roll everything back.
 */
export async function putBack(
  trx: Trx,
  lost: Lost[],
  options: RecoverOptions,
): Promise<{ restored: Restored[]; misfits: Misfit[] }> {
  const restored: Restored[] = [];
  const misfits: Misfit[] = [];
  const groups = [...Map.groupBy(lost, (one) => one.payout).values()].sort(byCertainty);
  for (const group of groups) {
    try {
      restored.push(await putBackPayout(trx, group, options));
    } catch (error) {
      if (!(error instanceof Differs)) throw error;
      misfits.push(error.misfit);
    }
  }
  await syncIdentity(trx, 'payouts');
  return { restored, misfits };
}

/** Payouts that name all their cash-outs come first; the others take from the rest. */
function byCertainty([a]: Lost[], [b]: Lost[]): number {
  if (!a || !b) return 0;
  const cut = (one: Lost) => (one.cashOutsCount > one.cashOuts.length ? 1 : 0);
  return cut(a) - cut(b) || (a.payout < b.payout ? -1 : 1);
}

async function putBackPayout(trx: Trx, group: Lost[], options: RecoverOptions): Promise<Restored> {
  const [first] = group;
  if (!first) throw new Error('a payout without payments');
  const what = `p${first.payout} for ${first.recipient}`;
  const recipient = await trx
    .selectFrom('recipients')
    .select(['id', 'kind', 'wallet_id'])
    .where('name', '=', first.recipient)
    .executeTakeFirst();
  if (!recipient) {
    throw new Differs(
      'recover/recipient-unknown',
      what,
      `there is no recipient ${first.recipient}`,
      paidText(group),
      'Add the client with its wallet and its fundings (with their times as they were), or the commission recipient, and recover again.',
    );
  }
  const known = await trx
    .selectFrom('payouts')
    .innerJoin('currencies', 'currencies.code', 'payouts.currency')
    .selectAll('payouts')
    .select('currencies.digits')
    .where('payouts.id', '=', first.payout)
    .executeTakeFirst();
  let heldFor: string | null = null;
  if (!known) {
    heldFor = await formAgain(trx, { what, group, first, recipient }, options);
  } else {
    const same = [recipient.id, first.currency, first.fiat].join(' ');
    const its = [known.recipient_id, known.currency, formatDecimal(known.fiat, Number(known.digits))].join(
      ' ',
    );
    if (same !== its) {
      throw new Differs(
        'recover/payout-differs',
        what,
        `p${known.id} is ${known.sats} sat for ${formatDecimal(known.fiat, Number(known.digits))} ${known.currency} of recipient ${known.recipient_id}`,
        paidText(group),
        'Payouts were formed on this ledger after it was restored. Restore the backup once more, and recover before anything else.',
      );
    }
    await splitAgain(trx, known.id, group, options);
  }
  for (const [part, tries] of Map.groupBy(group, (one) => one.part)) {
    const lost = { what, part, tries, walletId: recipient.wallet_id, heldFor };
    heldFor = (await putBackPart(trx, lost, options)) ?? heldFor;
  }
  const { sats, state } = await conclude(
    trx,
    first.payout,
    heldFor ?? (known?.state === 'held' ? known.reason : null),
  );
  const payments = group.map((one) => one.hash);
  await record(trx, options.act, {
    action: 'payout recovered',
    subject: `p${first.payout}`,
    before: known ? { state: known.state } : undefined,
    after: { state, sats, payments },
  });
  return { payout: first.payout, recipient: first.recipient, sats, state, payments };
}

/** Sets the state of the payout, by its payments. */
async function conclude(
  trx: Trx,
  payout: bigint,
  heldFor: string | null,
): Promise<{ sats: bigint; state: PayoutState }> {
  const parts = await partsOf(trx, payout);
  const times = parts.flatMap(({ payment }) =>
    payment?.state === 'settled' && payment.settled_at ? [payment.settled_at] : [],
  );
  const open = parts.some(({ payment }) => payment?.state === 'unknown' || payment?.state === 'sending');
  const newest = times.length === parts.length ? times.sort().at(-1) : undefined;
  const step: PayoutStep =
    newest !== undefined
      ? { state: 'settled', at: newest }
      : heldFor !== null
        ? { state: 'held', reason: heldFor }
        : open
          ? { state: 'unknown', reason: 'recovered from LNbits' }
          : { state: 'paying' };
  const from: PayoutState[] = ['planned', 'paying', 'deferred', 'unknown', 'held', 'settled'];
  await movePayout(trx, payout, from, step);
  return { sats: sum(parts.map((one) => one.sats)), state: step.state };
}
