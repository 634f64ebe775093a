import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import {
  type Lnbits,
  type LnbitsVersion,
  lnbitsVersions,
  type Permission,
  type ServiceFee,
  type SharedKeys,
  type WalletKeys,
} from './lnbits.ts';
import { startLnbitsSimulator } from './lnbits-simulator.ts';

/** On a machine with nothing else to do it takes 2 to 4 s. */
const START_MS = 240_000;

/**
 * Whether this LNbits is installed in `$AIO_DCA_LNBITS_VENVS/<version>` (test/support/install-lnbits.sh).
 * In CI it must be: a missing one throws there instead of being skipped.
 */
export function lnbitsAvailable(version: LnbitsVersion): boolean {
  const installed = venvOf(version) !== null;
  if (!installed && process.env.CI)
    throw new Error(`LNbits ${version} is not installed; set AIO_DCA_LNBITS_VENVS`);
  return installed;
}

/** Calls `contract` with the name and the start of each LNbits: simulated and real, the oldest and the newest. */
export function forEachLnbits(
  contract: (name: string, available: boolean, start: () => Promise<Lnbits>) => void,
  options: { requestsPerSecond?: number } = {},
): void {
  for (const version of lnbitsVersions) {
    contract(`simulated LNbits ${version}`, true, () => startLnbitsSimulator({ ...options, version }));
    const available = lnbitsAvailable(version);
    const skipped = available ? '' : ' (skipped: install it with test/support/install-lnbits.sh)';
    contract(`real LNbits ${version}${skipped}`, available, () => startLnbits({ ...options, version }));
  }
}

interface RealOptions {
  version: LnbitsVersion;
  /** Per path; without it the limit is out of the tests' way. */
  requestsPerSecond?: number;
}

/** Starts a real LNbits with its FakeWallet and a fresh data folder, on a free port of 127.0.0.1. */
export async function startLnbits(options: RealOptions): Promise<RealLnbits> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(await freePort(), options);
    } catch (error) {
      // It binds the port only seconds after it was found free.
      if (attempt === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function startOn(port: number, options: RealOptions): Promise<RealLnbits> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'aio-dca-lnbits-'));
  const lnbits = new RealLnbits(options, dataFolder, port);
  try {
    for (const folder of ['logs', 'extensions']) await mkdir(join(dataFolder, folder));
    await lnbits.start();
    await lnbits.install();
  } catch (error) {
    await lnbits.stop();
    throw error;
  }
  return lnbits;
}

/** LNbits closes a connection that was idle for five seconds, perhaps just as a request is sent on it. */
export const NOT_KEPT = { connection: 'close' };

export class RealLnbits implements Lnbits {
  readonly version: LnbitsVersion;
  readonly url: string;
  readonly superuser = { name: 'superuser', password: randomBytes(12).toString('hex') };
  readonly #dataFolder: string;
  readonly #port: number;
  readonly #rate: string;
  #process: ChildProcess | undefined;
  #token: string | undefined;
  #superuser: string | undefined;

  constructor({ version, requestsPerSecond = 100_000 }: RealOptions, dataFolder: string, port: number) {
    this.version = version;
    this.url = `http://127.0.0.1:${port}`;
    this.#dataFolder = dataFolder;
    this.#port = port;
    this.#rate = String(requestsPerSecond);
  }

  /** Resolves once it answers; the wallets are as they were before. */
  async start(): Promise<void> {
    const venv = venvOf(this.version);
    if (!venv) throw new Error(`LNbits ${this.version} is not installed`);
    const python = readdirSync(join(venv, 'lib'))[0] ?? '';
    // Not by bin/lnbits: that one forks, and the fork outlives a signal to its parent.
    const args = ['lnbits.__main__:app', '--host', '127.0.0.1', '--port', String(this.#port)];
    const child = spawn(join(venv, 'bin/uvicorn'), args, {
      // It mounts `lnbits/static` relative to the working directory.
      cwd: join(venv, 'lib', python, 'site-packages'),
      env: {
        PATH: process.env.PATH,
        HOME: this.#dataFolder,
        LNBITS_DATA_FOLDER: this.#dataFolder,
        LNBITS_EXTENSIONS_PATH: this.#dataFolder,
        LNBITS_BACKEND_WALLET_CLASS: 'FakeWallet',
        FAKE_WALLET_SECRET: 'for tests only',
        LNBITS_ADMIN_UI: 'true',
        LNBITS_RATE_LIMIT_NO: this.#rate,
        LNBITS_RATE_LIMIT_UNIT: 'second',
        // Without these two every invoice and every payment asks price servers.
        LNBITS_PRICE_AGGREGATOR_ENABLED: 'false',
        LNBITS_EXCHANGE_RATE_PROVIDERS: '[]',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    process.once('exit', killNow);
    child.once('exit', () => process.off('exit', killNow));
    function killNow(): void {
      child.kill('SIGKILL');
    }

    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-4_000);
      });
    }
    const until = Date.now() + START_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || Date.now() > until)
        throw new Error(`LNbits ${this.version} does not start:\n${log}`);
      await sleep(50);
    }
    if (this.#superuser) await this.#logIn();
  }

  /** Makes the superuser, once for a data folder. */
  async install(): Promise<void> {
    const { name: username, password } = this.superuser;
    const account = { username, password, password_repeat: password };
    await this.#call('PUT', '/api/v1/auth/first_install', account);
    await this.#logIn();
    const { id } = (await this.#call('GET', '/api/v1/auth')) as { id: string };
    this.#superuser = id;
  }

  async createUserWallet(name: string): Promise<WalletKeys> {
    return keysOf(await this.#call('POST', `/users/api/v1/user/${this.#superuser}/wallet`, { name }));
  }

  async topUp(walletId: string, sats: bigint): Promise<void> {
    await this.#call('PUT', '/users/api/v1/balance', { id: walletId, amount: sats.toString() });
  }

  async deleteWallet(walletId: string): Promise<void> {
    await this.#call('DELETE', `/users/api/v1/user/${this.#superuser}/wallet/${walletId}`);
  }

  async setServiceFee(fee: ServiceFee | null): Promise<void> {
    await this.#call('PATCH', '/admin/api/v1/settings', {
      lnbits_service_fee: fee?.percent ?? 0,
      lnbits_service_fee_wallet: fee?.walletId ?? null,
      lnbits_service_fee_max: fee?.maxSats ?? 0,
      lnbits_service_fee_ignore_internal: fee === null,
    });
  }

  async resetKeys(walletId: string): Promise<WalletKeys> {
    return keysOf(await this.#call('PUT', `/api/v1/wallet/reset/${walletId}`));
  }

  async share(wallet: WalletKeys, permissions: Permission[]): Promise<SharedKeys> {
    const username = `u${randomBytes(6).toString('hex')}`;
    const account = { username, password: this.superuser.password };
    await this.#call('POST', '/users/api/v1/user', { ...account, password_repeat: account.password });
    const invitation = { username, permissions, status: 'invite_sent' };
    await this.#call('PUT', '/api/v1/wallet/share/invite', invitation, { 'x-api-key': wallet.adminkey });
    const { access_token } = (await this.#call('POST', '/api/v1/auth', account)) as { access_token: string };
    const accepted = { name: 'shared', wallet_type: 'lightning-shared', shared_wallet_id: wallet.id };
    const shared = keysOf(
      await this.#call('POST', '/api/v1/wallet', accepted, { authorization: `Bearer ${access_token}` }),
    );
    const allow = async (more: Permission[]) => {
      const share = { username, shared_with_wallet_id: shared.id, permissions: more, status: 'approved' };
      await this.#call('PUT', '/api/v1/wallet/share', share, { 'x-api-key': wallet.adminkey });
    };
    return { ...shared, allow };
  }

  async restart(): Promise<void> {
    await this.#end('SIGTERM');
    await this.start();
  }

  /** As a power cut does it; `start()` brings it back. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** A backup of its present data; answers a function that restores it. LNbits is stopped meanwhile. */
  async keep(): Promise<() => Promise<void>> {
    const copy = `${this.#dataFolder}-copy`;
    await this.#end('SIGTERM');
    await cp(this.#dataFolder, copy, { recursive: true });
    await this.start();
    return async () => {
      await this.#end('SIGTERM');
      await rm(this.#dataFolder, { recursive: true });
      await rename(copy, this.#dataFolder);
      await this.start();
    };
  }

  async stop(): Promise<void> {
    await this.#end('SIGKILL');
    await rm(this.#dataFolder, { recursive: true, force: true });
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  async #answers(): Promise<boolean> {
    try {
      await fetch(`${this.url}/api/v1/health`, { redirect: 'manual' });
      return true;
    } catch {
      return false;
    }
  }

  async #logIn(): Promise<void> {
    const { name: username, password } = this.superuser;
    const answer = await this.#call('POST', '/api/v1/auth', { username, password });
    this.#token = (answer as { access_token: string }).access_token;
  }

  async #call(method: string, path: string, body?: object, pass?: Record<string, string>): Promise<unknown> {
    const headers: Record<string, string> = { ...NOT_KEPT, 'content-type': 'application/json', ...pass };
    if (this.#token && !pass) headers.authorization = `Bearer ${this.#token}`;
    const answer = await fetch(this.url + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }
}

function venvOf(version: LnbitsVersion): string | null {
  const venvs = process.env.AIO_DCA_LNBITS_VENVS;
  if (!venvs) return null;
  const venv = resolve(venvs, version);
  return existsSync(join(venv, 'bin/lnbits')) ? venv : null;
}

function keysOf(wallet: unknown): WalletKeys {
  const { id, adminkey, inkey } = wallet as WalletKeys;
  return { id, adminkey, inkey };
}
