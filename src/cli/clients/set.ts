import type { Command } from 'commander';
import { withOtherKey } from '../command/ask-key.ts';
import { does, local } from '../command/call.ts';
import { define, withOtherWallet } from '../command/options.ts';
import { changedClientPage } from '../pages/client.ts';
import { withClientSettings } from './setting-options.ts';

export function register(clients: Command): void {
  const set = define(
    clients,
    'set',
    'change a client from now on',
    'clients set bob --mode flow',
    'clients set bob --daily-limit "800 GTQ"',
    'clients set bob --wallet-key-file other.key --new-wallet',
  ).argument('<name>');
  withClientSettings(withOtherWallet(set)).action(
    withOtherKey(
      does(() => import('../../operations/clients.ts'), 'setClientSettings', local(changedClientPage)),
    ),
  );
}
