import type { Command } from 'commander';
import { withKey } from '../command/ask-key.ts';
import { does } from '../command/call.ts';
import { define, withNewWallet } from '../command/options.ts';
import { addedClientPage } from '../pages/client.ts';
import { withClientSettings } from './setting-options.ts';

export function register(clients: Command): void {
  const add = define(
    clients,
    'add',
    'add a client with the invoice key of its LNbits wallet, which is tested',
    'clients add alice',
    'clients add alice --wallet-key-file alice.key',
    'clients add bob --wallet-key-file bob.key --mode fixed --daily-limit "500 GTQ"',
  );
  withClientSettings(withNewWallet(add)).action(
    withKey(does(() => import('../../operations/clients.ts'), 'addNewClient', addedClientPage)),
  );
}
