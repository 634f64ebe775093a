import { cashText, formatSats, parseDecimal, percent, RATE_SCALE } from '../../dca/money.ts';
import type { SettlementView, VoidedView } from '../../views/settlements.ts';
import { clean } from '../terminal/clean.ts';
import { formatTime } from '../terminal/figures.ts';
import { wrapped } from '../terminal/wrap.ts';
import { cashOutPage, division } from './cash-out.ts';

type Proposal = NonNullable<SettlementView['proposal']>;

const DRY_RUN = 'Dry run: nothing was written.';

/** What Lamassu knows and how the cash-out would be divided, before the operator agrees. */
export function proposalPage(view: SettlementView, timezone: string): string {
  const { proposal } = view;
  if (!proposal) return cashOutPage(view, timezone);
  const { lamassu, price, stated_price: stated, currency_doubt: doubt } = proposal;
  return wrapped(
    [
      ...(lamassu ? lamassuLines(view, lamassu, timezone) : [`${clean(view.id)}, which Lamassu never saw:`]),
      ...overridesOf(view, proposal).map((line) => `You say otherwise: ${line}.`),
      stated === null
        ? `That is a commission of ${rateOf(proposal)}` +
          (price === null
            ? '.'
            : `, and a price of ${cashText(price, view.currency)} per BTC for the clients.`)
        : `At your price of ${cashText(stated, view.currency)} per BTC the cash is worth ${formatSats(proposal.gross_sats - proposal.commission_sats)}: a commission of ${rateOf(proposal)}.`,
      division(view),
      ...(doubt === null ? [] : [`Is that the right currency? ${clean(doubt)}.`]),
    ].join('\n'),
  );
}

function lamassuLines(
  { id, currency }: SettlementView,
  { says, asked_fiat, paid_sats, dispensed_fiat, at, at_from, dispenses }: NonNullable<Proposal['lamassu']>,
  timezone: string,
): string[] {
  const asked = asked_fiat === null ? 'an amount that cannot be right' : cashText(asked_fiat, currency);
  const paid = paid_sats === null ? 'no figure in satoshi' : formatSats(paid_sats);
  const isNone = dispensed_fiat !== null && !/[1-9]/.test(dispensed_fiat);
  const out = dispensed_fiat === null ? 'no figure' : isNone ? 'none' : cashText(dispensed_fiat, currency);
  const when = {
    confirmed_at: `Confirmed ${formatTime(at, timezone)}.`,
    created: `Created ${formatTime(at, timezone)}, and not confirmed: its creation counts.`,
    now: 'Its times cannot be right: the present moment counts.',
  };
  return [
    `Lamassu says of ${id}: ${clean(says)}`,
    `Asked for: ${asked}. Paid: ${paid}. Cash that came out: ${out}.`,
    when[at_from],
    ...(dispenses.length > 1
      ? ['It was logged more than once, and is not added up:', ...dispenses.map((one) => `  ${clean(one)}`)]
      : []),
  ];
}

/** The stated figures that differ from those of Lamassu's row. */
function overridesOf(view: SettlementView, { overrides, gross_sats }: Proposal): string[] {
  const { fiat, gross_sats: usual, commission } = overrides;
  return [
    ...(fiat === null
      ? []
      : [`${cashText(view.fiat, view.currency)} came out, not ${cashText(fiat, view.currency)}`]),
    ...(usual === null ? [] : [`${formatSats(gross_sats)} were paid for it, not ${formatSats(usual)}`]),
    ...(commission ? ['the commission is not what Lamassu charged'] : []),
  ];
}

function rateOf({ commission_rate: rate }: Proposal): string {
  return percent(parseDecimal(rate, RATE_SCALE));
}

/** Null if it was settled before. */
export function settleQuestion(view: SettlementView, timezone: string) {
  return view.already_settled ? null : { page: proposalPage(view, timezone), question: questionOf(view) };
}

function questionOf(view: SettlementView): string {
  const { id, fiat, currency, proposal } = view;
  if (!proposal) return `Settle ${id}?`;
  const { gross_sats, commission_sats } = proposal;
  const own = overridesOf(view, proposal).length > 0 ? ' by your figures' : '';
  return (
    `Settle ${id}${own}: ${cashText(fiat, currency)} for ${formatSats(gross_sats)}, ` +
    `of which ${formatSats(commission_sats)} (${rateOf(proposal)}) are commission?`
  );
}

export function settlementDryRunPage(view: SettlementView, timezone: string): string {
  return view.already_settled
    ? settledBeforePage(view, timezone)
    : `${DRY_RUN}\n${proposalPage(view, timezone)}`;
}

/** `inFull`: what was settled was not shown before. */
export function settledPage(view: SettlementView, timezone: string, inFull: boolean): string {
  if (view.already_settled) return settledBeforePage(view, timezone);
  return inFull ? `${proposalPage(view, timezone)}\n${settledLine(view)}` : settledLine(view);
}

function settledLine({ id, net_sats }: SettlementView): string {
  const follows =
    net_sats > 0n
      ? 'The next run pays what is due of it.'
      : 'No client’s cash came out with it, so nothing of it is paid to clients.';
  return `Settled ${id}. ${follows}`;
}

function settledBeforePage(view: SettlementView, timezone: string): string {
  return `It was settled before with these figures; nothing was changed.\n${cashOutPage(view, timezone)}`;
}

export function voidQuestion(view: VoidedView, timezone: string) {
  return { page: voidPage(view, timezone), question: `Undo the settlement of ${view.id}?` };
}

export function voidDryRunPage(view: VoidedView, timezone: string): string {
  return `${DRY_RUN}\n${voidPage(view, timezone)}`;
}

/** `inFull`: what was undone was not shown before. */
export function voidedPage(view: VoidedView, timezone: string, inFull: boolean): string {
  const undone = `Undone: ${view.id} is no longer settled.`;
  return inFull ? `${voidPage(view, timezone)}\n${undone}` : undone;
}

/** What voiding a settlement does to the cash and to the id. */
function voidPage({ id, was, fundings, back }: VoidedView, timezone: string): string {
  const { settlement, currency } = was;
  const by = settlement ? ` by ${clean(settlement.actor)} at ${formatTime(settlement.at, timezone)}` : '';
  const closing = new Set(fundings.filter((one) => one.client_closing).map((one) => one.client));
  return wrapped(
    [
      `${clean(id)}, settled${by}: ${clean(settlement?.reason ?? '')}`,
      division(was),
      ...fundings.map(
        (one) =>
          `${one.funding} of ${one.client} gets ${cashText(one.fiat, currency)} back: ${cashText(one.remaining, currency)} remain.`,
      ),
      ...[...closing].map(
        (client) =>
          `${client} is closing and has cash again: take it out with \`aio-dca fundings withdraw\`.`,
      ),
      {
        review:
          'The id is free again. The row waits in review: the next run distributes it if Lamassu confirms it, or it may be settled again.',
        poll: 'The id is free again, and nothing holds the row back: the next run distributes it.',
        none: 'The reference is free again, and may be settled again.',
      }[back],
    ].join('\n'),
  );
}
