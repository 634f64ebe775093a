import { readFileSync } from 'node:fs';
import { Secret } from '../../config/secret.ts';
import { decodeText, isKey, UTF16_HINT } from '../../lib/text.ts';
import { thisUser } from '../../lib/users.ts';
import { usage } from '../terminal/context.ts';

/** The key that a file holds, and nothing else; `-` is stdin. `option` names the file. Throws `usage/invalid`. */
export function readKey(file: string, option: string): Secret {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw usage(
      `${option}: cannot read ${file} (${code}).`,
      code === 'EACCES'
        ? `${thisUser()} may not read it. \`${option} - < ${file}\` reads it as you.`
        : 'Name a file that holds the key and nothing else.',
    );
  }
  return keyIn(bytes, option, file);
}

/** The one key of a text that came from `place`. Throws `usage/invalid`. */
export function keyIn(bytes: Buffer, option: string, place: string): Secret {
  const text = decodeText(bytes)?.trim();
  if (text === undefined) throw usage(`${option}: ${place} is text in UTF-16.`, UTF16_HINT);
  if (isKey(text)) return new Secret(text);
  throw usage(
    `${option}: ${place} does not hold a single key.`,
    'Copy only the key into it, from the wallet’s “API keys” in LNbits.',
  );
}
