import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import { readCa } from '../../config/ca.ts';
import { Secret } from '../../config/secret.ts';
import {
  checkLamassu,
  checkLedger,
  checkLnbits,
  checkPostgresql,
  checkSourceWallet,
  checkSuperuser,
} from '../../operations/init.ts';
import { type Instant, systemClock } from '../../time.ts';
import { parseTime } from '../../typed/times.ts';
import type { FoundView } from '../../views/init.ts';
import { tooMuchRights } from '../pages/init.ts';
import { usage } from '../terminal/context.ts';
import { checked, checkedKey, lamassuShape, mayGoInClear, readLedger, readPlace, shape } from './checks.ts';
import type { InitOptions } from './init-options.ts';
import { flagOf, type Interview } from './interview.ts';
import { secretAnswer } from './secret-file.ts';
import type { InstallationLedger, InstallationSettings } from './settings.ts';
import { askSsh } from './ssh.ts';

/** Asks for everything, and tests each answer as soon as possible. Writes nothing. */
export async function askAll(
  interview: Interview,
  options: InitOptions,
  folder: string,
): Promise<{ settings: InstallationSettings; found: FoundView | null }> {
  refuseIncomplete(interview, options, folder);
  const timezone = await interview.ask({
    key: 'timezone',
    message: 'Time zone of local days, for reports, daily limits and times',
    initial: Intl.DateTimeFormat().resolvedOptions().timeZone,
    read: (text) => checked(shape.timezone, text, 'timezone'),
  });
  const start_at = await askStart(interview, options, timezone);
  const { found, ...way } = await wayToLamassu(interview, options, folder);
  const lnbits = await askLnbits(interview, options, folder);
  const ledger = await askLedger(interview, options, folder);
  return { settings: { timezone, start_at, ...way, lnbits, ledger }, found };
}

/** A start in the future is usually a typing error, and cash-outs before it are not paid: the operator confirms it. */
async function askStart(interview: Interview, options: InitOptions, timezone: string): Promise<Instant> {
  for (;;) {
    const startAt = await interview.ask({
      key: 'startAt',
      message: 'From what time on are cash-outs paid? Those confirmed earlier are never paid automatically',
      initial: localMinute(timezone),
      read: (text) => parseTime(text, timezone, flagOf('startAt')),
    });
    if (startAt <= systemClock.now() || !interview.terminal) return startAt;
    if (await interview.confirm('That is in the future. Cash-outs before then will not be paid. Continue?'))
      return startAt;
    delete options.startAt;
  }
}

/** Without a terminal, one error names every missing option. */
function refuseIncomplete({ terminal }: Interview, options: InitOptions, folder: string): void {
  if (options.direct && options.sshHost !== undefined) {
    throw usage('--direct and --ssh-host exclude each other.', 'Give --ssh-host if SSH leads to Lamassu.');
  }
  if (options.creditSource === false && options.superuser !== undefined) {
    throw usage('--no-credit-source and --superuser exclude each other.', 'Leave out one of the two.');
  }
  if (terminal) return;
  const needed: (keyof InitOptions)[] = ['timezone', 'startAt', 'lnbitsUrl'];
  if (!options.direct) needed.push('sshHost', 'hostKey');
  if (!existsSync(join(folder, 'source.adminkey'))) needed.push('sourceWalletKeyFile');
  if (options.creditSource ?? options.superuser !== undefined) {
    needed.push('superuser');
    if (!existsSync(join(folder, 'superuser.password'))) needed.push('superuserPasswordFile');
  }
  const missing = needed.filter((key) => options[key] === undefined).map(flagOf);
  if (missing.length === 0) return;
  throw usage(
    `Without a terminal init cannot ask. Missing: ${missing.join(', ')}.`,
    '`aio-dca init --help` explains each. Use --direct if Lamassu is reached without SSH.',
  );
}

async function wayToLamassu(
  interview: Interview,
  options: InitOptions,
  folder: string,
): Promise<Pick<InstallationSettings, 'ssh' | 'lamassu'> & { found: FoundView | null }> {
  const direct =
    options.direct ??
    (interview.terminal &&
      options.sshHost === undefined &&
      (await interview.choose('How is Lamassu’s PostgreSQL reached?', [
        { value: 'ssh', label: 'through SSH to its server' },
        { value: 'direct', label: 'directly, from this host' },
      ])) === 'direct');
  const ssh = direct ? undefined : await askSsh(interview, options, folder);
  for (;;) {
    const lamassu = await askLamassu(interview, options, folder, direct);
    if (!options.test) return { ssh, lamassu, found: null };
    try {
      const found = await interview.perform(checkLamassu, { ssh, lamassu });
      interview.note(
        found.missing !== null
          ? `Not yet: ${found.missing} The last page says what to do.`
          : `Lamassu can be read; its machines: ${found.machines.join(', ') || 'none'}.`,
      );
      if (found.too_much.length > 0) interview.note(tooMuchRights(lamassu.user, found.too_much));
      return { ssh, lamassu, found };
    } catch (error) {
      if (!interview.terminal) throw error;
      interview.complain(error);
      if (!(await interview.confirm('Answer the questions about PostgreSQL again?'))) throw error;
      for (const key of [
        'lamassuHost',
        'database',
        'lamassuUser',
        'lamassuPasswordFile',
        'tls',
        'caFile',
      ] as const)
        delete options[key];
    }
  }
}

async function askLamassu(
  interview: Interview,
  options: InitOptions,
  folder: string,
  direct: boolean,
): Promise<InstallationSettings['lamassu']> {
  const { host, port } = await interview.ask({
    key: 'lamassuHost',
    message: direct
      ? 'PostgreSQL: HOST or HOST:PORT'
      : 'PostgreSQL as the SSH server sees it: HOST or HOST:PORT',
    initial: '127.0.0.1:5432',
    read: async (text) => {
      const place = readPlace(text, 5432, 'lamassuHost');
      if (direct && options.test) await interview.perform(checkPostgresql, place);
      return place;
    },
  });
  const database = await interview.ask({
    key: 'database',
    message: 'The database',
    initial: 'lamassu',
    read: (text) => checked(lamassuShape.database, text, 'database'),
  });
  const user = await interview.ask({
    key: 'lamassuUser',
    message: 'The role that may only read',
    initial: 'aio_dca',
    read: (text) => checked(lamassuShape.user, text, 'lamassuUser'),
  });
  const password = await secretAnswer(interview, options, {
    key: 'lamassuPasswordFile',
    message: 'Its password, or nothing for a new one',
    folder,
    file: 'lamassu.password',
    read: (text) => new Secret(text === '' ? randomBytes(18).toString('base64url') : text),
  });
  return { host, port, database, user, password, ...(await askTls(interview, options, direct)) };
}

async function askTls(
  interview: Interview,
  options: InitOptions,
  direct: boolean,
): Promise<Pick<InstallationSettings['lamassu'], 'tls' | 'ca_file' | 'ca'>> {
  const tls =
    options.tls === undefined && interview.terminal && direct
      ? await interview.choose('Encryption of the connection', [
          { value: 'disable', label: 'none: the same host, or a private network' },
          { value: 'require', label: 'encrypted, with any certificate' },
          { value: 'verify-full', label: 'encrypted, and the certificate is checked' },
        ])
      : checked(lamassuShape.tls, options.tls, 'tls');
  if (tls !== 'verify-full' && options.caFile !== undefined) {
    throw usage(
      `${flagOf('caFile')}: has no effect with ${flagOf('tls')} ${tls}.`,
      `Use ${flagOf('tls')} verify-full, or leave it out.`,
    );
  }
  if (tls !== 'verify-full') return { tls, ca_file: undefined, ca: undefined };
  return interview.ask({
    key: 'caFile',
    message:
      'The certificate that signed the server’s certificate: a file, or nothing for a public authority',
    initial: '',
    read: (path) =>
      path === ''
        ? { tls, ca_file: undefined, ca: undefined }
        : { tls, ca_file: resolve(path), ca: readCa(flagOf('caFile'), resolve(path)) },
  });
}

async function askLnbits(
  interview: Interview,
  options: InitOptions,
  folder: string,
): Promise<InstallationSettings['lnbits']> {
  const caFile = options.lnbitsCaFile === undefined ? undefined : resolve(options.lnbitsCaFile);
  const ca = caFile === undefined ? undefined : readCa(flagOf('lnbitsCaFile'), caFile);
  const place = await interview.ask({
    key: 'lnbitsUrl',
    message: 'The address of LNbits',
    initial: interview.terminal ? 'https://' : '',
    read: async (text) => {
      const url = checked(shape.lnbits.shape.url, text, 'lnbitsUrl');
      if (caFile !== undefined && url.startsWith('http:')) {
        throw usage(
          `${flagOf('lnbitsCaFile')}: has no effect with ${flagOf('lnbitsUrl')} http://….`,
          'Use https://, or leave it out.',
        );
      }
      const insecure_http = await mayGoInClear(url, options, interview);
      if (options.test) {
        const { version } = await interview.perform(checkLnbits, { url, ca });
        interview.note(`That is LNbits ${version}.`);
      }
      return { url, ca_file: caFile, ca, insecure_http };
    },
  });
  const key = await secretAnswer(interview, options, {
    key: 'sourceWalletKeyFile',
    message: 'The admin key of the source wallet, which pays',
    folder,
    file: 'source.adminkey',
    read: async (text) => {
      const secret = new Secret(checkedKey(text, 'sourceWalletKeyFile'));
      if (options.test) {
        const { name } = await interview.perform(checkSourceWallet, { ...place, key: secret });
        interview.note(`It is the admin key of "${name}".`);
      }
      return secret;
    },
  });
  return { ...place, key, superuser: await askSuperuser(interview, options, folder, place) };
}

async function askSuperuser(
  interview: Interview,
  options: InitOptions,
  folder: string,
  place: { url: string; ca?: string | undefined },
): Promise<InstallationSettings['lnbits']['superuser']> {
  const crediting =
    options.creditSource ??
    (options.superuser !== undefined ||
      (interview.terminal &&
        (await interview.confirm(
          'Do the sats of cash-outs arrive on LNbits’ node but in none of its wallets, so that its superuser has to\n' +
            'credit the source wallet with them? If in doubt: no',
        ))));
  if (!crediting) return undefined;
  const name = await interview.ask({
    key: 'superuser',
    message: 'The user name of LNbits’ superuser',
    read: (text) => checked(shape.lnbits.shape.superuser.unwrap(), text, 'superuser'),
  });
  return secretAnswer(interview, options, {
    key: 'superuserPasswordFile',
    message: 'The superuser’s password',
    folder,
    file: 'superuser.password',
    read: async (text) => {
      if (text === '')
        throw usage(`${flagOf('superuserPasswordFile')}: it is empty.`, 'The superuser has a password.');
      const superuser = { name, password: new Secret(text) };
      if (options.test) await interview.perform(checkSuperuser, { ...place, superuser });
      return superuser;
    },
  });
}

async function askLedger(
  interview: Interview,
  options: InitOptions,
  folder: string,
): Promise<InstallationLedger> {
  for (;;) {
    const place = await interview.ask({
      key: 'ledgerUrl',
      message: 'The ledger: sqlite:FILE, or postgresql://user@host/database',
      initial: 'sqlite:ledger.sqlite',
      read: (text) => readLedger(text, folder),
    });
    const password = place.url.startsWith('sqlite:')
      ? undefined
      : await secretAnswer(interview, options, {
          key: 'ledgerPasswordFile',
          message: 'The password of the ledger’s database, or nothing if it asks for none',
          folder,
          file: 'ledger.password',
          read: (text) => (text === '' ? undefined : new Secret(text)),
        });
    const ledger = { ...place, password };
    if (!options.test) return ledger;
    try {
      const { id } = await interview.perform(checkLedger, { ledger, folder });
      if (id !== null) interview.note(`There is a ledger already, ${id}. It will be used as it is.`);
      return ledger;
    } catch (error) {
      if (!interview.terminal || options.ledgerUrl !== undefined) throw error;
      interview.complain(error);
    }
  }
}

/** The current minute in that zone, as an operator types it. */
function localMinute(timezone: string): string {
  const time = Temporal.Now.plainDateTimeISO(timezone).round({
    smallestUnit: 'minute',
    roundingMode: 'floor',
  });
  return time.toString({ smallestUnit: 'minute' }).replace('T', ' ');
}
