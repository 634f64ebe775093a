import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import type { Db, Trx } from './open.ts';
import type { Schema } from './schema.ts';

/** An LNbits wallet that is paid into: its id, and the invoice key that was tested to belong to it. */
export interface WalletKey {
  id: string;
  key: Secret;
}

type Kind = Schema['recipients']['kind'];

/** Another key of the recipient's wallet, or, with `newWallet`, another wallet. Throws `usage/invalid`. */
export async function changeWallet(
  trx: Trx,
  kind: Kind,
  recipient: { id: bigint; name: string; walletId: string },
  wallet: WalletKey,
  newWallet: boolean,
  at: Instant,
): Promise<void> {
  if (wallet.id === recipient.walletId) {
    await trx
      .updateTable('wallets')
      .set({ invoice_key: wallet.key.reveal(), seen_at: null })
      .where('id', '=', wallet.id)
      .execute();
    return;
  }
  if (!newWallet) {
    throw invalid(
      `--wallet-key-file: this is the key of another wallet, ${wallet.id}; ${recipient.name} is paid into ${recipient.walletId}`,
      'Add --new-wallet if whatever was not sent yet shall go there.',
    );
  }
  await keepWallet(trx, kind, wallet, at);
  await trx.updateTable('recipients').set({ wallet_id: wallet.id }).where('id', '=', recipient.id).execute();
}

/** Keeps a wallet and its key; refuses the source wallet, and one of another recipient of that kind. */
export async function keepWallet(trx: Trx, kind: Kind, { id, key }: WalletKey, at: Instant): Promise<void> {
  const { source_wallet_id: source } = await trx
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  if (source === id) throw isSourceWallet();
  const other = await trx
    .selectFrom('recipients')
    .select('name')
    .where('kind', '=', kind)
    .where('wallet_id', '=', id)
    .where('status', '<>', 'closed')
    .executeTakeFirst();
  if (other) {
    throw invalid(
      `--wallet-key-file: the wallet ${id} belongs to ${kind === 'client' ? 'client' : 'commission recipient'} ${other.name}`,
      `Each ${kind === 'client' ? 'client' : 'recipient'} needs a wallet of its own.`,
    );
  }
  await trx
    .insertInto('wallets')
    .values({ id, invoice_key: key.reveal(), created_at: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ invoice_key: key.reveal(), seen_at: null }))
    .execute();
}

/** Whether the wallet's key of now has shown an invoice that it made. */
export async function wasSeen(db: Db, walletId: string): Promise<boolean> {
  const { seen_at } = await db
    .selectFrom('wallets')
    .select('seen_at')
    .where('id', '=', walletId)
    .executeTakeFirstOrThrow();
  return seen_at !== null;
}

/** Keeps that it has, if it is still this one. */
export async function keepSight(trx: Trx, walletId: string, key: Secret, at: Instant): Promise<void> {
  await trx
    .updateTable('wallets')
    .set({ seen_at: at })
    .where('id', '=', walletId)
    .where('invoice_key', '=', key.reveal())
    .execute();
}

/** Paying oneself looks like a success at LNbits, and moves nothing. */
export function isSourceWallet(): BridgeError {
  return invalid(
    '--wallet-key-file: this is the source wallet, from which clients are paid',
    'Use the invoice key of a wallet of the recipient.',
  );
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
