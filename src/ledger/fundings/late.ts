import { type Selectable, type SqlBool, sql } from 'kysely';
import type { Mode } from '../../dca/fill.ts';
import { formatDecimal, formatSats, sum } from '../../dca/money.ts';
import { takeFromOwn } from '../../dca/own-share.ts';
import { BridgeError } from '../../errors.ts';
import { type Call, field, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { spend } from '../cash-outs/ingest.ts';
import { type Act, record } from '../log/log.ts';
import { withPredecessors } from '../machines/lineage.ts';
import { ratesAt } from '../machines/rates.ts';
import type { Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { cashOfFunding, type Funding, findFunding } from './view.ts';

/*
 * Cash that is entered late: cash-outs since its deposit were divided without it, and the part that no client's cash
 * covered became the operator's own share. The late cash would have covered that share up to its amount, because every
 * other client had already given the most possible. So it may take its part out of the own share, oldest cash-out
 * first. No other client's part changes.
 */

/** `from-own`: the funding gets its parts. `leave`: the cash-outs stay as they are. */
export type PastChoice = 'from-own' | 'leave';

export interface Past {
  /** Ordered by their confirmation. */
  cashOuts: PastCashOut[];
  /** Whether the funding got its parts. */
  given: boolean;
}

/** A cash-out with an own share, and the part that a late funding would have had of it; may be 0. */
export interface PastCashOut {
  id: string;
  machine: string;
  confirmedAt: Instant;
  /** The own share, in minor units. */
  ownFiat: bigint;
  fiat: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
}

/**
 * Applies the choice for the past of a funding. Throws `usage/invalid` if a choice is needed and none was made;
 * `preview` shows it.
 */
export async function settlePast(
  trx: Trx,
  act: Act,
  funding: Funding,
  choice: PastChoice | undefined,
  preview: Call,
): Promise<{ funding: Funding; past: Past }> {
  const parts = await partsOf(trx, funding);
  const cashOuts = parts.map(({ past }) => past);
  if (choice === undefined && cashOuts.some(({ fiat }) => fiat > 0n))
    throw undecided(funding, cashOuts, preview);
  if (choice !== 'from-own') return { funding, past: { cashOuts, given: false } };
  for (const part of parts) if (part.past.fiat > 0n) await give(trx, act, funding, part);
  return { funding: await findFunding(trx, funding.id), past: { cashOuts, given: true } };
}

/** The error that asks for the choice; nothing was written. */
function undecided(funding: Funding, past: PastCashOut[], next: Call): BridgeError {
  const were = past.length === 1 ? '1 cash-out since then was' : `${past.length} cash-outs since then were`;
  const ownFiat = cashOfFunding(funding, sum(past.map((one) => one.ownFiat)));
  const net = sum(past.map((one) => one.net));
  const fiat = cashOfFunding(funding, sum(past.map((one) => one.fiat)));
  return new BridgeError(
    'usage/invalid',
    `${were} divided without this cash, and ${ownFiat} of it became the operator's own share.`,
    message`With ${field('from_own')} it gets ${formatSats(net)} for ${fiat} out of that share; with ${field('no_past')} the cash-outs stay as they are.`,
    { field: 'at', kind: 'conflict', next },
  );
}

interface PartOfPast {
  past: PastCashOut;
  mode: Mode;
  before: Selectable<Schema['cash_outs']>;
  after: Pick<Schema['cash_outs'], 'own' | 'own_fiat' | 'net' | 'commission'>;
}

async function partsOf(trx: Trx, funding: Funding): Promise<PartOfPast[]> {
  if (funding.deposited_at === null) return [];
  const client = await ClientThen.read(trx, funding);
  const parts: PartOfPast[] = [];
  let remaining = funding.remaining;
  for (const row of await ownShares(trx, funding, funding.deposited_at)) {
    const { clientsGross, clientsCommission, shared, ...before } = row;
    const distributed = before.gross - before.undelivered;
    const ownGross = distributed - clientsGross;
    const ownCommission = before.commission - clientsCommission;
    const most = client.may(before);
    const fiat = [remaining, before.own_fiat, most].reduce((least, one) => (one < least ? one : least));
    const own = { fiat: before.own_fiat, gross: ownGross, commission: ownCommission };
    // The shares of commission recipients stay, so the part pays the commission that was charged.
    const rate = shared
      ? null
      : (funding.rate ?? (await ratesAt(trx, before.machine, before.confirmed_at)).rate);
    const { taken, left } =
      fiat > 0n
        ? takeFromOwn({ fiat: before.fiat, gross: distributed }, own, fiat, rate)
        : { taken: { fiat: 0n, gross: 0n, commission: 0n }, left: own };
    remaining -= fiat;
    client.give(before, fiat);
    const net = taken.gross - taken.commission;
    parts.push({
      past: {
        ...{ id: before.id, machine: before.machine, confirmedAt: before.confirmed_at },
        ...{ ownFiat: before.own_fiat, ...taken, net },
      },
      mode: client.modeAt(before.confirmed_at),
      before,
      after: {
        own: left.gross - left.commission,
        own_fiat: left.fiat,
        net: before.net + net,
        commission: clientsCommission + taken.commission + left.commission,
      },
    });
  }
  return parts;
}

/** Cash-outs with an own share in which a funding would have taken part, with what the clients have of them. */
async function ownShares(trx: Trx, { id, machine, currency }: Funding, since: Instant) {
  const machines = machine === null ? null : await withPredecessors(trx, machine);
  const rows = await trx
    .selectFrom('cash_outs')
    .selectAll()
    .select([
      sql<bigint>`cast((select coalesce(sum(a.gross), 0) from allocations as a where a.cash_out_id = cash_outs.id) as bigint)`.as(
        'clientsGross',
      ),
      sql<bigint>`cast((select coalesce(sum(a.commission), 0) from allocations as a where a.cash_out_id = cash_outs.id) as bigint)`.as(
        'clientsCommission',
      ),
      sql<bigint>`(select count(*) from commission_shares as s where s.cash_out_id = cash_outs.id)`.as(
        'shares',
      ),
    ])
    .where('confirmed_at', '>=', since)
    .where('currency', '=', currency)
    .where('own_fiat', '>', 0n)
    .where(
      sql<SqlBool>`not exists (select 1 from allocations as a where a.cash_out_id = cash_outs.id and a.funding_id = ${id})`,
    )
    .$if(machines !== null, (query) => query.where('machine', 'in', machines ?? []))
    .orderBy('confirmed_at')
    .orderBy('id')
    .execute();
  return rows.map(({ shares, ...row }) => ({ ...row, shared: shares > 0n }));
}

/** A client's settings at the confirmation of a cash-out, and what its daily limits leave. */
class ClientThen {
  readonly #settings: Pick<Schema['client_settings'], 'from_at' | 'mode' | 'paused'>[];
  readonly #limits: Pick<Schema['client_limits'], 'from_at' | 'daily_limit'>[];
  readonly #used: Map<string, bigint>;

  private constructor(
    settings: Pick<Schema['client_settings'], 'from_at' | 'mode' | 'paused'>[],
    limits: Pick<Schema['client_limits'], 'from_at' | 'daily_limit'>[],
    used: Map<string, bigint>,
  ) {
    this.#settings = settings;
    this.#limits = limits;
    this.#used = used;
  }

  static async read(trx: Trx, { client_id, currency }: Funding): Promise<ClientThen> {
    const settings = await trx
      .selectFrom('client_settings')
      .select(['from_at', 'mode', 'paused'])
      .where('client_id', '=', client_id)
      .orderBy('from_at')
      .orderBy('id')
      .execute();
    const limits = await trx
      .selectFrom('client_limits')
      .select(['from_at', 'daily_limit'])
      .where('client_id', '=', client_id)
      .where('currency', '=', currency)
      .orderBy('from_at')
      .orderBy('id')
      .execute();
    const used = await trx
      .selectFrom('allocations')
      .select(['local_date', sumOf('fiat').as('fiat')])
      .where('client_id', '=', client_id)
      .where('currency', '=', currency)
      .where('mode', '=', 'fixed')
      .groupBy('local_date')
      .execute();
    return new ClientThen(settings, limits, new Map(used.map((row) => [row.local_date, row.fiat])));
  }

  modeAt(at: Instant): Mode {
    return this.#settings.findLast((row) => row.from_at <= at)?.mode ?? 'flow';
  }

  /** The most that the client's limits allow for a cash-out, regardless of its cash. */
  may({ confirmed_at: at, local_date, own_fiat }: Schema['cash_outs']): bigint {
    if (this.#settings.findLast((row) => row.from_at <= at)?.paused !== 0n) return 0n;
    if (this.modeAt(at) === 'flow') return own_fiat;
    const limit = this.#limits.findLast((row) => row.from_at <= at)?.daily_limit ?? 0n;
    const left = limit - (this.#used.get(local_date) ?? 0n);
    return left > 0n ? left : 0n;
  }

  give({ confirmed_at, local_date }: Schema['cash_outs'], fiat: bigint): void {
    if (this.modeAt(confirmed_at) === 'flow') return;
    this.#used.set(local_date, (this.#used.get(local_date) ?? 0n) + fiat);
  }
}

async function give(
  trx: Trx,
  act: Act,
  funding: Funding,
  { past, mode, before, after }: PartOfPast,
): Promise<void> {
  const { fiat, gross, commission, net } = past;
  const allocation = { funding: funding.id, client: funding.client_id, mode, fiat, gross, commission, net };
  await spend(trx, before, before.local_date, [allocation]);
  await trx.updateTable('cash_outs').set(after).where('id', '=', before.id).execute();
  const state = ({ own_fiat, own, net, commission }: PartOfPast['after']) => ({
    ...{
      own_fiat: formatDecimal(own_fiat, funding.digits),
      own_sats: own,
      net_sats: net,
      commission_sats: commission,
    },
  });
  await record(trx, act, {
    action: 'cash-out from own',
    subject: before.id,
    before: state(before),
    after: {
      ...state(after),
      funding: `f${funding.id}`,
      fiat: formatDecimal(fiat, funding.digits),
      sats: net,
    },
  });
}
