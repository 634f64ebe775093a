import { formatDecimal, percent } from '../../dca/money.ts';
import { proportionOf } from '../../dca/settlement.ts';
import { roundHalfUp } from '../../dca/split.ts';
import { actionWords, dispensesOf } from '../../lamassu/notes.ts';
import type { CashOutDetail } from '../../ledger/cash-outs/view.ts';
import type { Voided } from '../../ledger/cash-outs/void.ts';
import type { Draft } from '../../operations/settlements.ts';
import { clean, formatFiat, formatSats, formatTime } from '../print.ts';
import { cashOutDetailJson, division } from './cash-out.ts';

const SATS_PER_BTC = 100_000_000n;

/** `settle --json`: as `cash-outs show`, and what came of the command. */
export function settleJson(
  detail: CashOutDetail,
  came: { dryRun: boolean; repeated: boolean; written: boolean },
) {
  return {
    ...cashOutDetailJson(detail),
    dry_run: came.dryRun,
    settled: came.written,
    already_settled: came.repeated,
  };
}

/** What Lamassu knows and how it would be divided, for a person to agree to. */
export function draftPage(
  { settlement, lamassu, doubt }: Draft,
  shown: CashOutDetail,
  timezone: string,
): string {
  const { id, fiat, gross, commission, digits, currency } = settlement.cashOut;
  const cash = (minor: bigint) => formatFiat(minor, digits, currency);
  const principal = gross - commission;
  const price = principal === 0n ? undefined : (fiat * SATS_PER_BTC) / principal;
  return [
    ...(lamassu ? lamassuLines(lamassu, cash, timezone) : [`${clean(id)}, which Lamassu never saw:`]),
    ...overrides({ settlement, lamassu }).map((line) => `You say otherwise: ${line}.`),
    `That is a commission of ${rateOf(settlement)}` +
      (price === undefined ? '.' : `, and a price of ${cash(price)} per BTC for the clients.`),
    division(shown),
    ...(doubt === null ? [] : [`Is that the right currency? ${clean(doubt)}.`]),
  ].join('\n');
}

function lamassuLines(
  { answer, told, says }: NonNullable<Draft['lamassu']>,
  cash: (minor: bigint) => string,
  timezone: string,
): string[] {
  const asked = told.asked === null ? 'an amount that cannot be right' : cash(told.asked);
  const paid = told.gross === null ? 'nothing tells how many satoshi' : formatSats(told.gross);
  const row = answer.found?.row;
  const dispenses = row ? dispensesOf(row).map((one) => `  ${clean(actionWords(one, row))}`) : [];
  const out =
    told.cameOut === null ? 'nothing tells how much' : told.cameOut === 0n ? 'none' : cash(told.cameOut);
  const when = {
    confirmed_at: `Confirmed ${formatTime(told.at, timezone)}.`,
    created: `Created ${formatTime(told.at, timezone)}, and not confirmed: its creation counts.`,
    now: 'It tells no time that can be right: this moment counts.',
  };
  return [
    `Lamassu says of ${answer.found?.row.id}: ${clean(says)}`,
    `Asked for: ${asked}. Paid: ${paid}. Cash that came out: ${out}.`,
    when[told.atFrom],
    ...(dispenses.length > 1 ? ['It was logged more than once, and is not added up:', ...dispenses] : []),
  ];
}

/** Where the person's figures are others than those that Lamassu's row would give. */
export function overrides({ settlement, lamassu }: Omit<Draft, 'doubt'>): string[] {
  if (!lamassu) return [];
  const { stated, cashOut } = settlement;
  const { told } = lamassu;
  const cash = (minor: bigint) => formatFiat(minor, cashOut.digits, cashOut.currency);
  const usual = proportionOf(told, cashOut.fiat);
  return [
    ...(stated.fiat && told.cameOut !== null && told.cameOut !== cashOut.fiat
      ? [`${cash(cashOut.fiat)} came out, not ${cash(told.cameOut)}`]
      : []),
    ...(stated.gross !== undefined && usual !== null && usual !== stated.gross
      ? [`${formatSats(stated.gross)} were paid for it, not ${formatSats(usual)}`]
      : []),
    ...(cashOut.method === 'given' ? ['the commission is not what Lamassu charged'] : []),
  ];
}

export function question({ settlement, lamassu }: Draft): string {
  const { id, fiat, gross, commission, digits, currency } = settlement.cashOut;
  const own = overrides({ settlement, lamassu }).length > 0 ? ' by your figures' : '';
  return (
    `Settle ${id}${own}: ${formatFiat(fiat, digits, currency)} for ${formatSats(gross)}, ` +
    `of which ${formatSats(commission)} (${rateOf(settlement)}) are commission?`
  );
}

/** The rate that was stated, which a whole satoshi may not meet exactly; else the one that follows. */
function rateOf({ stated, cashOut: { commission, gross } }: Draft['settlement']): string {
  return percent(stated.rate ?? roundHalfUp(commission * 100_000n, gross));
}

export function voidJson({ was, fundings }: Voided, dryRun: boolean, written: boolean) {
  return {
    id: was.cashOut.id,
    dry_run: dryRun,
    voided: written,
    was: cashOutDetailJson(was),
    fundings: fundings.map((one) => ({
      funding: `f${one.id}`,
      client: one.client,
      fiat: formatDecimal(one.fiat, was.cashOut.digits),
      remaining: formatDecimal(one.remaining, was.cashOut.digits),
    })),
  };
}

function cashOf({ cashOut }: CashOutDetail, minor: bigint): string {
  return formatFiat(minor, cashOut.digits, cashOut.currency);
}

/** What is undone, and what happens to the cash and to the id. */
export function voidPage({ was, fundings, back }: Voided, timezone: string): string {
  const { settlement, cashOut } = was;
  const by = settlement ? ` by ${clean(settlement.actor)} at ${formatTime(settlement.at, timezone)}` : '';
  return [
    `${clean(cashOut.id)}, settled${by}: ${clean(settlement?.reason ?? '')}`,
    division(was),
    ...fundings.map(
      (one) =>
        `f${one.id} of ${one.client} gets ${cashOf(was, one.fiat)} back: ${cashOf(was, one.remaining)} remain.`,
    ),
    ...[...new Set(fundings.filter((one) => one.closing).map((one) => one.client))].map(
      (client) => `${client} is closing and has cash again: take it out with \`aio-dca fundings withdraw\`.`,
    ),
    {
      review:
        'The id is free again: the row waits in review, the next run distributes it if Lamassu confirms it, and it may be settled anew.',
      poll: 'The id is free again, and nothing holds the row back: the next run distributes it.',
      none: 'The reference is free again, and may be settled anew.',
    }[back],
  ].join('\n');
}
