import { appendFile } from 'node:fs/promises';
import { freePort } from '../test/support/free-port.ts';
import { until } from '../test/support/ssh.ts';
import type { World, WorldOptions } from '../test/support/world.ts';
import { leaveTroubles, liveMonths, MONTHS_START_AT } from './months.ts';
import type { Page } from './page.ts';
import { type Figures, tell } from './story.ts';

/* The real `aio-dca serve` on the world of the story, and links for everybody in it. */

export interface Invitation {
  name: string;
  site: 'client' | 'admin';
  /** Works once. */
  link: string;
  /** The same, to type. */
  code: string;
  expires_at: string;
}

export interface Sites {
  urls: Record<Invitation['site'], string>;
  invitations: Invitation[];
  /** Rejects if the sites end by themselves. */
  over: Promise<never>;
  stop(): Promise<void>;
}

export const SITES_WORLD: WorldOptions = { quiet: '1 s', startAt: MONTHS_START_AT, sats: 30_000_000n };

/** The story, in a ledger that has months behind it and ends with work for the operator. */
export async function tellWithMonths(world: World, page: Page): Promise<Figures> {
  page.say('First, three months at another machine, so that the sites have something to show …\n');
  await liveMonths(world);
  const figures = await tell(world, page);
  await leaveTroubles(world);
  return figures;
}

/** Serves both sites on free ports of this host, and invites an owner and every client. */
export async function openSites(world: World): Promise<Sites> {
  const ports = { client: await freePort(), admin: await freePort() };
  const table = (site: Invitation['site']) =>
    `\n[web.${site}]\nlisten = "127.0.0.1:${ports[site]}"\npublic_url = "http://localhost:${ports[site]}"\n`;
  await appendFile(world.configFile, table('client') + table('admin'));
  const { child, ended } = world.start(['serve']);
  const over = ended.then(({ stdout, stderr }) => {
    throw new Error(`the sites ended:\n${stdout}${stderr}`);
  });
  const stop = async () => {
    over.catch(() => undefined);
    child.kill('SIGTERM');
    await ended;
  };
  const isUp = () =>
    fetch(`http://127.0.0.1:${ports.admin}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await Promise.race([until(isUp, 'the sites answer'), over]);
    return {
      urls: { client: `http://localhost:${ports.client}`, admin: `http://localhost:${ports.admin}` },
      invitations: await invite(world),
      ...{ over, stop },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function invite(world: World): Promise<Invitation[]> {
  const clients = (await world.must(['clients', 'list', '--json'])).json<{ name: string }[]>();
  const invited = async (site: Invitation['site'], args: string[]) => {
    const { name, ...link } = (await world.must([...args, '--json'])).json<Omit<Invitation, 'site'>>();
    return { name, site, ...link };
  };
  const invitations = [await invited('admin', ['people', 'add', 'dora', '--role', 'owner'])];
  for (const { name } of clients) invitations.push(await invited('client', ['clients', 'invite', name]));
  return invitations;
}
