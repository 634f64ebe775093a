import type { Command } from 'commander';
import { answer, inputOf, local, print } from './call.ts';
import { readKey } from './key-file.ts';
import { copiedPage, recoveryPage, sourcePage, sourceQuestion } from './pages/ledger.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('move the ledger, complete a restored backup, or follow a Lamassu that was moved');
  ledger
    .command('recover')
    .description('enter into a restored backup of the ledger what LNbits shows as paid since')
    .option('--dry-run', 'write nothing, show what would be entered')
    .option(
      '--former-wallet-key-file <file>',
      'admin key of a wallet that paid before the present source wallet (may be given again)',
      (file: string, files: string[]) => [...files, file],
      [],
    )
    .option(
      '--other-config <file>',
      'config.toml of another Lamassu server of this ledger (may be given again)',
      (file: string, files: string[]) => [...files, file],
      [],
    )
    .option(
      '--without-former-wallet',
      'declare that a former source wallet is gone and paid nothing that this ledger does not know',
    )
    .option('--hold', 'also book what does not fit, held for the operator to decide')
    .option('--reason <text>', 'why, for the log; with --hold or --without-former-wallet')
    .addHelpText(
      'after',
      '\nStop the timer or the daemon first: otherwise a run distributes cash-outs before their fundings are entered. ' +
        'Nothing is written unless every payment fits, to the sat.\n' +
        '\nExamples:\n  aio-dca ledger recover --dry-run\n  aio-dca ledger recover\n' +
        '  aio-dca ledger recover --hold --reason "funding f12 is lost, alice has agreed"\n' +
        '  aio-dca ledger recover --former-wallet-key-file former.adminkey\n' +
        '  aio-dca ledger recover --without-former-wallet --reason "LNbits was replaced, the old one is off"',
    )
    .action(recover);
  ledger
    .command('copy')
    .description('move the ledger to another place, and retire the old one in the same step')
    .requiredOption(
      '--to <url>',
      'sqlite:PATH or postgresql://user@host/database; no ledger may be there yet',
    )
    .option('--to-password-file <file>', 'the password for a database on PostgreSQL')
    .addHelpText(
      'after',
      '\nNothing else can change the ledger meanwhile. If it is interrupted, the same command continues it.\n' +
        '\nExample:\n  aio-dca ledger copy --to postgresql://aio_dca@db.example.org/aio_dca --to-password-file db.password',
    )
    .action(copy);
  ledger
    .command('source')
    .description('bind the ledger to a Lamassu database that was upgraded, restored or moved')
    .requiredOption('--accept <id>', 'its PostgreSQL system identifier, as the run that refused it shows it')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--dry-run', 'compare, but write nothing')
    .addHelpText(
      'after',
      '\nCompares everything that the ledger distributed with that database, and refuses if any of it is missing or different. ' +
        'Asks before it writes.\n' +
        '\nExample:\n  aio-dca ledger source --accept 7437521938471234567 --reason "PostgreSQL 12 to 15"',
    )
    .action(source);
}

interface Recovery {
  dryRun?: boolean;
  formerWalletKeyFile: string[];
  otherConfig: string[];
}

async function recover(options: Recovery, command: Command): Promise<void> {
  const { dryRun, formerWalletKeyFile: keys, otherConfig: files, ...rest } = options;
  const { loadConfig } = await import('../config/load.ts');
  const { previewRecovery, recoverLedger } = await import('../operations/ledger.ts');
  const input = {
    ...inputOf(rest),
    former_wallet_key: keys.map((file) => readKey(file, '--former-wallet-key-file')),
    other_config: files.map((file) => loadConfig(file, process.env)),
  };
  const { ok } = await answer(command, dryRun ? previewRecovery : recoverLedger, input, local(recoveryPage));
  if (!ok) process.exitCode = 2;
}

async function copy(
  { to, toPasswordFile: file }: { to: string; toPasswordFile?: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { copy: copyLedger, previewCopy } = await import('../operations/ledger.ts');
  const input = { to, ...(file !== undefined && { to_password: readKey(file, '--to-password-file') }) };
  const plan = await cli.perform(previewCopy, input);
  await cli.confirm(`Move the ledger from ${plan.from} to ${plan.to}? The old one is retired.`);
  const done = await cli.perform(copyLedger, { ...input, digest: plan.digest });
  await print(cli, done, done, async () => copiedPage(done, (await cli.config()).file));
  if (!done.ok) process.exitCode = 2;
}

async function source(
  { accept, dryRun }: { accept: string; dryRun?: boolean },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const { acceptSource, previewSource } = await import('../operations/ledger.ts');
  const seen = dryRun || !cli.globals.yes ? await cli.perform(previewSource, { accept }) : undefined;
  if (seen && !dryRun && seen.was !== seen.is)
    await cli.confirm(sourceQuestion(seen, (await cli.config()).timezone));
  const done = seen && dryRun ? seen : await cli.perform(acceptSource, { accept, digest: seen?.digest });
  await print(cli, done, done, local(sourcePage));
}
