import { BridgeError } from '../../errors.ts';
import type { Db } from '../store/open.ts';

/** Clients and commission recipients share their names, for good. Throws `usage/invalid` where one is taken. */
export async function refuseTakenName(db: Db, name: string): Promise<void> {
  const taken = await db
    .selectFrom('recipients')
    .select(['kind', 'status'])
    .where('name', '=', name)
    .executeTakeFirst();
  if (!taken) return;
  const client = taken.kind === 'client';
  throw new BridgeError(
    'usage/invalid',
    `NAME: there is a ${taken.status === 'closed' ? 'closed ' : ''}${client ? 'client' : 'commission recipient'} "${name}" already.`,
    `Choose another name: names stay taken, so that every payment can be told apart for good.${
      client ? '' : ` The recipient's weights are changed by \`aio-dca commission set ${name} --weight N\`.`
    }`,
  );
}

/** Throws `usage/invalid` where no client and no commission recipient has that name. */
export async function refuseUnknownName(db: Db, name: string, field: string): Promise<void> {
  const known = await db.selectFrom('recipients').select('id').where('name', '=', name).executeTakeFirst();
  if (known) return;
  throw new BridgeError(
    'usage/invalid',
    `${field}: there is no client and no commission recipient ${JSON.stringify(name)}.`,
    '`aio-dca clients list` and `aio-dca commission list` show the names.',
  );
}
