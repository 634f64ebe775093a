import { createHash } from 'node:crypto';
import { seed } from './seed.ts';

/** Draws numbers from 0 to less than 1: the same ones under the same name for the same seed, whatever else is drawn. */
export function chanceOf(name: string): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return createHash('sha256').update(`${seed} ${name} ${drawn}`).digest().readUInt32BE() / 2 ** 32;
  };
}

export function pick<T>(chance: () => number, from: readonly T[]): T {
  const one = from[Math.floor(chance() * from.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
