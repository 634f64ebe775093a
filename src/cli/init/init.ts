import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { authorizedKeysLine, roleSql } from '../../lamassu/role-sql.ts';
import type { Ledger } from '../../ledger/store/open.ts';
import { now } from '../../time.ts';
import { type Cli, makeCli, untilSignal, usage } from '../context.ts';
import type { Answers } from './answers.ts';
import type { NewFile } from './files.ts';
import type { InitOptions } from './options.ts';
import { initPage, type Made, nextSteps, roleFor } from './page.ts';

export function register(program: Command): void {
  program
    .command('init')
    .description('ask what the configuration needs, try it, write config.toml, and create the ledger')
    .option('--timezone <zone>', 'zone of local days, like America/Guatemala')
    .option('--start-at <time>', 'cash-outs confirmed earlier are never paid automatically')
    .option('--ssh-host <host[:port]>', 'the SSH server in front of Lamassu’s PostgreSQL')
    .option('--direct', 'PostgreSQL is reached without SSH')
    .option('--host-key <key>', 'the key of the SSH server, SHA256:…')
    .option('--ssh-user <name>', 'the user there (default: aio-dca)')
    .option('--ssh-key-file <file>', 'a private key for it (default: one is made)')
    .option('--ssh-passphrase-file <file>', 'holds the passphrase of that key')
    .option('--lamassu-host <host[:port]>', 'PostgreSQL as the SSH server sees it (default: 127.0.0.1:5432)')
    .option('--database <name>', 'Lamassu’s database (default: lamassu)')
    .option('--lamassu-user <name>', 'the role that may only read (default: aio_dca)')
    .option('--lamassu-password-file <file>', 'its password (default: one is made)')
    .option('--tls <kind>', 'disable, require or verify-full, without SSH (default: disable)')
    .option('--ca-file <file>', 'for verify-full: the certificate that signed the server’s')
    .option('--lnbits-url <url>', 'the address of LNbits')
    .option('--lnbits-ca-file <file>', 'the certificate that signed LNbits’, where it is one of your own')
    .option('--insecure-http', 'an http:// LNbits on another host is meant, though keys go unencrypted')
    .option('--source-wallet-key-file <file>', 'holds the admin key of the wallet that pays')
    .option('--credit-source', 'LNbits’ superuser credits the source wallet: docs/crediting.md')
    .option('--no-credit-source', 'nobody does (default)')
    .option('--superuser <name>', 'with --credit-source: the user name of LNbits’ superuser')
    .option('--superuser-password-file <file>', 'with --credit-source: holds the superuser’s password')
    .option(
      '--ledger-url <url>',
      'sqlite:FILE or postgresql://user@host/database (default: sqlite:ledger.sqlite)',
    )
    .option('--ledger-password-file <file>', 'holds the password for PostgreSQL')
    .option('--no-test', 'reach nothing before the files are written')
    .addHelpText(
      'after',
      '\nWrites to the file of --config, $AIO_DCA_CONFIG or ./config.toml, and secrets into files beside it, which' +
        '\nonly you can read; so run it as the user who will run the bridge. Secrets that are there already are used.' +
        '\nNothing is written before every answer is known. Without a terminal it asks nothing.' +
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
      const { askAll } = await import('./answers.ts');
      const { startInterview } = await import('./interview.ts');
      const replace = existsSync(file);
      if (replace) await mayReplace(cli, file);
      const answers = await askAll(await startInterview(options), options, folder);
      const made = await write(cli, answers, file, replace);
      cli.answer(made, initPage(made));
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

/** The secrets, the ledger and the configuration, or nothing of it but the ledger. */
async function write(cli: Cli, answers: Answers, file: string, replace: boolean): Promise<Made> {
  const { placeFiles, standing } = await import('./files.ts');
  const { renderConfig, renderSecrets } = await import('./render.ts');
  const { placedLedger } = await import('./checks.ts');
  const { openLedger } = await import('../../ledger/store/open.ts');
  const folder = dirname(file);
  const config: NewFile = { path: file, text: renderConfig(answers), replace };
  const secrets: NewFile[] = [];
  for (const secret of renderSecrets(answers, folder)) {
    const other = standing(secret.path, secret.text) === 'other';
    if (other) await mayReplace(cli, secret.path);
    secrets.push({ ...secret, replace: other });
  }
  // From here on Ctrl-C waits: what is begun is finished, or taken back.
  untilSignal();
  const place = { ...answers.ledger, url: placedLedger(answers.ledger.url, folder) };
  const ledger = await placeFiles(config, secrets, async () => {
    const made = await openLedger({ ...place, use: 'create' });
    await made.close();
    return made;
  });
  return summary(answers, file, [config, ...secrets], ledger);
}

function summary(answers: Answers, file: string, files: NewFile[], { id, url, schema }: Ledger): Made {
  const { ssh, lamassu, found, startAt } = answers;
  const { machines = [], tooMuch = [], harmful = [] } = found && 'machines' in found ? found : {};
  const user = roleFor(lamassu.user, harmful);
  return {
    config: file,
    files: files.map(({ path }) => path),
    ledger: { id, url, schema },
    lamassu: {
      readable: found === undefined ? null : 'machines' in found,
      machines,
      user: lamassu.user,
      too_much: tooMuch,
      missing: found && 'missing' in found ? found.missing.message : null,
    },
    ssh: ssh
      ? {
          user: ssh.user,
          host: ssh.host,
          authorized_keys: authorizedKeysLine(ssh.key.publicKey, lamassu.host, lamassu.port),
          authorized_keys_dropbear: authorizedKeysLine(
            ...([ssh.key.publicKey, lamassu.host, lamassu.port, 'dropbear'] as const),
          ),
        }
      : null,
    start_at: startAt,
    early: startAt > now(),
    role: user,
    role_sql: roleSql({ user, database: lamassu.database }),
    next: nextSteps(file),
  };
}
