import * as z from 'zod';
import type { Config } from '../config/config.ts';
import type { Stated } from '../dca/settlement.ts';
import { type BridgeError, conflict, invalid } from '../errors.ts';
import { settle, settledBefore } from '../ledger/cash-outs/settlement.ts';
import type { CashOutDetail } from '../ledger/cash-outs/view.ts';
import { timeOfChange } from '../ledger/clocks/doubts.ts';
import type { Who } from '../ledger/log/log.ts';
import { findMachine } from '../ledger/machines/machines.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { judgedInWords } from '../lib/reason-words.ts';
import { bind, refuseWithoutClients } from '../scheduler/setup.ts';
import { parseAmount, parseRate, parseSats, parseSatsOrNone } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import { viewOfCashOutDetail } from '../views/cash-outs.ts';
import { settlementView, viewOfProposal, viewOfSettledBefore } from '../views/settlements.ts';
import { SOURCE_ERRORS } from './errors.ts';
import { findRowId } from './lookup-cash-out.ts';
import {
  assertUnchanged,
  type Book,
  type Context,
  digestOf,
  forPreview,
  operation,
  withReason,
} from './operation.ts';
import {
  type Draft,
  draftExternal,
  draftSettled,
  externalReference,
  type StatedSettlement,
  settlementChanged,
} from './settlement-draft.ts';

/* Cash-outs that the operator distributes by hand: each is previewed, and recorded as the operator confirmed it. */

const figures = {
  /** Where the cash came out: device id or name. */
  machine: z.string().optional(),
  /** When it came out. */
  at: z.string().optional(),
  /** The cash that came out; by default what Lamassu counted. */
  fiat: z.string().optional(),
  /** What was paid for that cash, in satoshi; by default the same share of what was paid as of the cash. */
  gross: z.string().optional(),
  /** The operator's part of it; by default what Lamassu charged. */
  commission: z.string().optional(),
  /** The operator's part as a rate of the gross. */
  rate: z.string().optional(),
  /** The price of one BTC, `780000 GTQ`: what is distributed beyond the worth of the cash is commission. */
  price: z.string().optional(),
  /** Its sats are to be credited to the source wallet. */
  credit: z.boolean().default(false),
};

const settleInput = z.strictObject({ id: z.string(), ...figures });
const externalInput = z.strictObject({
  reference: z.string(),
  ...figures,
  /** The machine pays out this currency for the first time, or no client has put it in. */
  new_currency: z.boolean().default(false),
});
const digest = { digest: z.string().optional() };

/** The settlement of a cash-out that Lamassu knows, before it is made. */
export const previewSettle = operation({
  name: 'settlements.preview_settle',
  needs: 'read',
  may: [],
  errors: [...SOURCE_ERRORS, 'ledger/no-clients', 'ledger/currency'],
  reasoned: 'when-applied',
  input: settleInput,
  view: settlementView,
  run: async (context, input) => preview(context, await planSettle(context, input)),
});

/**
 * Settles a cash-out that Lamassu knows. A repetition changes nothing. Errors: `ledger/no-clients`, those of
 * `draftSettled` and `settledBefore`, and `settle/changed` if it differs from the preview of `digest`.
 */
export const settleCashOut = operation({
  name: 'settlements.settle',
  needs: 'write',
  may: [],
  errors: [...SOURCE_ERRORS, 'ledger/no-clients', 'ledger/currency', 'settle/changed'],
  reasoned: true,
  input: settleInput.extend(digest),
  view: settlementView,
  run: async (context, input) => apply(context, await planSettle(context, input), input.digest),
});

/** The settlement of a cash-out that Lamassu never saw, before it is made. */
export const previewExternal = operation({
  name: 'settlements.preview_external',
  needs: 'read',
  may: [],
  errors: ['ledger/no-clients', 'ledger/currency'],
  reasoned: 'when-applied',
  input: externalInput,
  view: settlementView,
  run: async (context, input) => preview(context, await planExternal(context, input)),
});

/** Settles a cash-out that Lamassu never saw, under a reference of the operator's. Errors: as `settlements.settle`. */
export const settleExternal = operation({
  name: 'settlements.external',
  needs: 'write',
  may: [],
  errors: ['ledger/no-clients', 'ledger/currency', 'settle/changed'],
  reasoned: true,
  input: externalInput.extend(digest),
  view: settlementView,
  run: async (context, input) => {
    const plan = await planExternal(context, input);
    if ('draft' in plan && plan.draft.currencyDoubt !== null && !input.new_currency) {
      throw doubtfulCurrency(plan.draft.currencyDoubt);
    }
    return apply(context, plan, input.digest);
  },
});

/** The error for a currency that is not confirmed. */
export function doubtfulCurrency(doubt: string): BridgeError {
  return conflict(
    'fiat',
    `is that the right currency? ${doubt}`,
    message`Check ${field('fiat')} and ${field('machine')}. If they are right, add ${field('new_currency')}.`,
  );
}

type SettlementContext = Pick<Context, 'config' | 'who' | 'clock'> & { ledger: Book };
type EntryContext = Omit<SettlementContext, 'ledger' | 'who'> & { who: Who & { reason: string } };

/** What is to be settled, or was settled before with the same figures. */
type SettlementPlan = { draft: Draft } | { before: CashOutDetail };

async function planSettle(
  { config, ledger }: SettlementContext,
  input: z.output<typeof settleInput>,
): Promise<SettlementPlan> {
  const { db } = ledger;
  const given = await statedFigures(config, db, input);
  await refuseWithoutClients(db);
  const id = await findRowId(config, ledger, input.id.trim());
  const machine =
    given.machine === undefined ? undefined : (await findMachine(db, given.machine, 'machine')).device_id;
  const { stated, credit } = given;
  const before = await settledBefore(db, { id, stated, credit, ...(machine !== undefined && { machine }) });
  return before ? { before } : { draft: await draftSettled(config, ledger, id, { ...given, machine }) };
}

async function planExternal(
  { config, ledger }: SettlementContext,
  input: z.output<typeof externalInput>,
): Promise<SettlementPlan> {
  const { db } = ledger;
  const { commission, rate, price } = input;
  if (commission === undefined && rate === undefined && price === undefined) {
    throw invalid(
      'commission',
      message`an external settlement needs it, or ${field('rate')}, or ${field('price')}`,
      'Like "3000 sat", a rate of 5.5%, or a price of "780000 GTQ" for one BTC.',
    );
  }
  // With a price, the cash is worth its sats.
  const needed = ['machine', 'at', 'fiat', ...(price === undefined ? (['gross'] as const) : [])] as const;
  const missing = needed.filter((name) => input[name] === undefined);
  const given = await statedFigures(config, db, input);
  const { stated, credit, machine: named, at } = given;
  const [first = 'at', ...others] = missing;
  if (missing.length > 0 || named === undefined || at === undefined) {
    const all = others.reduce((some, name) => message`${some}, ${field(name)}`, message`${field(first)}`);
    throw invalid(first, message`an external settlement needs ${all}`, 'There is no other source for it.');
  }
  const id = externalReference(input.reference);
  await refuseWithoutClients(db);
  const machine = (await findMachine(db, named, 'machine')).device_id;
  const before = await settledBefore(db, { id, stated, machine, at, credit });
  return before
    ? { before }
    : { draft: await draftExternal(config, ledger, id, { stated, credit, machine, at }) };
}

async function statedFigures(
  config: Pick<Config, 'currencies' | 'timezone'>,
  db: Db,
  { machine, at, credit, ...stated }: z.output<typeof settleInput | typeof externalInput>,
): Promise<StatedSettlement> {
  return {
    stated: await statedBy(config, db, stated),
    credit,
    machine,
    at: at === undefined ? undefined : parseTime(at, config.timezone, 'at'),
  };
}

async function statedBy(
  { currencies }: Pick<Config, 'currencies'>,
  db: Db,
  {
    fiat,
    gross,
    commission,
    rate,
    price,
  }: Partial<Record<'fiat' | 'gross' | 'commission' | 'rate' | 'price', string | undefined>>,
): Promise<Stated> {
  const charges = { commission, rate, price };
  const [first, second] = Object.entries(charges).flatMap(([name, text]) =>
    text === undefined ? [] : [name],
  );
  if (first !== undefined && second !== undefined) {
    throw conflict(second, message`${field(first)} is given too`, 'Use one of them.');
  }
  const known = await knownCurrencies(db, currencies);
  return {
    fiat: fiat === undefined ? undefined : parseAmount(fiat, 'fiat', known),
    distributed: gross === undefined ? undefined : parseSats(gross, 'gross'),
    commission: commission === undefined ? undefined : parseSatsOrNone(commission, 'commission'),
    rate: rate === undefined ? undefined : parseRate(rate, 'rate'),
    price: price === undefined ? undefined : parseAmount(price, 'price', known),
  };
}

async function preview(
  context: SettlementContext,
  plan: SettlementPlan,
): Promise<z.input<typeof settlementView>> {
  const { config, ledger } = context;
  if ('before' in plan) return viewOfSettledBefore(plan.before);
  const { draft } = plan;
  refuseCreditOff(config, draft);
  const who = forPreview(context.who);
  const shown = await ledger.dryRun((trx) => enter(trx, { ...context, who }, draft));
  return {
    ...viewOfSettlement(shown, draft),
    ...{ dry_run: true, settled: false, digest: digestOf(agreedOf(draft, shown)) },
  };
}

async function apply(
  context: Omit<SettlementContext, 'ledger'> & Pick<Context, 'write'>,
  plan: SettlementPlan,
  agreed: string | undefined,
): Promise<z.input<typeof settlementView>> {
  const { config, write } = context;
  if ('before' in plan) {
    const { before } = plan;
    return write(async () => viewOfSettledBefore(before));
  }
  const { draft } = plan;
  refuseCreditOff(config, draft);
  return write(async (trx) => {
    const written = await enter(trx, { ...context, who: withReason(context.who) }, draft);
    assertUnchanged(agreedOf(draft, written), agreed, () => settlementChanged(written.cashOut.id));
    return { ...viewOfSettlement(written, draft), dry_run: false, settled: true, digest: null };
  });
}

async function enter(
  trx: Trx,
  { config, who, clock }: EntryContext,
  { settlement, lamassu }: Draft,
): Promise<CashOutDetail> {
  if (lamassu) await bind(trx, config.lamassu, lamassu.answer, clock.now());
  const { timezone, allocation } = config;
  const act = { ...who, at: await timeOfChange(trx, clock.host(), { fromNow: false }) };
  return settle(trx, act, settlement, { timezone, priority: allocation.priority });
}

/**
 * What the operator saw and agrees to: the figures, whose cash it is, and what Lamassu said; not the time of the
 *  preview.
 */
function agreedOf({ settlement, lamassu }: Draft, { cashOut, allocations }: CashOutDetail) {
  const { fiat, currency, distributed, commission, machine, undelivered } = settlement.cashOut;
  return {
    ...{ fiat, currency, distributed, commission, machine, undelivered },
    division: [cashOut.own, cashOut.own_fiat, cashOut.commission],
    allocations: allocations.map((one) => [one.funding_id, one.fiat, one.gross, one.commission, one.net]),
    lamassu: lamassu?.found.columns ?? null,
  };
}

function refuseCreditOff({ lnbits }: Pick<Config, 'lnbits'>, { settlement }: Draft): void {
  if (!settlement.credit || lnbits.creditSource) return;
  throw conflict(
    'credit',
    '[lnbits] credit_source is off, so nothing would be credited',
    'Leave it out and make sure that the source wallet holds these sats; or first switch it on: docs/crediting.md.',
  );
}

function viewOfSettlement(detail: CashOutDetail, { settlement, lamassu, currencyDoubt }: Draft) {
  const found = lamassu?.found;
  const says = found && {
    says: found.verdict.eligible ? 'it is successful' : judgedInWords(found.verdict),
    partial: found.partial,
    dispenses: found.dispenses,
  };
  return {
    ...viewOfCashOutDetail(detail),
    already_settled: false,
    proposal: viewOfProposal(settlement, says ?? null, currencyDoubt),
  };
}
