import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SERVER_VARIABLE } from './support/postgres.ts';
import { isGone, processesBelow } from './support/process-tree.ts';
import { until } from './support/ssh.ts';

const DEMO = fileURLToPath(new URL('../demo/main.ts', import.meta.url));

interface Printed {
  verified: boolean;
  lost: number;
  sites: Record<'client' | 'admin', string>;
  invitations: { name: string; site: 'client' | 'admin'; link: string }[];
}

test('npm run demo -- --serve keeps both sites open for the links that it prints, and Ctrl-C leaves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-demo-'));
  // PostgreSQL runs as another user than root.
  await chmod(folder, 0o755);
  const demo = spawn(process.execPath, [DEMO, '--serve', '--json'], {
    // With a PostgreSQL of its own, as after a clone.
    env: { ...process.env, TMPDIR: folder, [SERVER_VARIABLE]: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(demo, 'exit') as Promise<[number | null]>;
  const said = text(demo.stderr);
  const failed = Promise.all([ended, said]).then(([[code], errors]) => {
    throw new Error(`the demo ended with ${code}:\n${errors}`);
  });
  failed.catch(() => undefined);
  try {
    const { verified, lost, sites, invitations } = await Promise.race([firstDocument(demo.stdout), failed]);
    expect({ verified, lost }).toEqual({ verified: true, lost: 0 });
    expect(invitations.map(({ name, site }) => `${site} ${name}`)).toEqual([
      'admin dora',
      ...['alice', 'bob', 'carmen', 'diego', 'elena'].map((name) => `client ${name}`),
    ]);
    const enter = async (name: string) => {
      const { site, link } = invitations.find((one) => one.name === name) ?? { site: 'admin', link: '' };
      return visit(sites[site], link);
    };

    const diego = await enter('diego');
    const home = await diego('/');
    const me = JSON.parse(await diego('/api/v1/me')) as { metrics: { GTQ: { sats_stacked: number } } };
    const received = me.metrics.GTQ.sats_stacked;
    expect(received).toBeGreaterThan(1_000_000);
    expect(home).toContain(`value="${received}"`);
    expect(home).toContain('<svg');

    const dora = await enter('dora');
    expect(await dora('/')).toContain('Antigua');
    for (const [path, what] of [
      ['/review', 'another coin'],
      ['/payouts?state=held', 'diego'],
      ['/clients', 'elena'],
      ['/fundings', 'diego'],
    ] as const)
      expect(await dora(path), path).toContain(what);

    const processes = processesBelow(demo.pid ?? 0);
    expect(processes.length).toBeGreaterThan(2);
    demo.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(await said).toBe('');
    await until(() => processes.every(isGone), 'every process of it is gone');
    expect(await readdir(folder)).toEqual([]);
    for (const url of Object.values(sites)) await expect(fetch(url)).rejects.toThrow();
  } finally {
    demo.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);

/** Comes in by a link, and answers what gets a page or JSON. Throws unless it is there. */
async function visit(url: string, link: string): Promise<(path: string) => Promise<string>> {
  const entered = await fetch(`${url}/sign-in/link`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: link.split('#')[1] }),
  });
  const [cookie = ''] = (entered.headers.get('set-cookie') ?? '').split(';');
  return async (path) => {
    const answer = await fetch(`${url}${path}`, { headers: { cookie, accept: 'text/html' } });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer.text();
  };
}

/** The first JSON document of a stream that goes on. */
async function firstDocument(stream: Readable): Promise<Printed> {
  let printed = '';
  for await (const piece of stream.setEncoding('utf8')) {
    printed += piece;
    if (printed.endsWith('\n}\n')) return JSON.parse(printed) as Printed;
  }
  return new Promise(() => undefined);
}
