import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Secret } from '../config/secret.ts';
import { expectPostgresql } from '../lib/postgres-greeting.ts';
import type { Tls } from '../lib/tls.ts';
import { within } from './deadline.ts';
import { lamassuUnreachable, loginError, queryError, unsuitable } from './refusal.ts';
import { dial, networkReason } from './tcp.ts';
import { type Hop, openTunnel, type SshOptions } from './tunnel.ts';

export interface LamassuOptions {
  /** The source's name in the ledger. */
  name: string;
  /** As seen from the SSH server, if there is one. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: Secret | undefined;
  /** `require` encrypts and trusts any certificate, `verify-full` checks certificate and host name. */
  tls: Tls;
  /** PEM of the authority for `verify-full`; default: the authorities that Node trusts. */
  ca?: string | undefined;
  ssh?: SshOptions | undefined;
  /** Milliseconds: for each step of connecting (default 15,000), and for one query (default 60,000). */
  deadlines?: { connect: number; query: number } | undefined;
}

/** Every value is PostgreSQL's text. */
export type TextRow = Record<string, string | null>;

export interface Connection {
  /** Errors: lamassu/not-granted, column-missing, timeout, lost, query, unsuitable and others of `refusal.ts`. */
  query<Row extends TextRow = TextRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Also ends a query that is under way. Never throws. */
  close(): Promise<void>;
}

/**
 * A read-only session on Lamassu's PostgreSQL, directly or through SSH.
 *
 * Errors: those of `openTunnel`, and lamassu/unreachable, tls, credentials, no-database, not-granted,
 * unsuitable.
 */
export async function connect(options: LamassuOptions): Promise<Connection> {
  const { connect: step, query: perQuery } = options.deadlines ?? { connect: 15_000, query: 60_000 };
  const hop = options.ssh ? await openTunnel(options.ssh, options, step) : await openDirect(options, step);
  const client = new pg.Client({
    user: options.user,
    database: options.database,
    host: options.host,
    port: options.port,
    // With a function, pg does not search PGPASSWORD or ~/.pgpass for a missing password.
    password: () => options.password?.reveal() ?? '',
    ssl: tlsOptions(options),
    application_name: 'aio-dca-bridge',
    stream: () => connected(expectPostgresql(hop.stream)),
    types: { getTypeParser: () => (value: string) => value },
  });
  // Never removed: without a listener, a connection lost between two queries would end the process.
  client.on('error', () => undefined);
  try {
    await within(step, client.connect(), () => new Error('no answer to the login in time'));
    await within(
      step,
      protect(client, perQuery, options),
      () => new Error('no answer after the login in time'),
    );
  } catch (error) {
    hop.close();
    throw loginError(error, options);
  }

  let closing: Promise<void> | undefined;
  const close = async () => {
    await within(1_000, client.end(), () => new Error('no goodbye')).catch(() => undefined);
    hop.close();
  };
  return {
    query: async <Row extends TextRow>(sql: string, values: unknown[] = []) => {
      try {
        const late = () => Object.assign(new Error('no answer in time'), { code: '57014' });
        const result = await within(perQuery, client.query<Row>(sql, values), late);
        return result.rows;
      } catch (error) {
        const explained = queryError(error, options, hop);
        // Further answers would belong to the query that was given up.
        if (explained.code === 'lamassu/timeout') hop.close();
        throw explained;
      }
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/**
 * Makes the session read-only, with a time limit for statements. The server's limit is shorter than our deadline, so
 * the server can say why it stopped. Set after the login, because poolers refuse these settings at login. Then both are
 * read back: a pooler that shares the session between transactions loses them.
 */
async function protect(client: pg.Client, perQuery: number, options: LamassuOptions): Promise<void> {
  const wanted = { default_transaction_read_only: 'on', statement_timeout: `${Math.floor(perQuery * 0.8)}` };
  const names = Object.keys(wanted).map((name) => `'${name}'`);
  const said = Object.entries(wanted).map(([name, value]) => `set ${name} = ${value}`);
  await client.query(said.join('; '));
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in (${names.join(', ')})`,
  );
  const lost = Object.entries(wanted).filter(
    ([name, value]) => rows.find((row) => row.name === name)?.setting !== value,
  );
  if (lost.length > 0)
    throw unsuitable(options, `it does not keep ${lost.map(([name]) => name).join(' and ')}`);
}

async function openDirect(options: LamassuOptions, deadline: number): Promise<Hop> {
  try {
    const stream = await dial(options.host, options.port, deadline);
    return { stream, lost: () => undefined, close: () => stream.destroy() };
  } catch (error) {
    throw lamassuUnreachable(options, networkReason(error), error);
  }
}

function tlsOptions({ tls, ca }: LamassuOptions) {
  if (tls === 'disable') return false;
  return { rejectUnauthorized: tls === 'verify-full', ...(ca === undefined ? {} : { ca }) };
}

/** pg wants to connect the socket itself; this one is connected already, by TCP or by SSH. */
function connected(stream: Duplex): Duplex {
  return Object.assign(stream, {
    connect: () => process.nextTick(() => stream.emit('connect')),
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
  });
}
