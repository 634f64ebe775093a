import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { mayWrite, type NewFile, placeFiles, standing, versionOf } from '../init/files.ts';
import { renderConfig, renderForServer, renderSecrets } from '../init/render.ts';
import { asOwner, CONFIG_FOLDER, LEDGER_URL, ownerIn, SERVICE_USER } from '../init/service.ts';
import { placedLedger, settings } from '../init/settings.ts';
import { authorizedKeysLine, roleSql } from '../lamassu/role-sql.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import {
  type FoundView,
  foundView,
  initPlanView,
  type MadeView,
  madeView,
  placeView,
} from '../views/init.ts';
import { LEDGER } from './errors.ts';
import { isEarly } from './init-checks.ts';
import { assertUnchanged, digestOf, operation } from './operation.ts';
import { refuseUnusable } from './unusable-config.ts';

/* What `init` writes, and where. The door asks the questions; init-checks.ts tests the answers before. */

/**
 * Where an installation goes: into `file`, or what is proposed for the user who asks. Throws `init/unwritable` where
 * nothing can be written to `file`.
 */
export const findPlace = operation({
  name: 'init.find_place',
  needs: 'none',
  may: [],
  errors: ['init/unwritable'],
  input: z.strictObject({ file: z.string().nullable(), user: z.string() }),
  view: placeView,
  run: async (_context, { file: named, user }) => {
    const isService = user === 'root' || user === SERVICE_USER;
    const file = resolve(named ?? (isService ? join(CONFIG_FOLDER, 'config.toml') : 'config.toml'));
    const folder = dirname(file);
    if (named !== null) mayWrite(file);
    return {
      file,
      exists: existsSync(file),
      ledger_url: folder === CONFIG_FOLDER ? LEDGER_URL : 'sqlite:ledger.sqlite',
      owner: ownerIn(folder)?.name ?? null,
    };
  },
});

/**
 * A file that an answer names. In a folder of the service's user, root reads it with that user's rights, who could have
 * put a link there.
 */
export const readAnswerFile = operation({
  name: 'init.read_file',
  needs: 'none',
  may: [],
  errors: [],
  input: z.strictObject({ path: z.string() }),
  /** Its bytes, or the system's code of why it cannot be read. */
  view: z.object({ bytes: z.instanceof(Uint8Array).nullable(), failed: z.string().nullable() }),
  run: async (_context, { path }) => {
    try {
      const bytes = await asOwner(ownerIn(dirname(resolve(path))), () => readFileSync(path));
      return { bytes, failed: null };
    } catch (error) {
      return {
        bytes: null,
        failed: error instanceof Error && 'code' in error ? `${error.code}` : `${error}`,
      };
    }
  },
});

/** `file`: the absolute path of the configuration. The other files are beside it. */
const files = z.strictObject({ file: z.string(), settings, heading: z.string() });

/**
 * The files that `init.create` would write. A door asks whether those with another content may be replaced; its digest
 * says yes to all of them.
 */
export const previewInit = operation({
  name: 'init.preview_create',
  needs: 'none',
  may: [],
  errors: [],
  input: files,
  view: initPlanView,
  run: async (_context, given) =>
    asOwner(ownerIn(dirname(given.file)), () => {
      const plan = planOf(filesOf(given));
      return {
        files: plan.map(({ path, standing: now }) => ({ path, standing: now })),
        digest: digestOf(plan),
      };
    }),
});

/**
 * Writes the files with secrets and those for the Lamassu server, creates the ledger, and writes the configuration. If
 * it fails, only the ledger may remain. Errors: `init/stopped`, `init/unwritable`, and what creating the ledger throws.
 */
export const createInstallation = operation({
  name: 'init.create',
  needs: 'none',
  may: [],
  errors: [...LEDGER, 'init/stopped', 'init/unwritable'],
  input: files.extend({
    /** That of the preview; without it, no file is replaced. */
    digest: z.string().optional(),
    /** The answer of `init.check_lamassu`; null if it was not called. */
    found: foundView.nullable(),
  }),
  view: madeView,
  run: async ({ clock, stopSignal }, { digest, found, ...given }) => {
    const folder = dirname(given.file);
    const role = roleFor(given.settings.lamassu.user, found?.harmful ?? []);
    const owner = ownerIn(folder);
    const wanted = filesOf(given);
    const plan = await asOwner(owner, () => planOf(wanted));
    assertUnchanged(plan, digest, () => filesChanged(folder));
    const [config, ...secrets] = wanted.map((file, index) => ({
      ...file,
      replace: digest !== undefined && plan[index]?.standing === 'other',
    }));
    if (!config) throw new Error('an installation without a configuration');
    const forServer = renderForServer(given.settings, role, folder).map((file) => ({
      ...file,
      replace: true,
    }));
    const { openLedger } = await import('../ledger/store/open.ts');
    // From here on a signal waits until everything is written or undone.
    stopSignal();
    const create = async () => {
      const made = await openLedger({
        ...placedLedger(given.settings.ledger, folder),
        clock,
        use: 'create',
      });
      await made.close();
      return made;
    };
    const ledger = await placeFiles(config, [...secrets, ...forServer], create, owner);
    const written = [config, ...secrets, ...forServer].map(({ path }) => path);
    return { ...viewOfMade(given, written, found, role, ledger), owner: owner?.name ?? null };
  },
});

/** The configuration, and the files with secrets: what an operator may have changed. Throws as `refuseUnusable`. */
function filesOf({ file, settings: said, heading }: z.output<typeof files>): Omit<NewFile, 'replace'>[] {
  const text = renderConfig(heading, said);
  refuseUnusable(file, text, said.ledger.url);
  return [{ path: file, text }, ...renderSecrets(said, dirname(file))];
}

/** How each file stands, as the operator agrees to it. */
function planOf(wanted: ReturnType<typeof filesOf>) {
  return wanted.map(({ path, text }) => ({ path, standing: standing(path, text), version: versionOf(path) }));
}

function filesChanged(folder: string): BridgeError {
  return new BridgeError(
    'init/stopped',
    `A file in ${folder} changed meanwhile. Nothing was written.`,
    message`Do it again: ${call('init.create')}.`,
  );
}

function viewOfMade(
  given: z.output<typeof files>,
  written: string[],
  found: FoundView | null,
  role: string,
  { id, url, schema, clock }: Ledger,
): Omit<MadeView, 'owner'> {
  const { ssh, lamassu, start_at: startAt } = given.settings;
  return {
    config: given.file,
    files: written,
    ledger: { id, url, schema },
    lamassu: {
      readable: found?.readable ?? null,
      machines: found?.machines ?? [],
      ...{ user: lamassu.user, host: lamassu.host, database: lamassu.database },
      too_much: found?.too_much ?? [],
      missing: found?.missing ?? null,
    },
    ssh: ssh
      ? {
          ...{ user: ssh.user, host: ssh.host, port: ssh.port },
          authorized_keys: authorizedKeysLine(ssh.key.public_key, lamassu.host, lamassu.port),
          authorized_keys_dropbear: authorizedKeysLine(
            ssh.key.public_key,
            lamassu.host,
            lamassu.port,
            'dropbear',
          ),
        }
      : null,
    start_at: startAt,
    early: isEarly(startAt, clock),
    role,
    role_sql: roleSql({ user: role, database: lamassu.database }),
  };
}

/** Another role name if `user` has rights to change data: the SQL refuses to restrict such a role. */
function roleFor(user: string, harmful: readonly string[]): string {
  if (harmful.length === 0) return user;
  return user === 'aio_dca' ? 'aio_dca_reader' : 'aio_dca';
}
