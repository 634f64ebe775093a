import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Secret } from '../config/secret.ts';

const INT8 = 20;

/**
 * Kysely's dialect over pg for a ledger on a PostgreSQL server. 64-bit integers are read as bigint.
 * Every wait has an end: a stopped process must not hold the ledger's lock for ever.
 */
export function postgresqlDialect(url: string, password: Secret | undefined): PostgresDialect {
  const connection = new URL(url);
  if (password) connection.password = encodeURIComponent(password.reveal());
  const pool = new pg.Pool({
    connectionString: connection.href,
    max: 4,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 600_000,
    lock_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    application_name: 'aio-dca-bridge',
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
  });
  return new PostgresDialect({ pool });
}
