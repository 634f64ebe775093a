/**
 * Whether a statement, sent outside of a transaction, commits what it writes by itself. The renewal of the lease does
 * not count: it depends on the clock, so no two runs have it at the same place.
 */
export function commitsItself(statement: string): boolean {
  return /^\s*(insert|update(?! "lease")|delete)\b/i.test(statement);
}
