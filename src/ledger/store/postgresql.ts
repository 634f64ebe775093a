import { Socket } from 'node:net';
import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Secret } from '../../config/secret.ts';
import { expectPostgresql } from '../../lib/postgres-greeting.ts';
import { isThisHost, type Tls } from '../../lib/tls.ts';

const INT8 = 20;

/** The server's limit is shorter than ours, so the server can say why it stopped; in ms. */
const SERVER_FIRST_MS = 5_000;
/** pg's message if no answer comes within `query_timeout`. */
const NO_ANSWER = 'Query read timeout';

/** Time limits that the server enforces, in milliseconds, by the names of its settings. */
export type Limits = Record<
  'statement_timeout' | 'lock_timeout' | 'idle_in_transaction_session_timeout',
  number
>;

/** How the connection is protected; the default depends on whether the server is on this host. */
export interface Protection {
  tls?: Tls | undefined;
  /** PEM of the authority for `verify-full`; default: the authorities that Node trusts. */
  ca?: string | undefined;
}

/**
 * Kysely's dialect over pg for a ledger on a PostgreSQL server. 64-bit integers are read as bigint. Every wait is
 * limited on both sides: a stopped process must not hold the ledger's lock forever, and a server that vanished must not
 * block a run.
 */
export function postgresqlDialect(
  url: string,
  password: Secret | undefined,
  limits: Limits,
  protection: Protection = {},
): PostgresDialect {
  const server = serverOf(url);
  const pool = new pg.Pool({
    ...server,
    password: password?.reveal() ?? server.password,
    ssl: tlsOptions(server.host, protection),
    stream: () => expectPostgresql(new Socket()),
    max: 4,
    connectionTimeoutMillis: 10_000,
    query_timeout: limits.statement_timeout + SERVER_FIRST_MS,
    keepAlive: true,
    // After the login: poolers refuse a login that asks for any of these.
    verify: (client, done) => {
      const said = Object.entries(limits).map(([name, ms]) => `set_config('${name}', '${ms}', false)`);
      client.query(`select ${said.join(', ')}`).then(
        () => done(),
        (error: Error) => done(error),
      );
    },
    types: {
      getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
        oid === INT8
          ? BigInt
          : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
    },
  });
  // A dropped connection is reported by the statement that needed it; without listeners it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // Later answers belong to the abandoned statement, and a rollback would wait behind it.
    const ending = (error: unknown) => {
      if (error instanceof Error && error.message === NO_ANSWER) void client.end();
    };
    client.query = ((...args: unknown[]) => {
      const answer = query(...args);
      if (answer instanceof Promise) answer.catch(ending);
      return answer;
    }) as typeof client.query;
  });
  return new PostgresDialect({ pool });
}

/**
 * The parts of a URL that pg needs. Given the URL itself, pg would also read other settings from it and from the
 * environment, such as encryption.
 */
function serverOf(url: string) {
  const { username, password, hostname, port, pathname, searchParams } = new URL(url);
  const host = (decoded(hostname) ?? '').replace(/^\[(.*)\]$/, '$1') || 'localhost';
  const options = searchParams.get('options');
  return {
    host: searchParams.get('host') ?? host,
    port: Number(searchParams.get('port') ?? (port || 5432)),
    user: decoded(username) ?? searchParams.get('user') ?? undefined,
    password: decoded(password),
    database: decoded(pathname.slice(1)),
    application_name: searchParams.get('application_name') ?? 'aio-dca-bridge',
    ...(options === null ? {} : { options }),
  };
}

/** A password with a bare `%` is not percent-encoded, so it is taken literally. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part) || undefined;
  } catch {
    return part;
  }
}

/** A third party on the way could read the keys of wallets, and change where clients are paid. */
function tlsOptions(host: string, { tls, ca }: Protection) {
  const wanted = tls ?? (isThisHost(host) ? 'disable' : 'verify-full');
  if (wanted === 'disable') return false;
  return { rejectUnauthorized: wanted === 'verify-full', ...(ca === undefined ? {} : { ca }) };
}
