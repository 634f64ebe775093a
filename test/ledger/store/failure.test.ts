import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { BridgeError, type ErrorCode } from '../../../src/errors.ts';
import { explained } from '../../../src/ledger/store/failure.ts';
import { freshLedger } from '../../support/ledgers.ts';
import { raising, sqlStates } from '../../support/postgres.ts';

/** What each class of SQLSTATE means, and the states that differ from their class. `null`: a defect of this program. */
const classes: Record<string, ErrorCode | null> = {
  '03': null,
  '08': 'ledger/unreachable',
  '09': 'ledger/unusable',
  '0A': 'ledger/unusable',
  '0B': null,
  '0F': null,
  '0L': 'ledger/rights',
  '0P': 'ledger/rights',
  '0Z': null,
  '10': null,
  '20': null,
  '21': null,
  '22': null,
  '23': null,
  '24': null,
  '25': null,
  '26': 'ledger/unusable',
  '27': 'ledger/unusable',
  '28': 'ledger/rights',
  '2B': 'ledger/rights',
  '2D': null,
  '2F': null,
  '34': null,
  '38': 'ledger/unusable',
  '39': 'ledger/unusable',
  '3B': null,
  '3D': 'ledger/rights',
  '3F': 'ledger/rights',
  '40': 'ledger/busy',
  '42': null,
  '44': 'ledger/unusable',
  '53': 'ledger/unreachable',
  '54': 'ledger/unusable',
  '55': 'ledger/unreachable',
  '57': 'ledger/unreachable',
  '58': 'ledger/unreachable',
  '72': 'ledger/busy',
  F0: 'ledger/unusable',
  HV: 'ledger/unreachable',
  P0: 'ledger/unusable',
  XX: 'ledger/unreachable',
};
const states: Record<string, ErrorCode | null> = {
  '25006': 'ledger/read-only',
  '25P03': 'ledger/busy',
  '25P04': 'ledger/busy',
  '40002': null,
  '42501': 'ledger/rights',
  '42703': 'ledger/unusable',
  '42883': 'ledger/unusable',
  '42P01': 'ledger/unusable',
  '55006': 'ledger/busy',
  '55P03': 'ledger/busy',
  '57014': 'ledger/busy',
  '57P04': 'ledger/rights',
  XX001: 'ledger/unusable',
  XX002: 'ledger/unusable',
};

test('every SQLSTATE of PostgreSQL has its kind, with what the server said', async () => {
  const { db } = await freshLedger('postgresql');
  const all = await sqlStates();
  expect(all.length).toBeGreaterThan(200);
  for (const state of all) {
    const expected = state in states ? states[state] : classes[state.slice(0, 2)];
    expect(expected, `the class of ${state} is not in the table`).not.toBeUndefined();
    const error = await sql
      .raw(raising(state, 'what the server said'))
      .execute(db)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    if (expected === null) expect(error, state).not.toBeInstanceOf(BridgeError);
    else
      expect(error, state).toMatchObject({
        code: expected,
        message: expect.stringMatching(new RegExp(`what the server said \\(SQLSTATE ${state}\\)`)),
        hint: expect.stringMatching(/\w/),
      });
  }
});

const URL = 'postgresql://aio_dca@db.example.org/aio_dca';

test.each([
  ['08P01', 'unsupported startup parameter: statement_timeout', 'ledger/unusable'],
  ['08P01', 'unsupported startup parameter in options: search_path', 'ledger/unusable'],
  ['08P01', 'transaction blocks not allowed in statement pooling mode', 'ledger/unusable'],
  ['08P01', 'no such database: ledger', 'ledger/rights'],
  ['08P01', 'password authentication failed', 'ledger/rights'],
  ['08P01', 'SSL required', 'ledger/tls'],
  ['08P01', 'query_wait_timeout', 'ledger/unreachable'],
  ['28000', 'no pg_hba.conf entry for host "10.0.0.2", user "u", database "d", no encryption', 'ledger/tls'],
  [
    '28000',
    'no pg_hba.conf entry for host "10.0.0.2", user "u", database "d", SSL encryption',
    'ledger/rights',
  ],
  ['ECONNREFUSED', '', 'ledger/unreachable'],
  ['EMFILE', 'too many open files', 'ledger/unreachable'],
  ['ENOENT', 'connect ENOENT /run/postgresql/.s.PGSQL.5432', 'ledger/unreachable'],
  ['EINVAL', 'connect EINVAL /a/path/that/is/too/long', 'ledger/unusable'],
  [undefined, 'There was an error establishing an SSL connection', 'ledger/unreachable'],
  ['EACCES', 'connect EACCES /run/postgresql/.s.PGSQL.5432', 'ledger/rights'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'ledger/tls'],
  ['CERT_HAS_EXPIRED', 'certificate has expired', 'ledger/tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'error', 'ledger/tls'],
  [undefined, 'The server does not support SSL connections', 'ledger/tls'],
  [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'ledger/rights'],
  [undefined, 'Connection terminated unexpectedly', 'ledger/unreachable'],
  [undefined, 'Received unexpected rowDescription message from backend.', 'ledger/unreachable'],
  [undefined, 'Query read timeout', 'ledger/unreachable'],
])('a server: %s %s is %s', (code, message, expected) => {
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  const said = expected === 'ledger/tls' && code !== undefined && code.length > 5 ? code : message;
  expect(explained(URL, error)).toMatchObject({ code: expected, message: expect.stringContaining(said) });
});

describe('a file', () => {
  test.each([
    [1, 'no such table: ledger', 'ledger/unusable'],
    [5, 'database is locked', 'ledger/busy'],
    [6, 'database table is locked', 'ledger/busy'],
    [7, 'out of memory', 'ledger/unreachable'],
    [8, 'attempt to write a readonly database', 'ledger/unusable'],
    [1032, 'attempt to write a readonly database', 'ledger/unusable'],
    [10, 'disk I/O error', 'ledger/unreachable'],
    [4874, 'disk I/O error', 'ledger/unreachable'],
    [11, 'database disk image is malformed', 'ledger/unusable'],
    [13, 'database or disk is full', 'ledger/unreachable'],
    [14, 'unable to open database file', 'ledger/unusable'],
    [15, 'locking protocol', 'ledger/busy'],
    [26, 'file is not a database', 'ledger/unusable'],
    [517, 'database is locked', 'ledger/busy'],
  ])('SQLite %i, %s, is %s', (errcode, message, expected) => {
    const error = Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });
    const shown = explained('sqlite:/nowhere/ledger.sqlite', error);
    expect(shown).toMatchObject({ code: expected, message: expect.stringContaining(message) });
  });

  test.each([
    [1, 'near "selec": syntax error'],
    [19, 'CHECK constraint failed: remaining >= 0'],
    [20, 'datatype mismatch'],
  ])('SQLite %i, %s, is a defect of this program', (errcode, message) => {
    const error = Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });
    expect(explained('sqlite:/nowhere/ledger.sqlite', error)).toBe(error);
  });

  test.each([
    ['EROFS', 'ledger/unusable'],
    ['EACCES', 'ledger/unusable'],
    ['ENOSPC', 'ledger/unreachable'],
    ['EDQUOT', 'ledger/unreachable'],
    ['EMFILE', 'ledger/unreachable'],
    ['EIO', 'ledger/unreachable'],
  ])('the system’s %s is %s', (code, expected) => {
    const error = Object.assign(new Error(`${code}: open`), { code });
    expect(explained('sqlite:/nowhere/ledger.sqlite', error)).toMatchObject({ code: expected });
  });
});
