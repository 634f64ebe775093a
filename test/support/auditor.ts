import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { ledgerSql } from './ledger-sql.ts';
import { NOT_KEPT } from './lnbits-real.ts';
import type { World } from './world.ts';

/*
 * A second opinion that shares nothing with the program: it reads LNbits' wallets over HTTP, Lamassu's rows and the
 * ledger's tables by SQL of its own, and works out by its own arithmetic what every client must hold.
 *
 * It knows what its scenarios use: clients in flow or fixed mode whose settings never changed, commission recipients
 * whose weights never changed after they were set, fundings without a rate of their own, currencies of two digits, rows
 * with a ticker price and one machine, settlements by what the first two cassettes gave, and that in the end nothing is
 * open.
 */

/**
 * `lost`: less than is due. `twice`: one part of a payout arrived more than once. `wrong`: anything else that differs.
 */
export interface Violation {
  kind: 'lost' | 'twice' | 'wrong';
  what: string;
}

export interface Audit {
  violations: Violation[];
  /** Of the successful cash-outs, by the auditor's arithmetic. */
  totals: { cashOuts: number; gross: bigint; commission: bigint; net: bigint; own: bigint };
  /** What LNbits says that each client's wallet holds, in sats. */
  wallets: Map<string, bigint>;
  /** What LNbits says that left the source wallet, in sats. */
  spent: bigint;
  /** Settled payouts in the ledger. */
  settled: number;
}

/**
 * `settled`: rows of Lamassu that did not succeed, and that the operator settled with Lamassu's own figures.
 * `lostByLnbits`: hashes of payments that LNbits debited and never credited; the operator found them and had them
 * paid again.
 */
export async function audit(
  world: World,
  { settled = [], lostByLnbits = [] }: { settled?: string[]; lostByLnbits?: string[] } = {},
): Promise<Audit> {
  const violations: Violation[] = [];
  const blame = (kind: Violation['kind'], what: string) => violations.push({ kind, what });
  const { due, totals } = await whatIsDue(world, settled, blame);

  // All of them, so that nothing leaves the source wallet beside what is the bridge's.
  const ofSource = await paymentsOf(world, world.source.adminkey);
  const debits = ofSource.filter((one) => one.amount < 0n && !lostByLnbits.includes(one.hash));
  const spent = -sum(debits.filter((one) => one.status !== 'failed').map((one) => one.amount));
  const wallets = new Map<string, bigint>();
  const arrived = new Map<string, bigint>();
  for (const [name, keys] of world.wallets) {
    const balance = (await world.balance(keys)) * 1000n;
    wallets.set(name, balance / 1000n);
    const credits = (await paymentsOf(world, keys.inkey, 'aio-dca')).filter(
      (one) => one.status === 'success',
    );
    const received = sum(credits.map((one) => one.amount));
    const owed = (due.get(name) ?? 0n) * 1000n;
    if (balance !== received) blame('wrong', `${name} holds ${balance} msat and received ${received}`);
    if (received < owed) blame('lost', `${name} received ${received} msat of ${owed}`);
    const parts = new Set<string>();
    for (const credit of credits) {
      const part = `${credit.extra.payout}/${credit.extra.part}`;
      if (parts.has(part)) blame('twice', `${name} received ${part} again, by ${credit.hash}`);
      parts.add(part);
      arrived.set(credit.hash, credit.amount);
    }
    if (received > owed) blame('wrong', `${name} received ${received} msat, more than the ${owed} due`);
  }

  const debited = debits.filter((one) => one.status !== 'failed');
  for (const { hash, amount, fee, status } of debited) {
    if (status !== 'success') blame('wrong', `the source wallet shows ${hash} as ${status}`);
    if (fee !== 0n) blame('wrong', `the source wallet paid a fee of ${fee} msat for ${hash}`);
    if (arrived.get(hash) !== -amount)
      blame('lost', `${-amount} msat were debited by ${hash}, and ${arrived.get(hash) ?? 0n} credited`);
  }
  const moved = sum(
    ofSource
      .filter((one) => one.status === 'success' || (one.status === 'pending' && one.amount < 0n))
      .map((one) => one.amount),
  );
  const held = (await world.balance(world.source)) * 1000n;
  if (held !== moved)
    blame('wrong', `the source wallet holds ${held} msat, and its payments come to ${moved}`);
  if (spent !== sum(arrived.values()))
    blame(
      'wrong',
      `the source wallet spent ${spent} msat, and the clients received ${sum(arrived.values())}`,
    );

  if (/^credit_source = true$/m.test(await readFile(world.configFile, 'utf8'))) {
    const credited = await creditedTo(world);
    const owed = sum(due.values()) * 1000n;
    if (credited > owed) blame('twice', `the source wallet was credited with ${credited} msat for ${owed}`);
    if (credited < owed) blame('lost', `the source wallet was credited with ${credited} msat of ${owed}`);
  }

  const paidOut = await ledgerAgrees(world, arrived, blame);
  return { violations, totals, wallets, spent: spent / 1000n, settled: paidOut };
}

type Blame = (kind: Violation['kind'], what: string) => void;

/** The sats that each client must have by now, worked out from Lamassu's rows and the clients' cash. */
async function whatIsDue(
  world: World,
  settled: string[],
  blame: Blame,
): Promise<{ due: Map<string, bigint>; totals: Audit['totals'] }> {
  const rows = await lamassuRows(world, settled);
  const eligible = new Map(rows.map((row) => [row.id, row]));
  const processed = await ledgerSql(
    world.ledgerUrl,
    // As they were written: allocations are numbered under the ledger's lock, whatever a clock says. What fell to
    // nobody has none; it came after what its run, or the run that was the newest, had distributed by then.
    `with c as (
       select id, confirmed_at, processed_at,
         coalesce(run_id, (select max(r.id) from runs r where r.started_at <= processed_at), 0) as run,
         (select min(a.id) from allocations a where a.cash_out_id = cash_outs.id) as first
       from cash_outs)
     select id from c order by
       coalesce(first, (select max(d.first) from c d
         where d.run < c.run or (d.run = c.run and d.processed_at <= c.processed_at)), 0),
       run, processed_at, confirmed_at, id`,
  );
  const order = processed.map((row) => `${row.id}`);
  for (const id of order) if (!eligible.has(id)) blame('wrong', `${id} was distributed and should not be`);
  for (const id of eligible.keys()) if (!order.includes(id)) blame('lost', `${id} was not distributed`);

  const cash = await ledgerSql(
    world.ledgerUrl,
    `select f.id, r.id as client, r.name, f.currency, f.amount, f.deposited_at, f.rate, f.machine
     from fundings f join recipients r on r.id = f.client_id where f.deposited_at is not null order by f.id`,
  );
  const limits = await limitsOf(world);
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: await configured(world, 'timezone') });
  const left = new Map(cash.map((row) => [row.id, row.amount as bigint]));
  const weighted = await ledgerSql(
    world.ledgerUrl,
    `select r.name, w.weight, w.from_at, w.machine from commission_weights w
     join recipients r on r.id = w.recipient_id where w.weight > 0 order by r.id`,
  );
  const due = new Map<string, bigint>();
  const totals = { cashOuts: 0, gross: 0n, commission: 0n, net: 0n, own: 0n };
  for (const id of order) {
    const row = eligible.get(id);
    if (!row) continue;
    const asked5 = fixedPoint(row.fiat);
    // Of what came out only in part, that part is settled; the rest is the layperson's.
    const fiat5 = settled.includes(id) ? BigInt(row.out ?? 0) * 100_000n : asked5;
    const gross = (BigInt(row.gross) * fiat5) / asked5;
    const worth = (fiat5 * 100_000_000n) / fixedPoint(row.price);
    const commission = worth > gross ? 0n : gross - worth;
    const sharing = cash.filter(
      (one) =>
        one.currency === row.currency &&
        (one.machine === null || one.machine === row.machine) &&
        `${one.deposited_at}` <= row.at &&
        (left.get(one.id) ?? 0n) > 0n,
    );
    if (sharing.some((one) => one.rate !== null))
      throw new Error('the auditor knows no fundings with a rate');
    const whole = fiat5 / 1000n;
    const today = `${row.currency} ${day.format(new Date(row.at))}`;
    const taken = pour(
      whole,
      sharing.map((one) => {
        const limit = limits.get(`${one.client} ${row.currency}`);
        const has = left.get(one.id) ?? 0n;
        if (limit === undefined) return { has, under: `f${one.id}`, most: has };
        const used = limit.used.get(today) ?? 0n;
        return { has, under: `client ${one.client}`, most: used > limit.daily ? 0n : limit.daily - used };
      }),
    );
    for (const [index, one] of sharing.entries()) {
      const used = limits.get(`${one.client} ${row.currency}`)?.used;
      used?.set(today, (used.get(today) ?? 0n) + (taken[index] ?? 0n));
    }
    const weights = [...taken, whole - sum(taken)];
    const grosses = apportion(gross, weights);
    const commissions = apportion(commission, weights);
    const inForce = weighted.filter((one) => `${one.from_at}` <= row.at);
    const ofMachine = inForce.filter((one) => one.machine === row.machine);
    const recipients = ofMachine.length > 0 ? ofMachine : inForce.filter((one) => one.machine === null);
    const shares = apportion(
      recipients.length > 0 ? commission : 0n,
      recipients.map((one) => one.weight as bigint),
    );
    for (const [index, one] of recipients.entries())
      due.set(`${one.name}`, (due.get(`${one.name}`) ?? 0n) + (shares[index] ?? 0n));
    totals.cashOuts += 1;
    totals.gross += gross;
    totals.commission += commission;
    totals.own += (grosses.at(-1) ?? 0n) - (commissions.at(-1) ?? 0n);
    for (const [index, one] of sharing.entries()) {
      const net = (grosses[index] ?? 0n) - (commissions[index] ?? 0n);
      left.set(one.id, (left.get(one.id) ?? 0n) - (taken[index] ?? 0n));
      due.set(`${one.name}`, (due.get(`${one.name}`) ?? 0n) + net);
      totals.net += net;
    }
  }
  if (totals.net + totals.commission + totals.own !== totals.gross)
    throw new Error('the auditor cannot add up');
  return { due, totals };
}

/** Successes, and what was settled, with the notes that came out of it. */
async function lamassuRows(world: World, settled: string[]) {
  const client = new pg.Client(world.lamassu.url);
  await client.connect();
  const { rows } = await client
    .query<
      Record<'id' | 'machine' | 'at' | 'currency' | 'fiat' | 'price' | 'gross', string> & {
        out: string | null;
      }
    >(
      `select id, device_id as machine, fiat_code as currency, fiat::text, raw_ticker_price::text as price,
         least(crypto_atoms, received_crypto_atoms)::text as gross,
         to_char(confirmed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
         (select sum(coalesce(a.denomination_1 * a.dispensed_1, 0) + coalesce(a.denomination_2 * a.dispensed_2, 0))
          from cash_out_actions a where a.tx_id = t.id and a.action like 'dispense%')::text as out
       from cash_out_txs t
       where id = any ($1) or (status = 'confirmed' and dispense_confirmed and error is null
         and error_code is null and crypto_code in ('BTC', 'LN'))`,
      [settled],
    )
    .finally(() => client.end());
  return rows;
}

/** The daily limits of the clients in fixed mode by client and currency, each with what is used of it by day. */
async function limitsOf(world: World): Promise<Map<string, { daily: bigint; used: Map<string, bigint> }>> {
  const modes = await ledgerSql(world.ledgerUrl, 'select client_id, mode, paused from client_settings');
  if (
    new Set(modes.map((row) => row.client_id)).size < modes.length ||
    modes.some((row) => row.paused !== 0n)
  )
    throw new Error('the auditor knows no clients whose mode changed, or who paused');
  const fixed = modes.filter((row) => row.mode === 'fixed').map((row) => row.client_id);
  const rows = await ledgerSql(world.ledgerUrl, 'select client_id, currency, daily_limit from client_limits');
  const limits = rows
    .filter((row) => fixed.includes(row.client_id))
    .map((row): [string, { daily: bigint; used: Map<string, bigint> }] => [
      `${row.client_id} ${row.currency}`,
      { daily: row.daily_limit as bigint, used: new Map() },
    ]);
  const found = new Map(limits);
  if (found.size < limits.length) throw new Error('the auditor knows no limits that changed');
  return found;
}

/** The text of a key at the top of config.toml. */
async function configured(world: World, key: string): Promise<string> {
  const text = new RegExp(`^${key} = "([^"]+)"$`, 'm').exec(await readFile(world.configFile, 'utf8'))?.[1];
  if (text === undefined) throw new Error(`config.toml has no ${key}`);
  return text;
}

/**
 * What each vessel gives of `total`: in proportion to what it has, but those `under` one name together not more than
 * `most`. A client who would give more gives that, and the others share the rest again, until none would.
 */
function pour(total: bigint, vessels: { has: bigint; under: string; most: bigint }[]): bigint[] {
  const given = vessels.map(() => 0n);
  let open = new Set(vessels.map((one) => one.under));
  for (;;) {
    const rest = total - sum(given);
    const sharing = vessels.filter((one) => open.has(one.under));
    const all = sum(sharing.map((one) => one.has));
    if (rest === 0n || all === 0n) return given;
    const full = new Set<string>();
    for (const name of open) {
      const own = vessels.filter((one) => one.under === name);
      const has = sum(own.map((one) => one.has));
      const most = own[0] !== undefined && own[0].most < has ? own[0].most : has;
      if (rest * has < most * all) continue;
      full.add(name);
      const parts = apportion(
        most,
        vessels.map((one) => (one.under === name ? one.has : 0n)),
      );
      for (const [index, part] of parts.entries()) given[index] = (given[index] ?? 0n) + part;
    }
    if (full.size === 0) {
      const parts = apportion(
        rest,
        vessels.map((one) => (open.has(one.under) ? one.has : 0n)),
      );
      return given.map((one, index) => one + (parts[index] ?? 0n));
    }
    open = new Set([...open].filter((name) => !full.has(name)));
  }
}

/** Each gets the whole part of its share; what is left goes one by one to the largest fractions, the first in a tie. */
function apportion(total: bigint, weights: bigint[]): bigint[] {
  const all = sum(weights);
  if (all === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (weight * total) / all);
  const fractions = weights.map((weight, index) => ({ index, rest: (weight * total) % all }));
  fractions.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1));
  for (const { index } of fractions.slice(0, Number(total - sum(parts))))
    parts[index] = (parts[index] ?? 0n) + 1n;
  return parts;
}

/** Every payout is settled by payments that arrived, and nothing arrived that the ledger does not know. */
async function ledgerAgrees(world: World, arrived: Map<string, bigint>, blame: Blame): Promise<number> {
  const payouts = await ledgerSql(
    world.ledgerUrl,
    `select p.id, p.state, p.sats, r.name, coalesce((select sum(y.sats) from payments y
       where y.payout_id = p.id and y.state = 'settled'), 0) as paid
     from payouts p join recipients r on r.id = p.recipient_id order by p.id`,
  );
  for (const { id, state, sats, name, paid } of payouts) {
    if (state !== 'settled') blame('lost', `p${id} of ${sats} sat for ${name} is ${state}`);
    else if (BigInt(paid ?? 0n) !== sats) blame('wrong', `p${id} of ${sats} sat is settled by ${paid}`);
  }
  const settled = await ledgerSql(
    world.ledgerUrl,
    "select payment_hash, sats from payments where state = 'settled'",
  );
  const known = new Map(settled.map((row) => [`${row.payment_hash}`, row.sats as bigint]));
  for (const [hash, sats] of known)
    if (arrived.get(hash) !== sats * 1000n)
      blame('lost', `${hash} of ${sats} sat is settled and did not arrive`);
  for (const hash of arrived.keys())
    if (!known.has(hash)) blame('wrong', `${hash} arrived, and the ledger does not show it as settled`);
  const unpaid = await ledgerSql(
    world.ledgerUrl,
    'select cash_out_id, net from allocations where payout_id is null and net > 0',
  );
  for (const { cash_out_id, net } of unpaid) blame('lost', `${net} sat of ${cash_out_id} are in no payout`);
  const shares = await ledgerSql(
    world.ledgerUrl,
    'select cash_out_id, sats from commission_shares where payout_id is null',
  );
  for (const { cash_out_id, sats } of shares)
    blame('lost', `${sats} sat of the commission of ${cash_out_id} are in no payout`);
  return payouts.filter((one) => one.state === 'settled').length;
}

interface Shown {
  hash: string;
  /** In msat, as the fee. */
  amount: bigint;
  fee: bigint;
  status: string;
  extra: Record<string, unknown>;
}

const PAGE = 100;

/** All payments of a wallet, or those that carry the tag. */
async function paymentsOf(world: World, key: string, tag?: string): Promise<Shown[]> {
  const payments: Shown[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const page = `limit=${PAGE}&offset=${offset}${tag === undefined ? '' : `&tag=${tag}`}`;
    const url = `${world.lnbits.url}/api/v1/payments/paginated?${page}`;
    const answer = await fetch(url, { headers: { ...NOT_KEPT, 'X-Api-Key': key } });
    if (!answer.ok) throw new Error(`LNbits answered ${answer.status} for a wallet's payments`);
    const { data } = (await answer.json()) as {
      data: { payment_hash: string; amount: number; fee: number; status: string; extra: Shown['extra'] }[];
    };
    for (const { payment_hash, amount, fee, status, extra } of data)
      payments.push({ hash: payment_hash, amount: BigInt(amount), fee: BigInt(fee), status, extra });
    if (data.length < PAGE) return payments;
  }
}

/** What a superuser put into the source wallet, in msat. */
async function creditedTo(world: World): Promise<bigint> {
  const url = `${world.lnbits.url}/api/v1/payments/paginated?memo=Admin%20credit&limit=${PAGE}`;
  const answer = await fetch(url, { headers: { ...NOT_KEPT, 'X-Api-Key': world.source.inkey } });
  if (!answer.ok) throw new Error(`LNbits answered ${answer.status} for the credits of the source wallet`);
  const { data } = (await answer.json()) as { data: { amount: number; status: string }[] };
  if (data.length === PAGE) throw new Error('the auditor reads one page of credits');
  return sum(data.filter((one) => one.status === 'success').map((one) => BigInt(one.amount)));
}

/** `4000.00000` to 400000000. */
function fixedPoint(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(5, '0').slice(0, 5));
}

function sum(numbers: Iterable<bigint>): bigint {
  let total = 0n;
  for (const number of numbers) total += number;
  return total;
}
