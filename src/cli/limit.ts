import type { Command } from 'commander';
import { parseWhole } from '../typed/numbers.ts';

const DEFAULT = 50;

/** `--limit N` of a list that grows for years. */
export function withLimit(command: Command): Command {
  return command.option('--limit <n>', `the newest n (default: ${DEFAULT})`);
}

export function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT;
  return Number(parseWhole(text, '--limit', 999_999_999n, 'Write a whole number of rows, like 200.'));
}

/** Says on stderr that a list is not all there is: what reads its stdout must not take it for the whole. */
export function tellMore({ rows, total }: { rows: unknown[]; total: number }): void {
  if (rows.length < total)
    console.error(`The newest ${rows.length} of ${total}; --limit ${total} shows all.`);
}
