import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import { bindSource, type Mark, type Position, positionOf } from '../ledger/cash-outs/watermark.ts';
import type { Who } from '../ledger/log/log.ts';
import type { Db, Ledger, Trx } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import type { Reading, ReadReport } from './read.ts';

/* What a run and its dry run share before and around the reading. */

export function readingOf(
  config: Pick<Config, 'timezone' | 'lamassu' | 'allocation'>,
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  write: Reading['write'],
  mark: Mark | null,
  who: Who,
): Omit<Reading, 'onCashOut' | 'onReview' | 'signal'> {
  const { timezone } = config;
  return {
    db,
    clock,
    write,
    source: config.lamassu.name,
    mark,
    who,
    ingest: { timezone, priority: config.allocation.priority, origin: 'lamassu' },
  };
}

/** Checks that the ledger is bound to this source, and returns how far it was read. */
export async function bind(
  trx: Trx,
  { name, startAt }: Config['lamassu'],
  { systemIdentifier }: { systemIdentifier: string | null },
  at: Instant,
): Promise<Position> {
  return positionOf(await bindSource(trx, { name, startAt, systemIdentifier }, at));
}

/** The result of a reading that could not be done. */
export function emptyReport(mark: Mark | null): ReadReport {
  return { read: 0, alreadyProcessed: 0, toReview: 0, notYet: {}, mark };
}

export async function hasClients(db: Db): Promise<boolean> {
  const client = await db
    .selectFrom('recipients')
    .select('id')
    .where('kind', '=', 'client')
    .executeTakeFirst();
  return client !== undefined;
}

export async function refuseWithoutClients(db: Db): Promise<void> {
  if (await hasClients(db)) return;
  throw new BridgeError(
    'ledger/no-clients',
    'the ledger has no clients, so every cash-out would go to the operator',
    message`In a new ledger, add them first: ${call('clients.add', { name: null, wallet_key: null })}. If there should be some, check [ledger] url.`,
  );
}
