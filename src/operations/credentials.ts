import * as z from 'zod';
import { registrationOptions, verifyRegistration } from '../access/passkey.ts';
import { registrationAnswer } from '../access/passkey-answers.ts';
import { hashPassword, LONGEST_PASSWORD, SHORTEST_PASSWORD } from '../access/password.ts';
import { newTotpSecret, totpStep, totpUri } from '../access/totp.ts';
import { Secret } from '../config/secret.ts';
import { invalid, notFound, wrongState } from '../errors.ts';
import {
  addCredential,
  credentialsOf,
  findPasskey,
  removeCredential,
} from '../ledger/credentials/credentials.ts';
import { holderSubject } from '../ledger/sessions/sessions.ts';
import { toMs } from '../time.ts';
import { parseWhole } from '../typed/numbers.ts';
import { ceremonyView, totpSecretView } from '../views/access.ts';
import { credentialView, viewOfCredential } from '../views/people.ts';
import { siteUrl } from './invitation.ts';
import { operation } from './operation.ts';
import { ownSession } from './own-session.ts';

/* The caller's own credentials: what signs in the next time. */

/** By default how the browser names itself, which is long. */
const label = z.string().trim().max(300).optional();

export const listCredentials = operation({
  name: 'credentials.list',
  needs: 'read',
  may: ['client', 'bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({}),
  view: z.array(credentialView),
  run: async ({ clock, ledger: { db }, who }) => {
    const { holder } = await ownSession(db, who, clock.now());
    return (await credentialsOf(db, holder)).map(viewOfCredential);
  },
});

/** What a browser is asked for a new passkey. */
export const newPasskeyOptions = operation({
  name: 'credentials.passkey_options',
  needs: 'read',
  may: ['client', 'bookkeeper'],
  errors: ['access/required', 'web/no-site'],
  input: z.strictObject({}),
  view: ceremonyView,
  run: async ({ clock, config, ledger: { db, id }, who }) => {
    const { holder } = await ownSession(db, who, clock.now());
    const known = (await credentialsOf(db, holder)).flatMap((one) => one.key_id ?? []);
    const url = siteUrl(config, holder.kind === 'client' ? 'client' : 'admin');
    // A handle of the ledger and a number: it has nothing of the person.
    const user = { id: `${id} ${holder.kind} ${holder.id}`, name: holder.name };
    return registrationOptions(url, user, known);
  },
});

export const addPasskey = operation({
  name: 'credentials.add_passkey',
  needs: 'write',
  may: ['client', 'bookkeeper'],
  errors: ['access/required', 'web/no-site'],
  input: z.strictObject({ challenge: z.string(), response: registrationAnswer, label }),
  view: z.array(credentialView),
  run: async ({ clock, config, ledger: { db }, who, write }, given) => {
    const { holder } = await ownSession(db, who, clock.now());
    const url = siteUrl(config, holder.kind === 'client' ? 'client' : 'admin');
    const made = await verifyRegistration(url, given.challenge, given.response);
    if (!made) throw invalid('response', 'the passkey cannot be used', 'Try once more.');
    return write(async (trx) => {
      if (await findPasskey(trx, made.keyId)) throw wrongState('response', 'this passkey is known already');
      const act = { ...who, at: clock.now() };
      const { keyId, publicKey: secret, counter } = made;
      await addCredential(trx, act, holder, {
        kind: 'passkey',
        keyId,
        secret,
        counter,
        label: given.label || null,
      });
      return (await credentialsOf(trx, holder)).map(viewOfCredential);
    });
  },
});

/** A new secret for the authenticator app. It counts once `credentials.set_password` confirms it. */
export const newOneTimeSecret = operation({
  name: 'credentials.totp_secret',
  needs: 'read',
  may: ['bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({}),
  view: totpSecretView,
  run: async ({ clock, ledger: { db }, who }) => {
    const { holder } = await ownSession(db, who, clock.now());
    const secret = newTotpSecret();
    return { secret: secret.reveal(), uri: totpUri(secret, holder.name) };
  },
});

/** Sets password and authenticator app together, because neither counts alone. A code shows that the app has it. */
export const setPassword = operation({
  name: 'credentials.set_password',
  needs: 'write',
  may: ['bookkeeper'],
  errors: ['access/required'],
  once: true,
  input: z.strictObject({ password: z.string(), totp_secret: z.string().max(100), code: z.string().max(20) }),
  view: z.array(credentialView),
  run: async ({ clock, ledger: { db }, who, write }, given) => {
    const { holder } = await ownSession(db, who, clock.now());
    const { password, totp_secret: shared } = given;
    refusePoorPassword(password, holder.name);
    if (!/^[A-Z2-7]{32}$/.test(shared)) throw invalid('totp_secret', 'it is not one that was made here');
    const step = totpStep(shared, given.code, toMs(clock.now()));
    if (step === null) {
      throw invalid(
        'code',
        'it does not fit',
        'Type the six digits that the app shows now; check the clock of the phone.',
      );
    }
    const hash = await hashPassword(new Secret(password));
    return write(async (trx) => {
      const act = { ...who, at: clock.now() };
      await addCredential(trx, act, holder, { kind: 'password', secret: hash, label: null });
      await addCredential(trx, act, holder, { kind: 'totp', secret: shared, counter: step, label: null });
      return (await credentialsOf(trx, holder)).map(viewOfCredential);
    });
  },
});

export const removeOneCredential = operation({
  name: 'credentials.remove',
  needs: 'write',
  may: ['client', 'bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({ id: z.string() }),
  view: z.array(credentialView),
  run: async ({ clock, ledger: { db }, who, write }, given) => {
    const { holder } = await ownSession(db, who, clock.now());
    const id = parseWhole(given.id, 'id', 999_999_999_999n, 'Write it as the list shows it.');
    return write(async (trx) => {
      if (!(await removeCredential(trx, { ...who, at: clock.now() }, holder, id))) {
        throw notFound('id', `${holderSubject(holder)} has no such passkey or password`);
      }
      return (await credentialsOf(trx, holder)).map(viewOfCredential);
    });
  },
});

/** By NIST SP 800-63B: length counts, not kinds of letters. */
function refusePoorPassword(password: string, name: string): void {
  const length = [...password].length;
  if (length < SHORTEST_PASSWORD || length > LONGEST_PASSWORD) {
    throw invalid(
      'password',
      `it has ${length} characters`,
      `Take ${SHORTEST_PASSWORD} to ${LONGEST_PASSWORD}; several words are good.`,
    );
  }
  if (new Set(password).size < 5 || password.toLowerCase().includes(name.toLowerCase())) {
    throw invalid('password', 'it is easy to guess', 'Take several words that have nothing to do with you.');
  }
}
