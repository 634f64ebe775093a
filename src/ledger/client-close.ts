import { sql } from 'kysely';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { type Client, openClient, setStatus, snapshot } from './clients.ts';
import { record, type Who } from './log.ts';
import type { Trx } from './open.ts';
import type { PayoutState } from './schema.ts';

/** What keeps a client from being closed. */
export interface Unsettled {
  /** Allocated and in no payout yet, in satoshi. */
  waiting: bigint;
  /** Payouts that are not settled. */
  payouts: { id: bigint; state: PayoutState; sats: bigint }[];
}

/**
 * Closes a client for good. While sats of it are not settled it becomes `closing` instead: the next run pays them,
 * however few they are, and then it can be closed. Throws `usage/invalid` while it has cash.
 */
export async function closeClient(
  trx: Trx,
  who: Who,
  name: string,
  at: Instant,
): Promise<{ client: Client; unsettled: Unsettled }> {
  const before = await openClient(trx, name, at);
  await refuseWithCash(trx, before);
  const unsettled = await unsettledOf(trx, before.id);
  const done = unsettled.waiting === 0n && unsettled.payouts.length === 0;
  const status = done ? 'closed' : 'closing';
  if (before.status !== status) {
    await setStatus(trx, before, status);
    await record(trx, who, {
      at,
      action: 'client close',
      subject: `client ${name}`,
      before: snapshot(before),
      after: { ...snapshot(before), status },
    });
  }
  return { client: { ...before, status }, unsettled };
}

async function refuseWithCash(trx: Trx, { id, name }: Client): Promise<void> {
  const fundings = await trx
    .selectFrom('fundings')
    .select(['id', 'status'])
    .where('client_id', '=', id)
    .where('status', 'in', ['in_flight', 'deposited'])
    .orderBy('id')
    .execute();
  if (fundings.length === 0) return;
  const commands = fundings.map((one) =>
    one.status === 'in_flight'
      ? `aio-dca fundings cancel f${one.id}`
      : `aio-dca fundings withdraw f${one.id} --reason "…"`,
  );
  throw invalid(
    `CLIENT: ${name} still has cash: ${fundings.map((one) => `f${one.id} (${one.status.replace('_', ' ')})`).join(', ')}`,
    `To clear it:\n${[...commands, `aio-dca clients close ${name}`].map((line) => `  ${line}`).join('\n')}`,
  );
}

async function unsettledOf(trx: Trx, id: bigint): Promise<Unsettled> {
  const { waiting } = await trx
    .selectFrom('allocations')
    .select(sql<bigint>`cast(coalesce(sum(net), 0) as bigint)`.as('waiting'))
    .where('client_id', '=', id)
    .where('payout_id', 'is', null)
    .where('net', '>', 0n)
    .executeTakeFirstOrThrow();
  const payouts = await trx
    .selectFrom('payouts')
    .select(['id', 'state', 'sats'])
    .where('recipient_id', '=', id)
    .where('state', '<>', 'settled')
    .orderBy('id')
    .execute();
  return { waiting, payouts };
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
