import * as z from 'zod';
import { hashOf, newSecret, typedCode } from '../access/access-secrets.ts';
import { authenticationOptions, verifyAuthentication } from '../access/passkey.ts';
import { type AuthenticationAnswer, authenticationAnswer } from '../access/passkey-answers.ts';
import { isPassword } from '../access/password.ts';
import { totpStep } from '../access/totp.ts';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import {
  type Credential,
  credentialsOf,
  findPasskey,
  useCredential,
} from '../ledger/credentials/credentials.ts';
import { type InvitationKey, lookAtInvitation, spendInvitation } from '../ledger/invitations/invitations.ts';
import { record } from '../ledger/log/log.ts';
import { peopleOf } from '../ledger/people/people.ts';
import {
  findHolder,
  findSession,
  holderSubject,
  isStaleUse,
  proveSession,
  type SessionHolder,
  startSession,
  touchSession,
} from '../ledger/sessions/sessions.ts';
import type { SignInMethod } from '../ledger/store/access-schema.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { findToken, isStaleTokenUse, touchToken } from '../ledger/tokens/tokens.ts';
import { type Clock, toMs } from '../time.ts';
import {
  ceremonyView,
  enteredView,
  foundSessionView,
  foundTokenView,
  holderView,
  viewOfFoundSession,
} from '../views/access.ts';
import { siteUrl } from './invitation.ts';
import { operation } from './operation.ts';
import { ownSession } from './own-session.ts';
import { secretOfToken } from './tokens.ts';

/*
 * How somebody signs in: by a one-time link or its code, by a passkey, or by a password together with a one-time
 * password; and who it is that comes with a session or a token. What is wrong with a sign-in is not told.
 */

const site = z.enum(['client', 'admin']);
/** The browser, as it names itself; it is shown in the list of sessions. */
const device = z.string().max(300).optional();
const linkInput = z.strictObject({
  site,
  secret: z.string().max(200).optional(),
  code: z.string().max(100).optional(),
});
const passkeyAnswer = { challenge: z.string(), response: authenticationAnswer };
const passwordInput = { password: z.string().max(1_000), code: z.string().max(20) };

/** Whose link it is. It stays usable. */
export const lookAtLink = operation({
  name: 'access.look',
  needs: 'read',
  may: ['guest'],
  errors: ['access/link'],
  input: linkInput,
  view: holderView,
  run: async ({ clock, ledger: { db } }, given) => {
    const key = keyOf(given);
    return forSite(key && (await lookAtInvitation(db, key, clock.now())), given.site);
  },
});

/** Uses the link up, and begins a session. */
export const enterByLink = operation({
  name: 'access.enter',
  needs: 'write',
  may: ['guest'],
  errors: ['access/link'],
  once: true,
  input: linkInput.extend({ device }),
  view: enteredView,
  run: async ({ clock, who, write }, given) => {
    const key = keyOf(given);
    return write(async (trx) => {
      const at = clock.now();
      // Looked at first: a link to the other site is not used up here.
      forSite(key && (await lookAtInvitation(trx, key, at)), given.site);
      const holder = key && (await spendInvitation(trx, key, at));
      if (!holder) throw unusable();
      const act = { ...who, actor: actorOf(holder), at };
      await record(trx, act, { action: 'link use', subject: holderSubject(holder) });
      return begin(trx, clock, { holder, method: 'link', device: given.device });
    });
  },
});

/** What a browser is asked for a passkey of this site. */
export const passkeyOptions = operation({
  name: 'access.passkey_options',
  needs: 'config',
  may: ['guest', 'client', 'bookkeeper'],
  errors: ['web/no-site'],
  input: z.strictObject({ site }),
  view: ceremonyView,
  run: ({ config }, given) => authenticationOptions(siteUrl(config, given.site), []),
});

export const enterByPasskey = operation({
  name: 'access.passkey',
  needs: 'write',
  may: ['guest'],
  errors: ['access/refused', 'web/no-site'],
  once: true,
  input: z.strictObject({ site, ...passkeyAnswer, device }),
  view: enteredView,
  run: async ({ clock, config, ledger: { db }, write }, given) => {
    const { passkey, counter } = await checkedPasskey(db, siteUrl(config, given.site), given);
    return write(async (trx) => {
      const holder = await findHolder(trx, passkey);
      if (!holder || siteOf(holder) !== given.site) throw refusedSignIn();
      if (!(await useCredential(trx, passkey, counter, clock.now()))) throw refusedSignIn();
      return begin(trx, clock, { holder, method: 'passkey', device: given.device });
    });
  },
});

/** For people, on the admin site: the password and the code of the authenticator app together. */
export const enterByPassword = operation({
  name: 'access.password',
  needs: 'write',
  may: ['guest'],
  errors: ['access/refused'],
  once: true,
  input: z.strictObject({ name: z.string().max(200), ...passwordInput, device }),
  view: enteredView,
  run: async ({ clock, ledger: { db }, write }, given) => {
    const [person] = await peopleOf(db, given.name.trim().normalize('NFC'));
    const known =
      person && person.disabledAt === null ? await credentialsOf(db, { kind: 'person', id: person.id }) : [];
    const { totp, step } = await checkedPassword(known, given, clock);
    return write(async (trx) => {
      const holder = await findHolder(trx, totp);
      if (!holder || !(await useCredential(trx, totp, step, clock.now()))) throw refusedSignIn();
      return begin(trx, clock, { holder, method: 'password', device: given.device });
    });
  },
});

/** Whoever has a session proves once more who that is, for what needs it. */
export const proveByPassword = operation({
  name: 'access.prove_password',
  needs: 'write',
  may: ['bookkeeper'],
  errors: ['access/refused', 'access/required'],
  once: true,
  input: z.strictObject(passwordInput),
  view: z.object({ proven: z.literal(true) }),
  run: async ({ clock, ledger: { db }, who, write }, given) => {
    const own = await ownSession(db, who, clock.now());
    const { totp, step } = await checkedPassword(await credentialsOf(db, own.holder), given, clock);
    return write(async (trx) => {
      const at = clock.now();
      if (!(await useCredential(trx, totp, step, at))) throw refusedSignIn();
      await proveSession(trx, own, at);
      return { proven: true as const };
    });
  },
});

export const proveByPasskey = operation({
  name: 'access.prove_passkey',
  needs: 'write',
  may: ['bookkeeper'],
  errors: ['access/refused', 'access/required', 'web/no-site'],
  once: true,
  input: z.strictObject(passkeyAnswer),
  view: z.object({ proven: z.literal(true) }),
  run: async ({ clock, config, ledger: { db }, who, write }, given) => {
    const own = await ownSession(db, who, clock.now());
    const { passkey, counter } = await checkedPasskey(db, siteUrl(config, 'admin'), given);
    if (passkey.person_id !== own.holder.id) throw refusedSignIn();
    return write(async (trx) => {
      const at = clock.now();
      if (!(await useCredential(trx, passkey, counter, at))) throw refusedSignIn();
      await proveSession(trx, own, at);
      return { proven: true as const };
    });
  },
});

/** Whose session it is. Its last use is written every five minutes. */
export const findOpenSession = operation({
  name: 'access.session',
  needs: 'write',
  may: ['guest'],
  errors: ['access/required'],
  once: true,
  input: z.strictObject({ site, secret: z.string().max(200) }),
  view: foundSessionView,
  run: async ({ clock, ledger: { db }, write }, given) => {
    const at = clock.now();
    const session = await findSession(db, hashOf(new Secret(given.secret)), at);
    if (!session || siteOf(session.holder) !== given.site) throw noSession();
    if (isStaleUse(session, at)) await write((trx) => touchSession(trx, session, at));
    return viewOfFoundSession(session);
  },
});

/** Which token it is. */
export const findOpenToken = operation({
  name: 'access.token',
  needs: 'write',
  may: ['guest'],
  errors: ['access/required'],
  once: true,
  input: z.strictObject({ token: z.string().max(200) }),
  view: foundTokenView,
  run: async ({ clock, ledger: { db }, write }, given) => {
    const at = clock.now();
    const secret = secretOfToken(given.token);
    const token = secret === undefined ? null : await findToken(db, hashOf(new Secret(secret)), at);
    if (!token) {
      throw new BridgeError(
        'access/required',
        'The token is unknown, expired or revoked.',
        'Use another token.',
      );
    }
    if (isStaleTokenUse(token, at)) await write((trx) => touchToken(trx, token, at));
    return { name: token.name, scopes: token.scopes };
  },
});

/** Who acts, in the log: the name alone for people, and with what it is for a client. No name has a colon. */
function actorOf({ kind, name }: SessionHolder): string {
  return kind === 'person' ? name : `client:${name}`;
}

function siteOf({ kind }: Pick<SessionHolder, 'kind'>): 'client' | 'admin' {
  return kind === 'client' ? 'client' : 'admin';
}

function keyOf({ secret, code }: z.output<typeof linkInput>): InvitationKey | null {
  if (secret !== undefined) return { secretHash: hashOf(new Secret(secret)) };
  const typed = typedCode(code ?? '');
  return typed && { codeHash: hashOf(typed) };
}

/** To the other site, the link is unknown. */
function forSite(holder: SessionHolder | null, wanted: 'client' | 'admin'): z.output<typeof holderView> {
  if (!holder || siteOf(holder) !== wanted) throw unusable();
  return { kind: holder.kind, name: holder.name };
}

async function begin(
  trx: Trx,
  clock: Clock,
  by: { holder: SessionHolder; method: SignInMethod; device: string | undefined },
): Promise<z.output<typeof enteredView>> {
  const { holder, method, device: browser = null } = by;
  const secret = newSecret();
  await startSession(trx, clock.now(), { holder, secretHash: hashOf(secret), method, device: browser });
  return { kind: holder.kind, name: holder.name, session: secret.reveal() };
}

/** The passkey that signed this challenge, with its new counter. Throws `access/refused`. */
async function checkedPasskey(
  db: Db,
  origin: string,
  { challenge, response }: { challenge: string; response: AuthenticationAnswer },
): Promise<{ passkey: Credential; counter: bigint }> {
  const passkey = await findPasskey(db, response.id);
  if (!passkey?.key_id) throw refusedSignIn();
  const known = { keyId: passkey.key_id, publicKey: passkey.secret, counter: passkey.counter };
  const counter = await verifyAuthentication(origin, challenge, response, known);
  if (counter === null) throw refusedSignIn();
  return { passkey, counter };
}

/** Takes as long for an unknown name and a wrong password. Throws `access/refused`. */
async function checkedPassword(
  known: Credential[],
  { password, code }: { password: string; code: string },
  clock: Clock,
): Promise<{ totp: Credential; step: bigint }> {
  const of = (kind: Credential['kind']) => known.find((one) => one.kind === kind);
  const isRight = await isPassword(new Secret(password), of('password')?.secret);
  const totp = of('totp');
  const step = totp ? totpStep(totp.secret, code, toMs(clock.now())) : null;
  if (!isRight || !totp || step === null) throw refusedSignIn();
  return { totp, step };
}

function refusedSignIn(): BridgeError {
  return new BridgeError(
    'access/refused',
    'The sign-in was refused.',
    'Check what you typed; each code counts once. An owner can make you a new link.',
  );
}

function unusable(): BridgeError {
  return new BridgeError(
    'access/link',
    'This link cannot be used any more.',
    'Ask the operator for a new one.',
  );
}

function noSession(): BridgeError {
  return new BridgeError('access/required', 'You are not signed in.', 'Sign in.');
}
