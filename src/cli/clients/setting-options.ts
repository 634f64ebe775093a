import { type Command, Option } from 'commander';
import { again, reasonOption } from '../command/options.ts';

/** The settings of a client, which it starts with or which change. */
export function withClientSettings(command: Command): Command {
  return reasonOption(command)
    .addOption(
      new Option(
        '--mode <mode>',
        'flow: paid as cash goes out (default); fixed: up to a daily limit, paid at fixed times',
      ).choices(['flow', 'fixed']),
    )
    .option(
      '--daily-limit <amount>',
      'for fixed mode, like "500 GTQ"; once per currency; "none GTQ" removes it',
      again,
    )
    .option(
      '--max-daily-limit <amount>',
      'the highest daily limit that the client may set; "none GTQ" removes it',
      again,
    );
}
