import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { mayWrite, type NewFile, placeFiles, standing, versionOf } from '../init/files.ts';
import {
  findLedger,
  reachLnbits,
  reachPostgresql,
  reachSuperuser,
  reachWallet,
  tryLamassu,
} from '../init/reach.ts';
import { renderConfig, renderForServer, renderSecrets } from '../init/render.ts';
import { asOwner, CONFIG_FOLDER, LEDGER_URL, ownerIn, SERVICE_USER } from '../init/service.ts';
import {
  lamassuSettings,
  ledgerSettings,
  lnbitsPlace,
  placedLedger,
  settings,
  sshKey,
  superuser,
} from '../init/settings.ts';
import { makeSshKey, readSshKey } from '../init/ssh-keys.ts';
import { kindOf } from '../lamassu/host-keys.ts';
import { authorizedKeysLine, roleSql } from '../lamassu/role-sql.ts';
import { hasPassphrase } from '../lamassu/ssh-key.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import type { Clock } from '../time.ts';
import {
  type FoundView,
  foundView,
  hostKeyView,
  initPlanView,
  type MadeView,
  madeView,
  placeView,
  viewOfFound,
} from '../views/init.ts';
import { LAMASSU, LEDGER, LNBITS } from './errors.ts';
import { assertUnchanged, digestOf, operation, secretInput } from './operation.ts';

/*
 * The tests that `init` makes before anything is written, and the writing itself. The door asks the questions. Slow
 * modules are loaded where they are needed.
 */

const place = z.object({ host: z.string(), port: z.number() });

/**
 * Whether a start is in the future. Cash-outs before it are never paid, and it is usually a typing error, so a door
 * asks about it.
 */
export const checkStart = operation({
  name: 'init.check_start',
  needs: 'none',
  may: [],
  errors: [],
  input: settings.pick({ start_at: true }),
  view: z.object({ early: z.boolean() }),
  run: async ({ clock }, { start_at: startAt }) => ({ early: isEarly(startAt, clock) }),
});

/** Throws `lamassu/unreachable` if nothing answers. */
export const checkPostgresql = operation({
  name: 'init.check_postgresql',
  needs: 'none',
  may: [],
  errors: ['lamassu/unreachable'],
  input: place,
  view: z.object({}),
  run: async (_context, { host, port }) => {
    await reachPostgresql(host, port);
    return {};
  },
});

/** Throws `lamassu/ssh-unreachable`, `ssh-algorithms`. */
export const readHostKey = operation({
  name: 'init.read_host_key',
  needs: 'none',
  may: [],
  errors: ['lamassu/ssh-unreachable', 'lamassu/ssh-algorithms'],
  input: place,
  view: hostKeyView,
  run: async (_context, server) => {
    const { readHostKeys } = await import('../lamassu/tunnel.ts');
    const [first] = await readHostKeys(server);
    if (!first) throw new Error('a server that shows no host key');
    return { type: kindOf(first.line) ?? '', fingerprint: first.fingerprint };
  },
});

/** A new ed25519 key in OpenSSH's format, without a passphrase. */
export const makeKey = operation({
  name: 'init.make_ssh_key',
  needs: 'none',
  may: [],
  errors: [],
  input: z.object({}),
  view: sshKey,
  run: async () => makeSshKey(),
});

/** Null: the key needs a passphrase. Throws `lamassu/ssh-key`, which names `name`, if the key cannot be used. */
export const inspectSshKey = operation({
  name: 'init.read_ssh_key',
  needs: 'none',
  may: [],
  errors: ['lamassu/ssh-key'],
  input: z.object({ text: z.string(), name: z.string(), passphrase: secretInput.optional() }),
  view: z.object({ key: sshKey.nullable() }),
  run: async (_context, { text, name, passphrase }) => ({
    key: passphrase === undefined && hasPassphrase(text) ? null : readSshKey(text, name, passphrase),
  }),
});

/** Throws the errors of the LNbits client: `lnbits/unreachable`, `lnbits/version` and others. */
export const checkLnbits = operation({
  name: 'init.check_lnbits',
  needs: 'none',
  may: [],
  errors: LNBITS,
  input: lnbitsPlace,
  view: z.object({ version: z.string() }),
  run: async ({ clock }, lnbits) => ({ version: await reachLnbits(lnbits, clock) }),
});

/** Checks that the key can pay and shows the invoices it makes. Throws `lnbits/key`, `lnbits/rights`. */
export const checkSourceWallet = operation({
  name: 'init.check_source_wallet',
  needs: 'none',
  may: [],
  errors: LNBITS,
  input: lnbitsPlace.extend({ key: secretInput }),
  view: z.object({ name: z.string() }),
  run: async ({ clock }, { key, ...lnbits }) => ({ name: await reachWallet(lnbits, key, clock) }),
});

/** Throws `lnbits/superuser` if LNbits does not let the superuser in. */
export const checkSuperuser = operation({
  name: 'init.check_superuser',
  needs: 'none',
  may: [],
  errors: [...LNBITS, 'lnbits/superuser'],
  input: lnbitsPlace.extend({ superuser }),
  view: z.object({}),
  run: async ({ clock }, { superuser: who, ...lnbits }) => {
    await reachSuperuser(lnbits, who, clock);
    return {};
  },
});

/**
 * Reads Lamassu as a run would. Throws if the answers themselves are wrong; what is still to be done at Lamassu is in
 * the view.
 */
export const checkLamassu = operation({
  name: 'init.check_lamassu',
  needs: 'none',
  may: [],
  errors: LAMASSU,
  input: lamassuSettings,
  view: foundView,
  run: async ({ clock }, way) => viewOfFound(await tryLamassu(way, clock)),
});

/** The existing ledger. Throws the errors of opening it. */
export const checkLedger = operation({
  name: 'init.check_ledger',
  needs: 'none',
  may: [],
  errors: LEDGER,
  /** A SQLite file is relative to `folder`. */
  input: z.object({ ledger: ledgerSettings, folder: z.string() }),
  /** Its id; null if there is none. */
  view: z.object({ id: z.string().nullable() }),
  run: async ({ clock }, { ledger, folder }) => ({
    id: await asOwner(ownerIn(folder), () => findLedger(placedLedger(ledger, folder), clock)),
  }),
});

/**
 * Where an installation goes: into `file`, or what is proposed for the user who asks. Throws `init/unwritable` where
 * nothing can be written to `file`.
 */
export const findPlace = operation({
  name: 'init.find_place',
  needs: 'none',
  may: [],
  errors: ['init/unwritable'],
  input: z.object({ file: z.string().nullable(), user: z.string() }),
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
  input: z.object({ path: z.string() }),
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
const files = z.object({ file: z.string(), settings, heading: z.string() });

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

/** The configuration, and the files with secrets: what an operator may have changed. */
function filesOf({ file, settings: said, heading }: z.output<typeof files>): Omit<NewFile, 'replace'>[] {
  return [{ path: file, text: renderConfig(heading, said) }, ...renderSecrets(said, dirname(file))];
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

/** Whether the installation begins before the time from which it pays. */
function isEarly(startAt: string, clock: Clock): boolean {
  return startAt > clock.now();
}

/** Another role name if `user` has rights to change data: the SQL refuses to restrict such a role. */
function roleFor(user: string, harmful: readonly string[]): string {
  if (harmful.length === 0) return user;
  return user === 'aio_dca' ? 'aio_dca_reader' : 'aio_dca';
}
