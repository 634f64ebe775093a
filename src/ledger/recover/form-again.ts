import { formatDecimal, sum } from '../../dca/money.ts';
import { largestRemainder } from '../../dca/split.ts';
import { field, message } from '../../lib/message.ts';
import type { Trx } from '../store/open.ts';
import type { TableRow } from '../verify/findings.ts';
import { Differs, type Lost, paidText, type RecoverOptions } from './unknown-payments.ts';

type Recipient = Pick<TableRow<'recipients'>, 'id' | 'kind'>;

/** A payout that the ledger does not have, with the payments that LNbits shows of it. */
interface LostPayout {
  /** The payout in words, for a misfit. */
  what: string;
  group: Lost[];
  /** The first of the group. */
  first: Lost;
  recipient: Recipient;
}

/**
 * Forms the payout as it was, of the same cash-outs. If it does not fit and the operator accepts that, answers why it
 * is held.
 */
export async function formAgain(
  trx: Trx,
  { what, group, first, recipient }: LostPayout,
  options: RecoverOptions,
): Promise<string | null> {
  const members = await membersOf(trx, first, recipient);
  const sats = sum(members.map((one) => one.sats));
  const fiat = sum(members.map((one) => one.fiat));
  const digits = await trx
    .selectFrom('currencies')
    .select('digits')
    .where('code', '=', first.currency)
    .executeTakeFirst();
  const amount = formatDecimal(fiat, Number(digits?.digits ?? 0));
  const exact =
    amount === first.fiat ? (exactParts(group, sats, options.maximumSats) ?? splitParts(group, sats)) : null;
  const parts = exact ?? (!options.hold ? null : shareParts(group, sats));
  const owed = `${sats} sat for ${amount} ${first.currency}, of ${await cashOutsText(trx, first)}`;
  if (!parts) {
    throw new Differs(
      'recover/does-not-fit',
      what,
      owed,
      paidText(group),
      message`Enter what was entered after the backup (clients, fundings with their time, settlements), and recover again; if a run has read Lamassu since, first restore the backup once more. ${field('hold')} books it for the operator to decide.`,
    );
  }
  await trx
    .insertInto('payouts')
    .values({
      id: first.payout,
      recipient_id: recipient.id,
      kind: recipient.kind,
      sats,
      fiat,
      currency: first.currency,
      state: 'planned',
      created_at: group.reduce((earliest, { at }) => (at < earliest ? at : earliest), first.at),
      run_id: options.act.run,
    })
    .execute();
  await trx
    .insertInto('payout_parts')
    .values(parts.map((one, index) => ({ payout_id: first.payout, part: BigInt(index + 1), ...one })))
    .execute();
  const table = recipient.kind === 'client' ? 'allocations' : 'commission_shares';
  for (const { id } of members)
    await trx.updateTable(table).set({ payout_id: first.payout }).where('id', '=', id).execute();
  return exact ? null : `the ledger owes ${owed}; LNbits shows ${paidText(group)}`;
}

interface OwedMember {
  id: bigint;
  cashOut: string;
  sats: bigint;
  fiat: bigint;
}

/** The recipient's parts of those cash-outs that are in no payout yet. */
async function membersOf(trx: Trx, first: Lost, recipient: Recipient): Promise<OwedMember[]> {
  const rows =
    recipient.kind === 'client'
      ? await trx
          .selectFrom('allocations as a')
          .innerJoin('cash_outs as c', 'c.id', 'a.cash_out_id')
          .select(['a.id', 'c.id as cashOut', 'a.net as sats', 'a.fiat'])
          .where('a.client_id', '=', recipient.id)
          .where('a.currency', '=', first.currency)
          .where('a.payout_id', 'is', null)
          .where('a.net', '>', 0n)
          .orderBy('c.confirmed_at')
          .orderBy('c.id')
          .execute()
      : await trx
          .selectFrom('commission_shares as s')
          .innerJoin('cash_outs as c', 'c.id', 's.cash_out_id')
          .select(['s.id', 'c.id as cashOut', 's.sats'])
          .where('s.recipient_id', '=', recipient.id)
          .where('s.currency', '=', first.currency)
          .where('s.payout_id', 'is', null)
          .orderBy('c.confirmed_at')
          .orderBy('c.id')
          .execute()
          .then((shares) => shares.map((share) => ({ ...share, fiat: 0n })));
  const ids = new Set(first.cashOuts);
  // Only the first 50 are named; the others were confirmed after the last of them.
  const waiting = [...new Set(rows.map((row) => row.cashOut))];
  const last = waiting.findLastIndex((id) => ids.has(id));
  const more = first.cashOutsCount - first.cashOuts.length;
  for (const id of waiting.slice(last + 1, last + 1 + more)) ids.add(id);
  return rows.filter((row) => ids.has(row.cashOut));
}

/** The parts that were paid and those still to be paid; null if the payments do not fit them. */
function exactParts(group: Lost[], sats: bigint, maximumSats: bigint): PaidPart[] | null {
  const seen = partsSeen(group);
  if (!seen) return null;
  const paid = sum(seen);
  if (paid === sats) return seen.map(whole);
  const [full = 0n] = seen;
  // More is owed: this fits only if the payout began in parts of the largest size that one payment may carry.
  if (paid > sats || seen.some((one) => one !== full) || (seen.length === 1 && full !== maximumSats))
    return null;
  const parts = [...seen];
  for (let left = sats - paid; left > 0n; left -= full) parts.push(left < full ? left : full);
  return parts.map(whole);
}

/**
 * The same if parts were split before they were paid; nothing was paid of those. The size of one split part follows
 * from the parts after it, unless there were several.
 */
function splitParts(group: Lost[], sats: bigint): PaidPart[] | null {
  const seen = new Map([...group].reverse().map((one) => [one.part, one.sats]));
  const last = [...seen.keys()].reduce((a, b) => (a > b ? a : b));
  const numbers = Array.from({ length: Number(last) }, (_, index) => BigInt(index + 1));
  const first = numbers.find((part) => !seen.has(part));
  const left = sats - sum([...seen.values()]);
  if (first === undefined || left < 0n || group.some((one) => one.sats !== seen.get(one.part))) return null;
  const after = [...seen].filter(([part]) => part > first).map(([, one]) => one);
  // More is owed: this fits only if every later payment had the largest size that one payment may carry.
  if (left > 0n && after.some((one) => one !== after[0])) return null;
  const parts = numbers.map((part) => {
    const one = seen.get(part);
    return one === undefined ? { sats: sum(after) + left, split: 1n } : whole(one);
  });
  return left > 0n ? [...parts, whole(left)] : parts;
}

interface PaidPart {
  sats: bigint;
  split: bigint;
}

const whole = (sats: bigint): PaidPart => ({ sats, split: 0n });

/** Distributes what is owed over the paid parts, in proportion; null if nothing is owed. */
function shareParts(group: Lost[], sats: bigint): PaidPart[] | null {
  const seen = partsSeen(group);
  if (!seen || sats < BigInt(seen.length)) return null;
  const shares = largestRemainder(
    sats,
    seen.map((weight) => ({ weight })),
  );
  return shares.every((one) => one > 0n) ? shares.map(whole) : null;
}

/** The sats of parts 1, 2, …; null if one is missing or was paid with different amounts. */
function partsSeen(group: Lost[]): bigint[] | null {
  const parts = [...Map.groupBy(group, (one) => one.part)].sort(([a], [b]) => (a < b ? -1 : 1));
  const sats = parts.flatMap(([part, [first, ...others]], index) =>
    first && part === BigInt(index + 1) && others.every((one) => one.sats === first.sats) ? [first.sats] : [],
  );
  return sats.length === parts.length ? sats : null;
}

/** The payment's cash-outs, as text, with those that the ledger does not have. */
async function cashOutsText(trx: Trx, { cashOuts, cashOutsCount }: Lost): Promise<string> {
  const rows =
    cashOuts.length === 0
      ? []
      : await trx.selectFrom('cash_outs').select('id').where('id', 'in', cashOuts).execute();
  const missing = cashOuts.filter((id) => !rows.some((row) => row.id === id));
  const many = `${cashOutsCount} ${cashOutsCount === 1 ? 'cash-out' : 'cash-outs'}`;
  if (missing.length === 0) return many;
  return `${many}, without ${missing.join(', ')}, which the ledger does not have`;
}
