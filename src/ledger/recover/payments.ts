import { field, message } from '../../lib/message.ts';
import {
  markDead,
  movePayment,
  nextAttempt,
  nextPayment,
  type Payment,
  partsOf,
} from '../payouts/payouts.ts';
import type { Trx } from '../store/open.ts';
import { Differs, type Lost, type RecoverOptions } from './unknown-payments.ts';

/** A part of a payout with the payments that a lost ledger made of it. */
interface LostPart {
  /** The payout in words, for a misfit. */
  what: string;
  part: bigint;
  tries: Lost[];
  /** The recipient's present wallet. */
  walletId: string;
  /** Why the payout is held already; null: it is not. */
  heldFor: string | null;
}

/** Books the payments of one part, oldest first. If the part was paid twice, answers why the payout is held. */
export async function putBackPart(
  trx: Trx,
  { what, part, tries, walletId, heldFor }: LostPart,
  options: RecoverOptions,
): Promise<string | null> {
  const { payout } = tries[0] as Lost;
  const row = (await partsOf(trx, payout)).find((one) => one.part === part);
  const sats = tries[0]?.sats;
  if (!row || (row.sats !== sats && heldFor === null)) {
    throw new Differs(
      'recover/part-differs',
      `${what}, part ${part}`,
      row ? `${row.sats} sat` : 'no such part',
      `${sats} sat by ${tries[0]?.hash}`,
      'The ledger is not an older copy of the one that paid. Restore the right backup.',
    );
  }
  const live = row.payment;
  const paid = [
    ...(live && (live.state === 'settled' || options.paid.has(live.payment_hash)) ? [live.payment_hash] : []),
    ...tries.filter((one) => one.outcome !== 'failed').map((one) => one.hash),
  ];
  if (paid.length > 1 && !options.hold) {
    throw new Differs(
      'recover/paid-twice',
      `${what}, part ${part}`,
      'one payment',
      `paid by ${paid.join(' and ')}`,
      message`Look both up in LNbits. ${field('hold')} books them, and holds the payout for the operator to decide.`,
    );
  }
  if (live) await makeRoom(trx, live, options);
  const ordered = tries.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const winner = ordered.findLast((one) => one.outcome !== 'failed') ?? ordered.at(-1);
  // The last attempt counts.
  for (const one of [...ordered.filter((other) => other !== winner), ...(winner ? [winner] : [])])
    await addLost(
      trx,
      one,
      { row, walletId, live: one === winner, sure: heldFor === null && paid.length < 2 },
      options,
    );
  return paid.length > 1 ? `paid twice: ${paid.join(' and ')}` : null;
}

/** The lost ledger had given up this payment before it made the next one. */
async function makeRoom(trx: Trx, live: Payment, { act }: RecoverOptions): Promise<void> {
  if (live.state === 'settled')
    await movePayment(trx, live.id, ['settled'], { state: 'unknown', reason: null });
  await markDead(trx, act, live, 'LNbits shows a later payment of the same part');
}

async function addLost(
  trx: Trx,
  lost: Lost,
  {
    row,
    walletId,
    live,
    sure,
  }: { row: { part: bigint; sats: bigint }; walletId: string; live: boolean; sure: boolean },
  { act: { run } }: RecoverOptions,
): Promise<void> {
  const settled = live && sure && lost.outcome === 'settled';
  await trx
    .insertInto('payments')
    .values({
      id: await nextPayment(trx),
      payout_id: lost.payout,
      part: row.part,
      sats: row.sats,
      attempt: await nextAttempt(trx, lost.payout, row.part),
      payment_hash: lost.hash,
      bolt11: lost.bolt11 ?? `not shown by LNbits: ${lost.hash}`,
      client_wallet_id: lost.clientWallet ?? walletId,
      source_wallet_id: lost.sourceWallet,
      state: live ? (settled ? 'settled' : 'unknown') : 'dead',
      reason: settled ? null : `recovered from LNbits, which shows ${lost.sats} sat as ${lost.outcome}`,
      run_id: run,
      created_at: lost.at,
      sent_at: lost.at,
      settled_at: settled ? lost.at : null,
    })
    .execute();
}
