import * as z from 'zod';
import { keyInput, secretInput } from '../config/secret-input.ts';
import {
  findLedger,
  reachLnbits,
  reachPostgresql,
  reachSuperuser,
  reachWallet,
  tryLamassu,
} from '../init/reach.ts';
import { asOwner, ownerIn } from '../init/service.ts';
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
import { hasPassphrase } from '../lamassu/ssh-key.ts';
import type { Clock } from '../time.ts';
import { foundView, hostKeyView, viewOfFound } from '../views/init.ts';
import { LAMASSU, LEDGER, LNBITS } from './errors.ts';
import { operation } from './operation.ts';

/* What `init` tests of the answers before anything is written. Slow modules are loaded where they are needed. */

const place = z.strictObject({ host: z.string(), port: z.number() });

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
  input: z.strictObject({}),
  view: sshKey,
  run: async () => makeSshKey(),
});

/** Null: the key needs a passphrase. Throws `lamassu/ssh-key`, which names `name`, if the key cannot be used. */
export const inspectSshKey = operation({
  name: 'init.read_ssh_key',
  needs: 'none',
  may: [],
  errors: ['lamassu/ssh-key'],
  input: z.strictObject({ text: z.string(), name: z.string(), passphrase: secretInput.optional() }),
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
  input: lnbitsPlace.extend({ key: keyInput }),
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
  input: z.strictObject({ ledger: ledgerSettings, folder: z.string() }),
  /** Its id; null if there is none. */
  view: z.object({ id: z.string().nullable() }),
  run: async ({ clock }, { ledger, folder }) => ({
    id: await asOwner(ownerIn(folder), () => findLedger(placedLedger(ledger, folder), clock)),
  }),
});

/** Whether the installation begins before the time from which it pays. */
export function isEarly(startAt: string, clock: Clock): boolean {
  return startAt > clock.now();
}
