import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ledgerSql } from '../support/ledger-sql.ts';
import { keepSecret } from '../support/secrets.ts';
import { inTerminal, keys } from '../support/terminal.ts';
import { commandViews } from '../support/views.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
});
afterAll(() => world.stop());

/** A file with `text`, as the operator would write it. */
async function file(name: string, text: string): Promise<string> {
  const path = join(world.folder, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

let count = 0;

async function walletFile(): Promise<{ path: string; id: string; adminkey: string; inkey: string }> {
  const name = `wallet${++count}`;
  const keys = await world.lnbits.createUserWallet(name);
  return { ...keys, path: await file(`${name}.key`, `${keys.inkey}\n`) };
}

/** The clients' names, read from the database: a process for each check would be slow. */
async function names(): Promise<unknown[]> {
  const rows = await ledgerSql(world.ledgerUrl, 'select name from recipients order by name');
  return rows.map((row) => row.name);
}

describe('clients add', () => {
  test('tests the key, learns the wallet from it, and says what to do next', async () => {
    const wallet = await walletFile();
    const ran = await world.must(['clients', 'add', 'alice', '--wallet-key-file', wallet.path]);
    expect(ran.stdout).toContain(`Added client alice, in flow mode, paid into wallet ${wallet.id}.`);
    expect(ran.stdout).toContain('aio-dca fundings add alice');
    const shown = await world.must(['clients', 'show', 'alice', '--json']);
    expect(shown.json()).toMatchObject({
      name: 'alice',
      mode: 'flow',
      status: 'active',
      daily_limits: {},
      wallet_id: wallet.id,
      balances: [],
      metrics: {},
    });
  });

  test.each([
    ['see', ['receive-payments'], /does not see|but does not see them/],
    ['receive', ['view-payments'], /does not have permission to create invoices/],
  ] as const)('a key that may not %s payments is refused until it has that right', async (what, may, why) => {
    const wallet = await walletFile();
    const shared = await world.lnbits.share(wallet, [...may]);
    const path = await file(`no-${what}.key`, `${shared.inkey}\n`);
    const add = ['clients', 'add', `may-not-${what}`, '--wallet-key-file', path];
    const ran = await world.aioDca(add);
    expect([ran.code, ran.stderr]).toEqual([
      78,
      expect.stringMatching(/^lnbits\/rights: --wallet-key-file: /),
    ]);
    expect(ran.stderr.replace(/\s+/g, ' ')).toMatch(why);
    expect(await names()).not.toContain(`may-not-${what}`);
    await shared.allow(['view-payments', 'receive-payments']);
    expect((await world.must(add)).stdout).toContain(wallet.id);
  });

  test('the only thing it leaves at LNbits is an invoice of 1 sat that expires', async () => {
    const wallet = await walletFile();
    world.simulator().clearLog();
    await world.must(['clients', 'add', 'invoiced', '--wallet-key-file', wallet.path]);
    expect(world.simulator().requests.map((request) => request.kind)).toEqual([
      'wallet',
      'invoice',
      'find',
      // The key of the source wallet, which does not show the invoice.
      'wallet',
      'find',
    ]);
    expect(world.simulator().payments(wallet.id)).toMatchObject([
      { amount: 1_000, status: 'pending', tag: 'aio-dca-check', memo: expect.stringContaining('aio-dca') },
    ]);
  });

  test('a fixed client may have a limit in each of several currencies', async () => {
    const { path } = await walletFile();
    const limits = ['--daily-limit', '500 GTQ', '--daily-limit', '50.5 usd', '--max-daily-limit', '800 GTQ'];
    const args = ['clients', 'add', 'bob', '--wallet-key-file', path, '--mode', 'fixed', ...limits, '--json'];
    expect((await world.must(args)).json()).toMatchObject({
      mode: 'fixed',
      daily_limits: { GTQ: '500.00', USD: '50.50' },
      max_daily_limits: { GTQ: '800.00' },
    });
  });

  const bad: [string, (path: string) => string[], string][] = [
    ['a name with a space', (path) => ['no name', '--wallet-key-file', path], 'NAME'],
    ['a name that is taken', (path) => ['taken', '--wallet-key-file', path], 'NAME'],
    ['no key', () => ['carol'], '--wallet-key-file'],
    [
      'a file that is not there',
      (path) => ['carol', '--wallet-key-file', `${path}.not`],
      '--wallet-key-file',
    ],
    ['an unknown mode', (path) => ['carol', '--wallet-key-file', path, '--mode', 'slow'], '--mode'],
    ['fixed without a limit', (path) => ['carol', '--wallet-key-file', path, '--mode', 'fixed'], '--mode'],
    [
      'a limit without a currency',
      (path) => ['carol', '--wallet-key-file', path, '--daily-limit', '500'],
      '--daily-limit',
    ],
    [
      'a limit twice',
      (path) => ['carol', '--wallet-key-file', path, '--daily-limit', '5 GTQ', '--daily-limit', '6 GTQ'],
      '--daily-limit',
    ],
    [
      'a limit above its maximum',
      (path) => ['carol', '--wallet-key-file', path, '--daily-limit', '9 GTQ', '--max-daily-limit', '8 GTQ'],
      '--daily-limit',
    ],
    [
      'a maximum without a limit',
      (path) => ['carol', '--wallet-key-file', path, '--max-daily-limit', '8 GTQ'],
      '--max-daily-limit',
    ],
  ];

  describe('refuses', () => {
    let path: string;
    beforeAll(async () => {
      path = (await walletFile()).path;
      const other = await walletFile();
      await world.must(['clients', 'add', 'taken', '--wallet-key-file', other.path]);
    });

    test('an invalid name, before anything is left in the wallet', async () => {
      const wallet = await walletFile();
      const key = ['--wallet-key-file', wallet.path];
      expect((await world.aioDca(['clients', 'add', 'taken', ...key])).code).toBe(64);
      expect((await world.aioDca(['clients', 'set', 'nobody', ...key])).code).toBe(64);
      expect((await world.aioDca(['commission', 'add', 'taken', '--weight', '1', ...key])).code).toBe(64);
      expect(world.simulator().payments(wallet.id)).toEqual([]);
    });

    test.each(bad)('%s, naming the field, and writes nothing', async (_what, args, field) => {
      const before = await names();
      const ran = await world.aioDca(['clients', 'add', ...args(path), '--json']);
      expect(ran.code).toBe(64);
      expect(ran.json()).toMatchObject({
        error: { code: 'usage/invalid', message: expect.stringContaining(field), hint: expect.any(String) },
      });
      expect(await names()).toEqual(before);
    });

    test('every key that is not the invoice key of a wallet of its own, and shows none', async () => {
      const wallet = await walletFile();
      const taken = await walletFile();
      await world.must(['clients', 'add', 'owner', '--wallet-key-file', taken.path]);
      const keys: [string, string, string][] = [
        ['admin', wallet.adminkey, 'an admin key'],
        ['unknown', 'deadbeefdeadbeef', 'does not know the key'],
        ['source', world.source.inkey, 'this is the source wallet'],
        ['used', taken.inkey, 'belongs to client owner'],
        ['empty', '\n', 'does not hold a single key'],
        ['two', `${wallet.inkey} ${wallet.adminkey}`, 'does not hold a single key'],
      ];
      const tries = keys.map(async ([name, text, why]) => {
        const path = await file(`${name}.key`, text);
        const ran = await world.aioDca(['clients', 'add', 'carol', '--wallet-key-file', path]);
        expect(ran.code, name).toBe(64);
        expect(ran.stderr, name).toContain('--wallet-key-file: ');
        expect(ran.stderr, name).toContain(why);
        if (text.trim() !== '') expect(ran.stderr, name).not.toContain(text);
      });
      await Promise.all(tries);
      expect(await names()).not.toContain('carol');
    });
  });

  test('when LNbits does not answer, it is tried again later: exit 75', async () => {
    const { path } = await walletFile();
    const hang = { when: { kind: 'invoice' }, fault: { at: 'before', do: 'reset' } } as const;
    world.simulator().rules = [hang];
    const ran = await world.aioDca(['clients', 'add', 'late', '--wallet-key-file', path, '--json']);
    world.simulator().rules = [];
    expect(ran.code).toBe(75);
    expect(ran.json()).toMatchObject({ error: { code: 'lnbits/unreachable' } });
    expect(await names()).not.toContain('late');
  });
});

describe('a client', () => {
  let name: string;
  let wallet: { id: string };
  beforeEach(async () => {
    name = `client${++count}`;
    const made = await walletFile();
    wallet = made;
    await world.must(['clients', 'add', name, '--wallet-key-file', made.path]);
  });

  test('is paused and resumed', async () => {
    const paused = await world.must(['clients', 'pause', name, '--json']);
    expect(paused.json()).toMatchObject({ name, status: 'paused' });
    const resumed = await world.must(['clients', 'resume', name, '--json']);
    expect(resumed.json()).toMatchObject({ name, status: 'active' });
  });

  test('changes mode and limit; settings that are not given stay', async () => {
    await world.must(['clients', 'set', name, '--mode', 'fixed', '--daily-limit', '500 GTQ']);
    const ran = await world.must(['clients', 'set', name, '--max-daily-limit', '600 GTQ', '--json']);
    expect(ran.json()).toMatchObject({
      mode: 'fixed',
      daily_limits: { GTQ: '500.00' },
      max_daily_limits: { GTQ: '600.00' },
    });
    const above = await world.aioDca(['clients', 'set', name, '--daily-limit', '600.01 GTQ']);
    expect(above.code).toBe(64);
    expect(above.stderr).toContain('600.01 GTQ is more than the maximum of 600.00 GTQ');
    const nothing = await world.aioDca(['clients', 'set', name]);
    expect(nothing.code).toBe(64);
  });

  test('moves to another wallet only with --new-wallet', async () => {
    const other = await walletFile();
    const set = ['clients', 'set', name, '--wallet-key-file', other.path];
    const refused = await world.aioDca(set);
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain('--new-wallet');
    expect((await world.must([...set, '--new-wallet', '--json'])).json()).toMatchObject({
      wallet_id: other.id,
    });
  });

  test('whose key was reset gets the new one of the same wallet', async () => {
    const { inkey } = await world.lnbits.resetKeys(wallet.id);
    const path = await file('reset.key', inkey);
    const ran = await world.must(['clients', 'set', name, '--wallet-key-file', path, '--json']);
    expect(ran.json()).toMatchObject({ wallet_id: wallet.id });
    const sql = 'select invoice_key from wallets where id = $1';
    expect(await ledgerSql(world.ledgerUrl, sql, [wallet.id])).toEqual([{ invoice_key: inkey }]);
  });

  test('is closed by the very commands that a refusal prints', async () => {
    await world.must(['fundings', 'add', name, '100 GTQ', '--any-machine', '--deposited']);
    await world.must(['fundings', 'add', name, '50 GTQ', '--any-machine']);
    const refused = await world.aioDca(['clients', 'close', name]);
    expect(refused.code).toBe(64);
    const commands = [...refused.stderr.matchAll(/^ +aio-dca (.*)$/gm)].map(([, line = '']) => line);
    expect(commands).toHaveLength(3);
    // The operator at a terminal is asked.
    for (const command of commands)
      await world.must([...command.split(' ').map((word) => word.replace(/"/g, '')), '--yes']);
    const shown = await world.must(['clients', 'show', name, '--json']);
    expect(shown.json()).toMatchObject({ status: 'closed' });
  });
});

test('a paid client has metrics, on the page and in JSON', async () => {
  await world.addClient('stacker');
  // In one month: a statement is of one.
  const now = new Date().toISOString();
  await world.addFunding('stacker', '4000 GTQ', { at: now });
  await world.insertCashOut({ confirmed_at: now });
  await world.must(['poll']);
  const shown = await world.must(['clients', 'show', 'stacker', '--json']);
  expect(shown.json()).toMatchObject({
    balances: [{ currency: 'GTQ', in_flight: '0.00', remaining: '0.00', spent: '4000.00' }],
    metrics: {
      // 4000 GTQ for 484,207 sat; facts of a real row.
      GTQ: {
        sats_stacked: 484_207,
        fiat_spent: '4000.00',
        average_rate: '826092.97',
        sats_per_unit: '121.05',
        purchases: 1,
        waiting_sats: 0,
        waiting_fiat: '0.00',
      },
    },
  });
  const page = (await world.must(['clients', 'show', 'stacker'])).stdout;
  expect(page).toContain('484,207 sat');
  expect(page).toContain('826,092.97 GTQ per BTC');
  const list = (await world.must(['clients', 'list'])).stdout;
  expect(list).toContain('484,207 sat');
  for (const line of `${page}\n${list}`.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);

  const { first_at: at } = shown.json<{ metrics: { GTQ: { first_at: string } } }>().metrics.GTQ;
  const month = new Intl.DateTimeFormat('sv', {
    timeZone: 'America/Guatemala',
    year: 'numeric',
    month: '2-digit',
  });
  const statement = ['clients', 'statement', 'stacker', '--month', month.format(new Date(at))];
  const asJson = (await world.must([...statement, '--json'])).json();
  expect(asJson).toMatchObject({
    document: null,
    currencies: [{ cash: { added: '4000.00', closing: '0.00' }, sats: { bought: 484_207, closing: 0 } }],
  });
  const text = (await world.must(statement)).stdout;
  expect(text).toContain('Average price of one BTC: 826,092.97 GTQ');
  for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  const html = (await world.must([...statement, '--format', 'html', '--lang', 'es'])).stdout;
  expect(html).toMatch(/^<!doctype html>[\s\S]*Estado de cuenta de stacker[\s\S]*<\/html>\n$/);
  expect((await world.aioDca([...statement.slice(0, 4), '2999-01'])).code).toBe(64);
});

test('is closed only once the sats that are owed are paid', async () => {
  const poor = await startWorld({ tunnel: 'direct', sats: 1n });
  try {
    await poor.must(['migrate']);
    await poor.addClient('leaver');
    await poor.addFunding('leaver', '4000 GTQ');
    await poor.insertCashOut();
    expect((await poor.aioDca(['poll'])).code).toBe(75);
    // Spent is what came out of machines, as in `clients show`: also what is not paid yet.
    const row = (await poor.must(['clients', 'list'])).stdout
      .split('\n')
      .find((line) => line.includes('leaver'));
    expect(row?.replace(/ /g, '')).toContain('0.00GTQ│4,000.00GTQ│0sat│484,207sat');
    const closing = await poor.aioDca(['clients', 'close', 'leaver']);
    expect(closing.code).toBe(64);
    expect(closing.stderr).toContain('owed 484,207 sat that are not settled yet');
    expect(closing.stderr).toMatch(/ aio-dca poll\n +aio-dca clients close leaver/);
    await poor.lnbits.topUp(poor.source.id, 1_000_000n);
    await poor.must(['poll']);
    const closed = await poor.must(['clients', 'close', 'leaver', '--json']);
    expect(closed.json()).toMatchObject({ status: 'closed', metrics: { GTQ: { sats_stacked: 484_207 } } });
  } finally {
    await poor.stop();
  }
});

test('an unknown client is named', async () => {
  for (const verb of ['show', 'close']) {
    const ran = await world.aioDca(['clients', verb, 'nobody']);
    expect(ran.code, verb).toBe(64);
    expect(ran.stderr, verb).toContain('"nobody"');
  }
});

test('the help of each command has an example', async () => {
  const commands = Object.keys(commandViews).filter((name) => name.startsWith('clients '));
  expect(commands.length).toBeGreaterThan(6);
  const helps = await Promise.all(commands.map((name) => world.must([...name.split(' '), '--help'])));
  for (const [index, name] of commands.entries()) {
    expect(helps[index]?.stdout, name).toContain(`  aio-dca ${name}`);
  }
});

test('a limit can be removed while no cash depends on it, a maximum at any time; the log keeps the reason', async () => {
  const { path } = await walletFile();
  await world.must(['clients', 'add', 'felix', '--wallet-key-file', path, '--daily-limit', '500 GTQ']);
  const set = (...args: string[]) => world.aioDca(['clients', 'set', 'felix', ...args, '--json']);
  const low = await set('--max-daily-limit', '300 GTQ');
  expect(low.json()).toMatchObject({ error: { message: expect.stringMatching(/^--max-daily-limit: 300/) } });
  await set('--max-daily-limit', '900 GTQ', '--daily-limit', '5 USD');
  const without = await set('--max-daily-limit', 'none GTQ', '--daily-limit', 'none USD', '--reason', 'typo');
  expect(without.json()).toMatchObject({ daily_limits: { GTQ: '500.00' }, max_daily_limits: {} });
  expect((await world.must(['log', '--json'])).json()).toContainEqual(
    expect.objectContaining({ action: 'client set', reason: 'typo' }),
  );
  await world.must(['fundings', 'add', 'felix', '100 GTQ']);
  const kept = await set('--daily-limit', 'none GTQ');
  expect(kept).toMatchObject({ code: 64 });
  expect(kept.json()).toMatchObject({ error: { message: expect.stringContaining('had cash in GTQ') } });
  await world.must(['clients', 'pause', 'felix', '--reason', 'on holiday']);
  expect((await world.must(['log', '--json'])).json()).toContainEqual(
    expect.objectContaining({ action: 'client pause', reason: 'on holiday' }),
  );
});

test('the key is asked for on a terminal, and never shown; without one, - is the input', async () => {
  const { inkey } = await walletFile();
  keepSecret("gina's invoice key", inkey);
  const terminal = inTerminal(['--config', world.configFile, 'clients', 'add', 'gina'], { columns: 80 });
  await terminal.shows("Invoice key of gina's wallet");
  terminal.type(`${inkey}${keys.enter}`);
  const { code, screen } = await terminal.ended;
  expect(code, screen).toBe(0);
  const missing = await world.aioDca(['clients', 'add', 'hugo']);
  expect(missing).toMatchObject({ code: 64, stderr: expect.stringContaining('--wallet-key-file - < FILE') });
  const moved = inTerminal([
    '--config',
    world.configFile,
    'clients',
    'set',
    'gina',
    '--wallet-key-file',
    '-',
  ]);
  await moved.shows("Invoice key of gina's wallet");
  moved.type(keys.interrupt);
  expect(await moved.ended).toMatchObject({ code: 64, screen: expect.stringContaining('usage/declined') });
});
