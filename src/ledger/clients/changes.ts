import type { Mode } from '../../dca/fill.ts';
import { formatCash } from '../../dca/money.ts';
import { conflict, invalid } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { type Act, record, toJson } from '../log/log.ts';
import { useCurrency } from '../store/currencies.ts';
import { ALWAYS } from '../store/effective-dated.ts';
import type { Trx } from '../store/open.ts';
import { changeWallet, type WalletKey } from '../wallets/wallets.ts';
import {
  type Client,
  clientSnapshot,
  findClient,
  fundingsWithCash,
  openClient,
  setStatus,
} from './clients.ts';
import { enterRecipient } from './names.ts';

/** A limit to set: undefined leaves a value as it is, null removes it. */
export interface LimitChange {
  currency: string;
  digits: number;
  daily?: bigint | null;
  max?: bigint | null;
}

/** Adds a client. Its first settings apply to every cash-out, however early. Throws `usage/invalid`. */
export async function addClient(
  trx: Trx,
  act: Act,
  client: { name: string; wallet: WalletKey; mode: Mode; limits: LimitChange[] },
): Promise<Client> {
  const { at } = act;
  const { name, mode } = client;
  const id = await enterRecipient(trx, 'client', client, at);
  await trx
    .insertInto('client_settings')
    .values({ client_id: id, from_at: ALWAYS, mode, paused: 0n })
    .execute();
  await changeLimits(trx, act, await findClient(trx, name, at), client.limits);
  const added = await findClient(trx, name, at);
  await requireLimits(trx, added);
  await record(trx, act, {
    action: 'client add',
    subject: `client ${name}`,
    after: clientSnapshot(added),
  });
  return added;
}

/**
 * Changes mode, limits and wallet from `at` on; earlier cash-outs keep the settings in force then. The key of another
 * wallet needs `newWallet`, and applies to what was not sent yet. Throws `usage/invalid`.
 */
export async function setClient(
  trx: Trx,
  act: Act,
  name: string,
  change: { mode?: Mode; limits: LimitChange[]; wallet?: WalletKey; newWallet: boolean },
): Promise<Client> {
  const { at } = act;
  const before = await openClient(trx, name, at);
  await changeLimits(trx, act, before, change.limits);
  if (change.mode !== undefined && change.mode !== before.mode) {
    await addSettings(trx, before, { mode: change.mode }, at);
  }
  if (change.wallet) {
    const { wallet, newWallet } = change;
    await changeWallet(trx, { kind: 'client', recipient: before, wallet, newWallet, at });
  }
  const after = await findClient(trx, name, at);
  await requireLimits(trx, after);
  const states = { before: clientSnapshot(before), after: clientSnapshot(after) };
  if (change.wallet || toJson(states.before) !== toJson(states.after)) {
    await record(trx, act, {
      action: 'client set',
      subject: `client ${name}`,
      before: states.before,
      after: { ...states.after, ...(change.wallet ? { wallet_key: 'replaced' } : {}) },
    });
  }
  return after;
}

/** A paused client takes no new share from `at` on; `resume` also takes back a closing that an older version began. */
export async function pauseClient(trx: Trx, act: Act, name: string, paused: boolean): Promise<Client> {
  const { at } = act;
  const before = await openClient(trx, name, at);
  if (before.paused !== paused) await addSettings(trx, before, { paused }, at);
  if (!paused && before.status === 'closing') await setStatus(trx, before, 'active');
  const after = await findClient(trx, name, at);
  if (toJson(before) !== toJson(after)) {
    await record(trx, act, {
      action: paused ? 'client pause' : 'client resume',
      subject: `client ${name}`,
      before: clientSnapshot(before),
      after: clientSnapshot(after),
    });
  }
  return after;
}

async function addSettings(
  trx: Trx,
  client: Client,
  change: { mode?: Mode; paused?: boolean },
  at: Instant,
): Promise<void> {
  const { mode, paused } = { ...client, ...change };
  await trx
    .insertInto('client_settings')
    .values({ client_id: client.id, from_at: at, mode, paused: paused ? 1n : 0n })
    .execute();
}

/** The first limit in a currency applies to all time, like the first settings; a change applies from `at` on. */
async function changeLimits(trx: Trx, act: Act, client: Client, changes: LimitChange[]): Promise<void> {
  const { at, principal } = act;
  for (const { currency, digits, ...change } of changes) {
    await useCurrency(trx, currency, digits);
    const known = client.limits.find((limit) => limit.currency === currency);
    if (change.daily === null) {
      if (change.max) {
        throw invalid(
          'max_daily_limit',
          `the daily limit in ${currency} is removed`,
          'Leave one of the two out.',
        );
      }
      await removeLimit(trx, client, currency);
      continue;
    }
    const daily = change.daily ?? known?.daily;
    const max = change.max === undefined ? (known?.max ?? null) : change.max;
    const shown = (minor: bigint) => formatCash(minor, digits, currency);
    if (daily === undefined) {
      throw invalid(
        'max_daily_limit',
        `${client.name} has no daily limit in ${currency}`,
        message`Give one with ${field('daily_limit')} "… ${currency}".`,
      );
    }
    if (max !== null && daily > max) {
      throw change.daily === undefined
        ? invalid(
            'max_daily_limit',
            `${shown(max)} is less than the daily limit of ${shown(daily)}`,
            message`Raise it, or lower ${field('daily_limit')}.`,
          )
        : invalid(
            'daily_limit',
            `${shown(daily)} is more than the maximum of ${shown(max)}`,
            principal.kind === 'client'
              ? 'Lower it, or ask the operator.'
              : message`Lower it, or raise ${field('max_daily_limit')}.`,
          );
    }
    if (known && known.daily === daily && known.max === max) continue;
    await trx
      .insertInto('client_limits')
      .values({
        client_id: client.id,
        from_at: known ? at : ALWAYS,
        currency,
        daily_limit: daily,
        max_daily_limit: max,
      })
      .execute();
  }
}

/** Allowed only if the client never had cash in that currency: `verify` checks past divisions against their limit. */
async function removeLimit(trx: Trx, { id, name }: Client, currency: string): Promise<void> {
  const funding = await trx
    .selectFrom('fundings')
    .select('id')
    .where('client_id', '=', id)
    .where('currency', '=', currency)
    .executeTakeFirst();
  if (funding) {
    throw conflict(
      'daily_limit',
      `${name} had cash in ${currency} (f${funding.id}), so the limit belongs to the books`,
      message`Set another limit; in flow mode it has no effect: ${call('clients.set', { name, mode: 'flow' })}.`,
    );
  }
  await trx
    .deleteFrom('client_limits')
    .where('client_id', '=', id)
    .where('currency', '=', currency)
    .execute();
}

/** Without a limit in a currency, a fixed client would never receive anything for cash in that currency. */
async function requireLimits(trx: Trx, { id, name, mode, limits }: Client): Promise<void> {
  if (mode === 'flow') return;
  const fundings = await fundingsWithCash(trx, id);
  const without = fundings.find((funding) => !limits.some((limit) => limit.currency === funding.currency));
  if (limits.length > 0 && !without) return;
  const cash = without ? ` in ${without.currency}, and f${without.id} is cash in it` : '';
  throw conflict(
    'mode',
    `${name} cannot be fixed without a daily limit${cash}`,
    message`Add ${field('daily_limit')} "500 ${without?.currency ?? 'GTQ'}".`,
  );
}
