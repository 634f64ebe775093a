import { closeSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, TomlDate } from 'smol-toml';
import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { thisUser } from '../lib/users.ts';
import { build } from './build.ts';
import { explain, invalidConfig, lineOfKey } from './explain.ts';
import { DEFAULT_LEDGER, fileSchema } from './file-schema.ts';
import { type LedgerUrl, readLedgerUrl } from './ledger-url.ts';
import { type ConfigChoice, findConfig, parseToml, passedOver, readConfig } from './load.ts';
import {
  SECRETS,
  type SecretName,
  type SecretOrigin,
  type SecretSource,
  secretSources,
  valueAt,
  variableOf,
} from './secrets.ts';

/* What the configuration sets, key by key, with where each value comes from; also of a configuration with mistakes. */

export const ORIGINS = ['file', 'ledger.url', 'default', 'unset'] as const;

export const LEDGER_FILE_STATES = ['usable', 'absent', 'unusable'] as const;

export interface Setting {
  /** `lamassu.ssh.port` */
  key: string;
  /** As config.toml writes it; paths are absolute. Null: unset, or refused, and perhaps a secret. */
  value: SettingValue | null;
  /** `ledger.url`: a parameter of that URL. */
  origin: (typeof ORIGINS)[number];
  /** The line of the file, where it is known. */
  line: number | null;
  /** True if the value is a mistake. */
  refused: boolean;
}

export type SettingValue = string | bigint | boolean | (string | bigint)[];

export interface SecretSetting {
  key: SecretName;
  /**
   * `set`: it can be read. `missing`: it is needed and not there. `unusable`: it cannot be read, or is given twice.
   * `unset`: it is not given, and need not be.
   */
  state: 'set' | 'missing' | 'unusable' | 'unset';
  origin: SecretOrigin | null;
  /** The file, or the environment variable. */
  place: string | null;
  /** Why it cannot be read. */
  problem: BridgeError | null;
}

export interface ConfigOrigins {
  /** The user whose rights decide what can be read. */
  user: string;
  file: string;
  chosenBy: ConfigChoice;
  /** Other configurations that are there and not read. */
  passedOver: string[];
  /** The mistakes of the file. */
  problem: BridgeError | null;
  /** The last line that could be read, if the file breaks off as TOML. Only the settings up to it are known. */
  readUpTo: number | null;
  settings: Setting[];
  secrets: SecretSetting[];
  /** Whether this user may open the ledger, if it is a file. */
  ledgerFile: (typeof LEDGER_FILE_STATES)[number] | null;
  /** Environment variables that look like settings, and that nothing reads. */
  ignoredVariables: string[];
}

/** Throws BridgeError `config/missing` if there is no configuration that this user may read. */
export function configOrigins(path: string | undefined, env: NodeJS.ProcessEnv): ConfigOrigins {
  const { file, chosenBy } = findConfig(path, env);
  const text = readConfig(file);
  const { document, problem, refused, readUpTo } = read(file, text, env);
  const url = ledgerUrlIn(document);
  const urlPassword = url !== undefined && 'postgresql' in url ? url.password : undefined;
  const sources = secretSources(document, urlPassword, file, env);
  return {
    ...{ user: thisUser(), file, chosenBy, passedOver: passedOver(file, env), problem, readUpTo },
    settings: leaves(fileSchema, document)
      .map((leaf) => settingOf(leaf, { document, file, text, url, refused }))
      .filter(({ origin }) => readUpTo === null || origin === 'file' || origin === 'ledger.url'),
    secrets: SECRETS.map((name) => secretOf(name, sources[name], document)).filter(
      ({ state }) => readUpTo === null || state === 'set' || state === 'unusable',
    ),
    ledgerFile: ledgerFileState(url, dirname(file)),
    ignoredVariables: Object.keys(env).filter((name) => name.startsWith('AIO_DCA_') && !READ.includes(name)),
  };
}

const READ = ['AIO_DCA_CONFIG', 'AIO_DCA_ACTOR', ...SECRETS.map(variableOf)];

interface Read {
  document: object;
  problem: BridgeError | null;
  /** The keys with mistakes. */
  refused: ReadonlySet<string>;
  readUpTo: number | null;
}

function read(file: string, text: string, env: NodeJS.ProcessEnv): Read {
  let document: object;
  try {
    document = parseToml(text, file);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const line = Number(/line (\d+), column/.exec(`${error.text}`)?.[1] ?? 1) - 1;
    return { problem: error, ...beginning(text, line) };
  }
  const result = fileSchema.safeParse(document);
  const refused = new Set((result.error?.issues ?? []).flatMap(({ path }) => beginningsOf(path)));
  if (!result.success)
    return {
      ...{ document, refused, readUpTo: null },
      problem: invalidConfig(file, explain(result.error.issues, text, document)),
    };
  try {
    build(file, text, result.data, env);
    return { document, problem: null, refused, readUpTo: null };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { document, problem: error, refused, readUpTo: null };
  }
}

/** The lines above the one that is not TOML, read by themselves; nothing if they are not TOML either. */
function beginning(text: string, line: number): Omit<Read, 'problem'> {
  try {
    const document = parse(text.split('\n').slice(0, line).join('\n'), { integersAsBigInt: true });
    const { error } = fileSchema.safeParse(document);
    const refused = new Set((error?.issues ?? []).flatMap(({ path }) => beginningsOf(path)));
    return { document, refused, readUpTo: line };
  } catch {
    return { document: {}, refused: new Set(), readUpTo: 0 };
  }
}

/** `fixed.times.1` is a mistake of `fixed.times`; one of `lamassu` is none of the keys in it. */
function beginningsOf(path: readonly PropertyKey[]): string[] {
  return path.map((_, index) => path.slice(0, index + 1).join('.'));
}

interface Leaf {
  key: string;
  fallback: unknown;
}

/** The keys that are not tables, in the order of the schema, without the secrets; a table that may be absent is one. */
function leaves(type: unknown, document: object, path: string[] = [], fallback?: unknown): Leaf[] {
  const key = path.join('.');
  if (type instanceof z.ZodOptional) {
    const inner = type.unwrap();
    const isAbsent = inner instanceof z.ZodObject && valueAt(document, path) === undefined;
    return isAbsent ? [{ key, fallback }] : leaves(inner, document, path, fallback);
  }
  if (type instanceof z.ZodPrefault || type instanceof z.ZodDefault)
    return leaves(type.unwrap(), document, path, type.def.defaultValue);
  if (type instanceof z.ZodRecord) {
    const names = Object.keys(valueAt(document, path) ?? {});
    // An empty table is a setting, too: that nothing is in it.
    return names.length === 0
      ? [{ key, fallback: [] }]
      : names.map((name) => ({ key: `${key}.${name}`, fallback: undefined }));
  }
  if (type instanceof z.ZodObject)
    return Object.entries(type.shape).flatMap(([name, inner]) => leaves(inner, document, [...path, name]));
  return (SECRETS as readonly string[]).includes(key.replace(/_file$/, '')) ? [] : [{ key, fallback }];
}

interface ReadFile {
  document: object;
  file: string;
  text: string;
  url: LedgerUrl | undefined;
  refused: ReadonlySet<string>;
}

function settingOf({ key, fallback }: Leaf, { document, file, text, url, refused }: ReadFile): Setting {
  const stated = valueAt(document, key.split('.'));
  const parameter = url !== undefined && 'postgresql' in url ? fromUrl(key, url) : undefined;
  const origin =
    stated !== undefined
      ? 'file'
      : parameter !== undefined
        ? 'ledger.url'
        : fallback === undefined
          ? 'unset'
          : 'default';
  const isRefused = stated !== undefined && refused.has(key);
  const line = origin === 'file' ? lineOfKey(text, key) : undefined;
  const value = stated ?? parameter ?? fallback;
  return {
    ...{ key, origin, line: line ?? null, refused: isRefused },
    value: value === undefined || isRefused ? null : inForce(key, value, dirname(file)),
  };
}

/** A parameter of the ledger's URL that stands for a setting. */
function fromUrl(key: string, { tls, caFile }: Extract<LedgerUrl, { postgresql: string }>): unknown {
  return { 'ledger.tls': tls, 'ledger.ca_file': caFile }[key];
}

/** The value as it is used: paths are absolute, and the URL of the ledger has no password. */
function inForce(key: string, value: unknown, folder: string): SettingValue {
  if (key === 'ledger.url') return shownUrl(`${value}`, folder);
  if (key.endsWith('.ca_file')) return resolve(folder, `${value}`);
  return asWritten(value);
}

function asWritten(value: unknown): SettingValue {
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map((one) => (typeof one === 'bigint' ? one : `${one}`));
  if (typeof value === 'number') return BigInt(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return value;
  return typeof value === 'object' ? [] : `${value}`;
}

function shownUrl(url: string, folder: string): string {
  const place = readLedgerUrl(url);
  if (place === undefined || typeof place === 'string') return '';
  return 'sqlite' in place ? `sqlite:${resolve(folder, place.sqlite)}` : place.postgresql;
}

function ledgerUrlIn(document: object): LedgerUrl | undefined {
  const url = valueAt(document, ['ledger', 'url']) ?? DEFAULT_LEDGER;
  const place = typeof url === 'string' ? readLedgerUrl(url) : undefined;
  return typeof place === 'string' ? undefined : place;
}

/** `absent` is also a ledger that is not there yet. */
function ledgerFileState(url: LedgerUrl | undefined, folder: string): ConfigOrigins['ledgerFile'] {
  if (url === undefined || 'postgresql' in url) return null;
  try {
    closeSync(openSync(resolve(folder, url.sqlite), 'r+'));
    return 'usable';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'absent' : 'unusable';
  }
}

function secretOf(key: SecretName, source: SecretSource, document: object): SecretSetting {
  const { origin = null, path, variable } = source;
  const place = origin === 'environment' ? variable : (path ?? null);
  if (source.conflict !== undefined) {
    const problem = new BridgeError('config/invalid', `${key}: ${source.conflict}.`, 'Keep one of them.');
    return { key, state: 'unusable', origin, place, problem };
  }
  try {
    if (source.read() !== undefined) return { key, state: 'set', origin, place, problem: null };
    return { key, state: isNeeded(key, document) ? 'missing' : 'unset', origin, place, problem: null };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    const state = isAbsent(error) ? 'missing' : 'unusable';
    return { key, state, origin, place, problem: error };
  }
}

function isAbsent({ cause }: BridgeError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

/** Whether the rest of the configuration needs the secret. Databases may do without a password. */
function isNeeded(key: SecretName, document: object): boolean {
  switch (key) {
    case 'lnbits.source_wallet_key':
      return true;
    case 'lamassu.ssh.private_key':
      return valueAt(document, ['lamassu', 'ssh']) !== undefined;
    case 'lnbits.superuser_password':
      return valueAt(document, ['lnbits', 'credit_source']) === true;
    default:
      return false;
  }
}
