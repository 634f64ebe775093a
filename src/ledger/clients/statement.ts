import { sql } from 'kysely';
import { parseDecimal, sum } from '../../dca/money.ts';
import { assertSum } from '../../dca/split.ts';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import type { Client } from './clients.ts';

/*
 * What happened to a client's cash and sats in a span of time, from the books as they are now. Cash counts from the
 * moment at which it was in the machine, a purchase by the confirmation of its cash-out (as in exports), and a payment
 * by its settling. The confirmation is a time of Lamassu's clock, the settling one of this host's. Where Lamassu's is
 * ahead, a payment counts from the last confirmation of what it pays, so that no sats arrive before they were bought.
 * A settlement that was undone is not in the books, so it is in no statement.
 */

/** Fiat in minor units. */
export interface CurrencyStatement {
  currency: string;
  digits: number;
  /** Cash in machines: opening + added - withdrawn + adjusted - spent = closing. `adjusted` may be below zero. */
  cash: Record<'opening' | 'added' | 'withdrawn' | 'adjusted' | 'spent' | 'closing', bigint>;
  /** The closing cash by machine; null: it serves any machine. Only machines with cash. */
  machines: { machine: string | null; name: string | null; fiat: bigint }[];
  /** Announced, and in no machine at the end. */
  inFlight: bigint;
  movements: CashMovement[];
  purchases: StatementPurchase[];
  /** Bought and not paid yet: opening + bought - paid = closing. */
  sats: Record<'opening' | 'bought' | 'paid' | 'closing', bigint>;
  payments: StatementPayment[];
}

export interface CashMovement {
  at: Instant;
  kind: 'added' | 'withdrawn' | 'adjusted';
  funding: bigint;
  /** Signed: what it changed. */
  fiat: bigint;
}

/** The client's part of one cash-out. */
export interface StatementPurchase {
  at: Instant;
  cashOut: string;
  machine: string;
  machineName: string | null;
  fiat: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
  /** The payouts that it is in. */
  payouts: bigint[];
  /** When the last of its sats arrived; null: some wait. */
  paidAt: Instant | null;
}

/** A payment that arrived: one part of a payout. */
export interface StatementPayment {
  at: Instant;
  payout: bigint;
  sats: bigint;
}

/**
 * In the order of the currencies; without those of which there is nothing until then. An error that is no
 * `BridgeError`: the books do not add up.
 */
export async function readStatement(
  db: Db,
  { id }: Pick<Client, 'id'>,
  from: Instant,
  until: Instant,
): Promise<CurrencyStatement[]> {
  const currencies = await db
    .selectFrom('currencies')
    .select(['code', 'digits'])
    .where('code', 'in', db.selectFrom('fundings').select('currency').where('client_id', '=', id))
    .orderBy('code')
    .execute();
  const statements: CurrencyStatement[] = [];
  for (const { code, digits } of currencies) {
    const account = await readAccount(db, { client: id, currency: code, digits: Number(digits) });
    const one = await statementOf(db, account, from, until);
    if (!isEmpty(one)) statements.push(one);
  }
  return statements;
}

interface AccountOwner {
  client: bigint;
  currency: string;
  digits: number;
}

/** The client's fundings in one currency, and all that ever changed their cash in machines, except cash-outs. */
interface Account {
  of: AccountOwner;
  fundings: { id: bigint; depositedAt: Instant | null; past: Snapshot[] }[];
  movements: CashMovement[];
}

/** A funding after a change, as the log has it. */
interface Snapshot {
  at: Instant;
  machine: string | null;
  status: string;
  remaining: bigint;
}

async function statementOf(
  db: Db,
  account: Account,
  from: Instant,
  until: Instant,
): Promise<CurrencyStatement> {
  const { of } = account;
  const within = ({ at }: { at: Instant }) => at >= from && at < until;
  const movements = account.movements.filter(within);
  const purchases = await purchasesIn(db, account, from, until);
  const payments = await paymentsIn(db, of, from, until);
  const moved = (kind: CashMovement['kind']) =>
    sum(movements.filter((one) => one.kind === kind).map(({ fiat }) => fiat));
  const [before, after] = [await cashAt(db, account, from), await cashAt(db, account, until)];
  const cash = {
    opening: sum(before.values()),
    added: moved('added'),
    withdrawn: -moved('withdrawn'),
    adjusted: moved('adjusted'),
    spent: sum(purchases.map(({ fiat }) => fiat)),
    closing: sum(after.values()),
  };
  const { opening, added, withdrawn, adjusted, spent, closing } = cash;
  assertSum('cash of a statement', [opening, added, -withdrawn, adjusted, -spent], closing);
  const sats = {
    opening: await waitingAt(db, account, from),
    bought: sum(purchases.map(({ net }) => net)),
    paid: sum(payments.map((one) => one.sats)),
    closing: await waitingAt(db, account, until),
  };
  assertSum('sats of a statement', [sats.opening, sats.bought, -sats.paid], sats.closing);
  return {
    ...{ currency: of.currency, digits: of.digits, cash, inFlight: inFlightAt(account, until) },
    machines: await byMachine(db, account, after, until),
    ...{ movements, purchases, sats, payments },
  };
}

function isEmpty({ cash, sats, inFlight, movements, purchases, payments }: CurrencyStatement): boolean {
  const amounts = [cash.opening, cash.closing, sats.opening, sats.closing, inFlight];
  return amounts.every((one) => one === 0n) && movements.length + purchases.length + payments.length === 0;
}

async function readAccount(db: Db, of: AccountOwner): Promise<Account> {
  const fundings = await db
    .selectFrom('fundings')
    .select(['id', 'deposited_at', 'status', 'remaining'])
    .where('client_id', '=', of.client)
    .where('currency', '=', of.currency)
    .orderBy('id')
    .execute();
  const movements: CashMovement[] = [];
  const known: Account['fundings'] = [];
  for (const { id, deposited_at: depositedAt } of fundings) {
    const past = await pastOf(db, id, of.digits);
    known.push({ id, depositedAt, past: past.map(({ after }) => after) });
    for (const { action, before, after } of past) {
      const fiat = inMachine(after) - (before ? inMachine(before) : 0n);
      if (fiat === 0n || depositedAt === null) continue;
      const isNew = before === null || before.status === 'in_flight';
      const kind = isNew ? 'added' : action === 'funding withdraw' ? 'withdrawn' : 'adjusted';
      // The time of a deposit may be corrected later, and nothing is taken from cash that is not there yet.
      const at = isNew || after.at < depositedAt ? depositedAt : after.at;
      movements.push({ at, kind, funding: id, fiat });
    }
  }
  movements.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const { spent } = await db
    .selectFrom('allocations')
    .select(sumOf('fiat').as('spent'))
    .where('funding_id', 'in', idsOf(fundings))
    .executeTakeFirstOrThrow();
  const remaining = sum(fundings.filter(({ status }) => status === 'deposited').map((one) => one.remaining));
  assertSum('the cash of a client by its changes', [...movements.map(({ fiat }) => fiat), -spent], remaining);
  return { of, fundings: known, movements };
}

/** By the fundings, for which there is an index: a scan of all allocations would take long in a ledger of years. */
function idsOf(fundings: readonly { id: bigint }[]): bigint[] {
  return fundings.map(({ id }) => id);
}

function inMachine({ status, remaining }: Snapshot): bigint {
  return status === 'in_flight' ? 0n : remaining;
}

/**
 * What the operator changed of a funding, oldest first. What an undone settlement gave back is left out, as it is
 * itself.
 */
async function pastOf(db: Db, id: bigint, digits: number) {
  const rows = await db
    .selectFrom('log')
    .select(['at', 'action', 'before', 'after'])
    .where('subject', '=', `f${id}`)
    .where('action', 'like', 'funding %')
    .orderBy('id')
    .execute();
  return rows.flatMap(({ at, action, before, after }) => {
    const now = snapshot(at, after, digits);
    return now === null ? [] : [{ action, before: snapshot(at, before, digits), after: now }];
  });
}

function snapshot(at: Instant, json: string | null, digits: number): Snapshot | null {
  if (json === null) return null;
  const { machine = null, status, remaining } = JSON.parse(json) as Partial<Record<string, string | null>>;
  if (typeof status !== 'string' || typeof remaining !== 'string') return null;
  return { at, machine, status, remaining: parseDecimal(remaining, digits) };
}

/** The cash in machines before a moment, by funding. */
async function cashAt(db: Db, { fundings, movements }: Account, at: Instant): Promise<Map<bigint, bigint>> {
  const spent = await db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .select(['allocations.funding_id', sumOf('allocations.fiat').as('fiat')])
    .where('allocations.funding_id', 'in', idsOf(fundings))
    .where('cash_outs.confirmed_at', '<', at)
    .groupBy('allocations.funding_id')
    .execute();
  const cash = new Map<bigint, bigint>();
  const add = (funding: bigint, fiat: bigint) => cash.set(funding, (cash.get(funding) ?? 0n) + fiat);
  for (const one of movements) if (one.at < at) add(one.funding, one.fiat);
  for (const { funding_id: funding, fiat } of spent) add(funding, -fiat);
  return cash;
}

async function byMachine(
  db: Db,
  { fundings }: Account,
  cash: Map<bigint, bigint>,
  at: Instant,
): Promise<CurrencyStatement['machines']> {
  const machines = new Map<string | null, bigint>();
  for (const { id, past } of fundings) {
    const then = past.findLast((one) => one.at < at) ?? past[0];
    const machine = then?.machine ?? null;
    machines.set(machine, (machines.get(machine) ?? 0n) + (cash.get(id) ?? 0n));
  }
  assertSum('cash by machine', machines.values(), sum(cash.values()));
  const names = await db.selectFrom('machines').select(['device_id', 'name']).execute();
  return [...machines]
    .filter(([, fiat]) => fiat !== 0n)
    .map(([machine, fiat]) => ({
      ...{ machine, fiat },
      name: names.find((one) => one.device_id === machine)?.name ?? null,
    }));
}

/** Announced before a moment, and neither in a machine nor cancelled by then. */
function inFlightAt({ fundings }: Account, at: Instant): bigint {
  return sum(
    fundings.map(({ depositedAt, past }) => {
      const then = past.findLast((one) => one.at < at);
      const isThere = depositedAt !== null && depositedAt < at;
      return then?.status === 'in_flight' && !isThere ? then.remaining : 0n;
    }),
  );
}

async function purchasesIn(
  db: Db,
  { fundings }: Account,
  from: Instant,
  until: Instant,
): Promise<StatementPurchase[]> {
  const rows = await db
    .selectFrom('cash_outs')
    .innerJoin('allocations', 'allocations.cash_out_id', 'cash_outs.id')
    .leftJoin('machines', 'machines.device_id', 'cash_outs.machine')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select(['cash_outs.id', 'cash_outs.machine', 'cash_outs.confirmed_at', 'machines.name'])
    .select(['allocations.fiat', 'allocations.gross', 'allocations.commission', 'allocations.net'])
    .select(['allocations.payout_id', 'payouts.state'])
    .select(arrivedAt('payouts.settled_at', 'payouts.id').as('arrived_at'))
    .where('allocations.funding_id', 'in', idsOf(fundings))
    .where('cash_outs.confirmed_at', '>=', from)
    .where('cash_outs.confirmed_at', '<', until)
    .orderBy('cash_outs.confirmed_at')
    .orderBy('cash_outs.id')
    .orderBy('allocations.funding_id')
    .execute();
  return [...Map.groupBy(rows, ({ id }) => id).values()].flatMap((parts) => {
    const [first] = parts;
    if (!first) return [];
    const total = (of: 'fiat' | 'gross' | 'commission' | 'net') => sum(parts.map((part) => part[of]));
    // An allocation of 0 sat is never paid: nothing of it waits.
    const due = parts.filter(({ net }) => net > 0n);
    const isPaid = due.every(({ state }) => state === 'settled');
    const payouts = due.flatMap(({ payout_id: payout }) => (payout === null ? [] : [payout]));
    return [
      {
        ...{ at: first.confirmed_at, cashOut: first.id, machine: first.machine, machineName: first.name },
        ...{ fiat: total('fiat'), gross: total('gross'), commission: total('commission'), net: total('net') },
        payouts: [...new Set(payouts)],
        paidAt: isPaid
          ? (due
              .map((one) => one.arrived_at ?? '')
              .sort()
              .at(-1) ?? first.confirmed_at)
          : null,
      },
    ];
  });
}

/** The time of a settled payment or payout, by both clocks. */
function arrivedAt(settledAt: string, payout: string) {
  const last = sql`(select max(c.confirmed_at) from allocations as a
    inner join cash_outs as c on c.id = a.cash_out_id where a.payout_id = ${sql.ref(payout)})`;
  const settled = sql.ref(settledAt);
  return sql<Instant>`case when ${settled} < ${last} then ${last} else ${settled} end`;
}

const paymentArrivedAt = arrivedAt('payments.settled_at', 'payments.payout_id');

function settledPayments(db: Db, { client, currency }: AccountOwner) {
  return db
    .selectFrom('payments')
    .innerJoin('payouts', 'payouts.id', 'payments.payout_id')
    .where('payouts.recipient_id', '=', client)
    .where('payouts.kind', '=', 'client')
    .where('payouts.currency', '=', currency)
    .where('payments.state', '=', 'settled');
}

async function paymentsIn(
  db: Db,
  of: AccountOwner,
  from: Instant,
  until: Instant,
): Promise<StatementPayment[]> {
  const rows = await settledPayments(db, of)
    .select([paymentArrivedAt.as('at'), 'payments.payout_id', 'payments.sats'])
    .where(paymentArrivedAt, '>=', from)
    .where(paymentArrivedAt, '<', until)
    .orderBy('at')
    .orderBy('payments.id')
    .execute();
  return rows.map(({ at, payout_id: payout, sats }) => ({ at, payout, sats }));
}

/** The sats that were bought before a moment, less those that had arrived by then. */
async function waitingAt(db: Db, { of, fundings }: Account, at: Instant): Promise<bigint> {
  const { bought } = await db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .select(sumOf('allocations.net').as('bought'))
    .where('allocations.funding_id', 'in', idsOf(fundings))
    .where('cash_outs.confirmed_at', '<', at)
    .executeTakeFirstOrThrow();
  const { paid } = await settledPayments(db, of)
    .select(sumOf('payments.sats').as('paid'))
    .where(paymentArrivedAt, '<', at)
    .executeTakeFirstOrThrow();
  return bought - paid;
}
