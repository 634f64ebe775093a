import { dirname, resolve } from 'node:path';
import type { Currencies } from '../dca/currency.ts';
import { BridgeError } from '../errors.ts';
import { isThisHost, type Tls } from '../lib/tls.ts';
import { type Amount, parseAmount } from '../typed/numbers.ts';
import { readCa } from './ca.ts';
import type { Config } from './config.ts';
import { at, invalidConfig } from './explain.ts';
import type { ConfigFile } from './file-schema.ts';
import { type LedgerUrl, ledgerTls } from './ledger-url.ts';
import { required, secretSources } from './secrets.ts';
import { buildWeb } from './web.ts';

/** The settings as the program uses them; secrets are getters. */
export function build(path: string, text: string, file: ConfigFile, env: NodeJS.ProcessEnv): Config {
  const { lamassu, ledger, lnbits, payouts, attention } = file;
  const { ssh } = lamassu;
  const ledgerUrl = place(ledger.url, dirname(path));
  const secrets = secretSources(file, ledgerUrl.password, path, env);
  const sources = Object.values(secrets);

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
  if (ledger.tls !== undefined && ledgerUrl.tls !== undefined) {
    mistakes.push(at(text, 'ledger.tls', 'given more than once, by ledger.tls and by sslmode in ledger.url'));
  }
  if (ledger.ca_file !== undefined && ledgerUrl.caFile !== undefined) {
    mistakes.push(
      at(text, 'ledger.ca_file', 'given more than once, by ledger.ca_file and by sslrootcert in ledger.url'),
    );
  }
  const statedTls = ledger.tls ?? ledgerUrl.tls;
  const ledgerCa = ledger.ca_file ?? ledgerUrl.caFile;
  const nothing = (key: string, because: string) =>
    mistakes.push(at(text, key, `has no effect with ${because}`));
  const unchecked = (table: string, tls: Tls) => `${table}.tls = "${tls}"; set ${table}.tls = "verify-full"`;
  if (lamassu.ca_file !== undefined && lamassu.tls !== 'verify-full')
    nothing('lamassu.ca_file', unchecked('lamassu', lamassu.tls));
  if (ledgerCa !== undefined && (statedTls === 'disable' || statedTls === 'require'))
    nothing('ledger.ca_file', unchecked('ledger', statedTls));
  if (ledgerUrl.url.startsWith('sqlite:')) {
    const file = 'ledger.url = "sqlite:…", which is a file; leave it out';
    if (ledgerCa !== undefined) nothing('ledger.ca_file', file);
    if (ledger.tls !== undefined) mistakes.push(at(text, 'ledger.tls', `protects nothing with ${file}`));
  }
  if (lnbits.ca_file !== undefined && lnbits.url.startsWith('http:'))
    nothing('lnbits.ca_file', 'lnbits.url = "http://…"; use https://, or leave it out');
  if (goesInClear(lnbits.url) && !lnbits.insecure_http) {
    mistakes.push(
      at(text, 'lnbits.url', `${CLEAR}: use https://, or set insecure_http = true if that is meant`),
    );
  }
  const web = buildWeb(file.web, (key, what) => mistakes.push(at(text, key, what)));
  if (mistakes.length > 0) throw invalidConfig(path, mistakes);
  const pem = (key: string, file: string | undefined) =>
    file === undefined ? undefined : readCa(key, resolve(dirname(path), file));

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
        return secrets['lamassu.password'].read();
      },
      tls: lamassu.tls,
      ca: pem('lamassu.ca_file', lamassu.ca_file),
      startAt: lamassu.start_at,
      overlapMs: lamassu.overlap,
      ssh: ssh && {
        host: ssh.host,
        port: ssh.port,
        user: ssh.user,
        get privateKey() {
          return required(secrets['lamassu.ssh.private_key']);
        },
        get passphrase() {
          return secrets['lamassu.ssh.passphrase'].read();
        },
        hostKeys: ssh.host_key,
      },
    },
    ledger: {
      url: ledgerUrl.url,
      get password() {
        return secrets['ledger.password'].read();
      },
      tls: ledgerTls(statedTls, ledgerCa),
      ca: pem('ledger.ca_file', ledgerCa),
    },
    lnbits: {
      url: lnbits.url,
      ca: pem('lnbits.ca_file', lnbits.ca_file),
      get sourceWalletKey() {
        return required(secrets['lnbits.source_wallet_key']);
      },
      creditSource: lnbits.credit_source,
      superuser: lnbits.superuser,
      get superuserPassword() {
        return secrets['lnbits.superuser_password'].read();
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
    web,
    secretFiles: [...new Set(sources.flatMap((source) => source.path ?? []))],
  };
}

function place(url: LedgerUrl, directory: string) {
  if ('sqlite' in url)
    return {
      url: `sqlite:${resolve(directory, url.sqlite)}`,
      password: undefined,
      tls: undefined,
      caFile: undefined,
    };
  const { postgresql, ...rest } = url;
  return { url: postgresql, ...rest };
}

/** The error of an amount shows how it could be read. */
function readAmount(text: string, currencies: Currencies): { amount: Amount } | { mistake: string } {
  try {
    return { amount: parseAmount(text, 'amount', currencies) };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { mistake: `${error.text} ${error.hint ?? ''}`.trim() };
  }
}

export const CLEAR = 'http:// to another host sends the keys of the wallets unencrypted';

/** Whether the keys of the wallets would leave this host unencrypted. Tor encrypts what goes to an .onion itself. */
export function goesInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !isThisHost(hostname) && !hostname.endsWith('.onion');
}
