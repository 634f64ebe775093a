import type { Command } from 'commander';
import { define } from './command/options.ts';
import type { InitOptions } from './init/init-options.ts';

export function register(program: Command): void {
  define(
    program,
    'init',
    'ask what the configuration needs, try it, write config.toml, and create the ledger',
  )
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
      'sqlite:FILE or postgresql://user@host/database (default: sqlite:ledger.sqlite; in /etc/aio-dca: sqlite:/var/lib/aio-dca/ledger.sqlite)',
    )
    .option('--ledger-password-file <file>', 'holds the password for PostgreSQL')
    .option('--no-test', 'write the files without testing any connection')
    .addHelpText(
      'after',
      '\nWrites to the file of --config or $AIO_DCA_CONFIG; by default root and aio-dca write to' +
        ' /etc/aio-dca/config.toml, others to ./config.toml. Secrets, the line for authorized_keys and role.sql go' +
        ' into files beside it. Only their owner can read them: who runs this, or, where root runs it in' +
        ' /etc/aio-dca, the user aio-dca. Secrets that are there already are used.' +
        ' Nothing is written before every answer is known. Without a terminal it asks nothing.' +
        '\n\nExamples:\n  sudo aio-dca init' +
        '\n  aio-dca --config /etc/aio-dca/config.toml init --timezone America/Guatemala --start-at 2026-11-01' +
        ' --ssh-host atm.example.org --host-key SHA256:… --lnbits-url https://lnbits.example.org' +
        ' --source-wallet-key-file source.key',
    )
    .action(async (options: InitOptions, command: Command) => {
      const { makeInstallation } = await import('./init/make.ts');
      await makeInstallation(options, command);
    });
}
