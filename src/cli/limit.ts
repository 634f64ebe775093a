import type { Command } from 'commander';
import { usage } from './context.ts';

const DEFAULT = 50;

/** `--limit N` of a list that grows for years. */
export function withLimit(command: Command): Command {
  return command.option('--limit <n>', `the newest n (default: ${DEFAULT})`);
}

export function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT;
  const limit = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
  if (limit !== undefined) return limit;
  throw usage(`--limit: ${JSON.stringify(text)} is not a number of rows.`, 'Write a whole number, like 200.');
}

/** Says on stderr that a list is not all there is: what reads its stdout must not take it for the whole. */
export function tellMore({ rows, total }: { rows: unknown[]; total: number }): void {
  if (rows.length < total)
    console.error(`The newest ${rows.length} of ${total}; --limit ${total} shows all.`);
}
