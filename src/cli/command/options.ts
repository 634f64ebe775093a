import { type Command, Option } from 'commander';
import { DEFAULT_LIMIT } from '../../typed/limit.ts';

/* What several commands have in their definitions, each written once. */

/** A command, or a verb of a noun. Its help ends with the examples, each without `aio-dca`. */
export function define(parent: Command, name: string, description: string, ...examples: string[]): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  const command = parent.command(name).description(description);
  if (examples.length === 0) return command;
  return command.addHelpText('after', `\n${title}:\n${examples.map((one) => `  aio-dca ${one}`).join('\n')}`);
}

/** `--reason`, for a change that the operator may explain: it is kept in the log. */
export function reasonOption(command: Command): Command {
  return command.option('--reason <text>', WHY);
}

/** `--reason`, for a change that the operator has to explain. */
export function reasonNeeded(command: Command, what = WHY): Command {
  return command.requiredOption('--reason <text>', what);
}

const WHY = 'why, for the log';

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

/** The name and the wallet of a new recipient. */
export function withNewWallet(command: Command): Command {
  return command
    .argument('<name>', '1 to 64 letters, digits, "-", "_" or "."')
    .option(
      '--wallet-key-file <file>',
      'holds the invoice key of the wallet, read once; - is the input (default: asked on the terminal)',
    );
}

/** Another key, or another wallet, of a recipient. */
export function withOtherWallet(command: Command): Command {
  return command
    .option(
      '--wallet-key-file <file>',
      'a new invoice key of the same wallet; - asks on a terminal, or is the input',
    )
    .option('--new-wallet', 'the key belongs to another wallet, which gets everything that was not sent yet');
}

/** `--machine`, or `--any-machine`, which a funding serves. */
export function withMachine(command: Command): Command {
  const one = new Option('--machine <machine>', 'it serves this machine only: device id or name');
  return command
    .addOption(one.conflicts('anyMachine'))
    .option('--any-machine', 'it serves every machine of its currency');
}

/** An option that may be given again: its values, in order. */
export function again(value: string, before: string[] = []): string[] {
  return [...before, value];
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
