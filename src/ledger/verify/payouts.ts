import { sum } from '../../dca/money.ts';
import { isInstant, plus } from '../../time.ts';
import { subjectsOf } from '../log/log.ts';
import { CLOCK_MS, CLOCK_SET_BACK } from '../payouts/payouts.ts';
import type { Db } from '../store/open.ts';
import { cashInWords, type LedgerFindings, sat, type TableRow } from './findings.ts';

type StoredPayment = TableRow<'payments'>;
type StoredPart = TableRow<'payout_parts'>;
/** An allocation of a payout to a client, or a share of a commission payout. */
type PayoutMember = Pick<TableRow<'payouts'>, 'recipient_id' | 'currency' | 'sats' | 'fiat'> & {
  payout_id: bigint | null;
};
type StoredPayout = TableRow<'payouts'> & { recipient_kind: string | null };

const PAGE = 500;

/** Checks every payout with its allocations, parts and payments. */
export async function verifyPayouts(
  db: Db,
  digits: Map<string, number>,
  findings: LedgerFindings,
): Promise<void> {
  const { source_wallet_id: sourceWallet } = (await db
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirst()) ?? { source_wallet_id: null };
  const clocks = await subjectsOf(db, CLOCK_SET_BACK);
  for (let after = 0n; ; ) {
    const page = await db
      .selectFrom('payouts')
      .leftJoin('recipients', 'recipients.id', 'payouts.recipient_id')
      .selectAll('payouts')
      .select('recipients.kind as recipient_kind')
      .where('payouts.id', '>', after)
      .orderBy('payouts.id')
      .limit(PAGE)
      .execute();
    const last = page.at(-1)?.id;
    if (last === undefined) return;
    const members = await membersOf(db, after, last);
    const parts = await within('payout_parts', db, after, last);
    const payments = await within('payments', db, after, last);
    for (const payout of page) {
      const { id, kind } = payout;
      const other = kind === 'client' ? members.commission : members.client;
      verifyMembers(payout, members[kind].get(id) ?? [], other.get(id) ?? [], digits, findings);
      const its = { parts: parts.get(id) ?? [], payments: payments.get(id) ?? [] };
      verifyParts(payout, its, findings);
      const wrong = whyNot(payout, its);
      if (wrong) findings.add('payout/state', `p${id}`, payout.state, wrong);
      for (const payment of its.payments) {
        verifyPayment(payment, sourceWallet, findings);
        verifyTimes(payment, clocks.has(`p${id}`), findings);
      }
      findings.count('payouts', 1);
      findings.count('payments', its.payments.length);
    }
    after = last;
  }
}

/** What the payouts after `after` up to `last` are made of, by kind and payout. */
async function membersOf(
  db: Db,
  after: bigint,
  last: bigint,
): Promise<Record<StoredPayout['kind'], Map<bigint | null, PayoutMember[]>>> {
  const allocations = await db
    .selectFrom('allocations')
    .select(['payout_id', 'client_id as recipient_id', 'currency', 'net as sats', 'fiat'])
    .where('payout_id', '>', after)
    .where('payout_id', '<=', last)
    .execute();
  const shares = await db
    .selectFrom('commission_shares')
    .select(['payout_id', 'recipient_id', 'currency', 'sats'])
    .where('payout_id', '>', after)
    .where('payout_id', '<=', last)
    .execute();
  return {
    client: Map.groupBy(allocations, (row) => row.payout_id),
    commission: Map.groupBy(
      shares.map((row) => ({ ...row, fiat: 0n })),
      (row) => row.payout_id,
    ),
  };
}

async function within<T extends 'payout_parts' | 'payments'>(
  table: T,
  db: Db,
  after: bigint,
  last: bigint,
): Promise<Map<bigint, TableRow<T>[]>> {
  const rows = (await db
    .selectFrom(table as 'payments')
    .selectAll()
    .where('payout_id', '>', after)
    .where('payout_id', '<=', last)
    .orderBy('part')
    .execute()) as unknown as (TableRow<T> & { payout_id: bigint })[];
  return Map.groupBy(rows, (row) => row.payout_id);
}

/** Checks that the allocations, or shares, add up to the payout, and belong to its recipient. */
function verifyMembers(
  payout: StoredPayout,
  members: PayoutMember[],
  others: PayoutMember[],
  digits: Map<string, number>,
  findings: LedgerFindings,
): void {
  const what = `p${payout.id}`;
  if (payout.recipient_kind !== null) {
    findings.same('payout/recipient', what, payout.kind, payout.recipient_kind);
  }
  if (others.length > 0) {
    const other = payout.kind === 'client' ? 'has shares of the commission' : 'has allocations';
    findings.add('payout/recipient', what, payout.kind, other);
  }
  for (const { recipient_id, currency } of members) {
    findings.same('payout/recipient', what, `recipient ${payout.recipient_id}`, `recipient ${recipient_id}`);
    findings.same('payout/currency', what, payout.currency, currency);
  }
  const money = (minor: bigint) => cashInWords(minor, payout.currency, digits);
  findings.same('payout/sats', what, sat(payout.sats), sat(sum(members.map(({ sats }) => sats))));
  findings.same('payout/fiat', what, money(payout.fiat), money(sum(members.map(({ fiat }) => fiat))));
}

interface Its {
  parts: StoredPart[];
  payments: StoredPayment[];
}

/** Checks that the parts add up, and that all payments of a part but the last are dead. */
function verifyParts(payout: StoredPayout, { parts, payments }: Its, findings: LedgerFindings): void {
  const what = `p${payout.id}`;
  let sats = 0n;
  parts.forEach((row, index) => {
    // What was split is in the parts after it.
    if (row.split === 0n) sats += row.sats;
    findings.same('payout/parts', what, `part ${row.part}`, `part ${index + 1}`);
    if (row.sats <= 0n)
      findings.add('payout/parts', what, `part ${row.part} of ${sat(row.sats)}`, 'more than 0 sat');
  });
  findings.same('payout/parts', what, sat(payout.sats), `${sat(sats)}`);
  for (const [number, tries] of Map.groupBy(payments, (row) => row.part)) {
    const part = parts.find((row) => row.part === number);
    const at = `${what} part ${number}`;
    const paid = part?.split === 1n ? tries.find((row) => row.state !== 'dead') : undefined;
    if (paid)
      findings.add('payment/part', at, `payment ${paid.payment_hash} is ${paid.state}`, 'it was split');
    if (!part) findings.add('payment/part', at, `payment ${tries[0]?.payment_hash}`, 'no such part');
    const ordered = tries.toSorted((a, b) => (a.attempt < b.attempt ? -1 : 1));
    const live = ordered.filter((row) => row.state !== 'dead');
    if (live.length > 1) {
      findings.add(
        'payment/live',
        at,
        live.map((row) => `${row.payment_hash} ${row.state}`).join(', '),
        'one at most',
      );
    }
    if (live.length === 1 && live[0] !== ordered.at(-1)) {
      findings.add(
        'payment/attempt',
        at,
        `attempt ${live[0]?.attempt} is ${live[0]?.state}`,
        'a later one exists',
      );
    }
    ordered.forEach((row, index) => {
      findings.same('payment/attempt', at, `attempt ${row.attempt}`, `attempt ${index + 1}`);
      if (part) findings.same('payment/amount', `payment ${row.payment_hash}`, sat(row.sats), sat(part.sats));
    });
  }
}

/** What contradicts a payout's state, by its payments; null: nothing. */
function whyNot({ state, reason, settled_at }: StoredPayout, { parts, payments }: Its): string | null {
  const live = payments.filter((row) => row.state !== 'dead');
  const open = live.find((row) => row.state === 'sending' || row.state === 'unknown');
  const whole = parts.filter((part) => part.split === 0n);
  const unpaid = whole.find((part) => !live.some((row) => row.part === part.part && row.state === 'settled'));
  if ((state === 'settled') !== (settled_at !== null)) return `settled_at ${settled_at ?? 'is missing'}`;
  switch (state) {
    case 'settled':
      return unpaid ? `part ${unpaid.part} has no settled payment` : null;
    case 'held':
      return reason === null ? 'no reason why' : null;
    case 'planned':
      if (live[0]) return `payment ${live[0].payment_hash} is ${live[0].state}`;
      break;
    case 'deferred':
      if (open) return `payment ${open.payment_hash} is ${open.state}`;
      break;
  }
  return unpaid ? null : 'every part has a settled payment';
}

function verifyPayment(row: StoredPayment, sourceWallet: string | null, findings: LedgerFindings): void {
  const what = `payment ${row.payment_hash}`;
  if (row.client_wallet_id === row.source_wallet_id) {
    findings.add('payment/wallet', what, `into ${row.client_wallet_id}`, `from ${row.source_wallet_id}`);
  }
  const open = row.state === 'invoiced' || row.state === 'sending' || row.state === 'unknown';
  if (open) findings.same('payment/source-wallet', what, row.source_wallet_id, sourceWallet);
  if (row.state === 'settled' && row.settled_at === null) {
    findings.add('payment/state', what, row.state, 'settled_at is missing');
  }
  if ((row.state === 'sending' || row.state === 'unknown') && row.sent_at === null) {
    findings.add('payment/state', what, row.state, 'sent_at is missing');
  }
}

/** Checks the order created, sent, settled, unless the log says that the clock was set back meanwhile. */
function verifyTimes(row: StoredPayment, clockSetBack: boolean, findings: LedgerFindings): void {
  const times = [row.created_at, row.sent_at, row.state === 'settled' ? row.settled_at : null];
  const known = times.filter((at) => at !== null);
  const ordered = (at: string, index: number) =>
    isInstant(at) && (clockSetBack || index === 0 || plus(at, CLOCK_MS) >= (known[index - 1] ?? ''));
  if (known.every(ordered)) return;
  const what = `payment ${row.payment_hash}`;
  findings.add('payment/times', what, known.join(', then '), 'created, sent and settled in this order');
}
