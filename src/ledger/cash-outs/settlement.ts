import type { CashOut } from '../../dca/cash-out.ts';
import { formatDecimal } from '../../dca/money.ts';
import { type Stated, statedCommission } from '../../dca/settlement.ts';
import { BridgeError } from '../../errors.ts';
import { record, type Who } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import { type IngestOptions, ingest, successors } from './ingest.ts';
import { closeReview } from './review.ts';
import { type CashOutDetail, cashOutDetail } from './view.ts';
import { refusalToUndo } from './voidable.ts';

/** A cash-out that was settled outside, as a person states it. */
export interface Settlement {
  cashOut: CashOut;
  /** `settled`: Lamassu has a row of it. `external`: Lamassu never saw it. */
  origin: 'settled' | 'external';
  stated: Stated;
  reason: string;
  /** Its sats are to be credited to the source wallet. */
  credit: boolean;
}

/** The canonical figures that `settlements.figures` keeps as JSON: sats and minor units as text. */
export interface KeptFigures {
  /** Which of them the person stated; Lamassu told the others. */
  stated: ('fiat' | 'gross' | 'commission')[];
  machine: string;
  at: string;
  currency: string;
  fiat: string;
  /** What was distributed. */
  gross: string;
  commission: string;
  undelivered: string;
}

/** What tells one settlement from another one. */
export interface Repeat {
  id: string;
  stated: Stated;
  /** Where nobody else tells. */
  machine?: string;
  at?: string;
  credit: boolean;
}

/**
 * Takes a settlement into the ledger by the same ingest under the same key. What was settled before with the same
 * figures is answered as it stands, and nothing changes; see `settledBefore`. `shown` is the division that the person
 * agreed to: `settle/changed` where it would be another one now.
 */
export async function settle(
  trx: Trx,
  who: Who,
  settlement: Settlement,
  options: Omit<IngestOptions, 'origin' | 'run'>,
  shown?: CashOutDetail,
): Promise<CashOutDetail> {
  const { cashOut, origin, stated, reason, credit } = settlement;
  const { id, machine, confirmedAt: at } = cashOut;
  const before = await settledBefore(trx, {
    ...{ id, stated, credit },
    ...(origin === 'external' && { machine, at }),
  });
  if (before) return before;
  // Before ingest, which would say that it became eligible.
  await closeReview(trx, id, 'processed', { at: options.now, by: who.actor, reason });
  await ingest(trx, cashOut, { ...options, origin, run: null });
  const figures: KeptFigures = {
    stated: [
      ...(stated.fiat ? (['fiat'] as const) : []),
      ...(stated.gross === undefined ? [] : (['gross'] as const)),
      ...(stated.commission === undefined && stated.rate === undefined ? [] : (['commission'] as const)),
    ],
    machine,
    at,
    currency: cashOut.currency,
    fiat: `${cashOut.fiat}`,
    gross: `${cashOut.gross}`,
    commission: `${cashOut.commission}`,
    undelivered: `${cashOut.undelivered}`,
  };
  await trx
    .insertInto('settlements')
    .values({
      ...{ cash_out_id: id, at: options.now, actor: who.actor, reason },
      ...{ figures: JSON.stringify(figures), credit: credit ? 1n : 0n },
    })
    .execute();
  const view = await cashOutDetail(trx, id);
  if (!view) throw new Error(`${id} was settled and is not there`);
  if (shown && divisionOf(shown) !== divisionOf(view)) {
    throw new BridgeError(
      'settle/changed',
      `the division of ${id} is another one than was shown: cash of clients changed meanwhile`,
      'Nothing was written. Run the command again to see the new division.',
    );
  }
  await record(trx, who, { at: options.now, action: 'settle', subject: id, after: snapshot(view), reason });
  return view;
}

/**
 * What was settled under this id with the same figures; undefined where nothing was processed under it. A figure that
 * is left out is the same where it was left out then. Throws `usage/invalid` where figures differ, which shows both,
 * and where the cash-out was distributed without anybody settling it.
 */
export async function settledBefore(db: Db, repeat: Repeat): Promise<CashOutDetail | undefined> {
  const view = await cashOutDetail(db, repeat.id);
  if (!view) return undefined;
  const { settlement, cashOut } = view;
  if (!settlement) {
    throw invalid(
      `ID: ${cashOut.id} was distributed at ${cashOut.processed_at} as Lamassu confirmed it, so there is nothing to settle`,
      `\`aio-dca cash-outs show ${cashOut.id}\` shows how it was divided.`,
    );
  }
  const differences = differing(view, settlement.credit === 1n, readFigures(settlement.figures), repeat);
  if (differences.length === 0) return view;
  const final = await refusalToUndo(db, view);
  throw invalid(
    `ID: ${cashOut.id} was settled by ${settlement.actor} at ${settlement.at} with other figures: ${differences.join('; ')}`,
    final
      ? `It cannot be undone: ${final.message.replace(/^ID: /, '')} ${final.hint}`
      : `\`aio-dca settle --void ${cashOut.id} --reason "…"\` undoes it; then it can be settled anew.`,
  );
}

/** What speaks against cash of this currency from this machine, in words that follow its name; null where nothing does. */
export async function currencyDoubt(db: Db, machine: string, currency: string): Promise<string | null> {
  const line = await successors(db, machine);
  const cash = await db
    .selectFrom('fundings')
    .select(['currency', 'machine'])
    .distinct()
    .where('status', '<>', 'cancelled')
    .where((eb) => eb.or([eb('machine', 'is', null), eb('machine', 'in', line)]))
    .execute();
  if (!cash.some((one) => one.currency === currency))
    return `nobody has put ${currency} into it, so all of it falls to the own share`;
  const out = await db
    .selectFrom('cash_outs')
    .select('currency')
    .distinct()
    .where('machine', '=', machine)
    .execute();
  const known = new Set([...out, ...cash.filter((one) => one.machine !== null)].map((one) => one.currency));
  if (known.size === 0 || known.has(currency)) return null;
  return `it has paid out ${[...known].sort().join(', ')} so far, and no ${currency}`;
}

export function readFigures(json: string): KeptFigures {
  return JSON.parse(json) as KeptFigures;
}

function differing(
  { cashOut: { digits } }: CashOutDetail,
  credited: boolean,
  kept: KeptFigures,
  { stated, machine, at, credit }: Repeat,
): string[] {
  const fiat = (minor: bigint, currency: string) => `${formatDecimal(minor, digits)} ${currency}`;
  const sats = (amount: bigint | undefined) => (amount === undefined ? undefined : `${amount} sat`);
  const pairs: [string, then: string, today: string | undefined, wasStated: boolean][] = [
    [
      '--fiat',
      fiat(BigInt(kept.fiat), kept.currency),
      stated.fiat && fiat(stated.fiat.minor, stated.fiat.currency),
      kept.stated.includes('fiat'),
    ],
    ['--gross', `${kept.gross} sat`, sats(stated.gross), kept.stated.includes('gross')],
    [
      '--commission',
      `${kept.commission} sat`,
      sats(statedCommission(BigInt(kept.gross), stated)),
      kept.stated.includes('commission'),
    ],
    ['--machine', kept.machine, machine, false],
    ['--at', kept.at, at, false],
    ['--credit', credited ? 'given' : 'not given', credit ? 'given' : 'not given', false],
  ];
  return pairs
    .filter(([, then, today, wasStated]) => (today === undefined ? wasStated : today !== then))
    .map(([field, then, today]) => `${field} was ${then}, now ${today ?? 'left to Lamassu'}`);
}

/** A settlement as the log and a void keep it. */
export function snapshot({ cashOut, allocations, settlement }: CashOutDetail) {
  const { id: _, lamassu: __, digits, ...figures } = cashOut;
  const fiat = (minor: bigint) => formatDecimal(minor, digits);
  return {
    ...figures,
    fiat: fiat(cashOut.fiat),
    own_fiat: fiat(cashOut.own_fiat),
    credit: settlement?.credit === 1n,
    allocations: allocations.map((one) => ({
      client: one.client,
      funding: `f${one.funding_id}`,
      fiat: fiat(one.fiat),
      gross: one.gross,
      commission: one.commission,
      net: one.net,
    })),
  };
}

/** Everything that a person saw of a division, for comparing. */
function divisionOf(view: CashOutDetail): string {
  const { own, own_fiat, commission, allocations } = snapshot(view);
  const values = { own, own_fiat, commission, allocations };
  return JSON.stringify(values, (_key, value) => (typeof value === 'bigint' ? `${value}` : value));
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
