import { createHash } from 'node:crypto';
import { type Course, inWords, type KillPoint, type KillSeries } from '../../support/kill.ts';
import type { SeenRequest } from '../../support/lnbits-simulator.ts';
import { long, seed } from '../seed.ts';

/** The kills of one try. Of each `kind` one is tried at least, and of the others a `share` (0 to 1). */
export interface Point {
  kills: KillPoint[];
  kind: string;
  share: number;
}

/** The way a point is named that is to be tried alone. */
const ONLY = process.env.AIO_DCA_PROOF_POINT;

/** Whether any point of this place is to be tried. */
export function isAsked(place: string): boolean {
  return ONLY === undefined || ONLY.startsWith(`${place}: `);
}

/**
 * Tries those of `points` that the seed chooses, or all of them in the long form. Answers how many, and what went
 * wrong; for each point at which something did it prints the line that repeats it alone. `file`: how Vitest finds the
 * test.
 */
export async function tryPoints(
  series: KillSeries,
  { file, place }: { file: string; place: string },
  points: Point[],
): Promise<{ tried: number; wrong: string[] }> {
  const named = points.map((point) => ({ ...point, name: `${place}: ${inWords(point.kills)}` }));
  const chosen =
    ONLY !== undefined ? named.filter(({ name }) => name === ONLY) : long ? named : choose(named);
  const wrong = await series.survive(chosen.map(({ kills }) => kills));
  for (const kills of new Set(wrong.map((one) => one.kills)))
    process.stdout.write(
      `replay: AIO_DCA_PROOF_POINT='${place}: ${inWords(kills)}' npm run test:crash -- ${file}\n`,
    );
  return {
    tried: chosen.length,
    wrong: wrong.map(({ kills, problem }) => `${place}: ${inWords(kills)}: ${problem}`),
  };
}

/** Before and after each request, and in the middle of the answer to one of each kind at least. */
export function atRequests(requests: SeenRequest[]): Point[] {
  return requests.flatMap(({ n, kind }): Point[] => [
    always({ at: 'request', n, phase: 'before' }),
    always({ at: 'request', n, phase: 'after' }),
    { kills: [{ at: 'request', n, phase: 'half' }], kind: `half ${kind}`, share: 0 },
  ]);
}

/** Before and after each commit, and in the middle of one at least. */
export function atCommits({ commits }: Course): Point[] {
  return upTo(commits).flatMap((n): Point[] => [
    always({ at: 'commit', n, phase: 'before' }),
    always({ at: 'commit', n, phase: 'after' }),
    { kills: [{ at: 'commit', n, phase: 'half' }], kind: 'half', share: 0.05 },
  ]);
}

/** Tried whatever the seed says. */
export function always(...kills: KillPoint[]): Point {
  return { kills, kind: 'always', share: 1 };
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** The same for the same seed, whatever else is chosen. In the order of `points`. */
function choose<T extends Point & { name: string }>(points: T[]): T[] {
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
