import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Currencies } from '../dca/currency.ts';
import { BridgeError } from '../errors.ts';
import { type Amount, parseAmount } from '../typed/numbers.ts';
import { at, invalidConfig } from './explain.ts';
import type { Config } from './load.ts';
import type { ConfigFile, LedgerUrl } from './schema.ts';
import { required, type SecretSource, secretSource } from './secrets.ts';

/** The settings in the shape that the program uses, secrets as getters. */
export function build(path: string, text: string, file: ConfigFile, env: NodeJS.ProcessEnv): Config {
  const { lamassu, ledger, lnbits, payouts, attention } = file;
  const { ssh } = lamassu;
  const ledgerUrl = place(ledger.url, dirname(path));
  const sources: SecretSource[] = [];

  function secret<K extends string>(
    section: string,
    key: K,
    stated: { [P in K | `${K}_file`]?: string | undefined } | undefined,
    inUrl: Record<string, string | undefined> = {},
  ): SecretSource {
    const name = `${section}.${key}`;
    const source = secretSource(
      name,
      { [name]: stated?.[key], ...inUrl },
      stated?.[`${key}_file`],
      path,
      env,
    );
    sources.push(source);
    return source;
  }
  const password = secret('lamassu', 'password', lamassu);
  const privateKey = secret('lamassu.ssh', 'private_key', ssh);
  const passphrase = secret('lamassu.ssh', 'passphrase', ssh);
  const ledgerPassword = secret('ledger', 'password', ledger, { 'ledger.url': ledgerUrl.password });
  const sourceWalletKey = secret('lnbits', 'source_wallet_key', lnbits);
  const superuserPassword = secret('lnbits', 'superuser_password', lnbits);

  const mistakes = sources.flatMap(({ name, conflict }) => (conflict ? [at(text, name, conflict)] : []));
  if (payouts.minimum_sats > payouts.maximum_sats) {
    mistakes.push(at(text, 'payouts.minimum_sats', `more than maximum_sats, ${payouts.maximum_sats}`));
  }
  if (lnbits.credit_source && lnbits.superuser === undefined) {
    mistakes.push(at(text, 'lnbits.credit_source', 'needs lnbits.superuser'));
  }
  const currencies: Currencies = new Map(Object.entries(file.currencies));
  const cashOutAbove = file.review.cash_out_above.flatMap((value, index) => {
    const read = readAmount(value, currencies);
    if ('amount' in read) return [read.amount];
    mistakes.push(at(text, `review.cash_out_above[${index + 1}]`, read.mistake));
    return [];
  });
  if (mistakes.length > 0) throw invalidConfig(path, mistakes);

  return {
    file: path,
    timezone: file.timezone,
    lamassu: {
      name: lamassu.name,
      host: lamassu.host,
      port: lamassu.port,
      database: lamassu.database,
      user: lamassu.user,
      get password() {
        return password.read();
      },
      tls: lamassu.tls,
      ca: lamassu.ca_file === undefined ? undefined : readCa(resolve(dirname(path), lamassu.ca_file)),
      startAt: lamassu.start_at,
      overlapMs: lamassu.overlap,
      ssh: ssh && {
        host: ssh.host,
        port: ssh.port,
        user: ssh.user,
        get privateKey() {
          return required(privateKey);
        },
        get passphrase() {
          return passphrase.read();
        },
        hostKeys: ssh.host_key,
      },
    },
    ledger: {
      url: ledgerUrl.url,
      get password() {
        return ledgerPassword.read();
      },
    },
    lnbits: {
      url: lnbits.url,
      get sourceWalletKey() {
        return required(sourceWalletKey);
      },
      creditSource: lnbits.credit_source,
      superuser: lnbits.superuser,
      get superuserPassword() {
        return superuserPassword.read();
      },
    },
    commission: file.commission,
    currencies,
    payouts: {
      batch: payouts.batch,
      minimumSats: payouts.minimum_sats,
      maximumSats: payouts.maximum_sats,
      quietMs: payouts.quiet,
      dailyCeilingSats: payouts.daily_ceiling_sats,
    },
    allocation: file.allocation,
    fixed: file.fixed,
    review: { cashOutAbove },
    attention: { staleAfterMs: attention.stale_after, payoutAfterMs: attention.payout_after },
    schedule: file.schedule,
    log: file.log,
    metrics: { listen: file.metrics.listen },
    secretFiles: [...new Set(sources.flatMap((source) => source.path ?? []))],
  };
}

function place(url: LedgerUrl, directory: string): { url: string; password: string | undefined } {
  if ('sqlite' in url) return { url: `sqlite:${resolve(directory, url.sqlite)}`, password: undefined };
  return { url: url.postgresql, password: url.password };
}

/** What is wrong with it names what it could be read as. */
function readAmount(text: string, currencies: Currencies): { amount: Amount } | { mistake: string } {
  try {
    return { amount: parseAmount(text, '', currencies) };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { mistake: `${error.message.replace(/^: |\.$/g, '')}. ${error.hint ?? ''}`.trim() };
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    const hint = 'Check the path, and that the user who runs this may read the file.';
    throw new BridgeError('config/invalid', `lamassu.ca_file: cannot read ${path} (${code}).`, hint);
  }
}
