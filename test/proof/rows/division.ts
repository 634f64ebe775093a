/*
 * The model's arithmetic: how one cash-out is divided. Worked out again from the rules in docs/architecture.md and
 * docs/modes.md; it shares no code with the program, and takes other ways where there are any.
 */

export interface Cash {
  id: bigint;
  client: bigint;
  mode: 'flow' | 'fixed';
  /** Minor units. */
  remaining: bigint;
  /** ×10^5; null: what Lamassu charged. */
  rate: bigint | null;
}

export interface Part {
  fiat: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
}

export interface Divided {
  /** By funding; only those that gave something. */
  parts: Map<bigint, Part>;
  own: Part;
  commission: bigint;
  net: bigint;
}

export type Priority = 'shared' | 'flow-first' | 'fixed-first';

export function divide(
  { fiat, gross, commission }: Omit<Part, 'net'>,
  cash: readonly Cash[],
  limitLeft: (client: bigint) => bigint,
  priority: Priority,
): Divided {
  const given = new Map<bigint, bigint>();
  const kinds = priority === 'shared' ? [cash] : [cash.filter(isFlow), cash.filter((one) => !isFlow(one))];
  if (priority === 'fixed-first') kinds.reverse();
  let left = fiat;
  for (const kind of kinds) left -= pour(left, kind, limitLeft, given);

  const giving = cash.filter(({ id }) => (given.get(id) ?? 0n) > 0n).sort((a, b) => (a.id < b.id ? -1 : 1));
  const fiats = [...giving.map(({ id }) => given.get(id) ?? 0n), left];
  const grosses = proportion(gross, fiats);
  const charges = proportion(commission, fiats, grosses);
  const parts = new Map<bigint, Part>();
  for (const [i, { id, rate }] of giving.entries()) {
    const part = grosses[i] ?? 0n;
    const charge = rate === null ? (charges[i] ?? 0n) : half(part * rate);
    parts.set(id, { fiat: fiats[i] ?? 0n, gross: part, commission: charge, net: part - charge });
  }
  const ownGross = grosses[giving.length] ?? 0n;
  const ownCharge = charges[giving.length] ?? 0n;
  const own = { fiat: left, gross: ownGross, commission: ownCharge, net: ownGross - ownCharge };
  const all = [...parts.values()];
  return {
    parts,
    own,
    commission: total(all.map((one) => one.commission)) + ownCharge,
    net: total(all.map((one) => one.net)),
  };
}

/** To the nearest whole of a figure ×10^5, halves up. */
function half(scaled: bigint): bigint {
  const rest = scaled % 100_000n;
  return scaled / 100_000n + (rest >= 50_000n ? 1n : 0n);
}

/**
 * Shares `amount` in proportion, whole units each: after the floors, unit for unit to the one that is furthest
 * behind its exact share, the earlier in a tie, and never above `most`.
 */
export function proportion(amount: bigint, weights: readonly bigint[], most?: readonly bigint[]): bigint[] {
  const all = total(weights);
  if (amount === 0n) return weights.map(() => 0n);
  const shares = weights.map((weight, i) => least((amount * weight) / all, most?.[i]));
  for (let left = amount - total(shares); left > 0n; left -= 1n) {
    let next = -1;
    let behind = 0n;
    for (const [i, weight] of weights.entries()) {
      if (weight === 0n || shares[i] === most?.[i]) continue;
      const gap = amount * weight - (shares[i] ?? 0n) * all;
      if (next >= 0 && gap <= behind) continue;
      next = i;
      behind = gap;
    }
    if (next < 0) throw new Error('the model found no client for a unit');
    shares[next] = (shares[next] ?? 0n) + 1n;
  }
  return shares;
}

/**
 * Water-filling: every client is offered the same share of the remaining cash. A client whose offer reaches the cap
 * gets the cap and drops out, and the rest is offered again, until none drops out. Answers how much was taken.
 */
function pour(
  fiat: bigint,
  cash: readonly Cash[],
  limitLeft: (client: bigint) => bigint,
  given: Map<bigint, bigint>,
): bigint {
  let open = vessels(cash, limitLeft);
  let left = fiat;
  for (;;) {
    const weight = total(open.map((one) => one.weight));
    const full = open.filter((one) => left * one.weight >= one.cap * weight);
    if (full.length === 0) break;
    for (const { cap, cash: own } of full) {
      for (const [i, share] of proportion(
        cap,
        own.map(({ remaining }) => remaining),
      ).entries()) {
        const { id } = own[i] ?? {};
        if (id !== undefined) given.set(id, share);
      }
      left -= cap;
    }
    open = open.filter((one) => !full.includes(one));
  }
  if (open.length === 0 || left === 0n) return fiat - left;

  const weight = total(open.map((one) => one.weight));
  const rests: { id: bigint; rest: bigint; of: (typeof open)[number] }[] = [];
  let units = left;
  for (const one of open) {
    for (const { id, remaining } of one.cash) {
      const floor = (left * remaining) / weight;
      given.set(id, floor);
      units -= floor;
      one.cap -= floor;
      rests.push({ id, rest: left * remaining - floor * weight, of: one });
    }
  }
  while (units > 0n) {
    const next = rests
      .filter(({ of }) => of.cap > 0n)
      .reduce((a, b) => (b.rest > a.rest || (b.rest === a.rest && b.id < a.id) ? b : a));
    given.set(next.id, (given.get(next.id) ?? 0n) + 1n);
    next.of.cap -= 1n;
    next.rest -= weight;
    units -= 1n;
  }
  return fiat;
}

/** A flow funding by itself; all of a fixed client's together, under what is left of its day. */
function vessels(cash: readonly Cash[], limitLeft: (client: bigint) => bigint) {
  const found = new Map<string, { cash: Cash[]; weight: bigint; cap: bigint }>();
  for (const one of [...cash].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (one.remaining === 0n) continue;
    const key = isFlow(one) ? `f${one.id}` : `c${one.client}`;
    const vessel = found.get(key) ?? { cash: [], weight: 0n, cap: 0n };
    vessel.cash.push(one);
    vessel.weight += one.remaining;
    vessel.cap = isFlow(one) ? vessel.weight : least(vessel.weight, limitLeft(one.client));
    found.set(key, vessel);
  }
  return [...found.values()].filter(({ cap }) => cap > 0n);
}

function isFlow({ mode }: Cash): boolean {
  return mode === 'flow';
}

export function least(a: bigint, b: bigint | null | undefined): bigint {
  return b !== undefined && b !== null && b < a ? b : a;
}

export function total(values: Iterable<bigint>): bigint {
  let all = 0n;
  for (const value of values) all += value;
  return all;
}
