import { formatCash } from '../../dca/money.ts';
import { type BridgeError, notFound } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import type { Db } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';

/** A funding as the views show it; amounts in minor units of `currency`. */
export interface Funding extends Omit<Schema['fundings'], 'id'> {
  id: bigint;
  /** The client's name. */
  client: string;
  digits: number;
  /** The machine's name in Lamassu. */
  machineName: string | null;
}

export interface FundingFilter {
  id?: bigint;
  client?: string | undefined;
  status?: Funding['status'] | undefined;
}

/** Fundings, oldest first. */
export async function listFundings(db: Db, { id, client, status }: FundingFilter = {}): Promise<Funding[]> {
  const rows = await db
    .selectFrom('fundings')
    .innerJoin('recipients', 'recipients.id', 'fundings.client_id')
    .innerJoin('currencies', 'currencies.code', 'fundings.currency')
    .leftJoin('machines', 'machines.device_id', 'fundings.machine')
    .selectAll('fundings')
    .select(['recipients.name as client', 'currencies.digits', 'machines.name as machineName'])
    .$if(id !== undefined, (query) => query.where('fundings.id', '=', id ?? 0n))
    .$if(client !== undefined, (query) => query.where('recipients.name', '=', client ?? ''))
    .$if(status !== undefined, (query) => query.where('fundings.status', '=', status ?? 'deposited'))
    .orderBy('fundings.id')
    .execute();
  return rows.map((row) => ({ ...row, digits: Number(row.digits) }));
}

/** The funding of that id. Throws `usage/invalid` if there is none. */
export async function findFunding(db: Db, id: bigint): Promise<Funding> {
  const [funding] = await listFundings(db, { id });
  if (funding) return funding;
  throw noFunding(id);
}

/** A client's cash in machines in one currency: what remains of the deposited fundings, in minor units. */
export async function cashInMachines(db: Db, client: bigint, currency: string): Promise<bigint> {
  const { cash } = await db
    .selectFrom('fundings')
    .select(sumOf('remaining').as('cash'))
    .where('client_id', '=', client)
    .where('currency', '=', currency)
    .where('status', '=', 'deposited')
    .executeTakeFirstOrThrow();
  return cash;
}

/** The error for a funding that does not exist, or may not be seen. */
export function noFunding(id: bigint): BridgeError {
  return notFound('id', `there is no funding f${id}`, message`${call('fundings.list')} shows them.`);
}

/** `3,000.00 GTQ` */
export function cashOfFunding(
  { digits, currency }: Pick<Funding, 'digits' | 'currency'>,
  minor: bigint,
): string {
  return formatCash(minor, digits, currency);
}
