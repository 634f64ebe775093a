import { expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { isSealed, sealOf } from '../../../src/ledger/store/seals.ts';

test('a seal is not valid for another ledger, wallet or part', () => {
  const seals = { ledger: 'l', secret: new Secret('s'), all: true };
  const seal = sealOf(seals, ['payment', 'w', 1]);
  expect(seal).toMatch(/^[0-9a-f]{64}$/);
  for (const other of [
    sealOf({ ...seals, ledger: 'm' }, ['payment', 'w', 1]),
    sealOf({ ...seals, secret: new Secret('t') }, ['payment', 'w', 1]),
    sealOf(seals, ['payment', 'w', '1']),
    sealOf(seals, ['payment', 'w1']),
  ])
    expect(other).not.toBe(seal);
  expect(isSealed(seals, ['payment', 'w', 1], seal)).toBe(true);
  for (const other of [seal.toUpperCase(), seal.slice(1), '', null, undefined, 1, [seal], { seal }])
    expect(isSealed(seals, ['payment', 'w', 1], other)).toBe(false);
});
