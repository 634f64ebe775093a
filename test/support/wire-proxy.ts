import { connect, createServer, type Socket } from 'node:net';
import { commitsItself } from './commits.ts';

/**
 * `half`: the client has half of the answer. `after`: the server has answered, and the client got nothing of it yet.
 */
export type WirePhase = 'before' | 'after' | 'half';

export interface WireProxy {
  port: number;
  /** How many of the statements that it counts came by. */
  count: number;
  /**
   * Told of each of them, and waited for: before the server gets it, when it has answered, and half-way through the
   * answer. `drop` cuts the connection.
   */
  onStatement: ((n: number, phase: WirePhase) => Promise<'drop' | undefined>) | undefined;
  close(): Promise<void>;
}

/**
 * A TCP proxy in front of PostgreSQL that counts the statements that `counts` knows by the message they begin with, and
 * by whether a transaction is going on.
 */
export async function startWireProxy(
  target: { host: string; port: number },
  counts: (message: Buffer, inTransaction: boolean) => boolean,
): Promise<WireProxy> {
  const sockets = new Set<Socket>();
  const tcp = createServer({ noDelay: true }, (client) => {
    const server = connect({ ...target, noDelay: true });
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
    let current = 0;
    let inTransaction = false;
    const told = async (n: number, phase: WirePhase) => {
      if ((await proxy.onStatement?.(n, phase)) === 'drop') throw new Error('dropped');
    };
    const fromClient = async (chunk: Buffer) => {
      // A client of PostgreSQL sends the next statement only after the answer, so one is one chunk.
      if (counts(chunk, inTransaction)) {
        proxy.count += 1;
        current = proxy.count;
        await told(current, 'before');
      }
      server.write(chunk);
    };
    const fromServer = async (chunk: Buffer) => {
      inTransaction = transactionAfter(chunk) ?? inTransaction;
      const n = current;
      current = 0;
      if (n === 0) {
        client.write(chunk);
        return;
      }
      await told(n, 'after');
      const half = Math.ceil(chunk.length / 2);
      client.write(chunk.subarray(0, half));
      await told(n, 'half');
      client.write(chunk.subarray(half));
    };
    inOrder(client, fromClient, cut);
    inOrder(server, fromServer, cut);
  });
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const proxy: WireProxy = {
    port: address.port,
    count: 0,
    onStatement: undefined,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  };
  return proxy;
}

/*
 * Messages of PostgreSQL's protocol: a letter, the length, and what it says
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html). `Q` is a whole query, `P` begins one with
 * parameters.
 */

export function isCommit(message: Buffer, inTransaction: boolean): boolean {
  if (!isQuery(message)) return false;
  // A statement with parameters has a name before it.
  const [name = '', statement = ''] = message.toString('latin1', 5).split('\0', 2);
  const text = message[0] === 0x51 ? name : statement;
  return text.toLowerCase() === 'commit' || (!inTransaction && commitsItself(text));
}

export function isQuery(message: Buffer): boolean {
  return message[0] === 0x51 || message[0] === 0x50;
}

/** What the end of an answer (`Z`, with a state) tells; undefined if this is not one. */
function transactionAfter(answer: Buffer): boolean | undefined {
  const end = answer.subarray(-6);
  return end.toString('latin1', 0, 5) === 'Z\0\0\0\x05' ? end[5] !== 0x49 : undefined;
}

/** Data that arrive during a wait, wait as well. */
function inOrder(socket: Socket, handle: (chunk: Buffer) => Promise<void>, cut: () => void): void {
  let last = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    last = last.then(() => handle(chunk)).catch(cut);
  });
}
