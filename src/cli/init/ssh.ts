import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../config/secret.ts';
import { inspectSshKey, makeKey, readHostKey } from '../../operations/init-checks.ts';
import type { HostKeyView } from '../../views/init.ts';
import { usage } from '../terminal/context.ts';
import { declined } from '../terminal/prompt.ts';
import { checked, readPlace, sshShape } from './checks.ts';
import { flagOf, type Interview } from './interview.ts';
import { contents, secretAnswer } from './secret-file.ts';
import type { InstallationSshKey, SshSettings } from './settings.ts';

/** The SSH server in front of Lamassu, whose host key the operator confirms, and the private key for it. */
export async function askSsh(interview: Interview): Promise<SshSettings> {
  const { options, folder } = interview;
  const { host, port, shown } = await interview.ask({
    key: 'sshHost',
    message: 'The SSH server in front of it: HOST or HOST:PORT',
    read: async (text) => {
      const place = readPlace(text, 22, 'sshHost');
      return {
        ...place,
        shown: options.hostKey !== undefined ? null : await interview.test(readHostKey, place),
      };
    },
  });
  const hostKey = shown ? await confirmed(interview, host, shown) : await askHostKey(interview);
  const user = await interview.ask({
    key: 'sshUser',
    message: 'Unix user on that server for the tunnel only',
    initial: 'aio-dca',
    read: (text) => checked(sshShape.user, text, 'sshUser'),
  });
  const own = join(folder, 'id_ed25519');
  const key = await interview.ask({
    key: 'sshKeyFile',
    message: 'Private SSH key (a file; leave empty and one is made)',
    initial: existsSync(own) ? own : '',
    read: async (path) =>
      path === ''
        ? interview.perform(makeKey, {})
        : askPassphrase(interview, path, await contents(interview, path, 'sshKeyFile')),
  });
  return { host, port, user, key, host_key: hostKey };
}

/** The key in `text`, with its passphrase where it has one. */
async function askPassphrase(interview: Interview, path: string, text: string): Promise<InstallationSshKey> {
  const { key } = await interview.perform(inspectSshKey, { text, name: path });
  if (key) return key;
  return secretAnswer(interview, {
    key: 'sshPassphraseFile',
    message: `The passphrase of ${path}`,
    file: 'ssh.passphrase',
    read: async (passphrase) => {
      if (passphrase === '') {
        throw usage(
          `${path} needs a passphrase.`,
          interview.terminal
            ? undefined
            : `Put it into a file, and give that file: ${flagOf('sshPassphraseFile')}.`,
        );
      }
      const opened = await interview.perform(inspectSshKey, {
        text,
        name: path,
        passphrase: new Secret(passphrase),
      });
      if (!opened.key) throw new Error('a key that needs another passphrase than its own');
      return opened.key;
    },
  });
}

async function confirmed(interview: Interview, host: string, shown: HostKeyView): Promise<string> {
  const kind = /ed25519|ecdsa|rsa/.exec(shown.type)?.[0] ?? 'ed25519';
  interview.note(
    `${host} shows the ${shown.type} key\n${shown.fingerprint}\n` +
      `On the server itself: ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub`,
  );
  if (await interview.confirm('Does the server itself show the same?')) return shown.fingerprint;
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
