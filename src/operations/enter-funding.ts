import * as z from 'zod';
import type { Config } from '../config/config.ts';
import { invalid } from '../errors.ts';
import { timeOfChange } from '../ledger/clocks/doubts.ts';
import { addFunding, confirmFunding } from '../ledger/fundings/fundings.ts';
import type { Past, PastChoice } from '../ledger/fundings/late.ts';
import { type Funding, findFunding } from '../ledger/fundings/view.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import { call, field, message } from '../lib/message.ts';
import { parseId, parseName } from '../typed/names.ts';
import { parseAmount, parseCommissionRate } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import {
  enteredFundingView,
  type PastView,
  pastView,
  viewOfEnteredFunding,
  viewOfPast,
} from '../views/fundings.ts';
import { machinesFor } from './new-machines.ts';
import { assertUnchanged, type Context, digestOf, operation } from './operation.ts';

/* Cash of a client that is added, or confirmed as in the machine, also later than it was put in. */

/** The choice for cash-outs that were divided before the cash was entered: one of the two, if there are any. */
const late = {
  /** The time from which the cash is in the machine; by default from now on. */
  at: z.string().optional(),
  /** The funding gets its part of the operator's own share in them. */
  from_own: z.boolean().default(false),
  /** They stay as they are. */
  no_past: z.boolean().default(false),
};

const addition = z.strictObject({
  client: z.string(),
  amount: z.string(),
  machine: z.string().optional(),
  any_machine: z.boolean().default(false),
  rate: z.string().optional(),
  /** The currency is right, although no machine has paid it out so far. */
  new_currency: z.boolean().default(false),
  /** The cash is in the machine. */
  deposited: z.boolean().default(false),
  ...late,
});

const confirmation = z.strictObject({
  id: z.string(),
  /** What was counted in the machine; by default what was announced. */
  counted: z.string().optional(),
  ...late,
});

/** The digest of the preview. */
const seen = { digest: z.string().optional() };

export const addOneFunding = operation({
  name: 'fundings.add',
  needs: 'write',
  may: [],
  errors: ['clock/differs', 'ledger/currency', 'usage/changed'],
  input: addition.extend(seen),
  view: enteredFundingView,
  run: async ({ clock, config, ledger, who, write }, given) => {
    const add = addsFunding(given, { config, who, clock });
    const seeMachines = await machinesFor({ config, who, clock, ledger }, given.machine);
    return write(async (trx) => {
      await seeMachines(trx);
      const { funding, past } = await unchanged(add(trx, choiceOf(given)), given.digest);
      return viewOfEnteredFunding(funding, past);
    });
  },
});

export const confirmOneFunding = operation({
  name: 'fundings.confirm',
  needs: 'write',
  may: [],
  errors: ['clock/differs', 'ledger/currency', 'usage/changed'],
  input: confirmation.extend(seen),
  view: enteredFundingView,
  run: async ({ clock, config, who, write }, given) => {
    const confirm = confirmsFunding(given, { config, who, clock });
    return write(async (trx) => {
      const { funding, past, announced } = await unchanged(confirm(trx, choiceOf(given)), given.digest);
      return viewOfEnteredFunding(funding, past, announced);
    });
  },
});

/** The cash-outs that were divided without the cash of a new funding, for the choice of what happens to them. */
export const previewAddFunding = operation({
  name: 'fundings.preview_add',
  needs: 'read',
  may: [],
  errors: ['clock/differs', 'ledger/currency'],
  input: addition,
  view: pastView,
  run: async ({ clock, ledger, config, who }, given) => {
    const add = addsFunding(given, { config, who, clock });
    const seeMachines = await machinesFor({ config, who, clock, ledger }, given.machine);
    return pastOf(ledger, async (trx, choice) => {
      await seeMachines(trx);
      return add(trx, choice);
    });
  },
});

/** The same of a funding that is confirmed. */
export const previewConfirmFunding = operation({
  name: 'fundings.preview_confirm',
  needs: 'read',
  may: [],
  errors: ['clock/differs', 'ledger/currency'],
  input: confirmation,
  view: pastView,
  run: ({ clock, ledger, config, who }, given) =>
    pastOf(ledger, confirmsFunding(given, { config, who, clock })),
});

/** Enters the cash, and rolls back. */
async function pastOf(
  ledger: Ledger,
  enter: (trx: Trx, choice: PastChoice) => Promise<Entered>,
): Promise<PastView> {
  const { funding, past } = await ledger.dryRun((trx) => enter(trx, 'leave'));
  return { ...viewOfPast(funding, past.cashOuts), digest: digestOf(past.cashOuts) };
}

interface Entered {
  funding: Funding;
  past: Past;
}

type FundingContext = Pick<Context, 'config' | 'who' | 'clock'>;

/** Checks what needs no ledger, and answers what adds the funding. */
function addsFunding(given: z.output<typeof addition>, { config, who, clock }: FundingContext) {
  const client = parseName(given.client, 'client');
  const rate = given.rate === undefined ? null : parseCommissionRate(given.rate, 'rate');
  const machine = givenMachine(given);
  const { deposited, new_currency: newCurrency } = given;
  if (given.at !== undefined && !deposited) {
    throw invalid(
      'at',
      message`a time was given for cash in the machine, but ${field('deposited')} was not`,
      message`Add ${field('deposited')}, or give ${field('at')} to ${call('fundings.confirm')}.`,
    );
  }
  if (given.from_own && !deposited) {
    throw invalid(
      'from_own',
      message`cash on its way has no part in the past, and ${field('deposited')} was not given`,
      message`Add ${field('deposited')} and ${field('at')}, or give ${field('from_own')} to ${call('fundings.confirm')}.`,
    );
  }
  const since = sinceOf(given, config);
  return async (trx: Trx, past: PastChoice | undefined): Promise<Entered> => {
    const amount = parseAmount(given.amount, 'amount', await knownCurrencies(trx, config.currencies));
    const fromNow = deposited && since === undefined;
    const at = await timeOfChange(trx, clock.host(), { fromNow, stated: since });
    const depositedAt = deposited ? (since ?? at) : null;
    const wanted = { client, amount, machine, rate, depositedAt, newCurrency, past };
    return addFunding(trx, { ...who, at }, wanted);
  };
}

/** Checks what needs no ledger, and answers what confirms the funding. */
function confirmsFunding(given: z.output<typeof confirmation>, { config, who, clock }: FundingContext) {
  const id = parseId('f', given.id, 'id');
  const since = sinceOf(given, config);
  return async (trx: Trx, past: PastChoice | undefined): Promise<Entered & { announced: bigint }> => {
    const known = await knownCurrencies(trx, config.currencies);
    const counted = given.counted === undefined ? null : parseAmount(given.counted, 'counted', known);
    const fromNow = since === undefined;
    const at = await timeOfChange(trx, clock.host(), { fromNow, stated: since });
    const { amount: announced } = await findFunding(trx, id);
    const confirmed = { depositedAt: since ?? at, stated: since !== undefined, counted, past };
    return { announced, ...(await confirmFunding(trx, { ...who, at }, id, confirmed)) };
  };
}

/** The time from which the cash is in the machine; undefined: from now on. */
function sinceOf(
  {
    at,
    from_own: fromOwn,
    no_past: noPast,
  }: { at?: string | undefined; from_own: boolean; no_past: boolean },
  { timezone }: Pick<Config, 'timezone'>,
) {
  if (fromOwn && noPast) {
    throw invalid('from_own', message`${field('no_past')} is given too`, 'Use one of them.');
  }
  if (at !== undefined) return parseTime(at, timezone, 'at');
  if (!fromOwn) return undefined;
  throw invalid(
    'from_own',
    message`without ${field('at')} the cash is in the machine from now on, so it has no part in the past`,
    message`Add ${field('at')} with the time from which it was there, or leave ${field('from_own')} out.`,
  );
}

function choiceOf({ from_own: fromOwn, no_past: noPast }: { from_own: boolean; no_past: boolean }) {
  return fromOwn ? 'from-own' : noPast ? 'leave' : undefined;
}

/** The funding, if its past is still as in the preview. */
async function unchanged<E extends Entered>(entering: Promise<E>, digest: string | undefined): Promise<E> {
  const entered = await entering;
  assertUnchanged(entered.past.cashOuts, digest);
  return entered;
}

/** Null: it serves all machines; undefined: none was given. */
export function givenMachine({
  machine,
  any_machine: any,
}: {
  machine?: string | undefined;
  any_machine: boolean;
}) {
  if (!any) return machine;
  if (machine === undefined) return null;
  throw invalid('any_machine', message`${field('machine')} is given too`, 'Use one of them.');
}
