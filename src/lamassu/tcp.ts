import { connect, type Socket } from 'node:net';
import { isUnresolved } from '../lib/unresolved.ts';

/**
 * A connected TCP socket with keep-alive and without Nagle's delay. Rejects with Node's error, or with one of code
 * `ETIMEDOUT` after `deadline` milliseconds. A later error only closes the socket.
 */
export async function dial(host: string, port: number, deadline: number): Promise<Socket> {
  // Nagle's algorithm would delay everything, most of all the SSH handshake.
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
  return new Promise((resolve, reject) => {
    // A deadline of the socket, by real time.
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

/** A network error as a clause. An error for several addresses has its text in its parts. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (isUnresolved(error)) return `the name cannot be resolved (${code})`;
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens on that port (ECONNREFUSED)';
    case 'ETIMEDOUT':
      return 'no answer in time (ETIMEDOUT)';
    default:
      return error.message || code || 'unknown network error';
  }
}
