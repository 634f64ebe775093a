import { expect, test } from 'vitest';
import { didYouMean } from '../../src/lib/did-you-mean.ts';

const known = ['Antigua', 'Centro', 'alice', 'bob', 'José'];

test.each([
  ['antigua', 'Antigua'],
  ['ANTIGUA', 'Antigua'],
  [' Antigau', 'Antigua'],
  ['Anti', 'Antigua'],
  ['alcie', 'alice'],
  ['Bob', 'bob'],
  ['bo', 'bob'],
  ['Jose\u0301', 'José'],
])('%s is like %s', (typed, name) => {
  expect(didYouMean(typed, known)).toBe(`Did you mean ${name}? `);
});

test.each(['', ' ', 'x', 'Quetzaltenango', 'carla', 'zed'])('nothing is like %j', (typed) => {
  expect(didYouMean(typed, known)).toBe('');
});

test('names that are equally near are all named, at most three, each once', () => {
  expect(didYouMean('ALICE', ['alice', 'Alice', 'alice', 'bob'])).toBe('Did you mean alice or Alice? ');
  expect(didYouMean('an', ['ana', 'ann', 'and', 'ant'])).toBe('Did you mean ana or ann or and? ');
  expect(didYouMean('an', [])).toBe('');
});
