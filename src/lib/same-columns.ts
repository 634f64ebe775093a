/**
 * Whether every column of `kept` (the row as JSON, recorded earlier) still has the same value. Columns that were not
 * recorded are ignored: a newer version of the program may read more.
 */
export function saysTheSame(kept: string, row: object): boolean {
  const today = JSON.parse(JSON.stringify(row)) as Record<string, unknown>;
  const then = JSON.parse(kept) as Record<string, unknown>;
  return Object.keys(then).every((name) => then[name] === today[name]);
}
