import { NO_AMOUNTS, type Stated, settledFigures } from '../dca/settlement.ts';
import { BridgeError, conflict, invalid, notFound, wrongState } from '../errors.ts';
import { type JudgingConfig, rulesOf } from '../judging/judging.ts';
import { isHeld } from '../judging/review-reasons.ts';
import { currencyDoubt, type Settlement } from '../ledger/cash-outs/settlement.ts';
import { bestTime } from '../ledger/clocks/clocks.ts';
import { findMachine, machineLabel } from '../ledger/machines/machines.ts';
import { call, field, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import { askLamassu, type FoundCashOut, type SourceAnswer } from './lookup-cash-out.ts';
import type { Book } from './operation.ts';

/* A settlement before it is recorded: the operator's figures, and Lamassu's for the rest. */

/** A settlement that is not written yet, with what Lamassu says of it. */
export interface Draft {
  settlement: Settlement;
  /** Null for one that Lamassu never saw. */
  lamassu: { answer: SourceAnswer; found: FoundCashOut } | null;
  /** Why the currency of an external settlement may be wrong. */
  currencyDoubt: string | null;
}

/** What the operator states. */
export interface StatedSettlement {
  stated: Stated;
  credit: boolean;
  /** The device id of the machine that the cash came out of, where Lamassu names several or none. */
  machine: string | undefined;
  /** When the cash came out, where Lamassu's time is in doubt. */
  at: Instant | undefined;
}

/**
 * Asks Lamassu for the row and fills in what was not stated. Throws `usage/invalid` if Lamassu has no such row,
 * where the row needs no settling, and where a figure is missing or wrong; and what asking Lamassu throws.
 */
export async function draftSettled(
  config: JudgingConfig,
  ledger: Book,
  id: string,
  { stated, credit, machine: named, at }: StatedSettlement,
): Promise<Draft> {
  const { db } = ledger;
  const review = await db.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  const answer = await askLamassu(config, ledger, id, { review });
  const { found } = answer;
  if (!found) {
    throw notFound(
      'id',
      `Lamassu has no cash-out ${id}`,
      message`Settle one that Lamassu never saw with ${call('settlements.external', { reference: null })}, by a reference of your own.`,
    );
  }
  const { verdict, partial } = found;
  if (verdict.eligible && review?.state !== 'open') {
    throw wrongState(
      'id',
      `Lamassu holds ${id} as successful, so there is nothing to settle`,
      message`The next ${call('poll')} distributes it.`,
    );
  }
  if (!verdict.eligible && isHeld(verdict.reason) && verdict.reason !== 'backdated') {
    const what = verdict.reason === 'large' ? 'its size' : 'its currency';
    throw wrongState(
      'id',
      `Lamassu holds ${id} as successful, and only ${what} holds it back: ${verdict.detail}`,
      message`${call('review.release', { id })} lets the next run distribute it.`,
    );
  }
  if (partial.currency === null && found.currencyCode !== null) {
    throw wrongState(
      'id',
      `the cash-out is in ${found.currencyCode}, which the bridge does not know`,
      `Put ${found.currencyCode} = 2 under [currencies] in config.toml, with the digits of its minor unit.`,
    );
  }
  const isTimeDoubtful =
    found.backdated || ['backdated', 'before-start', 'future'].includes(review?.reason ?? '');
  if (at !== undefined && !isTimeDoubtful) {
    throw conflict(
      'at',
      'it has no effect here, because Lamassu tells the time',
      message`Leave it out; use it only with ${field('reference')}.`,
    );
  }
  if (at !== undefined && at > answer.now) throw inFuture(at);
  const machine = dispensingMachine(found, named);
  const begunAt = partial.begunAt === machine ? null : partial.begunAt;
  const cashOut = {
    ...{ id, source: config.lamassu.name, machine, begunAt, confirmedAt: at ?? partial.at },
    ...settledFigures(partial, stated, await rulesOf(config, db)),
    lamassu: { ...found.columns },
  };
  return {
    settlement: { cashOut, origin: 'settled', stated, credit },
    lamassu: { answer, found },
    currencyDoubt: null,
  };
}

/** One that Lamassu never saw: the operator states everything. Throws `usage/invalid`. */
export async function draftExternal(
  { commission }: Pick<JudgingConfig, 'commission'>,
  { db, clock }: Book,
  id: string,
  { stated, credit, machine: named, at }: StatedSettlement & { machine: string; at: Instant },
): Promise<Draft> {
  if (at > (await bestTime(db, clock.host()))) throw inFuture(at);
  const machine = await findMachine(db, named, 'machine');
  const figures = settledFigures(NO_AMOUNTS, stated, commission);
  if (machine.currency !== null && machine.currency !== figures.currency) {
    throw conflict(
      'fiat',
      `${machineLabel(machine)} pays out ${machine.currency}, not ${figures.currency}`,
      'Check the currency and the machine.',
    );
  }
  const cashOut = {
    ...{ id, source: 'external', machine: machine.device_id, confirmedAt: at },
    ...figures,
    lamassu: null,
  };
  const why = await currencyDoubt(db, machine.device_id, figures.currency);
  return {
    settlement: { cashOut, origin: 'external', stated, credit },
    lamassu: null,
    currencyDoubt: why === null ? null : `${machineLabel(machine)} and ${figures.currency}: ${why}`,
  };
}

/** The reference of one that Lamassu never saw. Throws `usage/invalid` if it could be mistaken for Lamassu's id. */
export function externalReference(text: string): string {
  const reference = text.trim();
  // Whole or as the first characters that tables show, with dashes and braces or without.
  if (/^[0-9a-f]{6,32}$/i.test(reference.replace(/[-{}]/g, ''))) {
    throw invalid(
      'reference',
      `${reference} looks like an id of Lamassu`,
      'If Lamassu knows the cash-out, settle it by its id; otherwise use a reference of your own, like "receipt-17".',
    );
  }
  if (!/^[^\p{C}\p{Z}]{6,100}$/u.test(reference)) {
    throw invalid(
      'reference',
      `${JSON.stringify(reference)} cannot be a reference`,
      'Use 6 to 100 characters without spaces, like "receipt-17".',
    );
  }
  return reference;
}

/** Where the cash came out: what Lamassu says, and only where it says nothing clear, what the operator says. */
function dispensingMachine({ partial, dispenses }: FoundCashOut, stated: string | undefined): string {
  if (partial.machine !== null) {
    if (stated === undefined) return partial.machine;
    throw conflict(
      'machine',
      'it has no effect here',
      `Lamassu tells it: the cash came out of ${partial.machine}.`,
    );
  }
  if (stated !== undefined) return stated;
  throw invalid(
    'machine',
    `Lamassu ${dispenses.length > 1 ? `names several machines (${dispenses.join('; ')})` : 'names no machine'}`,
    message`Give the machine that paid out the cash of this settlement with ${field('machine')}. Settle cash from another machine with ${call('settlements.external', { reference: null })}.`,
  );
}

function inFuture(at: Instant) {
  return invalid('at', `${at} is in the future`, 'Give the time when the cash came out.');
}

/** The error for a preview that no longer holds. */
export function settlementChanged(id: string): BridgeError {
  return new BridgeError(
    'settle/changed',
    `the preview of ${id} is out of date: cash of clients, or what Lamassu says, changed meanwhile`,
    'Nothing was written. Look at it again.',
  );
}
