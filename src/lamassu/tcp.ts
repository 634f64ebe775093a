import { connect, type Socket } from 'node:net';

/**
 * A connected TCP socket that keeps itself alive and sends at once. Rejects with Node's error, or with one of code
 * `ETIMEDOUT` after `deadline` milliseconds. A later error only closes the socket.
 */
export async function dial(host: string, port: number, deadline: number): Promise<Socket> {
  // Nagle's algorithm would cost more than everything else, in the SSH handshake most of all.
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    }, deadline);
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** What a network error says, for a sentence. One of several addresses has its words inside and none itself. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens on that port (ECONNREFUSED)';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name cannot be resolved (${code})`;
    case 'ETIMEDOUT':
      return 'no answer in time (ETIMEDOUT)';
    default:
      return error.message || code || 'unknown network error';
  }
}
