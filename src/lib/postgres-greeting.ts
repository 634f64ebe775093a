import type { Duplex } from 'node:stream';

/**
 * A PostgreSQL server begins with a shorter message: a request for the password, or a refusal. libpq has the same
 * limit.
 */
const LONGEST = 30_000;

/**
 * Ends a connection if something other than PostgreSQL answers. pg would read the first bytes as the length of a
 * message and buffer up to four gigabytes.
 */
export function expectPostgresql<Stream extends Duplex>(stream: Stream): Stream {
  stream.once('data', (bytes: Buffer) => {
    // A server with TLS sends a single letter first.
    if (bytes.length < 5 || bytes.readUInt32BE(1) <= LONGEST) return;
    stream.emit('error', new Error("Connection terminated: the answer is not PostgreSQL's"));
    stream.destroy();
  });
  return stream;
}
