import { BridgeError, notFound } from '../errors.ts';
import { didYouMean } from '../lib/did-you-mean.ts';
import { findCashOutId } from './cash-outs/find-id.ts';
import { machineLabel } from './machines/machines.ts';
import { namesOf } from './store/names-by-id.ts';
import type { Db } from './store/open.ts';

/** The subject whose changes are selected. */
export interface About {
  /** Its names in the log. */
  subjects: string[];
  /** The recipient whose fundings and payouts are selected, too. */
  recipient?: bigint;
  funding?: bigint;
  payout?: bigint;
  cashOut?: string;
}

/**
 * Finds a subject of the log: a client or commission recipient by name, `f12`, `p118`, `c3`, a cash-out by its id or
 * the beginning of it, a machine by its device id or name, or any other subject by its exact text. Throws
 * `usage/invalid` (`not-found`), which names the known subjects. `cashOut`: the same text as the source writes ids.
 */
export async function findAbout(db: Db, named: string, cashOut = named): Promise<About> {
  const recipient = await db
    .selectFrom('recipients')
    .select(['id', 'kind'])
    .where('name', '=', named)
    .executeTakeFirst();
  if (recipient) return { subjects: [`${recipient.kind} ${named}`], recipient: recipient.id };
  const machines = await db
    .selectFrom('machines')
    .select(['device_id', 'name'])
    .orderBy('device_id')
    .execute();
  const meant = machines.filter(({ device_id, name }) => device_id === named || name === named);
  if (meant.length > 0) return { subjects: meant.map((one) => `machine ${one.device_id}`) };
  const [, letter, digits = ''] = /^([fpc])([1-9]\d{0,17})$/.exec(named) ?? [];
  if (letter !== undefined) {
    const table = letter === 'f' ? 'fundings' : letter === 'p' ? 'payouts' : 'credits';
    const id = BigInt(digits);
    const known = await db.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst();
    if (known && letter === 'f') return { subjects: [named], funding: id };
    if (known && letter === 'p') return { subjects: [named], payout: id };
    if (known) return { subjects: [named] };
  }
  const exact = await db.selectFrom('log').select('id').where('subject', '=', named).executeTakeFirst();
  const id = exact ? named : await knownCashOut(db, cashOut);
  if (id !== undefined) return { subjects: [id], cashOut: id };
  const recipients = await namesOf(db, 'client', 'commission');
  const near = didYouMean(named, [...recipients, ...machines.map((one) => one.name ?? one.device_id)]);
  const known = [...recipients, ...machines.map(machineLabel)].join(', ');
  throw notFound(
    'subject',
    `the ledger knows nothing called ${JSON.stringify(named)}`,
    `${near}Known: ${known === '' ? 'nothing yet' : known}; and ids: f12, p118, c3, a cash-out.`,
  );
}

async function knownCashOut(db: Db, named: string): Promise<string | undefined> {
  return await findCashOutId(db, named, { field: 'subject' }).catch((error: unknown) => {
    // An ambiguous beginning is an error; a text that is not an id may still be another subject.
    if (error instanceof BridgeError && error.kind !== 'conflict') return undefined;
    throw error;
  });
}

/** Throws `usage/invalid` (`not-found`) if an actor has no changes; the hint lists the known actors. */
export async function refuseUnknownActor(db: Db, actor: string): Promise<void> {
  const rows = await db
    .selectFrom('log')
    .select('actor')
    .union(db.selectFrom('runs').select('actor'))
    .orderBy('actor')
    .execute();
  const known = rows.map((row) => row.actor);
  if (known.includes(actor)) return;
  throw notFound(
    'actor',
    `no change by ${JSON.stringify(actor)}`,
    known.length === 0
      ? 'Nothing was changed yet.'
      : `${didYouMean(actor, known)}Known actors: ${known.join(', ')}.`,
  );
}
