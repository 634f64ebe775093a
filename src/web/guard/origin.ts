import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { BridgeError } from '../../errors.ts';
import { bearerOf } from '../request/cookie.ts';
import type { Env } from '../request/site-context.ts';

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses what another site makes a browser send. A browser says in `Sec-Fetch-Site` or `Origin` where a request comes
 * from; what says neither is refused, too. A token is in no browser, so it needs neither.
 */
export const sameOrigin: MiddlewareHandler<Env> = async (context, next) => {
  const { method } = context.req;
  if (!SAFE.includes(method) && bearerOf(context) === undefined) {
    const { publicUrl } = context.get('site').config;
    const origin = context.req.header('origin');
    const fetchSite = context.req.header('sec-fetch-site');
    const fromHere = fetchSite === undefined ? origin === publicUrl : fetchSite === 'same-origin';
    if (!fromHere || (origin !== undefined && origin !== publicUrl)) {
      throw new BridgeError(
        'access/origin',
        'The request to change something did not come from a page of this site.',
        `Open ${publicUrl}, which is the address of this site. Nothing was changed.`,
      );
    }
  }
  await next();
};

/**
 * Refuses a name that is not the site's: another name could lead here by somebody's own DNS, and its pages would read
 * ours. An address needs no name, and a proxy may send the one of the listener.
 */
export const knownHost: MiddlewareHandler<Env> = async (context, next) => {
  const given = context.req.header('host') ?? '';
  const { publicUrl } = context.get('site').config;
  const name = given
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (given !== new URL(publicUrl).host && isIP(name) === 0 && name !== 'localhost') {
    return context.text(`This is ${publicUrl}\n`, 421);
  }
  return next();
};
