import { readdirSync, readFileSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('.', import.meta.url));

// The CommonJS packages in the bundle expect `require` and their own file name.
const banner = `import { createRequire as makeRequire } from 'node:module';
const require = makeRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** What nearly every command loads: a run, and the configuration. */
const SHARED = ['src/scheduler/poll.ts', 'src/config/load.ts'];

/**
 * Adds these modules to each operation. Otherwise esbuild writes a chunk for each group of operations that use the same
 * modules, and a run loads twice as many chunks. Each costs Node half a millisecond of CPU time, whatever its size.
 */
const sharedModules: Plugin = {
  name: 'shared-modules',
  setup({ onLoad }) {
    const imports = SHARED.map((path) => `import ${JSON.stringify(join(root, path))};`).join('\n');
    onLoad({ filter: /\/src\/operations\/[^/]+\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: `${await readFile(path, 'utf8')}\n${imports}`,
    }));
  },
};

/**
 * Bundles the program into main.js in `outdir`, with a chunk for each lazy import: one file starts more than twice as
 * fast as its several hundred modules do. Nothing else is needed to run it. Answers what is in the bundle. `more`:
 * further plugins of esbuild.
 */
export async function buildProgram(outdir: string, ...more: Plugin[]): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts'],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: banner },
    // Native extras that their packages do without where they are absent.
    external: ['*.node', 'cpu-features', 'pg-native'],
    plugins: [sharedModules, ...more],
    logLevel: 'warning',
    metafile: true,
  });
  // Style sheet and scripts of the web sites are served as they are.
  await cp(join(root, 'src/web/browser'), join(outdir, 'web/browser'), {
    recursive: true,
    filter: (path) => !path.endsWith('.json'),
  });
  return metafile;
}

/** The packages in the bundle and their licences, which ask to be handed on with the code. */
export function thirdPartyLicences({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  const parts = [...new Set(folders)].sort().map((folder) => {
    const path = join(root, folder);
    const stated = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    // Old packages have a list.
    const licence = stated.license ?? stated.licenses?.[0]?.type;
    if (typeof licence !== 'string') throw new Error(`${folder} states no licence`);
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
    return `${stated.name} ${stated.version}: ${licence}\n${text}`;
  });
  return `dist/ holds code of these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

if (import.meta.main) {
  const dist = `${root}dist`;
  await rm(dist, { recursive: true, force: true });
  await writeFile(join(dist, 'THIRD-PARTY-LICENCES.txt'), thirdPartyLicences(await buildProgram(dist)));
}
