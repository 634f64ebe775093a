import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { ALWAYS } from '../../../src/ledger/store/effective-dated.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { forEachLedger } from '../../support/ledgers.ts';

/*
 * A bug may stop a run, but the tables do not let it write a wrong state. Each statement here would break a promise
 * if it went through, and the ledger refuses it.
 */

const AT = '2026-11-20T10:00:00.000001Z';
const LATER = '2026-11-20T11:00:00.000000Z';

forEachLedger((kind, open) => {
  let ledger: Ledger;
  beforeEach(async () => {
    ledger = await open();
    await books(ledger);
  });

  const refusals: [string, string][] = [
    ['a funding gives more than it has', 'update fundings set remaining = -1, spent = 1001'],
    ['cash vanishes from a funding', 'update fundings set remaining = remaining - 1'],
    ['an exhausted funding has cash', `update fundings set status = 'exhausted'`],
    ['a funding disappears', 'delete from fundings'],
    [
      'a client is paid under a name twice',
      `insert into recipients (kind, name, wallet_id, status, created_at)
       values ('client', 'alice', 'w2', 'active', '${AT}')`,
    ],
    [
      'two open clients share a wallet',
      `insert into recipients (kind, name, wallet_id, status, created_at)
       values ('client', 'bob', 'w1', 'active', '${AT}')`,
    ],
    ['a cash-out is processed twice', `insert into cash_outs select * from cash_outs`],
    [
      'the parts of a cash-out do not add up',
      `insert into cash_outs (id, source, machine, confirmed_at, processed_at, local_date,
       currency, fiat, gross, commission, net, own, undelivered, own_fiat, method, origin, lamassu)
       values ('c2', 'lamassu', 'm', '${AT}', '${AT}', '2026-11-20', 'USD', 100, 1000, 10, 989, 0, 0, 0, 'ticker', 'lamassu', '{}')`,
    ],
    ['a processed cash-out changes', 'update cash_outs set machine = machine'],
    ['a processed cash-out disappears', 'delete from cash_outs'],
    [
      'an allocation is not its gross less its commission',
      `insert into allocations (cash_out_id, funding_id, client_id, mode,
       local_date, currency, fiat, gross, commission, net) values ('c1', 1, 1, 'flow', '2026-11-20', 'USD', 1, 100, 10, 91)`,
    ],
    [
      'a funding has two allocations of one cash-out',
      `insert into allocations (cash_out_id, funding_id, client_id, mode,
       local_date, currency, fiat, gross, commission, net) values ('c1', 1, 1, 'flow', '2026-11-20', 'USD', 1, 100, 10, 90)`,
    ],
    [
      'an allocation changes',
      'update allocations set net = net, gross = gross + 1, commission = commission + 1',
    ],
    ['an allocation moves to another payout', 'update allocations set payout_id = 2'],
    ['an allocation leaves its payout', 'update allocations set payout_id = null'],
    ['an allocation disappears', 'delete from allocations'],
    ['what a payout owes changes', 'update payouts set sats = sats + 1'],
    ['a payout changes its recipient', 'update payouts set recipient_id = 2 where id = 1'],
    ['a payout is settled without a time', `update payouts set state = 'settled' where id = 2`],
    ['a settled payout is paid again', `update payouts set state = 'planned' where id = 1`],
    ['a payout has a state without a name', `update payouts set state = 'lost' where id = 2`],
    ['a payout lacks what has no name', `update payouts set lack = 'cash' where id = 2`],
    ['a payout disappears', 'delete from payouts where id = 2'],
    ['a part of a payout changes', 'update payout_parts set sats = 1'],
    ['a part is split that was paid', 'update payout_parts set split = 1 where payout_id = 1'],
    [
      'a part is split that may be paid yet',
      'update payout_parts set split = 1 where payout_id = 2 and part = 1',
    ],
    [
      'a part is split and changes',
      'update payout_parts set split = 1, sats = 1 where payout_id = 2 and part = 2',
    ],
    ['a part has two live payments', payment({ id: 3, hash: 'h3', part: 1, payout: 2, attempt: 2 })],
    ['two payments have one hash', payment({ id: 3, hash: 'h1', part: 2, payout: 2 })],
    [
      'a payment pays another amount than its part',
      payment({ id: 3, hash: 'h3', part: 2, payout: 2, sats: 51 }),
    ],
    [
      'a payment pays into the wallet it comes from',
      payment({ id: 3, hash: 'h3', part: 2, payout: 2, source: 'w1' }),
    ],
    ['a payment changes its invoice', `update payments set bolt11 = 'other' where id = 2`],
    [
      'a payment changes the wallet it comes from',
      `update payments set source_wallet_id = 'other' where id = 2`,
    ],
    ['a payment is sent without a time', `update payments set state = 'sending' where id = 2`],
    ['a settled payment is sent again', `update payments set state = 'sending' where id = 1`],
    ['a settled payment is forgotten', `update payments set state = 'dead' where id = 1`],
    ['a payment disappears', 'delete from payments'],
    ['the mark moves back', `update sources set mark_confirmed_at = '2026-11-20T09:59:59.999999Z'`],
    ['the mark moves back among rows of one moment', `update sources set mark_id = 'a'`],
    ['the mark is forgotten', 'update sources set mark_confirmed_at = null, mark_id = null'],
    ['the log changes', `update log set actor = 'somebody else'`],
    ['the log is cut', 'delete from log'],
    [
      'there is a second ledger in the ledger',
      `insert into ledger (one, id, created_at) values (2, 'x', '${AT}')`,
    ],
    [
      'two runs hold the lease',
      `insert into lease (one, run_id, owner, expires_at) values (2, 1, '{}', '${AT}')`,
    ],
    ['a share of the commission changes', 'update commission_shares set sats = sats + 1'],
    [
      'a cash-out is credited twice',
      `insert into credit_members (cash_out_id, credit_id, sats) values ('c1', 2, 1)`,
    ],
    ['the set of a credit changes', 'update credit_members set sats = sats - 1'],
    ['a credit changes', 'update credits set sats = sats + 1'],
    [
      'a credit that happened is sent again',
      `update credits set state = 'sending', credited_at = null, sent_at = '${AT}', seen = '[]' where id = 3`,
    ],
    [
      'a credit is more than LNbits takes at once',
      `insert into credits (wallet_id, sats, state, created_at) values ('source', 10000001, 'intended', '${AT}')`,
    ],
    ['a payment names a payout that is not there', payment({ id: 3, hash: 'h3', part: 1, payout: 9 })],
  ];

  describe('refuses that', () => {
    test.each(refusals)('%s', async (_name, statement) => {
      const error = await sql
        .raw(statement)
        .execute(ledger.db)
        .then(
          () => 'it went through',
          (refused: { code?: string; errcode?: number }) => refused,
        );
      // Class 23 of PostgreSQL, 19 of SQLite: a constraint, and not a mistake in the statement.
      expect(error).toMatchObject(
        kind === 'sqlite'
          ? { errcode: expect.toSatisfy((code: number) => (code & 0xff) === 19) }
          : { code: expect.stringMatching(/^23/) },
      );
    });
  });

  test('and takes what is right', async () => {
    const steps = [
      `update sources set mark_confirmed_at = '${LATER}', mark_id = 'a'`,
      `update payments set state = 'sending', sent_at = '${AT}' where id = 2`,
      `update payments set state = 'unknown' where id = 2`,
      `update payments set state = 'dead' where id = 2`,
      payment({ id: 3, hash: 'h3', part: 1, payout: 2, attempt: 2 }),
      payment({ id: 4, hash: 'h4', part: 2, payout: 2 }),
      `update payouts set state = 'held', reason = 'a person looks' where id = 1`,
      "update fundings set remaining = 0, spent = 100, withdrawn = 900, status = 'withdrawn'",
    ];
    for (const step of steps) await sql.raw(step).execute(ledger.db);
  });
});

function payment(of: {
  id: number;
  hash: string;
  part: number;
  payout: number;
  attempt?: number;
  sats?: number;
  source?: string;
}): string {
  const { id, hash, part, payout, attempt = 1, sats = 50, source = 'source' } = of;
  return `insert into payments (id, payout_id, part, sats, attempt, payment_hash, bolt11, client_wallet_id, source_wallet_id,
    state, run_id, created_at) values (${id}, ${payout}, ${part}, ${sats}, ${attempt}, '${hash}', 'lnbc${hash}', 'w1', '${source}',
    'invoiced', 1, '${AT}')`;
}

/** A client with cash, a cash-out, a settled payout, and one of two parts that is being paid. */
async function books(ledger: Ledger): Promise<void> {
  const statements = [
    `insert into currencies (code, digits) values ('USD', 2)`,
    `insert into sources (name, start_at, mark_confirmed_at, mark_id, created_at) values ('lamassu', '${AT}', '${AT}', 'b', '${AT}')`,
    `insert into machines (device_id, first_seen) values ('m', '${AT}')`,
    `insert into wallets (id, invoice_key, created_at) values ('w1', 'k1', '${AT}'), ('w2', 'k2', '${AT}')`,
    `insert into recipients (id, kind, name, wallet_id, status, created_at) values
      (1, 'client', 'alice', 'w1', 'active', '${AT}'), (2, 'commission', 'operator', 'w2', 'active', '${AT}')`,
    `insert into client_settings (client_id, from_at, mode, paused) values (1, '${ALWAYS}', 'flow', 0)`,
    `insert into fundings (id, client_id, currency, amount, remaining, spent, withdrawn, status, created_at, deposited_at)
      values (1, 1, 'USD', 1000, 900, 100, 0, 'deposited', '${AT}', '${AT}')`,
    `insert into runs (id, kind, actor, started_at) values (1, 'poll', 'test', '${AT}')`,
    `insert into lease (one, run_id, owner, expires_at) values (1, 1, '{}', '${AT}')`,
    `insert into cash_outs (id, source, machine, confirmed_at, processed_at, local_date, currency, fiat, gross, commission, net,
      own, undelivered, own_fiat, method, origin, lamassu)
      values ('c1', 'lamassu', 'm', '${AT}', '${AT}', '2026-11-20', 'USD', 100, 110, 10, 100, 0, 0, 0, 'ticker', 'lamassu', '{}')`,
    `insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at, settled_at)
      values (1, 1, 'client', 100, 100, 'USD', 'settled', '${AT}', '${AT}')`,
    `insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at)
      values (2, 1, 'client', 100, 100, 'USD', 'paying', '${AT}')`,
    'insert into payout_parts (payout_id, part, sats) values (1, 1, 100), (2, 1, 50), (2, 2, 50)',
    `insert into allocations (cash_out_id, funding_id, client_id, mode, local_date, currency, fiat, gross, commission, net, payout_id)
      values ('c1', 1, 1, 'flow', '2026-11-20', 'USD', 100, 110, 10, 100, 1)`,
    payment({ id: 1, hash: 'h1', part: 1, payout: 1, sats: 100 }),
    `update payments set state = 'settled', settled_at = '${AT}' where id = 1`,
    payment({ id: 2, hash: 'h2', part: 1, payout: 2 }),
    `insert into log (at, actor, action, subject) values ('${AT}', 'test', 'client add', 'client alice')`,
    `insert into commission_shares (cash_out_id, recipient_id, currency, sats) values ('c1', 2, 'USD', 10)`,
    `insert into credits (id, wallet_id, sats, state, created_at, credited_at) values
      (1, 'source', 110, 'intended', '${AT}', null), (2, 'source', 1, 'intended', '${AT}', null),
      (3, 'source', 1, 'credited', '${AT}', '${AT}')`,
    `insert into credit_members (cash_out_id, credit_id, sats) values ('c1', 1, 110)`,
  ];
  for (const statement of statements) await sql.raw(statement).execute(ledger.db);
}
