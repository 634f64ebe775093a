import { BridgeError } from '../errors.ts';
import type { Trx } from './open.ts';

/** Clients and commission recipients share their names, for good. Throws `usage/invalid` where one is taken. */
export async function refuseTakenName(trx: Trx, name: string): Promise<void> {
  const taken = await trx
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
