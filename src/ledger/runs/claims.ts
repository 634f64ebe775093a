import type { Instant } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';

/*
 * The claims that runs put into the source wallet before they pay (payouts/claim.ts). They tell which of the claims
 * that LNbits shows are this ledger's own, and which another copy made.
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

/** Records the hash of the claim's invoice. The same nonce with another hash was made by another copy. */
export async function claimMade(trx: Trx, nonce: string, hash: string): Promise<void> {
  await trx.updateTable('claims').set({ payment_hash: hash }).where('nonce', '=', nonce).execute();
}

/** Records that no claim of another copy was found after this one was made. It ends the claims of earlier runs. */
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

/** Whether another run, or another copy, may still be about to send. */
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

/** Whether a run of this ledger ever found no other copy; with `except`, at a source wallet other than that one. */
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
 * Sorts the claims that LNbits shows: those of other copies; own nonces that also appear with another invoice; and
 * whether one of this ledger's checked claims is among them.
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
 * Records one nonce with two invoices: its request arrived twice, or a running host was copied in that moment. The
 * run waits for what the other one may still send, and reports it once.
 */
export async function reopenClaims(trx: Trx, nonces: string[]): Promise<void> {
  await trx
    .updateTable('claims')
    .set({ payment_hash: null, over: 0n })
    .where('nonce', 'in', nonces)
    .execute();
}

/**
 * Records that, as the operator declares, the copy which made these claims is out of use. The next run waits for what
 * it may have sent.
 */
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
      // One nonce with two invoices: a host was copied during a run. Both are accepted.
      .onConflict((conflict) => conflict.column('nonce').doUpdateSet({ payment_hash: null }))
      .execute();
  }
}
