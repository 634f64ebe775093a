import { conflict, notFound } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { namesOf } from '../store/names-by-id.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { keepWallet, type WalletKey } from '../wallets/wallets.ts';

/** Clients and commission recipients share one set of names, for good. Throws `usage/invalid` if the name is taken. */
export async function refuseTakenName(db: Db, name: string): Promise<void> {
  const taken = await db
    .selectFrom('recipients')
    .select(['kind', 'status'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (!taken) return;
  const client = taken.kind === 'client';
  const whose = `${taken.status === 'closed' ? 'closed ' : ''}${client ? 'client' : 'commission recipient'}`;
  const kept = 'Choose another name. A name is never used again, so every payment keeps a unique recipient.';
  throw conflict(
    'name',
    `there is a ${whose} "${name}" already`,
    client
      ? kept
      : message`${kept} The recipient's weights are changed by ${call('commission.set', { name, weight: null })}.`,
  );
}

/**
 * Enters a client or a commission recipient, and answers its id. Throws `usage/invalid` if the name or the wallet is
 * taken.
 */
export async function enterRecipient(
  trx: Trx,
  kind: Schema['recipients']['kind'],
  { name, wallet }: { name: string; wallet: WalletKey },
  at: Instant,
): Promise<bigint> {
  await refuseTakenName(trx, name);
  await keepWallet(trx, kind, wallet, at);
  const { id } = await trx
    .insertInto('recipients')
    .values({ kind, name, wallet_id: wallet.id, status: 'active', created_at: at })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Throws `usage/invalid` if no client and no commission recipient has that name. */
export async function refuseUnknownName(db: Db, name: string, field: string): Promise<void> {
  const known = await db.selectFrom('recipients').select('id').where('name', '=', name).executeTakeFirst();
  if (known) return;
  const near = didYouMean(name, await namesOf(db, 'client', 'commission'));
  throw notFound(
    field,
    `there is no client and no commission recipient ${JSON.stringify(name)}`,
    message`${near}${call('clients.list')} and ${call('commission.list')} show the names.`,
  );
}
