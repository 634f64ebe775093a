import { expect, test } from 'vitest';
import { guessing, rateLimit } from '../../../src/web/guard/limits.ts';

function stopwatch() {
  let now = 0;
  return {
    monotonic: () => now,
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

test('a bucket is used up, tells how long to wait, and fills up again; another is not touched', () => {
  const clock = stopwatch();
  const limit = rateLimit(clock, { most: 3, perMinute: 60 });
  for (let n = 0; n < 3; n += 1) limit.take('a');
  expect(() => limit.take('a')).toThrow(expect.objectContaining({ code: 'access/too-many', seconds: 1 }));
  limit.take('b');
  clock.pass(1);
  limit.take('a');
  expect(() => limit.take('a')).toThrow('Too many');
  clock.pass(3600);
  for (let n = 0; n < 3; n += 1) limit.take('a');
  expect(() => limit.take('a')).toThrow('Too many');
});

test('more visitors than are told apart push out the oldest, and need no more memory', () => {
  const limit = rateLimit(stopwatch(), { most: 1, perMinute: 1 });
  limit.take('first');
  for (let n = 0; n < 10_000; n += 1) limit.take(`${n}`);
  limit.take('first');
  expect(() => limit.take('9999')).toThrow('Too many');
});

test('10,000 guesses of one visitor take more than a month, and a success starts anew', () => {
  const clock = stopwatch();
  const tries = guessing(clock);
  let waited = 0;
  for (let n = 0; n < 10_000; n += 1) {
    try {
      tries.assertMayTry('a');
    } catch (error) {
      const { seconds } = error as { seconds: number };
      expect(seconds).toBeLessThanOrEqual(300);
      waited += seconds;
      clock.pass(seconds);
      tries.assertMayTry('a');
    }
    tries.failed('a');
  }
  expect(waited).toBeGreaterThan(30 * 86_400);
  tries.assertMayTry('b');
  clock.pass(300);
  tries.succeeded('a');
  for (let n = 0; n < 4; n += 1) {
    tries.failed('a');
    tries.assertMayTry('a');
  }
});
