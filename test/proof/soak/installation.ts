import pg from 'pg';
import type { LnbitsVersion } from '../../support/lnbits.ts';
import { startLnbits } from '../../support/lnbits-real.ts';
import { startPostgres } from '../../support/postgres.ts';
import { startSshd } from '../../support/sshd.ts';
import { startWorld, type World, worldOf } from '../../support/world.ts';

/** A server that can die and come back with its data. */
interface Server {
  kill(): Promise<void>;
  start(): Promise<void>;
}

export type Part = 'LNbits' | 'sshd' | "Lamassu's PostgreSQL" | "the ledger's PostgreSQL";

/** An installation of real parts, each of which can die alone. */
export interface Installation {
  name: string;
  world: World;
  parts: Map<Part, Server>;
}

export interface InstallationOptions {
  version: LnbitsVersion;
  ledger: 'sqlite' | 'postgresql';
  /** `[payouts] quiet`. */
  quiet: string;
}

/** Started, empty, and stopped with `stack`. */
export async function startInstallation(
  name: string,
  { version, ledger, quiet }: InstallationOptions,
  stack: AsyncDisposableStack,
): Promise<Installation> {
  const parts: Installation['parts'] = new Map();
  const postgres = async (part: Part) => {
    const server = await startPostgres({ survivesKills: true });
    stack.defer(() => server.stop());
    parts.set(part, server);
    return server;
  };
  const lamassu = await postgres("Lamassu's PostgreSQL");
  const sshd = await startSshd({ host: lamassu.host, port: lamassu.port });
  const lnbits = await startLnbits({ version });
  parts.set('sshd', sshd).set('LNbits', lnbits);
  const world = await startWorld({
    ...{ ledger, lnbits, quiet, tunnel: sshd, postgres: lamassu.url },
    ...(ledger === 'postgresql' && { ledgerPostgres: (await postgres("the ledger's PostgreSQL")).url }),
  });
  stack.defer(() => world.stop());
  return { name, world: reconnecting(world), parts };
}

/** The same with a session of its own for each query to Lamassu's database: a lasting one would die with the server. */
function reconnecting(world: World): World {
  const { url, version } = world.lamassu;
  const query = async (sql: string, values: unknown[] = []) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };
  return worldOf({ ...world, lamassu: { url, version, query, end: async () => {} } });
}
