import { widthOf } from '../src/cli/terminal/wrap.ts';
import { startWorld, type World } from '../test/support/world.ts';
import { Page } from './page.ts';
import { openSites, SITES_WORLD, type Sites, tellWithMonths } from './sites.ts';
import { tell } from './story.ts';

/*
 * `npm run demo`: the real program on throw-away parts, from an empty ledger to a run that is killed while it pays.
 * `--json` prints one object instead of the story. `--serve` keeps it all, with both web sites, until Ctrl-C. Exit code
 * 1 when anything is off.
 */

// The commands run without a terminal: their tables are made to this one.
process.env.COLUMNS = `${widthOf(process.stdout)}`;

const json = process.argv.includes('--json');
const serve = process.argv.includes('--serve');
const page = new Page(!json);
let world: Promise<World> | undefined;
let sites: Promise<Sites> | undefined;
let isOpen = false;
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
      // The sites are served until somebody ends that.
      .finally(() => process.exit(isOpen ? 0 : code));
  });
}

try {
  world = startWorld(serve ? SITES_WORLD : { quiet: '1 s' });
  const figures = await (serve ? tellWithMonths : tell)(await world, page);
  if (serve) {
    sites = openSites(await world);
    const { urls, invitations, over } = await sites;
    isOpen = true;
    print({ ...figures, sites: urls, invitations });
    page.invite(invitations);
    await over;
  } else print(figures);
} catch (error) {
  if (!interrupted) console.error(error);
  process.exitCode = 1;
} finally {
  // Once interrupted, the handler cleans up and ends the process.
  if (!interrupted) await cleanUp();
}

function print(document: object): void {
  if (json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

async function cleanUp(): Promise<void> {
  await (await sites?.catch(() => undefined))?.stop();
  await (await world)?.stop();
}
