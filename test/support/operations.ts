import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as z from 'zod';
import { commandOf } from '../../src/cli/terminal/words.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BridgeError, type ErrorCode } from '../../src/errors.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { errorsOf } from '../../src/operations/errors.ts';
import {
  type Needs,
  type Operation,
  perform as performUnchecked,
  type Session,
} from '../../src/operations/operation.ts';

/* Every operation, and that each ends only with the errors that it states. */

const OPERATIONS = new URL('../../src/operations/', import.meta.url);

type Named = Operation<Needs, z.ZodType, z.ZodType>;

export async function everyOperation(): Promise<Named[]> {
  const modules = await Promise.all(
    readdirSync(OPERATIONS).map(
      (file) => import(new URL(file, OPERATIONS).pathname) as Promise<Record<string, unknown>>,
    ),
  );
  return modules.flatMap((module) =>
    Object.values(module).filter(
      (one): one is Named => typeof one === 'object' && one !== null && 'needs' in one && 'view' in one,
    ),
  );
}

/** Does an operation. Throws if it ends with an error that it does not state. */
export async function perform<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  operation: Operation<N, Input, View>,
  session: Session,
  given: z.input<Input>,
): Promise<z.output<View>> {
  try {
    return await performUnchecked(operation, session, given);
  } catch (error) {
    if (error instanceof BridgeError && !errorsOf(operation).has(error.code))
      throw new Error(`${operation.name} does not state ${error.code}`, { cause: error });
    throw error;
  }
}

const config = loadConfig(fileURLToPath(new URL('../../config.example.toml', import.meta.url)), {});

/** What a door hands down with an open ledger, by config.example.toml; the operator is dora. */
export function sessionOn(ledger: Ledger, how: Partial<Session> = {}): Session {
  const { principal = { kind: 'operator' } } = how;
  return {
    principal,
    clock: ledger.clock,
    actor: principal.kind === 'client' ? principal.client : 'dora',
    reason: undefined,
    config: async () => config,
    withLedger: (_use, work) => work(ledger),
    stopSignal: () => AbortSignal.any([]),
    take: async ({ text }) => (await Array.fromAsync(text())).length > 0,
    ...how,
  };
}

/** The errors that the command line adds. */
const OF_THE_DOOR: ErrorCode[] = ['usage/confirm', 'usage/declined', 'output/unwritable', 'internal/defect'];

/** The commands that do an operation: `clients add`. */
export function commandsOf(name: string): string[] {
  if (name.startsWith('init.')) return ['init'];
  const operation = name.replace(/\.preview$/, '').replace('.preview_', '.');
  return [commandOf({ operation, args: {} }).replace(/^aio-dca | --.*/g, '')];
}

/** The operations of a command: those of its name, or of the first word of it, as `export` has its kinds. */
export async function operationsOf(command: string): Promise<Named[]> {
  const [noun] = command.split(' ');
  return (await everyOperation()).filter(({ name }) =>
    commandsOf(name).some((one) => one === command || one === noun),
  );
}

/** Throws if none of the operations of a command states an error that it ended with. */
export async function holdAgainstErrors(command: string, code: ErrorCode): Promise<void> {
  const operations = await operationsOf(command);
  if (OF_THE_DOOR.includes(code) || operations.some((one) => errorsOf(one).has(code))) return;
  throw new Error(`aio-dca ${command} ends with ${code}, which none of its operations states`);
}
