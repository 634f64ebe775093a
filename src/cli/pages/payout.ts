import type * as z from 'zod';
import { formatSats, groupDigits } from '../../dca/money.ts';
import { type Message, message } from '../../lib/message.ts';
import type {
  bookedOverpaidView,
  heldAllView,
  heldPayoutsView,
  overpaidView,
  PayoutDetailView,
  PayoutView,
  pauseView,
  releasedView,
} from '../../views/payouts.ts';
import { clean } from '../terminal/clean.ts';
import { counted, formatTime, shortId, withLocalTimes } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';
import { withLastReading } from './last-reading.ts';

export function payoutTable(rows: PayoutView[], timezone: string): string {
  if (rows.length === 0) return 'No payouts.';
  return table(
    ['payout', 'to', 'state', 'sats', 'formed', 'why'],
    rows.map((row) => [
      row.id,
      row.recipient,
      row.state,
      formatSats(row.sats),
      formatTime(row.created_at, timezone),
      row.reason,
    ]),
  );
}

/** One payout, for the terminal. Each hash has its own line, so it can be copied whole. */
export function payoutPage(payout: PayoutDetailView, timezone: string): string {
  const { payments } = payout;
  const when = (at: string) => formatTime(at, timezone);
  const what = payout.kind === 'client' ? `for ${cashOf(payout)} of cash` : 'of commission';
  return [
    `${payout.id}: ${formatSats(payout.sats)} to ${payout.recipient}, ${what} in ${counted(payout.cash_outs.length, 'cash-out')}`,
    `${payout.state}${payout.reason === null ? '' : `: ${clean(payout.reason)}`}`,
    `Formed ${when(payout.created_at)}${payout.settled_at === null ? '' : `, settled ${when(payout.settled_at)}`}`,
    ...(payout.state !== 'settled' && payout.settled_sats > 0n
      ? [`${formatSats(payout.settled_sats)} have arrived.`]
      : []),
    ...payments.flatMap((row) => [
      '',
      `Payment ${row.payment_hash}`,
      `  ${formatSats(row.sats)}, part ${row.part}, attempt ${row.attempt}: ${row.state}${row.reason === null ? '' : `, ${clean(row.reason)}`}`,
      `  into wallet ${row.wallet_id}, invoiced ${when(row.created_at)}`,
      ...(row.sent_at === null ? [] : [`  sent ${when(row.sent_at)}`]),
      ...(row.settled_at === null ? [] : [`  settled ${when(row.settled_at)}`]),
      ...(row.fee_msat === 0n
        ? []
        : [`  LNbits took ${groupDigits(row.fee_msat)} msat on top as its service fee`]),
    ]),
    ...(payout.fee_msat > 0n && payments.length > 1
      ? ['', `LNbits took ${groupDigits(payout.fee_msat)} msat on top of it as its service fee.`]
      : []),
    ...(payments.length === 0 ? ['No payment yet.'] : []),
    ...cashOutLines(payout),
    ...nextSteps(payout),
  ].join('\n');
}

const CASH_OUTS_NAMED = 8;

/** The cash-outs that it is for, by the characters that commands find them by. */
function cashOutLines({ cash_outs: ids }: PayoutDetailView): string[] {
  if (ids.length === 0) return [];
  const more = ids.length - CASH_OUTS_NAMED;
  const named = ids.slice(0, CASH_OUTS_NAMED).map(shortId).join(', ');
  return [
    '',
    wrapped(
      `Of ${ids.length === 1 ? 'cash-out' : 'cash-outs'} ${named}${more > 0 ? ` and ${more} more` : ''}`,
    ),
  ];
}

function nextSteps({ id, state, payments }: PayoutDetailView): string[] {
  if (state === 'unknown') return ['', 'The next run checks again: aio-dca poll'];
  if (state !== 'held') return [];
  const open = payments.filter(({ state: of }) => of !== 'settled' && of !== 'dead');
  const which = open.length > 1 ? ' --payment HASH' : '';
  const steps = [
    [`aio-dca payouts release ${id}`, 'let the next run check and continue'],
    ...(open.length === 0
      ? []
      : [
          [`aio-dca payouts resolve ${id}${which} --paid --reason TEXT`, 'it arrived'],
          [
            `aio-dca payouts resolve ${id}${which} --not-paid --reason TEXT`,
            'it never will, so pay it again',
          ],
        ]),
  ] as const;
  const width = Math.max(...steps.map(([command]) => command.length)) + 2;
  return ['', 'You decide:', ...steps.map(([command, what]) => `  ${command.padEnd(width)}${what}`)];
}

/** What happens next to a payout, by its state. */
const next: Record<PayoutView['state'], string> = {
  planned: 'The next run pays it: aio-dca poll',
  paying: 'The next run goes on with it: aio-dca poll',
  deferred: 'The next run tries again: aio-dca poll',
  unknown: 'The next run checks what became of its payment: aio-dca poll',
  held: 'Nothing more of it is paid until it is released.',
  settled: 'Nothing more of it is paid.',
};

/** A payout after a decision. */
export function statePage({ id, state }: PayoutView): string {
  return `Payout ${id} is ${state}. ${next[state]}`;
}

export function heldAllPage({
  held,
  due_sats: due = 0n,
  problem,
}: z.output<typeof heldAllView>): string | Message {
  if (held.length === 0 && due === 0n) return 'No payout is open, and nothing is due.';
  const open =
    held.length === 0
      ? 'No payout is open.'
      : `Held ${held.join(', ')}. Each goes on with \`aio-dca payouts release ID\`, all with \`release --all\`.`;
  if (due === 0n) return open;
  return message`${open}\nNot held: ${formatSats(due)} that are due and in no payout yet. None is formed before LNbits shows that this ledger is not an older copy (${problem?.message ?? ''}). \`aio-dca payouts pause\` stops them.`;
}

/** Null if nothing is held. */
export function releaseQuestion({ held }: z.output<typeof heldPayoutsView>) {
  if (held.length === 0) return null;
  const page = table(
    ['payout', 'recipient', 'amount', 'held because'],
    held.map((one) => [one.id, one.recipient, formatSats(one.sats), one.reason]),
  );
  return { page, question: `Release ${counted(held.length, 'payout')}?` };
}

/** `digest`: of what was shown before; empty if nothing was held then. */
export function releasedPayoutPage(
  { released }: z.output<typeof releasedView>,
  digest: string | undefined,
): string {
  if (released.length === 0)
    return digest ? 'Nothing was released: the held payouts changed meanwhile.' : 'No payout is held.';
  return `Released ${released.join(', ')}. The next run goes on with them: aio-dca poll`;
}

export function pausedPayoutsPage({ pause, changed }: z.output<typeof pauseView>, timezone: string): string {
  if (changed) return 'Paying is paused: recording goes on, nothing is sent until `aio-dca payouts resume`.';
  const already = `Paying was paused already, by ${pause?.by} since ${pause?.at}: ${pause?.reason}`;
  return withLocalTimes(already, timezone);
}

export function resumedPayoutsPage({ changed }: z.output<typeof pauseView>): string {
  return changed ? 'Paying goes on with the next run: aio-dca poll' : 'Paying was not paused.';
}

type OverpaidView = z.output<typeof overpaidView>;

/** The question before it is recorded. `funding`: the funding that the cash is subtracted from. */
export function overpaidQuestion(one: OverpaidView, funding: string | undefined): string {
  return funding === undefined
    ? `${tooMuch(one)}. Record it, and change nothing else?`
    : `${tooMuch(one)}. Take ${cashOf(one)} off ${funding}?`;
}

export function overpaidPage(
  { funding, lamassu, ...one }: z.output<typeof bookedOverpaidView>,
  timezone: string,
): string {
  if (funding === null) return `Recorded: ${tooMuch(one)}.`;
  const remaining = cashOf({ fiat: funding.remaining, currency: one.currency });
  const took = `Took ${cashOf(one)} off ${funding.id}: ${remaining} remain.`;
  return withLastReading({ id: funding.id, lamassu }, took, timezone);
}

function tooMuch(one: OverpaidView): string {
  return `${one.recipient} got ${formatSats(one.sats)} too much, at the price of ${one.payout} ${cashOf(one)}`;
}

function cashOf({ fiat, currency }: { fiat: string; currency: string }): string {
  return `${groupDigits(fiat)} ${currency}`;
}
