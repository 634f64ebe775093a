import { type Kysely, sql } from 'kysely';

/**
 * Indexes for the pages of the web sites and the log, which are read at any time in a ledger of years. Where an index
 * also has the columns that are summed, the rows themselves are not read.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  for (const [name, on] of [
    ['cash_outs_confirmed', 'cash_outs (confirmed_at, id, gross, commission, net, own, undelivered)'],
    // What a client bought, by its fundings: from the first to the last day, and in how many cash-outs.
    ['allocations_funding', 'allocations (funding_id, local_date, cash_out_id)'],
    ['payouts_recipient', 'payouts (recipient_id, currency, state, sats, fiat)'],
  ] as const) {
    await run(`drop index ${name}`);
    await run(`create index ${name} on ${on}`);
  }
  await run('create index cash_outs_machine on cash_outs (machine, confirmed_at, id)');
  // Nothing is ever paid for them.
  await run('create index allocations_empty on allocations (client_id, currency) where net = 0');
  // The changes of runs, by their time.
  await run('create index cash_outs_processed on cash_outs (processed_at, id)');
  await run('create index payouts_formed on payouts (created_at, id)');
  await run('create index payments_arrived on payments (settled_at, payout_id) where settled_at is not null');
  await run('create index log_at on log (at, id)');
}
