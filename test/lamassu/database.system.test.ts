import { type AddressInfo, createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { LamassuOptions } from '../../src/lamassu/connect.ts';
import { type Database, openDatabase } from '../../src/lamassu/database.ts';
import { actionsOf, actionsWithNotes } from '../../src/lamassu/notes.ts';
import { roleSql } from '../../src/lamassu/role-sql.ts';
import type { LamassuRow } from '../../src/lamassu/row.ts';
import { readHostKeys } from '../../src/lamassu/tunnel.ts';
import { systemClock } from '../../src/time.ts';
import { freePort } from '../support/free-port.ts';
import {
  createLamassu,
  insertAction,
  insertCashOut,
  type Lamassu,
  MACHINE,
  pairMachine,
  unpairMachine,
} from '../support/lamassu.ts';
import { freshDatabase, type Database as Target } from '../support/postgres.ts';
import { type SshServer, startSshServer, until } from '../support/ssh.ts';
import { sshdAvailable, startSshd } from '../support/sshd.ts';

const EPOCH = '2020-01-01T00:00:00.000000Z';
const DEADLINES = { connect: 1_500, query: 1_500 };

let database: Target;
let lamassu: Lamassu;
let spoiled = true;
/** Stopped after each test, and after the file. */
const closers: (() => Promise<unknown>)[] = [];
const releases: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  if (!spoiled) {
    await lamassu.query('truncate cash_out_txs, cash_out_actions, devices, unpaired_devices');
    return;
  }
  const fresh = await freshDatabase();
  const tables = await createLamassu(fresh.url);
  releases.push(
    () => fresh.drop(),
    () => tables.end(),
  );
  database = fresh;
  lamassu = tables;
  spoiled = false;
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(async () => {
  for (const release of releases.reverse()) await release();
});

/** Makes changes that the next test must not see, so that one gets a database of its own. */
async function spoil(sql: string): Promise<void> {
  spoiled = true;
  await lamassu.query(sql);
}

/** The database itself, as its superuser. */
/** By this host's clock. */
function openNow(options: LamassuOptions): Promise<Database> {
  return openDatabase(options, systemClock);
}

function direct(change: Partial<LamassuOptions> = {}): LamassuOptions {
  const url = new URL(database.url);
  return {
    name: 'lamassu',
    host: url.hostname,
    port: Number(url.port),
    database: url.pathname.slice(1),
    user: url.username,
    password: new Secret(url.password),
    tls: 'disable',
    ...change,
  };
}

function through(ssh: SshServer, change: Partial<LamassuOptions> = {}): LamassuOptions {
  const { host, port, user, privateKey, hostKey } = ssh;
  const options = { host, port, user, privateKey: new Secret(privateKey), hostKeys: [hostKey.fingerprint] };
  return direct({ ssh: options, ...change });
}

async function sshServer(): Promise<SshServer> {
  const { host, port } = direct();
  const ssh = await startSshServer({ host, port });
  closers.push(() => ssh.close());
  return ssh;
}

async function open(options: LamassuOptions): Promise<Database> {
  const source = await openNow(options);
  closers.push(() => source.close());
  return source;
}

async function all(pages: AsyncIterable<LamassuRow[]>): Promise<LamassuRow[]> {
  const rows: LamassuRow[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

const ids = (rows: LamassuRow[]) => rows.map(({ id }) => id);

async function expectFailure(promise: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<Error> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: Error) => reason,
  );
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  return error;
}

/** Sessions of the bridge that PostgreSQL knows of. */
async function sessions(): Promise<number> {
  const [row] = await lamassu.query(
    `select count(*)::int as n from pg_stat_activity
     where datname = current_database() and application_name = 'aio-dca-bridge'`,
  );
  return Number(row?.n);
}

describe('reading', () => {
  test('a row is text only, exact, with its microseconds in UTC and no personal data', async () => {
    const id = await insertCashOut(lamassu, {
      created: '2026-11-20 04:00:00-06',
      confirmed_at: '2026-11-20 04:00:30.123456-06',
      error: 'x'.repeat(5000),
    });
    const source = await open(direct());
    expect(await all(source.confirmedSince(EPOCH))).toEqual([
      {
        id,
        device_id: MACHINE,
        crypto_atoms: '512400',
        received_crypto_atoms: '512400',
        crypto_code: 'LN',
        fiat: '4000.00000',
        fiat_code: 'GTQ',
        status: 'confirmed',
        dispense: 'true',
        dispense_confirmed: 'true',
        error: 'x'.repeat(1000),
        error_code: null,
        created: '2026-11-20T10:00:00.000000Z',
        confirmed_at: '2026-11-20T10:00:30.123456Z',
        redeem: 'false',
        commission_percentage: '0.05500',
        discount: '0',
        raw_ticker_price: '826091.28000',
        fixed_fee: null,
      },
    ]);
    expect(source.now).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(Math.abs(Date.parse(source.now) - Date.now())).toBeLessThan(5000);
    expect(source.systemIdentifier).toMatch(/^\d{15,}$/);
  });

  test('more rows than a page come in order, from the given microsecond on, ties by id', async () => {
    await lamassu.query(
      `insert into cash_out_txs (id, device_id, to_address, crypto_atoms, crypto_code, fiat, fiat_code, status, created, confirmed_at)
       select gen_random_uuid(), 'm', 'a', 100000, 'BTC', 100, 'USD', 'confirmed', timestamptz '2026-11-19 23:58:00Z',
         timestamptz '2026-11-20 00:00:00Z' + (g / 3) * interval '1 microsecond' from generate_series(0, 6300) g`,
    );
    const source = await open(direct());
    const sizes: number[] = [];
    const rows: LamassuRow[] = [];
    for await (const page of source.confirmedSince('2026-11-20T00:00:00.000001Z')) {
      sizes.push(page.length);
      rows.push(...page);
    }
    expect(sizes).toEqual([...Array(12).fill(500), 298]);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(6298);
    const keys = rows.map((row) => `${row.confirmed_at} ${row.id}`);
    expect(keys).toEqual([...keys].sort());
    expect(keys[0]).toMatch(/^2026-11-20T00:00:00.000001Z/);
  });

  test('a reader that pauses between pages is not cut off', async () => {
    await lamassu.query(
      `insert into cash_out_txs (id, device_id, to_address, crypto_atoms, crypto_code, fiat, fiat_code, status, confirmed_at)
       select gen_random_uuid(), 'm', 'a', 100000, 'BTC', 100, 'USD', 'confirmed', now() from generate_series(1, 1100)`,
    );
    const source = await open(direct({ deadlines: { connect: 5_000, query: 1_500 } }));
    let rows = 0;
    for await (const page of source.confirmedSince(EPOCH)) {
      rows += page.length;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(rows).toBe(1100);
  });

  test('times outside the calendar come as what PostgreSQL calls them', async () => {
    await insertCashOut(lamassu, { confirmed_at: 'infinity', created: '-infinity' });
    await insertCashOut(lamassu, {
      confirmed_at: '20000-01-01 00:00:00Z',
      created: '0044-03-15 12:00:00Z BC',
    });
    const source = await open(direct());
    const rows = await all(source.confirmedSince(EPOCH));
    expect(rows.map((row) => row.confirmed_at)).toEqual([
      expect.stringMatching(/^\+?(19999|20000)-/),
      'infinity',
    ]);
    expect(rows.map((row) => row.created)).toEqual([expect.stringContaining('BC'), '-infinity']);
  });

  test('everything is read as it was at opening', async () => {
    const source = await open(direct());
    const id = await insertCashOut(lamassu);
    expect(await all(source.confirmedSince(EPOCH))).toEqual([]);
    expect(await source.byIds([id])).toEqual([]);
  });

  test('by ids: the rows that exist, in order; any other text finds nothing', async () => {
    const late = await insertCashOut(lamassu, { confirmed_at: '2026-11-20T10:00:00.000002Z' });
    const early = await insertCashOut(lamassu, { confirmed_at: '2026-11-20T10:00:00.000001Z' });
    const unpaid = await insertCashOut(lamassu, { confirmed_at: null, status: 'published' });
    const source = await open(direct());
    const rows = await source.byIds([
      late,
      unpaid,
      early,
      '0b1c2d3e-0000-4000-8000-000000000001',
      "x'; drop",
    ]);
    expect(ids(rows)).toEqual([early, late, unpaid]);
    expect(await source.byIds([])).toEqual([]);
  });

  test('dispensed rows that were never confirmed come after the confirmed ones', async () => {
    const created = '2026-11-10T00:00:00.000000Z';
    const zeroConf = { status: 'authorized', dispense: true, dispense_confirmed: false, confirmed_at: null };
    const found = [
      await insertCashOut(lamassu, { ...zeroConf, created }),
      await insertCashOut(lamassu, {
        status: 'rejected',
        confirmed_at: null,
        created: '2026-11-11T00:00:00Z',
      }),
    ];
    await insertCashOut(lamassu, { ...zeroConf, dispense: false, created });
    await insertCashOut(lamassu, { ...zeroConf, created: '2026-11-12T00:00:00Z' });
    const confirmed_at = '2026-11-20T00:00:00.000000Z';
    const confirmed = await insertCashOut(lamassu, { created, confirmed_at });
    await insertCashOut(lamassu, { created, confirmed_at: '2026-11-19T23:59:59.999999Z' });
    const source = await open(direct());
    const between = { from: created, to: '2026-11-12T00:00:00.000000Z' };
    expect(ids(await all(source.confirmedSince(confirmed_at, between)))).toEqual([confirmed, ...found]);
    expect(ids(await all(source.confirmedSince(confirmed_at)))).toEqual([confirmed]);
  });

  test('machines, and the cash that really left', async () => {
    await pairMachine(lamassu, 'Lobby');
    const id = await insertCashOut(lamassu);
    await insertAction(lamassu, { tx_id: id, action: 'provisionCash', dispensed_1: 99 });
    await insertAction(lamassu, {
      ...{ tx_id: id, action: 'dispenseError', error: 'jam' },
      ...{ denomination_1: 200, dispensed_1: 3, denomination_2: 50, dispensed_2: 1 },
      ...{ denomination_recycler_6: 100, dispensed_recycler_6: 2 },
    });
    const untold = await insertCashOut(lamassu);
    const source = await open(direct());
    expect(await source.machines()).toEqual([{ deviceId: MACHINE, name: 'Lobby', paired: true }]);
    const rows = await source.withActions(await source.byIds([id, untold]));
    const told = new Map(rows.map((row) => [row.id, row]));
    expect(actionsOf(told.get(id) as LamassuRow)).toEqual([
      { action: 'dispenseError', device_id: MACHINE, created: expect.stringMatching(/^2/), cash: '850' },
    ]);
    expect(actionsWithNotes(told.get(id) as LamassuRow)).toEqual([
      `dispenseError at ${MACHINE.slice(0, 8)}: 850 GTQ (3 × 200, 1 × 50, 2 × 100)`,
    ]);
    expect(told.get(untold)).toMatchObject({ actions: null, notes: null });
    expect(await source.withActions([])).toEqual([]);
  });

  test('each dispense is listed separately, with its machine', async () => {
    const id = await insertCashOut(lamassu);
    const other = 'f'.repeat(64);
    await insertAction(lamassu, { tx_id: id, action: 'provisionNotes', device_id: '', dispensed_1: null });
    await insertAction(lamassu, { tx_id: id, dispensed_1: 0, created: '2026-11-20T10:00:00Z' });
    await insertAction(lamassu, { tx_id: id, device_id: other, denomination_1: null });
    await insertAction(lamassu, { tx_id: id, action: 'confirmed', device_id: other });
    const source = await open(direct());
    const [row] = await source.withActions(await source.byIds([id]));
    expect(actionsOf(row as LamassuRow)).toEqual([
      { action: 'provisionNotes', device_id: null, created: expect.any(String), cash: null },
      { action: 'dispense', device_id: MACHINE, created: '2026-11-20T10:00:00.000000Z', cash: '0' },
      { action: 'dispense', device_id: other, created: expect.any(String), cash: null },
    ]);
  });

  test('an unpaired machine keeps its last name', async () => {
    await pairMachine(lamassu, 'Lobby');
    await unpairMachine(lamassu);
    await pairMachine(lamassu, 'Hall');
    await unpairMachine(lamassu);
    await pairMachine(lamassu, 'Market', 'other');
    await unpairMachine(lamassu, 'other');
    await pairMachine(lamassu, 'Bazaar', 'other');
    const source = await open(direct());
    expect(await source.machines()).toEqual([
      { deviceId: 'other', name: 'Bazaar', paired: true },
      { deviceId: MACHINE, name: 'Hall', paired: false },
    ]);
  });
});

describe.each(['2018', '2023-05', 'next'] as const)('a server of version %s', (version) => {
  test('is read with the columns it has', async () => {
    const other = await freshDatabase();
    closers.push(() => other.drop());
    const db = await createLamassu(other.url, { version });
    closers.push(() => db.end());
    const id = await insertCashOut(db, version === 'next' ? { fixed_fee: '1.50000' } : {});
    const slot = version === '2018' ? '2' : version === '2023-05' ? '3r' : 'recycler_1';
    await insertAction(db, { tx_id: id, [`denomination_${slot}`]: 50, [`dispensed_${slot}`]: 1 });
    const source = await open(direct({ database: new URL(other.url).pathname.slice(1) }));
    const [row] = await all(source.confirmedSince(EPOCH));
    expect(row).toMatchObject({
      id,
      raw_ticker_price: version === '2018' ? null : '826091.28000',
      fixed_fee: version === 'next' ? '1.50000' : null,
    });
    const [told] = await source.withActions([row as LamassuRow]);
    expect(actionsOf(told as LamassuRow)).toMatchObject([{ cash: '4050' }]);
    expect(actionsWithNotes(told as LamassuRow)).toEqual([expect.stringContaining('(20 × 200, 1 × 50)')]);
  });
});

describe('rights', () => {
  const user = 'aio_dca "reader"';
  const password = 'only for reading';

  async function asReader(change: Partial<LamassuOptions> = {}): Promise<LamassuOptions> {
    const options = direct({ user, password: new Secret(password), ...change });
    const sql = roleSql({ user, database: options.database }).replace(/^\\.*$/m, '');
    await lamassu.query(sql);
    await lamassu.query(sql);
    await lamassu.query(`alter role ${pg.escapeIdentifier(user)} password '${password}'`);
    return options;
  }

  afterEach(async () => {
    await lamassu.query(`drop owned by ${pg.escapeIdentifier(user)}`).catch(() => undefined);
    await lamassu.query(`drop role if exists ${pg.escapeIdentifier(user)}`);
  });

  test('the role of role-sql can do everything that is needed, and nothing more', async () => {
    const options = await asReader();
    await pairMachine(lamassu, 'Lobby');
    const id = await insertCashOut(lamassu);
    await insertAction(lamassu, { tx_id: id });
    const source = await open(options);
    expect(ids(await all(source.confirmedSince(EPOCH)))).toEqual([id]);
    expect(await source.machines()).toHaveLength(1);
    expect((await source.withActions(await source.byIds([id])))[0]?.actions).toContain('"cash":"4000"');
    expect(source.systemIdentifier).not.toBeNull();
    const rights = await source.check();
    expect(rights).toMatchObject({ missing: [], notGranted: [], tooMuch: [] });
    expect(rights.columns).toContain('cash_out_txs.confirmed_at');

    const { host, port, database: name } = options;
    const reader = new pg.Client({ host, port, database: name, user, password });
    await reader.connect();
    closers.push(() => reader.end());
    await expect(reader.query('select phone from cash_out_txs')).rejects.toThrow(/permission denied/);
    await expect(reader.query('update cash_out_txs set fiat = 1')).rejects.toThrow(
      /read-only|permission denied/,
    );
    await expect(reader.query('select * from customers')).rejects.toThrow(/permission denied/);
  });

  test('more rights than needed are named', async () => {
    const options = await asReader();
    const role = pg.escapeIdentifier(user);
    await lamassu.query(`grant select (phone, email), update (fiat) on cash_out_txs to ${role}`);
    await lamassu.query(`grant select on customers to ${role}`);
    await lamassu.query(`alter role ${role} createdb`);
    const source = await open(options);
    expect((await source.check()).tooMuch).toEqual([
      'CREATEDB',
      'writes cash_out_txs',
      'reads cash_out_txs (phone, email)',
      'reads customers (id, phone, id_card_data)',
    ]);
    expect((await source.check()).harmful).toEqual(['CREATEDB', 'writes cash_out_txs']);
    const superuser = await open(direct());
    expect((await superuser.check()).harmful).toEqual(['superuser']);
  });

  test('a column that Lamassu added and the role may not read is an error, not an absent column', async () => {
    const options = await asReader();
    await spoil('alter table cash_out_txs add fixed_fee numeric(14,5) not null default 0');
    const source = await open(options);
    const error = await expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/not-granted', /fixed_fee/);
    expect(error).toHaveProperty('hint', expect.stringContaining('GRANT SELECT (fixed_fee) ON cash_out_txs'));
    await expectFailure(source.byIds([]), 'lamassu/not-granted', /fixed_fee/);
    expect((await source.check()).notGranted).toEqual(['cash_out_txs.fixed_fee']);
  });

  test('no rights on the machine that gave out the cash is an error: the wrong clients would be paid', async () => {
    const options = await asReader();
    const role = pg.escapeIdentifier(user);
    await lamassu.query(
      `revoke select on cash_out_actions from ${role}; grant select (tx_id, action) on cash_out_actions to ${role}`,
    );
    const source = await open(options);
    const error = await expectFailure(
      source.byIds([]),
      'lamassu/not-granted',
      /device_id of cash_out_actions/,
    );
    expect(error).toHaveProperty(
      'hint',
      expect.stringContaining('GRANT SELECT (device_id) ON cash_out_actions'),
    );
  });

  test.each([
    ['no table', 'alter table cash_out_actions rename to gone'],
    ['no device_id', 'alter table cash_out_actions drop column device_id'],
  ])('a server whose log does not name machines is read without them: %s', async (_what, change) => {
    const options = await asReader();
    const id = await insertCashOut(lamassu);
    await insertAction(lamassu, { tx_id: id });
    await spoil(change);
    const source = await open(options);
    expect((await source.withActions(await source.byIds([id])))[0]?.actions).toBeNull();
  });

  test('no rights on the notes or the machines: unknown, not wrong', async () => {
    const options = await asReader();
    await lamassu.query(
      `revoke select on cash_out_actions, devices from ${pg.escapeIdentifier(user)};
       grant select (tx_id, action, device_id, denomination_1, dispensed_1) on cash_out_actions
         to ${pg.escapeIdentifier(user)}`,
    );
    const id = await insertCashOut(lamassu);
    await insertAction(lamassu, { tx_id: id });
    const source = await open(options);
    expect(actionsOf((await source.withActions(await source.byIds([id])))[0] as LamassuRow)).toEqual([
      { action: 'dispense', device_id: MACHINE, created: null, cash: null },
    ]);
    const [hidden] = await source.withActions(await source.byIds([id]));
    expect(actionsWithNotes(hidden as LamassuRow)).toEqual([
      `dispense at ${MACHINE.slice(0, 8)}: nothing counted`,
    ]);
    expect(await source.machines()).toEqual([]);
  });

  test('role-sql does not touch a role that owns tables', async () => {
    const role = pg.escapeIdentifier(user);
    await spoil(`create role ${role}; alter table customers owner to ${role}`);
    const sql = roleSql({ user, database: direct().database }).replace(/^\\.*$/m, '');
    await expect(lamassu.query(sql)).rejects.toThrow(/choose another name/);
    await lamassu.query('rollback; alter table customers owner to current_user');
  });

  test('a database that is not Lamassu’s', async () => {
    await spoil('drop table cash_out_actions, cash_out_txs');
    const source = await open(direct());
    await expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/column-missing', /cash_out_txs/);
  });

  test('a required column that is gone', async () => {
    await spoil('alter table cash_out_txs drop dispense_confirmed');
    const source = await open(direct());
    await expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/column-missing', /dispense_confirmed/);
  });
});

describe('a direct connection that fails', () => {
  test('nothing listens', async () => {
    const port = await freePort();
    await expectFailure(openNow(direct({ port })), 'lamassu/unreachable', /ECONNREFUSED/);
  });

  test('something listens and says nothing', async () => {
    const mute = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    closers.push(() => new Promise((resolve) => mute.close(resolve)));
    const { port } = mute.address() as AddressInfo;
    await expectFailure(
      openNow(direct({ port, deadlines: DEADLINES })),
      'lamassu/unreachable',
      /no answer to the login/,
    );
  });

  test('wrong password, no password, no such user: never the password in the message', async () => {
    const wrong = await expectFailure(
      openNow(direct({ password: new Secret('hunter2') })),
      'lamassu/credentials',
      /refuses user postgres/,
    );
    expect(JSON.stringify([wrong.message, wrong.stack, wrong.cause])).not.toContain('hunter2');
    await expectFailure(openNow(direct({ password: undefined })), 'lamassu/credentials', /password/);
    await expectFailure(openNow(direct({ user: 'nobody_here' })), 'lamassu/credentials', /nobody_here/);
  });

  test('no such database', async () => {
    await expectFailure(openNow(direct({ database: 'lamassu_2' })), 'lamassu/no-database', /lamassu_2/);
  });

  test('TLS is asked for and the server has none', async () => {
    await expectFailure(openNow(direct({ tls: 'require' })), 'lamassu/tls', /SSL/);
  });

  test('a query that hangs on a lock', async () => {
    const source = await open(direct({ deadlines: DEADLINES }));
    await lamassu.query('begin; lock table cash_out_txs');
    await expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/timeout', /statement timeout/);
    await lamassu.query('rollback');
  });

  test('the session is ended by the server in the middle of the read', async () => {
    for (let i = 0; i < 3; i += 1) await insertCashOut(lamassu);
    const source = await open(direct());
    await lamassu.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'aio-dca-bridge'`,
    );
    await expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/lost', /was cut/);
  });

  test('close ends a query that is under way, and can be called again', async () => {
    const source = await open(direct());
    await lamassu.query('begin; lock table cash_out_txs');
    const read = expectFailure(all(source.confirmedSince(EPOCH)), 'lamassu/lost', /was cut/);
    await source.close();
    await read;
    await source.close();
    await lamassu.query('rollback');
    await until(async () => (await sessions()) === 0, 'PostgreSQL knows that the session is over');
  });
});

describe('through SSH', () => {
  let ssh: SshServer;
  beforeEach(async () => {
    ssh = await sshServer();
  });

  test('the same rows come, by a fingerprint, a whole line, or one of several', async () => {
    const id = await insertCashOut(lamassu);
    const options = through(ssh);
    for (const hostKeys of [
      [ssh.hostKey.fingerprint],
      [`${ssh.hostKey.line} root@atm`],
      [`SHA256:${'A'.repeat(43)}`, `atm.example.org ${ssh.hostKey.line}`],
    ]) {
      const source = await open({
        ...options,
        ...(options.ssh ? { ssh: { ...options.ssh, hostKeys } } : {}),
      });
      expect(ids(await all(source.confirmedSince(EPOCH)))).toEqual([id]);
      await source.close();
    }
  });

  test('the host key can be read without logging in', async () => {
    expect(await readHostKeys(ssh)).toEqual([ssh.hostKey]);
    expect(ssh.log).toEqual(['connection']);
  });

  test('another host key: no authentication is tried, both fingerprints are shown', async () => {
    const options = through(ssh);
    const expected = `SHA256:${'A'.repeat(43)}`;
    const wrong = options.ssh && { ...options.ssh, hostKeys: [expected] };
    const error = await expectFailure(
      openNow({ ...options, ssh: wrong }),
      'lamassu/ssh-host-key',
      /expected/,
    );
    expect(error.message).toContain(expected);
    expect(error.message).toContain(ssh.hostKey.fingerprint);
    expect(ssh.log).toEqual(['connection']);
  });

  test('no pinned key at all is refused the same way', async () => {
    const options = through(ssh);
    const unpinned = options.ssh && { ...options.ssh, hostKeys: [] };
    await expectFailure(openNow({ ...options, ssh: unpinned }), 'lamassu/ssh-host-key', /showed host key/);
    expect(ssh.log).toEqual(['connection']);
  });

  test('a key that is none, or needs a passphrase', async () => {
    const options = through(ssh);
    const broken = options.ssh && { ...options.ssh, privateKey: new Secret('-----BEGIN nonsense') };
    await expectFailure(openNow({ ...options, ssh: broken }), 'lamassu/ssh-key', /cannot be used/);
    expect(ssh.log).toEqual([]);
  });

  test.each<[SshServer['fault'], ErrorCode, RegExp]>([
    ['silent', 'lamassu/ssh-unreachable', /handshake in time/],
    ['hang-authentication', 'lamassu/ssh-unreachable', /handshake in time/],
    ['refuse-authentication', 'lamassu/ssh-authentication', /refuses user aio-dca/],
    ['hang-forward', 'lamassu/ssh-forward', /no answer in time/],
    ['refuse-forward', 'lamassu/ssh-forward', /opens no tunnel/],
    ['hang-data', 'lamassu/unreachable', /no answer to the login/],
  ])('%s is %s', async (fault, code, message) => {
    ssh.fault = fault;
    await expectFailure(openNow(through(ssh, { deadlines: DEADLINES })), code, message);
  });

  test('host spelt differently from permitopen: the hint says so', async () => {
    const error = await expectFailure(
      openNow(through(ssh, { host: 'localhost' })),
      'lamassu/ssh-forward',
      /localhost/,
    );
    expect(error).toHaveProperty('hint', expect.stringContaining('permitopen'));
  });

  test('nothing listens on the SSH port, or something else does', async () => {
    const options = through(ssh);
    const elsewhere = options.ssh && { ...options.ssh, port: await freePort() };
    await expectFailure(openNow({ ...options, ssh: elsewhere }), 'lamassu/ssh-unreachable', /ECONNREFUSED/);
    const postgres = options.ssh && { ...options.ssh, port: options.port };
    await expectFailure(
      openNow({ ...options, ssh: postgres, deadlines: DEADLINES }),
      'lamassu/ssh-unreachable',
      /does not answer as one/,
    );
  });

  test('wrong password behind the tunnel', async () => {
    const options = through(ssh, { password: new Secret('hunter2') });
    await expectFailure(openNow(options), 'lamassu/credentials', /through SSH server/);
  });

  test('cut in the middle of the read: an error, never an early end', async () => {
    await lamassu.query(
      `insert into cash_out_txs (id, device_id, to_address, crypto_atoms, crypto_code, fiat, fiat_code, status, confirmed_at)
       select gen_random_uuid(), 'm', 'a', 100000, 'BTC', 100, 'USD', 'confirmed', now() from generate_series(1, 12000)`,
    );
    ssh.cutAfter = 2_500_000;
    const source = await open(through(ssh));
    let rows = 0;
    const read = async () => {
      for await (const page of source.confirmedSince(EPOCH)) rows += page.length;
    };
    await expectFailure(read(), 'lamassu/lost', /was cut/);
    expect(rows).toBeGreaterThanOrEqual(5_000);
    expect(rows).toBeLessThan(12_000);
  });

  test('cut between two queries: the next one says it, the process lives', async () => {
    const source = await open(through(ssh));
    ssh.drop();
    await until(async () => (await sessions()) === 0, 'the session is gone');
    await expectFailure(source.machines(), 'lamassu/lost', /was cut/);
    await source.close();
  });

  test('after close nothing is left, on any path', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    const source = await open(through(ssh));
    await source.close();
    ssh.fault = 'hang-data';
    const hanging = openNow(through(ssh, { deadlines: DEADLINES }));
    await expectFailure(hanging, 'lamassu/unreachable', /no answer to the login/);
    await until(() => sockets() <= before, 'every socket is closed');
    await until(async () => (await sessions()) === 0, 'PostgreSQL knows that the sessions are over');
  });
});

describe.skipIf(!sshdAvailable())('through OpenSSH (needs Debian’s openssh-server)', () => {
  let close: () => Promise<void>;
  let options: (change?: Partial<LamassuOptions>) => LamassuOptions;

  beforeAll(async () => {
    const url = new URL(process.env.AIO_DCA_TEST_POSTGRES ?? '');
    const sshd = await startSshd({ host: url.hostname, port: Number(url.port) });
    close = sshd.close;
    const { host, port, user, privateKey, hostKeyLine } = sshd;
    options = (change = {}) =>
      direct({
        ssh: { host, port, user, privateKey: new Secret(privateKey), hostKeys: [hostKeyLine] },
        ...change,
      });
  });

  afterAll(() => close());

  test('the rows come by the authorized_keys line that operators get', async () => {
    const id = await insertCashOut(lamassu);
    const source = await open(options());
    expect(ids(await all(source.confirmedSince(EPOCH)))).toEqual([id]);
  });

  test('another target than permitopen’s is refused', async () => {
    const error = await expectFailure(
      openNow(options({ host: 'localhost' })),
      'lamassu/ssh-forbidden',
      /localhost.*administratively prohibited/,
    );
    expect(error).toHaveProperty('hint', expect.stringContaining('permitopen'));
  });

  test('another key is refused', async () => {
    const { ssh } = options();
    const other = await sshServer();
    const stranger = ssh && { ...ssh, privateKey: new Secret(other.privateKey) };
    await expectFailure(openNow(options({ ssh: stranger })), 'lamassu/ssh-authentication', /refuses user/);
  });
});
