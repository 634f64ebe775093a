import * as z from 'zod';
import { notFound } from '../errors.ts';
import { record } from '../ledger/log/log.ts';
import { endSession, endSessions, holderSubject, sessionsOf } from '../ledger/sessions/sessions.ts';
import { parseWhole } from '../typed/numbers.ts';
import { sessionView, viewOfSession } from '../views/people.ts';
import { operation } from './operation.ts';
import { ownSession } from './own-session.ts';

/* The open sessions of the one who asks. */

const ended = z.object({ ended: z.int() });

export const listSessions = operation({
  name: 'sessions.list',
  needs: 'read',
  may: ['client', 'bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({}),
  view: z.array(sessionView),
  run: async ({ clock, ledger: { db }, who }) => {
    const at = clock.now();
    const own = await ownSession(db, who, at);
    return (await sessionsOf(db, own.holder, at)).map((one) => viewOfSession(one, own.id));
  },
});

/** Signs out: the session that asks, or another one by its id. */
export const endOneSession = operation({
  name: 'sessions.end',
  needs: 'write',
  may: ['client', 'bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({ id: z.string().optional() }),
  view: ended,
  run: async ({ clock, ledger: { db }, who, write }, given) => {
    const at = clock.now();
    const own = await ownSession(db, who, at);
    const id =
      given.id === undefined
        ? own.id
        : parseWhole(given.id, 'id', 999_999_999_999n, 'Write it as the list shows it.');
    return write(async (trx) => {
      if (!(await endSession(trx, { ...who, at }, own.holder, id))) {
        throw notFound('id', `${holderSubject(own.holder)} has no such open session`);
      }
      return { ended: 1 };
    });
  },
});

/** Signs out everywhere. */
export const endAllSessions = operation({
  name: 'sessions.end_all',
  needs: 'write',
  may: ['client', 'bookkeeper'],
  errors: ['access/required'],
  input: z.strictObject({}),
  view: ended,
  run: async ({ clock, ledger: { db }, who, write }) => {
    const at = clock.now();
    const { holder } = await ownSession(db, who, at);
    return write(async (trx) => {
      const count = await endSessions(trx, at, holder);
      const after = { sessions_ended: count };
      await record(trx, { ...who, at }, { action: 'session end', subject: holderSubject(holder), after });
      return { ended: count };
    });
  },
});
