import { type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { Message } from '../../lib/message.ts';
import { toInstant } from '../../time.ts';
import { asWritten } from './clean.ts';
import { formatTime } from './figures.ts';
import { atLevel, isJournal, levelOf } from './journal.ts';
import { inCommandWords } from './words.ts';

/**
 * Logs go to stderr: stdout is for answers. Lines of JSON; plain text on a terminal, with local times of `timezone`,
 * and, unless JSON was asked for, in systemd's journal.
 */
export function makeLogger(level: string, timezone: string, json = false): Logger {
  const options = {
    ...{ level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    formatters: { log: written },
  };
  const stderr = pino.destination({ fd: 2, sync: true });
  if (!json && isJournal(2)) return pino(options, { write: (line: string) => stderr.write(inJournal(line)) });
  if (!process.stderr.isTTY) return pino(options, stderr);
  // pino-pretty runs in this process: as a pino transport it needs a worker file, which the bundle does not have.
  const words = prettyFactory({
    translateTime: false,
    customPrettifiers: { time: (at) => `[${formatTime(toInstant(Date.parse(`${at}`)), timezone)}]` },
  });
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

/**
 * A line of JSON in words, for the journal, which has the time: `lnbits/balance: the source wallet … (run r7)`. A hint,
 * or where a defect happened, is below.
 */
export function inJournal(line: string): string {
  const { level, time: _, msg, code, hint, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const { message = undefined, stack = message } = (err ?? {}) as Record<string, unknown>;
  const fields = Object.entries(rest).map(([name, value]) => `${name} ${plain(value)}`);
  const first = `${code ? `${plain(code)}: ` : ''}${plain(msg)}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`;
  const below = [hint, stack].filter((more) => more).flatMap((more) => plain(more).split('\n'));
  const lines = [...first.split('\n'), ...below].map((one, index) => (index === 0 ? one : `  ${one.trim()}`));
  return `${lines.map((one) => atLevel(levelOf(level), one)).join('\n')}\n`;
}

function plain(value: unknown): string {
  return asWritten(typeof value === 'string' ? value : JSON.stringify(value));
}
