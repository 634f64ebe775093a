import type { Socket } from 'node:net';
import ssh2, { type AuthHandlerMiddleware, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import { within } from './deadline.ts';
import { describeKey, type HostKey } from './host-keys.ts';
import { dial } from './tcp.ts';

/*
 * One connection to an SSH server up to the login, and what both sides said meanwhile. ssh2 reports most of that only
 * in debug lines. If their wording changes, error messages lose details, but no decision changes.
 */

/** What the server said. */
export interface Heard {
  /** `OpenSSH_9.2p1 Debian-2`. */
  software: string | undefined;
  /** The first line of its answer, whatever it is: `Exceeded MaxStartups`, `HTTP/1.1 400 Bad Request`. */
  first: string | undefined;
  /** What each side offered: `KEX method`, `Host key format`, `C->S cipher`, `C->S MAC` … */
  ours: Map<string, string[]>;
  theirs: Map<string, string[]>;
  /** The kinds of algorithms for which both sides have none in common. */
  nothingIn: string | undefined;
  /** The last host key that it showed. */
  shown: HostKey | undefined;
  /** The signature algorithms that it accepts at login (RFC 8308); undefined if it did not say. */
  takes: string[] | undefined;
  /** It accepted the key that was offered. */
  acceptedKey: boolean;
  /** The methods that it offers after a failed login; undefined if none failed. */
  wants: string[] | undefined;
}

export interface SshSession {
  client: ssh2.Client;
  socket: Socket;
  heard: Heard;
  /** The error that ended it; undefined before. */
  broken(): Error | undefined;
  close(): void;
}

export interface Place {
  host: string;
  port: number;
}

/** Connects; nothing is sent yet. Rejects with the network's error. */
async function start({ host, port }: Place, deadline: number): Promise<SshSession> {
  const socket = await dial(host, port, deadline);
  const client = new ssh2.Client();
  let broken: Error | undefined;
  // Never removed: a reset may arrive long after the close, and without a listener it would end the process.
  client.on('error', (error) => {
    broken ??= error;
  });
  const heard: Heard = {
    ...{
      software: undefined,
      first: undefined,
      nothingIn: undefined,
      shown: undefined,
      takes: undefined,
      wants: undefined,
    },
    ...{ ours: new Map(), theirs: new Map(), acceptedKey: false },
  };
  return {
    ...{ client, socket, heard, broken: () => broken },
    close: () => {
      client.destroy();
      socket.destroy();
    },
  };
}

/**
 * Logs in if `accept` accepts the host key, which is of one of `algorithms`. On any failure, closes the session and
 * rejects with what the server said.
 */
export async function logIn(
  place: Place,
  login: Pick<ConnectConfig, 'username' | 'privateKey' | 'passphrase'>,
  algorithms: string[],
  accept: (key: HostKey) => boolean,
  deadline: number,
): Promise<SshSession> {
  const session = await start(place, deadline);
  const { client, socket, heard } = session;
  let tried = false;
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('it closed the connection')));
    client.connect({
      ...login,
      sock: socket,
      algorithms: { serverHostKey: algorithms as ServerHostKeyAlgorithm[] },
      authHandler: ((left: string[] | null, _partial: boolean | null) => {
        heard.wants = left ?? heard.wants;
        if (tried) return false;
        tried = true;
        return 'publickey';
      }) as AuthHandlerMiddleware,
      readyTimeout: 0,
      keepaliveInterval: 10_000,
      keepaliveCountMax: 3,
      debug: (line) => hear(heard, line),
      hostVerifier: (key: Buffer) => {
        heard.shown = describeKey(key);
        return accept(heard.shown);
      },
    });
    hearSignatureAlgorithms(client, heard);
    socket.once('data', (bytes: Buffer) => {
      const [line = ''] = bytes.toString('latin1', 0, 100).split(/[\r\n]/);
      heard.first = line.replace(/[^\x20-\x7e]/g, '?');
    });
  });
  try {
    await within(deadline, ready, () => new Error('it did not finish the handshake in time'));
    return session;
  } catch (error) {
    session.close();
    throw new HandshakeError(error, heard);
  }
}

/** A failed handshake: why, and what the server said until then. */
export class HandshakeError extends Error {
  readonly heard: Heard;

  constructor(cause: unknown, heard: Heard) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.heard = heard;
  }
}

/** ssh2's names for algorithms that have another name in messages. */
const NOTHING_IN: Record<string, string> = {
  'key exchange algorithm': 'KEX method',
  'host key format': 'Host key format',
};

function hear(heard: Heard, line: string): void {
  const [, side, what, list] = /^Handshake: \((local|remote)\) (.+?): (.*)$/.exec(line) ?? [];
  if (what !== undefined && list !== undefined) {
    // Markers of protocol extensions are not algorithms.
    const names = list.split(',').filter((name) => name !== '' && !/^(ext-info-|kex-strict-)/.test(name));
    (side === 'local' ? heard.ours : heard.theirs).set(what, names);
  }
  const nothing = /^Handshake: no matching (.+)$/i.exec(line)?.[1];
  if (nothing !== undefined) heard.nothingIn = NOTHING_IN[nothing] ?? nothing;
  heard.software ??= /^Remote ident: .SSH-[\d.]+-([^'"]+)/.exec(line)?.[1];
  if (/Received USERAUTH_PK_OK/.test(line)) heard.acceptedKey = true;
}

/** ssh2 does not expose the accepted signature algorithms, so this reads its internal field, if that still exists. */
function hearSignatureAlgorithms(client: ssh2.Client, heard: Heard): void {
  const protocol: unknown = Reflect.get(client, '_protocol');
  const handlers: unknown =
    typeof protocol === 'object' && protocol !== null ? Reflect.get(protocol, '_handlers') : undefined;
  if (typeof handlers !== 'object' || handlers === null) return;
  const before: unknown = Reflect.get(handlers, 'EXT_INFO');
  if (typeof before !== 'function') return;
  Reflect.set(handlers, 'EXT_INFO', (...args: [unknown, { name: string; algs: string[] }[]]) => {
    heard.takes ??= args[1].find(({ name }) => name === 'server-sig-algs')?.algs;
    before(...args);
  });
}
