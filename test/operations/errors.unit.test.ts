import { expect, test } from 'vitest';
import * as z from 'zod';
import { BridgeError, catalogue, type ErrorCode } from '../../src/errors.ts';
import { errorsOf } from '../../src/operations/errors.ts';
import { operation, type Session } from '../../src/operations/operation.ts';
import { systemClock } from '../../src/time.ts';
import { commandsOf, everyOperation, holdAgainstErrors, perform } from '../support/operations.ts';

/** They stop no operation: they are a problem within a view, or the command line adds them. */
const ELSEWHERE: ErrorCode[] = [
  'internal/defect',
  'usage/confirm',
  'usage/declined',
  'lnbits/balance',
  'lnbits/wallet-full',
  'lnbits/service-fee',
  'lamassu/too-many-rights',
  'clock/entry',
  // Of a door alone.
  'access/origin',
  'access/precondition',
  'access/too-many',
];

test('every operation states its own errors, without those that all have', async () => {
  const operations = await everyOperation();
  expect(operations.length).toBeGreaterThan(60);
  for (const { name, needs, errors } of operations) {
    const common = errorsOf({ needs, errors: [] });
    expect([name, errors.filter((code) => common.has(code))]).toEqual([name, []]);
    expect([name, new Set(errors).size]).toEqual([name, errors.length]);
    expect([name, commandsOf(name).length > 0]).toEqual([name, true]);
  }
});

test('every error is stated by an operation, or is known to stop none', async () => {
  const stated = new Set((await everyOperation()).flatMap((one) => [...errorsOf(one)]));
  const codes = Object.keys(catalogue) as ErrorCode[];
  expect(new Set(codes.filter((code) => !stated.has(code)))).toEqual(new Set(ELSEWHERE));
});

test('an operation that ends with an error that it does not state is a defect', async () => {
  const session = { principal: { kind: 'operator' }, clock: systemClock, actor: 'test' } as Session;
  const broken = (errors: ErrorCode[]) =>
    operation({
      name: 'broken',
      needs: 'none',
      may: [],
      errors,
      input: z.object({}),
      view: z.object({}),
      run: async () => {
        throw new BridgeError('settle/changed', 'it changed');
      },
    });
  await expect(perform(broken([]), session, {})).rejects.toThrow('broken does not state settle/changed');
  await expect(perform(broken(['settle/changed']), session, {})).rejects.toThrow('it changed');
});

test('a command ends only with the errors of its operations', async () => {
  await holdAgainstErrors('settle', 'settle/changed');
  await holdAgainstErrors('payouts release', 'run/busy');
  await expect(holdAgainstErrors('clients show', 'run/busy')).rejects.toThrow(
    'clients show ends with run/busy',
  );
});
