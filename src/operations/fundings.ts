import * as z from 'zod';
import { invalid } from '../errors.ts';
import { findClient } from '../ledger/clients/clients.ts';
import { adjustFunding, moveFunding } from '../ledger/fundings/corrections.ts';
import { cancelFunding } from '../ledger/fundings/fundings.ts';
import { historyOf } from '../ledger/fundings/history.ts';
import { findFunding, listFundings, noFunding } from '../ledger/fundings/view.ts';
import { lastReadAt } from '../ledger/runs/runs.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Trx } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { parseId, parseName } from '../typed/names.ts';
import { parseDifference } from '../typed/numbers.ts';
import {
  adjustedFundingView,
  checkedFundingView,
  fundingView,
  shownFundingView,
  viewOfAdjustedFunding,
  viewOfCheckedFunding,
  viewOfFunding,
  viewOfShownFunding,
} from '../views/fundings.ts';
import { givenMachine } from './enter-funding.ts';
import { machinesFor } from './new-machines.ts';
import { clientOf, operation, ownerOf } from './operation.ts';
import { readBefore } from './undistributed.ts';

/* Cash of clients, on its way or in a machine. A client sees only its own. */

export const listAllFundings = operation({
  name: 'fundings.list',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({ client: z.string().optional(), status: fundingView.shape.status.optional() }),
  view: z.array(fundingView),
  run: async ({ clock, ledger: { db }, who }, { client, status }) => {
    const name = clientOf(who, client === undefined ? undefined : parseName(client, 'client'));
    if (name !== undefined) await findClient(db, name, clock.now());
    const fundings = await listFundings(db, { client: name, status });
    return fundings.map(viewOfFunding);
  },
});

export const showFunding = operation({
  name: 'fundings.show',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({ id: z.string() }),
  view: shownFundingView,
  run: async ({ ledger: { db }, who }, given) => {
    const id = parseId('f', given.id, 'id');
    const funding = await findFunding(db, id);
    // To a client, another client's funding does not exist.
    if (funding.client !== (ownerOf(who) ?? funding.client)) throw noFunding(id);
    return viewOfShownFunding(funding, await historyOf(db, funding));
  },
});

export const cancelOneFunding = operation({
  name: 'fundings.cancel',
  needs: 'write',
  may: [],
  errors: ['ledger/currency'],
  input: z.strictObject({ id: z.string() }),
  view: checkedFundingView,
  run: async (context, given) => {
    const { clock, who, write } = context;
    const id = parseId('f', given.id, 'id');
    const cancel = (trx: Trx) => cancelFunding(trx, { ...who, at: clock.now() }, id);
    const reading = await readBefore(context, id, cancel);
    return write(async (trx) => viewOfCheckedFunding(await cancel(trx), reading));
  },
});

export const adjustOneFunding = operation({
  name: 'fundings.adjust',
  needs: 'write',
  may: [],
  errors: ['ledger/currency'],
  reasoned: true,
  /** The amount is a difference, like `-50 GTQ`. */
  input: z.strictObject({ id: z.string(), amount: z.string() }),
  view: adjustedFundingView,
  run: async (context, given) => {
    const { clock, config, ledger, who, write } = context;
    const id = parseId('f', given.id, 'id');
    const known = await knownCurrencies(ledger.db, config.currencies);
    const difference = parseDifference(given.amount, 'amount', known);
    const adjust = (trx: Trx) => adjustFunding(trx, { ...who, at: clock.now() }, id, difference);
    // Cash that is added is no cash that may have come out.
    const reading = difference.minor < 0n ? await readBefore(context, id, adjust) : null;
    const lastRead = await lastReadAt(ledger.db, config.lamassu.name);
    return write(async (trx) => viewOfAdjustedFunding(await adjust(trx), reading, lastRead));
  },
});

export const moveOneFunding = operation({
  name: 'fundings.move',
  needs: 'write',
  may: [],
  errors: ['ledger/currency'],
  input: z.strictObject({
    id: z.string(),
    machine: z.string().optional(),
    any_machine: z.boolean().default(false),
  }),
  view: checkedFundingView,
  run: async (context, given) => {
    const { clock, who, write } = context;
    const id = parseId('f', given.id, 'id');
    const machine = givenMachine(given);
    if (machine === undefined) {
      throw invalid(
        'machine',
        'it is missing',
        message`Give ${field('machine')} with the machine that the cash serves, or ${field('any_machine')}.`,
      );
    }
    const seeMachines = await machinesFor(context, machine);
    const move = async (trx: Trx) => {
      await seeMachines(trx);
      return moveFunding(trx, { ...who, at: clock.now() }, id, machine);
    };
    const reading = await readBefore(context, id, move);
    return write(async (trx) => viewOfCheckedFunding(await move(trx), reading));
  },
});
