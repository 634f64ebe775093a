import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLnbitsSimulator } from './lnbits-simulator.ts';
import { runBesideSql } from './postgres.ts';
import { type World, worldOf } from './world.ts';

/**
 * A copy of a world between two commands: a copy of its ledger, a simulator of its own with the same wallets, the same
 * Lamassu. `ports`: where config.toml shall look for Lamassu and for a PostgreSQL ledger instead. It costs no more than
 * copying a file, so a test can begin a hundred times from the same point.
 */
export async function fork(
  template: World,
  ports: { lamassu?: number; ledger?: number } = {},
): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'aio-dca-fork-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    for (const name of await readdir(template.folder))
      await copyFile(join(template.folder, name), join(folder, name));

    const lnbits = await startLnbitsSimulator({ like: template.simulator() });
    stack.defer(() => lnbits.stop());
    const ledgerUrl = await copyLedger(template, folder, stack);

    const configFile = join(folder, 'config.toml');
    const toml = (await readFile(configFile, 'utf8'))
      .replace(template.lnbits.url, lnbits.url)
      .replace(inConfig(template.ledgerUrl), inConfig(ledgerUrl, ports.ledger))
      .replace(/(?<=\[lamassu\][^[]*\nport = )\d+/, (port) => `${ports.lamassu ?? port}`);
    await writeFile(configFile, toml, { mode: 0o600 });
    const { lamassu, source, wallets } = template;
    return worldOf({
      folder,
      configFile,
      lamassu,
      lnbits,
      source,
      wallets: new Map(wallets),
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
  await runBesideSql(template.ledgerUrl, `create database ${to} template ${from} strategy file_copy`);
  stack.defer(() => runBesideSql(template.ledgerUrl, `drop database ${to} with (force)`));
  url.pathname = `/${to}`;
  return url.href;
}

/** The part of a ledger's URL in config.toml that differs between copies; that of a SQLite file is relative. */
function inConfig(ledgerUrl: string, port?: number): string {
  if (ledgerUrl.startsWith('sqlite:')) return 'sqlite:ledger.sqlite';
  const url = new URL(ledgerUrl);
  return `${url.hostname}:${port ?? url.port}${url.pathname}`;
}
