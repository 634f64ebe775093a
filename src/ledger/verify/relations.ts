import { sql } from 'kysely';
import { type Instant, plus } from '../../time.ts';
import type { Db } from '../store/open.ts';
import type { LedgerDifferenceCode, LedgerFindings } from './findings.ts';

const DAY_MS = 86_400_000;

/** Columns that name a row of another table: what the foreign keys promise. */
const references: [table: string, column: string, target: string, key: string][] = [
  ['allocations', 'cash_out_id', 'cash_outs', 'id'],
  ['allocations', 'funding_id', 'fundings', 'id'],
  ['allocations', 'client_id', 'recipients', 'id'],
  ['allocations', 'payout_id', 'payouts', 'id'],
  ['cash_outs', 'machine', 'machines', 'device_id'],
  ['cash_outs', 'currency', 'currencies', 'code'],
  ['cash_outs', 'run_id', 'runs', 'id'],
  ['client_limits', 'client_id', 'recipients', 'id'],
  ['client_settings', 'client_id', 'recipients', 'id'],
  ['commission_shares', 'cash_out_id', 'cash_outs', 'id'],
  ['commission_shares', 'payout_id', 'payouts', 'id'],
  ['commission_shares', 'recipient_id', 'recipients', 'id'],
  ['commission_weights', 'machine', 'machines', 'device_id'],
  ['commission_weights', 'recipient_id', 'recipients', 'id'],
  ['contradictions', 'credit_id', 'credits', 'id'],
  ['contradictions', 'payment_id', 'payments', 'id'],
  ['contradictions', 'run_id', 'runs', 'id'],
  ['credit_members', 'cash_out_id', 'cash_outs', 'id'],
  ['credit_members', 'credit_id', 'credits', 'id'],
  ['fundings', 'client_id', 'recipients', 'id'],
  ['fundings', 'currency', 'currencies', 'code'],
  ['fundings', 'machine', 'machines', 'device_id'],
  ['lease', 'run_id', 'runs', 'id'],
  ['machine_rates', 'device_id', 'machines', 'device_id'],
  ['machines', 'currency', 'currencies', 'code'],
  ['machines', 'replaced_by', 'machines', 'device_id'],
  ['payments', 'client_wallet_id', 'wallets', 'id'],
  ['payments', 'payout_id', 'payouts', 'id'],
  ['payments', 'run_id', 'runs', 'id'],
  ['payout_parts', 'payout_id', 'payouts', 'id'],
  ['payouts', 'currency', 'currencies', 'code'],
  ['payouts', 'recipient_id', 'recipients', 'id'],
  ['recipients', 'wallet_id', 'wallets', 'id'],
  ['settlements', 'cash_out_id', 'cash_outs', 'id'],
  ['credentials', 'client_id', 'recipients', 'id'],
  ['credentials', 'person_id', 'people', 'id'],
  ['invitations', 'client_id', 'recipients', 'id'],
  ['invitations', 'person_id', 'people', 'id'],
  ['sessions', 'client_id', 'recipients', 'id'],
  ['sessions', 'person_id', 'people', 'id'],
];

/** Each finds rows `what`, `ledger`, `other`, all text. */
const queries: [code: LedgerDifferenceCode, text: string][] = [
  [
    'allocation/twice',
    `select 'cash-out ' || cash_out_id || ', f' || funding_id as what, cast(count(*) as text) || ' allocations' as ledger,
       'one' as other from allocations group by cash_out_id, funding_id having count(*) > 1`,
  ],
  [
    'commission/twice',
    `select 'cash-out ' || cash_out_id || ', commission of recipient ' || recipient_id as what,
       cast(count(*) as text) || ' shares' as ledger, 'one' as other
       from commission_shares group by cash_out_id, recipient_id having count(*) > 1`,
  ],
  [
    'payment/twice',
    `select 'payment ' || payment_hash as what, cast(count(*) as text) || ' rows' as ledger, 'one' as other
       from payments group by payment_hash having count(*) > 1`,
  ],
  [
    'payment/twice',
    `select 'payments of one invoice' as what, min(payment_hash) as ledger, max(payment_hash) as other
       from payments group by bolt11 having count(*) > 1 and min(payment_hash) <> max(payment_hash)`,
  ],
  [
    // Their numbers run through the whole ledger, and nothing is deleted.
    'payment/missing',
    `select 'payments' as what, cast(count(*) as text) || ' rows' as ledger, 'numbers up to ' || max(id) as other
       from payments having count(*) <> coalesce(max(id), 0)`,
  ],
  [
    'funding/machine',
    `select 'f' || f.id as what, 'for machine ' || f.machine as ledger, 'replaced by ' || m.replaced_by as other
       from fundings as f join machines as m on m.device_id = f.machine
       where m.replaced_by is not null and f.status in ('in_flight', 'deposited')`,
  ],
  [
    'funding/machine',
    `select 'f' || f.id as what, 'cash in ' || f.currency as ledger,
       'machine ' || f.machine || ' pays out ' || m.currency as other
       from fundings as f join machines as m on m.device_id = f.machine
       where m.currency <> f.currency and f.status in ('in_flight', 'deposited')`,
  ],
  [
    'machine/rates',
    `select 'machine ' || device_id as what, 'rate ' || rate as ledger,
       coalesce(cast(min_rate as text), '-') || ' to ' || coalesce(cast(max_rate as text), '-') as other
       from machine_rates where rate < min_rate or rate > max_rate`,
  ],
  [
    'watch/processed',
    `select 'cash-out ' || w.cash_out_id as what, 'watched since ' || w.since as ledger,
       'processed at ' || c.processed_at as other from watch as w join cash_outs as c on c.id = w.cash_out_id`,
  ],
  [
    'review/processed',
    `select 'cash-out ' || r.cash_out_id as what, 'review says processed' as ledger, 'no such cash-out' as other
       from review as r left join cash_outs as c on c.id = r.cash_out_id where r.state = 'processed' and c.id is null
         and not exists (select 1 from voids as v where v.cash_out_id = r.cash_out_id)`,
  ],
  [
    'run/open',
    `select 'run r' || r.id as what, 'going on since ' || r.started_at as ledger, 'no lease' as other
       from runs as r left join lease as l on l.run_id = r.id where r.finished_at is null and l.run_id is null`,
  ],
  [
    'lease/ended',
    `select 'run r' || r.id as what, 'ended at ' || r.finished_at as ledger, 'holds the lease' as other
       from lease as l join runs as r on r.id = l.run_id where r.finished_at is not null`,
  ],
  [
    'source/twice',
    `select 'PostgreSQL system ' || system_identifier as what, min(name) as ledger, max(name) as other
       from sources where system_identifier is not null group by system_identifier having count(*) > 1`,
  ],
  [
    'client/source-wallet',
    `select 'recipient ' || r.id as what, r.name as ledger, 'source wallet ' || r.wallet_id as other
       from recipients as r join ledger as l on l.source_wallet_id = r.wallet_id where r.status <> 'closed'`,
  ],
  [
    'ledger/rows',
    `select 'ledger' as what, cast(count(*) as text) || ' rows' as ledger, 'one' as other from ledger having count(*) <> 1`,
  ],
];

/** What must hold between the tables, and between the mark and the clock. */
export async function verifyRelations(db: Db, now: Instant, findings: LedgerFindings): Promise<void> {
  for (const [table, column, target, key] of references) {
    await report(
      db,
      findings,
      'ledger/reference',
      `select '${table}.${column}' as what, cast(t.${column} as text) as ledger, 'not in ${target}' as other
         from ${table} as t left join ${target} as o on o.${key} = t.${column}
         where t.${column} is not null and o.${key} is null`,
    );
  }
  for (const [code, text] of queries) await report(db, findings, code, text);
  const sources = await db.selectFrom('sources').select(['name', 'mark_confirmed_at']).execute();
  const latest = plus(now, DAY_MS);
  for (const { name, mark_confirmed_at: mark } of sources) {
    if (mark !== null && mark > latest) findings.add('mark/future', `source ${name}`, mark, `now is ${now}`);
  }
  findings.count('sources', sources.length);
}

async function report(
  db: Db,
  findings: LedgerFindings,
  code: LedgerDifferenceCode,
  text: string,
): Promise<void> {
  const { rows } = await sql<{
    what: string;
    ledger: string;
    other: string;
  }>`${sql.raw(text)} limit 1001`.execute(db);
  for (const { what, ledger, other } of rows) findings.add(code, what, ledger, other);
}
