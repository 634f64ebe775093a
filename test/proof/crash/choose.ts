import { createHash } from 'node:crypto';

/**
 * One of each `kind`, and of the others as many as their `share` (0 to 1) says, picked by `seed`: the same for the same
 * seed, whatever else is chosen. In the order of `points`.
 */
export function choose<T extends { kind: string; name: string; share: number }>(
  points: T[],
  seed: number,
): T[] {
  const ranked = points
    .map((point) => ({ point, rank: rankOf(`${seed} ${point.name}`) }))
    .sort((a, b) => a.rank - b.rank);
  const kinds = new Set<string>();
  const chosen = ranked.filter(({ point: { kind, share }, rank }) => {
    const first = !kinds.has(kind);
    kinds.add(kind);
    return first || rank < share;
  });
  const kept = new Set(chosen.map(({ point }) => point));
  return points.filter((point) => kept.has(point));
}

/** A number from 0 to 1 that looks like chance. */
function rankOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}
