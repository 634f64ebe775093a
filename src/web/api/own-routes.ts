import {
  listCredentials,
  newOneTimeSecret,
  removeOneCredential,
  setPassword,
} from '../../operations/credentials.ts';
import { endAllSessions, endOneSession, listSessions } from '../../operations/sessions.ts';
import type { ApiRoute } from './route.ts';

/** The sessions of whoever asks, and what that one signs in with: the same on both sites, `below` a path. */
export function ownRoutes(below: string): ApiRoute[] {
  const byId = (row: Record<string, unknown>) => `${row.id}`;
  const shared: ApiRoute[] = [
    { method: 'GET', path: '/sessions', operation: listSessions, list: { id: byId } },
    { method: 'POST', path: '/sessions/end', operation: endAllSessions },
    { method: 'POST', path: '/sessions/{id}/end', operation: endOneSession },
    { method: 'GET', path: '/credentials', operation: listCredentials, list: { id: byId } },
    { method: 'POST', path: '/credentials/{id}/remove', operation: removeOneCredential },
  ];
  const people: ApiRoute[] = [
    { method: 'POST', path: '/credentials/totp-secret', operation: newOneTimeSecret },
    { method: 'POST', path: '/credentials/password', operation: setPassword, status: 201 },
  ];
  const routes = below === '/account' ? [...shared, ...people] : shared;
  return routes.map((route) => ({ ...route, path: `${below}${route.path}` }));
}
