import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Rights } from '../lamassu/rights.ts';
import { CHECK_NAME, isUnresolved } from '../lib/unresolved.ts';
import type { LnbitsClient } from '../lnbits/wallet-client.ts';
import type { Clock } from '../time.ts';
import type { LamassuSettings, LedgerSettings, LnbitsSettings } from './settings.ts';

/* The tests that init makes before it writes anything. Each loads its modules only when it runs. */

const DEADLINE_MS = 15_000;

/** Throws `lamassu/unreachable`. */
export async function reachPostgresql(host: string, port: number): Promise<void> {
  const { dial, networkReason } = await import('../lamassu/tcp.ts');
  try {
    (await dial(host, port, DEADLINE_MS)).destroy();
  } catch (error) {
    throw new BridgeError(
      'lamassu/unreachable',
      `Nothing answers at ${host}:${port}: ${networkReason(error)}.`,
      isUnresolved(error)
        ? CHECK_NAME
        : 'Check that PostgreSQL is running and listening on that address and port.',
    );
  }
}

/** LNbits' version. Throws the errors of the client: `lnbits/unreachable`, `lnbits/version` and others. */
export async function reachLnbits(place: LnbitsSettings, clock: Clock): Promise<string> {
  return withLnbits(place, clock, (lnbits) => lnbits.version());
}

/**
 * The name of the wallet. Throws `lnbits/key` if the key is unknown or cannot pay, `lnbits/rights` if it does not
 * show the invoices it makes.
 */
export async function reachWallet(place: LnbitsSettings, key: Secret, clock: Clock): Promise<string> {
  const { proveRights } = await import('../lnbits/rights.ts');
  const { id, name } = await withLnbits(place, clock, async (lnbits) => {
    const wallet = await lnbits.wallet(key);
    if (wallet.id !== null) await proveRights(lnbits, key);
    return wallet;
  });
  if (id !== null) return name;
  throw new BridgeError(
    'lnbits/key',
    'That is an invoice key, which cannot pay.',
    'Take the admin key of the source wallet, from its “API keys” in LNbits.',
  );
}

/** Logs in as the superuser who is to credit the source wallet. Throws `lnbits/superuser` if that fails. */
export async function reachSuperuser(
  place: LnbitsSettings,
  superuser: { name: string; password: Secret },
  clock: Clock,
): Promise<void> {
  const { LnbitsAdmin } = await import('../lnbits/admin.ts');
  await (await LnbitsAdmin.logIn({ url: place.url, ca: place.ca }, superuser, clock)).close();
}

async function withLnbits<T>(
  place: LnbitsSettings,
  clock: Clock,
  work: (lnbits: LnbitsClient) => Promise<T>,
): Promise<T> {
  const { LnbitsClient } = await import('../lnbits/wallet-client.ts');
  const lnbits = new LnbitsClient({ url: place.url, ca: place.ca }, clock);
  try {
    return await work(lnbits);
  } finally {
    await lnbits.close();
  }
}

/** The id of the existing ledger; null if there is none. Throws what `openLedger` throws. */
export async function findLedger(place: LedgerSettings, clock: Clock): Promise<string | null> {
  const { openLedger } = await import('../ledger/store/open.ts');
  try {
    const ledger = await openLedger({ ...place, clock, use: 'read' });
    await ledger.close();
    return ledger.id;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (error.code === 'ledger/missing') return null;
    if (error.code === 'ledger/outdated') return 'an older one';
    throw error;
  }
}

/** The result of reading Lamassu: its machines, or what is missing. */
export type LamassuFound =
  | ({ machines: string[] } & Pick<Rights, 'tooMuch' | 'harmful'>)
  | { missing: BridgeError };

/**
 * Reads Lamassu as a run would. A key or a role that is not known there yet is no error: init explains how to add it.
 * Throws if the answers themselves are wrong: `lamassu/ssh-unreachable`, `ssh-host-key`, `unreachable`,
 * `no-database`.
 */
export async function tryLamassu({ lamassu, ssh }: LamassuSettings, clock: Clock): Promise<LamassuFound> {
  const { openDatabase } = await import('../lamassu/database.ts');
  try {
    const source = await openDatabase(
      {
        name: 'lamassu',
        ...lamassu,
        ca: lamassu.ca,
        ssh: ssh && {
          ...{ host: ssh.host, port: ssh.port, user: ssh.user, hostKeys: [ssh.host_key] },
          ...{ privateKey: ssh.key.private_key, passphrase: ssh.key.passphrase },
        },
      },
      clock,
    );
    try {
      const { missing, notGranted, tooMuch, harmful } = await source.check();
      const lacking = [...missing, ...notGranted];
      if (lacking.length > 0) {
        const message = `The role ${lamassu.user} cannot read ${lacking.slice(0, 5).join(', ')}.`;
        return { missing: new BridgeError('lamassu/not-granted', message) };
      }
      const machines = (await source.machines())
        .filter(({ paired }) => paired)
        .map(({ deviceId, name }) => name ?? deviceId);
      return { machines, tooMuch, harmful };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof BridgeError && LATER.has(error.code)) return { missing: error };
    throw error;
  }
}

/** Errors that the key line and the role's SQL correct. */
const LATER = new Set<string>([
  'lamassu/ssh-authentication',
  'lamassu/ssh-forward',
  'lamassu/ssh-forbidden',
  'lamassu/credentials',
  'lamassu/not-granted',
]);
