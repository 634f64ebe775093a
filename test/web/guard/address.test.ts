import { BlockList, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { addressOf, visitorKey } from '../../../src/web/guard/address.ts';

const from = (remoteAddress: string) => ({ socket: { remoteAddress } as Socket });

function trusting(...addresses: string[]): BlockList {
  const list = new BlockList();
  for (const address of addresses) list.addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4');
  return list;
}

test('nobody is believed who is no trusted proxy', () => {
  expect(addressOf(from('192.0.2.7'), '203.0.113.9', trusting())).toBe('192.0.2.7');
  expect(addressOf(from('192.0.2.7'), '203.0.113.9', trusting('10.0.0.1'))).toBe('192.0.2.7');
});

test.each([
  ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
  // What the visitor wrote itself stands before what the proxy added.
  ['10.0.0.1', '1.1.1.1, 203.0.113.9', '203.0.113.9'],
  ['10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['10.0.0.1', '10.0.0.2', '10.0.0.2'],
  ['10.0.0.1', 'unknown', '10.0.0.1'],
  ['10.0.0.1', '', '10.0.0.1'],
  ['10.0.0.1', undefined, '10.0.0.1'],
  ['10.0.0.1', '203.0.113.9, junk', '10.0.0.1'],
])('behind the proxy %s, %j is %s', (socket, forwarded, address) => {
  expect(addressOf(from(socket), forwarded, trusting('10.0.0.1', '10.0.0.2'))).toBe(address);
});

test('a household is one visitor', () => {
  expect(visitorKey('192.0.2.7')).toBe('192.0.2.7');
  const one = visitorKey('2001:db8:1:2:3:4:5:6');
  expect(one).toBe('2001:db8:1:2::/64');
  expect(visitorKey('2001:0db8:0001:0002::1')).toBe(one);
  expect(visitorKey('2001:db8:1:3::1')).not.toBe(one);
  expect(visitorKey('::1')).toBe('0:0:0:0::/64');
});
