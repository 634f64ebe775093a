import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { BridgeError } from '../errors.ts';
import { field, message } from '../lib/message.ts';
import { decodeText, UTF16_HINT } from '../lib/text.ts';
import { build } from './build.ts';
import type { Config } from './config.ts';
import { explain, invalidConfig } from './explain.ts';
import { fileSchema } from './schema.ts';

const PLACES = ['config.toml', '/etc/aio-dca/config.toml'];

/**
 * Reads `path`, else `$AIO_DCA_CONFIG`, else ./config.toml, else /etc/aio-dca/config.toml.
 * Throws BridgeError `config/missing`, or `config/invalid` with every mistake of the file, one per line.
 */
export function loadConfig(path: string | undefined, env: NodeJS.ProcessEnv): Config {
  const file = findConfig(path, env);
  const text = readConfig(file);
  const document = parseToml(text, file);
  const result = fileSchema.safeParse(document);
  if (!result.success) throw invalidConfig(file, explain(result.error.issues, text, document));
  return build(file, text, result.data, env);
}

function findConfig(path: string | undefined, env: NodeJS.ProcessEnv): string {
  const named = path ?? (env.AIO_DCA_CONFIG || undefined);
  if (named !== undefined) return resolve(named);
  const found = PLACES.find((place) => existsSync(place));
  if (found !== undefined) return resolve(found);
  throw new BridgeError(
    'config/missing',
    `There is no ${PLACES.map((place) => resolve(place)).join(' and no ')}.`,
    message`Name the file with ${field('config')} FILE or $AIO_DCA_CONFIG; config.example.toml shows what it holds.`,
  );
}

function readConfig(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    const hint = message`Check ${field('config')} and $AIO_DCA_CONFIG, and that this user may read the file.`;
    throw new BridgeError('config/missing', `Cannot read ${file} (${code}).`, hint, { cause: error });
  }
  const text = decodeText(bytes);
  if (text !== undefined) return text;
  throw new BridgeError('config/invalid', `${file} is text in UTF-16.`, UTF16_HINT);
}

function parseToml(text: string, file: string): object {
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
