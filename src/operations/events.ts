import { createHash } from 'node:crypto';
import * as z from 'zod';
import { newestChange, newestChangeOf } from '../ledger/newest-change.ts';
import { operation, ownerOf } from './operation.ts';

/** A text that differs after each change: of anything, and for a client of what is the client's own. */
export const newestEvent = operation({
  name: 'events.newest',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({}),
  view: z.object({ id: z.string() }),
  run: async ({ ledger: { db }, who }) => {
    const client = ownerOf(who);
    const state = await (client === undefined ? newestChange(db) : newestChangeOf(db, client));
    return { id: createHash('sha256').update(state).digest('hex').slice(0, 16) };
  },
});
