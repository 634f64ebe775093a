import { BridgeError, wrongState } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { type ReasonedAct, record } from '../log/log.ts';
import { ALWAYS } from '../store/effective-dated.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

/** A position in a source: every row up to it was read. */
export interface Mark {
  confirmedAt: Instant;
  id: string;
}

/** How far a source was read. */
export interface Position {
  mark: Mark | null;
  /** The source's own time at the last complete reading; null: never. */
  readTo: Instant | null;
  /** The newest action at that time; null if it is not known. */
  lastAction: bigint | null;
}

export function positionOf(source: Schema['sources']): Position {
  const { mark_confirmed_at: confirmedAt, mark_id: id, read_to: readTo, last_action: lastAction } = source;
  return { mark: confirmedAt !== null && id !== null ? { confirmedAt, id } : null, readTo, lastAction };
}

/** How far a source was read; null if none of its rows was read. */
export async function markOf(db: Db, name: string): Promise<Mark | null> {
  const row = await db.selectFrom('sources').selectAll().where('name', '=', name).executeTakeFirst();
  return row ? positionOf(row).mark : null;
}

/**
 * Binds the ledger to a source at its first use and checks it at every later one: another name, database or
 * start would make processed cash-outs look new, or unpaid ones old.
 */
export async function bindSource(
  trx: Trx,
  { name, startAt, systemIdentifier }: { name: string; startAt: Instant; systemIdentifier: string | null },
  at: Instant,
): Promise<Schema['sources']> {
  const known = await trx.selectFrom('sources').selectAll().where('name', '=', name).executeTakeFirst();
  if (!known) {
    const others = await trx.selectFrom('sources').selectAll().execute();
    const same = others.find(
      (one) => systemIdentifier !== null && one.system_identifier === systemIdentifier,
    );
    if (same) {
      throw differs('name', 'the name of this Lamassu database', same.name, name);
    }
    await trx
      .insertInto('sources')
      .values({ name, start_at: startAt, system_identifier: systemIdentifier, created_at: at })
      .execute();
    return trx.selectFrom('sources').selectAll().where('name', '=', name).executeTakeFirstOrThrow();
  }
  const { system_identifier: pinned } = known;
  if (pinned !== null && systemIdentifier !== null && pinned !== systemIdentifier) {
    throw new BridgeError(
      'ledger/source-differs',
      `source "${name}" is PostgreSQL system ${pinned} in the ledger, but the configured one is ${systemIdentifier}`,
      message`If PostgreSQL was upgraded, restored or moved: ${call('ledger.source', { accept: systemIdentifier, reason: null })} compares both and binds the ledger to it. Otherwise check [lamassu] host and [lamassu.ssh]; for a second Lamassu use another [lamassu] name.`,
    );
  }
  if (known.start_at !== startAt) {
    const processed = await trx
      .selectFrom('cash_outs')
      .select('id')
      .where('source', '=', name)
      .executeTakeFirst();
    if (processed) throw differs('start_at', 'start_at', known.start_at, startAt);
  }
  // Rows between the earlier start and the former one were read and skipped, so read the source again from its start.
  const read_to = startAt < known.start_at && known.read_to !== null ? ALWAYS : known.read_to;
  const bound = { start_at: startAt, system_identifier: pinned ?? systemIdentifier, read_to };
  if (known.start_at !== startAt || (pinned === null && systemIdentifier !== null)) {
    await trx.updateTable('sources').set(bound).where('name', '=', name).execute();
  }
  return { ...known, ...bound };
}

/** Moves the mark of a source forward; one that is already further stays. */
export async function moveMark(trx: Trx, source: string, mark: Mark): Promise<void> {
  await trx
    .updateTable('sources')
    .set({ mark_confirmed_at: mark.confirmedAt, mark_id: mark.id })
    .where('name', '=', source)
    .where((eb) =>
      eb.or([
        eb('mark_confirmed_at', 'is', null),
        eb('mark_confirmed_at', '<', mark.confirmedAt),
        eb.and([eb('mark_confirmed_at', '=', mark.confirmedAt), eb('mark_id', '<', mark.id)]),
      ]),
    )
    .execute();
}

/**
 * Records that a source was read to the end. A mark ahead of `readTo` comes from a clock that was ahead, and becomes
 * `mark`, the last row of this reading.
 */
export async function readToEnd(
  trx: Trx,
  source: string,
  { mark, readTo, lastAction }: Position & { readTo: Instant },
): Promise<void> {
  await trx
    .updateTable('sources')
    .set({ read_to: readTo, last_action: lastAction })
    .where('name', '=', source)
    .execute();
  await trx
    .updateTable('sources')
    .set({ mark_confirmed_at: mark?.confirmedAt ?? null, mark_id: mark?.id ?? null })
    .where('name', '=', source)
    .where('mark_confirmed_at', '>', readTo)
    .execute();
}

/** A Lamassu database that was compared with what the ledger processed of it, and is the same Lamassu. */
export interface ComparedSource {
  source: string;
  /** The identity that the ledger knows; null: none yet. */
  was: string | null;
  /** That of the database that is reached now. */
  is: string;
  /** How many processed cash-outs that database shows as the ledger has them. */
  cashOuts: number;
  /** The newest of them; null: the ledger has none. */
  newest: { id: string; confirmedAt: Instant } | null;
}

/**
 * Binds a source to its present database, which was compared with the ledger. `was` is the one it was bound to at the
 * comparison. If it is bound to another by now, writes nothing and throws `usage/invalid`.
 */
export async function rebindSource(
  trx: Trx,
  act: ReasonedAct,
  { source: name, was, is }: Pick<ComparedSource, 'source' | 'was' | 'is'>,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('sources')
    .set({ system_identifier: is })
    .where('name', '=', name)
    .where('system_identifier', was === null ? 'is' : '=', was)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) {
    throw wrongState(
      'accept',
      `source "${name}" was bound to another database meanwhile`,
      'Nothing was written. Run it again.',
    );
  }
  const states = { before: { system_identifier: was }, after: { system_identifier: is } };
  await record(trx, act, { action: 'source accept', subject: `source ${name}`, ...states });
}

function differs(key: string, what: string, ledger: string, config: string): BridgeError {
  return new BridgeError(
    'ledger/source-differs',
    `${what} is ${ledger} in the ledger and ${config} in the configuration`,
    `Set [lamassu] ${key} = "${ledger}" again: cash-outs were processed under it.`,
  );
}
