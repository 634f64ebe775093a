import { formatRate, percent, percentRange } from '../dca/money.ts';
import { conflict, invalid } from '../errors.ts';
import { call, field, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import { changeFunding } from './fundings/fundings.ts';
import { type Funding, listFundings } from './fundings/view.ts';
import { type Act, record, toJson } from './log/log.ts';
import { successors } from './machines/lineage.ts';
import { findMachine, findReplaced, type Machine, machineLabel, machinesInUse } from './machines/machines.ts';
import { isWithin, type Rates, ratesAt } from './machines/rates.ts';
import { useCurrency } from './store/currencies.ts';
import { ALWAYS } from './store/effective-dated.ts';
import type { Trx } from './store/open.ts';
import { CASH_LEFT } from './store/schema.ts';

/** Settings to change: undefined leaves a value as it is, null removes it. */
export interface MachineChange {
  name?: string | null | undefined;
  currency?: { code: string; digits: number } | null | undefined;
  rate?: bigint | null | undefined;
  min_rate?: bigint | null | undefined;
  max_rate?: bigint | null | undefined;
}

/**
 * Changes a machine; its rates apply to cash-outs confirmed from `at` on. Fundings keep their agreed rates; `outside`
 * are those whose rate the machine does not allow any more. Throws `usage/invalid`.
 */
export async function setMachine(
  trx: Trx,
  act: Act,
  named: string,
  change: MachineChange,
): Promise<{ machine: Machine; outside: Funding[] }> {
  const { at } = act;
  const before = await findMachine(trx, named, 'machine');
  const id = before.device_id;
  const open = await openFundings(trx, id);
  const rates = await ratesAt(trx, id, at);
  if (typeof change.name === 'string') await giveName(trx, before, change.name);
  // The next run takes the name from Lamassu again.
  if (change.name === null) {
    await trx
      .updateTable('machines')
      .set({ name: null, name_given: 0n })
      .where('device_id', '=', id)
      .execute();
  }
  if (change.currency === null) {
    await trx.updateTable('machines').set({ currency: null }).where('device_id', '=', id).execute();
  }
  if (change.currency && change.currency.code !== before.currency) {
    await useCurrency(trx, change.currency.code, change.currency.digits);
    refuseCurrencies('currency', open, { ...before, currency: change.currency.code });
    await trx
      .updateTable('machines')
      .set({ currency: change.currency.code })
      .where('device_id', '=', id)
      .execute();
  }
  const wanted: Rates = {
    rate: change.rate === undefined ? rates.rate : change.rate,
    min_rate: change.min_rate === undefined ? rates.min_rate : change.min_rate,
    max_rate: change.max_rate === undefined ? rates.max_rate : change.max_rate,
  };
  if (toJson(wanted) !== toJson(rates)) {
    refuseRange(wanted, change);
    await trx
      .insertInto('machine_rates')
      .values({ device_id: id, from_at: at, ...wanted })
      .execute();
  }
  const machine = await findMachine(trx, id, 'machine');
  const states = { before: snapshot(before, rates), after: snapshot(machine, wanted) };
  if (toJson(states.before) !== toJson(states.after)) {
    await record(trx, act, { action: 'machine set', subject: `machine ${id}`, ...states });
  }
  const anywhere = (await openFundings(trx, null)).filter(
    ({ currency }) => (machine.currency ?? currency) === currency,
  );
  const outside = [...open, ...anywhere].filter(({ rate }) => rate !== null && !isWithin(rate, wanted));
  return { machine, outside };
}

/** Checks that a name is unique among the machines in use, and is not another machine's device id. */
async function giveName(trx: Trx, { device_id }: Machine, name: string): Promise<void> {
  const replaced = await findReplaced(trx, name);
  if (replaced) {
    throw conflict(
      'name',
      `${JSON.stringify(name)} is the device id of a machine whose place ${machineLabel(replaced.by)} took`,
      'Choose another name, so that each machine can be meant by its own.',
    );
  }
  const taken = (await machinesInUse(trx)).find(
    (other) => other.device_id !== device_id && (other.name === name || other.device_id === name),
  );
  if (taken) {
    throw conflict(
      'name',
      `${machineLabel(taken)} is already called ${JSON.stringify(name)}`,
      'Choose another name, so that each machine can be meant by its own.',
    );
  }
  await trx
    .updateTable('machines')
    .set({ name, name_given: 1n })
    .where('device_id', '=', device_id)
    .execute();
}

function refuseRange(rates: Rates, change: MachineChange): void {
  const { rate, min_rate: min, max_rate: max } = rates;
  if (min !== null && max !== null && min > max) {
    throw invalid(
      'min_rate',
      message`${percent(min)} is more than ${field('max_rate')}, ${percent(max)}`,
      message`Lower it, or raise ${field('max_rate')}.`,
    );
  }
  if (rate === null || isWithin(rate, rates)) return;
  if (change.rate === undefined) {
    const low = min !== null && rate < min;
    throw conflict(
      low ? 'min_rate' : 'max_rate',
      low
        ? `${percent(min)} is more than the commission rate of the machine, ${percent(rate)}`
        : `${percent(max ?? 0n)} is less than the commission rate of the machine, ${percent(rate)}`,
      message`Choose another one, or change ${field('commission_rate')} as well.`,
    );
  }
  throw conflict(
    'commission_rate',
    `${percent(rate)} is outside of what fundings may have here, ${percentRange(min, max)}`,
    message`Choose one within, or change ${field('min_rate')} and ${field('max_rate')}.`,
  );
}

/**
 * `next` replaces a machine, which is no longer in use. It gets the open fundings, and the name, currency, rates and
 * commission recipients if it has none of its own. Late cash-outs of the old machine are still divided over these
 * fundings. To undo a replacement, replace the new machine by the old one. Throws `usage/invalid`.
 */
export async function replaceMachine(
  trx: Trx,
  act: Act,
  oldNamed: string,
  newNamed: string,
): Promise<{ old: Machine; next: Machine; moved: Funding[] }> {
  const { at } = act;
  const old = await findMachine(trx, oldNamed, 'old');
  const before = await successorOf(trx, old, newNamed);
  const open = await openFundings(trx, old.device_id);
  refuseCurrencies('new', open, before);
  const id = before.device_id;
  const ratesBefore = await ratesAt(trx, id, at);
  await trx
    .updateTable('machines')
    .set({
      replaced_by: null,
      currency: before.currency ?? old.currency,
      ...(before.name === null ? { name: old.name, name_given: old.name_given } : {}),
    })
    .where('device_id', '=', id)
    .execute();
  await takeOverRates(trx, old.device_id, id, at);
  await takeOverRecipients(trx, old.device_id, id, at);
  const moved: Funding[] = [];
  for (const funding of open) {
    const reason = `${machineLabel(before)} replaces ${machineLabel(old)}`;
    moved.push(
      await changeFunding(trx, { ...act, reason }, funding, { action: 'funding move', to: { machine: id } }),
    );
  }
  await trx.updateTable('machines').set({ replaced_by: id }).where('device_id', '=', old.device_id).execute();
  const next = await findMachine(trx, id, 'new');
  const fundings = moved.map((one) => `f${one.id}`);
  await record(trx, act, {
    ...{ action: 'machine replace', subject: `machine ${old.device_id}` },
    before: { replaced_by: null },
    after: { replaced_by: id, fundings },
  });
  await record(trx, act, {
    ...{ action: 'machine take over', subject: `machine ${id}` },
    before: { replaced_by: before.replaced_by, ...snapshot(before, ratesBefore) },
    after: {
      ...{ replaced_by: null, ...snapshot(next, await ratesAt(trx, id, at)) },
      ...{ replaces: old.device_id, fundings },
    },
  });
  return { old, next, moved };
}

/** The machine that replaces `old`: one in use, or one that `old` has replaced. */
async function successorOf(trx: Trx, old: Machine, named: string): Promise<Machine> {
  const replaced = await findReplaced(trx, named);
  if (replaced && (await successors(trx, named)).includes(old.device_id)) return replaced.machine;
  const next = await findMachine(trx, named, 'new');
  if (next.device_id !== old.device_id) return next;
  throw invalid(
    'new',
    `${machineLabel(old)} cannot replace itself`,
    'Give the machine that takes its place.',
  );
}

/** First rates apply to all time: the machine may have been in use before it was recorded. */
async function takeOverRates(trx: Trx, old: string, next: string, at: Instant): Promise<void> {
  const own = await trx
    .selectFrom('machine_rates')
    .select('id')
    .where('device_id', '=', next)
    .executeTakeFirst();
  const rates = await ratesAt(trx, old, at);
  if (own || Object.values(rates).every((rate) => rate === null)) return;
  await trx
    .insertInto('machine_rates')
    .values({ device_id: next, from_at: ALWAYS, ...rates })
    .execute();
}

/**
 * First recipients apply to all time as well, unless cash-outs were divided without them: those keep their division.
 */
async function takeOverRecipients(trx: Trx, old: string, next: string, at: Instant): Promise<void> {
  const rows = await trx
    .selectFrom('commission_weights')
    .select(['recipient_id', 'machine', 'weight'])
    .where('machine', 'in', [old, next])
    .orderBy('from_at')
    .orderBy('id')
    .execute();
  if (rows.some(({ machine }) => machine === next)) return;
  const divided = await trx
    .selectFrom('cash_outs')
    .select('id')
    .where('machine', '=', next)
    .limit(1)
    .executeTakeFirst();
  const from_at = divided ? at : ALWAYS;
  const last = new Map(rows.map((row) => [row.recipient_id, row]));
  for (const { recipient_id, weight } of last.values()) {
    if (weight === 0n) continue;
    await trx
      .insertInto('commission_weights')
      .values({ recipient_id, machine: next, from_at, weight })
      .execute();
  }
}

/** Those of one machine, or, with null, those that serve all. */
async function openFundings(trx: Trx, machine: string | null): Promise<Funding[]> {
  const fundings = await listFundings(trx);
  return fundings.filter((one) => one.machine === machine && CASH_LEFT.includes(one.status));
}

function refuseCurrencies(of: string, open: Funding[], machine: Machine): void {
  const { currency } = machine;
  const other = currency === null ? undefined : open.find((one) => one.currency !== currency);
  if (!other) return;
  throw conflict(
    of,
    `f${other.id} is cash in ${other.currency}, and ${machineLabel(machine)} would pay out ${currency}`,
    message`Move or withdraw it first: ${call('fundings.show', { id: `f${other.id}` })} shows it.`,
  );
}

function snapshot({ name, currency }: Machine, { rate, min_rate: min, max_rate: max }: Rates) {
  const shown = (one: bigint | null) => (one === null ? null : formatRate(one));
  return { name, currency, commission_rate: shown(rate), min_rate: shown(min), max_rate: shown(max) };
}
