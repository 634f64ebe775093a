import { invalid, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { machineText } from '../../lib/machine-label.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { enterRecipient } from '../clients/names.ts';
import { type Act, record, toJson } from '../log/log.ts';
import { namesOf, readNames } from '../store/names-by-id.ts';
import type { Db, Trx } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import { changeWallet, type WalletKey } from '../wallets/wallets.ts';

/** A recipient of a part of the commission. */
export interface CommissionRecipient {
  id: bigint;
  name: string;
  walletId: string;
  /** It has no weight: no new shares, but what waits is still paid. */
  removed: boolean;
  createdAt: Instant;
  /** Weights above 0: the general one first, then by machine. */
  weights: Weight[];
  /** Its shares in satoshi: not arrived yet, and arrived. */
  waiting: bigint;
  received: bigint;
}

export interface Weight {
  /** Device id; null: every machine without recipients of its own. */
  machine: string | null;
  machineName: string | null;
  weight: bigint;
  /** The sum of the weights of all recipients there. */
  of: bigint;
}

/** The commission recipients by name, with the weights in force at `at`. */
export async function commissionRecipients(db: Db, at: Instant): Promise<CommissionRecipient[]> {
  const recipients = await db
    .selectFrom('recipients')
    .selectAll()
    .where('kind', '=', 'commission')
    .orderBy('name')
    .execute();
  const weights = await weightsAt(db, at);
  const shares = await db
    .selectFrom('commission_shares')
    .select(['recipient_id', sumOf('sats').as('sats')])
    .groupBy('recipient_id')
    .execute();
  // By payments: a payout in parts may have arrived in part.
  const arrived = await db
    .selectFrom('payouts')
    .innerJoin('payments', 'payments.payout_id', 'payouts.id')
    .select(['payouts.recipient_id', sumOf('payments.sats').as('sats')])
    .where('payouts.kind', '=', 'commission')
    .where('payments.state', '=', 'settled')
    .groupBy('payouts.recipient_id')
    .execute();
  const satsOf = (rows: { recipient_id: bigint; sats: bigint }[], id: bigint) =>
    rows.find(({ recipient_id }) => recipient_id === id)?.sats ?? 0n;
  return recipients.map((row) => {
    const received = satsOf(arrived, row.id);
    return {
      id: row.id,
      name: row.name,
      walletId: row.wallet_id,
      removed: row.status !== 'active',
      createdAt: row.created_at,
      weights: weights
        .filter((one) => one.recipient === row.id)
        .map(({ machine, machineName, weight }) => ({
          ...{ machine, machineName, weight },
          of: weights.reduce((all, one) => (one.machine === machine ? all + one.weight : all), 0n),
        })),
      waiting: satsOf(shares, row.id) - received,
      received,
    };
  });
}

/** The weights above 0 in force: the newest row of each recipient and machine. */
async function weightsAt(db: Db, at: Instant) {
  const rows = await db
    .selectFrom('commission_weights as w')
    .leftJoin('machines as m', 'm.device_id', 'w.machine')
    .select(['w.recipient_id as recipient', 'w.machine', 'm.name as machineName', 'w.weight'])
    .where('w.from_at', '<=', at)
    .orderBy('w.from_at')
    .orderBy('w.id')
    .execute();
  const newest = new Map(rows.map((row) => [`${row.recipient} ${row.machine}`, row] as const));
  return [...newest.values()]
    .filter(({ weight }) => weight > 0n)
    .sort((a, b) => ((a.machine ?? '') < (b.machine ?? '') ? -1 : 1));
}

/** Since when a machine has recipients, by device id; `''` for machines without recipients of their own. */
export async function commissionSince(db: Db): Promise<Map<string, Instant>> {
  const rows = await db
    .selectFrom('commission_weights')
    .select(['machine', (eb) => eb.fn.min<Instant>('from_at').as('since')])
    .where('weight', '>', 0n)
    .groupBy('machine')
    .execute();
  return new Map(rows.map(({ machine, since }) => [machine ?? '', since]));
}

/** Adds a recipient; its weight applies to cash-outs confirmed from `from` on. Throws `usage/invalid`. */
export async function addCommission(
  trx: Trx,
  act: Act,
  recipient: { name: string; wallet: WalletKey; weight: bigint; machine: string | null; from?: Instant },
): Promise<CommissionRecipient> {
  const { at } = act;
  const { name, weight, machine, from = at } = recipient;
  if (from > at) {
    throw invalid(
      'from',
      `${from} is in the future`,
      'Leave it out: then the recipient receives from now on.',
    );
  }
  const id = await enterRecipient(trx, 'commission', recipient, at);
  await weigh(trx, id, machine, weight, from);
  const added = await findCommission(trx, name, at);
  await record(trx, act, {
    ...{ action: 'commission add', subject: `commission ${name}` },
    after: { ...snapshot(added), ...(from === at ? {} : { from }) },
  });
  return added;
}

/**
 * Changes the wallet, and the weight at one machine or at all machines without recipients of their own, from `at` on. A
 * weight restores a removed recipient. Throws `usage/invalid`.
 */
export async function setCommission(
  trx: Trx,
  act: Act,
  name: string,
  change: { weight?: bigint; machine: string | null; wallet?: WalletKey; newWallet: boolean },
): Promise<CommissionRecipient> {
  const { at } = act;
  const before = await findCommission(trx, name, at);
  const { weight, machine, wallet, newWallet } = change;
  if (weight !== undefined && weightOf(before, machine) !== weight) {
    await weigh(trx, before.id, machine, weight, at);
    await setStatus(trx, before.id, 'active');
  }
  if (wallet) await changeWallet(trx, { kind: 'commission', recipient: before, wallet, newWallet, at });
  const after = await findCommission(trx, name, at);
  const states = { before: snapshot(before), after: snapshot(after) };
  if (wallet || toJson(states.before) !== toJson(states.after)) {
    await record(trx, act, {
      ...{ action: 'commission set', subject: `commission ${name}` },
      before: states.before,
      after: { ...states.after, ...(wallet ? { wallet_key: 'replaced' } : {}) },
    });
  }
  return after;
}

/**
 * Removes a recipient from one machine, or (`null`) from all, from `at` on. Waiting sats are still paid; once the
 * recipient has no weight left, even below the minimum. Throws `usage/invalid`.
 */
export async function removeCommission(
  trx: Trx,
  act: Act,
  name: string,
  machine: string | null,
): Promise<CommissionRecipient> {
  const { at } = act;
  const before = await findCommission(trx, name, at);
  if (machine === null && before.removed) {
    throw wrongState(
      'name',
      `${name} was already removed`,
      message`Sats that wait are still paid. ${call('commission.set', { name, weight: null })} restores it.`,
    );
  }
  const gone = machine === null ? before.weights : before.weights.filter((one) => one.machine === machine);
  if (machine !== null && gone.length === 0) {
    const { machines } = await readNames(trx);
    const nameOf = (one: string) => machineText(one, machines.get(one) ?? null);
    throw notFound(
      'machine',
      `${name} has no weight of its own at ${nameOf(machine)}`,
      before.weights.length === 0
        ? message`${call('commission.list')} shows who has one.`
        : `It has one for: ${before.weights
            .map((one) => (one.machine === null ? 'all machines' : nameOf(one.machine)))
            .join(', ')}.`,
    );
  }
  for (const one of gone) await weigh(trx, before.id, one.machine, 0n, at);
  if (gone.length === before.weights.length) await setStatus(trx, before.id, 'closing');
  const after = await findCommission(trx, name, at);
  await record(trx, act, {
    ...{ action: 'commission remove', subject: `commission ${name}` },
    before: snapshot(before),
    after: snapshot(after),
  });
  return after;
}

async function weigh(trx: Trx, id: bigint, machine: string | null, weight: bigint, at: Instant) {
  await trx
    .insertInto('commission_weights')
    .values({ recipient_id: id, machine, from_at: at, weight })
    .execute();
}

/** Never `closed`: a late cash-out from before the removal is still shared with this recipient. */
async function setStatus(trx: Trx, id: bigint, status: 'active' | 'closing'): Promise<void> {
  await trx.updateTable('recipients').set({ status }).where('id', '=', id).execute();
}

/** The recipient of that name. Throws `usage/invalid` if there is none. */
export async function findCommission(db: Db, name: string, at: Instant): Promise<CommissionRecipient> {
  const found = (await commissionRecipients(db, at)).find((one) => one.name === name);
  if (found) return found;
  const near = didYouMean(name, await namesOf(db, 'commission'));
  throw notFound(
    'name',
    `there is no commission recipient ${JSON.stringify(name)}`,
    message`${near}${call('commission.list')} shows the names.`,
  );
}

function weightOf({ weights }: CommissionRecipient, machine: string | null): bigint | undefined {
  return weights.find((one) => one.machine === machine)?.weight;
}

/** A recipient as the log shows it. */
function snapshot({ walletId, removed, weights }: CommissionRecipient) {
  return {
    wallet_id: walletId,
    status: removed ? 'removed' : 'active',
    weights: weights.map(({ machine, weight }) => ({ machine, weight })),
  };
}
