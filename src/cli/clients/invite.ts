import type { Command } from 'commander';
import { does } from '../command/call.ts';
import { define } from '../command/options.ts';
import { invitationPage } from '../pages/invitation.ts';

export function register(clients: Command): void {
  define(
    clients,
    'invite',
    'a one-time link to the client site, valid for 24 hours; a later one is for another device',
    'clients invite alice',
  )
    .argument('<name>')
    .action(does(() => import('../../operations/invite-client.ts'), 'inviteClient', invitationPage));
}
