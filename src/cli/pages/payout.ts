import { groupDigits } from '../../dca/money.ts';
import type { PayoutDetail, PayoutView } from '../../ledger/views.ts';
import { clean, counted, formatFiat, formatSats, formatTime, table } from '../print.ts';

/** `payouts show --json` without its lists. */
export function payoutJson(row: PayoutView) {
  return {
    id: `p${row.id}`,
    recipient: row.recipient,
    kind: row.kind,
    state: row.state,
    reason: row.reason,
    sats: row.sats,
    settled_sats: row.settled,
    created_at: row.created_at,
    settled_at: row.settled_at,
    fee_msat: row.feeMsat,
  };
}

/** `payouts show --json`, as docs and scripts know it. */
export function payoutDetailJson({ payout, members, payments }: PayoutDetail) {
  return {
    ...payoutJson(payout),
    allocations: members.map(({ id }) => id.toString()),
    cash_outs: [...new Set(members.map((one) => one.cash_out_id))],
    payments: payments.map((row) => ({
      payment_hash: row.payment_hash,
      part: row.part,
      attempt: row.attempt,
      sats: row.sats,
      fee_msat: row.fee_msat,
      state: row.state,
      reason: row.reason,
      wallet_id: row.client_wallet_id,
      created_at: row.created_at,
      sent_at: row.sent_at,
      settled_at: row.settled_at,
    })),
  };
}

export function payoutTable(rows: PayoutView[], timezone: string): string {
  if (rows.length === 0) return 'No payouts.';
  return table(
    ['payout', 'to', 'state', 'sats', 'formed', 'why'],
    rows.map((row) => [
      `p${row.id}`,
      row.recipient,
      row.state,
      formatSats(row.sats),
      formatTime(row.created_at, timezone),
      row.reason,
    ]),
  );
}

/** One payout, for a person; hashes stand on lines of their own, to be copied whole. */
export function payoutPage({ payout, members, payments }: PayoutDetail, timezone: string): string {
  const when = (at: string) => formatTime(at, timezone);
  const what =
    payout.kind === 'client'
      ? `for ${formatFiat(payout.fiat, payout.digits, payout.currency)} of cash`
      : 'of commission';
  const cashOuts = new Set(members.map((one) => one.cash_out_id)).size;
  return [
    `p${payout.id}: ${formatSats(payout.sats)} to ${payout.recipient}, ${what} in ${counted(cashOuts, 'cash-out')}`,
    `${payout.state}${payout.reason === null ? '' : `: ${clean(payout.reason)}`}`,
    `Formed ${when(payout.created_at)}${payout.settled_at === null ? '' : `, settled ${when(payout.settled_at)}`}`,
    ...(payout.state !== 'settled' && payout.settled > 0n
      ? [`${formatSats(payout.settled)} have arrived.`]
      : []),
    ...payments.flatMap((row) => [
      '',
      `Payment ${row.payment_hash}`,
      `  ${formatSats(row.sats)}, part ${row.part}, attempt ${row.attempt}: ${row.state}${row.reason === null ? '' : `, ${clean(row.reason)}`}`,
      `  into wallet ${row.client_wallet_id}, invoiced ${when(row.created_at)}`,
      ...(row.sent_at === null ? [] : [`  sent ${when(row.sent_at)}`]),
      ...(row.settled_at === null ? [] : [`  settled ${when(row.settled_at)}`]),
      ...(row.fee_msat === 0n
        ? []
        : [`  LNbits took ${groupDigits(row.fee_msat)} msat on top as its service fee`]),
    ]),
    ...(payout.feeMsat > 0n && payments.length > 1
      ? ['', `LNbits took ${groupDigits(payout.feeMsat)} msat on top of it as its service fee.`]
      : []),
    ...(payments.length === 0 ? ['No payment yet.'] : []),
    ...nextSteps(payout, payments),
  ].join('\n');
}

function nextSteps({ id, state }: PayoutView, payments: PayoutDetail['payments']): string[] {
  if (state === 'unknown') return ['', 'The next run looks again: aio-dca poll'];
  if (state !== 'held') return [];
  const open = payments.filter(({ state: of }) => of !== 'settled' && of !== 'dead');
  const which = open.length > 1 ? ' --payment HASH' : '';
  const steps = [
    [`aio-dca payouts release p${id}`, 'let the next run look and go on'],
    ...(open.length === 0
      ? []
      : [
          [`aio-dca payouts resolve p${id}${which} --paid --reason TEXT`, 'it arrived'],
          [`aio-dca payouts resolve p${id}${which} --not-paid --reason TEXT`, 'it never will: pay it again'],
        ]),
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length)) + 2;
  return ['', 'A person decides:', ...steps.map(([command, what]) => `  ${command.padEnd(width)}${what}`)];
}
