import { expect, test } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import type { PollReport } from '../../../src/scheduler/report.ts';
import { toMs } from '../../../src/time.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import type { LedgerKind } from '../../support/ledgers.ts';
import { long, seed } from '../seed.ts';
import { type Change, clients, recipients } from './agree.ts';
import { type Bridge, startBridge } from './bridge.ts';
import { begin, replay } from './clock.ts';
import { differences, ofLedger, ofModel } from './compare.ts';
import type { Row } from './judgement.ts';
import { Model } from './model.ts';
import { backlog, type Plan, planWorld } from './plan.ts';

/*
 * 10,000 rows, sound and hostile, in worlds of 1,000, against a model that shares no code with the program. After each
 * run the two say the same of every single row: what it was divided into, why it is in review, whether it is watched.
 * And more rows in one world than are asked for at once, of which one run reads all, while others commit.
 */

const ROWS = 1_000;
const BACKLOG = 6_500;
/** So many rows are more than the first answer of Lamassu and the page after it. */
const FURTHER = 5_500;
const worlds: LedgerKind[] = Array.from({ length: long ? 50 : 10 }, (_, n) =>
  n % 10 === 9 ? 'postgresql' : 'sqlite',
);
const backlogs: LedgerKind[] = long ? ['sqlite', 'postgresql', 'sqlite', 'sqlite', 'sqlite'] : ['sqlite'];
const now = BigInt(begin) * 1000n;
const counted = new Map<string, number>();

test.each(worlds.map((kind, n) => [n + 1, kind] as const))(
  'world %i, on %s: every row has the fate that the model gives it',
  async (n, kind) => {
    await livesOf(n, kind, planWorld(seed + n, ROWS, now));
  },
  // No longer: the rows of the last minutes would have become others.
  200_000,
);

test.each(backlogs.map((kind, n) => [worlds.length + n + 1, kind] as const))(
  'world %i, on %s: a backlog that one run reads, while Lamassu writes on',
  async (n, kind) => {
    const [first] = await livesOf(n, kind, backlog(planWorld(seed + n, BACKLOG, now)));
    expect(first?.source.read).toBeGreaterThan(FURTHER);
  },
  200_000,
);

/** Lives through a plan, with the program and with the model. Answers what the runs reported. */
async function livesOf(n: number, kind: LedgerKind, plan: Plan): Promise<PollReport[]> {
  await using bridge = await startBridge(plan, kind);
  const reports: PollReport[] = [];
  const model = modelOf(plan);
  const shown = new Map<string, Row>();
  const show = (row: Row) => shown.set(`${row.id}`, row);
  const agree = async (when: string) => {
    const found = differences(ofModel(model), await ofLedger(bridge.ledger.url));
    const rows = found.slice(0, 3).map((text) => `${text}\n${JSON.stringify(shown.get(text.slice(0, 36)))}`);
    expect(rows, `${found.length} rows differ ${when} (${replay}, world ${n})`).toEqual([]);
  };

  for (const [k, step] of plan.steps.entries()) {
    for (const change of step.changes) {
      agreeTo(model, change);
      await bridge.change(change);
    }
    await bridge.insert(step.insert);
    await bridge.update(step.update);
    for (const row of [...step.insert, ...step.update]) show(row);
    const transaction = await bridge.hold(step.held, step.heldUpdate);
    let committed = false;
    const commit = async () => {
      committed = true;
      await transaction();
    };
    const forecast = step.dry ? await bridge.dryRun() : undefined;
    if (forecast) await agree(`after the dry run before run ${k + 1}`);

    model.run(shown, nowOf(bridge));
    const report = await bridge.poll(step.meanwhile ? commit : undefined);
    reports.push(report);
    expect(committed, 'what commits in the middle of the reading').toBe(step.meanwhile);
    expect(problemsOf(report)).toEqual([]);
    expect(report).toMatchObject({ source: { mark: { confirmedAt: iso(model.mark) } } });
    if (forecast) expect(forecast.report.distributed).toEqual(report.distributed);
    await agree(`after run ${k + 1}`);

    if (!committed) await commit();
    for (const row of [...step.held, ...step.heldUpdate]) show(row);
  }

  await payAll(bridge, plan, model, shown);
  await agree('after a run with nothing new');
  expect((await verifyLedger(bridge.ledger)).differences).toEqual([]);
  count(model, shown);
  return reports;
}

test('the rows have covered everything that can happen to a row', () => {
  process.stdout.write(
    `${[...counted]
      .sort()
      .map(([what, times]) => `${what} ${times}`)
      .join(', ')}\n`,
  );
  for (const what of [
    ...['paid', 'paid out of cash', 'paid out of nobody’s cash', 'ignored', 'never seen', 'watched'],
    ...['unconfirmed', 'not-dispensed', 'error', 'other-coin', 'before-start', 'future', 'malformed'],
    ...['no-rate', 'implausible-rate', 'dispense-unconfirmed', 'negative-commission', 'large', 'changed'],
    ...['currency-changed', 'unknown-currency', 'backdated'],
  ])
    expect(counted.get(what) ?? 0, what).toBeGreaterThan(0);
});

/** This host's clock is that of the world, so the clock of a ledger's server gets ahead of it while the worlds live. */
function problemsOf({ problems }: PollReport): PollReport['problems'] {
  return problems.filter(({ message }) => !message.startsWith("the clock of the ledger's PostgreSQL"));
}

/** In the end what is due is paid, and every wallet holds what the model says, less what still waits for its time. */
async function payAll(bridge: Bridge, plan: Plan, model: Model, shown: Map<string, Row>): Promise<void> {
  if (!plan.huge) await bridge.resume();
  model.run(shown, nowOf(bridge));
  const report = await bridge.poll();
  expect(problemsOf(report)).toEqual([]);
  expect(report).toMatchObject({
    payouts: { unknown: 0, held: 0, planned: 0, deferred: 0 },
  });
  if (plan.huge) return;
  const waiting = await ledgerSql(
    bridge.ledger.url,
    `select r.name, cast(coalesce(sum(a.net), 0) as bigint) as sats from recipients r
     join allocations a on a.client_id = r.id and a.payout_id is null group by r.name`,
  );
  for (const [name, keys] of bridge.wallets) {
    const late = (waiting.find((row) => row.name === name)?.sats ?? 0n) as bigint;
    expect((await bridge.balance(keys)) + late, `${name}'s sats`).toBe(dueTo(model, name));
  }
}

function dueTo(model: Model, name: string): bigint {
  let due = 0n;
  const id = idOf(name);
  for (const { divided, owners, shares } of model.done.values()) {
    due += shares.get(id) ?? 0n;
    for (const [funding, part] of divided.parts) if (owners.get(funding)?.client === id) due += part.net;
  }
  return due;
}

/** In the order in which they are added. */
function idOf(name: string): bigint {
  return BigInt([...recipients, ...clients].indexOf(name) + 1);
}

function modelOf({ rules }: Plan): Model {
  const model = new Model(rules);
  for (const name of recipients) {
    const weight = name === 'operator' ? 1n : 0n;
    model.agreed.weights.push({ recipient: idOf(name), machine: null, from: rules.startAt, weight });
  }
  return model;
}

const EVER = '0001-01-01T00:00:00.000000Z';

function agreeTo({ agreed }: Model, change: Change): void {
  switch (change.kind) {
    case 'client': {
      const client = idOf(change.name);
      agreed.settings.push({ client, from: EVER, mode: change.mode, paused: false });
      for (const limit of change.limits) agreed.limits.push({ client, from: EVER, ...limit });
      return;
    }
    case 'mode':
    case 'pause': {
      const client = idOf(change.client);
      const before = agreed.settings.findLast((one) => one.client === client);
      if (!before) throw new Error(`${change.client} is changed before it exists`);
      const { mode, paused } = { ...before, ...change };
      agreed.settings.push({ client, from: change.at, mode, paused });
      return;
    }
    case 'limit':
      agreed.limits.push({ client: idOf(change.client), from: change.at, ...change.limit });
      return;
    case 'rate':
      agreed.rates.push({ machine: change.machine, from: change.at, rate: change.rate });
      return;
    case 'weight': {
      const { machine, weight } = change;
      agreed.weights.push({ recipient: idOf(change.recipient), machine, from: change.at, weight });
      return;
    }
    case 'funding': {
      const { machine, currency, amount, rate, depositedAt } = change;
      const id = BigInt(agreed.fundings.length + 1);
      const client = idOf(change.client);
      agreed.fundings.push({ id, client, machine, currency, remaining: amount, rate, depositedAt });
      return;
    }
    case 'withdraw': {
      const one = agreed.fundings.filter(({ remaining }) => remaining > 0n)[change.nth];
      if (one) one.remaining -= (one.remaining * change.percent) / 100n;
    }
  }
}

function count(model: Model, shown: Map<string, Row>): void {
  const add = (what: string) => counted.set(what, (counted.get(what) ?? 0) + 1);
  for (const id of shown.keys()) {
    const done = model.done.get(id);
    const review = model.review.get(id);
    if (done) {
      add('paid');
      add(done.divided.parts.size > 0 ? 'paid out of cash' : 'paid out of nobody’s cash');
    }
    if (review) add(review.state === 'open' ? review.reason : 'reviewed, then paid');
    if (model.watched.has(id)) add('watched');
    if (!model.seen.has(id)) add('never seen');
    else if (!done && !review && !model.watched.has(id)) add('ignored');
  }
}

function iso(mark: bigint | null): string {
  if (mark === null) throw new Error('a run that saw nothing');
  const ms = mark / 1000n;
  return `${new Date(Number(ms)).toISOString().slice(0, 23)}${`${mark % 1000n}`.padStart(3, '0')}Z`;
}

/** What it is for the bridge, in microseconds since 1970. */
function nowOf({ ledger }: Bridge): bigint {
  return BigInt(toMs(ledger.clock.now())) * 1000n;
}
