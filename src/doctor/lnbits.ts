import { CLEAR, goesInClear } from '../config/build.ts';
import type { Config } from '../config/load.ts';
import { Secret } from '../config/secret.ts';
import { superuserOf } from '../config/superuser.ts';
import { groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { stuckCredits } from '../ledger/credits.ts';
import type { Db, Ledger } from '../ledger/open.ts';
import { anyOpenPayment } from '../ledger/open-payouts.ts';
import { feeRate } from '../ledger/service-fee.ts';
import { creditsToCome, missing, owed, wantsMore } from '../ledger/status.ts';
import { boundSourceWallet } from '../ledger/wallets.ts';
import { tooFull } from '../lnbits/answer.ts';
import type { LnbitsClient } from '../lnbits/client.ts';
import { proveRights } from '../lnbits/rights.ts';
import { type Check, fail, ok, warn } from './check.ts';

interface SourceWallet {
  id: string;
  name: string;
  balanceMsat: bigint;
}

/** LNbits, the wallet that pays, what it holds against what is owed, and the wallet of each client. */
export async function* examineLnbits(config: Config, ledger: Ledger | undefined): AsyncGenerator<Check> {
  const { url } = config.lnbits;
  // Loaded here: it is slow to start, and nothing before it needs it.
  const { LnbitsClient } = await import('../lnbits/client.ts');
  const lnbits = new LnbitsClient(config.lnbits);
  try {
    try {
      yield versionCheck(url, await lnbits.version());
    } catch (error) {
      const check = fail('lnbits', error);
      if (
        check.detail.startsWith('lnbits/version') ||
        !(await answers(lnbits, config.lnbits.sourceWalletKey))
      ) {
        yield check;
        return;
      }
      yield warn(
        'lnbits',
        `${url} does not tell its version: ${check.detail}`,
        'It is taken for an LNbits before 1.4, so doubtful payments take longer. Let /openapi.json through.',
      );
    }
    if (goesInClear(url)) {
      yield warn('lnbits', `${CLEAR}, and insecure_http says that it is meant`, 'Use https:// if you can.');
    }
    try {
      const source = await readSource(lnbits, config.lnbits.sourceWalletKey);
      const { walletId: paysFrom } = await proveRights(lnbits, config.lnbits.sourceWalletKey).catch(
        (error: unknown) => {
          throw full(error, source);
        },
      );
      yield ledger
        ? await bindingCheck(ledger.db, source, paysFrom)
        : ok('source wallet', `"${source.name}", by its admin key`);
      if (ledger) yield* feeCheck(ledger.db);
      if (ledger) yield await balanceCheck(ledger.db, source, config.lnbits.creditSource);
    } catch (error) {
      yield fail('source wallet', error);
    }
    if (config.lnbits.creditSource) yield await creditCheck(config);
    else if (ledger) yield* leftCredits(ledger.db);
    if (ledger) yield* recipientChecks(ledger.db, lnbits);
  } finally {
    await lnbits.close();
  }
}

/** Why the source wallet takes no invoice, where it holds too much. */
function full(error: unknown, { name, id, balanceMsat }: SourceWallet): unknown {
  if (!(error instanceof BridgeError)) return error;
  return tooFull(error, `the source wallet "${name}" (${id})`, balanceMsat) ?? error;
}

/** Whether LNbits answers for its wallets, be it that it does not know the key. */
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
  const note =
    '; before 1.4 a look at a wallet changes its unpaid invoices, so doubtful payments take longer';
  return ok('lnbits', `${url} is LNbits ${version}${changing ? note : ''}`);
}

async function readSource(lnbits: LnbitsClient, key: Secret): Promise<SourceWallet> {
  const { id, name, balanceMsat } = await lnbits.wallet(key);
  if (id !== null) return { id, name, balanceMsat };
  throw new BridgeError(
    'lnbits/key',
    '[lnbits] source_wallet_key is an invoice key, which cannot pay.',
    'Use the admin key of the source wallet.',
  );
}

/** Whether a run would pay from this wallet; `paysFrom`: from which its key pays, where that is a shared one. */
async function bindingCheck(db: Db, { id, name }: SourceWallet, paysFrom: string): Promise<Check> {
  const bound = await boundSourceWallet(db);
  const client = await db
    .selectFrom('recipients')
    .select('name')
    .where('wallet_id', 'in', [id, paysFrom])
    .executeTakeFirst();
  if (client) {
    const message = `"${name}" is also the wallet of ${client.name}.`;
    const hint = 'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.';
    return fail('source wallet', new BridgeError('ledger/wallet-differs', message, hint));
  }
  if (bound === null || bound === id) return ok('source wallet', `"${name}", by its admin key`);
  if (await anyOpenPayment(db)) {
    const message = `Payments from the source wallet ${bound} are open, and the configuration names ${id}.`;
    const hint = 'Set the key of the former wallet again until `aio-dca payouts list` shows nothing open.';
    return fail('source wallet', new BridgeError('ledger/wallet-differs', message, hint));
  }
  return warn(
    'source wallet',
    `"${name}" (${id}) is another one than the ledger has paid from, ${bound}`,
    'If that is not meant, set the key of the former wallet again before the next payment.',
  );
}

/** What is allocated and not settled yet, against what the wallet holds and is credited with before it is paid. */
async function balanceCheck(db: Db, { balanceMsat }: SourceWallet, crediting: boolean): Promise<Check> {
  const { sats } = await owed(db);
  const balance = balanceMsat / 1000n;
  const toCome = await creditsToCome(db, crediting);
  const fee = await feeRate(db);
  const short = missing(sats, { balance, toCome, fee, wantsMore: await wantsMore(db) });
  const detail =
    `it holds ${groupDigits(balance)} sat, ${groupDigits(sats)} sat are owed` +
    (toCome > 0n ? `, ${groupDigits(toCome)} sat are credited before they are paid` : '');
  if (short === 0n) return ok('balance', detail);
  const elsewhere =
    ' Where the sats of cash-outs arrive on LNbits’ node but in none of its wallets, [lnbits] credit_source = true does it by itself: docs/crediting.md.';
  return warn(
    'balance',
    detail,
    `Top the source wallet up by at least ${groupDigits(short)} sat.${crediting ? '' : elsewhere}`,
  );
}

/** LNbits' service fee, for as long as the newest payment cost one. */
async function* feeCheck(db: Db): AsyncGenerator<Check> {
  const rate = await feeRate(db);
  if (rate === null) return;
  yield warn(
    'service fee',
    `LNbits takes a fee from the source wallet on top of payments, ${groupDigits(rate.feeMsat)} msat of ${groupDigits(rate.paidMsat / 1000n)} sat`,
    'It is booked, and the wallet needs it besides what is owed. To be rid of it, set lnbits_service_fee_ignore_internal in LNbits.',
  );
}

/** Whether the superuser may credit the source wallet; even then it is a warning what that means. */
async function creditCheck({ lnbits }: Config): Promise<Check> {
  try {
    const { LnbitsAdmin } = await import('../lnbits/admin.ts');
    const superuser = superuserOf(lnbits);
    const admin = await LnbitsAdmin.logIn(lnbits, superuser);
    await admin.close();
    return warn(
      'credit_source',
      `on: ${superuser.name} credits the source wallet with what cash-outs have to pay out, and LNbits then owes these sats`,
      'They must lie on its node: see that it receives what machines take in. Off is right where the source wallet is filled by other means.',
    );
  } catch (error) {
    return fail('credit_source', error);
  }
}

/** What was recorded while crediting was on, and is not made while it is off. */
async function* leftCredits(db: Db): AsyncGenerator<Check> {
  for (const { id, sats } of await stuckCredits(db, false)) {
    yield warn(
      'credit_source',
      `off, and credit c${id} of ${groupDigits(sats)} sat was recorded while it was on: it is not made`,
      `Switch it on again, or give the credit up: aio-dca credits resolve c${id} --not-credited --reason "…"`,
    );
  }
}

/**
 * Each wallet that is paid into as a run would meet it: its key is known, is an invoice key, makes invoices and shows
 * them.
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
    const set = `aio-dca ${kind === 'client' ? 'clients' : 'commission'} set ${name} --wallet-key-file FILE`;
    try {
      const { id } = await lnbits.wallet(new Secret(key));
      const { walletId: paidInto } = await proveRights(lnbits, new Secret(key));
      if (paidInto !== wallet_id) {
        const message = `Its key belongs to another wallet now, ${paidInto}.`;
        yield fail(check, new BridgeError('lnbits/key', message, `Give the key of ${wallet_id}: ${set}`));
        continue;
      }
      yield id === null
        ? ok(check, 'its invoice key receives and shows payments')
        : warn(
            check,
            'answers, but the ledger keeps its admin key, which can spend',
            `Replace it with the invoice key: ${set}`,
          );
    } catch (error) {
      const failed = fail(check, error);
      if (failed.exit === 78) {
        yield { ...failed, hint: `If the wallet lives, give its new key: ${set}` };
        continue;
      }
      yield failed;
      if (error instanceof BridgeError && error.code === 'lnbits/refused') continue;
      // LNbits itself does not answer now; asking for the others would take as long each.
      return;
    }
  }
}
