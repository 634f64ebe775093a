import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

/** Logs go to stderr: stdout is for answers. Lines of JSON, or plain text on a terminal. */
export function makeLogger(level: string): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const stderr = pino.destination({ fd: 2, sync: true });
  if (!process.stderr.isTTY) return pino(options, stderr);
  // In this process: as pino's transport it would be a worker with a file of its own, which the bundle has not.
  const words = prettyFactory({ translateTime: 'SYS:HH:MM:ss' });
  return pino(options, { write: (line: string) => stderr.write(words(line)) });
}
