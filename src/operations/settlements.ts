import type { Config } from '../config/load.ts';
import { NOTHING_TOLD, type Stated, settledFigures } from '../dca/settlement.ts';
import { BridgeError } from '../errors.ts';
import { isBackdated, isCurrencyCode, judge } from '../lamassu/eligibility.ts';
import { actionWords, dispensesOf } from '../lamassu/notes.ts';
import type { PartialFigures } from '../lamassu/partial-figures.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { currencyDoubt, type Settlement, settle } from '../ledger/cash-outs/settlement.ts';
import type { CashOutDetail } from '../ledger/cash-outs/view.ts';
import { type Voided, voidSettlement } from '../ledger/cash-outs/void.ts';
import type { Who } from '../ledger/log/log.ts';
import { findMachine, machineLabel } from '../ledger/machines/machines.ts';
import { bestTime } from '../ledger/runs/clocks.ts';
import type { Db, Ledger, Trx } from '../ledger/store/open.ts';
import { rulesOf, verdictOn } from '../scheduler/judging.ts';
import { isHeld } from '../scheduler/review-reasons.ts';
import { bind } from '../scheduler/setup.ts';
import { type Instant, now } from '../time.ts';
import { type Answer, askLamassu } from './lookup-cash-out.ts';

/** A settlement that is not written yet, with what Lamassu says of it. */
export interface Draft {
  settlement: Settlement;
  /** Null for one that Lamassu never saw. */
  lamassu: { answer: Answer; told: PartialFigures; says: string } | null;
  /** Why an external one is perhaps in the wrong currency, for a person to decide. */
  doubt: string | null;
}

/** What a person says besides the figures. */
export interface Words {
  stated: Stated;
  reason: string;
  credit: boolean;
  /** Which machine the cash came out of, where Lamassu names several or none: device id or name. */
  machine?: string | undefined;
}

/**
 * Asks Lamassu for the row and fills in what the person did not state. Throws `usage/invalid` where Lamassu has no such
 * row, where the row needs no settling, and where a figure is missing or wrong; and what asking Lamassu throws.
 */
export async function draftSettled(
  config: Config,
  db: Db,
  id: string,
  words: Words,
  /** When the cash came out, by a person's word: only where Lamassu's time is in doubt. */
  stated?: Instant,
): Promise<Draft> {
  const review = await db.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  const answer = await askLamassu(config, db, id, { review });
  if (!answer.found) {
    throw invalid(
      `ID: Lamassu has no cash-out ${id}`,
      'One that Lamassu never saw is settled with `--external REF`, where REF is a reference of your own.',
    );
  }
  const { row, verdict, told } = answer.found;
  if (verdict.eligible && review?.state !== 'open') {
    throw invalid(
      `ID: Lamassu holds ${id} as successful, so nothing has to be settled`,
      'The next `aio-dca poll` distributes it.',
    );
  }
  if (!verdict.eligible && isHeld(verdict.reason) && verdict.reason !== 'backdated') {
    const what = verdict.reason === 'large' ? 'its size' : 'its currency';
    throw invalid(
      `ID: Lamassu holds ${id} as successful, and only ${what} holds it back: ${verdict.detail}`,
      `\`aio-dca review release ${id}\` lets the next run distribute it.`,
    );
  }
  if (told.currency === null && isCurrencyCode(row.fiat_code)) {
    throw invalid(
      `ID: the cash-out is in ${row.fiat_code}, which is not known here`,
      `Put ${row.fiat_code} = 2 under [currencies] in config.toml, with the digits of its minor unit.`,
    );
  }
  const doubtful = isBackdated(row) || ['backdated', 'before-start', 'future'].includes(review?.reason ?? '');
  if (stated !== undefined && !doubtful) {
    throw invalid(
      '--at: it says nothing here, for Lamassu tells when it was',
      'Leave it out; it goes with --external.',
    );
  }
  if (stated !== undefined && stated > answer.now) {
    throw invalid(`--at: ${stated} is in the future`, 'Say when the cash came out.');
  }
  const machine = await machineOf(db, row, told.machine, words.machine);
  const begunAt = told.begunAt === machine ? null : told.begunAt;
  const cashOut = {
    ...{ id, source: config.lamassu.name, machine, begunAt, confirmedAt: stated ?? told.at },
    ...settledFigures(told, words.stated, await rulesOf(config, db)),
    lamassu: { ...row },
  };
  const says = verdict.eligible ? 'it is successful' : `${verdict.reason}, ${verdict.detail}`;
  return {
    settlement: { cashOut, origin: 'settled', ...words },
    lamassu: { answer, told, says },
    doubt: null,
  };
}

/** Where the cash came out: what Lamassu says, and only where it says nothing clear, what the person says. */
async function machineOf(
  db: Db,
  row: LamassuRow,
  told: string | null,
  stated: string | undefined,
): Promise<string> {
  if (told !== null) {
    if (stated === undefined) return told;
    throw invalid('--machine: it says nothing here', `Lamassu tells it: the cash came out of ${told}.`);
  }
  if (stated !== undefined) return (await findMachine(db, stated, '--machine')).device_id;
  const each = dispensesOf(row).map((one) => actionWords(one, row));
  throw invalid(
    `--machine: Lamassu ${each.length > 1 ? `names several machines (${each.join('; ')})` : 'names no machine'}`,
    'Say with --machine which one the cash of this settlement came out of. What came out of another: settle it with --external.',
  );
}

/** The reference of one that Lamassu never saw. Throws `usage/invalid` where it could be mistaken for Lamassu's id. */
export function externalReference(text: string): string {
  const reference = text.trim();
  // Whole or as the first characters that tables show, with dashes and braces or without.
  if (/^[0-9a-f]{6,32}$/i.test(reference.replace(/[-{}]/g, ''))) {
    throw invalid(
      `--external: ${reference} looks like an id of Lamassu`,
      'Settle what Lamassu knows by its id, without --external; else use a reference of your own, like "receipt-17".',
    );
  }
  if (!/^[^\p{C}\p{Z}]{6,100}$/u.test(reference)) {
    throw invalid(
      `--external: ${JSON.stringify(reference)} cannot be a reference`,
      'Use 6 to 100 characters without spaces, like "receipt-17".',
    );
  }
  return reference;
}

/** One that Lamassu never saw: the person states everything. Throws `usage/invalid`. */
export async function draftExternal(
  config: Config,
  db: Db,
  reference: string,
  { machine: named, at }: { machine: string; at: Instant },
  words: Words,
): Promise<Draft> {
  if (at > (await bestTime(db))) throw invalid(`--at: ${at} is in the future`, 'Say when the cash came out.');
  const machine = await findMachine(db, named, '--machine');
  const figures = settledFigures(NOTHING_TOLD, words.stated, config.commission);
  if (machine.currency !== null && machine.currency !== figures.currency) {
    throw invalid(
      `--fiat: ${machineLabel(machine)} pays out ${machine.currency}, not ${figures.currency}`,
      'Check the currency and the machine.',
    );
  }
  const cashOut = {
    ...{ id: reference, source: 'external', machine: machine.device_id, confirmedAt: at },
    ...figures,
    lamassu: null,
  };
  const why = await currencyDoubt(db, machine.device_id, figures.currency);
  const doubt = why === null ? null : `${machineLabel(machine)} and ${figures.currency}: ${why}`;
  return { settlement: { cashOut, origin: 'external', ...words }, lamassu: null, doubt };
}

/** How it would be divided: nothing is written. */
export function previewSettlement(
  ledger: Ledger,
  config: Config,
  draft: Draft,
  who: Who,
): Promise<CashOutDetail> {
  return ledger.dryRun((trx) => enter(trx, config, draft, who));
}

/** Writes it, as `shown` where a person agreed to that. Throws what `settle` throws. */
export function writeSettlement(
  ledger: Ledger,
  config: Config,
  draft: Draft,
  who: Who,
  shown: CashOutDetail | undefined,
): Promise<CashOutDetail> {
  return ledger.write((trx) => enter(trx, config, draft, who, shown));
}

/** Undoes a settlement: see `voidSettlement`. */
export async function undoSettlement(
  trx: Trx,
  config: Config,
  id: string,
  reason: string,
  who: Who,
): Promise<Voided> {
  const at = now();
  const rules = await rulesOf(config, trx);
  return voidSettlement(trx, who, id, reason, at, async (row) => {
    const verdict = await verdictOn(trx, judge(row as LamassuRow, rules, at, {}));
    return verdict.eligible ? null : verdict;
  });
}

async function enter(
  trx: Trx,
  config: Config,
  { settlement, lamassu }: Draft,
  who: Who,
  shown?: CashOutDetail,
): Promise<CashOutDetail> {
  if (lamassu) await bind(trx, config.lamassu, lamassu.answer);
  const { timezone, allocation } = config;
  return settle(
    trx,
    who,
    settlement,
    { now: await bestTime(trx), timezone, priority: allocation.priority },
    shown,
  );
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
