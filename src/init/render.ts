import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { authorizedKeysLine, roleSql } from '../lamassu/role-sql.ts';
import type { Settings } from './settings.ts';

/**
 * config.toml, with `heading` as a comment. Settings that it omits have their defaults; secrets are in files beside
 * it.
 */
export function renderConfig(heading: string, settings: Settings): string {
  const { timezone, start_at, ssh, lamassu, ledger, lnbits } = settings;
  const document = {
    timezone,
    lamassu: {
      host: lamassu.host,
      port: lamassu.port,
      database: lamassu.database,
      user: lamassu.user,
      password_file: 'lamassu.password',
      tls: lamassu.tls,
      ...(lamassu.ca_file === undefined ? {} : { ca_file: lamassu.ca_file }),
      start_at,
      ...(ssh && {
        ssh: {
          host: ssh.host,
          port: ssh.port,
          user: ssh.user,
          private_key_file: ssh.key.file,
          ...(ssh.key.passphrase && { passphrase_file: 'ssh.passphrase' }),
          host_key: ssh.host_key,
        },
      }),
    },
    ledger: {
      url: ledger.url,
      ...(ledger.password && { password_file: 'ledger.password' }),
      ...(ledger.tls === undefined ? {} : { tls: ledger.tls }),
      ...(ledger.ca_file === undefined ? {} : { ca_file: ledger.ca_file }),
    },
    lnbits: {
      url: lnbits.url,
      ...(lnbits.ca_file === undefined ? {} : { ca_file: lnbits.ca_file }),
      ...(lnbits.insecure_http ? { insecure_http: true } : {}),
      source_wallet_key_file: 'source.adminkey',
      ...(lnbits.superuser && {
        credit_source: true,
        superuser: lnbits.superuser.name,
        superuser_password_file: 'superuser.password',
      }),
    },
  };
  const comment = heading.split('\n').map((line) => `# ${line}`);
  return `${comment.join('\n')}\n\n${stringify(document)}\n`;
}

/** The files with secrets, in the folder of config.toml. */
export function renderSecrets(
  { ssh, lamassu, ledger, lnbits }: Settings,
  folder: string,
): { path: string; text: string }[] {
  const line = (file: string, text: string) => ({ path: join(folder, file), text: `${text}\n` });
  return [
    line('lamassu.password', lamassu.password.reveal()),
    line('source.adminkey', lnbits.key.reveal()),
    ...(ledger.password ? [line('ledger.password', ledger.password.reveal())] : []),
    ...(lnbits.superuser ? [line('superuser.password', lnbits.superuser.password.reveal())] : []),
    ...(ssh?.key.passphrase ? [line('ssh.passphrase', ssh.key.passphrase.reveal())] : []),
    ...(ssh ? [{ path: join(folder, ssh.key.file), text: ssh.key.private_key.reveal() }] : []),
  ];
}

/** The names of the files for the Lamassu server. */
export const FOR_SERVER = { keyLine: 'authorized_keys.line', role: 'role.sql' };

/** What the Lamassu server needs, in the folder of config.toml: the line for authorized_keys, and the SQL of `role`. */
export function renderForServer(
  { ssh, lamassu }: Settings,
  role: string,
  folder: string,
): { path: string; text: string }[] {
  const { host, port, database, password } = lamassu;
  return [
    { path: join(folder, FOR_SERVER.role), text: roleSql({ user: role, database, password }) },
    ...(ssh
      ? [
          {
            path: join(folder, FOR_SERVER.keyLine),
            text: `${authorizedKeysLine(ssh.key.public_key, host, port)}\n`,
          },
        ]
      : []),
  ];
}
