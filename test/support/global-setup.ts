import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../build.ts';
import { PROGRAM_VARIABLE } from './command.ts';
import { SERVER_VARIABLE, startPostgres } from './postgres.ts';

/** Beside the packages, of which the program loads one by name: the one that makes its log readable. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/**
 * Once for the whole test run: one PostgreSQL, of which test files take a database each with `freshDatabase()`, and the
 * program bundled as it is published, which starts in a third of the time of its loose files.
 */
export default async function setup(): Promise<() => Promise<void>> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'aio-dca-program-'));
  await buildProgram(folder);
  process.env[PROGRAM_VARIABLE] = join(folder, 'main.js');
  const postgres = await startPostgres();
  process.env[SERVER_VARIABLE] = postgres.url;
  return async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
