import { validate as isCron } from 'node-cron';
import { TomlDate } from 'smol-toml';
import * as z from 'zod';
import { MAX_SATS } from '../dca/money.ts';
import { parseDuration } from '../typed/durations.ts';
import { parseZonedTime } from '../typed/times.ts';
import { type LedgerUrl, readLedgerUrl } from './ledger-url.ts';
import { isNetwork, readOrigin } from './web.ts';

/*
 * The schema of config.toml, with its defaults. The message of a check continues the sentence "expected …". Secrets are
 * optional here, since they may come from a file or the environment (secrets.ts).
 */

/** Text that `parse` can read: it returns undefined for invalid text, for which `rather` has what is expected. */
function read<T>(
  expected: string,
  parse: (text: string) => T | undefined,
  rather: (text: string) => string = () => expected,
) {
  return z.string({ error: expected }).transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: rather(text) });
    return z.NEVER;
  });
}

const text = (expected: string) => z.string({ error: expected }).min(1, { error: expected });

const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(', ')}` });

const duration = (fallback: string) =>
  read('a length of time, like "60 s", "5 min", "2 hours" or "7 days"', parseDuration).prefault(fallback);

/** A TOML integer, which the parser returns as a bigint. `1.000` is a fraction, and may have been meant as 1000. */
function integer(smallest: bigint, largest: bigint) {
  return z.unknown().transform((value, context): bigint => {
    if (typeof value === 'bigint' && value >= smallest && value <= largest) return value;
    const expected = `a whole number from ${smallest} to ${largest}`;
    const message = typeof value === 'number' ? `${expected}, ${withoutPoint(value)}` : expected;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** What a fraction may have been meant as: `written without a point: 211 or 211000`. */
function withoutPoint(value: number): string {
  const [whole = '', decimals = ''] = `${value}`.split('.');
  if (!/^[0-9]{1,12}$/.test(whole) || !/^[0-9]{0,3}$/.test(decimals)) return 'written with digits only';
  const grouped = `${whole}${decimals.padEnd(3, '0')}`;
  return `written without a point: ${[...(decimals === '' ? [whole] : []), grouped].join(' or ')}`;
}

const port = integer(1n, 65_535n).transform(Number);

const sats = integer(1n, MAX_SATS);

/** Unknown keys are mistakes; explain.ts explains them. */
const table = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: 'a table' });

const path = text('a path').optional();

const secret = text('text').optional();

const time = read('a time of day, like "12:00"', (value) =>
  /^([01]\d|2[0-3]):[0-5]\d$/.test(value) ? value : undefined,
);

/** Parsed in build.ts, once the currencies are known. */
const amount = text('an amount with its currency, like "20000 GTQ"');

/** The digits of a minor unit; at most five, as in Lamassu's columns. */
const digits = integer(0n, 4n).transform(Number);

const currencies = z
  .record(z.string().regex(/^[A-Z]{3}$/), digits, {
    error: 'codes in upper case and the digits of each, like XCG = 2',
  })
  .default({});

/** A certificate, or its authority, is not a host key: the server would never show it. */
const HOST_KEY =
  /^(SHA256:[A-Za-z0-9+/]{43}=?|([^\s@]\S* )?(ssh|ecdsa|sk)-(?!\S*-cert-v)\S+ AAAA[A-Za-z0-9+/]+=*( .*)?)$/;
const hostKey = text('text').regex(HOST_KEY, {
  error: 'a fingerprint "SHA256:…", or a whole line "ssh-ed25519 AAAA…"',
});

const ssh = table({
  host: text('the name or address of the SSH server'),
  port: port.default(22),
  user: text('the user on the SSH server').default('aio-dca'),
  private_key: secret,
  private_key_file: path,
  passphrase: secret,
  passphrase_file: path,
  host_key: z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z
      .array(hostKey, {
        error: 'a host key or a list of them, as `ssh-keyscan HOST | ssh-keygen -lf -` prints',
      })
      .min(1, { error: 'at least one host key' }),
  ),
});

const lamassu = table({
  name: text('a name').default('lamassu'),
  host: text('a name or an address').default('127.0.0.1'),
  port: port.default(5432),
  database: text('the name of the database').default('lamassu'),
  user: text('the name of the role').default('aio_dca'),
  password: secret,
  password_file: path,
  tls: choice(['disable', 'require', 'verify-full']).default('disable'),
  ca_file: path,
  start_at: z.preprocess(
    (value) => (value instanceof TomlDate ? value.toISOString() : value),
    read('a time with its zone, like "2026-11-01T00:00:00-06:00"', parseZonedTime),
  ),
  overlap: duration('7 days'),
  ssh: ssh.optional(),
});

export const DEFAULT_LEDGER = 'sqlite:ledger.sqlite';
const LEDGER = '"sqlite:PATH" or "postgresql://user@host/database"';
const ledgerUrl = z.string({ error: LEDGER }).transform((url, context): LedgerUrl => {
  const place = readLedgerUrl(url);
  if (place !== undefined && typeof place !== 'string') return place;
  context.addIssue({ code: 'custom', message: place === undefined ? LEDGER : `${LEDGER}; ${place}` });
  return z.NEVER;
});

const TIMEZONE = 'a time zone, like "America/Guatemala"';

const lnbits = table({
  url: read('an address like "https://lnbits.example.org", without a user or a query', readHttpUrl),
  ca_file: path,
  insecure_http: z.boolean({ error: 'true or false' }).default(false),
  source_wallet_key: secret,
  source_wallet_key_file: path,
  credit_source: z.boolean({ error: 'true or false' }).default(false),
  superuser: text('the name of the superuser').optional(),
  superuser_password: secret,
  superuser_password_file: path,
});

const payouts = table({
  batch: choice(['poll', 'cash-out']).default('poll'),
  minimum_sats: sats.default(1n),
  maximum_sats: sats.default(10_000_000n),
  quiet: duration('60 s'),
  daily_ceiling_sats: sats.optional(),
});

function listen(example: string) {
  const expected = `an address and a port, like "${example}"`;
  return text(expected).regex(/^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$/, { error: expected });
}

function site(address: string, url: string) {
  return table({
    listen: listen(address).prefault(address),
    public_url: read(`an address without a path, like "${url}"`, readOrigin).optional(),
  });
}

const methods = ['ticker', 'margin', 'markup'] as const;

export const fileSchema = table({
  timezone: read(TIMEZONE, readTimezone, timezoneFor),
  lamassu,
  ledger: table({
    url: ledgerUrl.prefault(DEFAULT_LEDGER),
    password: secret,
    password_file: path,
    tls: choice(['disable', 'require', 'verify-full']).optional(),
    ca_file: path,
  }).prefault({}),
  lnbits,
  commission: table({
    method: choice(methods).default('ticker'),
    fallback: choice(methods).default('margin'),
  }).prefault({}),
  currencies,
  payouts: payouts.prefault({}),
  allocation: table({ priority: choice(['shared', 'flow-first', 'fixed-first']).default('shared') }).prefault(
    {},
  ),
  fixed: table({
    times: z
      .array(time, { error: 'a list of times of day, like ["12:00"]' })
      .min(1, { error: 'at least one time of day' })
      .default(['12:00']),
  }).prefault({}),
  review: table({
    cash_out_above: z.array(amount, { error: 'a list of amounts, like ["20000 GTQ"]' }).default([]),
  }).prefault({}),
  attention: table({ stale_after: duration('2 hours'), payout_after: duration('24 hours') }).prefault({}),
  schedule: table({
    poll: read('five fields of cron, like "*/5 * * * *"', (value) =>
      isCron(value) && value.trim().split(/\s+/).length === 5 ? value : undefined,
    ).prefault('*/5 * * * *'),
  }).prefault({}),
  log: table({
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  }).prefault({}),
  metrics: table({ listen: listen('127.0.0.1:9464').optional() }).prefault({}),
  web: table({
    client: site('127.0.0.1:8091', 'https://dca.example.org').optional(),
    admin: site('127.0.0.1:8092', 'http://localhost:8092').optional(),
    trusted_proxies: z
      .array(
        z.string().refine(isNetwork, { error: 'addresses and networks, like "127.0.0.1" or "10.0.0.0/8"' }),
        { error: 'a list of addresses and networks, like ["127.0.0.1"]' },
      )
      .default([]),
    insecure_http: z.boolean({ error: 'true or false' }).default(false),
  }).prefault({}),
});

export type ConfigFile = z.output<typeof fileSchema>;

function readHttpUrl(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const plain = !parsed.username && !parsed.password && !parsed.search && !parsed.hash;
  if (!/^https?:$/.test(parsed.protocol) || !plain) return undefined;
  return parsed.href.replace(/\/+$/, '');
}

/** For a place alone, the zones that are named after it. */
function timezoneFor(text: string): string {
  const place = text.trim().replaceAll(' ', '_').toLowerCase();
  const zones = Intl.supportedValuesOf('timeZone').filter((zone) => zone.toLowerCase().endsWith(`/${place}`));
  return zones.length === 0
    ? TIMEZONE
    : `a time zone, perhaps ${zones.map((zone) => `"${zone}"`).join(' or ')}`;
}

/** Intl also accepts offsets like `+06:00`, but those have no daylight saving time. */
function readTimezone(name: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name) ? name : undefined;
  } catch {
    return undefined;
  }
}
