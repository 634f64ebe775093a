import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { readCa } from '../config/ca.ts';
import { readLedgerUrl } from '../config/ledger-url.ts';
import type { Config } from '../config/load.ts';
import type { Place } from '../ledger/store/copy.ts';
import type { RecoverReport } from '../operations/recover.ts';
import { makeCli, usage } from './context.ts';
import { readKey } from './key-file.ts';
import { differencesText } from './pages/differences.ts';
import { counted, formatSats, formatTime, table, wrapped } from './print.ts';

export function register(program: Command): void {
  const ledger = program
    .command('ledger')
    .description('move the ledger, complete a backup that was put back, or follow a Lamassu that was moved');
  ledger
    .command('recover')
    .description('put back into an older copy of the ledger what LNbits shows as paid since')
    .option('--dry-run', 'write nothing, show what would be put back')
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
      'say that a wallet that paid before is gone, and paid nothing that this ledger does not know',
    )
    .option('--hold', 'book also what does not fit, held for a person to decide')
    .option('--reason <text>', 'why, for the log; with --hold or --without-former-wallet')
    .addHelpText(
      'after',
      '\nStop the timer or the daemon first, so that no run distributes cash-outs before the fundings of that time are\n' +
        'entered. Nothing is written unless every payment finds its place, to the sat.\n' +
        '\nExamples:\n  aio-dca ledger recover --dry-run\n  aio-dca ledger recover\n' +
        '  aio-dca ledger recover --hold --reason "funding f12 is lost, alice has agreed"\n' +
        '  aio-dca ledger recover --former-wallet-key-file former.adminkey\n' +
        '  aio-dca ledger recover --without-former-wallet --reason "LNbits was replaced, the old one is off"',
    )
    .action(recover);
  ledger
    .command('copy')
    .description('move the ledger to another place, and retire the old one in the same step')
    .requiredOption('--to <url>', 'sqlite:PATH or postgresql://user@host/database, without a ledger yet')
    .option('--to-password-file <file>', 'the password for a database on PostgreSQL')
    .addHelpText(
      'after',
      '\nNobody else can change the ledger meanwhile. Where it was interrupted, the same command again goes on.\n' +
        '\nExample:\n  aio-dca ledger copy --to postgresql://aio_dca@db.example.org/aio_dca --to-password-file db.password',
    )
    .action(copy);
  ledger
    .command('source')
    .description('bind the ledger to a Lamassu database that was upgraded, restored or moved')
    .requiredOption('--accept <id>', 'its PostgreSQL system identifier, as the refusal of a run shows it')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--dry-run', 'compare, and write nothing')
    .addHelpText(
      'after',
      '\nCompares everything that the ledger distributed with what is in that database, and refuses where something of it\n' +
        'is missing or different. Asks before it writes.\n' +
        '\nExample:\n  aio-dca ledger source --accept 7437521938471234567 --reason "PostgreSQL 12 to 15"',
    )
    .action(source);
}

async function source(
  options: { accept: string; reason: string; dryRun?: boolean },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const reason = options.reason.trim();
  if (reason === '')
    throw usage('--reason: it is empty.', 'Say in a few words what was done to Lamassu’s database.');
  const accept = options.accept.trim();
  const dryRun = options.dryRun ?? false;
  const config = await cli.config();
  const { acceptSource, compareSource } = await import('../operations/accept-source.ts');
  await cli.withLedger(dryRun ? 'read' : 'write', async (opened) => {
    const compared = await compareSource(config, opened, accept);
    const { source: name, was, is, cashOuts, newest } = compared;
    const found =
      newest === null
        ? 'The ledger has distributed nothing of it yet.'
        : `All ${counted(cashOuts, 'cash-out')} that the ledger distributed of it are there, up to ${newest.id} of ${formatTime(newest.confirmedAt, config.timezone)}.`;
    const bound = was === is;
    const json = {
      ...{ source: name, was, is, cash_outs: cashOuts, newest: newest?.id ?? null },
      ...{ dry_run: dryRun, accepted: !dryRun && !bound },
    };
    if (bound || dryRun) {
      const state = bound
        ? `Source "${name}" is bound to PostgreSQL system ${is} already; nothing was written.`
        : `Dry run: nothing was written. Source "${name}" would be bound to PostgreSQL system ${is}, not ${was ?? 'any'} any more.`;
      cli.answer(json, wrapped(`${state}\n${found}`));
      return;
    }
    if (!cli.globals.yes) {
      await cli.confirm(
        wrapped(
          `${found} Bind source "${name}" to PostgreSQL system ${is}${was === null ? '' : `, and not to ${was} any more`}?`,
        ),
      );
      // A person may take long: it has to hold at this moment.
      await compareSource(config, opened, accept);
    }
    await acceptSource(opened, { actor: cli.actor, run: null }, compared, reason);
    cli.answer(json, wrapped(`Source "${name}" is bound to PostgreSQL system ${is} now.\n${found}`));
  });
}

async function copy(options: { to: string; toPasswordFile?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const config = await cli.config();
  const to = placeOf(options.to, options.toPasswordFile, dirname(config.file));
  const from = config.ledger;
  await cli.confirm(`Move the ledger from ${from.url} to ${to.url}? The old one is retired.`);
  const { copyLedger } = await import('../ledger/store/copy.ts');
  const { id, url, rows, verification } = await copyLedger(from, to, cli.actor);
  const total = Object.values(rows ?? {}).reduce((sum, one) => sum + one, 0);
  cli.answer(
    { ledger: { id, url }, rows, ...verification },
    [
      rows === null
        ? `Finished: ledger ${id} is at ${url} now, and the old one is retired.`
        : `Moved ledger ${id} to ${url}: ${counted(total, 'row')}, compared one by one. The old one is retired.`,
      verification.ok
        ? 'Its books balance.'
        : 'Its books do not balance, and did not before: run `aio-dca verify`.',
      `Set [ledger] url = "${url}"${settings(to)} in ${config.file}.`,
    ].join('\n'),
  );
  if (!verification.ok) process.exitCode = 2;
}

/** What has to be set besides the URL. */
function settings({ password, tls, ca }: Place): string {
  const others = [
    ...(password ? ['its password_file'] : []),
    ...(tls === undefined ? [] : [`tls = "${tls}"`]),
    ...(ca === undefined ? [] : ['its ca_file']),
  ];
  return others.map((one) => ` and ${one}`).join('');
}

/** The place that a person means; a relative path is relative to config.toml, as there. */
function placeOf(url: string, passwordFile: string | undefined, folder: string): Place {
  const read = readLedgerUrl(url);
  if (read === undefined || typeof read === 'string') {
    throw usage(
      `--to: ${read ?? `${JSON.stringify(url)} is not the place of a ledger`}.`,
      'Write sqlite:PATH or postgresql://user@host/database, with ?sslmode=verify-full&sslrootcert=FILE for a certificate of your own.',
    );
  }
  if ('sqlite' in read) {
    if (passwordFile !== undefined)
      throw usage('--to-password-file: a SQLite file has no password.', 'Leave it out.');
    return { url: `sqlite:${resolve(folder, read.sqlite)}` };
  }
  if (read.password !== undefined) {
    throw usage(
      '--to: a password on the command line is seen by others.',
      'Put it into a file: --to-password-file FILE.',
    );
  }
  const ca = read.caFile === undefined ? undefined : readCa('--to', resolve(folder, read.caFile));
  return {
    url: read.postgresql,
    password: passwordFile === undefined ? undefined : readKey(passwordFile, '--to-password-file'),
    tls: read.tls ?? (ca === undefined ? undefined : 'verify-full'),
    ca,
  };
}

interface RecoverOptions {
  dryRun?: boolean;
  formerWalletKeyFile: string[];
  withoutFormerWallet?: boolean;
  otherConfig: string[];
  hold?: boolean;
  reason?: string;
}

async function recover(options: RecoverOptions, command: Command): Promise<void> {
  const cli = makeCli(command);
  const reason = options.reason?.trim() || null;
  const word = options.withoutFormerWallet ? '--without-former-wallet' : options.hold ? '--hold' : null;
  if (word !== null && reason === null) {
    throw usage(`${word}: the log needs to know why.`, 'Add --reason "…".');
  }
  if (word === null && reason !== null) {
    throw usage(
      '--reason: it goes with --hold or --without-former-wallet.',
      'Leave it out, or add one of them.',
    );
  }
  const config = await cli.config();
  const formerKeys = options.formerWalletKeyFile.map((file) => readKey(file, '--former-wallet-key-file'));
  const otherConfigs = await others(config, options.otherConfig);
  const hold = options.hold ? reason : null;
  const withoutFormer = options.withoutFormerWallet ? reason : null;
  const dryRun = options.dryRun ?? false;
  const { recover: recoverLedger } = await import('../operations/recover.ts');
  const report = await cli.withLedger(dryRun ? 'read' : 'write', (ledger) =>
    recoverLedger(
      { ledger, config, otherConfigs, actor: cli.actor, formerKeys, hold, withoutFormer },
      dryRun,
    ),
  );
  cli.answer(recoverJson(report, dryRun), recoverText(report, dryRun, config.timezone));
  if (report.misfits.length > 0) process.exitCode = 2;
}

/** The configurations of the other Lamassu servers; refused where they are of another ledger, or of the same server. */
async function others(config: Config, files: string[]): Promise<Config[]> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = files.map((file) => loadConfig(file, process.env));
  const names = [config.lamassu.name];
  for (const one of loaded) {
    if (one.ledger.url !== config.ledger.url) {
      throw usage(
        `--other-config: ${one.file} names another ledger than ${config.file}.`,
        'Name the configurations that share this ledger.',
      );
    }
    if (names.includes(one.lamassu.name)) {
      throw usage(
        `--other-config: ${one.file} is of the Lamassu "${one.lamassu.name}", too.`,
        'Name each Lamassu server of this ledger once.',
      );
    }
    names.push(one.lamassu.name);
  }
  return loaded;
}

function recoverJson(report: RecoverReport, dryRun: boolean) {
  const { payments, cashOuts, restored, heldCredits, misfits, claims, foreign } = report;
  return {
    ok: misfits.length === 0,
    dry_run: dryRun,
    payments,
    cash_outs: cashOuts,
    held_credits: heldCredits,
    other_runs: claims,
    foreign_labels: foreign,
    former_wallets_accounted: report.accounted,
    payouts: restored.map((one) => ({
      id: `p${one.payout}`,
      recipient: one.recipient,
      sats: one.sats,
      state: one.state,
      payments: one.payments,
    })),
    differences: misfits,
  };
}

function recoverText(report: RecoverReport, dryRun: boolean, timezone: string): string {
  const { payments, cashOuts, restored, heldCredits, misfits } = report;
  const others = othersText(report, dryRun);
  if (payments === 0) {
    const nothing = 'Nothing to put back: the ledger knows every payment of its own that LNbits shows.';
    const next = report.claims === 0 && !report.accounted ? [] : [nextText(dryRun)];
    return [nothing, ...others, ...next].join('\n');
  }
  const rows = restored.map((one) => [
    `p${one.payout}`,
    one.recipient,
    formatSats(one.sats),
    one.state,
    one.payments.length,
  ]);
  const state = dryRun || misfits.length > 0 ? 'would be' : 'is now';
  const listed =
    restored.length === 0 ? [] : [table(['payout', 'recipient', 'amount', state, 'payments'], rows)];
  if (misfits.length > 0) {
    return [
      `LNbits shows ${counted(payments, 'payment')} that the ledger does not know, and not all of it fits. Nothing was written.`,
      ...(listed.length === 0 ? [] : ['What fits:', ...listed]),
      differencesText(misfits, timezone),
    ].join('\n');
  }
  return [
    `${dryRun ? 'Would put' : 'Put'} back ${counted(payments, 'payment')} of ${counted(restored.length, 'payout')}, after distributing ${counted(cashOuts, 'cash-out')} again.`,
    ...listed,
    ...(heldCredits === 0
      ? []
      : [
          `${counted(heldCredits, 'credit')} of the source wallet held: LNbits may have made that already. Look for it in the wallet (aio-dca credits list --state held).`,
        ]),
    ...others,
    nextText(dryRun),
  ].join('\n');
}

function nextText(dryRun: boolean): string {
  return dryRun ? 'To do it: aio-dca ledger recover' : 'The next run goes on from here: aio-dca poll';
}

/** What LNbits shows besides payments of this ledger. */
function othersText({ claims, foreign, accounted }: RecoverReport, dryRun: boolean): string[] {
  return [
    ...(claims === 0
      ? []
      : [
          `${counted(claims, 'run')} of another copy, or since the backup, ${dryRun ? 'would no longer stop' : 'no longer stop'} this ledger. No other copy may be in use.`,
        ]),
    ...(accounted
      ? [
          `The clients’ wallets ${dryRun ? 'would not be asked' : 'are not asked'} any more whether another source wallet paid them.`,
        ]
      : []),
    ...(foreign === 0
      ? []
      : [
          `${counted(foreign, 'payment')} with this ledger’s id that it did not send: nothing is done about that.`,
        ]),
  ];
}
