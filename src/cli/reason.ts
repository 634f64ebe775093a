import type { Command } from 'commander';

/** `--reason`, for a change that the operator may explain: `Cli.who` carries it to the log. */
export function withReason(command: Command): Command {
  return command.option('--reason <text>', 'why, for the log');
}
