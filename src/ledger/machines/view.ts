import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import type { Machine } from './machines.ts';
import { type Rates, ratesAt } from './rates.ts';

/** A machine with the clients' cash for it, by currency, in minor units. */
export interface MachineWithCash extends Pick<Machine, 'name' | 'currency' | 'first_seen'> {
  deviceId: string;
  /** Of deposited fundings that serve only this machine. */
  remaining: Remaining[];
  /** Of deposited fundings that serve every machine. */
  remainingAny: Remaining[];
  /** When its newest processed cash-out was confirmed. */
  lastCashOut: Instant | null;
  /** In force now. */
  rates: Rates;
}

export interface Remaining {
  currency: string;
  digits: number;
  remaining: bigint;
}

/** In the order of `machines`. */
export async function machineViews(db: Db, machines: Machine[], at: Instant): Promise<MachineWithCash[]> {
  const cash = await db
    .selectFrom('fundings')
    .innerJoin('currencies', 'currencies.code', 'fundings.currency')
    .select([
      'fundings.machine',
      'fundings.currency',
      'currencies.digits',
      sumOf('fundings.remaining').as('remaining'),
    ])
    .where('fundings.status', '=', 'deposited')
    .groupBy(['fundings.machine', 'fundings.currency', 'currencies.digits'])
    .orderBy('fundings.currency')
    .execute();
  const last = await db
    .selectFrom('machines')
    .select('device_id')
    .select((eb) =>
      eb
        .selectFrom('cash_outs')
        .select((of) => of.fn.max<Instant | null>('confirmed_at').as('at'))
        .whereRef('cash_outs.machine', '=', 'machines.device_id')
        .as('at'),
    )
    .execute();
  const remaining = (machine: string | null) =>
    cash
      .filter((row) => row.machine === machine)
      .map((row) => ({ currency: row.currency, digits: Number(row.digits), remaining: row.remaining }));
  const views: MachineWithCash[] = [];
  for (const { device_id, name, currency, first_seen } of machines) {
    views.push({
      deviceId: device_id,
      name,
      currency,
      first_seen,
      remaining: remaining(device_id),
      remainingAny: remaining(null).filter((one) => currency === null || one.currency === currency),
      lastCashOut: last.find((row) => row.device_id === device_id)?.at ?? null,
      rates: await ratesAt(db, device_id, at),
    });
  }
  return views;
}
