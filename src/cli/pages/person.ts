import { call, type Message, message } from '../../lib/message.ts';
import type { PersonView } from '../../views/people.ts';
import { formatMinute } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';

export function peoplePage(people: PersonView[], timezone: string): string | Message {
  if (people.length === 0) {
    return message`Nobody may use the admin site yet. ${call('people.add', { name: null, role: 'owner' })} adds somebody.`;
  }
  const rows = people.map(({ name, role, status, ways, sessions, last_seen_at: seen }) => [
    ...[name, role, status, ways.join(', ') || 'link only', `${sessions}`],
    seen === null ? null : formatMinute(seen, timezone),
  ]);
  return table(['name', 'role', 'status', 'signs in by', 'sessions', 'last seen'], rows);
}

export function personSetPage({ name, role }: PersonView): string {
  return `${name} is ${role} now, and has to sign in again.`;
}

export function disabledPersonPage({ name }: PersonView): Message {
  return message`${name} is shut out; sessions and links ended. To let ${name} in again: ${call('people.enable', { name })}.`;
}

export function enabledPersonPage({ name, ways }: PersonView): string | Message {
  const is = `${name} may sign in again.`;
  return ways.length > 0 ? is : message`${is} A link: ${call('people.invite', { name })}.`;
}
