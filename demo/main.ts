import { widthOf } from '../src/cli/terminal/wrap.ts';
import { startWorld, type World } from '../test/support/world.ts';
import { Page } from './page.ts';
import { tell } from './story.ts';

/*
 * `npm run demo`: the real program on throw-away parts, from an empty ledger to a run that is killed while it pays.
 * `--json` prints one object instead of the story. Exit code 1 when anything is off.
 */

// The commands run without a terminal: their tables are made to this one.
process.env.COLUMNS = `${widthOf(process.stdout)}`;

const json = process.argv.includes('--json');
const page = new Page(!json);
let world: Promise<World> | undefined;
let interrupted = false;

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    interrupted = true;
    // Ctrl-C reaches PostgreSQL as well: what can no longer be dropped there goes with its folder.
    cleanUp()
      .catch(() => undefined)
      .finally(() => process.exit(code));
  });
}

try {
  world = startWorld({ quiet: '1 s' });
  const figures = await tell(await world, page);
  if (json) process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
} catch (error) {
  if (!interrupted) console.error(error);
  process.exitCode = 1;
} finally {
  // Once interrupted, the handler cleans up and ends the process.
  if (!interrupted) await cleanUp();
}

async function cleanUp(): Promise<void> {
  await (await world)?.stop();
}
