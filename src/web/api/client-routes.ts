import { setClientSettings, showClient, showClientSettings } from '../../operations/clients.ts';
import { newestEvent } from '../../operations/events.ts';
import { exportRows } from '../../operations/export.ts';
import { listAllFundings, showFunding } from '../../operations/fundings.ts';
import { listLog } from '../../operations/log.ts';
import { listPayouts, showPayout } from '../../operations/payouts.ts';
import { listPurchases, showPurchase, sumPurchases } from '../../operations/purchases.ts';
import { replayClient } from '../../operations/replays.ts';
import { showStatement } from '../../operations/statements.ts';
import { ownRoutes } from './own-routes.ts';
import { type ApiRoute, type ChangedSettings, type Fixed, members } from './route.ts';

/*
 * The API of the client site. The client is that of the session, whatever is asked. Nothing here changes where a client
 * is paid.
 */

const named: Fixed = (own) => ({ name: own });
const client: Fixed = (own) => ({ client: own });
const byId = (row: Record<string, unknown>) => `${row.id}`;

/** What a client may change of the own settings, and what belongs to it. */
export const ownSettings: ChangedSettings = {
  operation: showClientSettings,
  input: ({ name }) => ({ name }),
  pick: members(['mode', 'status', 'daily_limits', 'max_daily_limits']),
};

export const clientRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/me', operation: showClient, fixed: named, settings: ownSettings },
  {
    ...{
      method: 'PATCH',
      path: '/me/settings',
      operation: setClientSettings,
      fixed: named,
      settings: ownSettings,
    },
    omit: ['max_daily_limit', 'wallet_key', 'new_wallet'],
    names: { daily_limit: 'daily_limits' },
  },
  {
    ...{ method: 'GET', path: '/me/purchases', operation: listPurchases, fixed: client },
    list: { id: byId, paged: true },
  },
  { method: 'GET', path: '/me/purchase-sums', operation: sumPurchases, fixed: client },
  { method: 'GET', path: '/me/purchases/{id}', operation: showPurchase, fixed: client },
  { method: 'GET', path: '/me/fundings', operation: listAllFundings, fixed: client, list: { id: byId } },
  { method: 'GET', path: '/me/fundings/{id}', operation: showFunding },
  {
    ...{ method: 'GET', path: '/me/payouts', operation: listPayouts, fixed: client },
    list: { id: byId, paged: true },
  },
  { method: 'GET', path: '/me/payouts/{id}', operation: showPayout },
  { method: 'GET', path: '/me/replay', operation: replayClient, fixed: named },
  { method: 'GET', path: '/me/statement', operation: showStatement, fixed: named },
  {
    ...{ method: 'GET', path: '/me/export', operation: exportRows, answer: 'export' },
    fixed: (own) => ({ kind: 'allocations', client: own }),
  },
  { method: 'GET', path: '/me/log', operation: listLog, answer: 'log', omit: ['newest_first'] },
  { method: 'GET', path: '/events', operation: newestEvent, answer: 'events' },
  ...ownRoutes('/me'),
];
