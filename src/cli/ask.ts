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
 * Asks which of several on the terminal; undefined where the person leaves it, also with Ctrl-C. The question goes to
 * stderr. Only where `canAsk`.
 */
export async function choose<T extends string>(
  question: string,
  options: { value: T; label: string }[],
): Promise<T | undefined> {
  const prompts = await import('@clack/prompts');
  const choices = [...options, { value: undefined, label: 'Leave it, and write nothing' }];
  const answer = await prompts.select<T | undefined>({
    message: question,
    options: choices as Parameters<typeof prompts.select<T | undefined>>[0]['options'],
    output: process.stderr,
  });
  return prompts.isCancel(answer) ? undefined : answer;
}

/** Whether there is a terminal to ask on. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}
