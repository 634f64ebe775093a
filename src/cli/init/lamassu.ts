import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { readCa } from '../../config/ca.ts';
import { Secret } from '../../config/secret.ts';
import { checkLamassu, checkPostgresql } from '../../operations/init-checks.ts';
import type { FoundView } from '../../views/init.ts';
import { tooMuchRights } from '../pages/init.ts';
import { usage } from '../terminal/context.ts';
import { checked, lamassuShape, readPlace } from './checks.ts';
import { flagOf, type Interview } from './interview.ts';
import { secretAnswer } from './secret-file.ts';
import type { InstallationSettings } from './settings.ts';
import { askSsh } from './ssh.ts';

/** The way to Lamassu's PostgreSQL, and what is found there: tried together, and asked for again on a terminal. */
export async function wayToLamassu(
  interview: Interview,
): Promise<Pick<InstallationSettings, 'ssh' | 'lamassu'> & { found: FoundView | null }> {
  const { options } = interview;
  const direct =
    options.direct ??
    (interview.terminal &&
      options.sshHost === undefined &&
      (await interview.choose('How is Lamassu’s PostgreSQL reached?', [
        { value: 'ssh', label: 'through SSH to its server' },
        { value: 'direct', label: 'directly, from this host' },
      ])) === 'direct');
  const ssh = direct ? undefined : await askSsh(interview);
  for (;;) {
    const lamassu = await askLamassu(interview, direct);
    try {
      const found = await interview.test(checkLamassu, { ssh, lamassu });
      if (found === null) return { ssh, lamassu, found };
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

async function askLamassu(interview: Interview, direct: boolean): Promise<InstallationSettings['lamassu']> {
  const { host, port } = await interview.ask({
    key: 'lamassuHost',
    message: direct
      ? 'PostgreSQL: HOST or HOST:PORT'
      : 'PostgreSQL as the SSH server sees it: HOST or HOST:PORT',
    initial: '127.0.0.1:5432',
    read: async (text) => {
      const place = readPlace(text, 5432, 'lamassuHost');
      if (direct) await interview.test(checkPostgresql, place);
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
  const password = await secretAnswer(interview, {
    key: 'lamassuPasswordFile',
    message: 'Its password (leave empty and one is made)',
    file: 'lamassu.password',
    read: (text) => new Secret(text === '' ? randomBytes(18).toString('base64url') : text),
  });
  return { host, port, database, user, password, ...(await askTls(interview, direct)) };
}

async function askTls(
  interview: Interview,
  direct: boolean,
): Promise<Pick<InstallationSettings['lamassu'], 'tls' | 'ca_file' | 'ca'>> {
  const { options } = interview;
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
    message: 'The certificate that signed the server’s (empty: a public one)',
    initial: '',
    read: (path) =>
      path === ''
        ? { tls, ca_file: undefined, ca: undefined }
        : {
            tls,
            ca_file: resolve(path),
            ca: readCa(interview.terminal ? 'the certificate' : flagOf('caFile'), resolve(path)),
          },
  });
}
