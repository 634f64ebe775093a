/**
 * Whether a statement, sent outside of a transaction, commits what it writes by itself. Not the renewal of the lease: it
 * comes by the clock, so that no two runs have it in the same place.
 */
export function commitsItself(statement: string): boolean {
  return /^\s*(insert|update(?! "lease")|delete)\b/i.test(statement);
}
