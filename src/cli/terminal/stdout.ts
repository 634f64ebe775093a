import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Prints piece by piece. Answers false if the reader closed the pipe, as `head` does. */
export async function toStdout(pieces: AsyncIterable<string>): Promise<boolean> {
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
    throw error;
  }
}
