#!/usr/bin/env node
// Only syntax that Node 12 parses, so that an old Node gets a sentence instead of a stack trace.
if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `aio-dca needs Node.js 24 or newer; this is ${process.version}. https://nodejs.org has it, and docs/install.md of this package the commands.`,
  );
  process.exit(78);
}

const source = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/main.js', import.meta.url);

// The package has no source; in the repository the source is what counts, however old a build lies beside it.
Promise.all([import('node:fs'), import('node:module')])
  .then(([fs, node]) => {
    if (fs.existsSync(source)) return import(source);
    node.enableCompileCache();
    return import(built);
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
