import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { secretInput } from '../../src/config/secret-input.ts';
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
    // A preview is shown before a reason is known; a usual reason stands for none.
    const none = one.reasoned === true && one.usualReason === undefined ? [undefined] : [];
    for (const reason of [...none, '', ' \t\n']) {
      const error: unknown = await perform(one, { ...session, reason }, {}).catch(
        (thrown: unknown) => thrown,
      );
      expect([one.name, error]).toEqual([one.name, expect.objectContaining({ field: 'reason' })]);
    }
  }
});

test('no preview needs a reason', async () => {
  const previews = (await everyOperation()).filter(({ name }) => /\bpreview/.test(name));
  expect(previews.length).toBeGreaterThan(12);
  expect(previews.filter((one) => one.reasoned === true).map(({ name }) => name)).toEqual([]);
});

test('the usual reason of an operation is logged where none is given', async () => {
  const usual = { ...ask, reasoned: true as const, usualReason: 'held by hand' };
  const reasonOf = async (reason: string | undefined) =>
    (await perform(usual, { ...session, reason }, {})).reason;
  expect(await reasonOf(undefined)).toBe('held by hand');
  expect(await reasonOf('alice asked')).toBe('alice asked');
});

const JSON_TYPES = [
  ...['object', 'array', 'string', 'number', 'boolean', 'enum', 'union'],
  ...['optional', 'nullable', 'default', 'pipe'],
];

test('every input is JSON: data and secrets, which a door may have read already', async () => {
  for (const { name, input } of await everyOperation()) {
    const others: string[] = [];
    const schema = z.toJSONSchema(input, {
      ...{ io: 'input', unrepresentable: 'any' },
      override: ({ zodSchema, path }) => {
        const { type } = zodSchema._zod.def;
        if (zodSchema === secretInput.options[0] || JSON_TYPES.includes(type)) return;
        others.push(`${path.join('.')}: ${type}`);
      },
    });
    expect([name, others]).toEqual([name, []]);
    expect(schema).toMatchObject({ type: 'object' });
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
