import type { Command } from 'commander';

/**
 * Takes `-50 GTQ` for an argument, as it is meant, and not for an unknown option: what it begins with is no option of
 * any command. A blank before it tells commander so; what reads the argument takes no notice of it.
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
