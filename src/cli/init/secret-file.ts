import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeText, ONE_LINE_HINT, oneLine, UTF16_HINT } from '../../lib/text.ts';
import { thisUser } from '../../lib/users.ts';
import { readAnswerFile } from '../../operations/init.ts';
import type { InitOptions } from './init-options.ts';
import { type Interview, type Question, wrongAnswer } from './interview.ts';

/** The content of a file. Throws `usage/invalid`, which names the option. */
export async function contents(interview: Interview, path: string, key: keyof InitOptions): Promise<string> {
  const { bytes, failed } = await interview.perform(readAnswerFile, { path });
  if (bytes === null) {
    throw wrongAnswer(
      key,
      `cannot read ${path} (${failed})`,
      failed === 'EACCES' ? `${thisUser()} may not read it.` : 'Check the path.',
    );
  }
  const text = decodeText(Buffer.from(bytes));
  if (text !== undefined) return text;
  throw wrongAnswer(key, `${path} is text in UTF-16`, UTF16_HINT);
}

/**
 * A secret from the file that the option names, else from the file already in `folder`, else typed. An empty answer,
 * or none for lack of a terminal, reaches `question.read` as ''.
 */
export async function secretAnswer<T>(
  interview: Interview,
  { file, ...question }: Question<T> & { file: string },
): Promise<T> {
  const { folder, options } = interview;
  const named = options[question.key];
  if (named !== undefined)
    return question.read(line(await contents(interview, named, question.key), question.key));
  const beside = join(folder, file);
  if (existsSync(beside)) {
    try {
      const answer = await question.read(line(await contents(interview, beside, question.key), question.key));
      interview.note(`${beside} is there already and is used.`);
      return answer;
    } catch (error) {
      if (!interview.terminal) throw error;
      interview.note(`${beside} is there already, but cannot be used.`);
      interview.complain(error);
    }
  }
  if (!interview.terminal) return question.read('');
  return interview.askSecret({ ...question, read: (text) => question.read(line(text, question.key)) });
}

/** The secret, as the configuration will read it from its file. Throws `usage/invalid`. */
function line(text: string, key: keyof InitOptions): string {
  const value = oneLine(text);
  if (value !== undefined) return value;
  throw wrongAnswer(key, 'blanks or line breaks stand around the secret', ONE_LINE_HINT);
}
