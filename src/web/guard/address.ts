import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';

/**
 * The address that a request comes from. What a trusted proxy says in `X-Forwarded-For` is believed, from its end to
 * the first address that is no trusted proxy; what anybody else says there is not.
 */
export function addressOf(
  { socket }: Pick<IncomingMessage, 'socket'>,
  forwarded: string | undefined,
  trusted: BlockList,
): string {
  let address = plain(socket.remoteAddress ?? '');
  const hops = (forwarded ?? '')
    .split(',')
    .map((hop) => plain(hop.trim()))
    .reverse();
  for (const hop of hops) {
    if (!isTrusted(address, trusted) || isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

function isTrusted(address: string, trusted: BlockList): boolean {
  const version = isIP(address);
  return version > 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** IPv4 within IPv6 is IPv4: `::ffff:192.0.2.1`. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/^\[(.*)\]$/, '$1');
}

/** What counts as one visitor for limits: an IPv4 address, or the /64 that one household has of IPv6. */
export function visitorKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = address.includes('::') ? [...before, ...zeros, ...after] : before;
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
