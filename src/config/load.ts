import { existsSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { BridgeError } from '../errors.ts';
import { call, field, message } from '../lib/message.ts';
import { decodeText, UTF16_HINT } from '../lib/text.ts';
import { thisUser, userName } from '../lib/users.ts';
import { build } from './build.ts';
import type { Config } from './config.ts';
import { explain, invalidConfig } from './explain.ts';
import { fileSchema } from './file-schema.ts';

const PLACES = ['config.toml', '/etc/aio-dca/config.toml'];

/**
 * Reads `path`, else `$AIO_DCA_CONFIG`, else ./config.toml, else /etc/aio-dca/config.toml.
 * Throws BridgeError `config/missing`, or `config/invalid` with every mistake of the file, one per line.
 */
export function loadConfig(path: string | undefined, env: NodeJS.ProcessEnv): Config {
  const { file } = findConfig(path, env);
  const text = readConfig(file);
  return settingsIn(parseToml(text, file), { file, text, env });
}

/**
 * The settings in the tables of `file`. `text`: the file as it is written, for the lines of its mistakes; empty if it
 * is not written yet. Throws BridgeError `config/invalid`.
 */
export function settingsIn(
  document: object,
  { file, text, env }: { file: string; text: string; env: NodeJS.ProcessEnv },
): Config {
  const result = fileSchema.safeParse(document, { jitless: true });
  if (!result.success) throw invalidConfig(file, explain(result.error.issues, text, document));
  return build(file, text, result.data, env);
}

/** Why this file: it was named for this call, by `$AIO_DCA_CONFIG`, lies in the current folder, or else in /etc. */
export type ConfigChoice = 'option' | 'environment' | 'folder' | 'system';

/** The configuration that is used. Throws BridgeError `config/missing` if none is named and none is found. */
export function findConfig(
  path: string | undefined,
  env: NodeJS.ProcessEnv,
): { file: string; chosenBy: ConfigChoice } {
  if (path !== undefined) return { file: resolve(path), chosenBy: 'option' };
  if (env.AIO_DCA_CONFIG) return { file: resolve(env.AIO_DCA_CONFIG), chosenBy: 'environment' };
  const found = PLACES.find((place) => existsSync(place) || isHidden(place));
  if (found !== undefined) return { file: resolve(found), chosenBy: isAbsolute(found) ? 'system' : 'folder' };
  const name = message`name the file with ${field('config')} FILE or $AIO_DCA_CONFIG`;
  throw new BridgeError(
    'config/missing',
    `There is no ${PLACES.map((place) => resolve(place)).join(' and no ')}.`,
    message`${call('init')} makes one. If it is elsewhere, ${name}.`,
  );
}

/** The other configurations that are there, or named by the environment, and are not read. */
export function passedOver(used: string, env: NodeJS.ProcessEnv): string[] {
  const places = PLACES.filter((place) => existsSync(place)).map((place) => resolve(place));
  const named = env.AIO_DCA_CONFIG ? [resolve(env.AIO_DCA_CONFIG)] : [];
  return [...new Set([...named, ...places])].filter((place) => place !== used);
}

/**
 * Whether the file may be there, in a folder that this user may not enter. The current folder may be such a one, too.
 */
function isHidden(place: string): boolean {
  if (!isAbsolute(place)) return false;
  try {
    statSync(place, { throwIfNoEntry: false });
    return false;
  } catch {
    return true;
  }
}

/** The text of the configuration. Throws BridgeError `config/missing` or `config/invalid`. */
export function readConfig(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    if (code === 'EACCES') {
      throw new BridgeError(
        'config/missing',
        `Cannot read ${file}: ${thisUser()} may not.`,
        `Do it as the user who runs the bridge: \`sudo -u ${ownerOf(file)} …\`.`,
        { cause: error },
      );
    }
    const hint = message`Check ${field('config')} and $AIO_DCA_CONFIG. ${call('init')} makes a configuration.`;
    throw new BridgeError('config/missing', `Cannot read ${file} (${code}).`, hint, { cause: error });
  }
  const text = decodeText(bytes);
  if (text !== undefined) return text;
  throw new BridgeError('config/invalid', `${file} is text in UTF-16.`, UTF16_HINT);
}

/** Who owns the file; of root's, and of what cannot be seen, the user of the services. */
function ownerOf(file: string): string {
  try {
    const owner = userName(statSync(file).uid);
    return owner === 'root' ? 'aio-dca' : owner;
  } catch {
    return 'aio-dca';
  }
}

/** The tables of the configuration. Throws BridgeError `config/invalid`. */
export function parseToml(text: string, file: string): object {
  try {
    // Both tables have keys without a default. If the table is absent, report those keys.
    return { lamassu: {}, lnbits: {}, ...parse(text, { integersAsBigInt: true }) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // Only the first line: the rest quotes the file, which may hold a secret.
    const [what = ''] = error.message.split('\n');
    throw invalidConfig(file, [`line ${error.line}, column ${error.column}: ${what}`]);
  }
}
