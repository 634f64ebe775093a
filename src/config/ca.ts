import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BridgeError } from '../errors.ts';
import { type FieldName, message } from '../lib/message.ts';
import { thisUser } from '../lib/users.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;
const PEM = 'It has to be PEM: text with lines "-----BEGIN CERTIFICATE-----".';

/** The certificates in a file, as PEM. `key` is the setting, or the field, that names it. Throws `config/invalid`. */
export function readCa(key: string | FieldName, path: string): string {
  const mistake = (what: string, hint: string, cause?: unknown) =>
    new BridgeError('config/invalid', message`${key}: ${what}.`, hint, { cause });
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    if (code === 'EISDIR')
      throw mistake(`${path} is a folder`, 'Name the file in it that has the certificate.');
    throw mistake(
      `cannot read ${path} (${code})`,
      code === 'EACCES'
        ? `${thisUser()} may not read it. \`chmod a+r\` lets every user: it is no secret.`
        : 'Check the path.',
    );
  }
  const certificates = bytes.toString('utf8').match(CERTIFICATE);
  if (certificates === null) throw mistake(...otherThanPem(path, bytes));
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (error) {
    throw mistake(`a certificate in ${path} cannot be read`, 'Copy it again, whole.', error);
  }
  return certificates.join('\n');
}

/** What a file without a PEM certificate holds instead, and what to do. */
function otherThanPem(path: string, bytes: Buffer): [what: string, hint: string] {
  if (bytes.toString('utf8').trim() === '') return [`${path} is empty`, PEM];
  const wide = wideText(bytes);
  if (wide !== null)
    return [`${path} is text in UTF-16`, `Save it as UTF-8: iconv -f ${wide} -t UTF-8 ${path}`];
  const text = bytes.toString('utf8');
  const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
  if (label === 'CERTIFICATE')
    return [`${path} has the beginning of a certificate, but not its end`, 'Copy it again, whole.'];
  if (label?.endsWith('PRIVATE KEY'))
    return [
      `${path} is a private key, which only its owner should have`,
      'Name the certificate of the authority, and keep the key where it was.',
    ];
  if (label !== undefined)
    return [`${path} holds a ${label}, not a certificate`, 'Name the certificate of the authority, as PEM.'];
  if (isDer(bytes))
    return [
      `${path} is a certificate in DER, not in PEM`,
      `Convert it: openssl x509 -inform der -in ${path} -out ca.pem`,
    ];
  if (bytes.includes(0)) return [`${path} is neither text nor a certificate in DER`, PEM];
  return [`${path} has no certificate`, PEM];
}

/** The encoding of text in UTF-16, by its byte order mark or by the zeros of ASCII letters; null for anything else. */
function wideText(bytes: Buffer): 'UTF-16' | 'UTF-16LE' | 'UTF-16BE' | null {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16';
  if (bytes.includes('-\0-\0-\0', 0, 'latin1'))
    return bytes.indexOf('-\0-\0-\0', 0, 'latin1') % 2 === 0 ? 'UTF-16LE' : 'UTF-16BE';
  return null;
}

function isDer(bytes: Buffer): boolean {
  try {
    return new X509Certificate(bytes).subject !== null;
  } catch {
    return false;
  }
}
