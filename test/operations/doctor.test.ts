import { expect, test } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import { examine } from '../../src/operations/doctor.ts';
import { systemClock } from '../../src/time.ts';
import type { CheckView } from '../../src/views/doctor.ts';
import { perform } from '../support/operations.ts';

test('a configuration that cannot be read is a failed check, told as it ends', async () => {
  const told: CheckView[] = [];
  const view = await perform(
    examine,
    {
      ...{ principal: { kind: 'operator' }, clock: systemClock, actor: 'dora', reason: undefined },
      config: () => Promise.reject(new BridgeError('config/missing', 'there is none', 'Write one.')),
      withLedger: () => Promise.reject(new Error('no ledger is opened')),
      stopSignal: () => AbortSignal.any([]),
      onCheck: (check) => told.push(check),
    },
    {},
  );
  const check = {
    name: 'config',
    level: 'fail',
    detail: 'config/missing: there is none',
    hint: 'Write one.',
  };
  expect(view).toEqual({ ok: false, checks: [check], failures: ['misconfigured'] });
  expect(told).toEqual([check]);
});
