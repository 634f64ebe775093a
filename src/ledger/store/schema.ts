import type { Generated } from 'kysely';
import type { CommissionMethod } from '../../dca/cash-out.ts';
import type { Mode } from '../../dca/fill.ts';
import type { Instant } from '../../time.ts';
import type { AccessSchema } from './access-schema.ts';

/**
 * The ledger's tables as Kysely sees them; migrations/ creates them.
 * Every integer is a `bigint`: sats, fiat minor units, rates × 10^5, ids, and 0 or 1 for flags.
 */
export interface Schema extends AccessSchema {
  ledger: {
    one: bigint;
    id: string;
    created_at: Instant;
    retired_to: string | null;
    source_wallet_id: string | null;
    paused_at: Instant | null;
    paused_by: string | null;
    paused_reason: string | null;
    /** 64 hex digits; never shown. */
    seal_secret: string;
    /** 1: the ledger had its secret from the beginning, so every payment of it has a seal. */
    all_sealed: Generated<bigint>;
  };
  currencies: { code: string; digits: bigint };
  sources: {
    name: string;
    start_at: Instant;
    system_identifier: string | null;
    mark_confirmed_at: Instant | null;
    mark_id: string | null;
    created_at: Instant;
    /** The source's own time at the last complete reading; null: never. Goes back after a clock that was ahead. */
    read_to: Instant | null;
    /** The number of the newest action at that time. */
    last_action: bigint | null;
  };
  machines: {
    device_id: string;
    source: string | null;
    name: string | null;
    currency: string | null;
    first_seen: Instant;
    replaced_by: string | null;
    /** 1: the operator gave the name, so Lamassu's name does not replace it. */
    name_given: Generated<bigint>;
  };
  machine_rates: {
    id: Generated<bigint>;
    device_id: string;
    from_at: Instant;
    rate: bigint | null;
    min_rate: bigint | null;
    max_rate: bigint | null;
  };
  wallets: {
    id: string;
    invoice_key: string;
    created_at: Instant;
    /** When this key first showed an invoice that it made; null: not yet. */
    seen_at: Instant | null;
  };
  recipients: {
    id: Generated<bigint>;
    kind: 'client' | 'commission';
    name: string;
    wallet_id: string;
    status: 'active' | 'closing' | 'closed';
    created_at: Instant;
  };
  client_settings: {
    id: Generated<bigint>;
    client_id: bigint;
    from_at: Instant;
    mode: Mode;
    paused: bigint;
  };
  client_limits: {
    id: Generated<bigint>;
    client_id: bigint;
    from_at: Instant;
    currency: string;
    daily_limit: bigint;
    max_daily_limit: bigint | null;
  };
  fundings: {
    id: Generated<bigint>;
    client_id: bigint;
    machine: string | null;
    currency: string;
    amount: bigint;
    remaining: bigint;
    spent: bigint;
    withdrawn: bigint;
    rate: bigint | null;
    status: FundingState;
    created_at: Instant;
    deposited_at: Instant | null;
  };
  runs: {
    id: bigint;
    kind: string;
    actor: string;
    started_at: Instant;
    finished_at: Instant | null;
    outcome: string | null;
    /** When this run finished reading Lamassu; null: it did not. */
    read_at: Instant | null;
    summary: string | null;
    /** The source that it reads; null: none, or not recorded by an older version. */
    source: string | null;
    /** 1: it read that Lamassu to its end, and reached LNbits where there was something to pay. */
    succeeded: Generated<bigint>;
    /** Lamassu's clock and this host's at one moment, the boot id of this host, and its uptime. */
    source_now: Instant | null;
    host_now: Instant | null;
    boot: string | null;
    uptime_ms: bigint | null;
  };
  claims: {
    nonce: string;
    /** The recovery in which the operator accepted this claim of another copy. */
    run_id: bigint;
    /** The source wallet that shows it. */
    wallet_id: string;
    /** The hash of its invoice; null if LNbits' answer was lost. */
    payment_hash: string | null;
    made_at: Instant;
    /** 1: after it was made, LNbits showed no claim of another copy. */
    checked: Generated<bigint>;
    /** 1: nothing can be sent under this claim any more. */
    over: Generated<bigint>;
  };
  lease: { one: bigint; run_id: bigint; owner: string; expires_at: Instant };
  cash_outs: {
    id: string;
    source: string;
    /** The machine that paid out the cash. */
    machine: string;
    /** The machine where the layperson began, if it is another one; null: the same, or recorded by an older version. */
    begun_at_machine: string | null;
    confirmed_at: Instant;
    processed_at: Instant;
    local_date: string;
    currency: string;
    fiat: bigint;
    gross: bigint;
    commission: bigint;
    net: bigint;
    own: bigint;
    undelivered: bigint;
    own_fiat: bigint;
    /**
     * Why it has an own share: JSON of `cash-outs/why-own-share.ts`; null: it had none, or an older version divided it.
     */
    own_reasons: string | null;
    method: CommissionMethod;
    origin: 'lamassu' | 'settled' | 'external';
    run_id: bigint | null;
    lamassu: string | null;
  };
  allocations: {
    id: Generated<bigint>;
    cash_out_id: string;
    funding_id: bigint;
    client_id: bigint;
    mode: Mode;
    local_date: string;
    currency: string;
    fiat: bigint;
    gross: bigint;
    commission: bigint;
    net: bigint;
    payout_id: bigint | null;
  };
  payouts: {
    id: Generated<bigint>;
    recipient_id: bigint;
    kind: 'client' | 'commission';
    sats: bigint;
    fiat: bigint;
    currency: string;
    state: PayoutState;
    reason: string | null;
    lack: Generated<Lack | null>;
    created_at: Instant;
    settled_at: Instant | null;
    run_id: bigint | null;
    released_at: Instant | null;
  };
  /** `split` = 1: its sats are in later parts, and nothing more is paid of it. */
  payout_parts: { payout_id: bigint; part: bigint; sats: bigint; split: Generated<bigint> };
  payments: {
    id: bigint;
    payout_id: bigint;
    part: bigint;
    sats: bigint;
    attempt: bigint;
    payment_hash: string;
    bolt11: string;
    client_wallet_id: string;
    source_wallet_id: string;
    state: PaymentState;
    reason: string | null;
    run_id: bigint;
    created_at: Instant;
    sent_at: Instant | null;
    settled_at: Instant | null;
    checked_at: Instant | null;
    /** LNbits' service fee, taken from the source wallet on top, in msat. */
    fee_msat: Generated<bigint>;
  };
  review: {
    cash_out_id: string;
    source: string;
    machine: string | null;
    reason: string;
    detail: string;
    lamassu: string;
    since: Instant;
    run_id: bigint | null;
    state: 'open' | 'released' | 'dismissed' | 'processed';
    closed_at: Instant | null;
    closed_by: string | null;
    closed_reason: string | null;
  };
  commission_weights: {
    id: Generated<bigint>;
    recipient_id: bigint;
    /** Null: all machines without recipients of their own. */
    machine: string | null;
    from_at: Instant;
    weight: bigint;
  };
  commission_shares: {
    id: Generated<bigint>;
    cash_out_id: string;
    recipient_id: bigint;
    currency: string;
    sats: bigint;
    payout_id: bigint | null;
  };
  settlements: {
    cash_out_id: string;
    at: Instant;
    actor: string;
    reason: string;
    /** JSON of the figures, by which two settlements are compared. */
    figures: string;
    /** 1: its sats are to be credited to the source wallet. */
    credit: bigint;
  };
  voids: {
    id: Generated<bigint>;
    cash_out_id: string;
    at: Instant;
    actor: string;
    reason: string;
    was: string;
  };
  credits: {
    id: Generated<bigint>;
    wallet_id: string;
    sats: bigint;
    state: CreditState;
    reason: string | null;
    run_id: bigint | null;
    created_at: Instant;
    sent_at: Instant | null;
    /** JSON array: the hashes of like credits that LNbits showed right before it was, or would have been, sent. */
    seen: string | null;
    credited_at: Instant | null;
    payment_hash: string | null;
    /** The part for LNbits' service fee, in satoshi. */
    fee: Generated<bigint>;
  };
  /** `paid`: the sats of the cash-out that were paid out before it was credited. */
  credit_members: { credit_id: bigint; cash_out_id: string; sats: bigint; paid: Generated<bigint> };
  /**
   * Contradictions: what LNbits shows of payments and credits that were given up. Open until the operator or the
   * evidence closes them.
   */
  contradictions: {
    id: Generated<bigint>;
    payment_id: bigint | null;
    credit_id: bigint | null;
    payment_hash: string;
    /** In words. */
    shown: string;
    run_id: bigint | null;
    found_at: Instant;
    closed_at: Instant | null;
    closed_by: string | null;
    closed_reason: string | null;
    /** 1: its sats stay in the source wallet, and LNbits owes them. */
    booked: Generated<bigint>;
  };
  watch: { cash_out_id: string; source: string; confirmed_at: Instant | null; since: Instant };
  log: {
    id: Generated<bigint>;
    at: Instant;
    actor: string;
    run_id: bigint | null;
    action: string;
    subject: string;
    before: string | null;
    after: string | null;
    reason: string | null;
    /** The host, boot id and uptime at the operator's change. */
    boot: string | null;
    uptime_ms: bigint | null;
    /**
     * On whose right: `operator`, `person dora`, `client alice`. Null: a run's, or from before this was written down.
     */
    principal: string | null;
  };
  /** A request under an idempotency key, with its answer. */
  requests: {
    /** Who asked; each principal has keys of its own. */
    principal: string;
    key: string;
    operation: string;
    /** SHA-256 of the input and the reason, in hexadecimal. */
    input_hash: string;
    answer: string;
    at: Instant;
  };
  clock_doubts: {
    id: Generated<bigint>;
    place: ClockPlace;
    row_id: bigint;
    /** What it concerns, as the log has it: `f12`, `client alice`. */
    subject: string;
    /** The time from which the entry counts, as entered. */
    stamped: Instant;
    /** The right time of the entry, if known; else it was some time before it was found. */
    expected: Instant | null;
    found_at: Instant;
    run_id: bigint | null;
    closed_at: Instant | null;
    closed_by: string | null;
    closed_reason: string | null;
  };
}

/** Tables whose rows apply from a time that was read from a clock. */
export type ClockPlace =
  | 'fundings'
  | 'client_settings'
  | 'client_limits'
  | 'machine_rates'
  | 'commission_weights';

/** The steps between them stand in fundings/fundings.ts. */
export type FundingState = 'in_flight' | 'deposited' | 'exhausted' | 'cancelled' | 'withdrawn';

/** Where cash is left: on its way, or in a machine. In the other states none is. */
export const CASH_LEFT: readonly FundingState[] = ['in_flight', 'deposited'];

/**
 * A payout is an obligation to pay one recipient once.
 *
 * `planned`: formed, no payment yet. `paying`: a payment of it is invoiced or under way. `deferred`: try later
 * (balance too small, LNbits refused or limits the rate). `unknown`: it is not
 * known yet whether a payment arrived; the next run checks again. `held`: the operator decides (`reason` says why).
 * `settled`: every part has arrived; it can still become `held` if LNbits no longer shows a payment that it had shown.
 */
export type PayoutState = 'planned' | 'paying' | 'deferred' | 'unknown' | 'held' | 'settled';

/**
 * A payment is one bolt11 that tries to fulfil one part of a payout; at most one that is not `dead` per part.
 *
 * `invoiced`: the client's wallet made the invoice, and nothing is under way (never sent, or LNbits refused and both
 * sides show that nothing happened). `sending`: committed before each POST. `unknown`: both sides do not confirm an
 * outcome of the POST yet. `settled`: the exact amount is on the client's side, and the source's side
 * shows it paid. `dead`: it can never be paid any more; only then may the part get a new payment.
 */
export type PaymentState = 'invoiced' | 'sending' | 'unknown' | 'settled' | 'dead';

/**
 * A credit tops up the source wallet once, for a fixed set of cash-outs. LNbits credits again for each request, so a
 * credit is never requested twice, unless LNbits refused and shows nothing.
 *
 * `intended`: recorded, nothing is under way. `sending`: committed before the one call. `unknown`: the outcome of the
 * request is not known yet. `credited`: LNbits shows it. `held`: the operator decides (`reason` says why). `dropped`:
 * it did not happen, so another credit may cover its cash-outs.
 */
export type CreditState = 'intended' | 'sending' | 'unknown' | 'credited' | 'held' | 'dropped';

/** What the source wallet lacks for a payout: sats, or LNbits' service fee, which is not known yet. */
export type Lack = 'sats' | 'fee';
