import { formatDecimal } from '../../dca/money.ts';
import { conflict, invalid, wrongState } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { findClient } from '../clients/clients.ts';
import type { Act } from '../log/log.ts';
import { machineForCash } from '../machines/machines.ts';
import { refuseRate } from '../machines/rates.ts';
import type { Trx } from '../store/open.ts';
import { CASH_LEFT } from '../store/schema.ts';
import { changeFunding, fundingIn, refuseCurrency } from './fundings.ts';
import { cashOfFunding, type Funding } from './view.ts';

/**
 * Corrects the amount by a difference, which may be negative. What is added to an exhausted or a withdrawn funding
 * makes it `deposited` again; what was spent and withdrawn stays. Throws `usage/invalid`, also if less than zero would
 * remain.
 */
export async function adjustFunding(
  trx: Trx,
  act: Act,
  id: bigint,
  amount: { minor: bigint; currency: string },
): Promise<Funding> {
  const before = await fundingIn(trx, id, [...CASH_LEFT, 'exhausted', 'withdrawn'], 'can be adjusted');
  refuseCurrency(before, amount.currency, 'amount');
  const remaining = before.remaining + amount.minor;
  if (remaining < 0n) {
    throw invalid(
      'amount',
      `${cashOfFunding(before, -amount.minor)} is more than the ${cashOfFunding(before, before.remaining)} that remain of f${id}`,
      'What was spent already cannot be taken back.',
    );
  }
  if (before.status === 'in_flight' && remaining === 0n) {
    throw invalid(
      'amount',
      `nothing would be left of f${id}`,
      message`${call('fundings.cancel', { id: `f${id}` })} does that.`,
    );
  }
  const client = await findClient(trx, before.client, act.at);
  if (client.status !== 'active' && remaining > 0n) {
    throw wrongState(
      'id',
      `f${id} belongs to ${client.name}, who is ${client.status}`,
      'Add the cash to another client.',
    );
  }
  return changeFunding(trx, act, before, {
    action: 'funding adjust',
    to: {
      amount: before.amount + amount.minor,
      remaining,
      ...(before.status === 'in_flight' ? {} : { status: statusAfter(before, remaining) }),
    },
    also: { difference: formatDecimal(amount.minor, before.digits) },
  });
}

function statusAfter({ spent }: Funding, remaining: bigint): Funding['status'] {
  if (remaining > 0n) return 'deposited';
  return spent > 0n ? 'exhausted' : 'withdrawn';
}

/** Makes the funding serve that machine, or all (null), from now on. Throws `usage/invalid`. */
export async function moveFunding(trx: Trx, act: Act, id: bigint, named: string | null): Promise<Funding> {
  const before = await fundingIn(trx, id, CASH_LEFT, 'can be moved');
  const machine = named === null ? null : (await machineForCash(trx, named, before.currency)).device_id;
  await refuseRate(trx, { ...before, machine }, act.at);
  if (machine === before.machine) {
    throw conflict(
      'id',
      `f${id} is there already, for ${machine === null ? 'any machine' : `machine ${before.machineName ?? machine}`}`,
      'Name another machine, or leave it where it is.',
    );
  }
  return changeFunding(trx, act, before, { action: 'funding move', to: { machine } });
}
