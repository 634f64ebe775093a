import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../build.ts';
import { PROGRAM_VARIABLE } from './command.ts';

/** In the folder of the packages, because the program loads one of them by name: pino-pretty. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/**
 * Before all tests that start processes: the program, bundled as it is published, which starts in a third of the time
 * of its loose files. Projects that run together share it.
 */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[PROGRAM_VARIABLE]) return undefined;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'aio-dca-program-'));
  process.env[PROGRAM_VARIABLE] = join(folder, 'main.js');
  await buildProgram(folder);
  return () => rm(folder, { recursive: true, force: true });
}
