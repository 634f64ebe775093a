import { createServer, connect as dial, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { type Connection, connect, type LamassuOptions } from '../../src/lamassu/connect.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { systemClock } from '../../src/time.ts';
import { type Database, freshDatabase, raising, sqlStates } from '../support/postgres.ts';

let database: Database;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.drop());

function direct(change: Partial<LamassuOptions> = {}): LamassuOptions {
  const { hostname, port, pathname, username, password } = new URL(database.url);
  return {
    ...{ name: 'lamassu', host: hostname, port: Number(port), database: pathname.slice(1), user: username },
    ...{ password: new Secret(password), tls: 'disable', ...change },
  };
}

/** What differs from `lamassu/unsuitable`, by SQLSTATE or by its class. */
const kinds: Record<string, ErrorCode> = {
  '08': 'lamassu/lost',
  '0L': 'lamassu/credentials',
  '0P': 'lamassu/credentials',
  '25': 'lamassu/query',
  '25006': 'lamassu/unsuitable',
  '25P03': 'lamassu/lost',
  '25P04': 'lamassu/lost',
  '28': 'lamassu/credentials',
  '2B': 'lamassu/credentials',
  '3D000': 'lamassu/no-database',
  '3F': 'lamassu/column-missing',
  '40': 'lamassu/query',
  '42501': 'lamassu/not-granted',
  '42': 'lamassu/column-missing',
  '53': 'lamassu/query',
  '55': 'lamassu/query',
  '55P03': 'lamassu/timeout',
  '57014': 'lamassu/timeout',
  '57P01': 'lamassu/lost',
  '57P02': 'lamassu/lost',
  '57P03': 'lamassu/lost',
  '57P04': 'lamassu/no-database',
  '57P05': 'lamassu/lost',
  '57': 'lamassu/query',
  '58': 'lamassu/query',
  '72': 'lamassu/query',
  HV: 'lamassu/query',
  XX: 'lamassu/query',
  XX001: 'lamassu/unsuitable',
  XX002: 'lamassu/unsuitable',
};

test('every SQLSTATE of PostgreSQL has its kind, with what the server said', async () => {
  let connection: Connection | undefined;
  for (const state of await sqlStates()) {
    connection ??= await connect(direct());
    const code = kinds[state] ?? kinds[state.slice(0, 2)] ?? 'lamassu/unsuitable';
    await expect(connection.query(raising(state, 'what it said')), state).rejects.toMatchObject({
      code,
      message: expect.stringContaining('what it said'),
      // A pooler is to blame only where it may be one.
      hint:
        code !== 'lamassu/unsuitable'
          ? expect.anything()
          : /^(0A|26|34)/.test(state)
            ? expect.stringContaining('pooler')
            : expect.not.stringContaining('pooler'),
    });
    if (code === 'lamassu/timeout') connection = undefined;
  }
  await connection?.close();
});

/** Between the bridge and PostgreSQL; `change` sees what the bridge sends. */
async function between(change: (bytes: Buffer) => Buffer): Promise<number> {
  const { host, port } = direct();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const far = dial(port, host);
    for (const socket of [client, far]) sockets.add(socket.on('error', () => {}));
    client.on('data', (bytes: Buffer) => far.write(change(bytes)));
    far.pipe(client);
    client.on('close', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

test.each(['default_transaction_read_only', 'statement_timeout'])(
  'a pooler that does not keep %s is refused',
  async (name) => {
    const swallowed = new RegExp(`set ${name} = \\w+`);
    const port = await between((bytes) =>
      Buffer.from(
        bytes.toString('latin1').replace(swallowed, (said) => 'select 1'.padEnd(said.length)),
        'latin1',
      ),
    );
    await expect(connect(direct({ port }))).rejects.toMatchObject({
      code: 'lamassu/unsuitable',
      message: expect.stringContaining(`does not keep ${name}`),
      hint: expect.stringContaining('session'),
    });
  },
);

/** A server that refuses every login by one error, as poolers do. */
async function refusing(state: string, message: string): Promise<number> {
  const fields = `SFATAL\0VFATAL\0C${state}\0M${message}\0\0`;
  const answer = Buffer.alloc(5 + fields.length);
  answer.write('E');
  answer.writeUInt32BE(4 + fields.length, 1);
  answer.write(fields, 5, 'latin1');
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end(answer)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

test.each<[string, string, ErrorCode, ErrorCode]>([
  ['08P01', 'unsupported startup parameter: options', 'lamassu/unsuitable', 'ledger/unusable'],
  ['08P01', 'no such user: aio_dca', 'lamassu/credentials', 'ledger/rights'],
  ['08P01', 'no such database: lamassu', 'lamassu/no-database', 'ledger/rights'],
  ['08P01', 'query_wait_timeout', 'lamassu/unreachable', 'ledger/unreachable'],
  ['28000', 'no pg_hba.conf entry for host "10.0.0.2", user "u", no encryption', 'lamassu/tls', 'ledger/tls'],
  ['28P01', 'password authentication failed', 'lamassu/credentials', 'ledger/rights'],
  ['53300', 'sorry, too many clients already', 'lamassu/unreachable', 'ledger/unreachable'],
  ['57P03', 'the database system is starting up', 'lamassu/unreachable', 'ledger/unreachable'],
])('a login refused by %s, %s, is %s or %s', async (state, message, ofLamassu, ofLedger) => {
  const port = await refusing(state, message);
  const said = expect.stringContaining(message);
  await expect(connect(direct({ port }))).rejects.toMatchObject({ code: ofLamassu, message: said });
  const url = `postgresql://u@127.0.0.1:${port}/ledger`;
  await expect(openLedger({ clock: systemClock, url, use: 'read' })).rejects.toMatchObject({
    code: ofLedger,
    message: said,
  });
});
