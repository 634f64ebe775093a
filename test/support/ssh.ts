import { createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';

/** At which step the server goes wrong; it can be changed while the server runs. */
type SshFault =
  | 'silent' // accepts the TCP connection and says nothing
  | 'hang-authentication'
  | 'refuse-authentication'
  | 'hang-forward'
  | 'refuse-forward'
  | 'hang-data'; // opens the channel and carries nothing

export interface SshServer {
  host: string;
  port: number;
  user: string;
  /** The client's key, in OpenSSH's format. */
  privateKey: string;
  publicKey: string;
  hostKey: { fingerprint: string; line: string };
  fault: SshFault | undefined;
  /** What clients asked for, in order. */
  log: ('connection' | 'authentication' | 'forward')[];
  /** Bytes after which the next channel is cut. */
  cutAfter: number | undefined;
  /** Cuts every connection at once, without a goodbye. */
  drop(): void;
  close(): Promise<void>;
}

/** An SSH server in this process that only forwards, and only to `target`, written exactly so. */
export async function startSshServer(target: { host: string; port: number }): Promise<SshServer> {
  const hostPair = generateKeyPair();
  const clientPair = generateKeyPair();
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [hostPair.private] });
  const tcp = createServer({ noDelay: true }, (socket) => {
    server.log.push('connection');
    track(sockets, socket);
    if (server.fault !== 'silent') ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');

  const server: SshServer = {
    host: '127.0.0.1',
    port: address.port,
    user: 'aio-dca',
    privateKey: clientPair.private,
    publicKey: clientPair.public,
    hostKey: describe(hostPair.public),
    fault: undefined,
    log: [],
    cutAfter: undefined,
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      server.drop();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };

  ssh.on('connection', (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => {
      server.log.push('authentication');
      if (server.fault === 'hang-authentication') return;
      const accepted =
        server.fault !== 'refuse-authentication' && isClient(context, server.user, clientPair.public);
      if (accepted) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('request', (_accept, reject) => reject?.());
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      server.log.push('forward');
      if (server.fault === 'hang-forward') return;
      if (server.fault === 'refuse-forward' || destIP !== target.host || destPort !== target.port) {
        reject();
        return;
      }
      const out = connect({ host: target.host, port: target.port, noDelay: true });
      track(sockets, out);
      out.once('error', () => reject());
      out.once('connect', () => {
        const channel = accept();
        channel.on('error', () => undefined);
        connection.once('close', () => out.destroy());
        channel.on('close', () => out.destroy());
        out.on('close', () => channel.end());
        if (server.fault === 'hang-data') return;
        channel.pipe(out);
        let carried = 0;
        out.on('data', (chunk: Buffer) => {
          carried += chunk.length;
          if (server.cutAfter !== undefined && carried > server.cutAfter) server.drop();
          else channel.write(chunk);
        });
      });
    });
  });
  return server;
}

/** An ed25519 pair. About one in 400 that ssh2 1.17 makes is malformed: then another is made. */
export function generateKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** Waits until `done` is true, for a condition that nothing announces. */
export async function until(
  done: () => boolean | Promise<boolean>,
  what: string,
  ms = 30_000,
): Promise<void> {
  const end = Date.now() + ms;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await sleep(10);
  }
}

function isClient(context: ssh2.AuthContext, user: string, publicKey: string): boolean {
  if (context.method !== 'publickey' || context.username !== user) return false;
  const key = ssh2.utils.parseKey(publicKey);
  if (key instanceof Error) throw key;
  if (!context.key.data.equals(key.getPublicSSH())) return false;
  return !context.signature || key.verify(context.blob ?? '', context.signature, context.hashAlgo) === true;
}

function describe(publicKey: string): { fingerprint: string; line: string } {
  const [type = '', blob = ''] = publicKey.split(' ');
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
  return { fingerprint: `SHA256:${digest.replace(/=+$/, '')}`, line: `${type} ${blob}` };
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => sockets.delete(socket));
}
