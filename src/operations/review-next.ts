import type { ReviewReason } from '../judging/review-reasons.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { call } from '../lib/message.ts';
import type { Next } from '../views/review.ts';
import type { FoundCashOut } from './lookup-cash-out.ts';

/**
 * The operations that resolve a row in review, most likely first, with the figures that they need. `found` is what
 * Lamassu has of the row; null if it has none, or could not be asked.
 */
export function nextOf(
  { cash_out_id: id, reason, state }: Pick<Schema['review'], 'cash_out_id' | 'reason' | 'state'>,
  found: FoundCashOut | null,
): Next[] {
  const show = call('cash_outs.show', { id });
  if (state === 'processed') return [show];
  const poll = call('poll');
  const dismiss = state === 'dismissed' ? [] : [call('review.dismiss', { id, reason: null })];
  const release = state === 'released' ? [] : [call('review.release', { id })];
  const settle = call('settlements.settle', { id, ...missingFigures(found), reason: null });
  const today = found === null || found.verdict.eligible ? reason : found.verdict.reason;
  const code = unknownCode(found);
  switch (today as ReviewReason) {
    case 'changed':
      return [show, ...dismiss];
    case 'not-allocated':
      return [poll, ...dismiss];
    case 'large':
      return release;
    case 'currency-changed':
      return [...release, call('fundings.list', { status: 'deposited' })];
    case 'unknown-currency':
      return [{ ...poll, after: knowing(code ?? '…') }, ...dismiss];
    case 'backdated':
      return [settle, ...release, ...dismiss];
    case 'clock':
      return [call('status'), ...release];
    case 'before-start':
      return [...release, ...dismiss];
    default:
      if (code !== null) return [{ ...call('review.show', { id }), after: knowing(code) }, ...dismiss];
      // Lamassu counted, and no note came out.
      return found?.partial.cameOut === 0n ? [...dismiss, settle] : [settle, ...dismiss];
  }
}

function knowing(code: string): string {
  return `${code} = 2 under [currencies] in config.toml, with its digits`;
}

/** The code of the row's currency if it is unknown here: until it is configured, nothing can be settled in it. */
function unknownCode(found: FoundCashOut | null): string | null {
  return found !== null && found.partial.currency === null ? found.currencyCode : null;
}

/**
 * The figures that a settlement of this row needs because Lamassu does not tell them; `…` is for the operator to fill
 * in.
 */
function missingFigures(found: FoundCashOut | null): Record<string, string> {
  if (!found) return {};
  const { partial, verdict } = found;
  const reason = verdict.eligible ? undefined : verdict.reason;
  const isChargeUnknown = !partial.charge || reason === 'no-rate' || reason === 'implausible-rate';
  const currency = partial.currency ?? 'CURRENCY';
  return {
    ...(partial.machine === null && { machine: '…' }),
    ...((partial.cameOut ?? 0n) === 0n && { fiat: `… ${currency}` }),
    // Without the cash that was asked for nothing can be in proportion to it.
    ...(partial.gross !== null && partial.asked === null && { gross: `${partial.gross} sat` }),
    // The worth of the cash is both: what was paid, and nothing of it commission.
    ...(partial.gross === null
      ? { price: `… ${currency}` }
      : isChargeUnknown
        ? { commission: '… sat' }
        : // Nothing is left for a commission: all that was paid belongs to the clients.
          reason === 'negative-commission' && { commission: '0 sat' }),
  };
}
