import { connect, createServer, type Socket } from 'node:net';

export interface CommitProxy {
  port: number;
  /** How many COMMITs came by. */
  commits: number;
  /** Told of each COMMIT, before the server gets it and after the server has answered, which the client then gets. `drop` cuts the connection. */
  onCommit: ((n: number, phase: 'before' | 'after') => Promise<'drop' | undefined>) | undefined;
  close(): Promise<void>;
}

/** A TCP proxy in front of PostgreSQL that knows a COMMIT when it sees one. */
export async function startCommitProxy(target: { host: string; port: number }): Promise<CommitProxy> {
  const sockets = new Set<Socket>();
  const tcp = createServer({ noDelay: true }, (client) => {
    const server = connect({ ...target, noDelay: true });
    let committing = 0;
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.once('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (chunk: Buffer) => {
      // A client of PostgreSQL sends the next statement only after the answer, so one is one chunk.
      if (!isCommit(chunk)) {
        server.write(chunk);
        return;
      }
      proxy.commits += 1;
      committing = proxy.commits;
      pass(committing, 'before', () => server.write(chunk));
    });
    server.on('data', (chunk: Buffer) => {
      if (committing === 0) client.write(chunk);
      else {
        const n = committing;
        committing = 0;
        pass(n, 'after', () => client.write(chunk));
      }
    });
    const pass = (n: number, phase: 'before' | 'after', on: () => void) => {
      Promise.resolve(proxy.onCommit?.(n, phase)).then((what) => (what === 'drop' ? cut() : on()), cut);
    };
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const proxy: CommitProxy = {
    port: address.port,
    commits: 0,
    onCommit: undefined,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
  return proxy;
}

/** A simple Query message, `Q`, its length, and the text (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
function isCommit(chunk: Buffer): boolean {
  return chunk[0] === 0x51 && chunk.toString('latin1', 5).toLowerCase() === 'commit\0';
}
