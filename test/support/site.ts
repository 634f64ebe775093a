import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpBindings } from '@hono/node-server';
import { pino } from 'pino';
import { hashOf, newSecret } from '../../src/access/access-secrets.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { addPerson, findPerson } from '../../src/ledger/people/people.ts';
import { startSession } from '../../src/ledger/sessions/sessions.ts';
import type { Role } from '../../src/ledger/store/access-schema.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { addToken } from '../../src/ledger/tokens/tokens.ts';
import type { Serving } from '../../src/operations/operation.ts';
import type { Clock } from '../../src/time.ts';
import { siteOf } from '../../src/web/start-sites.ts';

/* One of the web sites over a ledger, asked in this process as a browser or a script would. */

export const ADMIN = 'http://localhost:8092';
export const CLIENT = 'https://dca.example.org';

const who = { principal: OPERATOR, actor: 'test', run: null };

/** A configuration with both sites; the client site stands behind https. */
export function webConfig(more = ''): Config {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-site-'));
  const file = join(folder, 'config.toml');
  writeFileSync(
    file,
    `${readFileSync('config.example.toml', 'utf8')}
[web.client]
listen = "127.0.0.1:8091"
public_url = "${CLIENT}"
[web.admin]
listen = "127.0.0.1:8092"
public_url = "${ADMIN}"
${more}`,
  );
  return loadConfig(file, {});
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  json: any;
}

export interface Asked {
  method?: string;
  /** JSON, or text that is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** `Authorization: Bearer`. */
  token?: string;
  /** The secret of a session. */
  session?: string;
  /** Where it comes from; by default each request from elsewhere, so that none waits for another. */
  address?: string;
}

export interface TestSite {
  ledger: Ledger;
  config: Config;
  /** Asks as a page of the site does, unless `headers` say otherwise. */
  ask(path: string, asked?: Asked): Promise<Answer>;
  /** What the log of the process has. */
  logged: string[];
}

/** A site without a listener. */
export function testSite(
  ledger: Ledger,
  name: 'client' | 'admin',
  { config = webConfig(), clock = ledger.clock }: { config?: Config; clock?: Clock } = {},
): TestSite {
  const logged: string[] = [];
  let requests = 0;
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  const serving: Serving = {
    ...{ config, clock, log, signal: new AbortController().signal, env: {} },
    withLedger: (_use, work) => work(ledger),
  };
  const { app, site } = siteOf(serving, name);
  const origin = site.config.publicUrl;
  const cookie = `${site.isProtected ? '__Host-' : ''}aio-dca-${name}`;
  return {
    ...{ ledger, config, logged },
    ask: async (path, { method = 'GET', body, headers = {}, token, session, address } = {}) => {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const init = {
        method,
        ...(text !== undefined && { body: text }),
        headers: {
          host: new URL(origin).host,
          ...(method !== 'GET' && token === undefined && { origin }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(text !== undefined && { 'content-length': `${Buffer.byteLength(text)}` }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(session !== undefined && { cookie: `${cookie}=${session}` }),
          ...headers,
        },
      };
      requests += 1;
      const remoteAddress = address ?? `10.1.${requests >> 8}.${requests & 255}`;
      const env = { incoming: { socket: { remoteAddress } } as HttpBindings['incoming'] };
      const answer = await app.request(`${origin}${path}`, init, env);
      const read = await answer.text();
      const isJson = /json/.test(answer.headers.get('content-type') ?? '');
      return {
        ...{ status: answer.status, headers: answer.headers, text: read },
        json:
          isJson && !/jsonl/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(read) : undefined,
      };
    },
  };
}

/** A token with these scopes. */
export async function tokenFor({ clock, write }: Ledger, scopes: string[], name = 'till'): Promise<string> {
  const secret = newSecret();
  const at = clock.now();
  await write((trx) =>
    addToken(trx, { ...who, clock, at }, { name, secretHash: hashOf(secret), scopes, expiresAt: null }),
  );
  return `aiodca_${secret.reveal()}`;
}

/** A session of somebody on the admin site, who is added if not there yet. */
export async function personSession(ledger: Ledger, role: Role, name: string = role): Promise<string> {
  const { clock, write } = ledger;
  const at = clock.now();
  const { id } = await write((trx) => addPerson(trx, { ...who, clock, at }, name, role)).catch(() =>
    findPerson(ledger.db, name),
  );
  return sessionOf(ledger, { kind: 'person', id });
}

export async function clientSession(ledger: Ledger, name: string): Promise<string> {
  const { id } = await ledger.db
    .selectFrom('recipients')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  return sessionOf(ledger, { kind: 'client', id });
}

async function sessionOf(
  { clock, write }: Ledger,
  holder: { kind: 'person' | 'client'; id: bigint },
): Promise<string> {
  const secret = newSecret();
  await write((trx) =>
    startSession(trx, clock.now(), { holder, secretHash: hashOf(secret), method: 'link', device: 'test' }),
  );
  return secret.reveal();
}
