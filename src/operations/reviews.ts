import type { Config } from '../config/load.ts';
import { BridgeError, concerns } from '../errors.ts';
import { isCurrencyCode } from '../lamassu/eligibility.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { acceptRow, dismissRow, releaseRow } from '../ledger/cash-outs/review.ts';
import type { Who } from '../ledger/log/log.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { isHeld, type ReviewReason, type Verdict } from '../scheduler/review-reasons.ts';
import { bind } from '../scheduler/setup.ts';
import { now } from '../time.ts';
import { type Answer, askLamassu } from './lookup-cash-out.ts';

/** What Lamassu says of a row at this moment, or why it could not be asked. */
export type Look = { answer: Answer } | { failed: BridgeError };

/** Asks Lamassu; a failure that concerns only the asking is part of the answer. */
export async function look(
  config: Config,
  db: Db,
  review: Pick<Schema['review'], 'cash_out_id' | 'state' | 'reason' | 'lamassu'>,
): Promise<Look> {
  try {
    return { answer: await askLamassu(config, db, review.cash_out_id, { review }) };
  } catch (error) {
    if (!concerns(error, 'source')) throw error;
    return { failed: error };
  }
}

/** A row that never came into review, as Lamassu has it now. */
export interface Unseen {
  row: LamassuRow;
  verdict: Verdict;
  /** What can be done with it, most likely first. */
  commands: string[];
}

/** Throws `usage/invalid` where Lamassu has no such row, and what asking Lamassu throws. */
export async function lookUnseen(config: Config, db: Db, id: string): Promise<Unseen> {
  const answer = await askLamassu(config, db, id, {});
  const { found } = answer;
  if (!found) throw refuse(`Lamassu has no cash-out ${id}`, '`aio-dca review list` shows what is in review.');
  const { row, verdict } = found;
  const commands = verdict.eligible
    ? ['aio-dca poll']
    : // What is not in the list cannot be hidden from it.
      resolutions({ cash_out_id: id, reason: verdict.reason, state: 'dismissed' }, { answer });
  return { row, verdict, commands };
}

/**
 * Releases a row that only `start_at`, `[review] cash_out_above`, its currency or a clock that was wrong holds back. False
 * where it was released before.
 * Throws `usage/invalid` with the row's own reason where anything else does, and what asking Lamassu throws.
 */
export async function release(
  config: Config,
  ledger: Ledger,
  id: string,
  who: Who,
  reason: string | undefined,
): Promise<boolean> {
  const processed = await ledger.db
    .selectFrom('cash_outs')
    .select('processed_at')
    .where('id', '=', id)
    .executeTakeFirst();
  if (processed) {
    throw refuse(
      `${id} was distributed at ${processed.processed_at}`,
      `\`aio-dca cash-outs show ${id}\` shows how it was divided.`,
    );
  }
  const review = await ledger.db
    .selectFrom('review')
    .select(['state', 'lamassu', 'reason', 'detail'])
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  // What it was released for before is asked anew.
  const known = review && { ...review, state: 'open' };
  const answer = await askLamassu(config, ledger.db, id, { review: known });
  if (!answer.found)
    throw refuse(`Lamassu has no cash-out ${id}`, '`aio-dca review list` shows what is in review.');
  const { row, verdict } = answer.found;
  const byClock = verdict.eligible && review?.reason === 'clock';
  if (verdict.eligible && !byClock) {
    throw refuse(`nothing holds ${id} back`, 'The next `aio-dca poll` distributes it.');
  }
  const { reason: held, detail } = verdict.eligible
    ? { reason: 'clock', detail: review?.detail ?? '' }
    : verdict;
  if (!(isHeld(held) || held === 'before-start' || held === 'clock') || row.confirmed_at === null) {
    throw refuse(
      `${id} cannot be distributed as it is: ${held}, ${detail}`,
      `\`aio-dca review show ${id}\` shows what can be done.`,
    );
  }
  const { confirmed_at: confirmedAt } = row;
  const finding = {
    ...{ cashOutId: id, source: config.lamassu.name, machine: row.device_id },
    ...{ reason: held, detail, lamassu: row },
  };
  return ledger.write(async (trx) => {
    await bind(trx, config.lamassu, answer);
    return releaseRow(trx, who, finding, confirmedAt, reason, now());
  });
}

/**
 * Hides a row from the people's list. Of one that is in the ledger it accepts what Lamassu says of it now: until that
 * changes again, `reconcile` is silent. False where that was done before. Throws `usage/invalid`, and for one in the
 * ledger what asking Lamassu throws.
 */
export async function dismiss(
  config: Config,
  ledger: Ledger,
  id: string,
  who: Who,
  reason: string,
): Promise<boolean> {
  const cashOut = await ledger.db
    .selectFrom('cash_outs')
    .selectAll()
    .where('id', '=', id)
    .where('origin', '<>', 'external')
    .executeTakeFirst();
  const review = await ledger.db
    .selectFrom('review')
    .select('state')
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  if (!cashOut || (cashOut.origin === 'lamassu' && review?.state === 'open'))
    return ledger.write((trx) => dismissRow(trx, who, id, reason, now()));
  // What was processed stays processed, whatever was set as the start since.
  const answer = await askLamassu(config, ledger.db, id, { processed: cashOut });
  if (!answer.found)
    throw refuse(
      `Lamassu has no cash-out ${id}`,
      `\`aio-dca cash-outs show ${id}\` shows how it was divided.`,
    );
  const { row, verdict } = answer.found;
  if (cashOut.origin === 'lamassu' && isAsDistributed(cashOut, verdict)) {
    return ledger.write((trx) => dismissRow(trx, who, id, reason, now()));
  }
  const how = cashOut.origin === 'settled' ? 'settled by hand' : 'distributed';
  const detail = `${how}, and what Lamassu says of it since was accepted`;
  const finding = {
    ...{ cashOutId: id, source: cashOut.source, machine: row.device_id },
    ...{ reason: 'changed', detail, lamassu: row },
  };
  return ledger.write(async (trx) => {
    await bind(trx, config.lamassu, answer);
    return acceptRow(trx, who, finding, reason, now());
  });
}

function isAsDistributed(cashOut: Schema['cash_outs'], today: Verdict): boolean {
  if (!today.eligible) return false;
  const { machine, begunAt = null, confirmedAt, currency, fiat, gross } = today.cashOut;
  return (
    cashOut.machine === machine &&
    cashOut.begun_at_machine === begunAt &&
    cashOut.confirmed_at === confirmedAt &&
    cashOut.currency === currency &&
    cashOut.fiat === fiat &&
    cashOut.gross === gross
  );
}

/** The commands that resolve a row in review, most likely first. */
export function resolutions(
  { cash_out_id: id, reason, state }: Pick<Schema['review'], 'cash_out_id' | 'reason' | 'state'>,
  seen: Look,
): string[] {
  const dismiss = state === 'dismissed' ? [] : [`aio-dca review dismiss ${id} --reason "…"`];
  const held = state === 'released' ? [] : [`aio-dca review release ${id}`];
  if (state === 'processed') return [`aio-dca cash-outs show ${id}`];
  const verdict = foundIn(seen)?.verdict;
  const today = verdict && !verdict.eligible ? verdict.reason : reason;
  switch (today as ReviewReason) {
    case 'changed':
      return [`aio-dca cash-outs show ${id}`, ...dismiss];
    case 'not-allocated':
      return ['aio-dca poll', ...dismiss];
    case 'large':
      return held;
    case 'currency-changed':
      return [...held, 'aio-dca fundings list --status deposited'];
    case 'unknown-currency':
      return [`aio-dca poll  # ${afterKnowing(unknownCode(seen) ?? '…')}`, ...dismiss];
    case 'backdated':
      return [`aio-dca settle ${id}${missing(seen)} --reason "…"`, ...held, ...dismiss];
    case 'clock':
      return ['aio-dca status', ...held];
    case 'before-start':
      return [...held, ...dismiss];
    default: {
      const code = unknownCode(seen);
      if (code !== null) return [`aio-dca review show ${id}  # ${afterKnowing(code)}`, ...dismiss];
      const settle = `aio-dca settle ${id}${missing(seen)} --reason "…"`;
      return countedNothing(seen) ? [...dismiss, settle] : [settle, ...dismiss];
    }
  }
}

function afterKnowing(code: string): string {
  return `after ${code} = 2 under [currencies] in config.toml, with its digits`;
}

/** What Lamassu has of the row; undefined where it has none, or could not be asked. */
function foundIn(seen: Look): NonNullable<Answer['found']> | undefined {
  return 'answer' in seen ? (seen.answer.found ?? undefined) : undefined;
}

/** The code of the row's currency where it is one that is not known here; nothing can be settled in it before. */
function unknownCode(seen: Look): string | null {
  const found = foundIn(seen);
  if (!found || found.told.currency !== null) return null;
  const code = found.row.fiat_code;
  return isCurrencyCode(code) ? code : null;
}

/** Lamassu counted, and no note came out. */
function countedNothing(seen: Look): boolean {
  return foundIn(seen)?.told.cameOut === 0n;
}

/** The figures that a settlement of this row needs because Lamassu does not tell them. */
function missing(seen: Look): string {
  const found = foundIn(seen);
  if (!found) return '';
  const { told, verdict } = found;
  const reason = verdict.eligible ? undefined : verdict.reason;
  const unknown = !told.charge || reason === 'no-rate' || reason === 'implausible-rate';
  // Nothing is left for a commission: all that was paid is the clients'.
  const nothing = reason === 'negative-commission';
  return [
    ...(told.machine === null ? [' --machine …'] : []),
    ...(told.cameOut === null || told.cameOut === 0n ? [` --fiat "… ${told.currency ?? 'CURRENCY'}"`] : []),
    ...(told.gross === null
      ? [' --gross "… sat"']
      : // Without the cash that was asked for nothing can be in proportion to it.
        told.asked === null
        ? [` --gross "${told.gross} sat"`]
        : []),
    ...(unknown ? [' --commission "… sat"'] : nothing ? [' --commission "0 sat"'] : []),
  ].join('');
}

function refuse(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `ID: ${message}.`, hint);
}
