import { conflict, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { revokeInvitations } from '../invitations/invitations.ts';
import { type Act, record } from '../log/log.ts';
import { endSessions } from '../sessions/sessions.ts';
import type { Role } from '../store/access-schema.ts';
import type { Db, Trx } from '../store/open.ts';

/* Who may use the admin site, each with a role. */

export interface Person {
  id: bigint;
  name: string;
  role: Role;
  createdAt: Instant;
  /** Null: may sign in. */
  disabledAt: Instant | null;
}

/** By name, or one of them. */
export async function peopleOf(db: Db, name?: string): Promise<Person[]> {
  const rows = await db
    .selectFrom('people')
    .selectAll()
    .$if(name !== undefined, (some) => some.where('name', '=', name ?? ''))
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    ...{ id: row.id, name: row.name, role: row.role },
    ...{ createdAt: row.created_at, disabledAt: row.disabled_at },
  }));
}

/** Throws `usage/invalid` if there is nobody of that name. */
export async function findPerson(db: Db, name: string): Promise<Person> {
  const [person] = await peopleOf(db, name);
  if (person) return person;
  const near = didYouMean(
    name,
    (await peopleOf(db)).map((one) => one.name),
  );
  throw notFound(
    'name',
    `there is nobody called ${JSON.stringify(name)} on the admin site`,
    message`${near}${call('people.list')} shows the names.`,
  );
}

/** The same of somebody who may sign in. */
export async function enabledPerson(db: Db, name: string): Promise<Person> {
  const person = await findPerson(db, name);
  if (person.disabledAt === null) return person;
  throw wrongState('name', `${name} is disabled`, message`${call('people.enable', { name })} undoes that.`);
}

/** Throws `usage/invalid` if the name is taken. */
export async function addPerson(trx: Trx, act: Act, name: string, role: Role): Promise<Person> {
  const [taken] = await peopleOf(trx, name);
  if (taken) {
    throw conflict(
      'name',
      `there is somebody called "${name}" already`,
      message`Choose another name: the log tells people apart by it. A new link: ${call('people.invite', { name })}.`,
    );
  }
  await trx.insertInto('people').values({ name, role, created_at: act.at }).execute();
  await record(trx, act, { action: 'person add', subject: `person ${name}`, after: { role } });
  return findPerson(trx, name);
}

/** Another role ends the sessions, which began with the former one. */
export async function setRole(trx: Trx, act: Act, name: string, role: Role): Promise<Person> {
  const { id, role: before } = await findPerson(trx, name);
  if (before === role) throw wrongState('role', `${name} is ${role} already`);
  await trx.updateTable('people').set({ role }).where('id', '=', id).execute();
  const ended = await endSessions(trx, act.at, { kind: 'person', id });
  await record(trx, act, {
    ...{ action: 'person set', subject: `person ${name}` },
    ...{ before: { role: before }, after: { role, sessions_ended: ended } },
  });
  return findPerson(trx, name);
}

/** Ends the sessions and the links, too. */
export async function disablePerson(trx: Trx, act: Act, name: string): Promise<Person> {
  const { id, disabledAt } = await findPerson(trx, name);
  if (disabledAt !== null) throw wrongState('name', `${name} is disabled already`);
  await trx.updateTable('people').set({ disabled_at: act.at }).where('id', '=', id).execute();
  await revokeInvitations(trx, act.at, { kind: 'person', id });
  const ended = await endSessions(trx, act.at, { kind: 'person', id });
  const after = { sessions_ended: ended };
  await record(trx, act, { action: 'person disable', subject: `person ${name}`, after });
  return findPerson(trx, name);
}

export async function enablePerson(trx: Trx, act: Act, name: string): Promise<Person> {
  const { id, disabledAt } = await findPerson(trx, name);
  if (disabledAt === null) throw wrongState('name', `${name} is not disabled`);
  await trx.updateTable('people').set({ disabled_at: null }).where('id', '=', id).execute();
  await record(trx, act, { action: 'person enable', subject: `person ${name}` });
  return findPerson(trx, name);
}
