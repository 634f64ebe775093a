import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import type { LamassuOptions } from '../../src/lamassu/connect.ts';
import { openDatabase } from '../../src/lamassu/database.ts';
import { keepConnection } from '../../src/lamassu/session-cache.ts';
import { systemClock } from '../../src/time.ts';
import { createLamassu, type Lamassu } from '../support/lamassu.ts';
import { freshDatabase } from '../support/postgres.ts';
import { type SshServer, startSshServer, until } from '../support/ssh.ts';

let lamassu: Lamassu;
let ssh: SshServer;
let options: LamassuOptions;
const releases: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  const database = await freshDatabase();
  lamassu = await createLamassu(database.url);
  const { hostname: host, port, username: user, password, pathname } = new URL(database.url);
  ssh = await startSshServer({ host, port: Number(port) });
  releases.push(
    () => database.drop(),
    () => lamassu.end(),
    () => ssh.close(),
  );
  options = {
    ...{ name: 'lamassu', host, port: Number(port), database: pathname.slice(1), user },
    ...{ password: new Secret(password), tls: 'disable', deadlines: { connect: 5_000, query: 5_000 } },
    ssh: {
      ...{ host: ssh.host, port: ssh.port, user: ssh.user },
      ...{ privateKey: new Secret(ssh.privateKey), hostKeys: [ssh.hostKey.fingerprint] },
    },
  };
});

afterAll(async () => {
  for (const release of releases.reverse()) await release();
});

/** The bridge's sessions, oldest first. */
async function sessions(): Promise<{ pid: number; state: string }[]> {
  const rows = await lamassu.query(
    `select pid, state from pg_stat_activity
     where datname = current_database() and application_name = 'aio-dca-bridge' order by backend_start`,
  );
  return rows as { pid: number; state: string }[];
}

function keeper() {
  const kept = keepConnection();
  onTestFinished(async () => {
    await kept.close();
    await until(async () => (await sessions()).length === 0, 'the sessions have ended');
  });
  return kept;
}

async function read(kept: ReturnType<typeof keepConnection>): Promise<void> {
  const source = await openDatabase(options, systemClock, kept.connect);
  await source.machines();
  await source.close();
}

test('one session serves run after run, without a transaction in between', async () => {
  const kept = keeper();
  await read(kept);
  const [first, ...others] = await sessions();
  expect(others).toEqual([]);
  expect(first?.state).toBe('idle');
  await read(kept);
  expect(await sessions()).toEqual([first]);
  await kept.close();
  await until(async () => (await sessions()).length === 0, 'the session has ended');
});

test('one that the server ended in between is replaced', async () => {
  const kept = keeper();
  await read(kept);
  const [first] = await sessions();
  await lamassu.query('select pg_terminate_backend($1)', [first?.pid]);
  await until(async () => (await sessions()).length === 0, 'the first session has ended');
  await read(kept);
  const [second, ...others] = await sessions();
  expect(others).toEqual([]);
  expect(second?.pid).not.toBe(first?.pid);
});

test('one whose tunnel broke in between is replaced', async () => {
  const kept = keeper();
  await read(kept);
  const [first] = await sessions();
  ssh.drop();
  await read(kept);
  await until(
    async () => (await sessions()).every(({ pid }) => pid !== first?.pid),
    'the first session has ended',
  );
  expect(await sessions()).toHaveLength(1);
});

test('one on which a query failed is ended, not kept', async () => {
  const kept = keeper();
  const connection = await kept.connect(options);
  await expect(connection.query('select 1 / 0')).rejects.toMatchObject({ code: 'lamassu/unsuitable' });
  await connection.close();
  await until(async () => (await sessions()).length === 0, 'the session has ended');
});

test('of two sessions in use at once, one is kept', async () => {
  const kept = keeper();
  const [one, other] = [await kept.connect(options), await kept.connect(options)];
  expect(await sessions()).toHaveLength(2);
  await Promise.all([one.close(), other.close()]);
  await until(async () => (await sessions()).length === 1, 'one session has ended');
});
