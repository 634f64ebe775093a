import type { HttpBindings } from '@hono/node-server';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { listen } from '../../src/web/listen.ts';
import { siteOf } from '../../src/web/start-sites.ts';
import { freePort } from './free-port.ts';
import { webConfig } from './site.ts';

export interface ServedSite {
  url: string;
  port: number;
  /** The errors in the log of the process. */
  logged: string[];
}

/**
 * A site at a port of this host, until the running test ends. Each request counts as another visitor's, so that none
 * has to wait.
 */
export async function servedSite(ledger: Ledger, name: 'admin' | 'client'): Promise<ServedSite> {
  const port = await freePort();
  const { web, ...config } = webConfig();
  const site = { host: '127.0.0.1', port, publicUrl: `http://localhost:${port}` };
  const logged: string[] = [];
  const { app } = siteOf(
    {
      ...{ config: { ...config, web: { ...web, [name]: site } }, clock: ledger.clock, env: {} },
      ...{ signal: new AbortController().signal, withLedger: (_use, work) => work(ledger) },
      log: pino({ level: 'error' }, { write: (line: string) => logged.push(line) }),
    },
    name,
  );
  let visitors = 0;
  const answer = (request: Request) => {
    visitors += 1;
    const remoteAddress = `10.${visitors >> 16}.${(visitors >> 8) & 255}.${visitors & 255}`;
    return app.fetch(request, { incoming: { socket: { remoteAddress } } as HttpBindings['incoming'] });
  };
  onTestFinished(await listen(name, site, answer, ledger.clock));
  return { url: site.publicUrl, port, logged };
}
