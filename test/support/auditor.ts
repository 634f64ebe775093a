import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { ledgerSql } from './ledger-sql.ts';
import type { World } from './world.ts';

/*
 * A second opinion that shares nothing with the program: it reads LNbits' wallets over HTTP, Lamassu's rows and the
 * ledger's tables by SQL of its own, and works out by its own arithmetic what every client must hold.
 *
 * It knows what its scenarios use: flow clients, commission recipients of all machines whose weights never changed, fundings for all machines without a rate of their own, currencies
 * of two digits, rows with a ticker price, and that in the end nothing is open.
 */

/** `lost`: less than is due. `twice`: one part of a payout arrived more than once. `wrong`: anything else that differs. */
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

export async function audit(world: World): Promise<Audit> {
  const violations: Violation[] = [];
  const blame = (kind: Violation['kind'], what: string) => violations.push({ kind, what });
  const { due, totals } = await whatIsDue(world, blame);

  const debits = (await paymentsOf(world, world.source.adminkey)).filter((one) => one.amount < 0n);
  const spent = -sum(debits.filter((one) => one.status !== 'failed').map((one) => one.amount));
  const wallets = new Map<string, bigint>();
  const arrived = new Map<string, bigint>();
  for (const [name, keys] of world.wallets) {
    const balance = (await world.balance(keys)) * 1000n;
    wallets.set(name, balance / 1000n);
    const credits = (await paymentsOf(world, keys.inkey)).filter((one) => one.status === 'success');
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

  const settled = await ledgerAgrees(world, arrived, blame);
  return { violations, totals, wallets, spent: spent / 1000n, settled };
}

type Blame = (kind: Violation['kind'], what: string) => void;

/** The sats that each client must have by now, worked out from Lamassu's rows and the clients' cash. */
async function whatIsDue(
  world: World,
  blame: Blame,
): Promise<{ due: Map<string, bigint>; totals: Audit['totals'] }> {
  const client = new pg.Client(world.lamassu.url);
  await client.connect();
  const { rows } = await client
    .query<Record<'id' | 'at' | 'currency' | 'fiat' | 'price' | 'gross', string>>(
      `select id, fiat_code as currency, fiat::text, raw_ticker_price::text as price,
         least(crypto_atoms, received_crypto_atoms)::text as gross,
         to_char(confirmed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from cash_out_txs
       where status = 'confirmed' and dispense_confirmed and error is null and error_code is null
         and crypto_code in ('BTC', 'LN')`,
    )
    .finally(() => client.end());
  const eligible = new Map(rows.map((row) => [row.id, row]));
  const processed = await ledgerSql(
    world.ledgerUrl,
    'select id from cash_outs order by processed_at, confirmed_at, id',
  );
  const order = processed.map((row) => `${row.id}`);
  for (const id of order) if (!eligible.has(id)) blame('wrong', `${id} was distributed and should not be`);
  for (const id of eligible.keys()) if (!order.includes(id)) blame('lost', `${id} was not distributed`);

  const cash = await ledgerSql(
    world.ledgerUrl,
    `select f.id, r.name, f.currency, f.amount, f.deposited_at, f.rate, f.machine
     from fundings f join recipients r on r.id = f.client_id where f.deposited_at is not null order by f.id`,
  );
  const left = new Map(cash.map((row) => [row.id, row.amount as bigint]));
  const recipients = await ledgerSql(
    world.ledgerUrl,
    `select r.name, w.weight from commission_weights w join recipients r on r.id = w.recipient_id
     where w.machine is null and w.weight > 0 order by r.id`,
  );
  const due = new Map<string, bigint>();
  const totals = { cashOuts: 0, gross: 0n, commission: 0n, net: 0n, own: 0n };
  for (const id of order) {
    const row = eligible.get(id);
    if (!row) continue;
    const fiat5 = fixedPoint(row.fiat);
    const gross = BigInt(row.gross);
    const worth = (fiat5 * 100_000_000n) / fixedPoint(row.price);
    const commission = worth > gross ? 0n : gross - worth;
    const sharing = cash.filter(
      (one) =>
        one.currency === row.currency && `${one.deposited_at}` <= row.at && (left.get(one.id) ?? 0n) > 0n,
    );
    if (sharing.some((one) => one.rate !== null || one.machine !== null))
      throw new Error('the auditor knows no fundings with a rate or a machine');
    const whole = fiat5 / 1000n;
    const remaining = sharing.map((one) => left.get(one.id) ?? 0n);
    // Where the cash suffices nobody's part exceeds what he has; where it does not, everybody gives all.
    const taken = sum(remaining) >= whole ? apportion(whole, remaining) : remaining;
    const weights = [...taken, whole - sum(taken)];
    const grosses = apportion(gross, weights);
    const commissions = apportion(commission, weights);
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

/** All payments of a wallet that carry the bridge's tag. */
async function paymentsOf(world: World, key: string): Promise<Shown[]> {
  const payments: Shown[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const url = `${world.lnbits.url}/api/v1/payments/paginated?tag=aio-dca&limit=${PAGE}&offset=${offset}`;
    const answer = await fetch(url, { headers: { 'X-Api-Key': key } });
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
  const answer = await fetch(url, { headers: { 'X-Api-Key': world.source.inkey } });
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
