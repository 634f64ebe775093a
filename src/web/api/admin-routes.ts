import { listCashOuts, showCashOut } from '../../operations/cash-outs.ts';
import {
  addNewClient,
  closeOneClient,
  listClients,
  listSetClients,
  pauseOneClient,
  resumeOneClient,
  setClientSettings,
  showClient,
  showClientSettings,
} from '../../operations/clients.ts';
import { restateEntry, showClocks } from '../../operations/clock.ts';
import {
  addRecipient,
  listRecipients,
  removeRecipient,
  setRecipient,
  showRecipient,
} from '../../operations/commission.ts';
import { showConfig } from '../../operations/config.ts';
import { listCredits, showCredit } from '../../operations/credits.ts';
import { examine } from '../../operations/doctor.ts';
import {
  addOneFunding,
  confirmOneFunding,
  previewAddFunding,
  previewConfirmFunding,
} from '../../operations/enter-funding.ts';
import { newestEvent } from '../../operations/events.ts';
import { exportRows } from '../../operations/export.ts';
import { previewFirstReading } from '../../operations/first-reading.ts';
import {
  adjustOneFunding,
  cancelOneFunding,
  listAllFundings,
  moveOneFunding,
  showFunding,
} from '../../operations/fundings.ts';
import { inviteClient } from '../../operations/invite-client.ts';
import { listLog } from '../../operations/log.ts';
import {
  listMachines,
  previewReplacement,
  replaceMachineBy,
  setMachineSettings,
  showMachine,
} from '../../operations/machines.ts';
import { showMetrics } from '../../operations/metrics.ts';
import { previewOverpaid, recordOverpaid } from '../../operations/overpaid.ts';
import {
  holdAllPayouts,
  holdPayout,
  listPayouts,
  pausePayouts,
  previewReleaseAll,
  releaseAllPayouts,
  releasePayoutById,
  resumePayouts,
  retryPayoutById,
  showPayout,
} from '../../operations/payouts.ts';
import {
  addOnePerson,
  disableOnePerson,
  enableOnePerson,
  invitePerson,
  listPeople,
  setPersonRole,
} from '../../operations/people.ts';
import { pollOnce, previewPoll, runFixed } from '../../operations/poll.ts';
import { listPurchases, showPurchase, sumPurchases } from '../../operations/purchases.ts';
import { reconcile } from '../../operations/reconcile.ts';
import { replayClient } from '../../operations/replays.ts';
import { previewResolveCredit, resolveCredit } from '../../operations/resolve-credit.ts';
import { previewResolvePayout, resolvePayout } from '../../operations/resolve-payout.ts';
import { dismissReview, listReview, releaseReview, showReview } from '../../operations/reviews.ts';
import { listRuns } from '../../operations/runs.ts';
import {
  previewExternal,
  previewSettle,
  settleCashOut,
  settleExternal,
} from '../../operations/settlements.ts';
import { showStatement } from '../../operations/statements.ts';
import { showStatus } from '../../operations/status.ts';
import { addOneToken, listTokens, revokeOneToken } from '../../operations/tokens.ts';
import { verify } from '../../operations/verify.ts';
import { previewVoid, voidSettled } from '../../operations/void-settlement.ts';
import { previewWithdrawal, withdrawFromFunding } from '../../operations/withdraw-funding.ts';
import { ownRoutes } from './own-routes.ts';
import { type ApiRoute, type ChangedSettings, members } from './route.ts';

/* The API of the admin site. */

const byId = (row: Record<string, unknown>) => `${row.id}`;
const byName = (row: Record<string, unknown>) => `${row.name}`;

const clientSettings: ChangedSettings = {
  operation: showClientSettings,
  input: ({ name }) => ({ name }),
  pick: members(['name', 'mode', 'status', 'daily_limits', 'max_daily_limits', 'wallet_id']),
};

const machineSettings: ChangedSettings = {
  operation: showMachine,
  input: ({ machine }) => ({ machine }),
  pick: members(['machine', 'name', 'currency', 'commission_rate', 'min_rate', 'max_rate']),
};

const recipientSettings: ChangedSettings = {
  operation: showRecipient,
  input: ({ name }) => ({ name }),
  pick: members(['name', 'wallet_id', 'weights']),
};

export const adminRoutes: readonly ApiRoute[] = [
  { method: 'GET', path: '/status', operation: showStatus },
  { method: 'GET', path: '/events', operation: newestEvent, answer: 'events' },
  { method: 'GET', path: '/runs', operation: listRuns, list: { id: (row) => `${row.run}`, paged: true } },
  { method: 'POST', path: '/runs', operation: pollOnce, status: 201 },
  { method: 'POST', path: '/runs/fixed', operation: runFixed, status: 201 },
  { method: 'GET', path: '/plan', operation: previewPoll },
  { method: 'GET', path: '/plan/first', operation: previewFirstReading },

  {
    ...{ method: 'GET', path: '/clients', operation: listClients, omit: ['name'] },
    list: { id: byName, known: listSetClients, by: 'name' },
  },
  { method: 'POST', path: '/clients', operation: addNewClient, status: 201 },
  { method: 'GET', path: '/clients/{name}', operation: showClient, settings: clientSettings },
  { method: 'PATCH', path: '/clients/{name}', operation: setClientSettings, settings: clientSettings },
  { method: 'POST', path: '/clients/{name}/pause', operation: pauseOneClient },
  { method: 'POST', path: '/clients/{name}/resume', operation: resumeOneClient },
  { method: 'POST', path: '/clients/{name}/close', operation: closeOneClient },
  { method: 'POST', path: '/clients/{name}/invite', operation: inviteClient, status: 201 },
  { method: 'GET', path: '/clients/{name}/replay', operation: replayClient },
  { method: 'GET', path: '/clients/{name}/statement', operation: showStatement },
  { method: 'GET', path: '/purchases', operation: listPurchases, list: { id: byId, paged: true } },
  { method: 'GET', path: '/purchase-sums', operation: sumPurchases },
  { method: 'GET', path: '/purchases/{id}', operation: showPurchase },

  { method: 'GET', path: '/fundings', operation: listAllFundings, list: { id: byId } },
  {
    ...{ method: 'POST', path: '/fundings', operation: addOneFunding },
    ...{ preview: previewAddFunding, status: 201 },
  },
  { method: 'GET', path: '/fundings/{id}', operation: showFunding },
  {
    ...{ method: 'POST', path: '/fundings/{id}/confirm', operation: confirmOneFunding },
    preview: previewConfirmFunding,
  },
  {
    ...{ method: 'POST', path: '/fundings/{id}/withdraw', operation: withdrawFromFunding },
    preview: previewWithdrawal,
  },
  { method: 'POST', path: '/fundings/{id}/adjust', operation: adjustOneFunding },
  { method: 'POST', path: '/fundings/{id}/move', operation: moveOneFunding },
  { method: 'POST', path: '/fundings/{id}/cancel', operation: cancelOneFunding },

  { method: 'GET', path: '/machines', operation: listMachines, list: { id: (row) => `${row.machine}` } },
  { method: 'GET', path: '/machines/{machine}', operation: showMachine, settings: machineSettings },
  { method: 'PATCH', path: '/machines/{machine}', operation: setMachineSettings, settings: machineSettings },
  {
    ...{ method: 'POST', path: '/machines/{old}/replace', operation: replaceMachineBy },
    preview: previewReplacement,
  },

  { method: 'GET', path: '/commission', operation: listRecipients, list: { id: byName } },
  { method: 'POST', path: '/commission', operation: addRecipient, status: 201 },
  { method: 'GET', path: '/commission/{name}', operation: showRecipient, settings: recipientSettings },
  { method: 'PATCH', path: '/commission/{name}', operation: setRecipient, settings: recipientSettings },
  { method: 'POST', path: '/commission/{name}/remove', operation: removeRecipient },

  { method: 'GET', path: '/cash-outs', operation: listCashOuts, list: { id: byId, paged: true } },
  { method: 'GET', path: '/cash-outs/{id}', operation: showCashOut },

  { method: 'GET', path: '/payouts', operation: listPayouts, list: { id: byId, paged: true } },
  { method: 'POST', path: '/payouts/pause', operation: pausePayouts },
  { method: 'POST', path: '/payouts/resume', operation: resumePayouts },
  { method: 'POST', path: '/payouts/hold', operation: holdAllPayouts },
  {
    ...{ method: 'POST', path: '/payouts/release', operation: releaseAllPayouts },
    preview: previewReleaseAll,
  },
  { method: 'GET', path: '/payouts/{id}', operation: showPayout },
  { method: 'POST', path: '/payouts/{id}/hold', operation: holdPayout },
  { method: 'POST', path: '/payouts/{id}/release', operation: releasePayoutById },
  { method: 'POST', path: '/payouts/{id}/retry', operation: retryPayoutById },
  {
    ...{ method: 'POST', path: '/payouts/{id}/resolve', operation: resolvePayout },
    preview: previewResolvePayout,
  },
  {
    ...{ method: 'POST', path: '/payouts/{id}/overpaid', operation: recordOverpaid },
    preview: previewOverpaid,
  },

  { method: 'GET', path: '/review', operation: listReview, list: { id: byId, paged: true } },
  { method: 'GET', path: '/review/{id}', operation: showReview },
  { method: 'POST', path: '/review/{id}/release', operation: releaseReview },
  { method: 'POST', path: '/review/{id}/dismiss', operation: dismissReview },

  {
    ...{ method: 'POST', path: '/settlements', operation: settleCashOut, preview: previewSettle },
    instead: { member: 'reference', operation: settleExternal, preview: previewExternal },
    status: 201,
  },
  {
    ...{ method: 'POST', path: '/settlements/{id}/void', operation: voidSettled },
    preview: previewVoid,
  },

  { method: 'GET', path: '/credits', operation: listCredits, list: { id: byId, paged: true } },
  { method: 'GET', path: '/credits/{id}', operation: showCredit },
  {
    ...{ method: 'POST', path: '/credits/{id}/resolve', operation: resolveCredit },
    preview: previewResolveCredit,
  },

  { method: 'GET', path: '/verify', operation: verify },
  { method: 'GET', path: '/reconcile', operation: reconcile, omit: ['book_fees'] },
  { method: 'GET', path: '/exports/{kind}', operation: exportRows, answer: 'export' },
  { method: 'GET', path: '/log', operation: listLog, answer: 'log', omit: ['newest_first'] },
  { method: 'GET', path: '/clock', operation: showClocks },
  { method: 'POST', path: '/clock/restate', operation: restateEntry },
  { method: 'GET', path: '/config', operation: showConfig, fixed: (_, file) => ({ config: file }) },
  { method: 'POST', path: '/doctor', operation: examine },
  { method: 'GET', path: '/metrics', operation: showMetrics },

  { method: 'GET', path: '/people', operation: listPeople, list: { id: byName } },
  { method: 'POST', path: '/people', operation: addOnePerson, status: 201 },
  { method: 'POST', path: '/people/{name}/set', operation: setPersonRole },
  { method: 'POST', path: '/people/{name}/disable', operation: disableOnePerson },
  { method: 'POST', path: '/people/{name}/enable', operation: enableOnePerson },
  { method: 'POST', path: '/people/{name}/invite', operation: invitePerson, status: 201 },
  { method: 'GET', path: '/tokens', operation: listTokens, list: { id: byName } },
  { method: 'POST', path: '/tokens', operation: addOneToken, status: 201 },
  { method: 'POST', path: '/tokens/{name}/revoke', operation: revokeOneToken },
  ...ownRoutes('/account'),
];
