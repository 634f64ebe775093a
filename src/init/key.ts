import ssh2 from 'ssh2';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';

export interface SshKey {
  /** The name of its file, as OpenSSH calls keys of its kind. */
  file: string;
  privateKey: Secret;
  /** Undefined where the key has none. */
  passphrase: Secret | undefined;
  /** On one line, as in a `.pub` file. */
  publicKey: string;
}

/** A new ed25519 key in OpenSSH's format, without a passphrase. */
export function makeSshKey(): SshKey {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'aio-dca' });
    // About one in 400 that ssh2 1.17 makes is malformed.
    if (ssh2.utils.parseKey(pair.private) instanceof Error) continue;
    return {
      file: 'id_ed25519',
      privateKey: new Secret(pair.private),
      passphrase: undefined,
      publicKey: pair.public,
    };
  }
}

/** Whether the key in `text` can be read only with a passphrase. */
export function hasPassphrase(text: string): boolean {
  const parsed = ssh2.utils.parseKey(text);
  return parsed instanceof Error && /no passphrase given/.test(parsed.message);
}

/** The key in `text`. Throws `lamassu/ssh-key`, naming `from`, where it is none that can be used. */
export function readSshKey(text: string, from: string, passphrase?: Secret): SshKey {
  const parsed = ssh2.utils.parseKey(text, passphrase?.reveal());
  if (parsed instanceof Error || !parsed.isPrivateKey()) {
    const why = parsed instanceof Error ? parsed.message : 'it is a public key';
    throw new BridgeError(
      'lamassu/ssh-key',
      `${from} holds no private SSH key that can be used: ${why}.`,
      passphrase
        ? 'Check the passphrase.'
        : 'Take an OpenSSH private key that serves only this purpose, or let init make one.',
    );
  }
  const files: Partial<Record<string, string>> = { 'ssh-ed25519': 'id_ed25519', 'ssh-rsa': 'id_rsa' };
  return {
    file: files[parsed.type] ?? 'id_ecdsa',
    privateKey: new Secret(text),
    passphrase,
    publicKey: `${parsed.type} ${parsed.getPublicSSH().toString('base64')} aio-dca`,
  };
}
