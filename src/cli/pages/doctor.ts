import { styleText } from 'node:util';
import type { CheckView, DoctorView } from '../../views/doctor.ts';
import { asWritten, clean } from '../terminal/clean.ts';
import { withLocalTimes } from '../terminal/figures.ts';
import { inCommandWords } from '../terminal/words.ts';
import { fitted } from '../terminal/wrap.ts';

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red' } as const;

/** One check, and the way out below it; with local times if the zone is known. */
export function checkLine({ name, level, detail, hint }: CheckView, timezone?: string): string {
  const label = styleText(COLORS[level], level.padEnd(4), { stream: process.stdout });
  const said = detail.split('\n').map(clean).join('\n      ');
  const way = hint === null ? '' : `\n      ${asWritten(inCommandWords(hint))}`;
  const text = `${label}  ${clean(name)}: ${said}${way}`;
  return fitted(timezone === undefined ? text : withLocalTimes(text, timezone), '      ');
}

/** The summary of the checks, each of which was printed as it ended. */
export function doctorPage({ checks }: DoctorView): string {
  const failures = checks.filter(({ level }) => level === 'fail').length;
  const warnings = checks.filter(({ level }) => level === 'warn').length;
  if (failures + warnings === 0) return 'Everything is as it should be.';
  return `${failures} failed, ${warnings} to look at.`;
}
