import type { CashOut } from '../../dca/cash-out.ts';
import { formatCash, formatDecimal, formatSats } from '../../dca/money.ts';
import { type Stated, statedCommission } from '../../dca/settlement.ts';
import { conflict, wrongState } from '../../errors.ts';
import { call, field, type Message, message } from '../../lib/message.ts';
import { type ReasonedAct, record } from '../log/log.ts';
import { successors } from '../machines/lineage.ts';
import type { Db, Trx } from '../store/open.ts';
import { finalityOf } from './finality.ts';
import { type IngestOptions, ingest } from './ingest.ts';
import { closeReview } from './review.ts';
import { type CashOutDetail, cashOutDetail } from './view.ts';

/** A cash-out that was settled outside of Lamassu, as the operator states it. */
export interface Settlement {
  cashOut: CashOut;
  /** `settled`: Lamassu has a row of it. `external`: Lamassu has none. */
  origin: 'settled' | 'external';
  stated: Stated;
  /** Whether its sats are to be credited to the source wallet. */
  credit: boolean;
}

/** The figures in `settlements.figures`, as JSON: sats and minor units as text. */
export interface KeptFigures {
  /** The figures that the operator stated; the others are Lamassu's. */
  stated: ('fiat' | 'gross' | 'commission' | 'price')[];
  machine: string;
  at: string;
  currency: string;
  fiat: string;
  /** What was distributed. */
  gross: string;
  commission: string;
  undelivered: string;
  /** Of one BTC, in minor units, where the operator stated it. */
  price?: string;
}

/** The figures by which two settlements are compared. */
export interface Repeat {
  id: string;
  stated: Stated;
  /** The currency where no other source tells it. */
  machine?: string;
  at?: string;
  credit: boolean;
}

/**
 * Records a settlement by the same ingest under the same key. If it was settled before with the same figures, changes
 * nothing and returns it. Errors: those of `settledBefore`.
 */
export async function settle(
  trx: Trx,
  act: ReasonedAct,
  settlement: Settlement,
  options: Omit<IngestOptions, 'origin'>,
): Promise<CashOutDetail> {
  const { cashOut, origin, stated, credit } = settlement;
  const { id, machine, confirmedAt } = cashOut;
  const before = await settledBefore(trx, {
    ...{ id, stated, credit },
    ...(origin === 'external' && { machine, at: confirmedAt }),
  });
  if (before) return before;
  const { at, actor, reason } = act;
  // Before ingest, which would close the entry as eligible.
  await closeReview(trx, act, id, 'processed');
  await ingest(trx, { ...act, run: null }, cashOut, { ...options, origin });
  const figures: KeptFigures = {
    stated: [
      ...(stated.fiat ? (['fiat'] as const) : []),
      ...(stated.distributed === undefined ? [] : (['gross'] as const)),
      ...(stated.commission === undefined && stated.rate === undefined ? [] : (['commission'] as const)),
      ...(stated.price ? (['price'] as const) : []),
    ],
    machine,
    at: confirmedAt,
    currency: cashOut.currency,
    fiat: `${cashOut.fiat}`,
    gross: `${cashOut.distributed}`,
    commission: `${cashOut.commission}`,
    undelivered: `${cashOut.undelivered}`,
    ...(stated.price && { price: `${stated.price.minor}` }),
  };
  await trx
    .insertInto('settlements')
    .values({
      ...{ cash_out_id: id, at, actor, reason },
      ...{ figures: JSON.stringify(figures), credit: credit ? 1n : 0n },
    })
    .execute();
  const view = await cashOutDetail(trx, id);
  if (!view) throw new Error(`${id} was settled and is not there`);
  await record(trx, act, { action: 'settle', subject: id, after: settlementSnapshot(view) });
  return view;
}

/**
 * The earlier settlement of this id with the same figures; undefined if nothing was distributed under the id. A figure
 * that is left out equals one that was left out then. Throws `usage/invalid`: `conflict` if figures differ (the message
 * shows both), `state` if the cash-out was distributed without a settlement.
 */
export async function settledBefore(db: Db, repeat: Repeat): Promise<CashOutDetail | undefined> {
  const view = await cashOutDetail(db, repeat.id);
  if (!view) return undefined;
  const { settlement, cashOut } = view;
  if (!settlement) {
    throw wrongState(
      'id',
      `${cashOut.id} was distributed at ${cashOut.processed_at} as Lamassu confirmed it, so there is nothing to settle`,
      message`${call('cash_outs.show', { id: cashOut.id })} shows how it was divided.`,
    );
  }
  const differences = differing(view, settlement.credit === 1n, readFigures(settlement.figures), repeat);
  if (differences.length === 0) return view;
  const final = await finalityOf(db, view);
  const [first, ...others] = differences;
  const told = others.reduce((all, one) => message`${all}; ${one}`, message`${first ?? ''}`);
  throw conflict(
    'id',
    message`${cashOut.id} was settled by ${settlement.actor} at ${settlement.at} with other figures: ${told}`,
    final
      ? message`It cannot be undone: ${final.why}. ${final.way}`
      : message`${call('settlements.void', { id: cashOut.id, reason: null })} undoes it; then it can be settled again.`,
  );
}

/** Why cash of this currency from this machine is doubtful, as a clause after the machine's name; null: it is not. */
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
): Message[] {
  const fiat = (minor: bigint, currency: string) => formatCash(minor, digits, currency);
  const sats = (amount: bigint | undefined) => (amount === undefined ? undefined : formatSats(amount));
  const pairs: [string, then: string, today: string | undefined, wasStated: boolean][] = [
    [
      'fiat',
      fiat(BigInt(kept.fiat), kept.currency),
      stated.fiat && fiat(stated.fiat.minor, stated.fiat.currency),
      kept.stated.includes('fiat'),
    ],
    ['gross', formatSats(BigInt(kept.gross)), sats(stated.distributed), kept.stated.includes('gross')],
    [
      'commission',
      formatSats(BigInt(kept.commission)),
      sats(statedCommission(BigInt(kept.gross), stated)),
      kept.stated.includes('commission'),
    ],
    [
      'price',
      kept.price === undefined ? 'not stated' : fiat(BigInt(kept.price), kept.currency),
      stated.price && fiat(stated.price.minor, stated.price.currency),
      kept.stated.includes('price'),
    ],
    ['machine', kept.machine, machine, false],
    ['at', kept.at, at, false],
    ['credit', credited ? 'given' : 'not given', credit ? 'given' : 'not given', false],
  ];
  return pairs
    .filter(([, then, today, wasStated]) => (today === undefined ? wasStated : today !== then))
    .map(([name, then, today]) => message`${field(name)} was ${then}, now ${today ?? 'left to Lamassu'}`);
}

/** A settlement as the log and `voids` record it. */
export function settlementSnapshot({ cashOut, allocations, settlement }: CashOutDetail) {
  const { id: _, lamassu: __, own_reasons: ___, machineName, begunAtName, digits, ...figures } = cashOut;
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
