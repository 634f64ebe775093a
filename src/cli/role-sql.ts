import type { Command } from 'commander';
import { answer, inputOf } from './call.ts';

export function register(program: Command): void {
  program
    .command('role-sql')
    .description('print the SQL that creates the read-only role in Lamassu’s database')
    .option('--user <name>', 'name of the role (default: [lamassu] user)')
    .option('--database <name>', 'Lamassu’s database (default: [lamassu] database)')
    .addHelpText(
      'after',
      '\nWith both options no configuration is needed.\n' +
        '\nExample:\n  aio-dca role-sql > role.sql\n' +
        '  sudo -u postgres psql -v ON_ERROR_STOP=1 -d lamassu -f role.sql   (on the Lamassu server)',
    )
    .action(async (options: object, command: Command) => {
      const { makeRoleSql } = await import('../operations/role-sql.ts');
      await answer(command, makeRoleSql, inputOf(options), ({ sql }) => sql.trimEnd());
    });
}
