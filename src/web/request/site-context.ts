import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { SiteConfig } from '../../config/web.ts';
import type { Serving, Session } from '../../operations/operation.ts';
import type { FoundSession } from '../../views/access.ts';
import type { ShownPauseView } from '../../views/payouts.ts';

/* What a request of a site carries along. */

export type SiteName = 'client' | 'admin';

/** One of the two sites. */
export interface Site {
  name: SiteName;
  config: SiteConfig;
  serving: Serving;
  /** Whether `public_url` is https. */
  isProtected: boolean;
}

/** Who asks: on whose right, and as whom in the log. */
export interface Visitor {
  principal: Session['principal'];
  actor: string;
  /** The session; null for a token or a guest. */
  session: FoundSession | null;
}

/** What hono carries along with a request. */
export interface Variables {
  site: Site;
  /** The address of the visitor, behind trusted proxies. */
  address: string;
  visitor: Visitor;
  /** What the request calls an input of the operation that it asks for. */
  calledHere: (input: string) => string;
  /** That paying is stopped, which every page of the admin site says. */
  pause?: ShownPauseView['pause'];
}

export interface Env {
  Variables: Variables;
  /** The request of node:http; absent where a test asks the site itself. */
  Bindings: Partial<HttpBindings>;
}

export type WebContext = Context<Env>;
