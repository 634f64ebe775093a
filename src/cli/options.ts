import type { Command } from 'commander';
import { DEFAULT_LIMIT } from '../typed/limit.ts';

/* Options that several commands have, each written once. */

/** `--reason`, for a change that the operator may explain: it is kept in the log. */
export function reasonOption(command: Command): Command {
  return command.option('--reason <text>', 'why, for the log');
}

/** `--limit N` of a list that grows for years. */
export function withLimit(command: Command): Command {
  return command.option('--limit <n>', `the newest n (default: ${DEFAULT_LIMIT})`);
}

/** `--from` and `--to`. */
export function withRange(command: Command): Command {
  return command
    .option('--from <day>', 'from this local day on, or a time with its zone')
    .option('--to <day>', 'up to and with this local day, or a time with its zone');
}

/**
 * Marks `-50 GTQ` as an argument, which commander would take for an unknown option. A leading blank does that; the
 * parser of the amount ignores it.
 */
export function takesNegative(command: Command): void {
  const parse = command.parseOptions.bind(command);
  command.parseOptions = (args) =>
    parse(
      args.map((arg, index) => {
        const before = command.options.find((option) => option.long === args[index - 1]);
        return /^-\s*[\d.]/.test(arg) && !before?.required ? ` ${arg}` : arg;
      }),
    );
}
