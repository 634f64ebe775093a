import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { commandOf } from '../src/cli/terminal/words.ts';
import { everyOperation, operationsOf } from './support/operations.ts';
import { commandViews, holdAgainstView } from './support/views.ts';

/* The view that the JSON of each command is compared with, in every test that starts it with `--json`. */

const CLI = new URL('../src/cli/', import.meta.url);

async function everyCommand(): Promise<string[]> {
  const program = new Command('aio-dca');
  const main = readFileSync(new URL('program.ts', CLI), 'utf8');
  const files = [...new Set([...main.matchAll(/import\('(\.\/[^']+)'\)/g)].map(([, file]) => `${file}`))];
  for (const file of files) {
    const noun = (await import(new URL(file, CLI).pathname)) as { register(program: Command): void };
    noun.register(program);
  }
  const namesOf = ({ commands }: Command, before: string): string[] =>
    commands.flatMap((one) =>
      one.commands.length > 0 ? namesOf(one, `${before}${one.name()} `) : `${before}${one.name()}`,
    );
  return namesOf(program, '');
}

test('every command has its view', async () => {
  expect(new Set(await everyCommand())).toEqual(new Set(Object.keys(commandViews)));
});

test('every command has an operation, whose errors it may end with', async () => {
  for (const command of await everyCommand())
    expect([command, (await operationsOf(command)).length > 0]).toEqual([command, true]);
});

test('the view of a command is that of its operation', async () => {
  // They pass their changes on as they come, or the command says more, or prints the Prometheus text separately.
  const others = ['init.create', 'log.list', 'review.show', 'metrics.show'];
  const operations = await everyOperation();
  expect(operations.length).toBeGreaterThan(60);
  for (const { name, view } of operations) {
    const command = commandOf({ operation: name, args: {} })
      .replace(/^aio-dca /, '')
      .replace(/ --.*/, '');
    const entry = commandViews[command];
    if (!entry || others.includes(name)) continue;
    const views = typeof entry === 'function' ? await entry() : entry;
    expect(
      views.some((one) => isOf(one, view)),
      `${name} and \`${command}\``,
    ).toBe(true);
  }
});

/** Whether it is the view, one of its forms, or of a list that goes on: its rows. */
function isOf(one: z.ZodType, view: z.ZodType): boolean {
  if (one === view) return true;
  if (view instanceof z.ZodUnion) return view.options.some((form) => form === one);
  if (view instanceof z.ZodArray) return one instanceof z.ZodArray && one.element === view.element;
  return view instanceof z.ZodObject && view.shape.rows === one;
}

test('a document that differs from its view is found', async () => {
  const held = (document: object) =>
    holdAgainstView(['payouts', 'pause', '--json'], JSON.stringify(document));
  const fine = { paused: true, pause: null, changed: true };
  const error = { code: 'usage/invalid', message: 'the amount: it is missing', hint: null };
  await held(fine);
  await held({ error });
  for (const other of [
    { ...fine, more: 1 },
    { ...fine, changed: 1.5 },
    { paused: true, pause: null },
    { ...fine, pause: { at: '2026-11-30T12:00:00.000000Z', by: null, reason: null, more: 1 } },
    { error: { ...error, code: 'usage/other' } },
    { error: { ...error, more: 1 } },
  ])
    await expect(held(other)).rejects.toThrow('not as its view');
});
