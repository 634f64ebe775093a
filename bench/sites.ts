import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCommand } from '../test/support/command.ts';
import { freePort } from '../test/support/free-port.ts';
import { until } from '../test/support/ssh.ts';
import { type GrownLedger, grownLedger } from './grown-ledger.ts';
import type { SiteName } from './site-paths.ts';

/* Both sites over a grown ledger in SQLite, served by `aio-dca serve` as a process of its own. */

/** How many cash-outs: of the figures, and to show that it works. */
export const SIZES = { whole: 100_000, small: 2_000 };

export interface Answered {
  status: number;
  body: Buffer;
  ms: number;
}

export interface Sites {
  ledger: GrownLedger;
  pid: number;
  /** What the process has used of the processor, in milliseconds, to ten of them. */
  cpu(): Promise<number>;
  /** Asks as a visitor who is signed in, each from another address, so that no limit counts. */
  ask(site: SiteName, path: string): Promise<Answered>;
}

/** Serves them until `stack` is released. */
export async function serveSites(cashOuts: number, stack: AsyncDisposableStack): Promise<Sites> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-bench-sites-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const ledger = await grownLedger(`sqlite:${join(folder, 'ledger.sqlite')}`, cashOuts);
  return serveLedger(ledger, folder, stack);
}

async function serveLedger(ledger: GrownLedger, folder: string, stack: AsyncDisposableStack): Promise<Sites> {
  const ports = { admin: await freePort(), client: await freePort() };
  const file = join(folder, 'config.toml');
  await writeFile(file, config(ledger, ports));
  const { child, ended } = startCommand(['serve'], { env: { AIO_DCA_CONFIG: file } });
  stack.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const agent = new Agent({ keepAlive: true });
  stack.defer(async () => agent.destroy());
  let asked = 0;
  const ask: Sites['ask'] = (site, path) => {
    asked += 1;
    const headers = {
      host: `localhost:${ports[site]}`,
      cookie: `aio-dca-${site}=${ledger.sessions[site]}`,
      accept: path.startsWith('/api/') ? 'application/json' : 'text/html',
      'x-forwarded-for': `10.${(asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`,
    };
    return answer({ agent, host: '127.0.0.1', port: ports[site], path, headers });
  };
  const answers = () =>
    ask('admin', '/healthz').then(
      ({ status }) => status === 200,
      () => false,
    );
  await until(answers, 'the sites answer');
  const pid = child.pid ?? 0;
  return { ledger, pid, cpu: () => cpuOf(pid), ask };
}

/** By proc(5): its times are in hundredths of a second, behind the name in brackets. */
async function cpuOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** From the request to the last byte of its answer. */
function answer(options: RequestOptions): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const asking = request(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(parts),
          ms: performance.now() - begun,
        }),
      );
    });
    asking.once('error', reject);
    asking.end();
  });
}

function config({ url }: GrownLedger, { admin, client }: Record<SiteName, number>): string {
  const site = (name: SiteName, port: number) =>
    `[web.${name}]\nlisten = "127.0.0.1:${port}"\npublic_url = "http://localhost:${port}"\n`;
  return `timezone = "America/Guatemala"
[lamassu]
host = "127.0.0.1"
database = "lamassu"
user = "aio_dca"
start_at = "2020-01-01T00:00:00Z"
[ledger]
url = "${url}"
[lnbits]
url = "http://127.0.0.1:1"
[web]
trusted_proxies = ["127.0.0.1"]
${site('admin', admin)}${site('client', client)}`;
}
