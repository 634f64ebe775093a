import { fstatSync } from 'node:fs';

/*
 * systemd's journal keeps each line by itself, at the level in front of it (sd-daemon(3)): `<3>` is an error, `<4>` a
 * warning, `<6>` information, `<7>` for debugging.
 */

type Level = 2 | 3 | 4 | 6 | 7;

/** A line with an error, as `printError` and the pages write it: `lnbits/balance: the source wallet …`. */
const ERROR = /^[a-z-]+\/[a-z-]+: /;

/**
 * Whether `fd` is the journal: $JOURNAL_STREAM has its device and inode (systemd.exec(5)). Programs in a pipeline
 * inherit the variable, and write into the pipe.
 */
export function isJournal(fd: 1 | 2, env: NodeJS.ProcessEnv = process.env): boolean {
  if (!env.JOURNAL_STREAM) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return env.JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Text for people, as it is; if `fd` is the journal, with the level of each line. */
export function forPeople(fd: 1 | 2, text: string, level: Level = 6): string {
  return isJournal(fd) ? withLevels(text, level) : text;
}

/** The heading of `status` for what needs the operator. */
const ATTENTION = /^Needs the operator:$/;

/**
 * Errors are at the level of errors, what needs the operator at that of warnings, each with the indented lines below;
 * all else is at `level`.
 */
export function withLevels(text: string, level: Level = 6): string {
  let current = level;
  return text.replace(/^.+$/gm, (line) => {
    if (ERROR.test(line)) current = 3;
    else if (ATTENTION.test(line)) current = 4;
    else if (!line.startsWith('  ')) current = level;
    return atLevel(current, line);
  });
}

export function atLevel(level: Level, line: string): string {
  return `<${level}>${line}`;
}

/** The journal's level of one of pino's: fatal, error, warn, info; what is below is for debugging. */
export function levelOf(pino: unknown): Level {
  const levels: Record<string, Level> = { 60: 2, 50: 3, 40: 4, 30: 6 };
  return levels[`${pino}`] ?? 7;
}
