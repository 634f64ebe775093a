import { type Logger, pino } from 'pino';

/** Logs go to stderr: stdout is for answers. Lines of JSON, or words for a person at a terminal. */
export function makeLogger(level: string): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ fd: 2, sync: true }));
  return pino({
    ...options,
    transport: {
      target: 'pino-pretty',
      options: { destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss' },
    },
  });
}
