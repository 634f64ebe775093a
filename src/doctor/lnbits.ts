import { CLEAR, goesInClear } from '../config/build.ts';
import type { Config } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import { superuserOf } from '../config/superuser.ts';
import { formatSats, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { stuckCredits } from '../ledger/credits/credits.ts';
import { sourceWalletRefusal } from '../ledger/credits/source-wallet.ts';
import { creditsToCome, missing, owed, wantsMore } from '../ledger/owed.ts';
import { feeRate } from '../ledger/payouts/service-fee.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { boundSourceWallet } from '../ledger/wallets/wallets.ts';
import { call, message } from '../lib/message.ts';
import { tooFull } from '../lnbits/answer.ts';
import { proveRights } from '../lnbits/rights.ts';
import type { LnbitsClient } from '../lnbits/wallet-client.ts';
import type { Clock } from '../time.ts';
import { type Check, fail, ok, warn } from './check.ts';

interface ShownWallet {
  id: string;
  name: string;
  balanceMsat: bigint;
}

/** LNbits, the source wallet, its balance against what is owed, and each recipient's wallet. */
export async function* examineLnbits(
  config: Pick<Config, 'lnbits'>,
  ledger: Ledger | undefined,
  clock: Clock,
): AsyncGenerator<Check> {
  const { url } = config.lnbits;
  // Loaded here, because it is slow to load and nothing above needs it.
  const { LnbitsClient } = await import('../lnbits/wallet-client.ts');
  const lnbits = new LnbitsClient(config.lnbits, clock);
  try {
    try {
      yield versionCheck(url, await lnbits.version());
    } catch (error) {
      const check = fail('lnbits', error);
      if (
        (error instanceof BridgeError && error.code === 'lnbits/version') ||
        !(await answers(lnbits, config.lnbits.sourceWalletKey))
      ) {
        yield check;
        return;
      }
      yield warn(
        'lnbits',
        `${url} does not show its version: ${check.detail}`,
        'The bridge treats it as an LNbits before 1.4, so doubtful payments take longer. Let /openapi.json through.',
      );
    }
    if (goesInClear(url)) {
      yield warn('lnbits', `${CLEAR}, and insecure_http allows it`, 'Use https:// if you can.');
    }
    try {
      const sourceWallet = await readSourceWallet(lnbits, config.lnbits.sourceWalletKey);
      const { walletId: paysFrom } = await proveRights(lnbits, config.lnbits.sourceWalletKey).catch(
        (error: unknown) => {
          throw full(error, sourceWallet);
        },
      );
      yield ledger
        ? await bindingCheck(ledger.db, sourceWallet, paysFrom)
        : ok('source wallet', `"${sourceWallet.name}", by its admin key`);
      if (ledger) yield* feeCheck(ledger.db);
      if (ledger) yield await balanceCheck(ledger.db, sourceWallet, config.lnbits.creditSource);
    } catch (error) {
      yield fail('source wallet', error);
    }
    if (config.lnbits.creditSource) yield await creditCheck(config, clock);
    else if (ledger) yield* leftCredits(ledger.db);
    if (ledger) yield* recipientChecks(ledger.db, lnbits);
  } finally {
    await lnbits.close();
  }
}

/** The error for a source wallet that takes no invoice because it holds too much. */
function full(error: unknown, { name, id, balanceMsat }: ShownWallet): unknown {
  if (!(error instanceof BridgeError)) return error;
  return tooFull(error, `the source wallet "${name}" (${id})`, balanceMsat) ?? error;
}

/** Whether LNbits answers for its wallets; to refuse the key is an answer, too. */
async function answers(lnbits: LnbitsClient, key: Secret): Promise<boolean> {
  try {
    await lnbits.wallet(key);
    return true;
  } catch (error) {
    return error instanceof BridgeError && error.code === 'lnbits/key';
  }
}

function versionCheck(url: string, version: string): Check {
  const changing = /^v?1\.[0-3](\D|$)/.test(version);
  const note = '; before 1.4, reading a wallet changes its unpaid invoices, so doubtful payments take longer';
  return ok('lnbits', `${url} is LNbits ${version}${changing ? note : ''}`);
}

async function readSourceWallet(lnbits: LnbitsClient, key: Secret): Promise<ShownWallet> {
  const { id, name, balanceMsat } = await lnbits.wallet(key);
  if (id !== null) return { id, name, balanceMsat };
  throw new BridgeError(
    'lnbits/key',
    '[lnbits] source_wallet_key is an invoice key, which cannot pay.',
    'Use the admin key of the source wallet.',
  );
}

/** Whether a run would pay from this wallet. `paysFrom`: the wallet that a key onto a shared wallet pays from. */
async function bindingCheck(db: Db, { id, name }: ShownWallet, paysFrom: string): Promise<Check> {
  const refusal = await sourceWalletRefusal(db, id, paysFrom);
  if (refusal) return fail('source wallet', refusal);
  const bound = await boundSourceWallet(db);
  if (bound === null || bound === id) return ok('source wallet', `"${name}", by its admin key`);
  return warn(
    'source wallet',
    `"${name}" (${id}) is another one than the ledger has paid from, ${bound}`,
    'If that is not intended, set the key of the former wallet again before the next payment.',
  );
}

/** What is allocated and not settled yet, against the wallet's balance and the credits that precede the payments. */
async function balanceCheck(db: Db, { balanceMsat }: ShownWallet, crediting: boolean): Promise<Check> {
  const { sats } = await owed(db);
  const balance = balanceMsat / 1000n;
  const toCome = await creditsToCome(db, crediting);
  const fee = await feeRate(db);
  const short = missing(sats, { balance, toCome, fee, wantsMore: await wantsMore(db) });
  const detail =
    `it holds ${formatSats(balance)}, ${formatSats(sats)} are owed` +
    (toCome > 0n ? `, ${formatSats(toCome)} are credited before they are paid` : '');
  if (short === 0n) return ok('balance', detail);
  const elsewhere =
    ' Where the sats of cash-outs arrive on LNbits’ node but in none of its wallets, [lnbits] credit_source = true credits them automatically: docs/crediting.md.';
  return warn(
    'balance',
    detail,
    `Top the source wallet up by at least ${formatSats(short)}.${crediting ? '' : elsewhere}`,
  );
}

/** LNbits' service fee, if the newest payment cost one. */
async function* feeCheck(db: Db): AsyncGenerator<Check> {
  const rate = await feeRate(db);
  if (rate === null) return;
  yield warn(
    'service fee',
    `LNbits takes a fee from the source wallet on top of payments, ${groupDigits(rate.feeMsat)} msat of ${formatSats(rate.paidMsat / 1000n)}`,
    'It is booked, and the wallet needs it besides what is owed. To avoid it, set lnbits_service_fee_ignore_internal in LNbits.',
  );
}

/** Whether the superuser can credit the source wallet. Even then a warning says what that means. */
async function creditCheck({ lnbits }: Pick<Config, 'lnbits'>, clock: Clock): Promise<Check> {
  try {
    const { LnbitsAdmin } = await import('../lnbits/admin.ts');
    const superuser = superuserOf(lnbits);
    const admin = await LnbitsAdmin.logIn(lnbits, superuser, clock);
    await admin.close();
    return warn(
      'credit_source',
      `on: ${superuser.name} credits the source wallet with what cash-outs have to pay out, and LNbits then owes these sats`,
      'They must be on its node: make sure that it receives what machines take in. If the source wallet is filled by other means, switch crediting off.',
    );
  } catch (error) {
    return fail('credit_source', error);
  }
}

/** Credits that were recorded while crediting was on, and are not made while it is off. */
async function* leftCredits(db: Db): AsyncGenerator<Check> {
  for (const { id, sats } of await stuckCredits(db, false)) {
    yield warn(
      'credit_source',
      `off, and credit c${id} of ${formatSats(sats)} was recorded while it was on: it is not made`,
      message`Switch it on again, or give the credit up: ${call('credits.resolve', { id: `c${id}`, not_credited: true, reason: null })}`,
    );
  }
}

/**
 * Checks each recipient's wallet as a run would: its key is known, is an invoice key, makes invoices and shows them.
 */
async function* recipientChecks(db: Db, lnbits: LnbitsClient): AsyncGenerator<Check> {
  const recipients = await db
    .selectFrom('recipients')
    .innerJoin('wallets', 'wallets.id', 'recipients.wallet_id')
    .select(['recipients.name', 'recipients.kind', 'recipients.wallet_id', 'wallets.invoice_key'])
    .where('recipients.status', '<>', 'closed')
    .orderBy('recipients.name')
    .execute();
  for (const { name, kind, wallet_id, invoice_key: key } of recipients) {
    const check = `wallet of ${name}`;
    const set = call(kind === 'client' ? 'clients.set' : 'commission.set', { name, wallet_key: null });
    try {
      const { id } = await lnbits.wallet(new Secret(key));
      const { walletId: paidInto } = await proveRights(lnbits, new Secret(key));
      if (paidInto !== wallet_id) {
        const what = `Its key belongs to another wallet now, ${paidInto}.`;
        yield fail(check, new BridgeError('lnbits/key', what, message`Give the key of ${wallet_id}: ${set}`));
        continue;
      }
      yield id === null
        ? ok(check, 'its invoice key receives and shows payments')
        : warn(
            check,
            'answers, but the ledger keeps its admin key, which can spend',
            message`Replace it with the invoice key: ${set}`,
          );
    } catch (error) {
      const failed = fail(check, error);
      if (failed.kind === 'misconfigured') {
        yield { ...failed, hint: message`If the wallet lives, give its new key: ${set}` };
        continue;
      }
      yield failed;
      if (error instanceof BridgeError && error.code === 'lnbits/refused') continue;
      // LNbits itself does not answer: each further wallet would take as long.
      return;
    }
  }
}
