import type { Duplex } from 'node:stream';

/** More than a PostgreSQL server begins with: it asks for the password, or refuses. libpq goes by the same. */
const LONGEST = 30_000;

/**
 * Ends a connection on which something else than PostgreSQL answers. pg would take the first bytes for the length of a
 * message and gather up to four gigabytes of it.
 */
export function expectPostgresql<Stream extends Duplex>(stream: Stream): Stream {
  stream.once('data', (bytes: Buffer) => {
    // A server with TLS says a single letter first.
    if (bytes.length < 5 || bytes.readUInt32BE(1) <= LONGEST) return;
    stream.emit('error', new Error("Connection terminated: the answer is not PostgreSQL's"));
    stream.destroy();
  });
  return stream;
}
