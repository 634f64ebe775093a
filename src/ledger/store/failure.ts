import { accessSync, closeSync, constants, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, type ErrorCode } from '../../errors.ts';
import { tlsReason } from '../../lib/tls.ts';
import { CHECK_NAME, isUnresolved } from '../../lib/unresolved.ts';
import { thisUser } from '../../lib/users.ts';

type KnownFailure = [code: Extract<ErrorCode, `ledger/${string}`>, hint: string];

/** The free space that SQLite needs for the writes of a run, in bytes. */
const FULL_BYTES = 1_048_576;

const LATER = 'Nothing is lost, and the next run goes on.';
const SERVER = 'Check that the PostgreSQL of [ledger] runs and can be reached.';
const RIGHTS = 'Check user, password, database and rights of [ledger].';
const TLS = 'Check `tls` and `ca_file` in [ledger].';
/** The folder to which the services of contrib/ may write. */
export const SERVICES_WRITE = '/var/lib/aio-dca';

const READ_ONLY = `It is read-only here. The services of contrib/ may write only to ${SERVICES_WRITE}; each of their units needs ReadWritePaths= for a ledger elsewhere. A disk with errors becomes read-only, too: look at \`dmesg\`.`;
const DAMAGED =
  'Stop the timer, keep a copy of what is there, and look at the disk. Then restore a backup: docs/operations.md.';

/**
 * Explains to the operator a failure of the ledger's database, its disk or the connection to it. Any other error
 * stays as it is: a failed constraint, or a statement that the database does not understand, is a defect.
 */
export function explained(url: string, error: unknown): unknown {
  if (error instanceof BridgeError || !(error instanceof Error)) return error;
  const { code = '', errcode, message } = error as Error & { code?: string; errcode?: number };
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;
  const known =
    typeof errcode === 'number'
      ? ofSqlite(errcode, message, path)
      : path !== undefined
        ? ofDisk(code, path)
        : (ofServer(code, message) ?? ofWire(code, error));
  if (known === undefined) return error;
  const full = known[0] === 'ledger/unreachable' && path !== undefined && isFull(path);
  const said = `${isState(code) ? message : (tlsReason(error) ?? (message || code))}${full && !/\bfull\b/.test(message) ? ': the disk is full' : ''}`;
  const state = isState(code) ? ` (SQLSTATE ${code})` : '';
  return new BridgeError(known[0], `the ledger at ${url}: ${said}${state}`, known[1], { cause: error });
}

/** https://www.sqlite.org/rescode.html: the low byte is the kind, all of it the case. */
function ofSqlite(errcode: number, message: string, path: string | undefined): KnownFailure | undefined {
  switch (errcode & 0xff) {
    case 5: // busy
    case 6: // locked
    case 15: // protocol: others locked first
    case 17: // schema
      return ['ledger/busy', 'Something else writes to it; the next run goes on.'];
    case 7: // no memory
      return ['ledger/unreachable', `This host is short of memory. ${LATER}`];
    case 10: // I/O
    case 13: // full
      return ['ledger/unreachable', `Check the disk and its free space. ${LATER}`];
    case 14: // cannot open: for the reason that the system gives, if it does
      return ofOpening(path);
    case 3: // no permission
    case 22: // large files
    case 23: // not authorized
      return ['ledger/unusable', 'Check the permissions of the file of [ledger] url and of its folder.'];
    case 8: // read-only
      return [
        'ledger/unusable',
        errcode === 1032
          ? 'The file was moved or replaced while it was in use. Try again; if a backup was restored, see docs/operations.md.'
          : `Check the permissions of the file of [ledger] url and of its folder, and the mount. ${READ_ONLY}`,
      ];
    case 11: // corrupt
      return ['ledger/unusable', DAMAGED];
    case 26: // no database
      return [
        'ledger/unusable',
        `Check that [ledger] url names a ledger. If it does, it is damaged. ${DAMAGED}`,
      ];
    case 1: // any error: of these, a missing table is a fault of the file
      return /^no such (table|column)/.test(message)
        ? ['ledger/unusable', 'Check that [ledger] url names a ledger, and that nobody changed its tables.']
        : undefined;
    default:
      return undefined;
  }
}

/** SQLite only says that it cannot open a file; the system says why. */
function ofOpening(path: string | undefined): KnownFailure {
  if (path === undefined) return ['ledger/unusable', 'Check [ledger] url.'];
  try {
    closeSync(openSync(path, 'r+'));
  } catch (error) {
    const known = ofDisk((error as NodeJS.ErrnoException).code ?? '', path);
    if (known) return known;
  }
  // The file itself can be opened: there is no room for the files beside it.
  if (isFull(path)) return ['ledger/unreachable', `Check the disk and its free space. ${LATER}`];
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    const known = ofDisk((error as NodeJS.ErrnoException).code ?? '', path);
    if (known) return known;
  }
  return [
    'ledger/unusable',
    'Check that [ledger] url names a ledger, and the permissions of it and of its folder.',
  ];
}

function ofDisk(code: string, path: string): KnownFailure | undefined {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return ['ledger/unusable', `Check that the folder ${dirname(path)} of [ledger] url exists.`];
    case 'EACCES':
    case 'EPERM':
      return [
        'ledger/unusable',
        `${thisUser()} may not write to the file of [ledger] url, or to its folder.`,
      ];
    case 'EROFS':
      return ['ledger/unusable', READ_ONLY];
    case 'ENOSPC':
    case 'EDQUOT':
      return ['ledger/unreachable', `The disk is full. Make room; ${LATER.toLowerCase()}`];
    case 'EIO':
      return ['ledger/unreachable', `The disk has errors: look at \`dmesg\`. ${LATER}`];
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOMEM':
      return ['ledger/unreachable', `This host has run out of resources to open a file. ${LATER}`];
    default:
      return undefined;
  }
}

/** Whether the disk of the ledger is almost full. */
function isFull(path: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dirname(path));
    return bavail * bsize < FULL_BYTES || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}

/**
 * PostgreSQL's five characters (https://www.postgresql.org/docs/current/errcodes-appendix.html); Node's codes are
 * longer.
 */
export function isState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code);
}

/**
 * What a server answered: its class is the first two characters. Classes that are missing here come from defects of
 *  this program.
 */
function ofServer(code: string, message: string): KnownFailure | undefined {
  if (!isState(code)) return undefined;
  switch (code) {
    case '08P01':
      return ofPooler(message);
    case '25006': // read-only transaction
      return [
        'ledger/read-only',
        'It is a standby (`select pg_is_in_recovery()`), or `default_transaction_read_only` is set, which some providers do when the disk is nearly full. The next run tries again, which is enough after a failover.',
      ];
    case '25P03': // idle in a transaction
    case '25P04': // transaction took too long
    case '55006': // object in use
    case '55P03': // lock
    case '57014': // canceled, or took too long
      return ['ledger/busy', 'Something else holds it, or the server is slow; the next run goes on.'];
    case '28000': // pg_hba.conf has no line for this user, address and database, or only one with TLS
      return /no encryption|SSL off/i.test(message)
        ? ['ledger/tls', `The server requires TLS: set \`tls = "verify-full"\`. ${TLS}`]
        : ['ledger/rights', RIGHTS];
    case '40002': // a constraint, at the end of a transaction
      return undefined;
    case '42501': // no right
      return ['ledger/rights', RIGHTS];
    case '42P01': // no such table
    case '42703': // no such column
    case '42883': // no such function
      return [
        'ledger/unusable',
        'Check that [ledger] names the right database and the user’s `search_path`; this ledger is incomplete. A restore that stopped half-way leaves one like this.',
      ];
    case '53100':
      return [
        'ledger/unreachable',
        `The disk of the server is full. Make room there; ${LATER.toLowerCase()}`,
      ];
    case '53200':
      return ['ledger/unreachable', `The server is short of memory. ${LATER}`];
    case '53300':
      return ['ledger/unreachable', `The server takes no more connections (\`max_connections\`). ${LATER}`];
    case '57P04':
      return ['ledger/rights', RIGHTS];
    case 'XX001':
    case 'XX002':
      return ['ledger/unusable', `The server says that its data or an index is damaged. ${DAMAGED}`];
  }
  switch (code.slice(0, 2)) {
    case '08': // connection
    case '53': // resources
    case '55': // not in the state that is needed, such as starting up
    case '57': // shut down, starting, crashed
      return ['ledger/unreachable', SERVER];
    case '58': // the server's own disk
    case 'HV': // another server behind it
    case 'XX': // the server's own defect
      return ['ledger/unreachable', 'The log of the server says more. The next run tries again.'];
    case '40': // rolled back because of others
    case '72': // snapshot too old
      return ['ledger/busy', 'Something else changed the same rows at the same time; the next run goes on.'];
    case '0L':
    case '0P':
    case '28':
    case '2B':
    case '3D':
    case '3F':
      return ['ledger/rights', RIGHTS];
    // From objects that the ledger does not have: its own triggers raise 23514.
    case '09': // a trigger
    case '27':
    case '38': // a function in another language
    case '39':
    case '44': // a view
    case 'P0': // PL/pgSQL
      return [
        'ledger/unusable',
        'A trigger, a view or an extension that somebody added to the database of the ledger refuses it: find it (`\\d` in psql), and remove it.',
      ];
    case '0A': // not supported
    case '26': // a prepared statement went to another session
    case '54': // a limit of the server
    case 'F0': // its configuration file
      return [
        'ledger/unusable',
        'The server, or a pooler in front of it, cannot do what a ledger needs: docs/operations.md.',
      ];
    default:
      return undefined;
  }
}

/** PgBouncer has one code for almost every error, so only its words tell them apart. */
function ofPooler(message: string): KnownFailure {
  if (/startup parameter/i.test(message)) {
    return [
      'ledger/unusable',
      'A pooler such as PgBouncer is in front of the server. Leave that parameter out of [ledger] url, or let the pooler pass it on (`ignore_startup_parameters`).',
    ];
  }
  if (/statement pooling/i.test(message))
    return ['ledger/unusable', 'A ledger needs transactions: set the pooler to `session` or `transaction`.'];
  if (/no such (user|database)|auth|password|login failed/i.test(message)) return ['ledger/rights', RIGHTS];
  if (/\b(SSL|TLS)\b/.test(message)) return ['ledger/tls', TLS];
  return ['ledger/unreachable', SERVER];
}

/** Errors of Node, or of pg itself, about the connection to a server. */
function ofWire(code: string, error: Error): KnownFailure | undefined {
  const { message } = error;
  if (tlsReason(error) !== undefined) {
    return /does not support SSL/.test(message)
      ? ['ledger/tls', 'Switch TLS on at the server. To reach the ledger unencrypted, set `tls = "disable"`.']
      : ['ledger/tls', TLS];
  }
  // pg's messages if the server asks for a password and there is none, or for another kind of log-in.
  if (/^SASL|password|^Unknown auth/i.test(message)) return ['ledger/rights', RIGHTS];
  if (isUnresolved(error)) return ['ledger/unreachable', `${CHECK_NAME} It is in [ledger] url.`];
  if (/^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_|ADDR|NOBUFS)|^ENOTFOUND|^ECANCELED/.test(code))
    return ['ledger/unreachable', SERVER];
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM')
    return ['ledger/unreachable', `This host has run out of resources to connect. ${LATER}`];
  // The system takes about a hundred characters for the path of a Unix socket.
  if (code === 'EINVAL' || code === 'ENAMETOOLONG')
    return ['ledger/unusable', 'Check the host of [ledger] url: the path of a socket may be too long.'];
  // The file of a Unix socket.
  if (code === 'ENOENT' || code === 'ENOTDIR') return ['ledger/unreachable', SERVER];
  if (code === 'EACCES' || code === 'EPERM')
    return ['ledger/rights', `${thisUser()} may not use the socket of [ledger] url.`];
  if (
    /timeout|Connection terminated|connection error|establishing an SSL|not queryable|discarded|Received unexpected/i.test(
      message,
    )
  )
    return ['ledger/unreachable', SERVER];
  return undefined;
}
