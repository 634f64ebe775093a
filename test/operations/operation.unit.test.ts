import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { operation, type Session } from '../../src/operations/operation.ts';
import { systemClock } from '../../src/time.ts';
import { everyOperation, perform } from '../support/operations.ts';

/* What holds of every operation at every door, before anything is read. */

const session: Session = {
  ...{ principal: { kind: 'operator' }, clock: systemClock, actor: 'dora', reason: 'a reason' },
  config: () => Promise.reject(new Error('the configuration was read')),
  withLedger: () => Promise.reject(new Error('the ledger was opened')),
  stopSignal: () => AbortSignal.any([]),
};

/** Answers who asks. */
const ask = operation({
  name: 'pot.ask',
  needs: 'none',
  may: [],
  errors: [],
  input: z.strictObject({
    pot: z.strictObject({ lid: z.string() }).optional(),
    state: z.string().optional(),
  }),
  view: z.object({ actor: z.string(), reason: z.string().nullable() }),
  run: async ({ who: { actor, reason = null } }) => ({ actor, reason }),
});

test('every operation refuses a field that it does not know', async () => {
  const operations = await everyOperation();
  expect(operations.length).toBeGreaterThan(60);
  for (const one of operations) {
    const error: unknown = await perform(one, session, { no_such_field: 1 }).catch(
      (thrown: unknown) => thrown,
    );
    expect([one.name, error]).toEqual([
      one.name,
      expect.objectContaining({ code: 'usage/invalid', kind: 'invalid', field: 'no_such_field' }),
    ]);
  }
});

test('a field that is like a known one is proposed, within a field too', async () => {
  const refusal = (input: object) => perform(ask, session, input).catch((thrown: unknown) => thrown);
  expect(await refusal({ stat: 'held' })).toMatchObject({
    ...{ field: 'stat', message: 'stat: there is no such field.', hint: 'Did you mean state?' },
  });
  expect(await refusal({ pot: { lit: 'on' } })).toMatchObject({
    field: 'pot.lit',
    hint: 'Did you mean lid?',
  });
  expect(await refusal({ spoon: 1 })).toMatchObject({ hint: 'Known are pot, state.' });
});

test('what is not one change of the ledger takes no key, and docs/architecture.md names it', async () => {
  const others = (await everyOperation()).filter(({ needs }) => needs === 'none' || needs === 'config');
  for (const one of others) {
    const error: unknown = await perform(one, { ...session, key: 'k' }, {}).catch(
      (thrown: unknown) => thrown,
    );
    expect([one.name, error]).toEqual([one.name, expect.objectContaining({ field: 'key' })]);
  }
  const reads = /^(config|doctor|role_sql|init\.(check|find|make|read)_.*|.*\bpreview(_.*)?)$/;
  const [, list = ''] =
    /refuse a key:\n(.*?)\nWhat only reads/s.exec(readFileSync('docs/architecture.md', 'utf8')) ?? [];
  expect(new Set([...list.matchAll(/`([a-z_.]+)`/g)].map(([, name]) => name))).toEqual(
    new Set(others.map(({ name }) => name).filter((name) => !reads.test(name))),
  );
});

test('an operation that needs a reason takes no blank one', async () => {
  const reasoned = (await everyOperation()).filter((one) => one.reasoned);
  expect(reasoned.length).toBeGreaterThan(15);
  for (const one of reasoned) {
    for (const reason of [undefined, '', ' \t\n']) {
      const error: unknown = await perform(one, { ...session, reason }, {}).catch(
        (thrown: unknown) => thrown,
      );
      expect([one.name, error]).toEqual([one.name, expect.objectContaining({ field: 'reason' })]);
    }
  }
});

test('blanks around a reason and a name do not count; a blank reason is none, a blank name is refused', async () => {
  const asked = (who: Partial<Session>) => perform(ask, { ...session, ...who }, {});
  expect(await asked({ reason: '  paid twice\n', actor: ' dora ' })).toEqual({
    ...{ reason: 'paid twice', actor: 'dora' },
  });
  expect(await asked({ reason: '  ' })).toEqual({ reason: null, actor: 'dora' });
  await expect(asked({ actor: '  ' })).rejects.toMatchObject({ code: 'usage/invalid', field: 'actor' });
});
