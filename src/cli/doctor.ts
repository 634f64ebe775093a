import type { Command } from 'commander';
import type { CheckView } from '../views/doctor.ts';
import { print } from './command/call.ts';
import { exitCodes } from './command/exit-codes.ts';
import { define } from './command/options.ts';
import { checkLine, doctorPage } from './pages/doctor.ts';
import { type Cli, knownTimezone, makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(program, 'doctor', 'check step by step everything that a run needs, and read the list of machines')
    .addHelpText(
      'after',
      '\nExits 0 unless a check failed; warnings are not failures.' +
        '\n\nExamples:\n  aio-dca doctor\n  aio-dca doctor --json',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { examine } = await import('../operations/doctor.ts');
      const view = await cli.perform(examine, {}, { onCheck: printed(cli) });
      await print(cli, view, view, doctorPage);
      // A failure that no retry helps takes precedence in the exit code over one that may pass.
      process.exitCode =
        [78, 75, 2].find((code) => view.failures.some((kind) => exitCodes[kind] === code)) ?? 0;
    });
}

/** Prints each check as it ends; with `--quiet` only warnings and failures. */
function printed({ globals }: Cli): (check: CheckView) => void {
  return (check) => {
    if (globals.json || (globals.quiet && check.level === 'ok')) return;
    process.stdout.write(`${checkLine(check, knownTimezone())}\n`);
  };
}
