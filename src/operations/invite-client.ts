import * as z from 'zod';
import { openClient } from '../ledger/clients/clients.ts';
import { parseName } from '../typed/names.ts';
import { invitationView } from '../views/people.ts';
import { invite } from './invitation.ts';
import { operation } from './operation.ts';

/** A one-time link to the client site, with which a client signs in; a later one is for another device. */
export const inviteClient = operation({
  name: 'clients.invite',
  needs: 'write',
  may: [],
  errors: ['web/no-site'],
  once: true,
  input: z.strictObject({ name: z.string() }),
  view: invitationView,
  run: async ({ clock, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    return write(async (trx) => {
      const at = clock.now();
      const { id } = await openClient(trx, name, at);
      return invite(trx, { ...who, at }, { kind: 'client', id, name }, config);
    });
  },
});
