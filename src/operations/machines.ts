import * as z from 'zod';
import type { Currencies } from '../dca/currency.ts';
import { BridgeError } from '../errors.ts';
import { timeOfChange } from '../ledger/clocks/doubts.ts';
import { replaceMachine, setMachine } from '../ledger/machine-changes.ts';
import { findMachine, findReplaced, type Machine, machinesInUse } from '../ledger/machines/machines.ts';
import { type MachineWithCash, machineViews } from '../ledger/machines/view.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Db } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import { parseMachineName } from '../typed/names.ts';
import { parseCommissionRate, parseCurrency } from '../typed/numbers.ts';
import {
  changedMachineView,
  machineView,
  planOfReplacement,
  replacedMachineView,
  replacementView,
  shownMachineView,
  viewOfChangedMachine,
  viewOfMachine,
  viewOfReplacedMachine,
  viewOfShownMachine,
} from '../views/machines.ts';
import { machinesFor } from './new-machines.ts';
import { assertUnchanged, digestOf, operation } from './operation.ts';

/* The known machines, their settings, and the cash for them. A machine is named by its device id or its name. */

export const listMachines = operation({
  name: 'machines.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: z.array(machineView),
  run: async ({ clock, ledger: { db } }) =>
    (await machineViews(db, await machinesInUse(db), clock.now())).map(viewOfMachine),
});

export const showMachine = operation({
  name: 'machines.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({ machine: z.string() }),
  view: shownMachineView,
  run: async ({ clock, ledger: { db } }, { machine: named }) => {
    const replaced = await findReplaced(db, named);
    const machine = replaced?.machine ?? (await findMachine(db, named, 'machine'));
    return viewOfShownMachine(await withCash(db, machine, clock.now()), replaced);
  },
});

/** Null removes a name or a currency, `none` a rate. */
export const setMachineSettings = operation({
  name: 'machines.set',
  needs: 'write',
  may: [],
  errors: ['clock/differs', 'ledger/currency'],
  input: z.strictObject({
    machine: z.string(),
    name: z.string().nullish(),
    currency: z.string().nullish(),
    commission_rate: z.string().optional(),
    min_rate: z.string().optional(),
    max_rate: z.string().optional(),
  }),
  view: changedMachineView,
  run: async ({ clock, ledger, config, who, write }, { machine: named, ...given }) => {
    if (Object.values(given).every((value) => value === undefined)) {
      throw new BridgeError(
        'usage/invalid',
        'no change was given.',
        message`Give ${field('name')}, ${field('currency')}, ${field('commission_rate')}, ${field('min_rate')} or ${field('max_rate')}.`,
      );
    }
    const rates = {
      rate: rateOrNone(given.commission_rate, 'commission_rate'),
      min_rate: rateOrNone(given.min_rate, 'min_rate'),
      max_rate: rateOrNone(given.max_rate, 'max_rate'),
    };
    const name = typeof given.name === 'string' ? parseMachineName(given.name, 'name') : given.name;
    const currency =
      typeof given.currency === 'string'
        ? currencyOf(given.currency, await knownCurrencies(ledger.db, config.currencies))
        : given.currency;
    const change = { ...rates, name, currency };
    const hasRates = Object.values(rates).some((rate) => rate !== undefined);
    const seeMachines = await machinesFor({ config, clock, ledger, who }, named);
    return write(async (trx) => {
      await seeMachines(trx);
      const { device_id: id } = await findMachine(trx, named, 'machine');
      const at = await timeOfChange(trx, clock.host(), { fromNow: hasRates, subject: `machine ${id}` });
      const { machine, outside } = await setMachine(trx, { ...who, at }, named, change);
      return viewOfChangedMachine(await withCash(trx, machine, clock.now()), outside);
    });
  },
});

const replacement = { old: z.string(), new: z.string() };

/** What `machines.replace` would do: it replaces the machine and rolls back. */
export const previewReplacement = operation({
  name: 'machines.preview_replace',
  needs: 'read',
  may: [],
  errors: [],
  input: z.strictObject(replacement),
  view: replacementView,
  run: async ({ clock, ledger, who }, given) => {
    const { old, next, moved } = await ledger.dryRun((trx) =>
      replaceMachine(trx, { ...who, at: clock.now() }, given.old, given.new),
    );
    const plan = planOfReplacement(old, next, moved);
    return { ...plan, digest: digestOf(plan) };
  },
});

export const replaceMachineBy = operation({
  name: 'machines.replace',
  needs: 'write',
  may: [],
  errors: ['clock/differs', 'usage/changed'],
  input: z.strictObject({ ...replacement, digest: z.string().optional() }),
  view: replacedMachineView,
  run: ({ clock, write, who }, given) =>
    write(async (trx) => {
      const act = { ...who, at: await timeOfChange(trx, clock.host(), { fromNow: true }) };
      const { old, next, moved } = await replaceMachine(trx, act, given.old, given.new);
      assertUnchanged(planOfReplacement(old, next, moved), given.digest);
      return viewOfReplacedMachine(await withCash(trx, next, clock.now()), old, moved);
    }),
});

async function withCash(db: Db, machine: Machine, now: Instant): Promise<MachineWithCash> {
  const [view] = await machineViews(db, [machine], now);
  if (!view) throw new Error('a machine without a view');
  return view;
}

function currencyOf(text: string, known: Currencies) {
  const { currency: code, digits } = parseCurrency(text, 'currency', known);
  return { code, digits };
}

function rateOrNone(text: string | undefined, of: string): bigint | null | undefined {
  if (text === undefined) return undefined;
  return text.trim() === 'none' ? null : parseCommissionRate(text, of);
}
