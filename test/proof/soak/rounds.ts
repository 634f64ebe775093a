import { setTimeout as sleep } from 'node:timers/promises';
import { audit, type Violation } from '../../support/auditor.ts';
import type { Ran } from '../../support/command.ts';
import type { World } from '../../support/world.ts';
import { chanceOf, pick } from '../chance.ts';
import { decideHeld, heldIn } from './held.ts';
import type { Installation, Part } from './installation.ts';

type Victim = Part | 'the bridge';

/** What came of an installation's rounds. */
export interface Tally {
  kills: Map<Victim, number>;
  /** Runs that did not end well by themselves. */
  cut: number;
  payments: number;
  lost: number;
  twice: number;
  /**
   * Payments that LNbits debited and never credited, because it was killed in between; the operator had them paid
   * again.
   */
  lostByLnbits: string[];
  /** Everything that is not as it should be, in words. */
  wrong: string[];
}

const CLIENTS = ['alice', 'bob', 'carol'];
/** Runs that it may take to finish what the rounds left open. */
const MORE_RUNS = 8;
const POLL = ['poll', '--json'];

/** Clients, a recipient of the commission, and cash for the first rounds. */
export async function furnish({ world, name }: Installation): Promise<void> {
  await world.must(['migrate']);
  for (const client of CLIENTS) {
    await world.addClient(client);
    await world.addFunding(client, '2000 GTQ');
  }
  await world.addCommission('treasury');
  await world.must(['doctor']).catch((error: unknown) => {
    throw new Error(`${name} is not ready`, { cause: error });
  });
}

/** Rounds of new business, a run, and a death at a random moment of it; audited every `auditEvery` and at the end. */
export async function soak(
  installation: Installation,
  { rounds, auditEvery }: { rounds: number; auditEvery: number },
): Promise<Tally> {
  const { world, parts, name } = installation;
  const chance = chanceOf(name);
  const tally: Tally = {
    ...{ kills: new Map(), cut: 0, payments: 0 },
    ...{ lost: 0, twice: 0, lostByLnbits: [], wrong: [] },
  };
  // The bridge most often: it is what is tried here, and the cheapest to bring back.
  const victims: Victim[] = [...parts.keys(), 'the bridge', 'the bridge', 'the bridge'];
  const typicalMs = await durationOfRun(installation);
  for (let round = 1; round <= rounds; round += 1) {
    await newBusiness(installation, chance);
    const victim = pick(chance, victims);
    const run = world.start(POLL);
    await sleep(chance() * typicalMs);
    const part = victim === 'the bridge' ? undefined : parts.get(victim);
    if (part) {
      await part.kill();
      await part.start();
    } else run.child.kill('SIGKILL');
    const ran = await run.ended;
    tally.kills.set(victim, (tally.kills.get(victim) ?? 0) + 1);
    if (ran.code !== 0) tally.cut += 1;
    if (!(await endedAsExpected(world, ran, victim)))
      tally.wrong.push(`${name}, round ${round}, ${victim}: ${said(ran)}`);
    if (round % auditEvery === 0 || round === rounds) {
      const found = await settleDown(installation, tally);
      tally.wrong.push(...found.map((what) => `${name}, after round ${round}: ${what}`));
      process.stdout.write(`${name}: ${round} rounds, ${tally.wrong.length} problems\n`);
    }
  }
  return tally;
}

/**
 * A killed bridge may have been done before; one whose server died goes on next time, or holds what the operator
 * decides.
 */
async function endedAsExpected(world: World, { code, signal }: Ran, victim: Victim): Promise<boolean> {
  if (signal === 'SIGKILL') return victim === 'the bridge';
  return code === 0 || code === 75 || (code === 2 && (await heldIn(world)).length > 0);
}

function said({ code, stdout, stderr }: Ran): string {
  return `exit ${code}: ${stdout}${stderr}`;
}

/** The time that a run with something to pay takes from start to end, in ms: the middle one of three. */
async function durationOfRun({ world }: Installation): Promise<number> {
  const durations: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    await sell(world, 100n);
    const begin = performance.now();
    await world.must(POLL);
    durations.push(performance.now() - begin);
  }
  return durations.sort((a, b) => a - b)[1] ?? 0;
}

/** One or two cash-outs, and now and then cash of a client: somewhat less than is taken out, so that it runs short. */
async function newBusiness({ world }: Installation, chance: () => number): Promise<void> {
  if (chance() < 0.2)
    await world.addFunding(pick(chance, CLIENTS), '1200 GTQ', { at: new Date().toISOString() });
  const count = chance() < 0.3 ? 2 : 1;
  for (let n = 0; n < count; n += 1) await sell(world, 40n * BigInt(1 + Math.floor(chance() * 10)));
}

/** Just now, so that cash that is entered later counts for later ones only. 128.1 sat for each GTQ. */
async function sell(world: World, gtq: bigint): Promise<void> {
  const atoms = `${(gtq * 1281n) / 10n}`;
  const now = new Date().toISOString();
  await world.insertCashOut({
    fiat: `${gtq}.00000`,
    crypto_atoms: atoms,
    received_crypto_atoms: atoms,
    created: now,
    confirmed_at: now,
  });
}

/** Runs until nothing is open any more, then counts everything. */
async function settleDown({ world }: Installation, tally: Tally): Promise<string[]> {
  let ran = await world.aioDca(POLL);
  for (let run = 1; run < MORE_RUNS; run += 1) {
    const lost = await decideHeld(world);
    tally.lostByLnbits.push(...lost);
    if (ran.code === 0 && lost.length === 0) break;
    ran = await world.aioDca(POLL);
  }
  if (ran.code !== 0) return [`still after ${MORE_RUNS} runs: ${said(ran)}`, ...(await heldIn(world))];
  const { violations, settled } = await audit(world, { lostByLnbits: tally.lostByLnbits });
  const count = (kind: Violation['kind']) => violations.filter((one) => one.kind === kind).length;
  tally.payments = settled;
  tally.lost += count('lost');
  tally.twice += count('twice');
  const books = await world.aioDca(['verify', '--json']);
  return [
    ...violations.map(({ kind, what }) => `${kind}: ${what}`),
    ...(books.code === 0 ? [] : [`verify: ${said(books)}`]),
  ];
}
