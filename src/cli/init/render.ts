import { join } from 'node:path';
import { stringify } from 'smol-toml';
import type { Answers } from './answers.ts';

/** config.toml; what is not in it has its default. The secrets are in files beside it. */
export function renderConfig({ timezone, startAt, ssh, lamassu, ledger, lnbits }: Answers): string {
  const document = {
    timezone,
    lamassu: {
      host: lamassu.host,
      port: lamassu.port,
      database: lamassu.database,
      user: lamassu.user,
      password_file: 'lamassu.password',
      tls: lamassu.tls,
      ...(lamassu.caFile === undefined ? {} : { ca_file: lamassu.caFile }),
      start_at: startAt,
      ...(ssh && {
        ssh: {
          host: ssh.host,
          port: ssh.port,
          user: ssh.user,
          private_key_file: ssh.key.file,
          ...(ssh.key.passphrase && { passphrase_file: 'ssh.passphrase' }),
          host_key: ssh.hostKey,
        },
      }),
    },
    ledger: {
      url: ledger.url,
      ...(ledger.password && { password_file: 'ledger.password' }),
      ...(ledger.tls === undefined ? {} : { tls: ledger.tls }),
      ...(ledger.caFile === undefined ? {} : { ca_file: ledger.caFile }),
    },
    lnbits: {
      url: lnbits.url,
      ...(lnbits.caFile === undefined ? {} : { ca_file: lnbits.caFile }),
      ...(lnbits.insecureHttp ? { insecure_http: true } : {}),
      source_wallet_key_file: 'source.adminkey',
      ...(lnbits.superuser && {
        credit_source: true,
        superuser: lnbits.superuser.name,
        superuser_password_file: 'superuser.password',
      }),
    },
  };
  return (
    '# Made by `aio-dca init`. Relative paths are relative to this file; what is not here has its default.\n' +
    '# config.example.toml explains every setting.\n\n' +
    `${stringify(document)}\n`
  );
}

/** The files with secrets, in the folder of config.toml. */
export function renderSecrets(
  { ssh, lamassu, ledger, lnbits }: Answers,
  folder: string,
): { path: string; text: string }[] {
  const line = (file: string, text: string) => ({ path: join(folder, file), text: `${text}\n` });
  return [
    line('lamassu.password', lamassu.password.reveal()),
    line('source.adminkey', lnbits.key.reveal()),
    ...(ledger.password ? [line('ledger.password', ledger.password.reveal())] : []),
    ...(lnbits.superuser ? [line('superuser.password', lnbits.superuser.password.reveal())] : []),
    ...(ssh?.key.passphrase ? [line('ssh.passphrase', ssh.key.passphrase.reveal())] : []),
    ...(ssh ? [{ path: join(folder, ssh.key.file), text: ssh.key.privateKey.reveal() }] : []),
  ];
}
