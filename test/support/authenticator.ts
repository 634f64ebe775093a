import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/* A passkey as a phone has it (WebAuthn, ES256, no attestation): it makes one key, and signs with it. */

export interface Authenticator {
  /** The answer to `credentials.create`. */
  create(options: { challenge: string }, origin: string): object;
  /** The answer to `credentials.get`. */
  get(options: { challenge: string }, origin: string): object;
  /** How often it signed. */
  counter: number;
}

const USER_PRESENT = 1;
const USER_VERIFIED = 4;
const HAS_KEY = 64;

export function authenticator(): Authenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(32);
  const coordinate = (text: string) => bytes(Buffer.from(text, 'base64url'));
  // RFC 9053: kty EC2, alg ES256, crv P-256, x, y.
  const key = Buffer.concat([
    ...[map(5), int(1), int(2), int(3), int(-7), int(-1), int(1)],
    ...[int(-2), coordinate(x), int(-3), coordinate(y)],
  ]);
  const own: Authenticator = {
    counter: 0,
    create: ({ challenge }, origin) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(id.length);
      const flags = USER_PRESENT | USER_VERIFIED | HAS_KEY;
      const data = Buffer.concat([head(origin, flags, own.counter), Buffer.alloc(16), length, id, key]);
      const object = Buffer.concat([
        ...[map(3), text('fmt'), text('none'), text('attStmt'), map(0), text('authData'), bytes(data)],
      ]);
      return answer({
        clientDataJSON: clientData('webauthn.create', challenge, origin).toString('base64url'),
        attestationObject: object.toString('base64url'),
      });
    },
    get: ({ challenge }, origin) => {
      own.counter += 1;
      const data = head(origin, USER_PRESENT | USER_VERIFIED, own.counter);
      const client = clientData('webauthn.get', challenge, origin);
      const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
      return answer({
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', signed, privateKey).toString('base64url'),
      });
    },
  };
  const answer = (response: object) => ({
    ...{ id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' },
    ...{ response, clientExtensionResults: {} },
  });
  return own;
}

function clientData(type: string, challenge: string, origin: string): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

function head(origin: string, flags: number, counter: number): Buffer {
  const rest = Buffer.alloc(5);
  rest.writeUInt8(flags, 0);
  rest.writeUInt32BE(counter, 1);
  return Buffer.concat([createHash('sha256').update(new URL(origin).hostname).digest(), rest]);
}

/* CBOR (RFC 8949), as much of it as is needed. */

function item(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  if (length < 256) return Buffer.from([(major << 5) | 24, length]);
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
}

const int = (value: number) => (value >= 0 ? item(0, value) : item(1, -1 - value));
const bytes = (value: Buffer) => Buffer.concat([item(2, value.length), value]);
const text = (value: string) => Buffer.concat([item(3, value.length), Buffer.from(value)]);
const map = (size: number) => item(5, size);
