import { groupDigits } from '../../dca/money.ts';
import { machineText } from '../../lib/machine-label.ts';
import { clean } from '../../lib/text.ts';
import { isUuid } from '../../lib/uuid.ts';
import { type Instant, isInstant, toMs } from '../../time.ts';

/**
 * A cash-out as lists show it: the first characters of Lamassu's id, by which commands find it; the operator's own
 * reference whole.
 */
export function shortId(id: string): string {
  return isUuid(id) ? id.slice(0, 8) : id;
}

/** `Antigua (7a1f4c2e)`: a machine in a line. Its name is Lamassu's, so nothing in it may control a terminal. */
export function formatMachine(machine: string, name: string | null): string {
  return clean(machineText(machine, name));
}

/** The amounts within a text of the JSON, where they have no separators, as pages show them. */
export function withGroupedAmounts(text: string): string {
  return text.replace(/\b\d{4,}(?:\.\d+)?(?= (?:sat|[A-Z]{3})\b)/g, (amount) => groupDigits(amount));
}

/** Replaces the instants in an error or a difference by local times. */
export function withLocalTimes(text: string, timezone: string): string {
  return text.replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z/g, (instant) =>
    isInstant(instant) ? formatTime(instant, timezone) : instant,
  );
}

/** `1 payout`, `2 payouts`. */
export function counted(count: number | bigint, noun: string): string {
  return `${groupDigits(BigInt(count))} ${noun}${BigInt(count) === 1n ? '' : 's'}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Local time with its zone, to the second: `2026-11-20 04:00:00 GMT-6`. */
export function formatTime(instant: Instant, timezone: string): string {
  const parts = new Map(
    formatterFor(timezone)
      .formatToParts(toMs(instant))
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  return `${date} ${part('hour')}:${part('minute')}:${part('second')} ${part('timeZoneName')}`;
}

/** The same to the minute, for a table that names the zone: `2026-11-20 04:00`. */
export function formatMinute(instant: Instant, timezone: string): string {
  return formatTime(instant, timezone).slice(0, 'YYYY-MM-DD hh:mm'.length);
}

/** Cached: a formatter is slow to make, and lists print hundreds of times. */
function formatterFor(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'shortOffset',
  });
  formatters.set(timeZone, made);
  return made;
}
