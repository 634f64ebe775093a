import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish } from '../../support/kill.ts';
import type { World } from '../../support/world.ts';
import { long } from '../seed.ts';
import { behindProxy, twoClients } from './faulty.ts';
import type { Held } from './poll-child.ts';
import { faults, type Lane, meets, type Place, type Poller, places, startPoller } from './rounds.ts';

/*
 * Many rounds of each fault at each place, as whole runs in one process like the daemon's. What it holds is counted
 * while the network is still wrong, so that nothing but its own deadlines closed its connections.
 */

/** Of each fault at each place. */
const ROUNDS = long ? 1_000 : 6;
/** Installations for each place, whose waits for deadlines are at the same time. */
const LANES = long ? 5 : 3;
/** After so many rounds of a fault it is counted what the process holds. */
const STRETCH = long ? 250 : ROUNDS;
/**
 * What caches gain in a process of as many polls without faults; of few polls, also what the engine keeps of warm code.
 */
const BYTES_PER_POLL = long ? 500 : 3_000;
/** Files and handles that come and go. */
const SPARE = 2;

let poller: Poller;
let books: Record<'sqlite' | 'postgresql', World>;
const lanes: Lane[] = [];
const stack = new AsyncDisposableStack();
/** Before the first fault. */
let clean: Held;
const seen: { polls: number; heap: number }[] = [];
let polls = 0;

beforeAll(async () => {
  // Each run reads again what was confirmed within the overlap, and here that is every round's.
  const options = { lamassu: 'overlap = "1 min"' };
  const [sqlite, postgresql] = await Promise.all([
    twoClients(options),
    twoClients({ ...options, ledger: 'postgresql' }),
  ]);
  books = { sqlite, postgresql };
  stack.defer(() => sqlite.stop());
  stack.defer(() => postgresql.stop());
  for (const place of places)
    for (let lane = 0; lane < LANES; lane += 1) {
      const { world, proxy, stop } = await behindProxy(booksOf(place), place.link);
      stack.defer(stop);
      lanes.push({ place, world, proxy });
    }
  poller = startPoller();
  stack.defer(() => poller.stop());
  // Everything is loaded, and compiled.
  for (let warm = 0; warm < 3; warm += 1) await nextRuns();
  clean = await poller.count();
}, 240_000);
afterAll(() => stack.disposeAsync(), 60_000);

describe(`${ROUNDS} rounds at each place`, () => {
  test.each(faults)('%s', { timeout: long ? 3_600_000 : 240_000 }, async (title, fault) => {
    const hit = lanes.filter(({ place }) => meets(place, fault));
    await somethingNew();
    await Promise.all(lanes.map(({ place, proxy }) => proxy.set(meets(place, fault) ? fault : null, place)));
    const first = seen.length;
    const codes = new Map<Place, string[]>(places.map((place) => [place, []]));
    for (let done = 0; done < ROUNDS; done += STRETCH) {
      await Promise.all(places.map((place) => rounds(place, hit, codes.get(place) ?? [])));
      await countHeld(title);
    }
    for (const place of places.filter((one) => meets(one, fault))) {
      const said = codes.get(place) ?? [];
      const met = hit.reduce((sum, lane) => sum + (lane.place === place ? lane.proxy.met : 0), 0);
      const told = `${title}, ${place.name}: met ${met} times; ${[...new Set(said)].join(', ')} ${said.length} times`;
      process.stdout.write(`${told}\n`);
      expect(said.filter((code) => !place.codes.test(code), told)).toEqual([]);
      if (!place.pays) expect(said.length, told).toBe(ROUNDS);
      if (fault.do !== 'refuse') expect(met, told).toBeGreaterThanOrEqual(ROUNDS);
    }
    if (long) expect(slope(seen.slice(first)), 'bytes per poll').toBeLessThan(BYTES_PER_POLL);
    await Promise.all(lanes.map(({ proxy }) => proxy.set(null)));
    await nextRuns();
  });

  test('the memory does not grow', () => {
    process.stdout.write(`${polls} polls, ${Math.round(slope(seen))} bytes more by each\n`);
    expect(slope(seen), 'bytes per poll').toBeLessThan(BYTES_PER_POLL);
  });

  test('every client has received what is due', { timeout: long ? 3_600_000 : 240_000 }, async () => {
    for (const place of places) {
      const here = lanes.filter((lane) => lane.place === place);
      expect((await Promise.all(here.map(({ world }) => finish(world)))).flat(), place.name).toEqual([]);
    }
  });
});

function booksOf({ link, pays }: Place): World {
  return link === 'ledger' || pays ? books.postgresql : books.sqlite;
}

/** A cash-out by which everybody gets a few sats more. */
async function somethingNew(of: World[] = Object.values(books)): Promise<void> {
  const sats = { crypto_atoms: '128', received_crypto_atoms: '128' };
  for (const world of of) await world.insertCashOut({ fiat: '1.00000', ...sats });
}

/** One stretch of a fault at one place. */
async function rounds(place: Place, hit: Lane[], codes: string[]): Promise<void> {
  const here = hit.filter((lane) => lane.place === place);
  for (let done = 0; here.length > 0 && done < STRETCH; done += here.length) {
    if (place.pays) await somethingNew([booksOf(place)]);
    const now = here.slice(0, STRETCH - done);
    codes.push(...(await Promise.all(now.map(({ world }) => poller.poll(world, place.wait)))).flat());
    polls += now.length;
  }
}

/** Waits until what was closed is gone. */
async function countHeld(title: string): Promise<void> {
  let held = await poller.count();
  const tooMuch = () => held.files > clean.files + SPARE || held.resources > clean.resources + SPARE;
  for (const end = Date.now() + 10_000; tooMuch() && Date.now() < end; ) {
    await sleep(100);
    held = await poller.count();
  }
  seen.push({ polls, heap: held.heap });
  process.stdout.write(`after ${polls} polls, ${title}: ${JSON.stringify(held)}\n`);
  expect(held.files, 'files').toBeLessThanOrEqual(clean.files + SPARE);
  expect(held.resources, 'resources').toBeLessThanOrEqual(clean.resources + SPARE);
}

/** The run after it finds nothing wrong: on a machine that was too busy, one of the next. */
async function nextRuns(): Promise<void> {
  await Promise.all(
    lanes.map(async ({ world, place }) => {
      let codes: string[] = [];
      for (let run = 0; run < 3; run += 1) {
        codes = await poller.poll(world, null);
        polls += 1;
        if (codes.length === 0) return;
      }
      expect(codes, `the next runs at ${place.name}`).toEqual([]);
    }),
  );
}

/**
 * By how many bytes the heap grew with each poll: the line with the least squares, from the lowest count of the first
 * half on, because the engine lets go once of a few megabytes that only the beginning needed.
 */
function slope(all: typeof seen): number {
  const heaps = all.slice(0, Math.ceil(all.length / 2)).map(({ heap }) => heap);
  const counts = all.slice(heaps.indexOf(Math.min(...heaps)));
  const mean = (of: (one: { polls: number; heap: number }) => number) =>
    counts.reduce((sum, one) => sum + of(one), 0) / counts.length;
  const x = mean((one) => one.polls);
  const y = mean((one) => one.heap);
  return mean((one) => (one.polls - x) * (one.heap - y)) / mean((one) => (one.polls - x) ** 2);
}
