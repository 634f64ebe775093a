import { closest } from 'fastest-levenshtein';
import type * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { keysAt } from '../lib/schema-keys.ts';
import { fileSchema } from './file-schema.ts';

/*
 * The mistakes in a config.toml: the line, the key, and what is expected. Never repeats a value, because it may be a
 * secret.
 */

type Path = readonly PropertyKey[];

/** The mistakes in the order of the file, one per line. */
export function explain(issues: readonly z.core.$ZodIssue[], file: string, document: unknown): string[] {
  const lines = locate(file);
  return issues
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: [...issue.path, key],
            what: `unknown key, ${known(issue.path, key)}`,
          }))
        : [{ path: inDocument(issue.path, document), what: complaint(issue, document) }],
    )
    .map(({ path, what }) => ({ line: lineOf(lines, path), text: `${name(path)}: ${what}` }))
    .sort((a, b) => (a.line ?? Number.POSITIVE_INFINITY) - (b.line ?? Number.POSITIVE_INFINITY))
    .map(({ line, text }) => withLine(line, text));
}

/** One mistake of a key, `lamassu.ssh.port` or `fixed.times[1]`, with its line. */
export function at(file: string, key: string, what: string): string {
  return withLine(lineOfKey(file, key.replace(/\[\d+\]$/, '')), `${key}: ${what}`);
}

/** The line of a key, `lamassu.ssh.port`, or of the table that it is in; undefined if neither is written. */
export function lineOfKey(file: string, key: string): number | undefined {
  return lineOf(locate(file), key.split('.'));
}

export function invalidConfig(file: string, mistakes: string[]): BridgeError {
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`;
  return new BridgeError(
    'config/invalid',
    [`${file} has ${count}:`, ...mistakes].join('\n'),
    'Correct the file; config.example.toml shows every key.',
  );
}

function withLine(line: number | undefined, text: string): string {
  return line === undefined ? text : `line ${line}: ${text}`;
}

function complaint(issue: z.core.$ZodIssue, document: unknown): string {
  const missing = inDocument(issue.path, document).reduce<unknown>(child, document) === undefined;
  return `${missing ? 'missing, ' : ''}expected ${issue.message}`;
}

/** A single text counts as a list of one, so its mistakes are mistakes of the key. */
function inDocument(path: Path, document: unknown): Path {
  const outer = path.slice(0, -1);
  return typeof outer.reduce<unknown>(child, document) === 'string' ? outer : path;
}

function child(parent: unknown, key: PropertyKey): unknown {
  return typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined;
}

/** `lamassu.ssh.port`, `fixed.times[1]` */
function name(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key + 1}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

/** The other table in which the key is valid, if there is exactly one; else the most similar key of its own table. */
function known(table: Path, key: string): string {
  const home = tables().find((path) => keysAt(fileSchema, path).includes(key));
  const own = keysAt(fileSchema, table.map(String));
  if (home && !own.includes(key))
    return home.length > 0 ? `it belongs in [${home.join('.')}]` : 'it belongs at the top';
  return `did you mean "${closest(key, own)}"?`;
}

function tables(): string[][] {
  const children = (path: string[]): string[][] => [
    path,
    ...keysAt(fileSchema, path)
      .filter((key) => keysAt(fileSchema, [...path, key]).length > 0)
      .flatMap((key) => children([...path, key])),
  ];
  return children([]);
}

function lineOf(lines: ReadonlyMap<string, number>, path: Path): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(path.slice(0, length).join('.'));
    if (line !== undefined) return line;
  }
  return undefined;
}

/**
 * The line of every key and table header. The TOML parser tells no positions, so this reads the beginnings of
 * lines. A key that it misses (inside an inline table) has the line of its parent.
 */
function locate(file: string): Map<string, number> {
  const found = new Map<string, number>();
  let table: string[] = [];
  let open: string | undefined;
  for (const [index, line] of file.split('\n').entries()) {
    const inside = open !== undefined;
    for (const [quotes] of line.matchAll(/"""|'''/g)) {
      if (open === undefined) open = quotes;
      else if (open === quotes) open = undefined;
    }
    if (inside) continue;
    const header = /^\s*\[+([^[\]]+)\]/.exec(line)?.[1];
    const key = /^\s*([\w."' -]+?)\s*=/.exec(line)?.[1];
    if (header !== undefined) table = parts(header);
    const path = header !== undefined ? table : key !== undefined ? [...table, ...parts(key)] : [];
    const joined = path.join('.');
    if (joined !== '' && !found.has(joined)) found.set(joined, index + 1);
  }
  return found;
}

function parts(key: string): string[] {
  return key.split('.').map((part) => part.trim().replace(/^["']|["']$/g, ''));
}
