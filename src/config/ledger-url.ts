import type { Tls } from '../lib/tls.ts';

/** The place of the ledger: a file, or a PostgreSQL server; password and TLS settings are separate from the URL. */
export type LedgerUrl =
  | { sqlite: string }
  | {
      /** Only with the parameters that `src/ledger/store/postgresql.ts` reads. */
      postgresql: string;
      password: string | undefined;
      tls: Tls | undefined;
      /** As written; relative to the configuration. */
      caFile: string | undefined;
    };

/** The ledger's `tls`, as stated; an authority of its own implies that the certificate is verified. */
export function ledgerTls(stated: Tls | undefined, caFile: string | undefined): Tls | undefined {
  return stated ?? (caFile === undefined ? undefined : 'verify-full');
}

/** The supported parameters of the URL, as in libpq. */
const KNOWN = ['host', 'port', 'user', 'password', 'options', 'application_name', 'sslmode', 'sslrootcert'];

/** The values of `sslmode` (libpq's, and node-postgres' own) with their `tls`. The others guarantee no protection. */
const modes: Record<string, Tls> = {
  disable: 'disable',
  require: 'require',
  'no-verify': 'require',
  'verify-full': 'verify-full',
};

/** `sqlite:PATH` or `postgresql://…`; undefined for anything else. A text: what is wrong with a parameter. */
export function readLedgerUrl(url: string): LedgerUrl | string | undefined {
  const file = /^sqlite:(.+)$/s.exec(url)?.[1];
  if (file) return { sqlite: file };
  const parsed = parse(url);
  if (!parsed) return undefined;
  const { searchParams } = parsed;
  const host = `${decoded(parsed.hostname)}${searchParams.get('host') ?? ''}`;
  if (host.includes(','))
    return 'several servers: a ledger is on one, behind a name or a pooler that finds it';
  if (host.includes('\0')) return 'a host with a character that no host has';
  const port = searchParams.get('port');
  if (port !== null && !(/^[1-9][0-9]{0,4}$/.test(port) && Number(port) <= 65_535))
    return 'port: a whole number from 1 to 65535';
  const password = decoded(parsed.password) || searchParams.get('password') || undefined;
  const mode = searchParams.get('sslmode') ?? modeOfSsl(searchParams.get('ssl'));
  const caFile = searchParams.get('sslrootcert');
  // uselibpqcompat makes node-postgres read `sslmode` as libpq does, which this function always does.
  searchParams.delete('uselibpqcompat');
  searchParams.delete('ssl');
  for (const name of searchParams.keys()) if (!KNOWN.includes(name)) return unknown(name);
  const tls = mode === null ? undefined : modes[mode];
  if (mode !== null && tls === undefined) {
    return `sslmode=${mode} does not say whether to encrypt, or whom to trust: leave it out and set tls = "verify-full" (or "require", or "disable")`;
  }
  if (caFile !== null && (tls === 'require' || tls === 'disable'))
    return `sslrootcert has no effect with sslmode=${mode}: set sslmode=verify-full`;
  parsed.password = '';
  for (const name of ['password', 'sslmode', 'sslrootcert']) searchParams.delete(name);
  // libpq's `system` means the authorities that the system trusts: the default here.
  return {
    postgresql: parsed.href,
    password,
    tls,
    caFile: caFile === null || caFile === 'system' ? undefined : caFile,
  };
}

/** A URL with `host=` may have no host before the slash, which `URL` refuses after a user. */
function parse(url: string): URL | undefined {
  if (!/^postgres(ql)?:\/\/./.test(url)) return undefined;
  if (URL.canParse(url)) return new URL(url);
  const named = url.replace(/^(\w+:\/\/[^/?#]*@)(?=[/?]|$)/, '$1localhost');
  if (!URL.canParse(named)) return undefined;
  const parsed = new URL(named);
  const host = parsed.searchParams.get('host');
  if (!host) return undefined;
  parsed.hostname = encodeURIComponent(host);
  parsed.searchParams.delete('host');
  return parsed;
}

/** node-postgres' own parameter; it verifies the certificate by default. */
function modeOfSsl(value: string | null): string | null {
  if (value === null) return null;
  if (value === 'true' || value === '1') return 'verify-full';
  if (value === 'false' || value === '0') return 'disable';
  return value;
}

function unknown(name: string): string {
  switch (name) {
    case 'sslcert':
    case 'sslkey':
    case 'sslpassword':
      return `${name}: a client certificate is not supported; let the user log in by a password`;
    case 'channel_binding':
      return 'channel_binding: leave it out; tls = "verify-full" proves which server it is';
    default:
      return `${name}: unknown parameter; known are ${KNOWN.join(', ')}`;
  }
}

/** A password with a bare `%` is not percent-encoded, so it is taken literally. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
