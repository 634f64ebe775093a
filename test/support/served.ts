import { readFile, writeFile } from 'node:fs/promises';
import { freePort } from './free-port.ts';
import { until } from './ssh.ts';
import type { World } from './world.ts';

/* The real `aio-dca serve` over a world, with both sites. */

export interface Served {
  /** The addresses of the sites, `http://localhost:…`. */
  admin: string;
  client: string;
  process: ReturnType<World['start']>;
}

/** Starts it on new ports. `web` are more lines for `[web]`. */
export async function serve(world: World, { web = '' } = {}): Promise<Served> {
  const [admin, client] = [await freePort(), await freePort()];
  const before = (await readFile(world.configFile, 'utf8')).replace(/\n\[web[.\]][\s\S]*/, '');
  const site = (name: string, port: number) =>
    `\n[web.${name}]\nlisten = "127.0.0.1:${port}"\npublic_url = "http://localhost:${port}"`;
  const general = web === '' ? '' : `\n[web]\n${web}`;
  await writeFile(world.configFile, `${before}${general}${site('admin', admin)}${site('client', client)}\n`);
  const process = world.start(['serve']);
  const answers = () =>
    fetch(`http://127.0.0.1:${admin}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(answers, 'the site answers');
  return { admin: `http://localhost:${admin}`, client: `http://localhost:${client}`, process };
}

export async function stopServed({ process }: Served) {
  process.child.kill('SIGTERM');
  return process.ended;
}

/** Comes in by a link, and answers the cookie. */
export async function signInByLink(site: string, link: string): Promise<string> {
  const answer = await fetch(`${site}/sign-in/link`, {
    method: 'POST',
    headers: { origin: site, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: link.split('#')[1] }),
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}
