import { BridgeError } from '../../errors.ts';
import type { Message } from '../../lib/message.ts';

/** The longest wait for an answer, in ms: after that, the question is outdated. */
const ANSWER_MS = 15 * 60_000;

/**
 * Asks yes or no on the terminal; `yes` (`--yes`) answers without asking. The question goes to stderr, because stdout
 * holds one JSON document. Throws BridgeError `usage/declined` if the operator says no, cancels, or does not answer
 * within a quarter of an hour; `usage/confirm` if there is no terminal. `ifNot`: what to do first after a no.
 */
export async function confirm(
  question: string,
  { yes, ifNot }: { yes: boolean; ifNot?: Message | undefined },
): Promise<void> {
  if (yes) return;
  if (!canAsk()) {
    throw new BridgeError(
      'usage/confirm',
      `This asks first: ${question}`,
      'Add --yes, or run it in a terminal.',
    );
  }
  const prompts = await import('@clack/prompts');
  const answer = await answered(
    (signal) => prompts.confirm({ message: question, output: process.stderr, initialValue: false, signal }),
    ANSWER_MS,
  );
  if (!answer) throw declined(undefined, ifNot);
}

/**
 * Asks for a choice on the terminal. The question goes to stderr. Throws BridgeError `usage/declined` if the operator
 * cancels, or presses only Enter. Call it only if `canAsk`.
 */
export async function choose<T extends string>(
  question: string,
  options: { value: T; label: string }[],
): Promise<T> {
  const prompts = await import('@clack/prompts');
  const answer = await answered(
    (signal) =>
      prompts.select<string>({
        message: question,
        options: [...options, { value: '', label: 'Leave it, and write nothing' }],
        initialValue: '',
        output: process.stderr,
        signal,
      }),
    ANSWER_MS,
  );
  const chosen = options.find(({ value }) => value === answer);
  if (!chosen) throw declined();
  return chosen.value;
}

/**
 * Asks for a secret on the terminal, which shows a sign for each character. Throws BridgeError `usage/declined` if the
 * operator cancels. Call it only if `canAsk`.
 */
export async function askSecret(question: string): Promise<string> {
  const prompts = await import('@clack/prompts');
  const ask = (signal: AbortSignal) =>
    prompts.password({ message: question, output: process.stderr, signal });
  return answered(ask, ANSWER_MS);
}

/**
 * The answer to one question of @clack/prompts. Throws BridgeError `usage/declined` at Ctrl-C and Esc, after
 * `withinMs`, and at Ctrl-D or the end of the input, which the prompts do not handle: they would wait for ever.
 */
export async function answered<T>(
  ask: (left: AbortSignal) => Promise<T>,
  withinMs?: number,
): Promise<Exclude<T, symbol>> {
  const left = new AbortController();
  const leave = () => left.abort();
  const end = withinMs === undefined ? undefined : setTimeout(leave, withinMs);
  const onKey = (_text: unknown, key?: { ctrl?: boolean; name?: string }) => {
    if (key?.ctrl === true && key.name === 'd') leave();
  };
  process.stdin.on('keypress', onKey).once('end', leave);
  try {
    const answer = await ask(left.signal);
    if (typeof answer === 'symbol') throw declined('Stopped.');
    return answer as Exclude<T, symbol>;
  } finally {
    clearTimeout(end);
    process.stdin.off('keypress', onKey).off('end', leave);
  }
}

/** The error when a question was not answered with yes. */
export function declined(what = 'The question was not answered with yes.', hint?: Message): BridgeError {
  return new BridgeError('usage/declined', `${what} Nothing was written.`, hint);
}

/** Whether there is a terminal to ask on. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
