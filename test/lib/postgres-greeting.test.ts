import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { expectPostgresql } from '../../src/lib/postgres-greeting.ts';

const passwordWanted = Buffer.from([0x52, 0, 0, 0, 0x17, 0, 0, 0, 0x0a]);
const tooLong = Buffer.from([0x45, 0, 0, 0x75, 0x31, 0x53]);

test.each([
  ['what asks for a password', passwordWanted, true],
  ['the letter before TLS', 'S', true],
  ['HTTP', 'HTTP/1.1 200 OK\r\n', false],
  ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', false],
  ['an error of 30,001 bytes', tooLong, false],
])('%s', async (_, first, goesOn) => {
  const stream = expectPostgresql(new PassThrough());
  const errors: string[] = [];
  stream.on('error', ({ message }) => errors.push(message));
  stream.write(first);
  await new Promise(setImmediate);
  expect(stream.destroyed).toBe(!goesOn);
  expect(errors).toEqual(goesOn ? [] : ["Connection terminated: the answer is not PostgreSQL's"]);
  // Only the beginning is checked.
  if (!goesOn) return;
  stream.write('HTTP/1.1 200 OK\r\n');
  await new Promise(setImmediate);
  expect(stream.destroyed).toBe(false);
});
