import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../config/secret.ts';
import { type HostKey, kindOf } from '../../lamassu/host-keys.ts';
import { hasPassphrase } from '../../lamassu/ssh-key.ts';
import { declined } from '../prompt.ts';
import type { Answers } from './answers.ts';
import { checked, readPlace, sshShape, usage } from './checks.ts';
import { flagOf, type Interview } from './interview.ts';
import { makeSshKey, readSshKey, type SshKey } from './key.ts';
import type { InitOptions } from './options.ts';
import { contents, secretAnswer } from './secret-file.ts';

/** The server in front of Lamassu, whose key a person confirms, and the key for it. */
export async function askSsh(
  interview: Interview,
  options: InitOptions,
  folder: string,
): Promise<NonNullable<Answers['ssh']>> {
  const { host, port, shown } = await interview.ask({
    key: 'sshHost',
    message: 'The SSH server in front of it: HOST or HOST:PORT',
    read: async (text) => {
      const place = readPlace(text, 22, 'sshHost');
      const read = options.test && options.hostKey === undefined;
      return { ...place, shown: read ? await readHostKey(place) : undefined };
    },
  });
  const hostKey = shown ? await confirmed(interview, host, shown) : await askHostKey(interview);
  const user = await interview.ask({
    key: 'sshUser',
    message: 'The user there, who needs no other rights',
    initial: 'aio-dca',
    read: (text) => checked(sshShape.user, text, 'sshUser'),
  });
  const own = join(folder, 'id_ed25519');
  const key = await interview.ask({
    key: 'sshKeyFile',
    message: 'A private SSH key for it: a file, or nothing to have one made',
    initial: existsSync(own) ? own : '',
    read: (path) =>
      path === ''
        ? makeSshKey()
        : askPassphrase(interview, options, folder, path, contents(path, 'sshKeyFile')),
  });
  return { host, port, user, key, hostKey };
}

/** The key in `text`, with its passphrase where it has one. */
async function askPassphrase(
  interview: Interview,
  options: InitOptions,
  folder: string,
  path: string,
  text: string,
): Promise<SshKey> {
  if (!hasPassphrase(text)) return readSshKey(text, path);
  return secretAnswer(interview, options, {
    key: 'sshPassphraseFile',
    message: `The passphrase of ${path}`,
    folder,
    file: 'ssh.passphrase',
    read: (passphrase) => {
      if (passphrase === '') {
        throw usage(
          `${path} needs a passphrase.`,
          `Put it into a file, and name that: ${flagOf('sshPassphraseFile')}.`,
        );
      }
      return readSshKey(text, path, new Secret(passphrase));
    },
  });
}

async function readHostKey(place: { host: string; port: number }): Promise<HostKey> {
  const { readHostKeys } = await import('../../lamassu/tunnel.ts');
  const [first] = await readHostKeys(place);
  if (!first) throw new Error('a server that shows no host key');
  return first;
}

async function confirmed(interview: Interview, host: string, shown: HostKey): Promise<string> {
  const type = kindOf(shown.line) ?? '';
  const kind = /ed25519|ecdsa|rsa/.exec(type)?.[0] ?? 'ed25519';
  interview.note(
    `${host} shows the ${type} key\n${shown.fingerprint}\n` +
      `On the server itself: ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub`,
  );
  if (await interview.confirm('Does the server itself say the same?')) return shown.fingerprint;
  throw declined(`The host key of ${host} was not confirmed.`);
}

async function askHostKey(interview: Interview): Promise<string> {
  return interview.ask({
    key: 'hostKey',
    message: 'The server’s host key, SHA256:…',
    read: (text) => {
      checked(sshShape.host_key, text, 'hostKey');
      return text;
    },
  });
}
