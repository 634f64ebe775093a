import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import type { MadeView } from '../views/init.ts';
import type { askAll } from './init/answers.ts';
import type { InitOptions } from './init/init-options.ts';
import { initPage, nextSteps } from './pages/init.ts';
import { type Cli, makeCli, usage } from './terminal/context.ts';

export function register(program: Command): void {
  program
    .command('init')
    .description('ask what the configuration needs, try it, write config.toml, and create the ledger')
    .option('--timezone <zone>', 'zone of local days, like America/Guatemala')
    .option('--start-at <time>', 'cash-outs confirmed earlier are never paid automatically')
    .option('--ssh-host <host[:port]>', 'the SSH server in front of Lamassu’s PostgreSQL')
    .option('--direct', 'connect to PostgreSQL without SSH')
    .option('--host-key <key>', 'the key of the SSH server, SHA256:…')
    .option('--ssh-user <name>', 'the user there (default: aio-dca)')
    .option('--ssh-key-file <file>', 'a private key for that user (default: a new one is made)')
    .option('--ssh-passphrase-file <file>', 'holds the passphrase of that key')
    .option('--lamassu-host <host[:port]>', 'PostgreSQL as the SSH server sees it (default: 127.0.0.1:5432)')
    .option('--database <name>', 'Lamassu’s database (default: lamassu)')
    .option('--lamassu-user <name>', 'the role that may only read (default: aio_dca)')
    .option('--lamassu-password-file <file>', 'its password (default: a new one is made)')
    .option('--tls <kind>', 'disable, require or verify-full, without SSH (default: disable)')
    .option('--ca-file <file>', 'for verify-full: the certificate that signed the server’s certificate')
    .option('--lnbits-url <url>', 'the address of LNbits')
    .option(
      '--lnbits-ca-file <file>',
      'the certificate of your own authority, if that signed LNbits’ certificate',
    )
    .option('--insecure-http', 'allow http:// to LNbits on another host; it sends the keys unencrypted')
    .option('--source-wallet-key-file <file>', 'holds the admin key of the wallet that pays')
    .option('--credit-source', 'LNbits’ superuser credits the source wallet: docs/crediting.md')
    .option('--no-credit-source', 'nobody credits it (default)')
    .option('--superuser <name>', 'with --credit-source: the user name of LNbits’ superuser')
    .option('--superuser-password-file <file>', 'with --credit-source: holds the superuser’s password')
    .option(
      '--ledger-url <url>',
      'sqlite:FILE or postgresql://user@host/database (default: sqlite:ledger.sqlite)',
    )
    .option('--ledger-password-file <file>', 'holds the password for PostgreSQL')
    .option('--no-test', 'write the files without testing any connection')
    .addHelpText(
      'after',
      '\nWrites config.toml where --config or $AIO_DCA_CONFIG says, and secrets into files beside it.' +
        ' Only you can read these files, so run it as the user who will run the bridge. It uses secrets that exist already.' +
        ' It writes nothing before every answer is known. Without a terminal it asks nothing.' +
        '\n\nExamples:\n  aio-dca init' +
        '\n  aio-dca --config /etc/aio-dca/config.toml init --timezone America/Guatemala --start-at 2026-11-01 \\' +
        '\n    --ssh-host atm.example.org --host-key SHA256:… --lnbits-url https://lnbits.example.org \\' +
        '\n    --source-wallet-key-file source.key',
    )
    .action(async (options: InitOptions, command: Command) => {
      const cli = makeCli(command);
      const file = resolve(cli.globals.config ?? (process.env.AIO_DCA_CONFIG || 'config.toml'));
      const folder = dirname(file);
      refuseFolder(folder);
      const { askAll } = await import('./init/answers.ts');
      const { startInterview } = await import('./init/interview.ts');
      const replace = existsSync(file);
      if (replace) await mayReplace(cli, file);
      const answers = await askAll(await startInterview(options, cli), options, folder);
      const made = await write(cli, answers, file, replace);
      const next = nextSteps(file);
      cli.answer({ ...made, next }, initPage(made, next));
    });
}

function refuseFolder(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw usage(
      `--config: nothing can be written in ${folder} (${code}).`,
      'Make the folder, owned by the user who will run the bridge.',
    );
  }
}

async function mayReplace(cli: Cli, path: string): Promise<void> {
  await cli.confirm(`${path} is there already. Replace it?`);
}

const HEADING =
  'Made by `aio-dca init`. Relative paths are relative to this file; what is not here has its default.\n' +
  'config.example.toml explains every setting.';

/** Asks about each existing file that would change. `agreed`: the operator agreed to replace the configuration. */
async function write(
  cli: Cli,
  answers: Awaited<ReturnType<typeof askAll>>,
  file: string,
  agreed: boolean,
): Promise<MadeView> {
  const { createInstallation, previewInit } = await import('../operations/init.ts');
  const { settings, found } = answers;
  const input = { file, settings, heading: HEADING };
  const replace = agreed ? [file] : [];
  const plan = await cli.perform(previewInit, input);
  for (const { path, standing } of plan.files) {
    if (standing !== 'other' || path === file) continue;
    await mayReplace(cli, path);
    replace.push(path);
  }
  return cli.perform(createInstallation, { ...input, found, replace });
}
