import { BridgeError } from '../errors.ts';

/**
 * Asks yes or no on the terminal; `yes` (`--yes`) answers without asking. Ctrl-C is a no. The question goes to stderr,
 * so that stdout stays one JSON document. Throws BridgeError `usage/confirm` where there is no terminal to ask on.
 */
export async function confirm(question: string, { yes }: { yes: boolean }): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) {
    throw new BridgeError(
      'usage/confirm',
      `This asks first: ${question}`,
      'Add --yes, or run it in a terminal.',
    );
  }
  const prompts = await import('@clack/prompts');
  const answer = await prompts.confirm({ message: question, output: process.stderr, initialValue: false });
  return answer === true;
}

/**
 * Asks which of several on the terminal; undefined where the person leaves it, which Enter by itself and Ctrl-C do as
 * well. The question goes to stderr. Only where `canAsk`.
 */
export async function choose<T extends string>(
  question: string,
  options: { value: T; label: string }[],
): Promise<T | undefined> {
  const prompts = await import('@clack/prompts');
  const answer = await prompts.select<string>({
    message: question,
    options: [...options, { value: '', label: 'Leave it, and write nothing' }],
    initialValue: '',
    output: process.stderr,
  });
  return options.find(({ value }) => value === answer)?.value;
}

/** Whether there is a terminal to ask on. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
