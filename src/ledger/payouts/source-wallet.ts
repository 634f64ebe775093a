import { BridgeError } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { BOUND } from '../clients/wallets.ts';
import { creditsIn } from '../credits/credits.ts';
import { type Act, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';

/* Which wallet the ledger pays from. */

export async function isBound(db: Db, wallet: string): Promise<boolean> {
  const { source_wallet_id: bound } = await db
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  return bound === wallet;
}

/**
 * Binds the ledger to a wallet. `paysFrom`: the one that its key pays from, where that is a shared one. Throws
 * `ledger/wallet-differs`, before it writes, where that one may not be taken.
 */
export async function takeSourceWallet(
  trx: Trx,
  act: Act,
  wallet: string,
  paysFrom: string = wallet,
): Promise<void> {
  const { source_wallet_id: bound } = await trx
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  if (bound === wallet) return;
  const client = await trx
    .selectFrom('recipients')
    .select('name')
    .where('wallet_id', 'in', [wallet, paysFrom])
    .executeTakeFirst();
  if (client) {
    throw new BridgeError(
      'ledger/wallet-differs',
      `the source wallet of the configuration is the wallet of ${client.name}`,
      'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.',
    );
  }
  if (bound !== null) {
    const open = await trx
      .selectFrom('payments')
      .select('id')
      .where('state', 'in', ['invoiced', 'sending', 'unknown'])
      .executeTakeFirst();
    const [credit] = await creditsIn(trx, ['sending', 'unknown']);
    if (credit) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `what became of credit c${credit.id} of the source wallet ${bound} is not known yet, and the configuration names ${wallet}`,
        message`Set the key of the former wallet again until ${call('credits.list')} shows nothing unknown.`,
      );
    }
    if (open) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `payments from the source wallet ${bound} are open, and the configuration names ${wallet}`,
        message`Set the key of the former wallet again until ${call('payouts.list')} shows nothing open.`,
      );
    }
  }
  await trx.updateTable('ledger').set({ source_wallet_id: wallet }).execute();
  await record(trx, act, {
    at: act.at,
    action: BOUND,
    subject: wallet,
    before: { source_wallet_id: bound },
    after: { source_wallet_id: wallet },
  });
}

const ACCOUNTED = 'former payments accounted for';

/**
 * Records that the source wallets that paid before were looked at, or that an operator answers for them: the clients'
 * wallets are not asked any more before `wallet` pays.
 */
export async function accountFor(trx: Trx, act: Act, wallet: string): Promise<void> {
  await record(trx, act, { at: act.at, action: ACCOUNTED, subject: wallet });
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
