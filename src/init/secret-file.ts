import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BridgeError } from '../errors.ts';
import { flagOf, type Interview, type Question } from './interview.ts';
import type { InitOptions } from './options.ts';

/** What a file holds. Throws `usage/invalid`, naming the option. */
export function contents(path: string, key: keyof InitOptions): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new BridgeError(
      'usage/invalid',
      `${flagOf(key)}: cannot read ${path} (${code}).`,
      'Check the path.',
    );
  }
}

/**
 * A secret from the file that the option names, else from the one that lies in `folder` already, else typed. An empty
 * answer, and no answer without a terminal, is passed to `question.read` as ''.
 */
export async function secretAnswer<T>(
  interview: Interview,
  options: InitOptions,
  { folder, file, ...question }: Question<T> & { folder: string; file: string },
): Promise<T> {
  const named = options[question.key];
  if (named !== undefined) return question.read(line(contents(named, question.key)));
  const beside = join(folder, file);
  if (existsSync(beside)) {
    try {
      const answer = await question.read(line(contents(beside, question.key)));
      interview.note(`${beside} is there already and is used.`);
      return answer;
    } catch (error) {
      if (!interview.terminal) throw error;
      interview.complain(error);
    }
  }
  return interview.terminal ? interview.askSecret(question) : question.read('');
}

/** Without the line break at the end, which is the editor's. */
function line(text: string): string {
  return text.replace(/\r?\n$/, '');
}
