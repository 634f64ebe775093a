import { Secret } from '../../config/secret.ts';
import { type BridgeError, conflict, invalid } from '../../errors.ts';
import { field, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

/** A recipient's LNbits wallet: its id, and its tested invoice key. */
export interface WalletKey {
  id: string;
  key: Secret;
}

type RecipientKind = Schema['recipients']['kind'];

/** The key that a recipient is to be paid by from `at` on. */
interface WalletChange {
  kind: RecipientKind;
  recipient: { id: bigint; name: string; walletId: string };
  wallet: WalletKey;
  /** It may be the key of another wallet. */
  newWallet: boolean;
  at: Instant;
}

/** Sets another key of the recipient's wallet, or, with `newWallet`, another wallet. Throws `usage/invalid`. */
export async function changeWallet(
  trx: Trx,
  { kind, recipient, wallet, newWallet, at }: WalletChange,
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
    throw conflict(
      'wallet_key',
      `this is the key of another wallet, ${wallet.id}; ${recipient.name} is paid into ${recipient.walletId}`,
      message`Add ${field('new_wallet')} to send everything that was not sent yet there.`,
    );
  }
  await keepWallet(trx, kind, wallet, at);
  await trx.updateTable('recipients').set({ wallet_id: wallet.id }).where('id', '=', recipient.id).execute();
}

/** Records a wallet and its key; refuses the source wallet, and the wallet of another recipient of that kind. */
export async function keepWallet(
  trx: Trx,
  kind: RecipientKind,
  { id, key }: WalletKey,
  at: Instant,
): Promise<void> {
  if ((await boundSourceWallet(trx)) === id) throw isSourceWallet();
  const other = await trx
    .selectFrom('recipients')
    .select('name')
    .where('kind', '=', kind)
    .where('wallet_id', '=', id)
    .where('status', '<>', 'closed')
    .executeTakeFirst();
  if (other) {
    throw conflict(
      'wallet_key',
      `the wallet ${id} belongs to ${kind === 'client' ? 'client' : 'commission recipient'} ${other.name}`,
      `Each ${kind === 'client' ? 'client' : 'recipient'} needs a wallet of its own.`,
    );
  }
  await trx
    .insertInto('wallets')
    .values({ id, invoice_key: key.reveal(), created_at: at })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ invoice_key: key.reveal(), seen_at: null }))
    .execute();
}

/** A wallet that is or was paid into, and its recipient. */
export interface PaidInto extends WalletKey {
  recipient: { id: bigint; kind: RecipientKind; name: string };
  /** The recipient has another wallet now. */
  former: boolean;
}

/**
 * Every wallet into which this ledger, or a newer copy of it, may have paid from a source wallet other than this one.
 * Leaves out a former wallet that was replaced before a run from such a source wallet found no other copy: every newer
 * copy knows that.
 */
export async function walletsPaidInto(db: Db, sourceWallet: string): Promise<PaidInto[]> {
  const wallets = await db.selectFrom('wallets').select(['id', 'invoice_key']).orderBy('id').execute();
  const recipients = await db.selectFrom('recipients').select(['id', 'kind', 'name', 'wallet_id']).execute();
  const alone = await lastAlone(db, sourceWallet);
  const paidInto: PaidInto[] = [];
  for (const { id, invoice_key } of wallets) {
    const wallet = { id, key: new Secret(invoice_key) };
    for (const recipient of recipients.filter(({ wallet_id }) => wallet_id === id))
      paidInto.push({ ...wallet, recipient, former: false });
    for (const { at, subject } of await whenLeft(db, id)) {
      const recipient = recipients.find(({ kind, name }) => `${kind} ${name}` === subject);
      if (recipient && recipient.wallet_id !== id && (alone === null || at >= alone))
        paidInto.push({ ...wallet, recipient, former: true });
    }
  }
  return paidInto;
}

/** When a run last found no other copy at a source wallet other than this one. */
async function lastAlone(db: Db, sourceWallet: string): Promise<Instant | null> {
  const { at } = await db
    .selectFrom('claims')
    .select((eb) => eb.fn.max('made_at').as('at'))
    .where('checked', '=', 1n)
    .where('wallet_id', '<>', sourceWallet)
    .executeTakeFirstOrThrow();
  return at;
}

/** When each recipient last got another wallet, by the log. */
async function whenLeft(db: Db, walletId: string): Promise<{ at: Instant; subject: string }[]> {
  const named = `%"wallet_id":${JSON.stringify(walletId)}%`;
  return await db
    .selectFrom('log')
    .select((eb) => ['subject', eb.fn.max('at').as('at')])
    .where('action', 'in', ['client set', 'commission set'])
    .where('before', 'like', named)
    .where('after', 'not like', named)
    .groupBy('subject')
    .execute();
}

/** The source wallet that the ledger is bound to; null before its first run. */
export async function boundSourceWallet(db: Db): Promise<string | null> {
  const { source_wallet_id: bound } = await db
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  return bound;
}

/** The log's action for binding the ledger to a source wallet, which is the subject. */
export const BOUND = 'source wallet bound';

/**
 * Whether this ledger paid from this source wallet to a recipient, or into that recipient's wallet, since a run last
 * bound it to the source wallet. True if no run ever bound it.
 */
export async function wasPaidFrom(
  db: Db,
  sourceWallet: string,
  { recipient, wallet }: { recipient: bigint; wallet: string },
): Promise<boolean> {
  const bound = await db
    .selectFrom('log')
    .select('run_id')
    .where('subject', '=', sourceWallet)
    .where('action', '=', BOUND)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (bound === undefined) return true;
  const paid = await db
    .selectFrom('payouts')
    .innerJoin('payments', 'payments.payout_id', 'payouts.id')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select('payments.id')
    .where((eb) => eb.or([eb('recipients.id', '=', recipient), eb('recipients.wallet_id', '=', wallet)]))
    .where('payments.state', '<>', 'dead')
    .where('payments.source_wallet_id', '=', sourceWallet)
    .where('payments.run_id', '>=', bound.run_id ?? 0n)
    .limit(1)
    .executeTakeFirst();
  return paid !== undefined;
}

/** Whether the present key of the wallet has shown an invoice that it made. */
export async function wasSeen(db: Db, walletId: string): Promise<boolean> {
  const { seen_at } = await db
    .selectFrom('wallets')
    .select('seen_at')
    .where('id', '=', walletId)
    .executeTakeFirstOrThrow();
  return seen_at !== null;
}

/** Records that it has, if it is still the same key. */
export async function keepSight(trx: Trx, walletId: string, key: Secret, at: Instant): Promise<void> {
  await trx
    .updateTable('wallets')
    .set({ seen_at: at })
    .where('id', '=', walletId)
    .where('invoice_key', '=', key.reveal())
    .execute();
}

/** LNbits reports a payment from a wallet to itself as a success, but moves nothing. */
export function isSourceWallet(): BridgeError {
  return invalid(
    'wallet_key',
    'this is the source wallet, from which clients are paid',
    'Use the invoice key of a wallet of the recipient.',
  );
}
