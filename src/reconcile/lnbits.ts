import { Secret } from '../config/secret.ts';
import { knownOf } from '../ledger/payouts/contradictions.ts';
import { knownPayments, type Payment } from '../ledger/payouts/payouts.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { PayoutState } from '../ledger/store/schema.ts';
import { orUnseen, paymentsIn, Unseen } from '../lnbits/one-wallet.ts';
import { proveRights } from '../lnbits/rights.ts';
import { taggedPayments } from '../lnbits/tagged-payments.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { isSentByLedger, madeByAnotherCopy } from '../payouts/label.ts';
import { cappedFee } from '../payouts/service-fee.ts';
import type { SourceWallet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';
import { type ComparedRange, type DifferenceCode, type Findings, isIn } from './findings.ts';

type Booked = Pick<
  Payment,
  | 'id'
  | 'payout_id'
  | 'sats'
  | 'fee_msat'
  | 'payment_hash'
  | 'client_wallet_id'
  | 'source_wallet_id'
  | 'state'
> & { name: string; payout_state: PayoutState; known: 'arrived' | 'debited' | null };

interface ReadWallet {
  id: string;
  key: Secret;
  name: string;
}

interface Sides {
  /** Undefined: paid from another wallet, which this key does not show. */
  sourceWallet: WalletPayment | null | undefined;
  /** Undefined: the wallet's key does not show it. */
  client: WalletPayment | null | undefined;
}

const PAGE = 500;

/**
 * Compares every payment of the range with both wallets, and every payment that the wallets show with the ledger. Reads
 * each difference again at the end, since a run may have gone on meanwhile.
 */
export async function reconcileLnbits(
  ledger: Ledger,
  wallet: SourceWallet,
  range: ComparedRange,
  findings: Findings,
): Promise<void> {
  const { db, id } = ledger;
  const { lnbits, sourceWallet } = wallet;
  const now = ledger.clock.now();
  const debits = new Map<string, WalletPayment>();
  const left = new Set<string>();
  const shown = await taggedPayments(lnbits, sourceWallet.key, range.from);
  if (shown.length === 0) await proveRights(lnbits, sourceWallet.key);
  for (const one of shown) {
    if (one.amountMsat >= 0n) continue;
    if (one.status === 'success') left.add(one.hash);
    if (one.extra.ledger === id) keep(debits, one);
    else if (typeof one.extra.ledger !== 'string' && isIn(range, one.time ?? now))
      findings.add(
        'payment/unlabelled',
        `payment ${one.hash}`,
        'nothing',
        `${one.amountMsat} msat, ${one.status}`,
      );
  }
  const wallets = await walletsOf(db);
  const credits = new Map<string, Map<string, WalletPayment> | Unseen>();
  for (const one of wallets.values()) credits.set(one.id, await creditsOf(db, one, id, wallet, range));
  const findIn = async (
    its: ReadWallet | undefined,
    hash: string,
  ): Promise<WalletPayment | null | undefined> => {
    const received = its && credits.get(its.id);
    if (!received || received instanceof Unseen) return undefined;
    const found = await orUnseen(lnbits, sourceWallet.key, () => lnbits.find(its.key, hash));
    if (!(found instanceof Unseen)) return found;
    credits.set(its.id, found);
    return undefined;
  };

  const sidesOf = async (booked: Booked): Promise<Sides> => {
    const its = wallets.get(booked.client_wallet_id);
    const received = credits.get(booked.client_wallet_id);
    const listed = received instanceof Map ? received.get(booked.payment_hash) : undefined;
    const hash = booked.payment_hash;
    return {
      sourceWallet:
        booked.source_wallet_id === sourceWallet.walletId
          ? (debits.get(hash) ?? (await lnbits.find(sourceWallet.key, hash)))
          : undefined,
      client: listed ?? (await findIn(its, hash)),
    };
  };

  const former = new Map<string, number>();
  const unread = new Map<string, number>();
  const suspicious = new Map<string, string>();
  for await (const booked of bookedIn(db, range)) {
    const sides = await sidesOf(booked);
    findings.count('payments', 1);
    tally(booked, sides, findings);
    if (sides.sourceWallet === undefined) add(former, booked.source_wallet_id);
    if (sides.client === undefined) add(unread, booked.client_wallet_id);
    if (compare(booked, sides)) suspicious.set(booked.payment_hash, booked.client_wallet_id);
  }
  let foreign = 0;
  for (const one of await unbooked(db, [...debits.values()], range, now)) {
    if (isSentByLedger(ledger.seals, one)) suspicious.set(one.hash, one.walletId);
    else foreign += 1;
  }
  for (const [walletId, received] of credits) {
    if (received instanceof Unseen) continue;
    const arrived = [...received.values()].filter((one) => one.status === 'success');
    const unknown = await unbooked(db, arrived, range, now);
    // The receiver can write any label; only the source wallet, or a seal, tells who paid.
    const paid = unknown.filter(({ hash }) => left.has(hash));
    const copied = await madeByAnotherCopy(
      ledger,
      unknown.filter((one) => !paid.includes(one)),
    );
    for (const { hash } of [...paid, ...copied]) suspicious.set(hash, walletId);
    foreign += unknown.length - paid.length - copied.length;
  }
  if (foreign > 0) findings.count('foreign_labels', foreign);

  for (const [walletId, payments] of former)
    findings.add(
      'wallet/former',
      `wallet ${walletId}`,
      `payments from it: ${payments}`,
      'cannot be looked at',
    );
  for (const [hash, walletId] of suspicious) {
    const client = await findIn(wallets.get(walletId), hash);
    await compareAgain({ db, id }, wallet, { hash, walletId }, client, findings);
  }
  for (const { id: walletId, name } of wallets.values()) {
    const unseen = credits.get(walletId);
    if (!(unseen instanceof Unseen)) continue;
    const payments = unread.get(walletId) ?? 0;
    if (payments === 0 && !(await isInUse(db, walletId))) continue;
    findings.add(
      'wallet/unreadable',
      `wallet ${walletId} of ${name}`,
      `payments into it: ${payments}`,
      unseen.why,
    );
  }
  findings.count('wallets', [...credits.values()].filter((one) => one instanceof Map).length + 1);
}

/** What the wallet received from this ledger, or why that is not known. */
async function creditsOf(
  db: Db,
  wallet: ReadWallet,
  ledger: string,
  { lnbits, sourceWallet }: SourceWallet,
  range: ComparedRange,
): Promise<Map<string, WalletPayment> | Unseen> {
  const proven = !(await wasPaidInto(db, wallet.id));
  const shown = await paymentsIn(lnbits, sourceWallet.key, wallet, { since: range.from, proven });
  if (shown instanceof Unseen) return shown;
  const received = new Map<string, WalletPayment>();
  for (const one of shown) if (one.amountMsat >= 0n && one.extra.ledger === ledger) keep(received, one);
  return received;
}

/** Of several rows of one hash, the one that moved money counts. */
function keep(rows: Map<string, WalletPayment>, row: WalletPayment): void {
  if (row.status === 'success' || !rows.has(row.hash)) rows.set(row.hash, row);
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function tally({ state, sats }: Booked, { sourceWallet, client }: Sides, findings: Findings): void {
  findings.count('sats_settled', state === 'settled' ? sats : 0n);
  findings.count('sats_debited', sourceWallet?.status === 'success' ? -sourceWallet.amountMsat / 1000n : 0n);
  findings.count('sats_credited', client?.status === 'success' ? client.amountMsat / 1000n : 0n);
}

/** The difference of a payment; null if both wallets confirm it. */
function compare(
  { state, sats, fee_msat, payout_state, known }: Booked,
  { sourceWallet, client }: Sides,
): { code: DifferenceCode; ledger: string; other: string } | null {
  const msat = sats * 1000n;
  const debited = sourceWallet?.status === 'success';
  // A debit here means that the client's wallet is the source wallet: nothing arrived.
  const credited = client?.status === 'success' && client.amountMsat > 0n;
  const whole = client?.amountMsat === msat && client.feeMsat === 0n;
  const differs = (code: DifferenceCode, other: string) => ({ code, ledger: `${state}, ${sats} sat`, other });
  const sides = `source ${sideText(sourceWallet)}, client ${sideText(client)}`;
  const dead = (out: boolean, arrived: boolean, shown: string) =>
    arrived ? differs('payment/dead-paid', shown) : out ? differs('payment/dead-debited', shown) : null;
  if (state === 'dead') return isKnown(known, credited) ? null : dead(debited, credited, sides);
  if (state !== 'settled') {
    if (debited && credited && !whole) return differs('payment/credit-amount', sides);
    if (debited && credited)
      return differs(payout_state === 'held' ? 'payment/open-held' : 'payment/open-paid', sides);
    if (debited) return differs('payment/open-debited', sides);
    return credited ? differs('payment/open-credited', sides) : null;
  }
  if (sourceWallet !== undefined && !debited) return differs('payment/not-debited', sides);
  if (sourceWallet && sourceWallet.amountMsat !== -msat) return differs('payment/debit-amount', sides);
  if (client !== undefined && client?.status !== 'success') return differs('payment/not-credited', sides);
  if (client && !whole) return differs('payment/credit-amount', sides);
  if (sourceWallet && cappedFee(sourceWallet.feeMsat, msat) !== fee_msat)
    return { ...differs('payment/fee', sides), ledger: `a service fee of ${fee_msat} msat` };
  return null;
}

/** Whether the operator decided about it when the wallets showed the same. */
function isKnown(known: Booked['known'], credited: boolean): boolean {
  return known !== null && (!credited || known === 'arrived');
}

function sideText(side: WalletPayment | null | undefined): string {
  if (side === undefined) return 'not readable';
  if (side === null) return 'nothing';
  const fee = side.feeMsat === 0n ? '' : ` and a fee of ${side.feeMsat} msat`;
  return `${side.amountMsat} msat${fee} ${side.status}`;
}

/** Reads the ledger and both wallets again. */
async function compareAgain(
  { db, id }: Pick<Ledger, 'db' | 'id'>,
  { lnbits, sourceWallet }: SourceWallet,
  { hash, walletId }: { hash: string; walletId: string },
  /** Undefined: the wallet cannot be read. */
  client: WalletPayment | null | undefined,
  findings: Findings,
): Promise<void> {
  const booked = await booking(db).where('payments.payment_hash', '=', hash).executeTakeFirst();
  const debit = await lnbits.find(sourceWallet.key, hash);
  if (!booked) {
    const shown = [debit, client].find((one) => one?.extra.ledger === id);
    if (!shown) return;
    const what = `payment ${hash} of ${shown.extra.payout} for ${shown.extra.client}`;
    const code = shown === debit ? 'payment/unknown' : 'payment/surplus-credit';
    findings.add(code, what, 'nothing', sideText(shown));
    return;
  }
  const what = `payment ${hash} of p${booked.payout_id} for ${booked.name}`;
  if (client !== undefined && walletId !== booked.client_wallet_id) {
    findings.add(
      'payment/surplus-credit',
      what,
      `into ${booked.client_wallet_id}`,
      `into ${walletId}: ${sideText(client)}`,
    );
    return;
  }
  const mine = booked.source_wallet_id === sourceWallet.walletId;
  const wrong = compare(booked, { sourceWallet: mine ? debit : undefined, client });
  if (wrong) findings.addPayment(wrong.code, booked, wrong.ledger, wrong.other);
}

/** The rows of the range whose hash the ledger does not know, or knows for another wallet. */
async function unbooked(
  db: Db,
  shown: WalletPayment[],
  range: ComparedRange,
  now: Instant,
): Promise<WalletPayment[]> {
  const inRange = shown.filter((one) => isIn(range, one.time ?? now));
  const known = await knownPayments(
    db,
    inRange.map(({ hash }) => hash),
  );
  return inRange.filter(({ hash, amountMsat, walletId }) => {
    const into = known.get(hash);
    return into === undefined || (amountMsat > 0n && into !== walletId);
  });
}

async function* bookedIn(db: Db, { from, before }: ComparedRange): AsyncGenerator<Booked> {
  for (let after = 0n; ; ) {
    const page = await booking(db)
      .where('payments.id', '>', after)
      .$if(from !== null, (query) => query.where('payments.created_at', '>=', from ?? ''))
      .$if(before !== null, (query) => query.where('payments.created_at', '<', before ?? ''))
      .orderBy('payments.id')
      .limit(PAGE)
      .execute();
    yield* page;
    const last = page.at(-1)?.id;
    if (last === undefined) return;
    after = last;
  }
}

function booking(db: Db) {
  return db
    .selectFrom('payments')
    .innerJoin('payouts', 'payouts.id', 'payments.payout_id')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select([
      'payments.id',
      'payments.payout_id',
      'payments.sats',
      'payments.fee_msat',
      'payments.payment_hash',
      'payments.client_wallet_id',
      'payments.source_wallet_id',
      'payments.state',
      'recipients.name',
      knownOf('payments.id').as('known'),
      'payouts.state as payout_state',
    ]);
}

/** Every wallet that is or was paid into, with a name for messages. */
async function walletsOf(db: Db): Promise<Map<string, ReadWallet>> {
  const rows = await db
    .selectFrom('wallets')
    .leftJoin('recipients', 'recipients.wallet_id', 'wallets.id')
    .select(['wallets.id', 'wallets.invoice_key', 'recipients.name'])
    .orderBy('wallets.id')
    .execute();
  return new Map(
    rows.map(({ id, invoice_key, name }) => [
      id,
      { id, key: new Secret(invoice_key), name: name ?? 'a former wallet' },
    ]),
  );
}

async function wasPaidInto(db: Db, walletId: string): Promise<boolean> {
  const row = await db
    .selectFrom('payments')
    .select('id')
    .where('client_wallet_id', '=', walletId)
    .executeTakeFirst();
  return row !== undefined;
}

async function isInUse(db: Db, walletId: string): Promise<boolean> {
  const row = await db
    .selectFrom('recipients')
    .select('id')
    .where('wallet_id', '=', walletId)
    .where('status', '<>', 'closed')
    .executeTakeFirst();
  return row !== undefined;
}
