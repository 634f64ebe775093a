import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import type { Ran } from '../../support/command.ts';
import { fork } from '../../support/fork.ts';
import { finish } from '../../support/kill.ts';
import { startSshServer } from '../../support/ssh.ts';
import { startWorld, type World, type WorldOptions } from '../../support/world.ts';
import { type FaultProxy, startFaultProxy, type Where, type WireFault } from './fault-proxy.ts';

/** Between which two the network goes wrong; `forwarded` is between the SSH server and Lamassu's PostgreSQL. */
export type Link = 'lnbits' | 'lamassu' | 'ssh' | 'forwarded' | 'ledger';

/** When a busy machine has ended a wait that has a deadline: so soon that no deadline could be twice as long. */
const ended = (withinS: number) => (withinS * 4) / 3 + 4;
/** For the steps of a run that nothing goes wrong with, on a busy machine; and for starting it, too. */
const STEPS_S = 30;
const START_S = 60;
/** More than a run ever has: what it loads, and a few of the largest answers that it reads. */
const PEAK_MB = 200;

const measure = new URL('./measured.mjs', import.meta.url).href;

/** Garbage that is no answer of anybody. */
export const GARBAGE = `${'\u0000\u00ff\u0007not a protocol\u001b'.repeat(40)}\r\n`;
export const HTML =
  'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<!doctype html><html><body>Log in first</body></html>';
export const HUGE = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n[';

export interface Case {
  fault: WireFault;
  where?: Where;
  /** What the run calls it, or one of these; null if it finds out within the run what became of its requests. */
  code: ErrorCode | ErrorCode[] | null;
  /** After so many seconds the run gives up a connection on which it meets the fault: 0 if that tells it at once. */
  withinS: number;
  /** How often it may meet it; once by default. */
  tries?: number;
}

/** Two clients and a cash-out that is theirs, nothing of it read yet. */
export async function twoClients(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', ...options });
  try {
    await world.must(['migrate']);
    for (const name of ['alice', 'bob']) {
      await world.addClient(name);
      await world.addFunding(name, '3000 GTQ');
    }
    await world.insertCashOut();
    // Its limit is meant for one bridge, and here so many copies of one wait at the same time.
    const role = /^user = "(aio_dca_\w+)"$/m.exec(await readFile(world.configFile, 'utf8'))?.[1];
    await world.lamassu.query(`alter role ${role} connection limit -1`);
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** A copy of `template` whose way to one peer leads through a proxy. */
export async function behindProxy(
  template: World,
  link: Link,
): Promise<{ world: World; proxy: FaultProxy; stop(): Promise<void> }> {
  const stack = new AsyncDisposableStack();
  try {
    const world = await fork(template);
    stack.defer(() => world.stop());
    const proxied = async (url: string) => {
      const { hostname: host, port } = new URL(url);
      const proxy = await startFaultProxy({ host, port: Number(port) });
      stack.defer(() => proxy.close());
      return proxy;
    };
    const replace = async (from: string | RegExp, to: string) => {
      const toml = await readFile(world.configFile, 'utf8');
      const changed = toml.replace(from, to);
      if (changed === toml) throw new Error(`config.toml has no ${from}`);
      await writeFile(world.configFile, changed);
    };
    const throughSsh = async (host: string, port: number, sshPort?: (real: number) => Promise<number>) => {
      const server = await startSshServer({ host, port });
      stack.defer(() => server.close());
      await writeFile(join(world.folder, 'id_ed25519'), server.privateKey, { mode: 0o600 });
      const table = [
        '[lamassu.ssh]',
        `host = "${server.host}"`,
        `port = ${sshPort ? await sshPort(server.port) : server.port}`,
        `user = "${server.user}"`,
        'private_key_file = "id_ed25519"',
        `host_key = "${server.hostKey.fingerprint}"`,
      ];
      await replace('\n\n[ledger]', `\n\n${table.join('\n')}\n\n[ledger]`);
    };
    const { hostname, port } = new URL(world.lamassu.url);
    const lamassuPort = new RegExp(`(?<=\\[lamassu\\][^[]*\\nport = )${port}`);
    let proxy: FaultProxy;
    switch (link) {
      case 'lnbits':
        proxy = await proxied(world.lnbits.url);
        await replace(world.lnbits.url, `http://127.0.0.1:${proxy.port}`);
        break;
      case 'lamassu':
        proxy = await proxied(world.lamassu.url);
        await replace(lamassuPort, `${proxy.port}`);
        break;
      case 'forwarded':
        proxy = await proxied(world.lamassu.url);
        await replace(lamassuPort, `${proxy.port}`);
        await throughSsh(hostname, proxy.port);
        break;
      case 'ssh': {
        let between: FaultProxy | undefined;
        await throughSsh(hostname, Number(port), async (real) => {
          between = await proxied(`tcp://127.0.0.1:${real}`);
          return between.port;
        });
        if (!between) throw new Error('no proxy before the SSH server');
        proxy = between;
        break;
      }
      case 'ledger': {
        const { host } = new URL(world.ledgerUrl);
        proxy = await proxied(world.ledgerUrl);
        await replace(`@${host}/`, `@127.0.0.1:${proxy.port}/`);
        break;
      }
    }
    return { world, proxy, stop: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/**
 * A run that meets the fault says so by its name, does not stay in it for longer than it may, and has no more memory
 * than ever; runs after it finish, and the auditor finds nothing.
 */
export async function survives(
  template: World,
  link: Link,
  { fault, where, code, withinS, tries = 1 }: Case,
): Promise<void> {
  const { world, proxy, stop } = await behindProxy(template, link);
  try {
    await proxy.set(fault, where);
    const { ran, seconds, peakMb } = await measured(world, withinS * tries);
    const { met, heldS } = proxy;
    await proxy.set(null);
    const said = ran.json<{ error?: { code: string }; problems?: { code: string }[] }>();
    const codes = new Set((said.error ? [said.error] : (said.problems ?? [])).map((one) => one.code));
    const seen = { codes: [...codes], exit: ran.code, met: met > 0 || fault.do === 'refuse' };
    const expected = code === null ? [[]] : [code].flat().map((one) => [one]);
    const exit = code === null ? 0 : 75;
    expect(
      expected.map((one) => ({ codes: one, exit, met: true })),
      ran.stdout + ran.stderr,
    ).toContainEqual(seen);
    expect(heldS, 'seconds in the fault').toBeLessThan(ended(withinS));
    expect(met, 'times that it was met').toBeLessThanOrEqual(tries);
    expect(seconds, ran.stdout + ran.stderr).toBeLessThan(withinS * tries + STEPS_S);
    expect(peakMb, 'MB of memory').toBeLessThan(PEAK_MB);
    expect(await finish(world)).toEqual([]);
  } finally {
    await stop();
  }
}

interface Measured {
  ran: Ran;
  /** From its first connection to its end, without the time for which the machine had no processor for it. */
  seconds: number;
  peakMb: number;
}

/** A poll, which is killed if it does not end long after its deadline. */
async function measured(world: World, withinS: number): Promise<Measured> {
  const command = world.start(['poll', '--json'], { node: ['--import', measure] });
  const limit = new AbortController();
  const tooLong = sleep((withinS + STEPS_S + START_S) * 1_000, 'too long', { signal: limit.signal });
  const ran = await Promise.race([command.ended, tooLong.catch(() => 'ended' as const)]);
  limit.abort();
  if (typeof ran !== 'object') {
    command.child.kill('SIGKILL');
    throw new Error(`${STEPS_S + START_S} s after all deadlines the run was still going on`);
  }
  const told = /^measured: (.*)$/m.exec(ran.stderr)?.[1];
  if (told === undefined) throw new Error(`the run did not say how long it took: ${ran.stderr}`);
  return { ran, ...(JSON.parse(told) as Omit<Measured, 'ran'>) };
}
