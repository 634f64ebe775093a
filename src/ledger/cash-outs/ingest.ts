import { type SqlBool, sql } from 'kysely';
import { type Allocation, allocate, type Division, type EligibleFunding } from '../../dca/allocate.ts';
import type { CashOut } from '../../dca/cash-out.ts';
import { localDate } from '../../dca/local-time.ts';
import { largestRemainder } from '../../dca/split.ts';
import type { Instant } from '../../time.ts';
import type { Act } from '../log/log.ts';
import { successors } from '../machines/lineage.ts';
import { ratesAt } from '../machines/rates.ts';
import { seeMachine } from '../machines/register.ts';
import { useCurrency } from '../store/currencies.ts';
import { inForce } from '../store/effective-dated.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { closeReview } from './review.ts';
import { causesAsText, type OwnShareCause, whyOwnShare } from './why-own-share.ts';

export interface IngestOptions {
  /** The time zone of local days, by which daily limits count. */
  timezone: string;
  priority: 'shared' | 'flow-first' | 'fixed-first';
  origin: Schema['cash_outs']['origin'];
}

export interface RecordedDivision extends Division {
  /** Why it has an own share; empty if it has none. */
  causes: OwnShareCause[];
}

/** A cash-out that cannot be divided, with the reason from `dca`. Other cash-outs go on. */
export class NotDivisible extends Error {}

/** Runs a computation: its errors concern this cash-out only, while errors of the database concern all. */
function compute<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new NotDivisible(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/**
 * Records one cash-out in the caller's transaction: the cash-out, its allocations, and what remains of the fundings.
 * `act` is that of the run that read it, or of the operator's settlement, which has no run.
 * Its id is the key: if it was processed before, returns null and changes nothing. Forms no payouts. Throws
 * `NotDivisible` if the cash-out cannot be divided.
 */
export async function ingest(
  trx: Trx,
  act: Act,
  cashOut: CashOut,
  options: IngestOptions,
): Promise<RecordedDivision | null> {
  const processed = await trx
    .selectFrom('cash_outs')
    .select('id')
    .where('id', '=', cashOut.id)
    .executeTakeFirst();
  if (processed) return null;

  await useCurrency(trx, cashOut.currency, cashOut.digits);
  const { machine, begunAt = null } = cashOut;
  await seeMachine(trx, act, machine, cashOut.source);
  if (begunAt !== null) await seeMachine(trx, act, begunAt, cashOut.source);
  const day = compute(() => localDate(cashOut.confirmedAt, options.timezone));
  const fundings = await eligibleFundings(trx, cashOut);
  const limitLeft = await limitsLeft(trx, fundings, cashOut, day);
  const { fiat, distributed, commission } = cashOut;
  const division = compute(() =>
    allocate({ fiat, distributed, commission, fundings, limitLeft, priority: options.priority }),
  );
  const causes = await whyOwnShare(trx, cashOut, division);

  await trx
    .insertInto('cash_outs')
    .values({
      id: cashOut.id,
      source: cashOut.source,
      machine,
      begun_at_machine: begunAt,
      confirmed_at: cashOut.confirmedAt,
      processed_at: act.at,
      local_date: day,
      currency: cashOut.currency,
      fiat: cashOut.fiat,
      gross: cashOut.distributed + cashOut.undelivered,
      commission: division.commission,
      net: division.net,
      own: division.own.net,
      undelivered: cashOut.undelivered,
      own_fiat: division.own.fiat,
      own_reasons: causes.length > 0 ? causesAsText(causes) : null,
      method: cashOut.method,
      origin: options.origin,
      run_id: act.run,
      lamassu: cashOut.lamassu ? JSON.stringify(cashOut.lamassu) : null,
    })
    .execute();
  await spend(trx, cashOut, day, division.allocations);
  await shareCommission(trx, cashOut, division.commission);
  await trx.deleteFrom('watch').where('cash_out_id', '=', cashOut.id).execute();
  await closeReview(trx, { ...act, actor: 'ingest', reason: 'became eligible' }, cashOut.id, 'processed');
  return { ...division, causes };
}

/** Rows per statement: PostgreSQL and SQLite limit the number of parameters to some ten thousand. */
const ROWS = 500;

/** Subtracts the allocations of one cash-out from their fundings; a constraint refuses more than remains. */
export async function spend(
  trx: Trx,
  cashOut: Pick<CashOut, 'id' | 'currency'>,
  day: string,
  allocations: Allocation[],
): Promise<void> {
  for (let from = 0; from < allocations.length; from += ROWS) {
    const rows = allocations.slice(from, from + ROWS).map((allocation) => ({
      cash_out_id: cashOut.id,
      funding_id: allocation.funding,
      client_id: allocation.client,
      mode: allocation.mode,
      local_date: day,
      currency: cashOut.currency,
      fiat: allocation.fiat,
      gross: allocation.gross,
      commission: allocation.commission,
      net: allocation.net,
    }));
    await trx.insertInto('allocations').values(rows).execute();
    const { numUpdatedRows } = await trx
      .updateTable('fundings')
      .from('allocations as taken')
      .set({
        remaining: sql`fundings.remaining - taken.fiat`,
        spent: sql`fundings.spent + taken.fiat`,
        status: sql`case when fundings.remaining = taken.fiat then 'exhausted' else fundings.status end`,
      })
      .whereRef('fundings.id', '=', 'taken.funding_id')
      .where('taken.cash_out_id', '=', cashOut.id)
      .where(
        'taken.funding_id',
        'in',
        rows.map((row) => row.funding_id),
      )
      .executeTakeFirstOrThrow();
    if (numUpdatedRows !== BigInt(rows.length))
      throw new Error(`${rows.length} allocations came out of ${numUpdatedRows} fundings`);
  }
}

/**
 * Divides the commission over its recipients by the weights in force at the cash-out: the machine's own recipients if
 * it has any, else the general ones. Without recipients, the commission stays in the source wallet.
 */
async function shareCommission(trx: Trx, cashOut: CashOut, commission: bigint): Promise<void> {
  const recipients = await commissionWeights(trx, cashOut.machine, cashOut.confirmedAt);
  if (commission === 0n || recipients.length === 0) return;
  const weights = recipients.map(({ weight }) => ({ weight }));
  const shares = compute(() => largestRemainder(commission, weights));
  for (const [index, { id }] of recipients.entries()) {
    const sats = shares[index] ?? 0n;
    if (sats === 0n) continue;
    const share = { cash_out_id: cashOut.id, recipient_id: id, currency: cashOut.currency, sats };
    await trx.insertInto('commission_shares').values(share).execute();
  }
}

/** The weights of a machine's recipients at a moment, by id: its own recipients, else the general ones. */
export async function commissionWeights(
  db: Db,
  machine: string,
  at: Instant,
): Promise<{ id: bigint; weight: bigint }[]> {
  const rows = await db
    .selectFrom('commission_weights')
    .select(['recipient_id as id', 'machine', 'weight'])
    .where((eb) => eb.or([eb('machine', 'is', null), eb('machine', '=', machine)]))
    .where('from_at', '<=', at)
    .orderBy('from_at')
    .orderBy('id')
    .execute();
  // Later rows replace earlier ones of the same recipient and machine.
  const inForceNow = [...new Map(rows.map((row) => [`${row.id} ${row.machine}`, row])).values()];
  const weighted = inForceNow.filter(({ weight }) => weight > 0n).sort((a, b) => (a.id < b.id ? -1 : 1));
  const own = weighted.filter((row) => row.machine !== null);
  return own.length > 0 ? own : weighted;
}

/**
 * The fundings that share in a cash-out: in the machine (or serving all) when it was confirmed, in its currency, with
 * cash remaining now, of clients who were not paused then. Each has the mode and rate in force then.
 */
async function eligibleFundings(trx: Trx, cashOut: CashOut): Promise<EligibleFunding[]> {
  const at = cashOut.confirmedAt;
  const line = await successors(trx, cashOut.machine);
  const machine = await ratesAt(trx, cashOut.machine, at);
  const rows = await trx
    .selectFrom('fundings')
    .innerJoin('client_settings', (join) =>
      join.on(
        'client_settings.id',
        '=',
        inForce('client_settings', 'client_id', sql.ref('fundings.client_id'), at),
      ),
    )
    .select([
      'fundings.id',
      'fundings.client_id',
      'fundings.remaining',
      'fundings.rate',
      'client_settings.mode',
    ])
    .where('fundings.status', '=', 'deposited')
    .where('fundings.currency', '=', cashOut.currency)
    .where((eb) => eb.or([eb('fundings.machine', 'is', null), eb('fundings.machine', 'in', line)]))
    .where('fundings.deposited_at', '<=', at)
    .where('client_settings.paused', '=', 0n)
    .orderBy('fundings.id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    client: row.client_id,
    remaining: row.remaining,
    mode: row.mode,
    rate: row.rate ?? machine.rate,
  }));
}

/** What each fixed client may still receive on the cash-out's local day, in its currency. */
async function limitsLeft(
  trx: Trx,
  fundings: EligibleFunding[],
  cashOut: CashOut,
  day: string,
): Promise<Map<bigint, bigint>> {
  const clients = [...new Set(fundings.filter((one) => one.mode === 'fixed').map((one) => one.client))];
  if (clients.length === 0) return new Map();
  const limits = await trx
    .selectFrom('recipients')
    .innerJoin('client_limits', (join) =>
      join.on(
        'client_limits.id',
        '=',
        inForce(
          'client_limits',
          'client_id',
          sql.ref('recipients.id'),
          cashOut.confirmedAt,
          sql<SqlBool>`x.currency = ${cashOut.currency}`,
        ),
      ),
    )
    .select(['recipients.id', 'client_limits.daily_limit'])
    .where('recipients.id', 'in', clients)
    .execute();
  const used = await trx
    .selectFrom('allocations')
    .select(['client_id', sumOf('fiat').as('fiat')])
    .where('client_id', 'in', clients)
    .where('mode', '=', 'fixed')
    .where('currency', '=', cashOut.currency)
    .where('local_date', '=', day)
    .groupBy('client_id')
    .execute();
  const spent = new Map(used.map((row) => [row.client_id, row.fiat]));
  return new Map(
    limits.map(({ id, daily_limit }) => {
      const left = daily_limit - (spent.get(id) ?? 0n);
      return [id, left > 0n ? left : 0n];
    }),
  );
}
