import { BridgeError, type ErrorCode } from '../errors.ts';
import { call, type Message, message } from '../lib/message.ts';
import { tlsReason } from '../lib/tls.ts';
import { CHECK_NAME, isUnresolved } from '../lib/unresolved.ts';
import { networkReason } from './tcp.ts';
import type { Hop } from './tunnel.ts';

/*
 * Errors of Lamassu's PostgreSQL and of the way to it, in the operator's words. Their kind is `unavailable` if waiting
 * helps, and `misconfigured` if it does not.
 */

/** PostgreSQL as an error names it. */
interface DatabasePlace {
  host: string;
  port: number;
  database: string;
  user: string;
  ssh?: { host: string } | undefined;
}

type Code = Extract<ErrorCode, `lamassu/${string}`>;

/** Why there is no session. */
export function loginError(error: unknown, server: DatabasePlace): BridgeError {
  if (error instanceof BridgeError) return error;
  const message = networkReason(error);
  const state = sqlState(error);
  if (message.startsWith('SASL')) return of('lamassu/credentials', server, message, error);
  const code = state === undefined ? undefined : codeOf(state, message);
  if (code !== undefined) return of(code, server, message, error);
  const tls = state === undefined ? tlsReason(error) : undefined;
  if (tls !== undefined) return of('lamassu/tls', server, tls, error);
  return lamassuUnreachable(server, message, error);
}

/** Why a query was not answered. */
export function queryError(error: unknown, server: DatabasePlace, hop: Hop): BridgeError {
  const message = networkReason(error);
  const state = sqlState(error);
  const code = state === undefined ? undefined : codeOf(state, message);
  if (code !== undefined) return of(code, server, message, error);
  // Without an SQLSTATE, PostgreSQL did not answer. 57P: the server shuts down. 08 and 25P: the session ended.
  if (state === undefined || /^(57P|08|25P0[34])/.test(state)) {
    const why = hop.lost() ? `the SSH connection broke: ${networkReason(hop.lost())}` : message;
    return of('lamassu/lost', server, why, error);
  }
  return of('lamassu/query', server, `${message} (SQLSTATE ${state})`, error);
}

export function lamassuUnreachable(server: DatabasePlace, why: string, cause: unknown): BridgeError {
  return of('lamassu/unreachable', server, why, cause);
}

export function unsuitable(server: DatabasePlace, why: string, cause?: unknown): BridgeError {
  return of('lamassu/unsuitable', server, why, cause);
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html; undefined for errors that pass. */
function codeOf(state: string, message: string): Code | undefined {
  switch (state) {
    case '57014': // canceled, or took too long
    case '55P03': // lock
      return 'lamassu/timeout';
    case '42501':
      return 'lamassu/not-granted';
    case '3D000':
    case '57P04': // dropped
      return 'lamassu/no-database';
    case '28000': // pg_hba.conf has no line for this user, address and database, or only one with TLS
      return /no encryption|SSL off/i.test(message) ? 'lamassu/tls' : 'lamassu/credentials';
    case '08P01':
      return ofPooler(message);
    case '25006': // reading it requires a write
    case 'XX001': // data damaged
    case 'XX002': // index damaged
      return 'lamassu/unsuitable';
  }
  switch (state.slice(0, 2)) {
    case '0L':
    case '0P':
    case '28':
    case '2B':
      return 'lamassu/credentials';
    case '3F': // no such schema
    case '42': // no such table, column or function, or one of another kind
      return 'lamassu/column-missing';
    case '08': // connection
    case '25': // state of the transaction
    case '40': // rolled back because of others
    case '53': // resources
    case '55': // not in the state that is needed, such as starting up
    case '57': // shut down, starting, crashed
    case '58': // the server's own disk
    case '72': // snapshot too old
    case 'HV': // another server behind it
    case 'XX': // the server's own defect
      return undefined;
    default:
      return 'lamassu/unsuitable';
  }
}

/** PgBouncer has one code for almost every error, so only its words tell them apart. */
function ofPooler(message: string): Code | undefined {
  if (/startup parameter|statement pooling/i.test(message)) return 'lamassu/unsuitable';
  if (/no such database/i.test(message)) return 'lamassu/no-database';
  if (/no such user|auth|password|login failed/i.test(message)) return 'lamassu/credentials';
  return /\b(SSL|TLS)\b/.test(message) ? 'lamassu/tls' : undefined;
}

function of(code: Code, server: DatabasePlace, why: string, cause: unknown): BridgeError {
  const [what, hint] = words(code, server, why, sqlState(cause));
  return new BridgeError(code, `${what}: ${why}.`, isUnresolved(cause) ? CHECK_NAME : hint, { cause });
}

function words(
  code: Code,
  server: DatabasePlace,
  why: string,
  state: string | undefined,
): [what: string, hint: string | Message] {
  const at = place(server);
  switch (code) {
    case 'lamassu/credentials':
      return [
        `${at} refuses user ${server.user}`,
        'Compare user and password in the configuration with the role (`\\password` in psql sets a new one), and look for a line for it in pg_hba.conf.',
      ];
    case 'lamassu/no-database':
      return [
        `${at} has no database ${server.database}`,
        '`psql -l` on that server lists those it has; Lamassu calls its own `lamassu`.',
      ];
    case 'lamassu/not-granted':
      return [
        `${at} does not let user ${server.user} read`,
        message`Run the output of ${call('role_sql')} there as PostgreSQL’s superuser.`,
      ];
    case 'lamassu/column-missing':
      return [
        `${at} does not have what the bridge reads`,
        'Check that `database` names Lamassu’s own database, and that this bridge supports its version.',
      ];
    case 'lamassu/tls':
      return [
        `No trusted TLS connection to ${at}`,
        /no encryption|SSL off/i.test(why)
          ? 'The server requires TLS: set `tls = "verify-full"`, with `ca_file` for a certificate of its own.'
          : 'Look at `tls` and `ca_file` in the configuration; through SSH, `tls = "disable"` is enough.',
      ];
    case 'lamassu/unsuitable':
      return [
        `${at}, or a pooler in front of it, cannot do what the bridge needs`,
        // "Not supported", and state left over from another session, come from a pooler.
        state === undefined || /^(08|0A|26|34)/.test(state)
          ? 'Name PostgreSQL itself in `host` and `port`, or set the pooler to `session`: the bridge reads in a session that may change nothing.'
          : 'Waiting does not help: the table may be a view, or have a rule that fails, or the server is damaged or misconfigured. PostgreSQL’s log on that server says more.',
      ];
    case 'lamassu/timeout':
      return [
        `A query took too long on ${at}`,
        'Check that server for a lock or a heavy load; the next run tries again.',
      ];
    case 'lamassu/lost':
      return [
        `The connection to ${at} was cut`,
        'The next run reads on from the mark. If it happens again, check the network in between.',
      ];
    case 'lamassu/query':
      return [`${at} could not answer a query`, 'PostgreSQL’s log on that server says more.'];
    default:
      return [
        `${at} does not answer`,
        'Check that PostgreSQL is running and listening on that address and port.',
      ];
  }
}

function place({ host, port, ssh }: DatabasePlace): string {
  const through = ssh ? ` (through SSH server ${ssh.host})` : '';
  return `PostgreSQL ${host}:${port}${through}`;
}

/** PostgreSQL's five-character SQLSTATE; Node's own codes (`ECONNRESET`) are longer. */
function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && error.code !== 'EPIPE' ? error.code : undefined;
}
