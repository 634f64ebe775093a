import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { expectPostgresql } from '../greeting.ts';
import { within } from './deadline.ts';
import { dial, networkReason } from './dial.ts';
import { type Hop, openTunnel, type SshOptions } from './tunnel.ts';

export interface LamassuOptions {
  /** The source's name in the ledger. */
  name: string;
  /** As seen from the SSH server, where there is one. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: Secret | undefined;
  /** `require` encrypts and trusts any certificate, `verify-full` checks certificate and host name. */
  tls: 'disable' | 'require' | 'verify-full';
  /** PEM of the authority for `verify-full`; without it, those that Node trusts. */
  ca?: string | undefined;
  ssh?: SshOptions | undefined;
  /** Milliseconds: for each step of connecting (default 15,000), and for one query (default 60,000). */
  deadlines?: { connect: number; query: number } | undefined;
}

/** Every value is PostgreSQL's text. */
export type TextRow = Record<string, string | null>;

export interface Connection {
  /** Errors: lamassu/not-granted, timeout, lost, query, unreachable. */
  query<Row extends TextRow = TextRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Ends a query that is under way, too. Never throws. */
  close(): Promise<void>;
}

/**
 * A read-only session on Lamassu's PostgreSQL, directly or through SSH.
 *
 * Errors: those of `openTunnel`, and lamassu/unreachable, tls, credentials, no-database, not-granted.
 */
export async function connect(options: LamassuOptions): Promise<Connection> {
  const { connect: step, query: perQuery } = options.deadlines ?? { connect: 15_000, query: 60_000 };
  const hop = options.ssh ? await openTunnel(options.ssh, options, step) : await openDirect(options, step);
  const client = new pg.Client({
    user: options.user,
    database: options.database,
    host: options.host,
    port: options.port,
    // A function, so that an absent password is not looked up in PGPASSWORD or ~/.pgpass.
    password: () => options.password?.reveal() ?? '',
    ssl: tlsOptions(options),
    application_name: 'aio-dca-bridge',
    // The server gives up before the deadline of our side does, and so can say why.
    options: `-c default_transaction_read_only=on -c statement_timeout=${Math.floor(perQuery * 0.8)}`,
    stream: () => connected(expectPostgresql(hop.stream)),
    types: { getTypeParser: () => (value: string) => value },
  });
  // Stays for good: without it, a connection lost between two queries ends the process.
  client.on('error', () => undefined);
  try {
    await within(step, client.connect(), () => new Error('no answer to the login in time'));
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
        // What would arrive now belongs to a query that nobody waits for.
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

async function openDirect(options: LamassuOptions, deadline: number): Promise<Hop> {
  try {
    const stream = await dial(options.host, options.port, deadline);
    return { stream, lost: () => undefined, close: () => stream.destroy() };
  } catch (error) {
    throw unreachable(options, networkReason(error), error);
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

function loginError(error: unknown, options: LamassuOptions): BridgeError {
  const message = networkReason(error);
  const at = place(options);
  const code = sqlState(error);
  // 28000 is also said where pg_hba.conf has no line for this user, address and database.
  if (code === '28P01' || code === '28000' || message.startsWith('SASL')) {
    return new BridgeError(
      'lamassu/credentials',
      `${at} refuses user ${options.user}: ${message}.`,
      'Compare user and password in the configuration with the role (`\\password` in psql sets a new one), and look for a line for it in pg_hba.conf.',
      { cause: error },
    );
  }
  if (code === '3D000') {
    return new BridgeError(
      'lamassu/no-database',
      `${at} has no database ${options.database}.`,
      '`psql -l` on that server lists those it has; Lamassu calls its own `lamassu`.',
      { cause: error },
    );
  }
  if (code === '42501') return notGranted(options, message, error);
  if (/certificate|self.signed|altnames|SSL|TLS/i.test(message)) {
    return new BridgeError(
      'lamassu/tls',
      `No trusted TLS connection to ${at}: ${message}.`,
      'Look at `tls` and `ca_file` in the configuration; through SSH, `tls = "disable"` is enough.',
      { cause: error },
    );
  }
  return unreachable(options, message, error);
}

function queryError(error: unknown, options: LamassuOptions, hop: Hop): BridgeError {
  const message = networkReason(error);
  const at = place(options);
  const code = sqlState(error);
  if (code === '57014') {
    return new BridgeError(
      'lamassu/timeout',
      `A query took too long on ${at}: ${message}.`,
      'Look there for a lock or a heavy load; the next run tries again.',
      { cause: error },
    );
  }
  if (code === '42501') return notGranted(options, message, error);
  // Without a state it is not PostgreSQL's answer; class 57P is a server that shuts down, 08 and 25P a session ended.
  if (code === undefined || /^(57P|08|25P0[34])/.test(code)) {
    const why = hop.lost() ? `the SSH connection broke: ${networkReason(hop.lost())}` : message;
    return new BridgeError(
      'lamassu/lost',
      `The connection to ${at} was cut: ${why}.`,
      'The next run reads on from the mark; when it lasts, look at the network between.',
      { cause: error },
    );
  }
  return new BridgeError(
    'lamassu/query',
    `${at} could not answer a query: ${message} (SQLSTATE ${code}).`,
    'PostgreSQL’s log on that server says more.',
    { cause: error },
  );
}

function unreachable(options: LamassuOptions, why: string, cause: unknown): BridgeError {
  return new BridgeError(
    'lamassu/unreachable',
    `${place(options)} does not answer: ${why}.`,
    'Look whether PostgreSQL is up and listens on that address and port.',
    { cause },
  );
}

function notGranted(options: LamassuOptions, why: string, cause: unknown): BridgeError {
  return new BridgeError(
    'lamassu/not-granted',
    `${place(options)} does not let user ${options.user} read: ${why}.`,
    'Run the output of `aio-dca role-sql` there as PostgreSQL’s superuser.',
    { cause },
  );
}

function place({ host, port, ssh }: LamassuOptions): string {
  const through = ssh ? ` (through SSH server ${ssh.host})` : '';
  return `PostgreSQL ${host}:${port}${through}`;
}

/** PostgreSQL's five-character SQLSTATE; Node's own codes (`ECONNRESET`) are longer. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}
