import {
  formatCash,
  formatDecimal,
  formatSats,
  groupDigits,
  parseDecimal,
  percent,
  RATE_SCALE,
  sum,
} from '../../dca/money.ts';
import { call, type Message, message } from '../../lib/message.ts';
import type {
  AdjustedFundingView,
  CheckedFundingView,
  EnteredFundingView,
  FundingView,
  PastView,
  ShownFundingView,
} from '../../views/fundings.ts';
import { counted, formatMachine, formatTime, shortId } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { wrapped } from '../terminal/wrap.ts';
import { lastReadText, withLastReading } from './last-reading.ts';

export function fundingsPage(all: FundingView[], timezone: string): string {
  if (all.length === 0) return 'No fundings.';
  const rows = all.map((one) => [
    one.id,
    one.client,
    one.machine === null ? 'any' : formatMachine(one.machine, one.machine_name),
    cash(one, one.amount),
    groupDigits(one.remaining),
    one.rate === null ? null : rateOf(one.rate),
    one.status,
    one.deposited_at && formatTime(one.deposited_at, timezone).slice(0, 16),
  ]);
  return table(['id', 'client', 'machine', 'amount', 'remaining', 'rate', 'status', 'deposited'], rows);
}

/** One funding and its history. */
export function fundingPage(funding: ShownFundingView, timezone: string): string {
  const rows = funding.history.map((one) => {
    const at = formatTime(one.at, timezone);
    if (!('cash_out' in one)) {
      const what = [changeText(funding, one), one.reason].filter((text) => text !== null);
      return [at, `${one.action} by ${one.actor}`, what.join(': ')];
    }
    const bought = `${cash(funding, one.fiat)} for ${formatSats(one.net_sats)}`;
    return [at, `cash-out ${shortId(one.cash_out)}`, one.settled ? bought : `${bought}, not settled yet`];
  });
  return [
    wrapped(`${describe(funding, timezone)}: ${funding.status.replace('_', ' ')}.`),
    wrapped(
      `Remaining ${cash(funding, funding.remaining)}, spent ${cash(funding, funding.spent)}, withdrawn ${cash(funding, funding.withdrawn)}.`,
    ),
    table(['at', 'what', ''], rows),
  ].join('\n');
}

/** What a change did, from the values that the log has before and after it; null: nothing to tell. */
function changeText(funding: ShownFundingView, change: { before: unknown; after: unknown }): string | null {
  const [before, after] = [valuesOf(change.before), valuesOf(change.after)];
  const text = (amount: string | undefined) => (amount === undefined ? null : cash(funding, amount));
  const { amount, remaining, withdrawn, status, machine, deposited_at: since } = after;
  if (amount !== undefined && before.amount !== undefined && amount !== before.amount)
    return `${differenceText(funding, before.amount, amount)} to ${text(amount)}`;
  if (before.amount === undefined) return text(amount);
  if (status === 'cancelled') return text(amount);
  if (withdrawn !== undefined && withdrawn !== before.withdrawn && before.withdrawn !== undefined)
    return `${differenceText(funding, withdrawn, before.withdrawn)}, ${text(remaining)} remain`;
  if (machine !== before.machine)
    return machine ? `to machine ${formatMachine(machine, null)}` : 'to any machine';
  if (status === before.status && since && since !== before.deposited_at)
    return 'another time of its deposit';
  return null;
}

/** The values of a funding in the log. */
function valuesOf(logged: unknown): Partial<Record<string, string>> {
  return typeof logged === 'object' && logged !== null ? (logged as Record<string, string>) : {};
}

/** `+50.00 GTQ`, from one amount to another. */
function differenceText({ currency }: ShownFundingView, from: string, to: string): string {
  const scale = (to.split('.')[1] ?? '').length;
  const difference = parseDecimal(to, scale) - parseDecimal(from, scale);
  return `${difference > 0n ? '+' : ''}${formatCash(difference, scale, currency)}`;
}

export function addedFundingPage(funding: EnteredFundingView, timezone: string): Message {
  const added = lines([`Added ${describe(funding, timezone)}.`, pastText(funding)]);
  if (funding.status !== 'in_flight') return message`${added}`;
  return message`${added}\nWhen it is in the machine: ${call('fundings.confirm', { id: funding.id })}`;
}

export function confirmedPage(funding: EnteredFundingView, timezone: string): string {
  const { announced } = funding;
  return lines([
    `Confirmed ${describe(funding, timezone)}.`,
    announced === undefined ? undefined : `${cash(funding, announced)} were announced.`,
    pastText(funding),
  ]);
}

export function cancelledPage(funding: CheckedFundingView, timezone: string): string {
  const cancelled = `Cancelled ${funding.id}, ${cash(funding, funding.amount)} of ${funding.client}.`;
  return withLastReading(funding, cancelled, timezone);
}

export function adjustedPage(funding: AdjustedFundingView, timezone: string): string {
  const { id, client, amount, remaining } = funding;
  const adjusted = `${id} of ${client} is ${cash(funding, amount)} now; ${cash(funding, remaining)} remain.`;
  if (funding.lamassu !== null) return withLastReading(funding, adjusted, timezone);
  // Cash was added, so nothing was read: what remains is what the ledger knows.
  return wrapped(`${adjusted}\n${lastReadText(funding.last_read_at, timezone)}`);
}

export function movedFundingPage(funding: CheckedFundingView, timezone: string): string {
  return withLastReading(funding, `Moved ${describe(funding, timezone)}.`, timezone);
}

const LISTED = 10;

/**
 * The cash-outs of which a late funding would get a part: the first ones, a line each, and how many more there are.
 */
export function pastLines({ currency, cash_outs: past }: PastView, timezone: string): string[] {
  const lines = past.slice(0, LISTED).map((one) => {
    const would = hasPart(one)
      ? `it would get ${cash({ currency }, one.fiat)} for ${formatSats(one.net_sats)}`
      : 'none of it';
    return `${formatTime(one.confirmed_at, timezone)}  ${shortId(one.id)}: own share ${cash({ currency }, one.own_fiat)}, ${would}`;
  });
  return past.length > LISTED ? [...lines, `and ${past.length - LISTED} more`] : lines;
}

function hasPart({ fiat: part }: { fiat: string }): boolean {
  return /[1-9]/.test(part);
}

/** The cash-outs that were divided before a funding was entered, and its part of them; undefined if there are none. */
function pastText(funding: EnteredFundingView): string | undefined {
  const { cash_outs: count, own_fiat: own, from_own: got } = funding.past;
  if (count === 0) return undefined;
  if (got.length > 0) {
    const scale = (got[0]?.fiat.split('.')[1] ?? '').length;
    const given = formatDecimal(sum(got.map((one) => parseDecimal(one.fiat, scale))), scale);
    const sats = formatSats(sum(got.map((one) => one.net_sats)));
    return `Out of the operator's own share of ${counted(got.length, 'cash-out')} it gave ${cash(funding, given)} for ${sats}; the next run pays what is due.`;
  }
  return (
    `${counted(count, 'cash-out')} since then ${count === 1 ? 'was' : 'were'} divided before this cash was entered: ` +
    `${cash(funding, own)} went to the operator's own share.\n` +
    'That stays as it is; this cash shares in what is read from now on.'
  );
}

/** `f12, 3,000.00 GTQ of alice, for machine Antigua, on its way` */
function describe(funding: FundingView, timezone: string): string {
  const { id, client, machine, machine_name: name, rate, deposited_at: since } = funding;
  return [
    `${id}, ${cash(funding, funding.amount)} of ${client}`,
    machine === null ? 'for any machine' : `for machine ${formatMachine(machine, name)}`,
    ...(rate === null ? [] : [`at a rate of ${rateOf(rate)}`]),
    since === null ? 'on its way' : `in the machine since ${formatTime(since, timezone)}`,
  ].join(', ');
}

function cash({ currency }: { currency: string }, amount: string): string {
  return `${groupDigits(amount)} ${currency}`;
}

function rateOf(text: string): string {
  return percent(parseDecimal(text, RATE_SCALE));
}

function lines(texts: (string | undefined)[]): string {
  return wrapped(texts.filter((text) => text !== undefined).join('\n'));
}
