import type { Command } from 'commander';
import * as add from './clients/add.ts';
import * as invite from './clients/invite.ts';
import * as statement from './clients/print-statement.ts';
import * as set from './clients/set.ts';
import { does, local } from './command/call.ts';
import { define, reasonOption } from './command/options.ts';
import {
  clientsPage,
  closedPage,
  pausedClientPage,
  resumedClientPage,
  shownClientPage,
} from './pages/client.ts';

const operations = () => import('../operations/clients.ts');

export function register(program: Command): void {
  const clients = define(program, 'clients', 'clients: they give cash and receive sats');
  add.register(clients);
  set.register(clients);
  define(clients, 'list', 'all clients', 'clients list').action(does(operations, 'listClients', clientsPage));
  named(clients, 'show', 'one client: settings, cash, and what it bought').action(
    does(operations, 'showClient', local(shownClientPage)),
  );
  statement.register(clients);
  invite.register(clients);
  reasonOption(
    named(clients, 'pause', 'pause a client: no new shares from now on; what the client has is still paid'),
  ).action(does(operations, 'pauseOneClient', pausedClientPage));
  reasonOption(named(clients, 'resume', 'resume a paused client: it shares in cash-outs from now on')).action(
    does(operations, 'resumeOneClient', resumedClientPage),
  );
  reasonOption(
    named(clients, 'close', 'close a client for good, once no cash remains and all sats are paid'),
  ).action(does(operations, 'closeOneClient', closedPage));
}

function named(clients: Command, verb: string, description: string): Command {
  return define(clients, verb, description, `clients ${verb} alice`).argument('<name>');
}
