import * as z from 'zod';
import { wrongState } from '../errors.ts';
import { credentialsOf } from '../ledger/credentials/credentials.ts';
import type { Who } from '../ledger/log/log.ts';
import {
  addPerson,
  disablePerson,
  enabledPerson,
  enablePerson,
  type Person,
  peopleOf,
  setRole,
} from '../ledger/people/people.ts';
import { sessionsOf } from '../ledger/sessions/sessions.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import { parseName } from '../typed/names.ts';
import { invitationView, personView, viewOfPerson } from '../views/people.ts';
import { ROLE_NAMES } from '../views/roles.ts';
import { invite, siteUrl } from './invitation.ts';
import { type Context, operation } from './operation.ts';

/* Who may use the admin site. The shell of the host makes the first owner, and helps whoever lost everything. */

const input = z.strictObject({ name: z.string() });
const role = z.enum(ROLE_NAMES);

export const listPeople = operation({
  name: 'people.list',
  needs: 'read',
  may: [],
  errors: [],
  input: z.strictObject({}),
  view: z.array(personView),
  run: async ({ clock, ledger: { db } }) => {
    const now = clock.now();
    const people = await peopleOf(db);
    return Promise.all(people.map((person) => shown(db, person, now)));
  },
});

/** Answers a one-time link, with which the person signs in, and sets up how to sign in from then on. */
export const addOnePerson = operation({
  name: 'people.add',
  needs: 'write',
  may: [],
  errors: ['web/no-site'],
  once: true,
  input: input.extend({ role }),
  view: invitationView,
  run: async ({ clock, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    siteUrl(config, 'admin');
    return write(async (trx) => {
      const act = { ...who, at: clock.now() };
      return invite(trx, act, holderOf(await addPerson(trx, act, name, given.role)), config);
    });
  },
});

/** A new link for somebody who is known: for another device, or after a loss. It changes nothing else. */
export const invitePerson = operation({
  name: 'people.invite',
  needs: 'write',
  may: [],
  errors: ['web/no-site'],
  once: true,
  input,
  view: invitationView,
  run: async ({ clock, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    return write(async (trx) =>
      invite(trx, { ...who, at: clock.now() }, holderOf(await enabledPerson(trx, name)), config),
    );
  },
});

/** Ends the sessions of the person. */
export const setPersonRole = operation({
  name: 'people.set',
  needs: 'write',
  may: [],
  errors: [],
  input: input.extend({ role }),
  view: personView,
  run: (context, given) =>
    change(context, given.name, async (trx, act, name) => setRole(trx, act, name, given.role)),
});

/** Ends the sessions and links of the person. */
export const disableOnePerson = operation({
  name: 'people.disable',
  needs: 'write',
  may: [],
  errors: [],
  input,
  view: personView,
  run: (context, given) => change(context, given.name, disablePerson),
});

export const enableOnePerson = operation({
  name: 'people.enable',
  needs: 'write',
  may: [],
  errors: [],
  input,
  view: personView,
  run: (context, given) => change(context, given.name, enablePerson),
});

async function change(
  { clock, who, write }: Pick<Context, 'clock' | 'who' | 'write'>,
  typed: string,
  work: typeof disablePerson,
) {
  const name = parseName(typed, 'name');
  refuseOneself(who, name);
  return write(async (trx) => {
    const at = clock.now();
    return shown(trx, await work(trx, { ...who, at }, name), at);
  });
}

/** An owner who disabled the own account could come back only by the shell of the host. */
function refuseOneself({ principal }: Who, name: string): void {
  if (principal.kind !== 'person' || principal.person !== name) return;
  throw wrongState('name', 'you cannot change your own role, or disable yourself', 'Ask another owner.');
}

function holderOf({ id, name, role: is }: Person) {
  return { kind: 'person', id, name, role: is } as const;
}

async function shown(db: Db, person: Person, now: Instant) {
  const holder = holderOf(person);
  return viewOfPerson(person, await credentialsOf(db, holder), await sessionsOf(db, holder, now));
}
