import { call, type Message, message } from '../../lib/message.ts';
import type { NewTokenView, TokenView } from '../../views/people.ts';
import { formatMinute, formatTime } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';

export function newTokenPage(
  { name, token, scopes, expires_at: until }: NewTokenView,
  timezone: string,
): string {
  return [
    `Token ${name} may: ${scopes.join(', ')}. It counts until ${until === null ? 'it is revoked' : formatTime(until, timezone)}.`,
    `  ${token}`,
    'It is not shown again. Scripts send it as `Authorization: Bearer TOKEN`.',
  ].join('\n');
}

export function tokensPage(tokens: TokenView[], timezone: string): string | Message {
  if (tokens.length === 0) {
    return message`No tokens yet. ${call('tokens.add', { name: null, scopes: 'read' })} makes one.`;
  }
  const at = (time: string | null) => (time === null ? null : formatMinute(time, timezone));
  return table(
    ['name', 'status', 'may', 'expires', 'last used'],
    tokens.map((one) => [one.name, one.status, one.scopes.join(', '), at(one.expires_at), at(one.used_at)]),
  );
}

export function revokedTokenPage({ name }: TokenView): string {
  return `Token ${name} is revoked. That is final.`;
}
