import { formatDecimal } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { findClient } from './clients.ts';
import { useCurrency } from './currencies.ts';
import { record, type Who } from './log.ts';
import { findMachine, machineLabel, machinesInUse } from './machines.ts';
import type { Db, Trx } from './open.ts';
import type { Schema } from './schema.ts';

/*
 * A funding is one lump of a client's cash: `in_flight` until the operator confirms that it is in the cassette, then
 * `deposited` until all of it is spent (`exhausted`) or taken out again (`withdrawn`). `cancelled`: it never arrived.
 */

/** A funding as people see it; amounts in minor units of `currency`. */
export interface Funding extends Omit<Schema['fundings'], 'id'> {
  id: bigint;
  /** The client's name. */
  client: string;
  digits: number;
  /** The machine's name in Lamassu. */
  machineName: string | null;
}

/** Cash-outs since a funding was deposited that were divided without it, and left the operator an own share. */
export interface Past {
  cashOuts: number;
  ownFiat: bigint;
}

export interface NewFunding {
  client: string;
  amount: { minor: bigint; currency: string; digits: number };
  /** A device id or name; null: it serves all machines; undefined: it was not said. */
  machine: string | null | undefined;
  /** Its own commission rate, ×10^5; null: the machine's, or what Lamassu charged. */
  rate: bigint | null;
  /** When the cash was in the machine; null: it is on its way. */
  depositedAt: Instant | null;
}

/** Adds a funding. Throws `usage/invalid`. */
export async function addFunding(
  trx: Trx,
  who: Who,
  funding: NewFunding,
  at: Instant,
): Promise<{ funding: Funding; past: Past }> {
  const { amount, rate, depositedAt } = funding;
  const client = await findClient(trx, funding.client, at);
  if (client.status !== 'active') {
    throw invalid(
      `CLIENT: ${client.name} is ${client.status}`,
      client.status === 'closing'
        ? `\`aio-dca clients resume ${client.name}\` takes the closing back.`
        : 'Add the cash to another client.',
    );
  }
  if (client.mode === 'fixed' && !client.limits.some((limit) => limit.currency === amount.currency)) {
    throw invalid(
      `amount: ${client.name} is a fixed client without a daily limit in ${amount.currency}, so nothing of it would ever be spent`,
      `\`aio-dca clients set ${client.name} --daily-limit "… ${amount.currency}"\` gives one.`,
    );
  }
  refuseFuture(depositedAt, at);
  const machine = await machineFor(trx, funding.machine, amount.currency);
  await useCurrency(trx, amount.currency, amount.digits);
  const { id } = await trx
    .insertInto('fundings')
    .values({
      client_id: client.id,
      machine,
      currency: amount.currency,
      amount: amount.minor,
      remaining: amount.minor,
      spent: 0n,
      withdrawn: 0n,
      rate,
      status: depositedAt === null ? 'in_flight' : 'deposited',
      created_at: at,
      deposited_at: depositedAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  const added = await findFunding(trx, id);
  await record(trx, who, {
    at,
    action: 'funding add',
    subject: `f${id}`,
    after: { client: client.name, machine, rate, ...snapshot(added) },
  });
  return { funding: added, past: await pastOf(trx, added) };
}

/** `in_flight` → `deposited`: the cash is in the machine since `depositedAt`. Throws `usage/invalid`. */
export async function confirmFunding(
  trx: Trx,
  who: Who,
  id: bigint,
  depositedAt: Instant,
  at: Instant,
): Promise<{ funding: Funding; past: Past }> {
  const before = await fundingIn(trx, id, 'in_flight', 'can be confirmed');
  refuseFuture(depositedAt, at);
  const funding = await change(trx, who, before, 'funding confirm', at, undefined, {
    status: 'deposited',
    deposited_at: depositedAt,
  });
  return { funding, past: await pastOf(trx, funding) };
}

/** `in_flight` → `cancelled`: the cash did not arrive. Throws `usage/invalid`. */
export async function cancelFunding(
  trx: Trx,
  who: Who,
  id: bigint,
  at: Instant,
  reason: string | undefined,
): Promise<Funding> {
  const before = await fundingIn(trx, id, 'in_flight', 'can be cancelled');
  return change(trx, who, before, 'funding cancel', at, reason, {
    status: 'cancelled',
    remaining: 0n,
    withdrawn: before.amount,
  });
}

/** Takes deposited cash out again: `amount`, or all that remains where it is null. Throws `usage/invalid`. */
export async function withdrawFunding(
  trx: Trx,
  who: Who,
  id: bigint,
  amount: { minor: bigint; currency: string } | null,
  at: Instant,
  reason: string,
): Promise<Funding> {
  const before = await fundingIn(trx, id, 'deposited', 'has cash that can be withdrawn');
  if (amount && amount.currency !== before.currency) {
    throw invalid(
      `amount: f${id} is cash in ${before.currency}, not in ${amount.currency}`,
      `Write "… ${before.currency}".`,
    );
  }
  const taken = amount?.minor ?? before.remaining;
  const shown = (minor: bigint) => `${formatDecimal(minor, before.digits)} ${before.currency}`;
  if (taken > before.remaining) {
    throw invalid(
      `amount: ${shown(taken)} is more than the ${shown(before.remaining)} that remain of f${id}`,
      'Leave the amount out to withdraw all that remains.',
    );
  }
  const remaining = before.remaining - taken;
  return change(trx, who, before, 'funding withdraw', at, reason, {
    remaining,
    withdrawn: before.withdrawn + taken,
    status: remaining === 0n ? 'withdrawn' : 'deposited',
  });
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

/** Throws `usage/invalid` where there is none of that id. */
export async function findFunding(db: Db, id: bigint): Promise<Funding> {
  const [funding] = await listFundings(db, { id });
  if (funding) return funding;
  throw invalid(`ID: there is no funding f${id}`, '`aio-dca fundings list` shows them.');
}

async function fundingIn(trx: Trx, id: bigint, status: Funding['status'], what: string): Promise<Funding> {
  const funding = await findFunding(trx, id);
  if (funding.status === status) return funding;
  const words = (state: string) => state.replace('_', ' ');
  const ways: Partial<Record<Funding['status'], string>> = {
    in_flight: `It is on its way: \`aio-dca fundings confirm f${id}\` or \`aio-dca fundings cancel f${id}\`.`,
    deposited: `Its cash is in the machine: \`aio-dca fundings withdraw f${id} --reason "…"\` takes it out.`,
  };
  throw invalid(
    `ID: f${id} is ${words(funding.status)}, and only one that is ${words(status)} ${what}`,
    ways[funding.status] ?? 'Nothing remains of it.',
  );
}

async function change(
  trx: Trx,
  who: Who,
  before: Funding,
  action: string,
  at: Instant,
  reason: string | undefined,
  to: Partial<Pick<Schema['fundings'], 'status' | 'remaining' | 'withdrawn' | 'deposited_at'>>,
): Promise<Funding> {
  await trx.updateTable('fundings').set(to).where('id', '=', before.id).execute();
  const after = await findFunding(trx, before.id);
  await record(trx, who, {
    at,
    action,
    subject: `f${before.id}`,
    before: snapshot(before),
    after: snapshot(after),
    reason,
  });
  return after;
}

function snapshot({ currency, digits, amount, remaining, withdrawn, status, deposited_at }: Funding) {
  const fiat = (minor: bigint) => formatDecimal(minor, digits);
  return {
    currency,
    amount: fiat(amount),
    remaining: fiat(remaining),
    withdrawn: fiat(withdrawn),
    status,
    deposited_at,
  };
}

/** Where there is a choice between machines, it has to be said. */
async function machineFor(
  trx: Trx,
  named: string | null | undefined,
  currency: string,
): Promise<string | null> {
  if (named === undefined) {
    const known = await machinesInUse(trx);
    if (known.length <= 1) return null;
    throw invalid(
      `--machine: there are ${known.length} machines, and it was not said which one gets the cash`,
      `Say --machine with one of ${known.map(machineLabel).join(', ')}, or --any-machine.`,
    );
  }
  if (named === null) return null;
  const machine = await findMachine(trx, named, '--machine');
  if (machine.currency !== null && machine.currency !== currency) {
    throw invalid(
      `amount: ${machineLabel(machine)} pays out ${machine.currency}, not ${currency}`,
      'Check the currency and the machine.',
    );
  }
  return machine.device_id;
}

async function pastOf(trx: Trx, { deposited_at, currency, machine }: Funding): Promise<Past> {
  if (deposited_at === null) return { cashOuts: 0, ownFiat: 0n };
  const rows = await trx
    .selectFrom('cash_outs')
    .select('own_fiat')
    .where('confirmed_at', '>=', deposited_at)
    .where('currency', '=', currency)
    .where('own_fiat', '>', 0n)
    .$if(machine !== null, (query) => query.where('machine', '=', machine ?? ''))
    .execute();
  return { cashOuts: rows.length, ownFiat: rows.reduce((total, row) => total + row.own_fiat, 0n) };
}

function refuseFuture(depositedAt: Instant | null, at: Instant): void {
  if (depositedAt === null || depositedAt <= at) return;
  throw invalid(
    `--at: ${depositedAt} is in the future`,
    'Leave the cash in flight, and confirm it when it is in the machine.',
  );
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
