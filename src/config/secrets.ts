import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BridgeError } from '../errors.ts';
import { decodeText, ONE_LINE_HINT, oneLine, UTF16_HINT } from '../lib/text.ts';
import { thisUser } from '../lib/users.ts';
import { Secret } from './secret.ts';

/** The place of one secret; it is read at its first use. */
export interface SecretSource {
  /** Its section and key: `lamassu.ssh.private_key`. */
  name: string;
  /** The environment variable that may hold it. */
  variable: string;
  /** The file that holds it: its own file, or config.toml. */
  path: string | undefined;
  /** The mistake of a secret that is given more than once. */
  conflict: string | undefined;
  read(): Secret | undefined;
}

/**
 * A secret comes from config.toml (`inline`: the keys that may hold it, and their values), from a file of its own
 * (`file`, the value of `…_file`), or from the environment.
 */
export function secretSource(
  name: string,
  inline: Record<string, string | undefined>,
  file: string | undefined,
  config: string,
  env: NodeJS.ProcessEnv,
): SecretSource {
  const variable = `AIO_DCA_${name.replaceAll('.', '_').toUpperCase()}`;
  const stated = Object.entries(inline).filter(([, value]) => value !== undefined);
  const fromEnvironment = env[variable] || undefined;
  const places = stated.map(([key]) => key);
  if (file !== undefined) places.push(`${name}_file`);
  if (fromEnvironment !== undefined) places.push(`$${variable}`);

  const own = file === undefined ? undefined : find(file, dirname(config), env);
  const value = stated[0]?.[1] ?? fromEnvironment;
  let known: Secret | undefined;
  return {
    name,
    variable,
    path: own ?? (stated.length > 0 ? config : undefined),
    conflict: places.length > 1 ? `given more than once, by ${places.join(' and ')}` : undefined,
    read() {
      if (own !== undefined) known ??= new Secret(contents(name, own));
      else if (value !== undefined) known ??= new Secret(value);
      return known;
    },
  };
}

/** Throws BridgeError `config/secret` if the secret is not given at all. */
export function required({ name, variable, read }: SecretSource): Secret {
  const secret = read();
  if (secret) return secret;
  throw new BridgeError(
    'config/secret',
    `${name} is not given.`,
    `Put it into a file of its own and set ${name}_file, or set the environment variable ${variable}.`,
  );
}

/**
 * systemd's credentials come first: a service may see the file beside config.toml without being allowed to read it.
 */
function find(file: string, directory: string, env: NodeJS.ProcessEnv): string {
  const beside = resolve(directory, file);
  if (!env.CREDENTIALS_DIRECTORY || beside === file) return beside;
  const credential = join(env.CREDENTIALS_DIRECTORY, file);
  return existsSync(credential) ? credential : beside;
}

function contents(name: string, path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new BridgeError(
      'config/secret',
      `${name}_file: cannot read ${path} (${code}).`,
      code === 'EACCES'
        ? `${thisUser()} may not read it. Give it to that user (\`sudo chown ${thisUser()} ${path}\`), or do this as the user who runs the bridge.`
        : 'Check the path.',
      { cause: error },
    );
  }
  const refuse = (what: string, hint: string) =>
    new BridgeError('config/secret', `${name}_file: ${path} ${what}.`, hint);
  const text = decodeText(bytes);
  if (text === undefined) throw refuse('is text in UTF-16', UTF16_HINT);
  if (text.trim() === '') throw refuse('is empty', 'Write the secret into it.');
  // A key ends with a line break; after a password, the line break is the editor's.
  if (name.endsWith('private_key')) return text;
  const value = oneLine(text);
  if (value !== undefined) return value;
  throw refuse(
    'has blanks or line breaks around the secret',
    `${ONE_LINE_HINT} If the secret really contains them, put it into config.toml or an environment variable.`,
  );
}
