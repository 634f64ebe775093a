import { type Kysely, sql } from 'kysely';

/**
 * Whether a run succeeded, which is no longer the same as its outcome: a payout that one wallet refuses leaves a run
 * incomplete, and is no outage. Earlier runs succeeded where they left nothing undone.
 *
 * A part of a payout that LNbits does not take at once can be split into smaller ones: it is kept, and its sats are in
 * the parts after it. Only one of which no payment can arrive any more may be.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const int = postgres ? 'int8' : 'integer';
  const run = (text: string) => sql.raw(text).execute(db);
  const flag = (table: string, name: string) =>
    run(`alter table ${table} add column ${name} ${int} not null default 0 check (${name} in (0, 1))`);

  await flag('runs', 'succeeded');
  await run(
    `update runs set succeeded = 1 where outcome in ('ok', 'attention') and read_at is not null and source is not null`,
  );
  await flag('payout_parts', 'split');

  const change = `old.payout_id <> new.payout_id or old.part <> new.part or old.sats <> new.sats or old.split <> 0
    or new.split <> 1 or exists (select 1 from payments where payments.payout_id = old.payout_id
      and payments.part = old.part and payments.state <> 'dead')`;
  const pay = `new.state <> 'dead' and exists (select 1 from payout_parts where payout_parts.payout_id = new.payout_id
    and payout_parts.part = new.part and payout_parts.split = 1)`;
  await replaceTrigger('payout_parts_are_final', 'update on payout_parts', change, 'a part never changes');
  await replaceTrigger(
    'split_parts_are_not_paid',
    'insert on payments',
    pay,
    'a part that was split is not paid',
  );

  async function replaceTrigger(name: string, on: string, forbidden: string, message: string): Promise<void> {
    const table = on.split(' ').at(-1);
    await run(postgres ? `drop trigger if exists ${name} on ${table}` : `drop trigger if exists ${name}`);
    if (!postgres) {
      await run(
        `create trigger ${name} before ${on} when ${forbidden} begin select raise(abort, '${message}'); end`,
      );
      return;
    }
    await run(`create or replace function ${name}() returns trigger language plpgsql as
      $$ begin if ${forbidden} then raise exception '${message}' using errcode = 'check_violation'; end if; return new; end $$`);
    await run(`create trigger ${name} before ${on} for each row execute function ${name}()`);
  }
}
