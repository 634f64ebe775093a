import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { audit } from '../../support/auditor.ts';
import type { Ran } from '../../support/command.ts';
import { insertAction } from '../../support/lamassu.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import { ledgerKinds } from '../../support/ledgers.ts';
import { startWorld, type World } from '../../support/world.ts';
import { chanceOf, pick } from '../chance.ts';
import { lostFromBox, openBox, reachIn } from './box.ts';
import { POLL, words } from './stop.ts';

/*
 * Several workers on one ledger at the same moment and one after the other, and operators who enter cash, change
 * limits, settle, and correct the same cash beside them: everything that a command reported as done is in the ledger,
 * and nobody is paid twice.
 */

const ROUNDS = 50;
const CLIENTS = ['alice', 'bob', 'carol'];
/** The requests to LNbits of a run with something to pay are more than that. */
const EARLY = 6;

/** What the commands reported as done. */
interface Said {
  fundings: { id: string; client: string; minor: bigint }[];
  limits: { client: string; minor: bigint }[];
  settled: string[];
}

test.concurrent.each(ledgerKinds)(
  `a ledger on %s: ${ROUNDS} rounds of three polls, with operators’ commands beside them`,
  { timeout: 1_200_000 },
  async (ledger) => {
    const chance = chanceOf(`beside ${ledger}`);
    const said: Said = { fundings: [], limits: [], settled: [] };
    const wrong: string[] = [];
    const world = await furnished(ledger);
    try {
      const box = await openBox(world);
      let busy = 0;
      let shared = 0;
      for (let round = 1; round <= ROUNDS; round += 1) {
        const jammed = await newRows(world, chance);
        const [polls, people] = await Promise.all([
          threePolls(world, chance),
          Promise.all([
            ...reachIn(world, box, chance, round),
            round % 2 === 0 ? enterCash(world, chance, said) : changeLimit(world, chance, round, said),
            settle(world, jammed, said),
          ]),
        ]);
        busy += polls.filter(({ code }) => code === 75).length;
        if (polls.filter(distributed).length > 1) shared += 1;
        // 2: the row that jammed is new to it.
        if (!polls.some(({ code }) => code === 0 || code === 2)) wrong.push(`round ${round}: nobody polled`);
        for (const ran of polls) if (!pollEndedWell(ran)) wrong.push(`round ${round}: poll: ${words(ran)}`);
        for (const ran of people) if (ran.code !== 0) wrong.push(`round ${round}: ${words(ran)}`);
      }
      expect(wrong).toEqual([]);
      expect(busy).toBeGreaterThan(ROUNDS / 5);
      expect(shared).toBeGreaterThan(ROUNDS / 5);

      await world.must(POLL);
      const { violations, settled } = await audit(world, { settled: said.settled });
      expect(violations).toEqual([]);
      expect([...(await lostUpdates(world, said)), ...(await lostFromBox(world, box))]).toEqual([]);
      expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
      process.stdout.write(
        `workers, ${ledger}: ${ROUNDS} rounds, ${settled} payouts, ${busy} polls found another one going on, ${shared} rounds shared by several; lost 0, twice 0\n`,
      );
    } finally {
      await world.stop();
    }
  },
);

async function furnished(ledger: (typeof ledgerKinds)[number]): Promise<World> {
  const world = await startWorld({ ledger, tunnel: 'direct' });
  try {
    await world.must(['migrate']);
    for (const client of CLIENTS) {
      await world.addClient(client);
      await world.addFunding(client, '1000 GTQ');
    }
    await world.addCommission('treasury');
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/**
 * Cash-outs of just now: one or two that succeeded, and one of which one note of 200 came out. Answers that one's id.
 */
async function newRows(world: World, chance: () => number): Promise<string> {
  for (let count = chance() < 0.5 ? 1 : 2; count > 0; count -= 1)
    await sell(world, 40n * BigInt(1 + Math.floor(chance() * 10)));
  const jammed = randomUUID();
  await sell(world, 400n, { id: jammed, error: 'jam', dispense_confirmed: false });
  await insertAction(world.lamassu, {
    ...{ tx_id: jammed, action: 'dispenseError', error: 'jam', denomination_1: 200, dispensed_1: 1 },
  });
  return jammed;
}

/**
 * The second begins together with the first, or while that one is paying; the third as the first is over, with a new
 * row to read.
 */
async function threePolls(world: World, chance: () => number): Promise<Ran[]> {
  const begin = Promise.withResolvers<void>();
  let left = chance() < 0.5 ? 0 : 1 + Math.floor(chance() * EARLY);
  if (left === 0) begin.resolve();
  world.simulator().onRequest = () => {
    left -= 1;
    if (left === 0) begin.resolve();
  };
  const first = world.aioDca(POLL);
  const third = first.then(async () => {
    begin.resolve();
    await sell(world, 40n);
    return await world.aioDca(POLL);
  });
  const second = begin.promise.then(() => world.aioDca(POLL));
  return await Promise.all([first, second, third]);
}

function distributed({ code, stdout }: Ran): boolean {
  if (code !== 0 && code !== 2) return false;
  return (JSON.parse(stdout) as { distributed: { cash_outs: number } }).distributed.cash_outs > 0;
}

/** 128.1 sat for each GTQ. */
async function sell(world: World, gtq: bigint, more: Parameters<World['insertCashOut']>[0] = {}) {
  const atoms = `${(gtq * 1281n) / 10n}`;
  const now = new Date().toISOString();
  await world.insertCashOut({
    ...{ fiat: `${gtq}.00000`, crypto_atoms: atoms, received_crypto_atoms: atoms },
    ...{ created: now, confirmed_at: now },
    ...more,
  });
}

async function enterCash(world: World, chance: () => number, said: Said): Promise<Ran> {
  const client = pick(chance, CLIENTS);
  const gtq = 300n + BigInt(Math.floor(chance() * 300));
  const options = ['--deposited', '--any-machine', '--json'];
  const ran = await world.aioDca(['fundings', 'add', client, `${gtq} GTQ`, ...options]);
  if (ran.code === 0) said.fundings.push({ id: ran.json<{ id: string }>().id, client, minor: gtq * 100n });
  return ran;
}

/** Another limit each time, so that each can be found again. They bind nobody in flow mode. */
async function changeLimit(world: World, chance: () => number, round: number, said: Said): Promise<Ran> {
  const client = pick(chance, CLIENTS);
  const ran = await world.aioDca(['clients', 'set', client, '--daily-limit', `${1000 + round} GTQ`]);
  if (ran.code === 0) said.limits.push({ client, minor: 100n * BigInt(1000 + round) });
  return ran;
}

async function settle(world: World, jammed: string, said: Said): Promise<Ran> {
  const ran = await world.aioDca(['settle', jammed, '--reason', 'counted', '--yes', '--json']);
  if (ran.code === 0) said.settled.push(jammed);
  return ran;
}

/** What commands reported but the ledger does not have; each once. */
async function lostUpdates({ ledgerUrl }: World, said: Said): Promise<string[]> {
  const fundings = await ledgerSql(
    ledgerUrl,
    'select f.id, r.name, f.amount from fundings f join recipients r on r.id = f.client_id',
  );
  const limits = await ledgerSql(
    ledgerUrl,
    'select r.name, l.daily_limit from client_limits l join recipients r on r.id = l.client_id',
  );
  const settled = await ledgerSql(ledgerUrl, "select id from cash_outs where origin = 'settled'");
  return [
    ...missing(
      said.fundings.map(({ id, client, minor }) => `${id} of ${minor} for ${client}`),
      fundings.map(({ id, name, amount }) => `f${id} of ${amount} for ${name}`),
    ),
    ...missing(
      said.limits.map(({ client, minor }) => `limit of ${minor} for ${client}`),
      limits.map(({ name, daily_limit }) => `limit of ${daily_limit} for ${name}`),
    ),
    ...missing(
      said.settled.map((id) => `settlement of ${id}`),
      settled.map(({ id }) => `settlement of ${id}`),
    ),
  ];
}

function missing(expected: string[], found: string[]): string[] {
  return expected.filter((one) => found.filter((other) => other === one).length !== 1);
}

/** 75 is another run going on, and nothing else. */
function pollEndedWell({ code, stdout }: Ran): boolean {
  return code === 0 || code === 2 || (code === 75 && stdout.includes('"run/busy"'));
}
