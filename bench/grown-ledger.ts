import { DatabaseSync } from 'node:sqlite';
import { hashOf, newSecret } from '../src/access/access-secrets.ts';
import { Secret } from '../src/config/secret.ts';
import { bindSource } from '../src/ledger/cash-outs/watermark.ts';
import { addClient } from '../src/ledger/clients/changes.ts';
import { addCommission } from '../src/ledger/commission/commission.ts';
import { OPERATOR } from '../src/ledger/log/log.ts';
import { addPerson } from '../src/ledger/people/people.ts';
import { startRun } from '../src/ledger/runs/lease.ts';
import { startSession } from '../src/ledger/sessions/sessions.ts';
import { type Ledger, openLedger } from '../src/ledger/store/open.ts';
import { type Instant, plus, systemClock } from '../src/time.ts';
import { bootless, now } from '../test/support/clock.ts';
import { ingesting, row } from './ingest.ts';

/*
 * A ledger after two years: cash-outs at 10 machines up to now, each divided over 5 of the 20 clients who have cash
 * there and paid for by one payout for each client and 200 cash-outs; the last 200 wait. Each client had ten fundings.
 */

const MACHINES = 10;
const CLIENTS = 200;
const PARTS = 5;
/** Cash-outs by which each client has as many parts, and gets one payout. */
const GROUP = 200;
const PERIODS = 10;
const DAYS = 730;
const DAY_MS = 86_400_000;

const who = { principal: OPERATOR, actor: 'bench', run: null, clock: bootless };

export interface GrownLedger {
  url: string;
  cashOuts: number;
  /** The secret of a session of the owner, and of the client `client-7`. */
  sessions: { admin: string; client: string };
  /** Of what lies in the middle of it, but for the newest cash-out and the funding in use of that client. */
  ids: Record<
    'cashOut' | 'oldCashOut' | 'purchase' | 'machine' | 'payout' | 'funding' | 'oldFunding',
    string
  >;
}

export const SOME_CLIENT = 'client-7';

/** Makes it in a new SQLite file. `cashOuts`: a multiple of 2,000. */
export async function grownLedger(url: string, cashOuts: number): Promise<GrownLedger> {
  const ledger = await openLedger({ clock: systemClock, url, use: 'create' });
  try {
    const since = plus(now(), -DAYS * DAY_MS);
    await beginning(ledger, plus(since, -1_000));
    const sessions = await signedIn(ledger);
    const db = new DatabaseSync(url.replace('sqlite:', ''), { enableForeignKeyConstraints: true });
    db.exec(history(cashOuts, since));
    db.close();
    return { url, cashOuts, sessions, ids: await idsOf(ledger) };
  } finally {
    await ledger.close();
  }
}

/** Clients, the recipient of the commission, and one cash-out, which all later ones are copies of. */
async function beginning(ledger: Ledger, at: Instant): Promise<void> {
  await ledger.write((trx) => bindSource(trx, { name: 'lamassu', startAt: at, systemIdentifier: null }, at));
  await ledger.write(async (trx) => {
    for (let index = 0; index < CLIENTS; index += 1) {
      const name = `client-${index}`;
      const wallet = { id: `wallet of ${name}`, key: new Secret(name) };
      await addClient(trx, { ...who, at }, { name, wallet, mode: 'flow', limits: [] });
    }
    const wallet = { id: 'wallet of house', key: new Secret('house') };
    await addCommission(trx, { ...who, at }, { name: 'house', wallet, weight: 1n, machine: null, from: at });
    await trx.updateTable('ledger').set({ source_wallet_id: 'source' }).execute();
  });
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'bench' });
  await ingesting(ledger, run)([[row(-1)]]);
  await run.finish('ok', {});
}

async function signedIn(ledger: Ledger): Promise<GrownLedger['sessions']> {
  const at = now();
  const session = async (holder: { kind: 'person' | 'client'; id: bigint }) => {
    const secret = newSecret();
    await ledger.write((trx) =>
      startSession(trx, at, { holder, secretHash: hashOf(secret), method: 'link', device: 'bench' }),
    );
    return secret.reveal();
  };
  const { id } = await ledger.write((trx) => addPerson(trx, { ...who, at }, 'owner', 'owner'));
  const client = await ledger.db
    .selectFrom('recipients')
    .select('id')
    .where('name', '=', SOME_CLIENT)
    .executeTakeFirstOrThrow();
  return {
    admin: await session({ kind: 'person', id }),
    client: await session({ kind: 'client', id: client.id }),
  };
}

async function idsOf({ db }: Ledger): Promise<GrownLedger['ids']> {
  const parts = await db
    .selectFrom('allocations as a')
    .innerJoin('recipients as r', 'r.id', 'a.client_id')
    .innerJoin('cash_outs as c', 'c.id', 'a.cash_out_id')
    .select(['a.cash_out_id', 'a.funding_id', 'a.payout_id', 'c.machine'])
    .where('r.name', '=', SOME_CLIENT)
    .orderBy('a.id')
    .execute();
  const [middle, last] = [parts[parts.length >> 1], parts.at(-1)];
  if (!middle || !last) throw new Error('the client bought nothing');
  return {
    ...{ cashOut: last.cash_out_id, oldCashOut: middle.cash_out_id, purchase: middle.cash_out_id },
    ...{ machine: middle.machine, payout: `p${middle.payout_id}` },
    ...{ funding: `f${last.funding_id}`, oldFunding: `f${middle.funding_id}` },
  };
}

/** The rows of two years from `since` on, in one transaction. */
function history(cashOuts: number, since: Instant): string {
  const seconds = Math.floor((DAYS * 86_400) / cashOuts);
  const groups = cashOuts / GROUP;
  /** Cash-outs in which each client uses up one funding. */
  const period = cashOuts / PERIODS;
  const perFunding = (period * PARTS) / CLIENTS;
  const series = (name: string, count: number) =>
    `with recursive ${name} (n) as (select 0 union all select n + 1 from ${name} where n + 1 < ${count})`;
  const time = (n: string, more = 0) =>
    `strftime('%Y-%m-%dT%H:%M:%S.000000Z', '${since}', '+' || ((${n}) * ${seconds} + ${more}) || ' seconds')`;
  const day = (n: string) => `date('${since}', '+' || ((${n}) * ${seconds}) || ' seconds', '-6 hours')`;
  const id = "printf('%08x-0000-4000-8000-%012x', n + 1, n)";
  const machine = (n: string) => `printf('%08x%056x', (${n} % ${MACHINES} + 1) * 421037981, 0)`;
  // Of each four cash-outs at a machine, every client there has a part in one.
  const client = `n % ${MACHINES} + ${MACHINES} * (4 * k + n / ${MACHINES} % 4)`;
  const lamassu = `json_set(c.lamassu, '$.id', ${id}, '$.device_id', ${machine('n')}, '$.crypto_atoms', '20000',
    '$.received_crypto_atoms', '20000', '$.fiat', '200.00000', '$.created', ${time('n')}, '$.confirmed_at', ${time('n')})`;
  const isWaiting = `n / ${GROUP} = ${groups - 1}`;
  const share = 20_000 / PARTS;
  return `begin;
    create temp table one as select * from cash_outs limit 1;
    create temp table c as select row_number() over (order by id) - 1 as i, id, name, wallet_id
      from recipients where kind = 'client';
    create temp table house as select id, wallet_id from recipients where kind = 'commission';
    ${series('s', MACHINES)} insert into machines (device_id, source, name, currency, first_seen)
      select ${machine('n')}, 'lamassu', 'Machine ' || (n + 1), 'GTQ', '${since}' from s;
    ${series('s', cashOuts / 20)} insert into runs (id, kind, actor, started_at, finished_at, outcome, read_at, summary, source, succeeded)
      select n + 2, 'poll', 'bench', ${time('n * 20 + 20')}, ${time('n * 20 + 20', 1)}, 'ok', ${time('n * 20 + 20')}, '{}', 'lamassu', 1 from s;
    ${series('s', PERIODS)} insert into fundings (id, client_id, machine, currency, amount, remaining, spent, withdrawn, status, created_at, deposited_at)
      select n * ${CLIENTS} + c.i + 1, c.id, ${machine('c.i')}, 'GTQ', ${perFunding * share} + (n = ${PERIODS - 1}) * 700000,
        (n = ${PERIODS - 1}) * 700000, ${perFunding * share}, 0, iif(n = ${PERIODS - 1}, 'deposited', 'exhausted'),
        ${time(`n * ${period}`)}, ${time(`n * ${period}`)} from s, c;
    insert into log (at, actor, action, subject, after, principal)
      select f.created_at, 'bench', 'funding add', 'f' || f.id, json_object('client', c.name, 'rate', null, 'machine', f.machine,
        'amount', printf('%.2f GTQ', f.amount / 100.0), 'status', 'deposited', 'remaining', printf('%.2f', f.amount / 100.0)), 'operator'
      from fundings as f join c on c.id = f.client_id order by f.id;
    ${series('s', cashOuts)} insert into cash_outs (id, source, machine, confirmed_at, processed_at, local_date, currency,
        fiat, gross, commission, net, own, undelivered, own_fiat, method, origin, run_id, lamassu)
      select ${id}, c.source, ${machine('n')}, ${time('n')}, ${time('n', 1)}, ${day('n')}, 'GTQ',
        20000, 20000, 1000, 19000, 0, 0, 0, 'ticker', 'lamassu', n / 20 + 2, ${lamassu} from s, one as c;
    ${series('s', groups - 1)} insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at, settled_at, run_id)
      select n * ${CLIENTS} + c.i + 1, c.id, 'client', ${GROUP * PARTS * 3_800} / ${CLIENTS}, ${GROUP * PARTS * share} / ${CLIENTS}, 'GTQ',
        'settled', ${time(`(n + 1) * ${GROUP}`)}, ${time(`(n + 1) * ${GROUP}`, 1)}, n * 10 + 11 from s, c;
    ${series('s', groups - 1)} insert into payouts (id, recipient_id, kind, sats, fiat, currency, state, created_at, settled_at, run_id)
      select ${(groups - 1) * CLIENTS} + n + 1, h.id, 'commission', ${GROUP * 1_000}, 0, 'GTQ',
        'settled', ${time(`(n + 1) * ${GROUP}`)}, ${time(`(n + 1) * ${GROUP}`, 1)}, n * 10 + 11 from s, house as h;
    insert into payout_parts (payout_id, part, sats) select id, 1, sats from payouts;
    insert into payments (id, payout_id, part, sats, attempt, payment_hash, bolt11, client_wallet_id, source_wallet_id,
        state, run_id, created_at, sent_at, settled_at, checked_at)
      select p.id, p.id, 1, p.sats, 1, printf('%064x', p.id), 'lnbc' || p.id, r.wallet_id, 'source', 'settled', p.run_id,
        p.created_at, p.created_at, p.settled_at, p.settled_at from payouts as p join recipients as r on r.id = p.recipient_id;
    with recursive s (n) as (select 0 union all select n + 1 from s where n + 1 < ${cashOuts}),
      parts (k) as (values ${Array.from({ length: PARTS }, (_, k) => `(${k})`).join(', ')})
      insert into allocations (cash_out_id, funding_id, client_id, mode, local_date, currency, fiat, gross, commission, net, payout_id)
      select ${id}, n / ${period} * ${CLIENTS} + c.i + 1, c.id, 'flow', ${day('n')}, 'GTQ', ${share}, ${share}, 200, 3800,
        iif(${isWaiting}, null, n / ${GROUP} * ${CLIENTS} + c.i + 1)
      from s cross join parts cross join c where c.i = ${client};
    ${series('s', cashOuts)} insert into commission_shares (cash_out_id, recipient_id, currency, sats, payout_id)
      select ${id}, h.id, 'GTQ', 1000, iif(${isWaiting}, null, ${(groups - 1) * CLIENTS} + n / ${GROUP} + 1) from s, house as h;
    ${series('s', 20)} insert into log (at, actor, action, subject, before, after, principal)
      select ${time(`n * ${cashOuts / 20}`)}, 'bench', 'client set', 'client ' || c.name,
        json_object('mode', 'flow', 'paused', n % 2), json_object('mode', 'flow', 'paused', (n + 1) % 2), 'operator'
      from s, c;
    update sources set mark_confirmed_at = ${time(`${cashOuts - 1}`)}, mark_id = 'z';
    drop table temp.one; drop table temp.c; drop table temp.house;
    commit;`;
}
