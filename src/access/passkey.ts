import type { AuthenticationAnswer, RegistrationAnswer } from './passkey-answers.ts';

/*
 * Passkeys (WebAuthn), by @simplewebauthn/server: half a megabyte, loaded at first use. No attestation is asked for: it
 * does not matter which maker's key it is.
 */

const library = () => import('@simplewebauthn/server');

const NAME = 'aio-dca';

/** What a browser is asked, as JSON, and the challenge that its answer has to sign. */
export interface Ceremony {
  challenge: string;
  options: Record<string, unknown>;
}

function rpIdOf(origin: string): string {
  return new URL(origin).hostname;
}

/** What the browser is asked for a new passkey, as JSON, with its challenge. */
export async function registrationOptions(
  origin: string,
  user: { id: string; name: string },
  known: string[],
): Promise<Ceremony> {
  const { generateRegistrationOptions } = await library();
  const options = await generateRegistrationOptions({
    ...{ rpName: NAME, rpID: rpIdOf(origin), userName: user.name, userDisplayName: user.name },
    userID: new TextEncoder().encode(user.id),
    excludeCredentials: known.map((id) => ({ id })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    attestationType: 'none',
  });
  return { challenge: options.challenge, options: { ...options } };
}

export interface NewPasskey {
  keyId: string;
  publicKey: string;
  counter: bigint;
}

/** The passkey that the browser made; null if the answer does not fit. */
export async function verifyRegistration(
  origin: string,
  challenge: string,
  response: RegistrationAnswer,
): Promise<NewPasskey | null> {
  const { verifyRegistrationResponse } = await library();
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} },
      ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpIdOf(origin) },
    });
    if (!verified || !registrationInfo) return null;
    const { id, publicKey, counter } = registrationInfo.credential;
    return { keyId: id, publicKey: Buffer.from(publicKey).toString('base64url'), counter: BigInt(counter) };
  } catch {
    // The library throws for each thing that does not fit, and the answer comes from outside.
    return null;
  }
}

/** What the browser is asked to sign in; the holder chooses among the passkeys of this site. */
export async function authenticationOptions(origin: string, known: string[]): Promise<Ceremony> {
  const { generateAuthenticationOptions } = await library();
  const options = await generateAuthenticationOptions({
    rpID: rpIdOf(origin),
    userVerification: 'required',
    ...(known.length > 0 && { allowCredentials: known.map((id) => ({ id })) }),
  });
  return { challenge: options.challenge, options: { ...options } };
}

/** The new signature counter, if the answer is by this passkey and for this challenge; null otherwise. */
export async function verifyAuthentication(
  origin: string,
  challenge: string,
  response: AuthenticationAnswer,
  passkey: NewPasskey,
): Promise<bigint | null> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...response, clientExtensionResults: {} },
      ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpIdOf(origin) },
      credential: {
        ...{ id: passkey.keyId, counter: Number(passkey.counter) },
        publicKey: Uint8Array.from(Buffer.from(passkey.publicKey, 'base64url')),
      },
    });
    return verified ? BigInt(authenticationInfo.newCounter) : null;
  } catch {
    return null;
  }
}
