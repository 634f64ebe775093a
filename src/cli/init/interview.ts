import type * as z from 'zod';
import { BridgeError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { Cli } from '../terminal/context.ts';
import { noticeText, questionText } from '../terminal/notices.ts';
import { answered } from '../terminal/prompt.ts';
import { errorInWords, inCommandWords } from '../terminal/words.ts';
import type { InitOptions } from './init-options.ts';

type Key = Exclude<keyof InitOptions, 'direct' | 'test' | 'creditSource' | 'insecureHttp'>;

export interface Question<T> extends TextQuestion<T> {
  /** The option that answers the question without a terminal. */
  key: Key;
}

/** A question that only a terminal answers. */
interface TextQuestion<T> {
  /** Short enough for a line of 80 columns. */
  message: string;
  /** Proposed on a terminal, and used without one. */
  initial?: string;
  /** Parses and tests the text; throws BridgeError if the answer cannot be used. */
  read(text: string): T | Promise<T>;
}

/** Asks on the terminal what the options do not answer. Every question throws `usage/declined` at Ctrl-C. */
export interface Interview {
  /** The answers that were given as options. */
  options: InitOptions;
  /** Where the configuration will be, and the files beside it. */
  folder: string;
  /** False if there is no terminal to ask on. */
  terminal: boolean;
  /** A wrong answer in an option is an error; a wrong answer on the terminal is asked for again. */
  ask<T>(question: Question<T>): Promise<T>;
  /** The same on a terminal alone. */
  askText<T>(question: TextQuestion<T>): Promise<T>;
  /** The same for a secret, which is not shown. An empty answer is passed on as ''. */
  askSecret<T>(question: Question<T>): Promise<T>;
  choose<T extends string>(message: string, choices: { value: T; label: string }[]): Promise<T>;
  confirm(message: string): Promise<boolean>;
  /** Shown only on a terminal. */
  note(text: string): void;
  perform: Cli['perform'];
  /** Tests an answer by an operation; null with `--no-test`. */
  test<Input extends z.ZodType, View extends z.ZodType>(
    operation: Operation<'none', Input, View>,
    answer: z.input<Input>,
  ): Promise<z.output<View> | null>;
  complain(error: unknown): void;
}

/** An interview before it is known where the configuration will be. */
export type PlaceInterview = Omit<Interview, 'folder'>;

export async function startInterview(options: InitOptions, cli: Cli): Promise<PlaceInterview> {
  const terminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const prompts = await import('@clack/prompts');
  const output = process.stderr;

  function complain(error: unknown): void {
    if (!(error instanceof BridgeError)) throw error;
    const { message, hint } = errorInWords(error);
    // Nobody typed the option that answers the question without a terminal.
    const told = error.field?.startsWith('--') ? capitalized(inCommandWords(error.text)) : message;
    prompts.log.error(noticeText(hint === null ? told : `${told}\n${hint}`), { output });
  }
  async function until<T>(ask: (initial: string) => Promise<string>, question: TextQuestion<T>): Promise<T> {
    for (let initial = question.initial ?? ''; ; ) {
      initial = (await ask(initial)).trim();
      try {
        return await question.read(initial);
      } catch (error) {
        complain(error);
      }
    }
  }

  function askText<T>(question: TextQuestion<T>): Promise<T> {
    const message = questionText(question.message);
    return until(
      async (initialValue) =>
        (await answered((signal) => prompts.text({ message, initialValue, output, signal }))) ?? '',
      question,
    );
  }

  return {
    options,
    terminal,
    ask: async (question) => {
      const given = options[question.key];
      if (given !== undefined) return question.read(given);
      return terminal ? askText(question) : question.read(question.initial ?? '');
    },
    askText,
    askSecret: async (question) => {
      const message = questionText(question.message);
      return until(
        async () => (await answered((signal) => prompts.password({ message, output, signal }))) ?? '',
        question,
      );
    },
    choose: async (message, choices) => {
      const select = { message, options: choices, output } as Parameters<typeof prompts.select>[0];
      const answer = await answered((signal) => prompts.select({ ...select, signal }));
      return answer as (typeof choices)[number]['value'];
    },
    confirm: (message) =>
      answered((signal) => prompts.confirm({ message, initialValue: false, output, signal })),
    note: (text) => {
      if (terminal) prompts.log.info(noticeText(text), { output });
    },
    perform: cli.perform,
    test: async (operation, answer) => (options.test ? cli.perform(operation, answer) : null),
    complain,
  };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The error for an answer that cannot be used. `what` is a sentence without its full stop. */
export function wrongAnswer(key: keyof InitOptions, what: string, hint?: string): BridgeError {
  return new BridgeError('usage/invalid', `${what}.`, hint, { field: flagOf(key) });
}

/** The option of a key: `sshHost` is `--ssh-host`. */
export function flagOf(key: keyof InitOptions): string {
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
