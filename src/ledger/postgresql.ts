import { Socket } from 'node:net';
import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Secret } from '../config/secret.ts';
import { expectPostgresql } from '../greeting.ts';

const INT8 = 20;

/** The server gives up before this side does, and so can say why. */
const SERVER_FIRST_MS = 5_000;
/** What pg says of an answer that did not come within `query_timeout`. */
const NO_ANSWER = 'Query read timeout';

/**
 * Kysely's dialect over pg for a ledger on a PostgreSQL server. 64-bit integers are read as bigint.
 * Every wait has an end, on both sides: a stopped process must not hold the ledger's lock for ever, and a server that
 * went away without a word must not hold a run. `statementMs`: how long one statement may take.
 */
export function postgresqlDialect(
  url: string,
  password: Secret | undefined,
  statementMs: number,
): PostgresDialect {
  const connection = new URL(url);
  if (password) connection.password = encodeURIComponent(password.reveal());
  const pool = new pg.Pool({
    connectionString: connection.href,
    stream: () => expectPostgresql(new Socket()),
    max: 4,
    connectionTimeoutMillis: 10_000,
    statement_timeout: statementMs,
    query_timeout: statementMs + SERVER_FIRST_MS,
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
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    // What would arrive now belongs to a statement that nobody waits for, and a rollback would wait behind it.
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
