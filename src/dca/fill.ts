import { sum } from './money.ts';
import { largestRemainder } from './split.ts';

export type Mode = 'flow' | 'fixed';

/** `flow-first` and `fixed-first` let one kind take all it can before the other gets anything. */
export type Priority = 'shared' | 'flow-first' | 'fixed-first';

/** A funding from which cash is taken; `remaining` in minor units. */
export interface Cash {
  id: bigint;
  client: bigint;
  mode: Mode;
  remaining: bigint;
}

/** Fundings under one cap: one flow funding, or all fundings of one fixed client. `cap` ≤ `weight`, in minor units. */
interface Group {
  fundings: Cash[];
  /** Σ remaining. */
  weight: bigint;
  cap: bigint;
}

/**
 * Takes `fiat` minor units out of the fundings by water-filling: in proportion to `remaining`, but from no
 * funding more than remains, and from a fixed client's together no more than its `limitLeft` (none: 0). What a
 * cap frees goes to the others in proportion. Units that do not divide go one each by the largest remainder,
 * ties by id, to those below all their caps; so everybody gets its exact share rounded down or up.
 *
 * Returns what each funding gives, by its id; those that give nothing are absent. Adds up to less than `fiat`
 * where the caps do.
 */
export function fill(
  fiat: bigint,
  fundings: readonly Cash[],
  limitLeft: ReadonlyMap<bigint, bigint>,
  priority: Priority,
): Map<bigint, bigint> {
  const groups = group(fundings, limitLeft);
  const taken = new Map<bigint, bigint>();
  for (const kind of kinds(groups, priority)) {
    const left = fiat - sum(taken.values());
    fillKind(left, kind, taken);
  }
  return taken;
}

function kinds(groups: Group[], priority: Priority): Group[][] {
  if (priority === 'shared') return [groups];
  const isFlow = ({ fundings: [first] }: Group) => first?.mode === 'flow';
  const flow = groups.filter(isFlow);
  const fixed = groups.filter((g) => !isFlow(g));
  return priority === 'flow-first' ? [flow, fixed] : [fixed, flow];
}

function group(fundings: readonly Cash[], limitLeft: ReadonlyMap<bigint, bigint>): Group[] {
  const groups: Group[] = [];
  const fixed = new Map<bigint, Cash[]>();
  for (const funding of [...fundings].sort(byId)) {
    if (funding.remaining < 0n) throw new RangeError(`funding ${funding.id} has ${funding.remaining} left`);
    if (funding.remaining === 0n) continue;
    if (funding.mode === 'flow') {
      groups.push({ fundings: [funding], weight: funding.remaining, cap: funding.remaining });
    } else {
      const own = fixed.get(funding.client);
      if (own) own.push(funding);
      else fixed.set(funding.client, [funding]);
    }
  }
  for (const [client, own] of fixed) {
    const weight = sum(own.map(({ remaining }) => remaining));
    const limit = limitLeft.get(client) ?? 0n;
    if (limit > 0n) groups.push({ fundings: own, weight, cap: limit < weight ? limit : weight });
  }
  return groups;
}

/**
 * Finds the level at which every group gives the smaller of level × weight and its cap, and all together `fiat`: groups
 * are filled in the order in which they reach their caps, until the rest can share what is left without reaching
 * theirs.
 */
function fillKind(fiat: bigint, groups: Group[], taken: Map<bigint, bigint>): void {
  const rising = [...groups].sort((a, b) => compare(a.cap * b.weight, b.cap * a.weight));
  let left = fiat;
  let weight = sum(groups.map((g) => g.weight));
  let full = 0;
  for (const { cap, weight: own, fundings } of rising) {
    if (left * own < cap * weight) break;
    const parts = largestRemainder(
      cap,
      fundings.map(({ remaining }) => ({ weight: remaining })),
    );
    fundings.forEach(({ id }, i) => {
      take(taken, id, parts[i] ?? 0n);
    });
    left -= cap;
    weight -= own;
    full += 1;
  }
  if (full < rising.length) share(left, weight, rising.slice(full), taken);
}

/** Divides `fiat` over groups that all stay below their caps: each funding gets remaining × fiat / weight. */
function share(fiat: bigint, weight: bigint, groups: Group[], taken: Map<bigint, bigint>): void {
  let left = fiat;
  const units: { id: bigint; remainder: bigint; room: { units: bigint } }[] = [];
  for (const { fundings, cap } of groups) {
    const room = { units: cap };
    for (const { id, remaining } of fundings) {
      const floor = (remaining * fiat) / weight;
      take(taken, id, floor);
      left -= floor;
      room.units -= floor;
      units.push({ id, remainder: (remaining * fiat) % weight, room });
    }
  }
  // One pass is enough: a group's cap is a whole number above its exact share, so its remainders fit under it.
  units.sort((a, b) => compare(b.remainder, a.remainder) || byId(a, b));
  for (const { id, room } of units) {
    if (left === 0n) break;
    if (room.units === 0n) continue;
    take(taken, id, 1n);
    room.units -= 1n;
    left -= 1n;
  }
  if (left !== 0n) throw new Error(`water-filling left ${left} of ${fiat} over, though nobody is at the cap`);
}

function take(taken: Map<bigint, bigint>, id: bigint, amount: bigint): void {
  if (amount > 0n) taken.set(id, (taken.get(id) ?? 0n) + amount);
}

function byId(a: { id: bigint }, b: { id: bigint }): number {
  return compare(a.id, b.id);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
