import { isInstant, plus } from '../../time.ts';
import { subjectsOf } from '../log/log.ts';
import type { Db } from '../store/open.ts';
import { CommissionWeights } from './commission.ts';
import { DailyLimits } from './daily-limits.ts';
import { cashInWords, type LedgerFindings, sat, type TableRow } from './findings.ts';
import { verifyLamassu } from './lamassu-row.ts';

type StoredCashOut = TableRow<'cash_outs'>;
type StoredAllocation = TableRow<'allocations'>;
type StoredFunding = Pick<TableRow<'fundings'>, 'id' | 'client_id' | 'currency' | 'deposited_at'>;

const PAGE = 1000;
const HOUR_MS = 3_600_000;

/** Checks every cash-out with its allocations. Returns what each funding spent on them, in minor units. */
export async function verifyCashOuts(
  db: Db,
  digits: Map<string, number>,
  findings: LedgerFindings,
): Promise<Map<bigint, bigint>> {
  const fundings = new Map(
    (await db.selectFrom('fundings').select(['id', 'client_id', 'currency', 'deposited_at']).execute()).map(
      (row) => [row.id, row] as const,
    ),
  );
  const sources = new Map(
    (await db.selectFrom('sources').selectAll().execute()).map((row) => [row.name, row] as const),
  );
  const released = await subjectsOf(db, 'review release');
  const limits = await DailyLimits.read(db);
  const weights = await CommissionWeights.read(db);
  const beyond = new Map<TableRow<'sources'>, StoredCashOut>();
  const spent = new Map<bigint, bigint>();
  for await (const { cashOut, allocations, shares } of pages(db)) {
    const money = (minor: bigint) => cashInWords(minor, cashOut.currency, digits);
    verifyRow(cashOut, findings);
    if (cashOut.origin === 'lamassu' && cashOut.run_id !== null) {
      const source = sources.get(cashOut.source);
      verifySource(cashOut, source, released, findings);
      if (source && isBeyond(cashOut, source)) beyond.set(source, cashOut);
    }
    verifyLamassu(cashOut, digits, findings);
    verifyDivision(cashOut, allocations, money, findings);
    weights.verify(cashOut, shares, findings);
    for (const one of allocations) {
      verifyAllocation(cashOut, one, fundings.get(one.funding_id), findings);
      spent.set(one.funding_id, (spent.get(one.funding_id) ?? 0n) + one.fiat);
      limits.add(cashOut, one);
    }
    findings.count('cash_outs', 1);
    findings.count('allocations', allocations.length);
    findings.count('commission_shares', shares.length);
  }
  limits.verify(digits, findings);
  for (const [{ name, mark_confirmed_at }, { id, confirmed_at }] of beyond) {
    findings.add(
      'mark/behind',
      `source ${name}`,
      mark_confirmed_at,
      `cash-out ${id}, confirmed at ${confirmed_at}`,
    );
  }
  return spent;
}

interface Divided {
  cashOut: StoredCashOut;
  allocations: StoredAllocation[];
  shares: TableRow<'commission_shares'>[];
}

async function* pages(db: Db): AsyncGenerator<Divided> {
  for (let after = ''; ; ) {
    const page = await db
      .selectFrom('cash_outs')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    const last = page.at(-1)?.id;
    if (last === undefined) return;
    const allocations = await of('allocations', db, after, last);
    const shares = await of('commission_shares', db, after, last);
    for (const cashOut of page) {
      const { id } = cashOut;
      yield { cashOut, allocations: allocations.get(id) ?? [], shares: shares.get(id) ?? [] };
    }
    after = last;
  }
}

/** The rows of the cash-outs whose ids follow `after` up to `last`, by their cash-out. */
async function of<T extends 'allocations' | 'commission_shares'>(
  table: T,
  db: Db,
  after: string,
  last: string,
): Promise<Map<string, TableRow<T>[]>> {
  const rows = (await db
    .selectFrom(table as 'allocations')
    .selectAll()
    .where('cash_out_id', '>', after)
    .where('cash_out_id', '<=', last)
    .orderBy('id')
    .execute()) as unknown as (TableRow<T> & { cash_out_id: string })[];
  return Map.groupBy(rows, (row) => row.cash_out_id);
}

function verifyRow(cashOut: StoredCashOut, findings: LedgerFindings): void {
  const what = `cash-out ${cashOut.id}`;
  const { gross, net, commission, own, undelivered, fiat, own_fiat } = cashOut;
  findings.same('cash-out/gross', what, sat(gross), sat(net + commission + own + undelivered));
  if (gross <= 0n || fiat <= 0n || [net, commission, own, undelivered, own_fiat].some((part) => part < 0n)) {
    findings.add('cash-out/negative', what, 'an amount below zero, or nothing at all', 'amounts above zero');
  }
  for (const name of ['confirmed_at', 'processed_at'] as const) {
    if (!isInstant(cashOut[name])) findings.add('cash-out/time', what, `${name} ${cashOut[name]}`, 'a time');
  }
}

/** A cash-out that a run read comes from a bound source, and from after its start, unless the operator released it. */
function verifySource(
  cashOut: StoredCashOut,
  source: TableRow<'sources'> | undefined,
  released: Set<string>,
  findings: LedgerFindings,
): void {
  const what = `cash-out ${cashOut.id}`;
  if (!source) {
    findings.add('source/unknown', what, `source ${cashOut.source}`, null);
  } else if (cashOut.confirmed_at < source.start_at && !released.has(cashOut.id)) {
    const { confirmed_at } = cashOut;
    findings.add(
      'cash-out/before-start',
      what,
      `confirmed at ${confirmed_at}`,
      `start_at ${source.start_at}`,
    );
  }
}

/**
 * Whether a cash-out that was read lies beyond its source's mark. One that was ahead of Lamassu's clock rightly does;
 * an hour is more than clocks differ.
 */
function isBeyond({ id, confirmed_at, processed_at }: StoredCashOut, source: TableRow<'sources'>): boolean {
  const { mark_confirmed_at: mark, mark_id } = source;
  if (!isInstant(confirmed_at) || !isInstant(processed_at)) return false;
  if (confirmed_at > plus(processed_at, -HOUR_MS)) return false;
  return mark === null || confirmed_at > mark || (confirmed_at === mark && id > (mark_id ?? ''));
}

/** Checks that the clients' parts and the own part add up to the whole, each in proportion to its cash. */
function verifyDivision(
  cashOut: StoredCashOut,
  allocations: StoredAllocation[],
  money: (minor: bigint) => string,
  findings: LedgerFindings,
): void {
  const what = `cash-out ${cashOut.id}`;
  let net = 0n;
  let commission = 0n;
  let gross = 0n;
  let fiat = cashOut.own_fiat;
  for (const one of allocations) {
    net += one.net;
    commission += one.commission;
    gross += one.gross;
    fiat += one.fiat;
  }
  findings.same('cash-out/net', what, sat(cashOut.net), sat(net));
  findings.same('cash-out/fiat', what, money(cashOut.fiat), money(fiat));
  const ownCommission = cashOut.commission - commission;
  if (ownCommission < 0n) {
    findings.add('cash-out/commission', what, sat(cashOut.commission), `${sat(commission)} of the clients`);
  }
  const distributed = cashOut.gross - cashOut.undelivered;
  const ownGross = distributed - gross;
  if (
    cashOut.own + ownCommission !== ownGross ||
    !isShare({ gross: ownGross, fiat: cashOut.own_fiat }, distributed, cashOut.fiat)
  ) {
    findings.add(
      'cash-out/own',
      what,
      `${sat(cashOut.own)} and ${sat(ownCommission)} commission for ${money(cashOut.own_fiat)}`,
      `${sat(ownGross)} that the clients' parts leave`,
    );
  }
  for (const one of allocations) {
    if (!isShare(one, distributed, cashOut.fiat)) {
      findings.add(
        'allocation/share',
        `${what}, f${one.funding_id}`,
        sat(one.gross),
        `${money(one.fiat)} of ${money(cashOut.fiat)} for ${sat(distributed)}`,
      );
    }
  }
}

/** Checks that each part is in exact proportion to its cash, rounded down or up to a whole sat. */
function isShare(part: { gross: bigint; fiat: bigint }, distributed: bigint, fiat: bigint): boolean {
  const off = part.gross * fiat - distributed * part.fiat;
  return off < fiat && -off < fiat;
}

function verifyAllocation(
  cashOut: StoredCashOut,
  one: StoredAllocation,
  funding: StoredFunding | undefined,
  findings: LedgerFindings,
): void {
  const what = `cash-out ${cashOut.id}, f${one.funding_id}`;
  findings.same('allocation/net', what, sat(one.net), sat(one.gross - one.commission));
  if (one.fiat <= 0n || one.gross < 0n || one.commission < 0n || one.net < 0n) {
    findings.add('allocation/negative', what, 'an amount below zero, or no cash', 'amounts above zero');
  }
  findings.same('allocation/currency', what, one.currency, cashOut.currency);
  findings.same('allocation/date', what, one.local_date, cashOut.local_date);
  // A missing funding is reported as a broken reference.
  if (!funding) return;
  findings.same('allocation/currency', what, one.currency, funding.currency);
  findings.same('allocation/client', what, `recipient ${one.client_id}`, `recipient ${funding.client_id}`);
  if (funding.deposited_at === null || funding.deposited_at > cashOut.confirmed_at) {
    findings.add(
      'allocation/deposited-later',
      what,
      `confirmed at ${cashOut.confirmed_at}`,
      funding.deposited_at === null ? 'cash never deposited' : `cash deposited at ${funding.deposited_at}`,
    );
  }
}
