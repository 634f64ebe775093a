import { formatDecimal, formatRate } from '../../dca/money.ts';
import { conflict, invalid, wrongState } from '../../errors.ts';
import { call, field, type Message, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { findClient } from '../clients/clients.ts';
import { closeDoubts } from '../clocks/doubts.ts';
import { type Act, record } from '../log/log.ts';
import { machineForCash, machineLabel, machinesInUse, paysOtherwise } from '../machines/machines.ts';
import { refuseRate } from '../machines/rates.ts';
import { useCurrency } from '../store/currencies.ts';
import type { Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { type Past, type PastChoice, settlePast } from './late.ts';
import { cashOfFunding, type Funding, findFunding } from './view.ts';

/*
 * A funding is one lump of a client's cash: `in_flight` until the operator confirms that it is in the cassette, then
 * `deposited` until all of it is spent (`exhausted`) or taken out again (`withdrawn`). If the operator corrects either
 * upwards, it is `deposited` again. `cancelled`: it never arrived, which is final.
 */

export interface NewFunding {
  client: string;
  amount: { minor: bigint; currency: string; digits: number };
  /** Device id or name; null: it serves all machines; undefined: not given. */
  machine: string | null | undefined;
  /** Its own commission rate, ×10^5; null: the machine's, or what Lamassu charged. */
  rate: bigint | null;
  /** When the cash was in the machine; null: it is on its way. */
  depositedAt: Instant | null;
  /** Confirms a currency that no machine which it serves has paid out so far. */
  newCurrency?: boolean | undefined;
  /** What to do with cash-outs that were divided without it. */
  past?: PastChoice | undefined;
}

/** Adds a funding. Throws `usage/invalid`, also if `past` has to be chosen and is not given. */
export async function addFunding(
  trx: Trx,
  act: Act,
  funding: NewFunding,
): Promise<{ funding: Funding; past: Past }> {
  const { at } = act;
  const { amount, rate, depositedAt } = funding;
  const client = await findClient(trx, funding.client, at);
  if (client.status !== 'active') {
    throw wrongState(
      'client',
      `${client.name} is ${client.status}`,
      client.status === 'closing'
        ? message`${call('clients.resume', { name: client.name })} cancels the closing.`
        : 'Add the cash to another client.',
    );
  }
  if (client.mode === 'fixed' && !client.limits.some((limit) => limit.currency === amount.currency)) {
    throw conflict(
      'amount',
      `${client.name} is a fixed client without a daily limit in ${amount.currency}, so nothing of it would ever be spent`,
      message`${call('clients.set', { name: client.name, daily_limit: `… ${amount.currency}` })} gives one.`,
    );
  }
  refuseFuture(depositedAt, at);
  const machine = await machineFor(trx, funding.machine, amount.currency);
  const doubt = funding.newCurrency ? null : await paysOtherwise(trx, machine, amount.currency);
  if (doubt !== null) {
    throw conflict(
      'amount',
      `is that the right currency? ${doubt}`,
      message`Check the amount and the machine. If they are right, add ${field('new_currency')}.`,
    );
  }
  await refuseRate(trx, { machine, rate, currency: amount.currency }, at);
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
  await record(trx, act, {
    action: 'funding add',
    subject: `f${id}`,
    after: { client: client.name, rate: rate === null ? null : formatRate(rate), ...snapshot(added) },
  });
  return settlePast(trx, act, added, funding.past, call('fundings.preview_add'));
}

export interface Confirmation {
  depositedAt: Instant;
  /** The operator stated the time: if the cash is in the machine already, this corrects its time. */
  stated?: boolean;
  /** The amount counted in the machine; null: the announced amount. */
  counted: { minor: bigint; currency: string } | null;
  past?: PastChoice | undefined;
}

/**
 * `in_flight` → `deposited`: the cash is in the machine; its amount is the counted one. Throws `usage/invalid`, also if
 * `past` has to be chosen and is not given.
 */
export async function confirmFunding(
  trx: Trx,
  act: Act,
  id: bigint,
  { depositedAt, stated = false, counted, past }: Confirmation,
): Promise<{ funding: Funding; past: Past }> {
  if (stated && counted === null && (await findFunding(trx, id)).status === 'deposited') {
    return redateFunding(trx, act, id, { depositedAt, past });
  }
  const before = await fundingIn(trx, id, ['in_flight'], 'can be confirmed');
  refuseFuture(depositedAt, act.at);
  if (counted) refuseCurrency(before, counted.currency, 'counted');
  const amount = counted?.minor ?? before.amount;
  const funding = await changeFunding(trx, act, before, {
    action: 'funding confirm',
    to: { status: 'deposited', deposited_at: depositedAt, amount, remaining: amount },
    ...(amount === before.amount
      ? {}
      : { also: { difference: formatDecimal(amount - before.amount, before.digits) } }),
  });
  return settlePast(trx, act, funding, past, call('fundings.preview_confirm'));
}

/**
 * Corrects the time of a deposit. Throws `usage/invalid`, also if the funding had a part in a cash-out before the new
 * time, or if `past` has to be chosen and is not given.
 */
async function redateFunding(
  trx: Trx,
  act: Act,
  id: bigint,
  { depositedAt, past }: Pick<Confirmation, 'depositedAt' | 'past'>,
): Promise<{ funding: Funding; past: Past }> {
  const { at } = act;
  const before = await findFunding(trx, id);
  refuseFuture(depositedAt, at);
  const { first } = await trx
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .select((eb) => eb.fn.min('cash_outs.confirmed_at').as('first'))
    .where('allocations.funding_id', '=', id)
    .executeTakeFirstOrThrow();
  if (first !== null && first < depositedAt) {
    throw conflict(
      'at',
      `f${id} has a part in a cash-out of ${first}, so its cash was in the machine by then`,
      'Give that time or an earlier one.',
    );
  }
  const funding = await changeFunding(trx, act, before, {
    action: 'funding redate',
    to: { deposited_at: depositedAt },
  });
  await closeDoubts(trx, act, `f${id}`);
  return settlePast(trx, act, funding, past, call('fundings.preview_confirm'));
}

/** `in_flight` → `cancelled`: the cash did not arrive. Throws `usage/invalid`. */
export async function cancelFunding(trx: Trx, act: Act, id: bigint): Promise<Funding> {
  const before = await fundingIn(trx, id, ['in_flight'], 'can be cancelled');
  return changeFunding(trx, act, before, {
    action: 'funding cancel',
    to: { status: 'cancelled', remaining: 0n, withdrawn: before.amount },
  });
}

/** Takes deposited cash out again: `amount`, or all that remains (null). Throws `usage/invalid`. */
export async function withdrawFunding(
  trx: Trx,
  act: Act,
  id: bigint,
  amount: { minor: bigint; currency: string } | null,
): Promise<Funding> {
  const before = await fundingIn(trx, id, ['deposited'], 'has cash that can be withdrawn');
  if (amount) refuseCurrency(before, amount.currency, 'amount');
  const taken = amount?.minor ?? before.remaining;
  if (taken > before.remaining) {
    throw invalid(
      'amount',
      `${cashOfFunding(before, taken)} is more than the ${cashOfFunding(before, before.remaining)} that remain of f${id}`,
      'Leave the amount out to withdraw all that remains.',
    );
  }
  const remaining = before.remaining - taken;
  return changeFunding(trx, act, before, {
    action: 'funding withdraw',
    to: {
      remaining,
      withdrawn: before.withdrawn + taken,
      status: remaining === 0n ? 'withdrawn' : 'deposited',
    },
  });
}

/** A funding in one of these states. Throws `usage/invalid` with the way out if it is in another. */
export async function fundingIn(
  trx: Trx,
  id: bigint,
  states: readonly Funding['status'][],
  what: string,
): Promise<Funding> {
  const funding = await findFunding(trx, id);
  if (states.includes(funding.status)) return funding;
  const words = (state: string) => state.replace('_', ' ');
  const meant = { id: `f${id}` };
  const ways: Partial<Record<Funding['status'], Message>> = {
    in_flight: message`It is on its way: ${call('fundings.confirm', meant)} or ${call('fundings.cancel', meant)}.`,
    deposited: message`Its cash is in the machine: ${call('fundings.withdraw', { ...meant, reason: null })} withdraws it.`,
  };
  throw wrongState(
    'id',
    `f${id} is ${words(funding.status)}, and only one that is ${states.map(words).join(' or ')} ${what}`,
    ways[funding.status] ?? 'Nothing remains of it.',
  );
}

export interface FundingChange {
  action: string;
  to: Partial<
    Pick<Schema['fundings'], 'status' | 'amount' | 'remaining' | 'withdrawn' | 'deposited_at' | 'machine'>
  >;
  /** Further values for the log. */
  also?: Record<string, string>;
}

/** One change of a funding, with its entry in the log. */
export async function changeFunding(
  trx: Trx,
  act: Act,
  before: Funding,
  { action, to, also }: FundingChange,
): Promise<Funding> {
  await trx.updateTable('fundings').set(to).where('id', '=', before.id).execute();
  const after = await findFunding(trx, before.id);
  await record(trx, act, {
    action,
    subject: `f${before.id}`,
    before: snapshot(before),
    after: { ...snapshot(after), ...also },
  });
  return after;
}

export function refuseCurrency({ id, currency }: Funding, given: string, of: string): void {
  if (given === currency) return;
  throw conflict(of, `f${id} is cash in ${currency}, not in ${given}`, `Write "… ${currency}".`);
}

function snapshot(funding: Funding) {
  const { machine, currency, digits, amount, remaining, withdrawn, status, deposited_at } = funding;
  const fiat = (minor: bigint) => formatDecimal(minor, digits);
  return {
    machine,
    currency,
    amount: fiat(amount),
    remaining: fiat(remaining),
    withdrawn: fiat(withdrawn),
    status,
    deposited_at,
  };
}

/** The named machine; without a name, the only one in use. */
async function machineFor(
  trx: Trx,
  named: string | null | undefined,
  currency: string,
): Promise<string | null> {
  if (named === null) return null;
  if (named !== undefined) return (await machineForCash(trx, named, currency)).device_id;
  const known = await machinesInUse(trx);
  if (known.length <= 1) return null;
  throw invalid(
    'machine',
    `there are ${known.length} machines, and none was given for the cash`,
    message`Give ${field('machine')} with one of ${known.map(machineLabel).join(', ')}, or ${field('any_machine')}.`,
  );
}

function refuseFuture(depositedAt: Instant | null, at: Instant): void {
  if (depositedAt === null || depositedAt <= at) return;
  throw invalid(
    'at',
    `${depositedAt} is in the future`,
    'Leave the cash in flight, and confirm it when it is in the machine.',
  );
}
