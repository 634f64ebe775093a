import type { KeptFigures } from '../cash-outs/settlement.ts';
import type { Db } from '../store/open.ts';
import { type LedgerFindings, sat, type TableRow } from './findings.ts';

/** Checks that every settlement has a cash-out with its figures, and every settled cash-out a settlement. */
export async function verifySettlements(db: Db, findings: LedgerFindings): Promise<void> {
  const rows = await db
    .selectFrom('cash_outs')
    .leftJoin('settlements', 'settlements.cash_out_id', 'cash_outs.id')
    .selectAll('cash_outs')
    .select(['settlements.figures', 'settlements.actor'])
    .where((eb) => eb.or([eb('origin', '<>', 'lamassu'), eb('settlements.cash_out_id', 'is not', null)]))
    .orderBy('cash_outs.id')
    .execute();
  for (const { figures, actor, ...cashOut } of rows) {
    const what = `cash-out ${cashOut.id}`;
    if (cashOut.origin === 'lamassu') {
      findings.add('settlement/missing', what, 'confirmed by Lamassu', `settled by ${actor}`);
    } else if (figures === null) {
      findings.add('settlement/missing', what, `origin ${cashOut.origin}`, 'settled by nobody');
    } else {
      compare(what, cashOut, figures, findings);
      findings.count('settlements', 1);
    }
  }
  const voids = await db
    .selectFrom('voids')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirst();
  findings.count('voids', Number(voids?.count ?? 0n));
}

function compare(what: string, cashOut: TableRow<'cash_outs'>, json: string, findings: LedgerFindings): void {
  const kept = parsed(json);
  if (!kept) {
    findings.add('settlement/figures', what, 'figures that cannot be read', 'an object in JSON');
    return;
  }
  const pairs: [string, string][] = [
    [cashOut.machine, kept.machine],
    [cashOut.confirmed_at, kept.at],
    [`${cashOut.fiat} minor units of ${cashOut.currency}`, `${kept.fiat} minor units of ${kept.currency}`],
    [sat(cashOut.gross - cashOut.undelivered), `${kept.gross} sat`],
    [`${sat(cashOut.undelivered)} undelivered`, `${kept.undelivered} sat undelivered`],
  ];
  for (const [booked, agreed] of pairs) findings.same('settlement/figures', what, booked, agreed);
}

function parsed(json: string): KeptFigures | null {
  try {
    return JSON.parse(json) as KeptFigures;
  } catch {
    return null;
  }
}
