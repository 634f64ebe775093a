import * as z from 'zod';
import { keyInput } from '../config/secret-input.ts';
import { invalid } from '../errors.ts';
import { refuseTakenName } from '../ledger/clients/names.ts';
import { timeOfChange } from '../ledger/clocks/doubts.ts';
import {
  addCommission,
  type CommissionRecipient,
  commissionRecipients,
  findCommission,
  removeCommission,
  setCommission,
} from '../ledger/commission/commission.ts';
import { findMachine } from '../ledger/machines/machines.ts';
import { type OpenPayout, openPayoutsOf } from '../ledger/payouts/open-payouts.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { call, field, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import { parseName } from '../typed/names.ts';
import { parseWhole } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import {
  type ChangedRecipientView,
  changedRecipientView,
  commissionRecipientView,
  viewOfChangedRecipient,
  viewOfRecipient,
} from '../views/commission.ts';
import { LNBITS } from './errors.ts';
import { machinesFor } from './new-machines.ts';
import { type Context, operation } from './operation.ts';
import { testedWalletKey } from './wallet-key.ts';

/* The recipients of the commission. Without any, it stays in the source wallet. */

const input = { name: z.string(), machine: z.string().optional() };

export const listRecipients = operation({
  name: 'commission.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({}),
  view: z.array(commissionRecipientView),
  run: async ({ clock, ledger }) => (await commissionRecipients(ledger.db, clock.now())).map(viewOfRecipient),
});

export const showRecipient = operation({
  name: 'commission.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({ name: z.string() }),
  view: commissionRecipientView,
  run: async ({ clock, ledger }, { name }) =>
    viewOfRecipient(await findCommission(ledger.db, parseName(name, 'name'), clock.now())),
});

export const addRecipient = operation({
  name: 'commission.add',
  needs: 'write',
  may: [],
  errors: [...LNBITS, 'clock/differs'],
  input: z.strictObject({
    ...input,
    wallet_key: keyInput,
    weight: z.string(),
    /** The time from which cash-outs count; by default from now on. */
    from: z.string().optional(),
  }),
  view: changedRecipientView,
  run: async ({ clock, ledger, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    const weight = parseWeight(given.weight, name);
    const from = given.from === undefined ? undefined : parseTime(given.from, config.timezone, 'from');
    await refuseTakenName(ledger.db, name);
    const seeMachines = await machinesFor({ config, clock, ledger, who }, given.machine);
    const machine = await ledger.dryRun(async (trx) => {
      await seeMachines(trx);
      return deviceIdOf(trx, given.machine);
    });
    const wallet = await testedWalletKey(given.wallet_key, config, clock);
    const wanted = { name, wallet, weight, machine, ...(from && { from }) };
    return changeAt({ write, clock }, from ? null : name, async (trx, at) => {
      await seeMachines(trx);
      return { after: await addCommission(trx, { ...who, at }, wanted) };
    });
  },
});

export const setRecipient = operation({
  name: 'commission.set',
  needs: 'write',
  may: [],
  errors: [...LNBITS, 'clock/differs'],
  input: z.strictObject({
    ...input,
    weight: z.string().optional(),
    wallet_key: keyInput.optional(),
    new_wallet: z.boolean().default(false),
  }),
  view: changedRecipientView,
  run: async ({ clock, ledger, config, who, write }, given) => {
    const name = parseName(given.name, 'name');
    const { wallet_key: key, new_wallet: newWallet } = given;
    const weight = given.weight === undefined ? undefined : parseWeight(given.weight, name);
    if (newWallet && !key) {
      throw invalid(
        'new_wallet',
        'no wallet was given',
        message`Add ${field('wallet_key')} with the key of the new wallet.`,
      );
    }
    if (given.machine !== undefined && weight === undefined) {
      throw invalid('machine', 'no weight was given', 'Give the weight at that machine, too.');
    }
    if (weight === undefined && !key) {
      throw invalid('weight', 'no change was given', 'Give a weight, or the key of the wallet.');
    }
    const before = await findCommission(ledger.db, name, clock.now());
    const seeMachines = await machinesFor({ config, clock, ledger, who }, given.machine);
    const machine = await ledger.dryRun(async (trx) => {
      await seeMachines(trx);
      return deviceIdOf(trx, given.machine);
    });
    const wallet = key && (await testedWalletKey(key, config, clock));
    const wanted = { machine, newWallet, ...(weight !== undefined && { weight }), ...(wallet && { wallet }) };
    return changeAt({ write, clock }, weight === undefined ? null : name, async (trx, at) => {
      await seeMachines(trx);
      const after = await setCommission(trx, { ...who, at }, name, wanted);
      if (after.walletId === before.walletId) return { after };
      return { after, moved: await openPayoutsOf(trx, after.id) };
    });
  },
});

export const removeRecipient = operation({
  name: 'commission.remove',
  needs: 'write',
  may: [],
  errors: ['clock/differs'],
  input: z.strictObject(input),
  view: changedRecipientView,
  run: async ({ clock, ledger, who, write }, given) => {
    const name = parseName(given.name, 'name');
    const machine = await deviceIdOf(ledger.db, given.machine);
    return changeAt({ write, clock }, name, async (trx, at) => ({
      after: await removeCommission(trx, { ...who, at }, name, machine),
    }));
  },
});

/** A recipient after a change, and the open payouts that its new wallet gets. */
interface ChangedRecipient {
  after: CommissionRecipient;
  moved?: OpenPayout[];
}

/** One change in one transaction. `name`: the recipient whose weight changes from now on; null if none does. */
function changeAt(
  { write, clock }: Pick<Context, 'write' | 'clock'>,
  name: string | null,
  work: (trx: Trx, at: Instant) => Promise<ChangedRecipient>,
): Promise<ChangedRecipientView> {
  return write(async (trx) => {
    const subject = `commission ${name}`;
    const at = await timeOfChange(trx, clock.host(), { fromNow: name !== null, subject });
    const { after, moved = null } = await work(trx, at);
    return viewOfChangedRecipient(after, await commissionRecipients(trx, at), moved);
  });
}

async function deviceIdOf(db: Db, named: string | undefined): Promise<string | null> {
  return named === undefined ? null : (await findMachine(db, named, 'machine')).device_id;
}

function parseWeight(text: string, name: string): bigint {
  const trimmed = text.trim();
  if (/^0+$/.test(trimmed)) {
    throw invalid(
      'weight',
      '0 would receive nothing',
      message`To remove it: ${call('commission.remove', { name })}.`,
    );
  }
  const example =
    'Weights are whole numbers, and only their proportion counts: 70 and 30 divide like 7 and 3.';
  return parseWhole(trimmed, 'weight', 999_999_999n, example);
}
