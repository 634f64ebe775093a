import type { Difference as Verified } from '../ledger/verify.ts';

/** What `verify`, `reconcile` and `ledger recover` say where two books differ. */
export type Difference = Omit<Verified, 'code'> & { code: string };

/** Each difference on a line of its own, what to do about it below those that have it in common. */
export function differencesText(differences: readonly Difference[]): string {
  return [...Map.groupBy(differences, (one) => one.hint)]
    .flatMap(([hint, ones]) => [
      '',
      ...ones.map(({ code, what, ledger, other }) => `${code}: ${what}: ${ledger}, but ${other}`),
      `  ${hint}`,
    ])
    .join('\n');
}
