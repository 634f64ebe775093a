import { expect } from 'vitest';
import type { z } from 'zod';

/**
 * Holds what a command printed with `--json` against its view: in JSON, what is a bigint there is an integer, and an
 * operation is the command that does it.
 */
export function expectView(view: z.ZodType, json: unknown): void {
  const issues = view.safeParse(json).error?.issues ?? [];
  const wrong = issues.filter(
    (issue) =>
      !(
        issue.code === 'invalid_type' &&
        ((issue.expected === 'bigint' && Number.isInteger(at(json, issue.path))) ||
          (issue.expected === 'object' && isCommand(at(json, issue.path))))
      ),
  );
  expect(wrong).toEqual([]);
}

function isCommand(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('aio-dca ');
}

function at(json: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((part, name) => (part as Record<PropertyKey, unknown>)[name], json);
}
