import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { freePort } from './support/free-port.ts';
import { pairMachine } from './support/lamassu.ts';
import { HOME } from './support/own-root/pages.ts';
import { until } from './support/ssh.ts';
import { startWorld } from './support/world.ts';

test('the examples of docs/api.md do what stands there', async () => {
  const page = join(HOME, 'docs/api.md');
  const world = await startWorld({ tunnel: 'direct' });
  const port = await freePort();
  appendFileSync(world.configFile, `\n[web.admin]\nlisten = "127.0.0.1:${port}"\n`);
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  const scopes = ['--scopes', 'read,fundings:write,clients:write'];
  const { token } = (await world.must(['tokens', 'add', 'till', ...scopes, '--json'])).json<{
    token: string;
  }>();
  const server = world.start(['serve']);
  try {
    const isUp = () =>
      fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until(isUp, 'the site answers');
    const [block = ''] = /(?<=^```sh\n).*?(?=^```$)/ms.exec(readFileSync(page, 'utf8')) ?? [];
    const script = block.replace('localhost:8092', `localhost:${port}`);
    expect(script).not.toBe(block);
    const typed = spawn('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: world.folder,
      env: { ...process.env, TOKEN: token },
    });
    const [stdout, stderr, [status]] = await Promise.all([
      text(typed.stdout),
      text(typed.stderr),
      once(typed, 'close') as Promise<[number]>,
    ]);
    expect([status, stderr]).toEqual([0, '']);
    // The balance of the source wallet is part of the status.
    expect(stdout).toContain('"source_wallet_problem":null');
    expect(stdout).toMatch(/^HTTP\/1.1 200 OK/m);
    expect(readFileSync(join(world.folder, 'payouts.csv'), 'utf8')).toMatch(/^id,created_at,.*\r\n$/);
    const fundings = (await world.must(['fundings', 'list', '--json'])).json<
      { amount: string; status: string }[]
    >();
    expect(fundings).toEqual([expect.objectContaining({ amount: '2950.00', status: 'deposited' })]);
    const alice = (await world.must(['clients', 'show', 'alice', '--json'])).json<{ status: string }>();
    expect(alice.status).toBe('paused');
  } finally {
    server.child.kill('SIGTERM');
    await server.ended;
    await world.stop();
  }
});
