import { ledgerSql } from '../../support/ledger-sql.ts';
import type { Model } from './model.ts';

/** What became of each row that either side knows, as text, by its id. */
export type Outcomes = Map<string, string>;

export function ofModel(model: Model): Outcomes {
  const ids = new Set([...model.done.keys(), ...model.review.keys(), ...model.watched]);
  return new Map(
    [...ids].map((id) => {
      const done = model.done.get(id);
      const divided = done?.divided;
      return [
        id,
        outcome({
          cashOut: done
            ? [
                ...[done.machine, done.confirmedAt, done.day, done.currency, done.fiat, done.gross],
                ...[divided?.commission, divided?.net, divided?.own.net, divided?.own.fiat, done.method],
              ]
            : [],
          allocations: [...(divided?.parts ?? [])].map(([funding, part]) => {
            const owner = done?.owners.get(funding);
            return [funding, owner?.client, owner?.mode, part.fiat, part.gross, part.commission, part.net];
          }),
          shares: [...(done?.shares ?? [])],
          review: model.review.get(id),
          watched: model.watched.has(id),
        }),
      ];
    }),
  );
}

export async function ofLedger(url: string): Promise<Outcomes> {
  const by = async (sql: string) => Map.groupBy(await ledgerSql(url, sql), (row) => `${row.id}`);
  const cashOuts = await by(
    `select id, machine, confirmed_at, local_date, currency, fiat, gross, commission, net, own, own_fiat, method
     from cash_outs where undelivered = 0 and origin = 'lamassu'`,
  );
  const allocations = await by(
    `select a.cash_out_id as id, a.funding_id, a.client_id, a.mode, a.fiat, a.gross, a.commission, a.net
     from allocations a join cash_outs c on c.id = a.cash_out_id and c.local_date = a.local_date and c.currency = a.currency`,
  );
  const shares = await by('select cash_out_id as id, recipient_id, sats from commission_shares');
  const review = await by('select cash_out_id as id, reason, state from review');
  const watch = await by('select cash_out_id as id from watch');
  const values = (row: object | undefined) => Object.values(row ?? {}).slice(1);
  const ids = new Set([cashOuts, allocations, shares, review, watch].flatMap((one) => [...one.keys()]));
  return new Map(
    [...ids].map((id) => {
      const [known] = review.get(id) ?? [];
      return [
        id,
        outcome({
          cashOut: values(cashOuts.get(id)?.[0]),
          allocations: (allocations.get(id) ?? []).map(values),
          shares: (shares.get(id) ?? []).map(values),
          review: known ? { reason: `${known.reason}`, state: `${known.state}` } : undefined,
          watched: watch.has(id),
        }),
      ];
    }),
  );
}

function outcome(of: {
  cashOut: unknown[];
  allocations: unknown[][];
  shares: unknown[][];
  review: { reason: string; state: string } | undefined;
  watched: boolean;
}): string {
  const lines = (rows: unknown[][]) => rows.map((row) => row.join(' ')).toSorted((a, b) => (a < b ? -1 : 1));
  return [
    ...(of.cashOut.length > 0 ? [`cash-out ${of.cashOut.join(' ')}`] : []),
    ...lines(of.allocations).map((line) => `  allocation ${line}`),
    ...lines(of.shares).map((line) => `  commission ${line}`),
    ...(of.review ? [`review ${of.review.reason} ${of.review.state}`] : []),
    ...(of.watched ? ['watched'] : []),
  ].join('\n');
}

/** Rows of which the two do not say the same; the first few in full. */
export function differences(model: Outcomes, ledger: Outcomes): string[] {
  return [...new Set([...model.keys(), ...ledger.keys()])]
    .filter((id) => model.get(id) !== ledger.get(id))
    .map(
      (id) =>
        `${id}\nthe model says:\n${model.get(id) ?? 'nothing'}\nthe ledger says:\n${ledger.get(id) ?? 'nothing'}`,
    );
}
