import type { DifferenceView } from '../../views/verification.ts';
import { asWritten, clean } from '../terminal/clean.ts';
import { withGroupedAmounts, withLocalTimes } from '../terminal/figures.ts';
import { foldedTable } from '../terminal/table.ts';
import { inCommandWords } from '../terminal/words.ts';

/** Each difference on its own line; below those with the same remedy, the remedy. */
export function differencesText(differences: readonly DifferenceView[], timezone: string): string {
  const text = [...Map.groupBy(differences, (one) => inCommandWords(one.hint))]
    .flatMap(([hint, ones]) => [
      '',
      ...ones.map(({ code, what, ledger, other }) =>
        clean(`${code}: ${what}: ${withGroupedAmounts(`${ledger}, but ${other}`)}`),
      ),
      `  ${asWritten(hint)}`,
    ])
    .join('\n');
  return withLocalTimes(text, timezone);
}

/** The same as a table. `others`: the heading for the side that the ledger is compared with. */
export function differencesTable(
  differences: readonly DifferenceView[],
  others: string,
  timezone: string,
): string {
  const local = (text: string) => withLocalTimes(text, timezone);
  const groups = [...Map.groupBy(differences, (one) => inCommandWords(one.hint))].map(([hint, ones]) => ({
    rows: ones.map(({ code, what, ledger, other }) => [
      code,
      local(what),
      ...[ledger, other].map((text) => withGroupedAmounts(local(text))),
    ]),
    below: `What to do: ${hint}`,
  }));
  return foldedTable(['difference', 'where', 'ledger', others], groups);
}
