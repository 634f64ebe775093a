import type { Command } from 'commander';
import { define } from '../command/options.ts';
import { confirmedPage } from '../pages/funding.ts';
import { enters, withPast } from './enter.ts';

export function register(fundings: Command): void {
  const confirm = define(
    fundings,
    'confirm',
    'confirm that cash is in the machine now, or with --at, since when',
    'fundings confirm f12 --counted "2950 GTQ"',
    'fundings confirm f12 --at "2026-11-20 09:30" --no-past',
  )
    .argument('<id>', 'funding, like f12')
    .option('--counted <amount>', 'the counted amount, like "2950 GTQ" (default: the announced one)')
    .option('--at <time>', 'since when (default: now)');
  withPast(confirm).action(enters(['previewConfirmFunding', 'confirmOneFunding'], confirmedPage));
}
