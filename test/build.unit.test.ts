import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram } from '../build.ts';

let folder: string;
let outputs: Metafile['outputs'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aio-dca-build-'));
  ({ outputs } = await buildProgram(folder));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The files that Node loads with an operation, before the operation begins. */
function loadedWith(name: string): string[] {
  const [entry] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint?.endsWith(name)) ?? [];
  if (entry === undefined) throw new Error(`nothing loads ${name} by itself`);
  const found = new Set([entry]);
  for (const path of found)
    for (const { path: next, kind } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && next in outputs) found.add(next);
  return [...found];
}

/** The packages whose code is in these files. */
function packagesIn(files: string[]): Set<string> {
  const inputs = files.flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
  return new Set(inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
}

test.each(['clients', 'fundings', 'payouts', 'poll', 'reviews', 'settlements', 'status'])(
  'the operations of %s load the clients of SSH and of LNbits only when they ask',
  (name) => {
    const packages = packagesIn(loadedWith(`src/operations/${name}.ts`));
    expect(packages).toContain('kysely');
    expect(packages).not.toContain('ssh2');
    expect(packages).not.toContain('undici');
  },
);

test('what a run loads is in few files, as each costs time', () => {
  expect(loadedWith('src/operations/poll.ts').length).toBeLessThan(45);
});
