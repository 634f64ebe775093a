import ssh2, { type ParsedKey } from 'ssh2';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { call, type Message, message } from '../lib/message.ts';

/** The private key in `text`. Throws `lamassu/ssh-key`, whose message begins with `what` and never quotes the key. */
export function readPrivateKey(text: string, passphrase: Secret | undefined, what: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(text, passphrase?.reveal());
  if (!(parsed instanceof Error) && parsed.isPrivateKey()) return parsed;
  const [why, hint] = complaint(text, parsed, passphrase !== undefined);
  throw new BridgeError('lamassu/ssh-key', `${what}: ${why}.`, hint);
}

/** The public half, on one line as in a `.pub` file. */
export function publicKeyLine(key: ParsedKey): string {
  return `${key.type} ${key.getPublicSSH().toString('base64')} aio-dca`;
}

/** Whether the key in `text` needs a passphrase. */
export function hasPassphrase(text: string): boolean {
  const parsed = ssh2.utils.parseKey(text);
  return parsed instanceof Error && /no passphrase given/.test(parsed.message);
}

const OWN = message`Take an OpenSSH private key that serves only this purpose, or let ${call('init')} make one.`;

function complaint(
  text: string,
  parsed: ParsedKey | Error,
  given: boolean,
): [why: string, hint: string | Message] {
  if (!(parsed instanceof Error)) return ['it is a public key', 'Give the file beside it, without .pub.'];
  if (/^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.test(text)) {
    return [
      'it is in PKCS#8 format',
      message`If it is an RSA or ECDSA key, \`ssh-keygen -p -f FILE\` rewrites it in OpenSSH's. ${OWN}`,
    ];
  }
  if (/^PuTTY-User-Key-File/.test(text)) {
    return ["it is in PuTTY's format", 'PuTTYgen exports it: Conversions, Export OpenSSH key.'];
  }
  // The parser's messages never quote the key.
  const { message: said } = parsed;
  if (/no passphrase given/.test(said)) {
    return [
      'it is encrypted, and no passphrase is given',
      'Give the passphrase of the key (passphrase_file), or make a key without one for this purpose only.',
    ];
  }
  if (given && /passphrase|bad decrypt|integrity/i.test(said)) {
    return [
      'the passphrase does not open it',
      'Check the passphrase. Its file may hold no blank and no further line.',
    ];
  }
  return [
    said,
    message`It has to be an OpenSSH private key with real line breaks; \`ssh-keygen -p -f FILE\` rewrites other formats. ${OWN}`,
  ];
}
