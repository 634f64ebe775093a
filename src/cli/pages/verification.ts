import type { VerificationView } from '../../views/verification.ts';
import { counted } from '../terminal/figures.ts';
import { wrapped } from '../terminal/wrap.ts';
import { differencesText } from './differences.ts';

export function verificationPage({ ok, checked, differences }: VerificationView, timezone: string): string {
  const rows = Object.entries(checked)
    .map(([what, count]) =>
      counted(count, what.replace('cash_outs', 'cash-outs').replaceAll('_', ' ').slice(0, -1)),
    )
    .join(', ');
  if (ok) return wrapped(`The books balance: ${rows}.`);
  return [
    wrapped(`The books do not balance: ${counted(differences.length, 'difference')} in ${rows}.`),
    differencesText(differences, timezone),
  ].join('\n');
}
