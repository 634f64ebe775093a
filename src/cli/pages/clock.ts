import type { ClocksView } from '../../views/clock.ts';
import { clean } from '../terminal/clean.ts';
import { counted, formatTime } from '../terminal/figures.ts';
import { commandOf, inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';

export function clocksPage(view: ClocksView, timezone: string): string {
  const { host, ledger, last_run: last, problem, problem_code: code, entries } = view;
  const at = (time: string) => formatTime(time, timezone);
  const lines = [
    `This host: ${at(host)}`,
    ...(ledger === null ? [] : [`The ledger's server: ${at(ledger)}`]),
    last
      ? `Lamassu, as of run ${last.run}: ${at(last.lamassu)}, when this host showed ${at(last.host)}`
      : 'Lamassu: not read yet',
    ...(problem === null ? [] : [`${code}: ${inCommandWords(problem)}`]),
    ...entries.flatMap(({ subject, from, entered_at: entered, way_out: next }) => [
      `${subject} applies from ${at(from)} on${entered === null ? '' : `, and was entered at about ${at(entered)}`}`,
      `  ${commandOf(next)}`,
    ]),
    ...(isInDoubt(view) ? [] : ['Nothing is in doubt.']),
  ];
  return lines.map((line) => wrapped(clean(line))).join('\n');
}

export function isInDoubt({ problem, entries }: ClocksView): boolean {
  return problem !== null || entries.length > 0;
}

export function restatedPage(
  { subject, from, entries }: { subject: string; from: string; entries: number },
  timezone: string,
): string {
  const hold = entries === 1 ? 'holds' : 'hold';
  return wrapped(
    `${counted(entries, 'setting')} of ${subject} ${hold} from ${formatTime(from, timezone)} on.`,
  );
}
