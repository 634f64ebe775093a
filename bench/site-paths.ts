import { adminRoutes } from '../src/web/api/admin-routes.ts';
import { clientRoutes } from '../src/web/api/client-routes.ts';
import { adminPages } from '../src/web/pages/admin/admin-pages.ts';
import { clientPages } from '../src/web/pages/client/client-pages.ts';
import { type GrownLedger, SOME_CLIENT } from './grown-ledger.ts';

/* Every page of the sites and every list of the API, each with what a grown ledger has to show there. */

export type SiteName = 'admin' | 'client';

export interface SitePath {
  site: SiteName;
  path: string;
}

/** What these concern is not in the ledger, or the page does a task that takes its time, or it is a file. */
const LEFT_OUT = [
  ...['/welcome', '/welcome/in', '/run/:task{[0-9a-f-]{36}}', '/clients/:name/statement'],
  ...['/review/:id', '/review/:id/release', '/review/:id/dismiss', '/review/:id/settle'],
  ...['/credits/:id', '/credits/:id/resolve', '/tokens/:name/revoke', '/account/credentials/:id/remove'],
  ...['/payouts/:id/retry', '/payouts/:id/resolve', '/payouts/:id/hold', '/payouts/:id/release'],
  ...['/cash-outs/:id/void', '/fundings/:id/confirm', '/fundings/:id/cancel', '/people/:name/enable'],
  ...['/clients/:name/resume', '/statement/:span', '/settings/resume'],
  ...['/export', '/doctor', '/run/dry', '/books/verify', '/books/reconcile', '/clocks/restate'],
  ...['/fundings/:id/adjust', '/fundings/:id/withdraw'],
];

/** Lists by what is asked for, and far behind their beginning. */
function asked({ ids }: GrownLedger): SitePath[] {
  const { cashOut, oldCashOut, purchase, oldFunding, machine } = ids;
  const admin = [
    `/cash-outs?client=${SOME_CLIENT}`,
    `/cash-outs?machine=${machine}`,
    `/cash-outs?after=${oldCashOut}`,
    `/clients?q=7`,
    `/clients/${SOME_CLIENT}/purchases?after=${purchase}`,
    `/fundings?client=${SOME_CLIENT}`,
    `/fundings/${oldFunding}`,
    '/payouts?state=open',
    `/log?subject=${SOME_CLIENT}`,
    `/log?subject=${oldFunding}`,
    `/log?subject=${cashOut}`,
    '/log?actor=bench',
  ].map((path): SitePath => ({ site: 'admin', path }));
  const api = [
    `/purchase-sums?client=${SOME_CLIENT}`,
    `/cash-outs?client=${SOME_CLIENT}`,
    `/cash-outs?cursor=${Buffer.from(oldCashOut).toString('base64url')}`,
    '/log?limit=50',
    `/log?subject=${SOME_CLIENT}&limit=50`,
  ].map((path): SitePath => ({ site: 'admin', path: `/api/v1${path}` }));
  const client = ['/purchases?state=waiting', '/api/v1/me/purchase-sums'].map(
    (path): SitePath => ({ site: 'client', path }),
  );
  return [...admin, ...api, ...client];
}

export function sitePaths(ledger: GrownLedger): SitePath[] {
  const { ids } = ledger;
  const named: [beginning: string, value: string][] = [
    ['/clients/', SOME_CLIENT],
    ['/people/', 'owner'],
    ['/commission/', 'house'],
    ['/machines/', ids.machine],
    ['/payouts/', ids.payout],
    ['/cash-outs/', ids.cashOut],
    ['/fundings/', ids.funding],
    ['/purchases/', ids.purchase],
    ['/cash/', ids.funding],
  ];
  const filled = (path: string) => {
    const value = named.find(([beginning]) => path.startsWith(beginning))?.[1] ?? '';
    return path.replace(/:\w+/, value);
  };
  const pages = (site: SiteName, routes: typeof adminPages): SitePath[] =>
    routes
      .filter(({ method, path }) => method === 'GET' && !LEFT_OUT.includes(path))
      .map(({ path }) => ({ site, path: filled(path) }));
  const lists = (site: SiteName, routes: typeof adminRoutes): SitePath[] =>
    routes
      .filter(({ method, list }) => method === 'GET' && list)
      .map(({ path }) => ({
        site,
        path: `/api/v1${path}${path === '/purchases' ? `?client=${SOME_CLIENT}` : ''}`,
      }));
  return [
    ...pages('client', clientPages),
    ...pages('admin', adminPages),
    ...lists('client', clientRoutes),
    ...lists('admin', adminRoutes),
    ...asked(ledger),
  ];
}
