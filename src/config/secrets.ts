import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BridgeError } from '../errors.ts';
import { decodeText, ONE_LINE_HINT, oneLine, UTF16_HINT } from '../lib/text.ts';
import { thisUser } from '../lib/users.ts';
import { Secret } from './secret.ts';

export const SECRETS = [
  'lamassu.password',
  'lamassu.ssh.private_key',
  'lamassu.ssh.passphrase',
  'ledger.password',
  'lnbits.source_wallet_key',
  'lnbits.superuser_password',
] as const;

export type SecretName = (typeof SECRETS)[number];

export const SECRET_ORIGINS = ['file', 'credential', 'config', 'ledger.url', 'environment'] as const;

/**
 * `file`: its own file. `credential`: a file of systemd's `$CREDENTIALS_DIRECTORY`. `config`: config.toml.
 * `ledger.url`: the password in that URL.
 */
export type SecretOrigin = (typeof SECRET_ORIGINS)[number];

/** The place of one secret; it is read at its first use. */
export interface SecretSource {
  /** Its section and key: `lamassu.ssh.private_key`. */
  name: string;
  /** The environment variable that may hold it. */
  variable: string;
  /** The file that holds it: its own file, or config.toml. */
  path: string | undefined;
  origin: SecretOrigin | undefined;
  /** The mistake of a secret that is given more than once. */
  conflict: string | undefined;
  read(): Secret | undefined;
}

/**
 * Where each secret comes from. `document`: config.toml as tables; `urlPassword`: the password in `ledger.url`.
 */
export function secretSources(
  document: object,
  urlPassword: string | undefined,
  config: string,
  env: NodeJS.ProcessEnv,
): Record<SecretName, SecretSource> {
  const stated = (key: string) => {
    const value = valueAt(document, key.split('.'));
    return typeof value === 'string' ? value : undefined;
  };
  const source = (name: SecretName): SecretSource => {
    const inUrl = name === 'ledger.password' ? { 'ledger.url': urlPassword } : {};
    return secretSource(name, { [name]: stated(name), ...inUrl }, stated(`${name}_file`), config, env);
  };
  return Object.fromEntries(SECRETS.map((name) => [name, source(name)])) as Record<SecretName, SecretSource>;
}

/** The value under a path of keys; undefined if there is none. */
export function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (parent, key) => (typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined),
    document,
  );
}

/** The environment variable of a secret. */
export function variableOf(name: string): string {
  return `AIO_DCA_${name.replaceAll('.', '_').toUpperCase()}`;
}

/**
 * A secret comes from config.toml (`within`: the keys that may hold it, and their values), from a file of its own
 * (`file`, the value of `…_file`), or from the environment.
 */
function secretSource(
  name: string,
  within: Record<string, string | undefined>,
  file: string | undefined,
  config: string,
  env: NodeJS.ProcessEnv,
): SecretSource {
  const variable = variableOf(name);
  const stated = Object.entries(within).filter(([, value]) => value !== undefined);
  const fromEnvironment = env[variable] || undefined;
  const places = stated.map(([key]) => key);
  if (file !== undefined) places.push(`${name}_file`);
  if (fromEnvironment !== undefined) places.push(`$${variable}`);

  const own = file === undefined ? undefined : find(file, dirname(config), env);
  const [inline] = stated;
  const value = inline?.[1] ?? fromEnvironment;
  let known: Secret | undefined;
  return {
    name,
    variable,
    path: own?.path ?? (inline ? config : undefined),
    origin: own?.origin ?? originOf(inline?.[0], fromEnvironment),
    conflict: places.length > 1 ? `given more than once, by ${places.join(' and ')}` : undefined,
    read() {
      if (own !== undefined) known ??= new Secret(contents(name, own.path));
      else if (value !== undefined) known ??= new Secret(value);
      return known;
    },
  };
}

function originOf(inline: string | undefined, variable: string | undefined): SecretOrigin | undefined {
  if (inline !== undefined) return inline === 'ledger.url' ? inline : 'config';
  return variable === undefined ? undefined : 'environment';
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
function find(
  file: string,
  directory: string,
  env: NodeJS.ProcessEnv,
): { path: string; origin: 'file' | 'credential' } {
  const beside = { path: resolve(directory, file), origin: 'file' } as const;
  if (!env.CREDENTIALS_DIRECTORY || beside.path === file) return beside;
  const credential = join(env.CREDENTIALS_DIRECTORY, file);
  return existsSync(credential) ? { path: credential, origin: 'credential' } : beside;
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
        ? `${thisUser()} may not read it. Do this as the user who runs the bridge, or give it to ${thisUser()}: \`sudo chown ${thisUser()} ${path}\`.`
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
