import { setFlagsFromString } from 'node:v8';
import { Command, CommanderError } from 'commander';
import pkg from '../../package.json' with { type: 'json' };
import { BridgeError } from '../errors.ts';
import { exitCodeOf } from './command/exit-codes.ts';
import { knownTimezone } from './terminal/context.ts';
import { printError } from './terminal/print-error.ts';
import { wrappedHelp } from './terminal/wrap.ts';

type Noun = () => Promise<{ register(program: Command): void }>;

/**
 * The commands, by the headings of the help. Each file registers one noun. It is loaded only for that noun or for the
 * help.
 */
const groups: Record<string, Record<string, Noun>> = {
  'Setting up:': {
    init: () => import('./init.ts'),
    'role-sql': () => import('./role-sql.ts'),
    migrate: () => import('./migrate.ts'),
    doctor: () => import('./doctor.ts'),
  },
  'Paying:': {
    poll: () => import('./poll.ts'),
    run: () => import('./run.ts'),
    fixed: () => import('./fixed.ts'),
  },
  'Looking up:': {
    status: () => import('./status.ts'),
    'cash-outs': () => import('./cash-outs.ts'),
    purchases: () => import('./purchases.ts'),
    log: () => import('./log.ts'),
    export: () => import('./export.ts'),
    metrics: () => import('./metrics.ts'),
  },
  'Clients and cash:': {
    clients: () => import('./clients.ts'),
    fundings: () => import('./fundings.ts'),
    deposits: async () => ({ register: (await import('./fundings.ts')).registerAlias }),
    machines: () => import('./machines.ts'),
    commission: () => import('./commission.ts'),
  },
  'What needs the operator:': {
    review: () => import('./review.ts'),
    settle: () => import('./settle.ts'),
    payouts: () => import('./payouts.ts'),
    credits: () => import('./credits.ts'),
    clock: () => import('./clock.ts'),
  },
  'Books:': {
    verify: () => import('./verify.ts'),
    reconcile: () => import('./reconcile.ts'),
    backup: () => import('./backup.ts'),
    ledger: () => import('./ledger.ts'),
  },
};

async function main(argv: string[]): Promise<void> {
  const program = new Command('aio-dca')
    .description(
      'Pays the clients whose cash left a Lamassu Bitcoin ATM: reads confirmed cash-outs, divides the sats, ' +
        'and pays each client once into an LNbits wallet.',
    )
    .version(pkg.version)
    .option(
      '--config <file>',
      'configuration (default: $AIO_DCA_CONFIG, ./config.toml, /etc/aio-dca/config.toml)',
    )
    .option('--json', 'one JSON document on stdout, logs on stderr')
    .option('--actor <name>', 'who acts, for the log (default: $AIO_DCA_ACTOR, $SUDO_USER, your user name)')
    .option('--yes', 'answer yes to every question')
    .option('--quiet', 'print less')
    .option('--verbose', 'log more')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 a defect in this program, 2 something needs the operator, 64 wrong usage,\n' +
        '75 not now (the next run goes on), 78 configuration, rights or identity is wrong.',
    )
    .configureHelp({
      showGlobalOptions: true,
      // A repeatable option starts with an empty list: the help shows no default for it.
      optionDescription: ({ description, defaultValue, defaultValueDescription, argChoices }) =>
        [
          description,
          ...(argChoices ? [`(choices: ${argChoices.join(', ')})`] : []),
          ...(defaultValue === undefined || typeof defaultValue === 'boolean' || Array.isArray(defaultValue)
            ? []
            : [`(default: ${defaultValueDescription ?? JSON.stringify(defaultValue)})`]),
        ].join(' '),
    })
    .showHelpAfterError('(`--help` shows how it is used)')
    .configureOutput({
      writeOut: (text) => process.stdout.write(wrappedHelp(text)),
      writeErr: (text) => said.push(text),
    })
    .exitOverride();
  const nouns = Object.entries(groups).flatMap(([group, all]) =>
    Object.entries(all).map(([noun, load]) => ({ group, noun, load })),
  );
  const named = nouns.filter(({ noun }) => argv.includes(noun));
  for (const { group, load } of named.length > 0 ? named : nouns) {
    (await load()).register(program);
    program.commands.at(-1)?.helpGroup(group);
  }
  await program.parseAsync(argv, { from: 'user' });
}

/** The failed write to stdout or stderr, once it has been reported. */
let unwritable: Error | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early, such as `head`, is no failure.
    if (error.code === 'EPIPE' || unwritable) return;
    unwritable = error;
    const name = stream === process.stdout ? 'stdout' : 'stderr';
    const known = new BridgeError(
      'output/unwritable',
      `${name}: write failed (${error.code}); the output is incomplete.`,
      'Free space there, or send the output elsewhere, and run the command again.',
    );
    printError(known, false);
    process.exitCode = exitCodeOf(known);
  });
}

// V8 lets the memory for young objects grow up to sixteenfold. With a fixed limit, a long backlog or export needs
// little more memory than a short one, and no more time.
setFlagsFromString('--semi-space-growth-factor=1');

const argv = process.argv.slice(2);
/** What commander writes to stderr: its help is printed as it is, its errors are reworded. */
const said: string[] = [];
try {
  await main(argv);
} catch (error) {
  if (error === unwritable) {
    // Already reported.
  } else if (error instanceof CommanderError && error.exitCode === 0) {
    process.exitCode = 0;
  } else if (error instanceof CommanderError && error.code === 'commander.help') {
    // A noun without a verb.
    process.stderr.write(wrappedHelp(said.join('')));
    process.exitCode = 64;
  } else {
    const known =
      error instanceof CommanderError
        ? new BridgeError(
            'usage/invalid',
            error.message.replace(/^error: /, ''),
            '`aio-dca --help` shows the commands; `--help` after a command shows its options.',
          )
        : error;
    printError(known, argv.includes('--json'), knownTimezone());
    process.exitCode = exitCodeOf(known);
  }
}
