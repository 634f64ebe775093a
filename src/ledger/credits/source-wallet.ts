import { BridgeError } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { type Act, record } from '../log/log.ts';
import { anyOpenPayment } from '../payouts/open-payouts.ts';
import type { Db, Trx } from '../store/open.ts';
import { BOUND, boundSourceWallet } from '../wallets/wallets.ts';
import { creditsIn } from './credits.ts';

/* The wallet that the ledger pays from. */

export async function isBound(db: Db, wallet: string): Promise<boolean> {
  return (await boundSourceWallet(db)) === wallet;
}

/**
 * Why a wallet may not become the source wallet; null if it may. `paysFrom`: the wallet that its key pays from, if the
 * key is one of a shared wallet.
 */
export async function sourceWalletRefusal(
  db: Db,
  wallet: string,
  paysFrom: string,
): Promise<BridgeError | null> {
  const client = await db
    .selectFrom('recipients')
    .select('name')
    .where('wallet_id', 'in', [wallet, paysFrom])
    .executeTakeFirst();
  if (client) {
    return new BridgeError(
      'ledger/wallet-differs',
      `the source wallet of the configuration is the wallet of ${client.name}`,
      'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.',
    );
  }
  const bound = await boundSourceWallet(db);
  if (bound === null || bound === wallet) return null;
  const [credit] = await creditsIn(db, ['sending', 'unknown']);
  if (credit) {
    return new BridgeError(
      'ledger/wallet-differs',
      `the outcome of credit c${credit.id} of the source wallet ${bound} is not known yet, and the configuration names ${wallet}`,
      message`Set the key of the former wallet again until ${call('credits.list')} shows nothing unknown.`,
    );
  }
  if (!(await anyOpenPayment(db))) return null;
  return new BridgeError(
    'ledger/wallet-differs',
    `payments from the source wallet ${bound} are open, and the configuration names ${wallet}`,
    message`Set the key of the former wallet again until ${call('payouts.list')} shows nothing open.`,
  );
}

/**
 * Binds the ledger to a wallet. Throws `ledger/wallet-differs` and writes nothing if `sourceWalletRefusal` has a
 *  reason.
 */
export async function takeSourceWallet(
  trx: Trx,
  act: Act,
  wallet: string,
  paysFrom: string = wallet,
): Promise<void> {
  const bound = await boundSourceWallet(trx);
  if (bound === wallet) return;
  const refusal = await sourceWalletRefusal(trx, wallet, paysFrom);
  if (refusal) throw refusal;
  await trx.updateTable('ledger').set({ source_wallet_id: wallet }).execute();
  await record(trx, act, {
    action: BOUND,
    subject: wallet,
    before: { source_wallet_id: bound },
    after: { source_wallet_id: wallet },
  });
}

const ACCOUNTED = 'former payments accounted for';

/**
 * Records that the former source wallets were read, or that the operator answers for them: before `wallet` pays, the
 * clients' wallets are no longer searched.
 */
export async function accountFor(trx: Trx, act: Act, wallet: string): Promise<void> {
  await record(trx, act, { action: ACCOUNTED, subject: wallet });
}

/** Whether that was recorded since another wallet was the source wallet. */
export async function isAccountedFor(db: Db, wallet: string): Promise<boolean> {
  const newest = await db
    .selectFrom('log')
    .select(['subject', 'action'])
    .where((eb) =>
      eb.or([eb('action', '=', ACCOUNTED), eb.and([eb('action', '=', BOUND), eb('subject', '<>', wallet)])]),
    )
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.action === ACCOUNTED && newest.subject === wallet;
}
