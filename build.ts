import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/**
 * Bundles the program into dist/main.js, with a chunk for each lazy import: one file starts more than twice as fast as
 * its several hundred modules do. The CommonJS packages in it expect `require` and their own file name.
 */
const banner = `import { createRequire as makeRequire } from 'node:module';
const require = makeRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/cli/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  banner: { js: banner },
  // Native extras that their packages do without where they are absent.
  external: ['*.node', 'cpu-features', 'pg-native'],
  logLevel: 'warning',
});
