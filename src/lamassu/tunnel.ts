import type { Duplex } from 'node:stream';
import type ssh2 from 'ssh2';
import type { Secret } from '../config/secret.ts';
import { BridgeError, type ErrorCode } from '../errors.ts';
import { CHECK_NAME, isUnresolved } from '../lib/unresolved.ts';
import { within } from './deadline.ts';
import { HandshakeError, type Heard, logIn, type Place, type SshSession } from './handshake.ts';
import {
  algorithmsOf,
  type HostKey,
  hostKeyKinds,
  isPinned,
  keyText,
  kindOf,
  kindsOf,
  kindsToAsk,
  pinnedFingerprint,
} from './host-keys.ts';
import { readPrivateKey } from './ssh-key.ts';
import { networkReason } from './tcp.ts';

export interface SshOptions {
  host: string;
  port: number;
  user: string;
  /** In OpenSSH's or PKCS#1 format. */
  privateKey: Secret;
  passphrase?: Secret | undefined;
  /** The keys that the server may show, each as `SHA256:…` or as a whole line `ssh-ed25519 AAAA…`. */
  hostKeys: readonly string[];
}

/** An open connection to PostgreSQL. `lost` is the error of the SSH connection below it, if there was one. */
export interface Hop {
  stream: Duplex;
  lost(): Error | undefined;
  /** Closes everything at once; may be called again. */
  close(): void;
}

/**
 * A tunnel through the SSH server to `target`, as seen from that server. Requests a pinned host key, and compares it
 * before it sends anything about user or key. `deadline` is for each step, in milliseconds.
 *
 * Errors: lamassu/ssh-key, ssh-unreachable, ssh-host-key, ssh-algorithms, ssh-authentication,
 * ssh-forbidden, ssh-forward.
 */
export async function openTunnel(ssh: SshOptions, target: Place, deadline: number): Promise<Hop> {
  const { type } = readPrivateKey(
    ssh.privateKey.reveal(),
    ssh.passphrase,
    'The private key for SSH cannot be used',
  );
  const { client, broken, close } = await logInPinned(ssh, type, deadline);
  try {
    const stream = await forward(client, ssh, target, deadline);
    stream.on('error', () => undefined);
    client.once('close', () => stream.destroy());
    return { stream, lost: broken, close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * A server has host keys of several kinds, and shows one of the kind that is requested first. So this requests one kind
 * after the other until the server shows a pinned key. If none of its keys is pinned, it is another server.
 */
async function logInPinned(ssh: SshOptions, kind: string, deadline: number): Promise<SshSession> {
  const login = {
    username: ssh.user,
    privateKey: ssh.privateKey.reveal(),
    ...(ssh.passphrase && { passphrase: ssh.passphrase.reveal() }),
  };
  const accept = (key: HostKey) => isPinned(ssh.hostKeys, key);
  const shown: HostKey[] = [];
  // The kinds that the server has and has not shown yet.
  let others: string[] = [];
  for (let kinds = kindsToAsk(ssh.hostKeys); kinds.length > 0; ) {
    try {
      return await logIn(ssh, login, algorithmsOf(kinds), accept, deadline);
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw unreachable(ssh, networkReason(error), error);
      const { heard } = error;
      const offered = kindsOf(heard.theirs.get(HOST_KEYS) ?? []);
      if (heard.shown && !accept(heard.shown)) shown.push(heard.shown);
      else if (heard.nothingIn !== HOST_KEYS || offered.length === 0)
        throw loginError({ ...ssh, kind }, error);
      others = offered.filter((one) => !shown.some(({ line }) => kindOf(line) === one));
      kinds = kinds.filter((one) => others.includes(one));
    }
  }
  shown.push(...(await readHostKeys(ssh, deadline, others).catch(() => [])));
  throw wrongHostKey(ssh, shown);
}

const HOST_KEYS = 'Host key format';

/**
 * Every host key of these kinds that an SSH server has. Sends nothing about user or key. Errors:
 * lamassu/ssh-unreachable, ssh-algorithms.
 */
export async function readHostKeys(
  place: Place,
  deadline = 15_000,
  kinds: readonly string[] = hostKeyKinds,
): Promise<HostKey[]> {
  const keys: HostKey[] = [];
  for (let left = kinds; left.length > 0; ) {
    try {
      (await logIn(place, { username: 'nobody' }, algorithmsOf(left), () => false, deadline)).close();
      break;
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw unreachable(place, networkReason(error), error);
      const { shown, theirs } = error.heard;
      if (!shown) throw loginError(place, error);
      keys.push(shown);
      const offered = kindsOf(theirs.get(HOST_KEYS) ?? []);
      left = left.filter((kind) => kind !== kindOf(shown.line) && offered.includes(kind));
    }
  }
  return keys;
}

/** Who logs in where; no login without a user. `kind` is the kind of the key. */
type Login = Place & { user?: string; kind?: string };

/** The error for a handshake that failed before the host key was shown, or after it was accepted. */
function loginError(place: Login, error: HandshakeError): BridgeError {
  const { heard, cause } = error;
  const { nothingIn } = heard;
  if (nothingIn !== undefined) return noneInCommon(place, nothingIn, heard, cause);
  if (cause instanceof Error && 'level' in cause && cause.level === 'client-authentication') {
    return refusedLogin(place, heard, cause);
  }
  const said = heard.software === undefined && heard.first ? `, after “${heard.first}”` : '';
  return unreachable(place, `${networkReason(cause)}${said}`, cause);
}

function noneInCommon({ host, port }: Place, what: string, heard: Heard, cause: unknown): BridgeError {
  const words: Record<string, string> = {
    'KEX method': 'key exchange algorithm',
    [HOST_KEYS]: 'host key algorithm',
    'C->S cipher': 'cipher',
    'S->C cipher': 'cipher',
  };
  const noun = words[what] ?? what.replace(/^[CS]->[CS] /, '');
  const list = (names: string[] | undefined) => names?.join(', ') || 'none';
  return new BridgeError(
    'lamassu/ssh-algorithms',
    `The SSH server ${host}:${port}${software(heard)} has no ${noun} in common with this program. It has: ${list(heard.theirs.get(what))}. This program has: ${list(heard.ours.get(what))}.`,
    'Let sshd there offer one of these (KexAlgorithms, HostKeyAlgorithms, Ciphers, MACs in sshd_config), or upgrade it.',
    { cause },
  );
}

function refusedLogin(
  { host, port, user, kind }: Login,
  { wants = [], acceptedKey, takes, ...heard }: Heard,
  cause: unknown,
): BridgeError {
  const server = `The SSH server ${host}:${port}${software({ ...heard })}`;
  const refuse = (what: string, hint: string) =>
    new BridgeError('lamassu/ssh-authentication', `${server} ${what}.`, hint, { cause });
  if (acceptedKey && wants.length > 0 && !wants.includes('publickey')) {
    return refuse(
      `accepted the key of user ${user}, and wants more: ${wants.join(', ')}`,
      `A program has no second factor, so a key has to be enough for this user: \`AuthenticationMethods publickey\` under \`Match User ${user}\` in sshd_config.`,
    );
  }
  if (acceptedKey) {
    return refuse(
      `knows the key of user ${user} but refuses the login`,
      `Perhaps the account is locked or has expired there, or a rule of the server refuses it; sshd's log says more.`,
    );
  }
  if (wants.length > 0 && !wants.includes('publickey')) {
    return refuse(
      `takes no key from user ${user}, only: ${wants.join(', ')}`,
      "Perhaps PubkeyAuthentication is off in sshd_config, or the user may not log in; sshd's log says more.",
    );
  }
  if (takes && kind !== undefined && !algorithmsOf([kind]).some((one) => takes.includes(one))) {
    return refuse(
      `takes no key of the kind ${kind}, which this one is; it takes: ${takes.join(', ')}`,
      'Make a key of one of these kinds for it, or let PubkeyAcceptedAlgorithms in sshd_config take this one.',
    );
  }
  return refuse(
    `refuses user ${user} with this key${wants.length > 0 ? ` (it takes: ${wants.join(', ')})` : ''}`,
    `Most often the public key is not in the authorized_keys of ${user} there. Other causes are options before the key that this server does not know (Dropbear has no \`port-forwarding\`), the owner of that file, a rule for users, or a kind of key that it does not accept; sshd's log says more.`,
  );
}

function software({ software: name }: Pick<Heard, 'software'>): string {
  return name === undefined ? '' : ` (${name})`;
}

async function forward(
  client: ssh2.Client,
  ssh: SshOptions,
  { host, port }: Place,
  deadline: number,
): Promise<Duplex> {
  const opened = new Promise<Duplex>((resolve, reject) => {
    client.once('error', reject);
    client.once('close', () => reject(new Error('the SSH connection was closed')));
    // If the connection is gone already, this may throw at once, or never call back.
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
  try {
    return await within(deadline, opened, () => new Error('no answer in time'));
  } catch (error) {
    const { code, why, hint } = forwardRefused(error, `${host}:${port}`);
    throw new BridgeError(
      code,
      `The SSH server ${ssh.host}:${ssh.port} opens no tunnel to ${host}:${port}: ${why}.`,
      hint,
      { cause: error },
    );
  }
}

/** The server's reason (RFC 4254, 5.1), and its likely cause. */
function forwardRefused(error: unknown, target: string): { code: ErrorCode; why: string; hint: string } {
  const said = networkReason(error).replace(/^\(SSH\) Channel open failure: /, '');
  const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
  const listens = `PostgreSQL has to listen at ${target}, as seen from the SSH server`;
  const permit = `permitopen in authorized_keys has to say "${target}" exactly (localhost and 127.0.0.1 are not the same)`;
  if (reason === 1) {
    return {
      code: 'lamassu/ssh-forbidden',
      why: `it is administratively prohibited${said === '' ? '' : ` ("${said}")`}`,
      hint: `Either ${permit}; or forwarding is off: AllowTcpForwarding, PermitOpen or DisableForwarding in sshd_config, or no \`port-forwarding\` after \`restrict\` in the line of the key.`,
    };
  }
  const code = 'lamassu/ssh-forward';

  const why = reason === 2 ? `it cannot connect there ("${said}")` : said;
  return { code, why, hint: `${listens}, and ${permit}.` };
}

function unreachable({ host, port }: Place, why: string, cause?: unknown): BridgeError {
  return new BridgeError(
    'lamassu/ssh-unreachable',
    `The SSH server ${host}:${port} does not answer as one: ${why}.`,
    isUnresolved(cause)
      ? CHECK_NAME
      : 'Check that the host is up, that sshd listens on that port, and that no firewall is in between.',
    { cause },
  );
}

function wrongHostKey(ssh: SshOptions, shown: readonly HostKey[]): BridgeError {
  const pinned = ssh.hostKeys.map((one) => [kindOf(one), pinnedFingerprint(one)].filter(Boolean).join(' '));
  const keys = shown.map(keyText).join(', ') || 'none';
  return new BridgeError(
    'lamassu/ssh-host-key',
    `The SSH server ${ssh.host}:${ssh.port} showed host key ${keys}, expected ${pinned.join(' or ') || 'one that is pinned'}. Nothing was sent to it.`,
    'Somebody may be intercepting the connection, or the server got new keys. On the server’s own console, run ' +
      '`for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done`. Only if it says the same, change host_key.',
  );
}
