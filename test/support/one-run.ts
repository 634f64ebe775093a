import { afterEach, beforeEach, expect } from 'vitest';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { formPayouts } from '../../src/ledger/payouts/form.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { LnbitsDestination } from '../../src/payouts/lnbits-destination.ts';
import { type Paid, payAll } from '../../src/payouts/pay.ts';
import { openSourceWallet, type PayContext } from '../../src/payouts/session.ts';
import { formOptions } from '../../src/scheduler/due.ts';
import { type Instant, toMs } from '../../src/time.ts';
import { type TestClock, testClock } from './clock.ts';
import { claim, HOUR } from './fake-lnbits.ts';
import type { Fault, Hooked, Phase, Rule, SeenRequest } from './lnbits-simulator.ts';
import { type Payday, type PaydayOptions, payday } from './payday.ts';

/*
 * One run at a time, and what LNbits is asked by it. The quiet time is an hour; a clock that each wait moves on shows
 * what a run does before and after it, without a real wait.
 */

export { nextMoment } from './payday.ts';

/** Of the running test. */
export let day: Payday;
export let clock: TestClock;
/** While a run waits until POSTs are quiet. Where it answers false, they are not quiet after it. */
export const waiting = {
  meanwhile: async (): Promise<unknown> => undefined,
  /** When each wait was to end, in ms since 1970. */
  until: [] as number[],
};
const wallets = new Map<string, string>();
let hook: Payday['lnbits']['onRequest'];

beforeEach(() => {
  clock = testClock();
  Object.assign(waiting, { meanwhile: async () => {}, until: [] });
  clock.meanwhile = (ms) => {
    if (ms < HOUR / 2) return undefined;
    waiting.until.push(toMs(clock.now()) + ms);
    return waiting.meanwhile();
  };
});
afterEach(async () => {
  expect((await verifyLedger(day.ledger)).differences).toEqual([]);
  await day.stop();
});

/** A payday on which each of these is owed so much. */
export async function owing(owed: Record<string, bigint>, options: PaydayOptions = {}): Promise<void> {
  day = await payday({ clock, ...options });
  await day.ledger.db.updateTable('ledger').set({ source_wallet_id: day.source.id }).execute();
  for (const [name, sats] of Object.entries(owed)) {
    wallets.set(name, (await day.addClient(name)).id);
    await day.owe(name, sats);
  }
}

export interface Ran extends Paid {
  /** By code. */
  problems: string[];
  messages: string[];
  asked: SeenRequest['kind'][];
}

/** What a run does, in a run of its own; what LNbits is asked by it is in `asked()`. */
export async function inRun<T>(work: (ctx: PayContext) => Promise<T>): Promise<T> {
  const { ledger, config } = day;
  const { url, sourceWalletKey } = config.lnbits;
  const held = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  const opened = await openSourceWallet({ url }, sourceWalletKey, clock);
  const lnbits = new LnbitsClient({ url, backoffMs: 1 }, clock);
  try {
    await held.write((trx) => formPayouts(trx, formOptions(config, held.id, ledger.clock.now())));
    day.lnbits.clearLog();
    day.lnbits.onRequest = hook;
    return await work({
      ...{
        ...opened,
        lnbits,
        destination: new LnbitsDestination(lnbits, sourceWalletKey),
        ledger,
        run: held,
        ceiling: null,
        maximumSats: config.payouts.maximumSats,
        signal: new AbortController().signal,
      },
      ...{ quietMs: HOUR, began: clock.monotonic() - 2 * HOUR, posted: new Map() },
      ...{ claim, answered: new Set(), problems: new Map() },
    });
  } finally {
    hook = undefined;
    day.lnbits.onRequest = undefined;
    await lnbits.close();
    await opened.lnbits.close();
    await held.finish('ok', null);
  }
}

/** Forms and pays as a run does. `change` what it works with. */
export async function run(change: (ctx: PayContext) => void = () => {}): Promise<Ran> {
  return await inRun(async (ctx) => {
    change(ctx);
    const paid = await payAll(ctx);
    const problems = [...ctx.problems.values()];
    return {
      ...paid,
      problems: problems.map(({ code }) => code),
      messages: problems.map(({ message }) => message),
      asked: asked(),
    };
  });
}

/** How long runs waited until POSTs were quiet, in ms. */
export const quietWaits = () => clock.waits.filter((ms) => ms > HOUR / 2);

/** The requests of the last run to LNbits. */
export const asked = () => day.lnbits.requests.map(({ kind }) => kind);
export const posts = () => asked().filter((kind) => kind === 'pay').length;
export const states = async () =>
  Object.fromEntries((await day.payouts()).map(({ name, state }) => [name, state]));
export const reasons = async () =>
  Object.fromEntries((await day.payouts()).map(({ name, reason }) => [name, reason]));
/** State and reason of each, oldest first. */
export const payments = async () =>
  (await day.ledger.db.selectFrom('payments').select(['state', 'reason']).orderBy('id').execute()).map(
    ({ state, reason }) => [state, reason],
  );
export const walletOf = (name: string) => wallets.get(name) ?? '';
export const balance = (name: string) => day.lnbits.balance(walletOf(name));

/** Once, in the next run, when LNbits is at such a request for the `n`th time. */
export function when(kind: SeenRequest['kind'], phase: Phase, then: () => unknown, n = 1): void {
  let left = n;
  hook = async (request, at): Promise<Hooked> => {
    if (request.kind !== kind || at !== phase) return;
    left -= 1;
    if (left === 0) await then();
  };
}

export const fails = (when: Rule['when'], fault: Fault, times = 1): Rule => ({ when, times, fault });
/** The POSTs of a payment to that client. */
export const to =
  (name: string): Rule['when'] =>
  ({ kind, hash }) =>
    kind === 'pay' && day.lnbits.payments(walletOf(name)).some((row) => row.payment_hash === hash);

/** The connection breaks before the request has an effect, and after it. */
export const LOST: Fault = { at: 'before', do: 'reset' };
export const DONE: Fault = { at: 'after', do: 'reset' };
/** LNbits answers that it does not pay. */
export const NO: Fault = {
  at: 'before',
  answer: { status: 520, body: { detail: 'Insufficient balance.', status: 'failed' } },
};

/** Null: paying goes on. */
export const pause = (at: Instant | null) =>
  day.ledger.db
    .updateTable('ledger')
    .set({ paused_at: at, paused_reason: at && 'test' })
    .execute();
export const PAUSED = '2026-01-01T00:00:00.000000Z';
