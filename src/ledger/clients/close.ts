import { formatSats } from '../../dca/money.ts';
import { wrongState } from '../../errors.ts';
import { call, message, steps } from '../../lib/message.ts';
import { type Act, record } from '../log/log.ts';
import { openPayoutsOf } from '../payouts/open-payouts.ts';
import { isPaused } from '../payouts/pause.ts';
import type { Trx } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import { type Client, clientSnapshot, fundingsWithCash, openClient, setStatus } from './clients.ts';

/** Closes a client for good. Throws `usage/invalid` while it has cash or unsettled sats. */
export async function closeClient(trx: Trx, act: Act, name: string): Promise<Client> {
  const { at } = act;
  const before = await openClient(trx, name, at);
  await refuseUnsettled(trx, before);
  const client: Client = { ...before, status: 'closed' };
  await setStatus(trx, before, client.status);
  await record(trx, act, {
    action: 'client close',
    subject: `client ${name}`,
    before: clientSnapshot(before),
    after: clientSnapshot(client),
  });
  return client;
}

/** What the client still has, and the operations that clear it: cash first, since paying follows from it. */
async function refuseUnsettled(trx: Trx, { id, name, mode }: Client): Promise<void> {
  const fundings = await fundingsWithCash(trx, id);
  const { waiting } = await trx
    .selectFrom('allocations')
    .select(sumOf('net').as('waiting'))
    .where('client_id', '=', id)
    .where('payout_id', 'is', null)
    .executeTakeFirstOrThrow();
  const payouts = await trx
    .selectFrom('payouts')
    .select(['id', 'state', 'sats'])
    .where('recipient_id', '=', id)
    .where('state', '<>', 'settled')
    .orderBy('id')
    .execute();
  const arrived = (await openPayoutsOf(trx, id)).reduce((total, one) => total + one.arrived, 0n);
  const owed = payouts.reduce((total, { sats }) => total + sats, waiting) - arrived;
  if (fundings.length === 0 && owed === 0n) return;
  const held = payouts.filter(({ state }) => state === 'held');
  const pays = waiting > 0n || payouts.length > held.length;
  const clearing = [
    ...fundings.map((one) =>
      one.status === 'in_flight'
        ? call('fundings.cancel', { id: `f${one.id}` })
        : call('fundings.withdraw', { id: `f${one.id}`, reason: null }),
    ),
    // Allocations that wait in fixed mode become due at its next time; in flow mode, at once.
    ...(waiting > 0n && mode === 'fixed' ? [call('clients.set', { name, mode: 'flow' })] : []),
    ...(pays && (await isPaused(trx)) ? [call('payouts.resume')] : []),
    ...(pays ? [call('poll')] : []),
    ...held.map((payout) => call('payouts.show', { id: `p${payout.id}` })),
    call('clients.close', { name }),
  ];
  const cash = fundings.map((one) => `f${one.id} (${one.status.replace('_', ' ')})`).join(', ');
  const remains = [
    ...(fundings.length > 0 ? [`still has cash: ${cash}`] : []),
    ...(owed > 0n ? [`is owed ${formatSats(owed)} that are not settled yet`] : []),
  ];
  throw wrongState('name', `${name} ${remains.join('; and ')}`, message`To clear it:${steps(clearing)}`);
}
