import { BridgeError } from '../errors.ts';

/**
 * Asks yes or no on the terminal; `yes` (`--yes`) answers without asking. Ctrl-C is a no. The question goes to stderr,
 * so that stdout stays one JSON document. Throws BridgeError `usage/confirm` where there is no terminal to ask on.
 */
export async function confirm(question: string, { yes }: { yes: boolean }): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
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
