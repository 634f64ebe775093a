import type { Instant } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';

/*
 * The claims that runs put into the source wallet before they pay (payouts/claim.ts): which of those that LNbits shows
 * are this ledger's own. Another copy of the ledger has others.
 */

/** A claim as LNbits shows it. */
export interface ClaimSeen {
  nonce: string;
  hash: string;
}

/** Committed before the request to LNbits, so a claim that the ledger does not know is never its own. */
export async function addClaim(
  trx: Trx,
  { nonce, run, wallet }: { nonce: string; run: bigint; wallet: string },
  at: Instant,
): Promise<void> {
  await trx.insertInto('claims').values({ nonce, run_id: run, wallet_id: wallet, made_at: at }).execute();
}

/** LNbits shows it by this hash: by another one, another copy made it. */
export async function claimMade(trx: Trx, nonce: string, hash: string): Promise<void> {
  await trx.updateTable('claims').set({ payment_hash: hash }).where('nonce', '=', nonce).execute();
}

/** No other copy's was found after it was made. What earlier runs claimed is over then. */
export async function claimHolds(trx: Trx, nonce: string): Promise<void> {
  await trx.updateTable('claims').set({ checked: 1n }).where('nonce', '=', nonce).execute();
  await trx
    .updateTable('claims')
    .set({ over: 1n })
    .where('nonce', '<>', nonce)
    .where('over', '=', 0n)
    .execute();
}

/** Records that this run sends nothing any more. */
export async function endClaims(trx: Trx, run: bigint): Promise<void> {
  await trx
    .updateTable('claims')
    .set({ over: 1n })
    .where('run_id', '=', run)
    .where('over', '=', 0n)
    .execute();
}

/** Whether a run other than this one, or another copy, may still be about to send. */
export async function mayStillSend(db: Db, nonce: string): Promise<boolean> {
  const open = await db
    .selectFrom('claims')
    .select('nonce')
    .where('over', '=', 0n)
    .where('nonce', '<>', nonce)
    .executeTakeFirst();
  return open !== undefined;
}

/** The nonces of runs that did not end, as far as this ledger knows. */
export async function openClaims(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom('claims').select('nonce').where('over', '=', 0n).execute();
  return new Set(rows.map(({ nonce }) => nonce));
}

/** Whether a run of this ledger ever found itself alone; with `except` at another source wallet than that. */
export async function everClaimed(db: Db, except: string | null = null): Promise<boolean> {
  const claim = await db
    .selectFrom('claims')
    .select('nonce')
    .where('checked', '=', 1n)
    .$if(except !== null, (query) => query.where('wallet_id', '<>', except ?? ''))
    .limit(1)
    .executeTakeFirst();
  return claim !== undefined;
}

/**
 * Those that are not this ledger's own; the nonces of its own that LNbits shows by another invoice, too; and whether one
 * of its own that was checked is among them.
 */
export async function unknownClaims<T extends ClaimSeen>(
  db: Db,
  seen: T[],
): Promise<{ unknown: T[]; doubled: string[]; checked: boolean }> {
  if (seen.length === 0) return { unknown: [], doubled: [], checked: false };
  const rows = await db
    .selectFrom('claims')
    .select(['nonce', 'payment_hash', 'checked'])
    .where(
      'nonce',
      'in',
      seen.map(({ nonce }) => nonce),
    )
    .execute();
  const known = new Map(rows.map((row) => [row.nonce, row]));
  const isDoubled = ({ nonce, hash }: ClaimSeen) => (known.get(nonce)?.payment_hash ?? hash) !== hash;
  return {
    unknown: seen.filter(({ nonce }) => !known.has(nonce)),
    doubled: [...new Set(seen.filter(isDoubled).map(({ nonce }) => nonce))],
    checked: rows.some(({ checked }) => checked === 1n),
  };
}

/**
 * One nonce by two invoices: its request arrived twice, or a host was copied in that moment, memory and all. Whatever
 * the other one may still send is waited for; it is said once.
 */
export async function reopenClaims(trx: Trx, nonces: string[]): Promise<void> {
  await trx
    .updateTable('claims')
    .set({ payment_hash: null, over: 0n })
    .where('nonce', 'in', nonces)
    .execute();
}

/** The operator says that the copy that made them is out of use. What it may have sent is waited for by the next run. */
export async function letBe(
  trx: Trx,
  claims: (ClaimSeen & { wallet: string })[],
  run: bigint,
  at: Instant,
): Promise<void> {
  for (const { nonce, hash, wallet } of claims) {
    await trx
      .insertInto('claims')
      .values({ nonce, run_id: run, wallet_id: wallet, payment_hash: hash, made_at: at })
      // One nonce by two invoices: a host that was copied while it ran. Both are let be.
      .onConflict((conflict) => conflict.column('nonce').doUpdateSet({ payment_hash: null }))
      .execute();
  }
}
