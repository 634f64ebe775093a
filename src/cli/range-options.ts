import type { Command } from 'commander';

export { parseRange, type RangeInput as RangeOptions } from '../typed/range.ts';

/** Adds `--from` and `--to`. */
export function rangeOptions(command: Command): Command {
  return command
    .option('--from <day>', 'from this local day on, or a time with its zone')
    .option('--to <day>', 'up to and with this local day, or a time with its zone');
}
