import { pairMachine } from '../test/support/lamassu.ts';
import type { World } from '../test/support/world.ts';
import { sell, TICKER } from './lamassu.ts';

/*
 * Three months at another machine, with clients of its own, before the story begins: so the sites have something to
 * show. The rows of Lamassu are dated back; all else is done as on any day: cash is entered, the program reads, divides
 * and pays.
 */

const MACHINE = 'b30c8f12d7e64a9db5a1c07f93e24d18';
const DAY_MINUTES = 1_440;
const FIRST_DAY = 96;

/** From when on the bridge pays: before all of it. */
export const MONTHS_START_AT = new Date(Date.now() - (FIRST_DAY + 10) * DAY_MINUTES * 60_000).toISOString();

/** In GTQ, what comes out of the machine, again and again in this order. */
const SOLD = [400n, 1200n, 600n, 200n, 900n, 1500n, 300n, 800n, 500n, 1000n, 700n];
/** The price of bitcoin moves by so many thousandths, likewise. */
const PRICE = [-62n, -48n, -55n, -30n, -12n, -21n, 4n, 19n, 8n, -9n, 15n, 33n, 41n, 27n];

/** From an empty ledger to three months of purchases. */
export async function liveMonths(world: World): Promise<void> {
  await pairMachine(world.lamassu, 'Antigua', MACHINE);
  await world.must(['migrate']);
  // It reads the list of the machines.
  await world.must(['doctor']);
  await enterCash(world);
  await sellDaily(world);
  await world.must(['poll']);
  await world.must(['fixed', 'run']);
}

async function enterCash(world: World): Promise<void> {
  const ago = (days: number) => new Date(Date.now() - days * DAY_MINUTES * 60_000).toISOString();
  const limit = ['--mode', 'fixed', '--daily-limit', '200 GTQ', '--max-daily-limit', '500 GTQ'];
  await world.addClient('carmen', limit);
  await world.addClient('diego');
  await world.addClient('elena');
  for (const [client, amount, days] of [
    ['carmen', '9000 GTQ', FIRST_DAY],
    ['diego', '14000 GTQ', FIRST_DAY],
    ['elena', '11000 GTQ', 72],
    ['diego', '19000 GTQ', 41],
    ['carmen', '6000 GTQ', 20],
  ] as const)
    await world.addFunding(client, amount, { at: ago(days), args: ['--machine', 'Antigua'] });
}

/** A cash-out on two days of three, at different hours. */
async function sellDaily(world: World): Promise<void> {
  for (let day = FIRST_DAY; day > 0; day -= 1) {
    if (day % 3 === 0) continue;
    const moved = 1000n + (PRICE[day % PRICE.length] ?? 0n) - BigInt(day);
    const minutes = day * DAY_MINUTES - ((day * 97) % 600);
    await sell(
      world.lamassu,
      SOLD[day % SOLD.length] ?? 0n,
      minutes,
      { device_id: MACHINE },
      (TICKER * moved) / 1000n,
    );
  }
}

/** What an operator finds: a payment that needs a decision, cash on its way, and a client on holiday. */
export async function leaveTroubles(world: World): Promise<void> {
  await world.addCommission('house', 1, ['--machine', 'Antigua']);
  // LNbits takes the sats from the source wallet, and the client's wallet does not get them.
  const diego = world.wallets.get('diego')?.id;
  const simulator = world.simulator();
  const isForDiego = ({ kind, hash }: { kind: string; hash: string | null }) =>
    kind === 'pay' && !!diego && simulator.payments(diego).some((row) => row.payment_hash === hash);
  simulator.rules.push({ when: isForDiego, fault: { pay: 'debit-only' } });
  await sell(world.lamassu, 600n, 0, { device_id: MACHINE });
  await world.aioDca(['poll']);
  await world.must(['fundings', 'add', 'diego', '4000 GTQ', '--machine', 'Antigua']);
  await world.must(['clients', 'pause', 'elena', '--reason', 'on holiday until January']);
  await world.aioDca(['poll']);
}
