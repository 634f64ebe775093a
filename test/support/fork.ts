import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ledgerSql } from './ledger-sql.ts';
import type { WalletKeys } from './lnbits.ts';
import { startLnbitsSimulator } from './lnbits-simulator.ts';
import { type World, worldOf } from './world.ts';

/**
 * A copy of a world that has not paid yet: a copy of its ledger, a simulator of its own with wallets of its own, the
 * same Lamassu. `ledgerPort`: where config.toml shall look for a PostgreSQL ledger instead. It costs what copying a file costs, so that a test can begin a hundred times from the same point.
 */
export async function fork(template: World, ledgerPort?: number): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'aio-dca-fork-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    for (const name of await readdir(template.folder))
      await copyFile(join(template.folder, name), join(folder, name));

    const { version } = template.lnbits;
    const lnbits = await startLnbitsSimulator({ version });
    stack.defer(() => lnbits.stop());
    const source = await lnbits.createUserWallet('source');
    const sats = await template.balance(template.source);
    if (sats > 0n) await lnbits.topUp(source.id, sats);
    await writeFile(join(folder, 'source.adminkey'), `${source.adminkey}\n`, { mode: 0o600 });

    const ledgerUrl = await copyLedger(template, folder, stack);
    const wallets = new Map<string, WalletKeys>();
    for (const [name, former] of template.wallets) {
      const keys = await lnbits.createUserWallet(name);
      wallets.set(name, keys);
      await ledgerSql(
        ledgerUrl,
        'insert into wallets (id, invoice_key, created_at) select $1, $2, created_at from wallets where id = $3',
        [keys.id, keys.inkey, former.id],
      );
      await ledgerSql(ledgerUrl, 'update recipients set wallet_id = $1 where wallet_id = $2', [
        keys.id,
        former.id,
      ]);
    }
    await ledgerSql(ledgerUrl, 'update ledger set source_wallet_id = $1 where source_wallet_id is not null', [
      source.id,
    ]);

    const configFile = join(folder, 'config.toml');
    const toml = (await readFile(configFile, 'utf8'))
      .replace(template.lnbits.url, lnbits.url)
      .replace(inConfig(template.ledgerUrl), inConfig(ledgerUrl, ledgerPort));
    await writeFile(configFile, toml, { mode: 0o600 });
    const { lamassu } = template;
    return worldOf({
      folder,
      configFile,
      lamassu,
      lnbits,
      source,
      wallets,
      ledgerUrl,
      stop: () => stack.disposeAsync(),
    });
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function copyLedger(template: World, folder: string, stack: AsyncDisposableStack): Promise<string> {
  if (template.ledgerUrl.startsWith('sqlite:')) return `sqlite:${join(folder, 'ledger.sqlite')}`;
  const url = new URL(template.ledgerUrl);
  const from = url.pathname.slice(1);
  const to = `t${randomBytes(6).toString('hex')}`;
  await onServer(template.ledgerUrl, `create database ${to} template ${from} strategy file_copy`);
  stack.defer(() => onServer(template.ledgerUrl, `drop database ${to} with (force)`));
  url.pathname = `/${to}`;
  return url.href;
}

/** In the database `postgres`: one that is copied may have no other sessions. */
async function onServer(ledgerUrl: string, sql: string): Promise<void> {
  const url = new URL(ledgerUrl);
  url.pathname = '/postgres';
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The part of a ledger's URL in config.toml that differs between copies; that of a SQLite file is relative. */
function inConfig(ledgerUrl: string, port?: number): string {
  if (ledgerUrl.startsWith('sqlite:')) return 'sqlite:ledger.sqlite';
  const url = new URL(ledgerUrl);
  return `${url.hostname}:${port ?? url.port}${url.pathname}`;
}
