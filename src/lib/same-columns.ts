/**
 * Whether a row has in each column what it had when `kept`, JSON of it, was written down. A column that was not read then
 * makes no difference: a new version of the program may read more.
 */
export function saysTheSame(kept: string, row: object): boolean {
  const today = JSON.parse(JSON.stringify(row)) as Record<string, unknown>;
  const then = JSON.parse(kept) as Record<string, unknown>;
  return Object.keys(then).every((name) => then[name] === today[name]);
}
