import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from './blocks.ts';
import { DRILLS } from './drills.ts';

/** The top folder of the project, with a slash at the end. */
export const HOME = fileURLToPath(new URL('../../../', import.meta.url));
const page = (path: string, ...sections: string[]): Page => ({
  path: join(HOME, path),
  ...(sections.length > 0 ? { sections } : {}),
});

/** Every page in which commands may stand. */
export const DOCUMENTATION = ['README.md', ...globSync('docs/**/*.md', { cwd: HOME }).sort()].map((path) =>
  join(HOME, path),
);

export const README = page('README.md');
export const UPGRADING = page('docs/upgrading.md');
export const INSTALL = page('docs/install.md');
const PREPARED = [
  page('docs/install.md', 'Node.js 24', 'The program'),
  page('docs/monitoring.md', 'By cron'),
];
/** An installation by hand. What cron needs is there before what systemd needs: the two go together. */
export const BY_HAND = [
  ...PREPARED,
  page(
    'docs/install.md',
    'The user, the folders, the units',
    'The configuration and the ledger',
    "Lamassu's server",
    'Clients, their cash, and the schedule',
  ),
];

/** Every page, or part of one, that a test types. */
export const TYPED: Page[] = [
  README,
  UPGRADING,
  ...BY_HAND,
  ...DRILLS.map(({ page: path, section }) => page(path, section)),
];
