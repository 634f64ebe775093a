import * as z from 'zod';
import { conflict, invalid } from '../errors.ts';
import { findClient } from '../ledger/clients/clients.ts';
import { replay, type WhatIf } from '../ledger/clients/replay.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import { plus } from '../time.ts';
import { parseName } from '../typed/names.ts';
import { parseAmount, parseCurrency } from '../typed/numbers.ts';
import { replayView, viewOfReplay } from '../views/replays.ts';
import { assertOwn, operation } from './operation.ts';

const DAY_MS = 86_400_000;
const DAYS = { '30': 30, '90': 90 };

/** What other settings, or more cash, would have meant in the last days: never what they will mean. */
export const replayClient = operation({
  name: 'clients.replay',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({
    name: z.string(),
    days: z.enum(['30', '90']).default('30'),
    /** The currency, if neither of the amounts says it: `GTQ`. */
    currency: z.string().optional(),
    mode: z.enum(['flow', 'fixed']).optional(),
    /** `500 GTQ`; counts in fixed mode. */
    daily_limit: z.string().optional(),
    /** More cash from the beginning on: `2000 GTQ`. */
    added: z.string().optional(),
  }),
  view: replayView,
  run: async ({ clock, config, ledger, who }, given) => {
    const { db } = ledger;
    const name = parseName(given.name, 'name');
    assertOwn(who, name);
    const until = clock.now();
    const client = await findClient(db, name, until, 'name');
    const known = await knownCurrencies(db, config.currencies);
    const limit =
      given.daily_limit === undefined ? null : parseAmount(given.daily_limit, 'daily_limit', known);
    const added = given.added === undefined ? null : parseAmount(given.added, 'added', known);
    if (limit === null && added === null && given.currency === undefined) {
      throw invalid('currency', 'it is missing', 'Name the currency of the cash: GTQ.');
    }
    const { currency, digits } = limit ?? added ?? parseCurrency(given.currency ?? '', 'currency', known);
    if (added && added.currency !== currency) {
      throw conflict(
        'added',
        `it is in ${added.currency}, and the limit in ${currency}`,
        'Use one currency.',
      );
    }
    const own = client.limits.find((one) => one.currency === currency)?.daily ?? null;
    const isOther = given.mode !== undefined || limit !== null;
    const whatIf: WhatIf = {
      settings: isOther ? { mode: given.mode ?? client.mode, daily: limit?.minor ?? own } : undefined,
      added: added?.minor,
    };
    const { priority } = config.allocation;
    const range = { currency, digits, from: plus(until, -DAYS[given.days] * DAY_MS), until, priority };
    const was = await replay(ledger, client.id, range);
    const would = await replay(ledger, client.id, range, whatIf);
    return viewOfReplay(range, was, would);
  },
});
