import type { Command } from 'commander';
import { DEFAULT_LIMIT } from '../typed/limit.ts';

export { parseLimit } from '../typed/limit.ts';

/** `--limit N` of a list that grows for years. */
export function withLimit(command: Command): Command {
  return command.option('--limit <n>', `the newest n (default: ${DEFAULT_LIMIT})`);
}

/** Says on stderr that a list is not all there is: what reads its stdout must not take it for the whole. */
export function tellMore({ rows, total }: { rows: unknown[]; total: number }): void {
  if (rows.length < total)
    console.error(`The newest ${rows.length} of ${total}; --limit ${total} shows all.`);
}
