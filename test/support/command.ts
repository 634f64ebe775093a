import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { refuseSecrets } from './secrets.ts';
import { holdAgainstView } from './views.ts';

/** Where a test run finds the program as it was bundled for it; without it, its source is started. */
export const PROGRAM_VARIABLE = 'AIO_DCA_TEST_PROGRAM';
const CHILD = join(import.meta.dirname, 'commands-child.mjs');
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/aio-dca-tests');

/** The program's first file, and the folder of Node's compile cache for it. */
function program(): { main: string; cache: string } {
  const bundled = process.env[PROGRAM_VARIABLE];
  return {
    main: bundled ?? fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)),
    cache: join(bundled ? dirname(bundled) : CACHE, 'compiled'),
  };
}

export interface Ran {
  /** Null if a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** stdout as one JSON document. Throws with what was printed where it is none. */
  json<T = Record<string, unknown>>(): T;
}

export interface RunOptions {
  /** Further variables of the environment; undefined takes one away. */
  env?: Record<string, string | undefined>;
  /** Arguments of Node itself, such as `--import`. */
  node?: string[];
  input?: string;
}

export interface Command {
  child: ChildProcess;
  /**
   * Resolves when the process is gone and reaped. Rejects where it printed a secret, or a document with `--json` that
   * is not as its view, never for an exit code.
   */
  ended: Promise<Ran>;
}

/** How the real `aio-dca` is started with these arguments. */
export function commandLine(args: string[], { env = {}, node = [] }: RunOptions = {}) {
  return {
    file: process.execPath,
    argv: [...node, program().main, ...args],
    env: { ...inherited(), ...env },
  };
}

/** Starts the real `aio-dca` as a process of its own, without a terminal. */
export function startCommand(args: string[], options: RunOptions = {}): Command {
  const { file, argv, env } = commandLine(args, options);
  const { child, closed } = startProcess(file, argv, { env, input: options.input });
  return { child, ended: closed.then((printed) => checked(args, printed)) };
}

/** Runs the real `aio-dca` with each of these arguments, one after the other in one process. */
export async function runCommands(all: string[][], options: RunOptions = {}): Promise<Ran[]> {
  const { file, env } = commandLine([], options);
  const { closed } = startProcess(file, [CHILD, program().main], { env, input: JSON.stringify(all) });
  const { code, stdout, stderr } = await closed;
  if (code !== 0) throw new Error(`the commands (exit ${code}):\n${stdout}${stderr}`);
  const printed = JSON.parse(stdout) as Printed[];
  return Promise.all(all.map((args, index) => checked(args, printed[index] as Printed)));
}

type Printed = Omit<Ran, 'json'>;

function startProcess(
  file: string,
  argv: string[],
  options: { env: NodeJS.ProcessEnv; input?: string | undefined },
) {
  const child = spawn(file, argv, { env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  // A process that was killed no longer reads its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const closed = new Promise<Printed>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, closed };
}

/** Throws where a command printed a secret, or a document with `--json` that is not as its view. */
async function checked(args: string[], printed: Printed): Promise<Ran> {
  const { code, stdout, stderr } = printed;
  refuseSecrets(`aio-dca ${args.join(' ')}`, stdout, stderr);
  await holdAgainstView(args, stdout, code !== null);
  return { ...printed, json: () => document(args, code, stdout, stderr) };
}

function document<T>(args: string[], code: number | null, stdout: string, stderr: string): T {
  try {
    return JSON.parse(stdout) as T;
  } catch (error) {
    throw new Error(`aio-dca ${args.join(' ')} (exit ${code}) printed no JSON:\n${stdout}${stderr}`, {
      cause: error,
    });
  }
}

/** The environment without what would steer the command behind the test's back. */
function inherited(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AIO_DCA_|CREDENTIALS_DIRECTORY$|NODE_OPTIONS$|FORCE_COLOR$|SUDO_USER$)/.test(name),
  );
  // A test starts hundreds of them: the compile cache saves a third of each start.
  return { NODE_COMPILE_CACHE: program().cache, ...Object.fromEntries(kept), NO_COLOR: '1' };
}
