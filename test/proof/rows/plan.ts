import { agree, type Change } from './agree.ts';
import { type Draws, draws } from './draws.ts';
import { instant, micros, type Row } from './judgement.ts';
import type { ModelRules } from './model.ts';
import { decimal, type RowWorld, soundRow, spoilt, strangeTimes } from './row.ts';

/*
 * A year of an installation that a few runs read: what is agreed with the clients, what Lamassu writes before each
 * run, what it changes, and what it commits late.
 */

export interface Step {
  changes: Change[];
  insert: Row[];
  update: Row[];
  /** Written in a transaction that is open as the run begins to read, and commits after it. */
  held: Row[];
  /** Changed in that transaction. */
  heldUpdate: Row[];
  /** It commits in the middle of the reading already. */
  meanwhile: boolean;
  /** A dry run comes first. */
  dry: boolean;
}

export interface Plan {
  seed: number;
  rules: ModelRules;
  version: '2023-05' | '10.0.3' | 'next';
  machines: string[];
  /** Amounts beyond what anybody can be paid. */
  huge: boolean;
  steps: Step[];
}

const SECOND = 1_000_000n;
const MINUTE = 60n * SECOND;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;

/** `now` must be Lamassu's clock within a few minutes of every run: nothing lies closer to a border than that. */
export function planWorld(seed: number, rows: number, now: bigint): Plan {
  const draw = draws(seed);
  const version = draw.pick('2023-05', '10.0.3', 'next', 'next');
  const machines = ['7a1f4c2e', 'b09d', '机器 №5 🏧'];
  const huge = draw.chance(30);
  const start = now - 400n * DAY - draw.big(0n, DAY);
  const overlap = draw.pick(7n * DAY, 2n * DAY, 3n * HOUR);
  const timezone = draw.pick(
    ...['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Guatemala'],
    ...['Africa/Cairo', 'America/Santiago', 'Pacific/Auckland', 'Asia/Kathmandu'],
  );
  const rules: ModelRules = {
    startAt: instant(start),
    overlap,
    timezone,
    method: draw.pick('ticker', 'ticker', 'margin', 'markup'),
    fallback: draw.pick('margin', 'markup'),
    priority: draw.pick('shared', 'shared', 'flow-first', 'fixed-first'),
    largeAbove: draw.chance(40) ? new Map([['USD', 150_000n]]) : new Map(),
  };
  // The newest row of each run: the mark stands there after it. Some runs follow within the overlap, some long after.
  const ends = [now - MINUTE];
  for (let end = now - MINUTE; ends.length < 6; ends.unshift(end))
    end -= draw.pick(draw.big(HOUR, overlap), draw.big(DAY, 70n * DAY));
  const steps = ends.map((): Step => ({ ...nothing(), dry: draw.chance(25) }));
  agree(draw, steps, [start, ...ends], machines);

  const world: RowWorld = { draw, machines, huge, fees: version === 'next' };
  const times = timesOf({
    draw,
    start,
    now,
    ends,
    overlap,
    edges: [...clockEdges(timezone, start, now), ...changesOf(steps)],
  });
  for (const [index, end] of ends.entries())
    steps[index]?.insert.push(soundRow(world, uuid(draw), instant(end)));
  for (let n = ends.length; n < rows; n += 1) {
    const { at, step, held } = times();
    story(world, steps, step, held, soundRow(world, uuid(draw), at), now);
  }
  return { seed, rules, version, machines, huge, steps };
}

function nothing(): Step {
  return {
    ...{ changes: [], insert: [], update: [], held: [], heldUpdate: [] },
    ...{ meanwhile: false, dry: false },
  };
}

/** The same year, of which the first run reads everything; while it does, Lamassu goes on writing. */
export function backlog(plan: Plan): Plan {
  const { steps } = plan;
  const held = steps.flatMap((step) => step.held);
  const ids = new Set(held.map(({ id }) => id));
  const isHeld = ({ id }: Row) => ids.has(id ?? '');
  const last = steps.at(-1)?.update.filter((row) => !isHeld(row)) ?? [];
  const first: Step = {
    ...nothing(),
    changes: steps.flatMap(({ changes }) => changes),
    insert: steps.flatMap(({ insert }) => insert),
    update: steps.slice(0, -1).flatMap(({ update }) => update.filter((row) => !isHeld(row))),
    held,
    heldUpdate: last,
    meanwhile: true,
  };
  return {
    ...plan,
    steps: [first, { ...nothing(), update: steps.flatMap(({ update }) => update.filter(isHeld)) }],
  };
}

function changesOf(steps: Step[]): bigint[] {
  return steps.flatMap(({ changes }) =>
    changes.flatMap((one) =>
      'at' in one ? [micros(one.at)] : 'depositedAt' in one ? [micros(one.depositedAt)] : [],
    ),
  );
}

/** Where clocks change and where days begin, by the half hour. */
function clockEdges(timeZone: string, start: bigint, now: bigint): bigint[] {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    timeZoneName: 'longOffset',
    dateStyle: undefined,
    day: 'numeric',
  });
  const edges: bigint[] = [];
  const turns: bigint[] = [];
  const half = HOUR / 2n;
  let [day, offset] = [undefined, undefined] as [string | undefined, string | undefined];
  for (let at = (start / HOUR) * HOUR; at < now; at += half) {
    const parts = format.formatToParts(Number(at / 1000n));
    const today = parts.find(({ type }) => type === 'day')?.value;
    const zone = parts.find(({ type }) => type === 'timeZoneName')?.value;
    if (today !== day) edges.push(at);
    if (zone !== offset && offset !== undefined) turns.push(at);
    [day, offset] = [today, zone];
  }
  // There are few such days, so they are drawn often; the day around them counts as well.
  const around = turns.flatMap((at) =>
    edges.filter((edge) => edge > at - 26n * HOUR && edge < at + 26n * HOUR),
  );
  const many = Array.from({ length: 60 }, () => [...turns, ...around]).flat();
  return [...edges, ...many];
}

interface Times {
  draw: Draws;
  start: bigint;
  now: bigint;
  ends: bigint[];
  overlap: bigint;
  edges: bigint[];
}

/** When a row was confirmed, and the run before which it appears. */
function timesOf({ draw, start, now, ends, overlap, edges }: Times) {
  const last = ends.length - 1;
  const home = (at: bigint) => {
    const found = ends.findIndex((end) => end >= at);
    return found < 0 ? last : found;
  };
  const near = () => draw.pick(-1n, 0n, 0n, 1n, draw.big(-HOUR, HOUR));
  const usual = (at: bigint) => {
    const step = draw.chance(92) ? home(at) : Math.min(last, home(at) + draw.int(1, 3));
    return { at: instant(at), step, held: false };
  };
  const within = (at: bigint) => (at > start && at < now - MINUTE ? at : draw.big(start, now - MINUTE));
  const behind = () => {
    const k = draw.int(0, last - 1);
    const end = ends[k] ?? 0n;
    const back = draw.pick(overlap, overlap, draw.big(0n, overlap), draw.big(0n, overlap * 2n));
    return { at: instant(end - back + draw.pick(-1n, 0n, 1n)), step: k + 1, held: false };
  };
  const held = () => {
    const k = draw.int(0, last - 1);
    return { at: instant((ends[k] ?? 0n) - draw.big(0n, HOUR)), step: k, held: true };
  };
  /** As many rows for each run, however long it has not run. */
  const anyRun = () => {
    const k = draw.int(0, last);
    return draw.big((ends[k - 1] ?? start) + 1n, ends[k] ?? now);
  };
  const special = draw.pick(...edges);
  return () =>
    draw.pick(
      ...Array.from({ length: 9 }, () => () => usual(anyRun())),
      ...Array.from({ length: 5 }, () => () => usual(within(draw.pick(...edges) + near()))),
      // Many rows at one moment: their ids decide who is first.
      () => usual(within(special)),
      behind,
      behind,
      held,
      () => usual(start + draw.pick(-1n, 0n, 1n, -overlap, -overlap - 1n, -draw.big(0n, overlap * 2n))),
      () => usual(now - draw.pick(48n, 24n) * HOUR + draw.pick(-20n, 20n) * MINUTE),
      // It moves no mark, and is no more in the future than clocks differ.
      () => ({ at: instant(now + 4n * MINUTE), step: last, held: false }),
      () => ({
        at: instant(now + draw.pick(20n * MINUTE, 900n * DAY)),
        step: draw.int(0, last),
        held: false,
      }),
    )();
}

/** Puts a row into the plan, and what becomes of it until the last run. */
function story(world: RowWorld, steps: Step[], step: number, held: boolean, row: Row, now: bigint): void {
  const { draw } = world;
  const put = (first: Row) => steps[step]?.[held ? 'held' : 'insert'].push(first);
  let at = step;
  const then = (next: Row) => {
    at += draw.int(1, 3);
    steps[at]?.update.push(next);
  };
  // A row that was held back is changed only once it is there.
  if (held) at += 1;
  const open = { dispense_confirmed: 'false', dispense: 'false', redeem: 'true' };
  const unconfirmed = { status: draw.pick('authorized', 'instant', 'published'), confirmed_at: null };
  const wrong = { error: draw.pick('cassette jam', '', '💥'), error_code: draw.pick(null, 'dispenserJam') };
  const cancelled = { dispense: 'true', error: 'Operator cancel', error_code: 'operatorCancel' };
  const tells: (() => void)[] = [
    // Comes back for the cash, or never does.
    () => [put({ ...row, ...open }), draw.chance(80) && then(row)],
    () => [put({ ...row, ...open }), then({ ...row, ...open, ...cancelled })],
    // The cash comes out before the payment is confirmed.
    () => [put({ ...row, ...unconfirmed }), draw.chance(70) && then(row)],
    () => [
      put({ ...row, ...unconfirmed, dispense_confirmed: null }),
      then({ ...row, ...unconfirmed }),
      then(row),
    ],
    () => put({ ...row, ...unconfirmed, created: instant(now - 24n * HOUR + draw.pick(-20n, 20n) * MINUTE) }),
    () => [put(row), then({ ...row, ...wrong }), draw.chance(50) && then(row)],
    () => [put({ ...row, ...wrong }), then(row)],
    () => [
      put({ ...row, ...wrong, dispense_confirmed: 'false' }),
      then({ ...row, dispense_confirmed: 'false' }),
      then(row),
    ],
    () => [put(row), then({ ...row, status: 'insufficientFunds' })],
    () => [put({ ...row, status: 'rejected' }), then(row)],
    // Figures that change, after or before they were divided.
    () => [put(row), then({ ...row, crypto_atoms: '1234500', received_crypto_atoms: '1234500' })],
    () => [put(row), then({ ...row, fiat: decimal(12_300_000n) }), then(row)],
    () => [put(row), then({ ...row, raw_ticker_price: '77777.00000', commission_percentage: null })],
    () => [put(row), then({ ...row, device_id: 'another' })],
    () => [put({ ...row, crypto_code: 'ETH' }), then(row)],
    () => [put({ ...row, fiat_code: 'ZZZ' }), then(row)],
    () => [put({ ...row, commission_percentage: null, raw_ticker_price: null }), then(row)],
    // A clock that was wrong, and was corrected.
    () => [put({ ...row, confirmed_at: draw.pick(instant(now + 100n * DAY), ...strangeTimes) }), then(row)],
    () => [
      put(row),
      then({ ...row, confirmed_at: draw.pick(instant(now + 100n * DAY), null, ...strangeTimes) }),
    ],
    () => [put(spoilt(world, row)), then(row)],
    () => [put(row), then(spoilt(world, row))],
  ];
  if (draw.chance(25)) draw.pick(...tells)();
  else put(draw.chance(12) ? spoilt(world, row) : row);
}

function uuid(draw: Draws): string {
  const hex = draw
    .big(0n, 2n ** 128n - 1n)
    .toString(16)
    .padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
