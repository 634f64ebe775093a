import { Command } from 'commander';
import pkg from '../../package.json' with { type: 'json' };

type Noun = () => Promise<{ register(program: Command): void }>;

/**
 * The commands, by the headings of the help. Each file registers one noun. It is loaded only for that noun or for the
 * help.
 */
const groups: Record<string, Record<string, Noun>> = {
  'Set up:': {
    init: () => import('./init.ts'),
    'role-sql': () => import('./role-sql.ts'),
    migrate: () => import('./migrate.ts'),
    doctor: () => import('./doctor.ts'),
    config: () => import('./config.ts'),
    metrics: () => import('./metrics.ts'),
  },
  'Every day:': {
    status: () => import('./status.ts'),
    poll: () => import('./poll.ts'),
    run: () => import('./run.ts'),
    fixed: () => import('./fixed.ts'),
    'cash-outs': () => import('./cash-outs.ts'),
    payouts: () => import('./payouts.ts'),
    credits: () => import('./credits.ts'),
  },
  'Clients, cash and commission:': {
    clients: () => import('./clients.ts'),
    fundings: () => import('./fundings.ts'),
    deposits: async () => ({ register: (await import('./fundings.ts')).registerAlias }),
    machines: () => import('./machines.ts'),
    commission: () => import('./commission.ts'),
    purchases: () => import('./purchases.ts'),
  },
  'Web sites and API:': {
    serve: () => import('./serve.ts'),
    people: () => import('./people.ts'),
    tokens: () => import('./tokens.ts'),
  },
  'Trouble:': {
    review: () => import('./review.ts'),
    settle: () => import('./settle.ts'),
    reconcile: () => import('./reconcile.ts'),
    backup: () => import('./backup.ts'),
    ledger: () => import('./ledger.ts'),
    clock: () => import('./clock.ts'),
  },
  'Books:': {
    export: () => import('./export.ts'),
    log: () => import('./log.ts'),
    verify: () => import('./verify.ts'),
  },
};

/** The program with the commands that `argv` may name; with all of them for the help. `said` gets what it writes. */
export async function makeProgram(argv: string[], said: { out: string; err: string }): Promise<Command> {
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
      '\nExit codes: 0 done, 1 a defect in this program, 2 something needs the operator, 64 wrong usage, ' +
        '75 not now (the next run goes on), 78 configuration, rights or identity is wrong.' +
        '\n\nExamples:\n  sudo -u aio-dca aio-dca status\n  aio-dca fundings add --help',
    )
    .configureHelp({
      showGlobalOptions: true,
      // A default of a text only: a repeatable option starts with an empty list, which says nothing.
      optionDescription: ({ description, defaultValue, argChoices }) => {
        const [, what = '', stated = ''] = /^(.*?)(?: \((default: .*)\))?$/.exec(description) ?? [];
        const known = typeof defaultValue === 'string' ? `default: ${defaultValue}` : stated;
        const notes = [argChoices ? `one of ${argChoices.join(', ')}` : '', known].filter(
          (note) => note !== '',
        );
        return notes.length === 0 ? what : `${what} (${notes.join('; ')})`.trim();
      },
    })
    .showHelpAfterError('(`--help` shows how it is used)')
    .configureOutput({
      writeOut: (text) => {
        said.out += text;
      },
      writeErr: (text) => {
        said.err += text;
      },
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
  return program;
}
