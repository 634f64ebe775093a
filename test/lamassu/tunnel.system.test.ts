import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import type { BridgeError } from '../../src/errors.ts';
import { type HandshakeError, logIn } from '../../src/lamassu/handshake.ts';
import { describeKey, kindsToAsk } from '../../src/lamassu/host-keys.ts';
import { authorizedKeysLine } from '../../src/lamassu/role-sql.ts';
import { openTunnel, readHostKeys, type SshOptions } from '../../src/lamassu/tunnel.ts';
import { freePort } from '../support/free-port.ts';
import { killTree } from '../support/process-tree.ts';
import { generateKeyPair, until } from '../support/ssh.ts';
import { makeKey, type Sshd, type SshdOptions, sshdAvailable, startSshd } from '../support/sshd.ts';

/*
 * The way to SSH on OpenSSH's own server: which of its host keys is requested, and the error if it refuses the bridge.
 */

const TARGET = { host: '127.0.0.1', port: Number(new URL(process.env.AIO_DCA_TEST_POSTGRES ?? '').port) };
const DEADLINE = 10_000;
const KINDS = ['ed25519', 'ecdsa', 'rsa'] as const;
const OTHER = `SHA256:${'A'.repeat(43)}`;

const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(close.splice(0).map((one) => one()));
});

const DROPBEAR = '/usr/sbin/dropbear';
const KEYS = join(homedir(), '.ssh');

/**
 * Whether it is here, and may be given keys of its own: it takes them from the home of the user, which is covered for
 * it.
 */
function dropbearAvailable(): boolean {
  return existsSync(DROPBEAR) && existsSync(KEYS) && spawnSync('unshare', ['-m', 'true']).status === 0;
}

interface Dropbear extends Pick<Sshd, 'host' | 'port' | 'user' | 'privateKey' | 'hostKeyLine' | 'close'> {
  /** Writes its authorized_keys: the line that operators get for the one server or the other. */
  line(server: 'openssh' | 'dropbear'): Promise<void>;
}

/** Dropbear's server on a free loopback port, for the user who runs this. */
async function startDropbear(target: { host: string; port: number }): Promise<Dropbear> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-dropbear-'));
  const keys = join(folder, 'ssh');
  await mkdir(keys, { mode: 0o700 });
  const hostKey = join(folder, 'host_key');
  const made = spawnSync('dropbearkey', ['-t', 'ed25519', '-f', hostKey], { encoding: 'utf8' });
  const hostKeyLine = /^ssh-ed25519 \S+/m.exec(made.stdout)?.[0];
  if (hostKeyLine === undefined) throw new Error(`dropbearkey: ${made.stderr}`);
  const client = generateKeyPair();
  const port = await freePort();
  const command = `mount --bind '${keys}' '${KEYS}' && exec ${DROPBEAR} -F -E -r '${hostKey}' -P '${folder}/pid' -p 127.0.0.1:${port}`;
  const child = spawn('unshare', ['-m', 'sh', '-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until(() => child.exitCode !== null || log.includes('Not backgrounding'), 'Dropbear listens');
  if (child.exitCode !== null) throw new Error(`Dropbear ended: ${log}`);
  return {
    ...{ host: '127.0.0.1', port, user: userInfo().username, privateKey: client.private, hostKeyLine },
    line: (server) =>
      writeFile(
        join(keys, 'authorized_keys'),
        `${authorizedKeysLine(client.public, target.host, target.port, server)}\n`,
        { mode: 0o600 },
      ),
    close: async () => {
      if (child.pid !== undefined) await killTree(child.pid);
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function server(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(TARGET, options);
  close.push(sshd.close);
  return sshd;
}

function fingerprint(line: string): string {
  return describeKey(Buffer.from(line.split(' ')[1] ?? '', 'base64')).fingerprint;
}

function through(
  { host, port, user, privateKey, hostKeyLine }: Omit<Dropbear, 'line'>,
  change: Partial<SshOptions> = {},
): SshOptions {
  return { host, port, user, privateKey: new Secret(privateKey), hostKeys: [hostKeyLine], ...change };
}

async function open(ssh: SshOptions): Promise<void> {
  (await openTunnel(ssh, TARGET, DEADLINE)).close();
}

async function failure(ssh: SshOptions): Promise<BridgeError> {
  return open(ssh).then(
    () => {
      throw new Error('it opened');
    },
    (error: BridgeError) => error,
  );
}

test('whole lines tell which kinds are asked for; with a fingerprint the others follow', () => {
  expect(kindsToAsk(['ssh-rsa AAAAB3Nz'])).toEqual(['ssh-rsa']);
  expect(kindsToAsk(['atm.example.org ecdsa-sha2-nistp256 AAAAE2Vj x', 'ssh-ed25519 AAAAC3Nz'])).toEqual([
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
  ]);
  expect(kindsToAsk([OTHER])).toHaveLength(5);
  expect(kindsToAsk([OTHER, 'ssh-rsa AAAAB3Nz'])[0]).toBe('ssh-rsa');
});

test.each(['Exceeded MaxStartups', 'Not allowed at this time', 'HTTP/1.1 400 Bad Request', 'SSH-1.5-old'])(
  'a server that answers “%s” is reported with that answer',
  async (line) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(`${line}\r\n`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    close.push(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const { private: privateKey, public: hostKeyLine } = makeKey('ecdsa');
    const error = await failure(
      through({ host: '127.0.0.1', port, user: 'u', privateKey, hostKeyLine } as never),
    );
    expect(error).toMatchObject({ code: 'lamassu/ssh-unreachable', kind: 'unavailable' });
    expect(error.message).toContain(`after “${line}”`);
  },
);

describe.skipIf(!sshdAvailable())('an sshd with keys of three kinds', () => {
  test('is known by any of them, by its line and by its fingerprint', async () => {
    const sshd = await server({ kinds: [...KINDS] });
    for (const kind of KINDS) {
      await open(through(sshd, { hostKeys: [sshd.hostKeys[kind]] }));
      // A key pinned by a whole line is the only kind that is requested.
      expect(sshd.log()).not.toContain('[preauth]');
    }
    for (const kind of KINDS)
      await open(through(sshd, { hostKeys: [OTHER, fingerprint(sshd.hostKeys[kind])] }));
    expect((await readHostKeys(sshd)).map((one) => one.fingerprint)).toEqual(
      KINDS.map((kind) => fingerprint(sshd.hostKeys[kind])),
    );
  });

  test('with none of the pinned keys it is another server, and all its keys are named', async () => {
    const sshd = await server({ kinds: [...KINDS] });
    const another = makeKey('rsa').public;
    for (const hostKeys of [[OTHER], [another], [OTHER, another]]) {
      const error = await failure(through(sshd, { hostKeys }));
      expect(error).toMatchObject({ code: 'lamassu/ssh-host-key', kind: 'misconfigured' });
      for (const kind of KINDS) expect(error.message).toContain(fingerprint(sshd.hostKeys[kind]));
      expect(sshd.log()).not.toMatch(/Accepted|userauth/);
    }
  });

  test('a server that no longer has the pinned kind is another server', async () => {
    const sshd = await server();
    const error = await failure(through(sshd, { hostKeys: [sshd.hostKeys.rsa] }));
    expect(error).toMatchObject({ code: 'lamassu/ssh-host-key' });
    expect(error.message).toContain(`ssh-ed25519 ${fingerprint(sshd.hostKeys.ed25519)}`);
    expect(error.message).toContain(`ssh-rsa ${fingerprint(sshd.hostKeys.rsa)}`);
  });

  test('an RSA key goes by each of its signatures, and a certificate is not taken for a key', async () => {
    for (const signature of ['rsa-sha2-256', 'rsa-sha2-512']) {
      const sshd = await server({ kinds: ['rsa'], config: [`HostKeyAlgorithms ${signature}`] });
      await open(through(sshd));
    }
    const certified = await server({ certificate: true });
    await open(through(certified, { hostKeys: [fingerprint(certified.hostKeys.ed25519)] }));
    expect(await readHostKeys(certified)).toHaveLength(1);
  });

  test.each([
    [
      'KexAlgorithms sntrup761x25519-sha512@openssh.com',
      /no key exchange algorithm in common.*It has: sntrup761x25519-sha512@openssh\.com\..*has: curve25519/,
    ],
    ['Ciphers 3des-cbc', /no cipher in common.*It has: 3des-cbc\..*aes128-gcm/],
    [
      'Ciphers aes128-ctr\nMACs umac-64@openssh.com',
      /no MAC in common.*It has: umac-64@openssh\.com\..*hmac-sha2-256/,
    ],
  ])('if %j leaves nothing in common, the error lists both sides', async (config, says) => {
    const error = await failure(through(await server({ config: [config] })));
    expect(error).toMatchObject({ code: 'lamassu/ssh-algorithms', kind: 'misconfigured' });
    expect(error.message).toMatch(says);
    expect(error.message).toContain('(OpenSSH_');
  });

  test.each([
    // The kinds that this OpenSSH announces are not those that it is configured to accept.
    [['PubkeyAcceptedAlgorithms rsa-sha2-512'], /refuses user \S+ with this key/],
    [
      ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'],
      /accepted the key of user \S+, and wants more: password/,
    ],
    [['PasswordAuthentication yes', 'PubkeyAuthentication no'], /takes no key from user \S+, only: password/],
    [['AllowUsers somebody-else'], /refuses user \S+ with this key \(it takes: publickey\)/],
  ])('%j refuses every login, and the error says what it wants', async (config, says) => {
    const error = await failure(through(await server({ config })));
    expect(error).toMatchObject({ code: 'lamassu/ssh-authentication', kind: 'misconfigured' });
    expect(error.message).toMatch(says);
  });

  test('the error says which kinds of keys it accepts for a login', async () => {
    const sshd = await server();
    const refused = logIn(
      sshd,
      { username: sshd.user, privateKey: makeKey('ecdsa').private },
      ['ssh-ed25519'],
      () => true,
      DEADLINE,
    );
    const { heard } = await refused.then(
      () => Promise.reject(new Error('it let somebody in')),
      (error: HandshakeError) => error,
    );
    expect(heard.takes).toContain('ssh-ed25519');
    expect(heard).toMatchObject({
      acceptedKey: false,
      wants: ['publickey'],
      software: expect.stringMatching(/^OpenSSH_/),
    });
  });

  test('a second factor is reported for an RSA key, too', async () => {
    const config = ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'];
    const error = await failure(through(await server({ config, clientKey: makeKey('rsa') })));
    expect(error.message).toMatch(/wants more: password/);
  });

  test.each(['AllowTcpForwarding no', 'DisableForwarding yes', 'PermitOpen none'])(
    'with %s the refusal is the server’s own',
    async (line) => {
      const error = await failure(through(await server({ config: [line] })));
      expect(error).toMatchObject({ code: 'lamassu/ssh-forbidden', kind: 'misconfigured' });
      expect(error.message).toContain('administratively prohibited');
      expect(error.hint).toContain('AllowTcpForwarding');
    },
  );
});

describe.skipIf(!dropbearAvailable())('a Dropbear (needs Debian’s dropbear-bin)', () => {
  test('accepts the line that is printed for it, and the error explains the other line', async () => {
    const { line, ...dropbear } = await startDropbear(TARGET);
    close.push(dropbear.close);
    await line('dropbear');
    await open(through(dropbear));
    const elsewhere = openTunnel(through(dropbear), { host: 'localhost', port: TARGET.port }, DEADLINE);
    await expect(elsewhere).rejects.toMatchObject({ hint: expect.stringContaining('permitopen') });
    await line('openssh');
    const error = await failure(through(dropbear));
    expect(error).toMatchObject({ code: 'lamassu/ssh-authentication' });
    expect(error.message).toContain('dropbear');
    expect(error.hint).toContain('Dropbear');
  });
});
