import ssh2 from 'ssh2';
import { Secret } from '../config/secret.ts';
import { publicKeyLine, readPrivateKey } from '../lamassu/ssh-key.ts';
import type { SshKey } from './settings.ts';

/** A new ed25519 key in OpenSSH's format, without a passphrase. */
export function makeSshKey(): SshKey {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'aio-dca' });
    // About one in 400 that ssh2 1.17 makes is malformed.
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue;
    return {
      file: 'id_ed25519',
      private_key: new Secret(pair.private),
      passphrase: undefined,
      public_key: pair.public,
    };
  }
}

/** The key in `text`. Throws `lamassu/ssh-key`, which names `from`, if it cannot be used. */
export function readSshKey(text: string, from: string, passphrase?: Secret): SshKey {
  const parsed = readPrivateKey(text, passphrase, `${from} holds no private SSH key that can be used`);
  const files: Partial<Record<string, string>> = { 'ssh-ed25519': 'id_ed25519', 'ssh-rsa': 'id_rsa' };
  return {
    file: files[parsed.type] ?? 'id_ecdsa',
    private_key: new Secret(text),
    passphrase,
    public_key: publicKeyLine(parsed),
  };
}
