import type { CashOut } from '../../dca/cash-out.ts';
import type { Db } from '../store/open.ts';
import { successors, withPredecessors } from './lineage.ts';
import { machinesInUse } from './machines.ts';

/**
 * Why a cash-out is the machine's first in a currency in which no client has cash, so all of it would silently become
 * the own share. Null if a client has cash in its currency, if the machine's newest cash-out had that currency, or if
 * the operator set that currency for the machine.
 */
export async function currencyChange(
  db: Db,
  { machine, currency, confirmedAt }: Pick<CashOut, 'machine' | 'currency' | 'confirmedAt'>,
): Promise<string | null> {
  const inUse = await machinesInUse(db);
  if (inUse.some((one) => one.device_id === machine && one.currency === currency)) return null;
  const before = await lastCurrency(db, await withPredecessors(db, machine));
  if (before === currency) return null;
  const line = await successors(db, machine);
  const cash = await db
    .selectFrom('fundings')
    .innerJoin('recipients', 'recipients.id', 'fundings.client_id')
    .select(['fundings.id', 'fundings.machine', 'fundings.currency', 'recipients.name'])
    .where('fundings.status', '=', 'deposited')
    .where('fundings.remaining', '>', 0n)
    .where('fundings.deposited_at', '<=', confirmedAt)
    .where((eb) => eb.or([eb('fundings.machine', 'is', null), eb('fundings.machine', 'in', line)]))
    .orderBy('fundings.id')
    .execute();
  if (cash.some((one) => one.currency === currency)) return null;
  const elsewhere = new Set<string | null>();
  for (const other of inUse.filter((one) => !line.includes(one.device_id))) {
    elsewhere.add(other.currency ?? (await lastCurrency(db, await withPredecessors(db, other.device_id))));
  }
  // Cash for all machines counts for this one if it paid out that currency before, or if no other machine does.
  const its = cash.filter(
    (one) =>
      one.machine !== null || (before === null ? !elsewhere.has(one.currency) : one.currency === before),
  );
  if (its.length === 0) return null;
  const currencies = [...new Set(its.map((one) => one.currency))].sort().join(', ');
  const listed = its.slice(0, 3).map((one) => `f${one.id} of ${one.name}`);
  const more = its.length > listed.length ? ` and ${its.length - listed.length} more` : '';
  return `it is in ${currency}, and the clients' cash for this machine is in ${currencies} (${listed.join(', ')}${more})`;
}

/** The currency of the newest cash-out of these machines; null if there is none. */
async function lastCurrency(db: Db, machines: string[]): Promise<string | null> {
  const row = await db
    .selectFrom('cash_outs')
    .select('currency')
    .where('machine', 'in', machines)
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.currency ?? null;
}
