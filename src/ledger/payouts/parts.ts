import { sum } from '../../dca/money.ts';
import { type Act, record } from '../log/log.ts';
import type { Trx } from '../store/open.ts';

/** Splits sats into payments of the maximum, and the rest. */
export function inParts(sats: bigint, maximum: bigint): bigint[] {
  const parts: bigint[] = [];
  for (let left = sats; left > 0n; left -= maximum) parts.push(left < maximum ? left : maximum);
  return parts;
}

/**
 * Splits a part into smaller ones after the last, which LNbits accepts. The part itself stays, with its failed
 * payments. A trigger refuses to split a part with a payment that may still arrive.
 */
export async function splitPart(
  trx: Trx,
  act: Act,
  { payout, part, sats }: { payout: bigint; part: bigint; sats: bigint },
  into: bigint[],
): Promise<void> {
  if (sum(into) !== sats)
    throw new Error(`part ${part} of p${payout}, ${sats} sat, was split into ${into.join(', ')}`);
  const { last } = await trx
    .selectFrom('payout_parts')
    .select((eb) => eb.fn.max('part').as('last'))
    .where('payout_id', '=', payout)
    .executeTakeFirstOrThrow();
  const { numUpdatedRows } = await trx
    .updateTable('payout_parts')
    .set({ split: 1n })
    .where('payout_id', '=', payout)
    .where('part', '=', part)
    .where('split', '=', 0n)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error(`p${payout} has no part ${part} that could be split`);
  const parts = into.map((one, index) => ({ payout_id: payout, part: last + BigInt(index + 1), sats: one }));
  await trx.insertInto('payout_parts').values(parts).execute();
  await record(trx, act, {
    ...{ action: 'payout split', subject: `p${payout}` },
    before: { part, sats },
    after: { parts: parts.map((one) => ({ part: one.part, sats: one.sats })) },
  });
}
