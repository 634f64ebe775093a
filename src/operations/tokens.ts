import * as z from 'zod';
import { hashOf, newSecret } from '../access/access-secrets.ts';
import { invalid } from '../errors.ts';
import { addToken, revokeToken, tokensOf } from '../ledger/tokens/tokens.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { type Instant, plus } from '../time.ts';
import { parseDuration } from '../typed/durations.ts';
import { parseName } from '../typed/names.ts';
import { newTokenView, tokenView, viewOfToken } from '../views/people.ts';
import { operation } from './operation.ts';
import { SCOPES } from './rights.ts';

/* Tokens for scripts on the API. */

/** So that a token is recognized where it should not be, as in a repository. */
const PREFIX = 'aiodca_';

export const listTokens = operation({
  name: 'tokens.list',
  needs: 'read',
  may: [],
  errors: [],
  input: z.strictObject({}),
  view: z.array(tokenView),
  run: async ({ clock, ledger: { db } }) =>
    (await tokensOf(db)).map((token) => viewOfToken(token, clock.now())),
});

export const addOneToken = operation({
  name: 'tokens.add',
  needs: 'write',
  may: [],
  errors: [],
  once: true,
  input: z.strictObject({
    name: z.string(),
    /** `read,fundings:write` */
    scopes: z.string(),
    /** `90 days`; by default never. */
    expires: z.string().optional(),
  }),
  view: newTokenView,
  run: async ({ clock, who, write }, given) => {
    const name = parseName(given.name, 'name');
    const scopes = parseScopes(given.scopes);
    const at = clock.now();
    const expiresAt = expiryOf(given.expires, at);
    const secret = newSecret();
    const secretHash = hashOf(secret);
    return write(async (trx) => {
      await addToken(trx, { ...who, at }, { name, secretHash, scopes, expiresAt });
      return { name, token: `${PREFIX}${secret.reveal()}`, scopes, expires_at: expiresAt };
    });
  },
});

export const revokeOneToken = operation({
  name: 'tokens.revoke',
  needs: 'write',
  may: [],
  errors: [],
  input: z.strictObject({ name: z.string() }),
  view: tokenView,
  run: async ({ clock, who, write }, given) => {
    const name = parseName(given.name, 'name');
    return write(async (trx) => {
      const at = clock.now();
      return viewOfToken(await revokeToken(trx, { ...who, at }, name), at);
    });
  },
});

/** The secret of a token as a script sends it; undefined for any other text. */
export function secretOfToken(text: string): string | undefined {
  return text.startsWith(PREFIX) ? text.slice(PREFIX.length) : undefined;
}

/** Scopes by their names, each once. Throws `usage/invalid`. */
function parseScopes(text: string): string[] {
  const known: readonly string[] = SCOPES;
  const given = text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const unknown = given.find((one) => !known.includes(one));
  if (unknown !== undefined) {
    throw invalid(
      'scopes',
      `there is no scope ${JSON.stringify(unknown)}`,
      `${didYouMean(unknown, known)}Known: ${known.join(', ')}.`,
    );
  }
  if (given.length === 0) throw invalid('scopes', 'they are missing', `Known: ${known.join(', ')}.`);
  return known.filter((one) => given.includes(one));
}

function expiryOf(text: string | undefined, at: Instant): Instant | null {
  if (text === undefined) return null;
  const ms = parseDuration(text);
  if (ms !== undefined) return plus(at, ms);
  throw invalid('expires', `${JSON.stringify(text)} is not a length of time`, 'Write it like "90 days".');
}
