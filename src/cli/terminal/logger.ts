import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { Message } from '../../lib/message.ts';
import { inCommandWords } from './words.ts';

/** Logs go to stderr: stdout is for answers. Lines of JSON, or plain text on a terminal. */
export function makeLogger(level: string): Logger {
  const options = {
    ...{ level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    formatters: { log: written },
  };
  const stderr = pino.destination({ fd: 2, sync: true });
  if (!process.stderr.isTTY) return pino(options, stderr);
  // pino-pretty runs in this process: as a pino transport it needs a worker file, which the bundle does not have.
  const words = prettyFactory({ translateTime: 'SYS:HH:MM:ss' });
  return pino(options, { write: (line: string) => stderr.write(words(line)) });
}

/** A message that names operations is logged with the commands that an operator types. */
function written(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Message ? inCommandWords(value) : value,
    ]),
  );
}
