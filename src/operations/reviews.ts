import type { Config } from '../config/load.ts';
import { BridgeError } from '../errors.ts';
import { type RowTold, toldBy } from '../lamassu/partial-figures.ts';
import { isCurrencyCode, type Judgement, judge, type LamassuRow } from '../lamassu/row.ts';
import { acceptRow, dismissRow, releaseRow } from '../ledger/cash-outs/review.ts';
import type { Who } from '../ledger/log/log.ts';
import { ALWAYS } from '../ledger/store/effective-dated.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import {
  isHeld,
  judgeNew,
  type KnownReview,
  type ReviewReason,
  rulesOf,
  type Verdict,
} from '../scheduler/rules.ts';
import { bind, concernsReading } from '../scheduler/setup.ts';
import { now } from '../time.ts';
import { type Answer, askLamassu } from './lookup-cash-out.ts';

/** What Lamassu says of a row at this moment, or why it could not be asked. */
export type Look =
  | { answer: Answer; verdict: Verdict | null; told: RowTold | null }
  | { failed: BridgeError };

/** Asks Lamassu; a failure that concerns only the asking is part of the answer. */
export async function look(
  config: Config,
  db: Db,
  review: Pick<Schema['review'], 'cash_out_id'> & KnownReview,
): Promise<Look> {
  try {
    const answer = await askLamassu(config, review.cash_out_id);
    return { answer, ...(await judged(config, db, answer, review)) };
  } catch (error) {
    if (!concernsReading(error)) throw error;
    return { failed: error };
  }
}

/** What a row that Lamassu has comes to, and what it tells of figures; null where it has none. */
async function judged(
  config: Config,
  db: Db,
  { row, now: at }: Answer,
  review: KnownReview | undefined,
): Promise<{ verdict: Verdict; told: RowTold } | { verdict: null; told: null }> {
  if (!row) return { verdict: null, told: null };
  const rules = await rulesOf(config, db);
  return {
    verdict: await judgeNew(db, row, rules, at, review),
    told: toldBy(row, at, rules.currencies),
  };
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
  const answer = await askLamassu(config, id);
  const { row } = answer;
  const { verdict, told } = await judged(config, db, answer, undefined);
  if (!row || !verdict)
    throw refuse(`Lamassu has no cash-out ${id}`, '`aio-dca review list` shows what is in review.');
  const commands = verdict.eligible
    ? ['aio-dca poll']
    : // What is not in the list cannot be hidden from it.
      resolutions({ cash_out_id: id, reason: verdict.reason, state: 'dismissed' }, { answer, verdict, told });
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
  const answer = await askLamassu(config, id);
  const { row } = answer;
  if (!row) throw refuse(`Lamassu has no cash-out ${id}`, '`aio-dca review list` shows what is in review.');
  const rules = await rulesOf(config, ledger.db);
  const review = await ledger.db
    .selectFrom('review')
    .select(['state', 'lamassu', 'reason', 'detail'])
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  // What it was released for before is asked anew.
  const verdict = await judgeNew(ledger.db, row, rules, answer.now, review && { ...review, state: 'open' });
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
    ...{ cashOutId: id, source: rules.source, machine: row.device_id },
    ...{ reason: held, detail, lamassu: row },
  };
  return ledger.write(async (trx) => {
    await bind(trx, config, answer);
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
  const answer = await askLamassu(config, id);
  const { row } = answer;
  if (!row)
    throw refuse(
      `Lamassu has no cash-out ${id}`,
      `\`aio-dca cash-outs show ${id}\` shows how it was divided.`,
    );
  // What was processed stays processed, whatever was set as the start since.
  const rules = { ...(await rulesOf(config, ledger.db)), startAt: ALWAYS };
  if (cashOut.origin === 'lamassu' && isAsDistributed(cashOut, judge(row, rules, answer.now))) {
    return ledger.write((trx) => dismissRow(trx, who, id, reason, now()));
  }
  const how = cashOut.origin === 'settled' ? 'settled by hand' : 'distributed';
  const detail = `${how}, and what Lamassu says of it since was accepted`;
  const finding = {
    ...{ cashOutId: id, source: cashOut.source, machine: row.device_id },
    ...{ reason: 'changed', detail, lamassu: row },
  };
  return ledger.write(async (trx) => {
    await bind(trx, config, answer);
    return acceptRow(trx, who, finding, reason, now());
  });
}

function isAsDistributed(cashOut: Schema['cash_outs'], today: Judgement): boolean {
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
  const today = 'answer' in seen && seen.verdict && !seen.verdict.eligible ? seen.verdict.reason : reason;
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

/** The code of the row's currency where it is one that is not known here; nothing can be settled in it before. */
function unknownCode(seen: Look): string | null {
  if (!('answer' in seen) || !seen.told || seen.told.currency !== null) return null;
  const code = seen.answer.row?.fiat_code ?? null;
  return isCurrencyCode(code) ? code : null;
}

/** Lamassu counted, and no note came out. */
function countedNothing(seen: Look): boolean {
  return 'answer' in seen && seen.told?.cameOut === 0n;
}

/** The figures that a settlement of this row needs because Lamassu does not tell them. */
function missing(seen: Look): string {
  if (!('answer' in seen) || !seen.told) return '';
  const { told } = seen;
  const reason = seen.verdict && !seen.verdict.eligible ? seen.verdict.reason : undefined;
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
