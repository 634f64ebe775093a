import type { Command } from 'commander';
import { inputOf } from './command/call.ts';
import { define } from './command/options.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(program, 'role-sql', 'print the SQL that creates the read-only role in Lamassu’s database')
    .option('--user <name>', 'name of the role (default: [lamassu] user)')
    .option('--database <name>', 'Lamassu’s database (default: [lamassu] database)')
    .option('--set-password', 'set the password of the configuration, instead of asking for one')
    .addHelpText(
      'after',
      '\nWith both options no configuration is needed.\n' +
        '\nExample:\n  aio-dca role-sql > role.sql\n' +
        '  sudo -u postgres psql -v ON_ERROR_STOP=1 -d lamassu < role.sql   (on the Lamassu server)',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { makeRoleSql } = await import('../operations/role-sql.ts');
      const view = await cli.perform(makeRoleSql, inputOf(command));
      // No line of SQL is broken: after a break, the rest of a comment would be a command.
      cli.answer(view, view.sql.trimEnd());
    });
}
