import * as z from 'zod';

/*
 * What a browser answers about a passkey: RegistrationResponseJSON and AuthenticationResponseJSON of Web Authentication
 * Level 3. Members that are not needed here are left out.
 */

const base64url = z.string().max(20_000);

const answer = z.object({ id: base64url, rawId: base64url, type: z.enum(['public-key']) });

/** A new passkey. */
export const registrationAnswer = answer.extend({
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url }),
});

/** A sign-in. */
export const authenticationAnswer = answer.extend({
  response: z.object({ clientDataJSON: base64url, authenticatorData: base64url, signature: base64url }),
});

export type RegistrationAnswer = z.output<typeof registrationAnswer>;
export type AuthenticationAnswer = z.output<typeof authenticationAnswer>;
