import { type SqlBool, sql } from 'kysely';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import type { Lack, PayoutState } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { dueGroups, type FormOptions, isDue } from './form.ts';
import { arrivedSats, notSettled } from './open-payouts.ts';
import { isPaused } from './pause.ts';

/** Every reason, with its meaning. */
export const waitReasons = {
  'fixed-time': 'the next time of fixed mode',
  minimum: 'a sum of [payouts] minimum_sats',
  'next-run': 'the next run',
  paused: 'the end of the pause of all payouts',
  balance: 'enough sats in the source wallet',
  deferred: 'the next run, which tries again',
  unknown: 'the next run, which finds out what became of a payment',
  held: 'a decision of the operator',
} as const;

export type WaitReason = keyof typeof waitReasons;

/** Sats that are owed to a recipient and not settled, with one reason. */
export interface Wait {
  recipient: string;
  kind: 'client' | 'commission';
  sats: bigint;
  reason: WaitReason;
  /** When it ends; null if no clock ends it. */
  until: Instant | null;
  /** The payouts that it consists of; none: it is in no payout yet. */
  payouts: bigint[];
  /** The reason of the payouts in words. */
  detail: string | null;
}

/**
 * Everything that is owed and not settled, by recipient and reason: clients first, then by name. Nothing is left out:
 * the sats add up to what is owed. `nextFixed`: the next time of fixed mode; null: there is none.
 */
export async function whoWaits(db: Db, options: FormOptions, nextFixed: Instant | null): Promise<Wait[]> {
  const all = [...(await unformed(db, options, nextFixed)), ...(await open(db))];
  if (all.length === 0) return [];
  const names = await namesOf(db);
  const paused = await isPaused(db);
  const merged = new Map<string, Wait>();
  for (const { id, ...wait } of all) {
    if (wait.sats === 0n) continue;
    const reason = wait.reason === 'next-run' && paused ? 'paused' : wait.reason;
    const key = JSON.stringify([`${id}`, wait.kind, reason, wait.detail]);
    const before = merged.get(key);
    if (before) {
      before.sats += wait.sats;
      before.payouts.push(...wait.payouts);
    } else merged.set(key, { ...wait, reason, recipient: names.get(id) ?? '' });
  }
  return [...merged.values()].sort(
    (a, b) => compare(a.kind, b.kind) || compare(a.recipient, b.recipient) || compare(a.reason, b.reason),
  );
}

type WaitOfRecipient = Omit<Wait, 'recipient'> & { id: bigint };

/** What is in no payout yet. */
async function unformed(db: Db, options: FormOptions, nextFixed: Instant | null): Promise<WaitOfRecipient[]> {
  const isDueNow = sql<bigint>`cast(case when ${isDue(options)} then 1 else 0 end as bigint)`;
  const clients = await db
    .selectFrom('allocations')
    .select(['client_id as id', sumOf('net').as('sats'), isDueNow.as('is_due')])
    .where('payout_id', 'is', null)
    .where(sql<SqlBool>`net > 0`)
    .groupBy(['client_id', sql`is_due`])
    .execute();
  const shares = await db
    .selectFrom('commission_shares')
    .select(['recipient_id as id', sumOf('sats').as('sats')])
    .where('payout_id', 'is', null)
    .groupBy('recipient_id')
    .execute();
  if (clients.length === 0 && shares.length === 0) return [];
  const due = await dueGroups(db, options);
  const formable = (id: bigint, kind: Wait['kind']) =>
    due
      .filter((one) => one.recipient_id === id && one.kind === kind)
      .reduce((all, { sats }) => all + sats, 0n);
  const none = { until: null, payouts: [], detail: null };
  const ready = (id: bigint, kind: Wait['kind'], sats: bigint): WaitOfRecipient[] => [
    { id, kind, sats: formable(id, kind), reason: 'next-run', ...none },
    { id, kind, sats: sats - formable(id, kind), reason: 'minimum', ...none },
  ];
  return [
    ...clients.flatMap(({ id, sats, is_due: isReady }): WaitOfRecipient[] =>
      isReady === 1n
        ? ready(id, 'client', sats)
        : [{ id, kind: 'client', sats, reason: 'fixed-time', ...none, until: nextFixed }],
    ),
    ...shares.flatMap(({ id, sats }) => ready(id, 'commission', sats)),
  ];
}

/** What is in open payouts, without what has arrived of them. */
async function open(db: Db): Promise<WaitOfRecipient[]> {
  const rows = await db
    .selectFrom('payouts')
    .select(['id', 'recipient_id', 'kind', 'sats', 'state', 'reason', 'lack'])
    .select(arrivedSats.as('arrived'))
    .where(notSettled)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    ...{ id: row.recipient_id, kind: row.kind, sats: row.sats - row.arrived },
    ...{ reason: reasonOf(row), until: null, payouts: [row.id], detail: row.reason },
  }));
}

function reasonOf({ state, lack }: { state: PayoutState; lack: Lack | null }): WaitReason {
  if (state === 'held' || state === 'unknown') return state;
  if (state !== 'deferred') return 'next-run';
  return lack === null ? 'deferred' : 'balance';
}

async function namesOf(db: Db): Promise<Map<bigint, string>> {
  const rows = await db.selectFrom('recipients').select(['id', 'name']).execute();
  return new Map(rows.map(({ id, name }) => [id, name]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
