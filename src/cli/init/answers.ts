import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import { checkStart } from '../../operations/init-checks.ts';
import { type Instant, systemClock } from '../../time.ts';
import { parseTime } from '../../typed/times.ts';
import type { FoundView } from '../../views/init.ts';
import { usage } from '../terminal/context.ts';
import { checked, shape } from './checks.ts';
import type { InitOptions } from './init-options.ts';
import { flagOf, type Interview } from './interview.ts';
import { wayToLamassu } from './lamassu.ts';
import { askLedger } from './ledger-place.ts';
import { askLnbits } from './lnbits.ts';
import type { InstallationSettings } from './settings.ts';

/** Asks for everything, and tests each answer as soon as possible. Writes nothing. */
export async function askAll(
  interview: Interview,
  ledgerUrl: string,
): Promise<{ settings: InstallationSettings; found: FoundView | null }> {
  refuseIncomplete(interview);
  const timezone = await interview.ask({
    key: 'timezone',
    message: 'Time zone of local days, for reports, daily limits and times',
    initial: Intl.DateTimeFormat().resolvedOptions().timeZone,
    read: (text) => checked(shape.timezone, text, 'timezone'),
  });
  const start_at = await askStart(interview, timezone);
  const { found, ...way } = await wayToLamassu(interview);
  const lnbits = await askLnbits(interview);
  const ledger = await askLedger(interview, ledgerUrl);
  return { settings: { timezone, start_at, ...way, lnbits, ledger }, found };
}

/** A start in the future is confirmed by the operator. */
async function askStart(interview: Interview, timezone: string): Promise<Instant> {
  for (;;) {
    const startAt = await interview.ask({
      key: 'startAt',
      message: 'Pay cash-outs from when on? Earlier ones are never paid automatically',
      initial: localMinute(timezone),
      read: (text) => parseTime(text, timezone, flagOf('startAt')),
    });
    const { early } = await interview.perform(checkStart, { start_at: startAt });
    if (!early || !interview.terminal) return startAt;
    if (await interview.confirm('That is in the future. Cash-outs before then will not be paid. Continue?'))
      return startAt;
    delete interview.options.startAt;
  }
}

/** Without a terminal, one error names every missing option. */
function refuseIncomplete({ terminal, options, folder }: Interview): void {
  if (options.direct && options.sshHost !== undefined) {
    throw usage('--direct and --ssh-host exclude each other.', 'Give --ssh-host if SSH leads to Lamassu.');
  }
  if (options.creditSource === false && options.superuser !== undefined) {
    throw usage('--no-credit-source and --superuser exclude each other.', 'Leave out one of the two.');
  }
  if (terminal) return;
  const needed: (keyof InitOptions)[] = ['timezone', 'startAt', 'lnbitsUrl'];
  if (!options.direct) needed.push('sshHost', 'hostKey');
  if (!existsSync(join(folder, 'source.adminkey'))) needed.push('sourceWalletKeyFile');
  if (options.creditSource ?? options.superuser !== undefined) {
    needed.push('superuser');
    if (!existsSync(join(folder, 'superuser.password'))) needed.push('superuserPasswordFile');
  }
  const missing = needed.filter((key) => options[key] === undefined).map(flagOf);
  if (missing.length === 0) return;
  throw usage(
    `Without a terminal init cannot ask. Missing: ${missing.join(', ')}.`,
    '`aio-dca init --help` explains each. Use --direct if Lamassu is reached without SSH.',
  );
}

/** The current minute in that zone, as an operator types it. */
function localMinute(timezone: string): string {
  const time = Temporal.Instant.from(systemClock.now()).toZonedDateTimeISO(timezone).toPlainDateTime();
  return time.toString({ smallestUnit: 'minute' }).replace('T', ' ');
}
