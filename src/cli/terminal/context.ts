import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type { Logger } from 'pino';
import type * as z from 'zod';
import type { Config } from '../../config/config.ts';
import { BridgeError } from '../../errors.ts';
import type { Message } from '../../lib/message.ts';
import type { Needs, Operation, Session } from '../../operations/operation.ts';
import { systemClock } from '../../time.ts';
import { asWritten } from './clean.ts';
import { forPeople } from './journal.ts';
import { jsonDocument } from './json.ts';
import { waitingLine } from './progress.ts';
import { confirm } from './prompt.ts';
import { inCommandWords, setCommand } from './words.ts';

/** The options that every command takes. */
export interface Globals {
  config?: string;
  json?: boolean;
  actor?: string;
  yes?: boolean;
  quiet?: boolean;
  verbose?: boolean;
}

/** What a command works with: the options, the configuration, the ledger, and how to answer. */
export interface Cli {
  globals: Globals;
  /** The configuration, read at the first call. */
  config(): Promise<Config>;
  /** One JSON document with `--json`, else the text; text is left out with `--quiet`. */
  answer(json: unknown, text: string): void;
  /**
   * Asks on the terminal; `--yes` answers for a script. Throws BridgeError `usage/declined` if the answer is no, with
   * `ifNot` as its hint.
   */
  confirm(question: string | Message, ifNot?: Message): Promise<void>;
  /** Does an operation, and answers its view. */
  perform<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
    operation: Operation<N, Input, View>,
    input: z.input<Input>,
    /** Parts of the session that this command replaces. */
    more?: Partial<Session>,
  ): Promise<z.output<View>>;
}

let timezone: string | undefined;

/** The time zone of the configuration, once a command has read it. Errors, which are printed last, use it. */
export function knownTimezone(): string | undefined {
  return timezone;
}

export function makeCli(command: Command): Cli {
  setCommand(command);
  const globals = command.optsWithGlobals<Globals>();
  let loaded: Promise<Config> | undefined;
  const config = () => {
    loaded ??= import('../../config/load.ts').then(({ loadConfig }) => {
      const read = loadConfig(globals.config, process.env);
      timezone = read.timezone;
      return read;
    });
    return loaded;
  };
  const actor = globals.actor ?? defaultActor();
  const reason = command.opts<{ reason?: string }>().reason;
  const withLedger: Session['withLedger'] = async (use, work) => {
    const { ledger: place } = await config();
    const { withLedger: open } = await import('../../operations/open-ledger.ts');
    return open({ ...place, clock: systemClock, use }, work);
  };
  /** Logs at `level`, unless `--verbose` or `--quiet` asks for another. */
  const logger = async (level: Config['log']['level']): Promise<Logger> => {
    const { makeLogger } = await import('./logger.ts');
    const { timezone: zone } = await config();
    return makeLogger(globals.verbose ? 'debug' : globals.quiet ? 'error' : level, zone, globals.json);
  };
  return {
    globals,
    config,
    perform: async (operation, input, more) => {
      const { perform } = await import('../../operations/operation.ts');
      // `log --actor` names whose changes are read, also those of the web.
      if (operation.needs !== 'read') refuseColon(actor);
      return perform(
        operation,
        {
          ...{ principal: { kind: 'operator' }, clock: systemClock, actor, reason, config, withLedger },
          ...{ tell, logger, stopSignal: untilSignal, onWait: waitingLine(globals.quiet) },
          ...{ env: process.env, ...more },
        },
        input,
      );
    },
    answer: (json, text) => {
      if (globals.json) process.stdout.write(`${jsonDocument(json)}\n`);
      else if (!globals.quiet && text !== '') process.stdout.write(forPeople(1, `${text}\n`));
    },
    confirm: (question, ifNot) =>
      confirm(asWritten(inCommandWords(question)), { yes: globals.yes ?? false, ifNot }),
  };
}

async function tell(text: string | Message): Promise<void> {
  const { fittedPage } = await import('./wrap.ts');
  process.stderr.write(forPeople(2, `${fittedPage(asWritten(inCommandWords(text)), process.stderr)}\n`));
}

/** The actors of the web have a colon, `client:alice` and `token:till`: nobody at the shell is taken for one. */
function refuseColon(actor: string): void {
  if (!actor.includes(':')) return;
  throw usage(
    `the actor ${JSON.stringify(actor)} cannot have a colon.`,
    'Choose another name for --actor or $AIO_DCA_ACTOR.',
  );
}

/** `$AIO_DCA_ACTOR`, else the user who called sudo, else the user's name, else the uid. */
function defaultActor(): string {
  const named = process.env.AIO_DCA_ACTOR ?? process.env.SUDO_USER;
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

/** Aborts at SIGTERM or SIGINT, which lets the current step finish. A second signal ends the process at once. */
function untilSignal(): AbortSignal {
  const stop = new AbortController();
  const names = ['SIGTERM', 'SIGINT'] as const;
  const onSignal = () => {
    for (const name of names) process.off(name, onSignal);
    stop.abort();
  };
  for (const name of names) process.on(name, onSignal);
  return stop.signal;
}

/** A usage error. `message` names the field and what is wrong with it, `hint` the way out. */
export function usage(message: string, hint?: string): BridgeError {
  return new BridgeError('usage/invalid', message, hint);
}
