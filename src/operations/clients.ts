import * as z from 'zod';
import { keyInput } from '../config/secret-input.ts';
import type { Currencies } from '../dca/currency.ts';
import { BridgeError, invalid } from '../errors.ts';
import { addClient, type LimitChange, pauseClient, setClient } from '../ledger/clients/changes.ts';
import { type Client, clientsAt, findClient, openClient } from '../ledger/clients/clients.ts';
import { closeClient } from '../ledger/clients/close.ts';
import { refuseTakenName } from '../ledger/clients/names.ts';
import { type ClientWithCash as Known, viewsOf } from '../ledger/clients/view.ts';
import { timeOfChange } from '../ledger/clocks/doubts.ts';
import type { Act, Who } from '../ledger/log/log.ts';
import { openPayoutsOf } from '../ledger/payouts/open-payouts.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { waitsNow } from '../scheduler/due.ts';
import { parseName } from '../typed/names.ts';
import { type Amount, parseAmount, parseCurrency } from '../typed/numbers.ts';
import {
  changedClientView,
  clientView,
  setClientView,
  shownClientView,
  viewOfChangedClient,
  viewOfClient,
  viewOfSetClient,
} from '../views/clients.ts';
import { viewOfWait } from '../views/waits.ts';
import { LNBITS } from './errors.ts';
import { assertOwn, type Context, operation } from './operation.ts';
import { testedWalletKey } from './wallet-key.ts';

/*
 * Clients. A client may see its own data, and change its mode, its daily limits up to their maximum, and whether it
 * gets new allocations. Only the operator may change the wallet.
 */

const input = z.strictObject({ name: z.string() });
const mode = z.enum(['flow', 'fixed']);
const limits = {
  /** `500 GTQ`, or `none GTQ` to remove it; once per currency. */
  daily_limit: z.array(z.string()).optional(),
  max_daily_limit: z.array(z.string()).optional(),
};

export const listClients = operation({
  name: 'clients.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    /** Only the clients of these names. */
    name: z.array(z.string()).optional(),
  }),
  view: z.array(clientView),
  run: async ({ clock, ledger: { db } }, { name: wanted }) => {
    const all = await clientsAt(db, clock.now());
    for (const name of wanted ?? []) {
      if (!all.some((one) => one.name === name)) await findClient(db, name, clock.now(), 'name');
    }
    const shown = wanted === undefined ? all : all.filter(({ name }) => wanted.includes(name));
    return (await viewsOf(db, shown)).map(viewOfClient);
  },
});

/** The same without what they have and bought, which takes longer to find out. */
export const listSetClients = operation({
  name: 'clients.list_settings',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: z.array(setClientView),
  run: async ({ clock, ledger: { db } }) => (await clientsAt(db, clock.now())).map(viewOfSetClient),
});

export const showClient = operation({
  name: 'clients.show',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input,
  view: shownClientView,
  run: async ({ clock, config, ledger, who }, given) => {
    const { db } = ledger;
    const client = await findClient(db, ownName(who, given.name), clock.now(), 'name');
    const waits = (await waitsNow(ledger, config))
      .filter(({ kind, recipient }) => kind === 'client' && recipient === client.name)
      .map((wait) => viewOfWait(wait, config.payouts.minimumSats))
      // The words may tell of the source wallet, which is the operator's.
      .map((wait) => (who.principal.kind === 'client' ? { ...wait, detail: null } : wait));
    return { ...viewOfClient(await withCash(db, client)), waits };
  },
});

/** What waits is no setting, and takes a transaction of its own to find out. */
export const showClientSettings = operation({
  name: 'clients.settings',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input,
  view: clientView,
  run: async ({ clock, ledger: { db }, who }, given) =>
    viewOfClient(await withCash(db, await findClient(db, ownName(who, given.name), clock.now(), 'name'))),
});

export const addNewClient = operation({
  name: 'clients.add',
  needs: 'write',
  may: [],
  errors: [...LNBITS, 'ledger/currency'],
  input: input.extend({ wallet_key: keyInput, mode: mode.default('flow'), ...limits }),
  view: clientView,
  run: async ({ clock, ledger, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    const changes = limitChanges(given, await knownCurrencies(ledger.db, config.currencies));
    // Check the name first: testing the key leaves an invoice in the wallet.
    await refuseTakenName(ledger.db, name);
    const wallet = await testedWalletKey(given.wallet_key, config, clock);
    const client = { name, wallet, mode: given.mode, limits: changes };
    return changeNow({ write, who, clock }, null, (trx, act) => addClient(trx, act, client), viewOfClient);
  },
});

export const setClientSettings = operation({
  name: 'clients.set',
  needs: 'write',
  may: ['client'],
  errors: [...LNBITS, 'clock/differs', 'ledger/currency'],
  input: input.extend({
    mode: mode.optional(),
    ...limits,
    wallet_key: keyInput.optional(),
    new_wallet: z.boolean().default(false),
    /** Whether the client gets new allocations; `clients.pause` and `clients.resume` by themselves. */
    paused: z.boolean().optional(),
  }),
  view: changedClientView,
  run: async ({ clock, ledger, config, who, write }, given) => {
    const name = ownName(who, given.name);
    const { wallet_key: key, new_wallet: newWallet } = given;
    refuseOperatorsFields(who, given);
    if (newWallet && !key) {
      throw invalid(
        'new_wallet',
        'no wallet was given',
        message`Add ${field('wallet_key')} with the key of the new wallet.`,
      );
    }
    const changes = limitChanges(given, await knownCurrencies(ledger.db, config.currencies));
    const { paused } = given;
    if (given.mode === undefined && changes.length === 0 && !key && paused === undefined) {
      throw new BridgeError(
        'usage/invalid',
        'no change was given.',
        who.principal.kind === 'client'
          ? message`Give ${field('mode')}, ${field('daily_limit')} or ${field('paused')}.`
          : message`Give ${field('mode')}, ${field('daily_limit')}, ${field('max_daily_limit')} or ${field('wallet_key')}.`,
      );
    }
    const before = await openClient(ledger.db, name, clock.now());
    const wallet = key && (await testedWalletKey(key, config, clock));
    const change = {
      ...(given.mode && { mode: given.mode }),
      ...(wallet && { wallet }),
      ...{ limits: changes, newWallet },
    };
    // A new wallet does not depend on the time: a stolen wallet can be replaced whatever the clock shows.
    const isSet = given.mode !== undefined || changes.length > 0;
    const counts = isSet || paused !== undefined;
    const set = async (trx: Trx, act: Act) => {
      const client = await openClient(trx, name, act.at);
      refuseUnlimiting(act, client, changes);
      const pauses = paused !== undefined && paused !== client.paused;
      const after = isSet || key ? await setClient(trx, act, name, change) : client;
      return pauses ? pauseClient(trx, act, name, paused) : after;
    };
    return changeNow({ write, who, clock }, counts ? name : null, set, async (known, trx) => {
      const { id, walletId } = known.client;
      return viewOfChangedClient(known, walletId === before.walletId ? null : await openPayoutsOf(trx, id));
    });
  },
});

export const pauseOneClient = operation({
  name: 'clients.pause',
  needs: 'write',
  may: ['client'],
  errors: ['clock/differs'],
  input,
  view: clientView,
  run: (context, { name }) => pause(context, name, true),
});

export const resumeOneClient = operation({
  name: 'clients.resume',
  needs: 'write',
  may: ['client'],
  errors: ['clock/differs'],
  input,
  view: clientView,
  run: (context, { name }) => pause(context, name, false),
});

export const closeOneClient = operation({
  name: 'clients.close',
  needs: 'write',
  may: [],
  errors: [],
  input,
  view: clientView,
  run: async ({ clock, write, who }, given) => {
    const name = parseName(given.name, 'name');
    return write(async (trx) =>
      viewOfClient(await withCash(trx, await closeClient(trx, { ...who, at: clock.now() }, name))),
    );
  },
});

type ChangeContext = Pick<Context, 'write' | 'who' | 'clock'>;

async function pause(context: ChangeContext, text: string, paused: boolean) {
  const name = ownName(context.who, text);
  return changeNow(context, name, (trx, act) => pauseClient(trx, act, name, paused), viewOfClient);
}

/** Makes one change in one transaction, and answers the client as it is afterwards. */
async function changeNow<View>(
  { write, who, clock }: ChangeContext,
  /** The subject whose settings change from now on; null if none do. */
  name: string | null,
  change: (trx: Trx, act: Act) => Promise<Client>,
  viewOf: (known: Known, trx: Trx) => View | Promise<View>,
): Promise<View> {
  return write(async (trx) => {
    const at = await timeOfChange(trx, clock.host(), { fromNow: name !== null, subject: `client ${name}` });
    return viewOf(await withCash(trx, await change(trx, { ...who, at })), trx);
  });
}

async function withCash(db: Db, client: Client): Promise<Known> {
  const [known] = await viewsOf(db, [client]);
  if (!known) throw new Error('a client without a view');
  return known;
}

/** The name; a client may give only its own. */
function ownName(who: Who, text: string): string {
  const name = parseName(text, 'name');
  assertOwn(who, name, 'name');
  return name;
}

/** Only the operator may change the wallet and the maximum of the daily limit. */
function refuseOperatorsFields({ principal, actor }: Who, given: Record<string, unknown>): void {
  if (principal.kind !== 'client') return;
  for (const one of ['max_daily_limit', 'wallet_key', 'new_wallet']) {
    if (given[one] === undefined || given[one] === false) continue;
    throw new BridgeError('usage/forbidden', `${actor} may not change this.`, 'Ask the operator.', {
      field: one,
    });
  }
}

/** Removing a daily limit also removes its maximum; then a client could set any limit. */
function refuseUnlimiting({ principal, actor }: Act, client: Client, changes: LimitChange[]): void {
  if (principal.kind !== 'client') return;
  for (const { max, currency } of client.limits) {
    if (max === null || !changes.some((one) => one.currency === currency && one.daily === null)) continue;
    throw new BridgeError(
      'usage/forbidden',
      `${actor} may not remove a daily limit that has a maximum.`,
      'Set another limit, or ask the operator.',
      { field: 'daily_limit' },
    );
  }
}

/** The two kinds of limits, each at most once per currency, together by currency. */
function limitChanges(
  given: { daily_limit?: string[] | undefined; max_daily_limit?: string[] | undefined },
  known: Currencies,
): LimitChange[] {
  const changes = new Map<string, LimitChange>();
  for (const [key, of] of [
    ['daily', 'daily_limit'],
    ['max', 'max_daily_limit'],
  ] as const) {
    for (const text of given[of] ?? []) {
      const { minor, currency, digits } = parseLimit(text, of, known);
      const change = changes.get(currency) ?? { currency, digits };
      if (change[key] !== undefined)
        throw invalid(of, `it is given twice for ${currency}`, 'Give it once per currency.');
      changes.set(currency, { ...change, [key]: minor });
    }
  }
  return [...changes.values()];
}

/** An amount, or `none GTQ`: the limit in that currency is removed. */
function parseLimit(
  text: string,
  of: string,
  known: Currencies,
): Omit<Amount, 'minor'> & { minor: bigint | null } {
  const [, code] = /^\s*none\s+(\S+)\s*$/i.exec(text) ?? [];
  return code === undefined
    ? parseAmount(text, of, known)
    : { ...parseCurrency(code, of, known), minor: null };
}
