import { Hono } from 'hono';
import { BridgeError } from '../../errors.ts';
import {
  enterByLink,
  enterByPasskey,
  enterByPassword,
  lookAtLink,
  passkeyOptions,
  proveByPasskey,
  proveByPassword,
} from '../../operations/access.ts';
import { addPasskey, newPasskeyOptions } from '../../operations/credentials.ts';
import { endOneSession } from '../../operations/sessions.ts';
import { visitorKey } from '../guard/address.ts';
import { guessing, rateLimit } from '../guard/limits.ts';
import { safePath } from '../pages/page-route.ts';
import { dropSessionCookie, setSessionCookie } from '../request/cookie.ts';
import type { Env, Site, WebContext } from '../request/site-context.ts';
import { performAsGuest, performFor } from '../request/visitor.ts';
import { ceremonies } from './ceremonies.ts';

/*
 * What signs in and out: forms, which lead to a page, and JSON for the scripts of the pages. A new session has a new
 * secret each time.
 */

/** One account, from anywhere: many addresses together do not guess a password, and its owner waits 2 s at most. */
const PER_ACCOUNT = { most: 20, perMinute: 30 };

/** Passwords at once: each takes 32 MiB and a core. */
const AT_ONCE = { most: 20, perMinute: 120 };

export function signInRoutes(site: Site): Hono<Env> {
  const { clock, log } = site.serving;
  const tries = guessing(clock);
  const perAccount = rateLimit(clock, PER_ACCOUNT);
  const passwords = rateLimit(clock, AT_ONCE);
  const open = ceremonies(clock);
  const app = new Hono<Env>();

  /** One try to sign in: each failure of an address makes it wait longer. */
  const attempt = async <T>(context: WebContext, work: () => Promise<T>): Promise<T> => {
    const key = visitorKey(context.get('address'));
    tries.assertMayTry(key);
    try {
      const result = await work();
      tries.succeeded(key);
      return result;
    } catch (error) {
      if (error instanceof BridgeError && FAILURES.includes(error.code)) tries.failed(key);
      throw error;
    }
  };
  /** The session begins: its secret goes into the cookie, and nowhere else. */
  const enter = (context: WebContext, entered: { kind: string; name: string; session: string }) => {
    setSessionCookie(context, entered.session);
    log.info(
      { site: site.name, who: `${entered.kind} ${entered.name}`, address: context.get('address') },
      'signed in',
    );
    return { kind: entered.kind, name: entered.name };
  };

  app.post('/sign-in/look', async (context) => {
    const { secret, code } = await fields(context);
    return context.json(
      await attempt(context, () =>
        performAsGuest(site, lookAtLink, { site: site.name, ...linkOf({ secret, code }) }),
      ),
    );
  });
  app.post('/sign-in/link', async (context) => {
    const { secret, code, next } = await fields(context);
    const input = { site: site.name, ...linkOf({ secret, code }), device: deviceOf(context) };
    const entered = await attempt(context, () => performAsGuest(site, enterByLink, input));
    return answer(context, enter(context, entered), next);
  });
  app.post('/sign-in/passkey-options', async (context) => {
    const { challenge, options } = await performAsGuest(site, passkeyOptions, { site: site.name });
    return context.json({ ceremony: open.begin(challenge), options });
  });
  app.post('/sign-in/passkey', async (context) => {
    const { ceremony, response, next } = await fields(context);
    const entered = await attempt(context, () =>
      performAsGuest(site, enterByPasskey, {
        ...{ site: site.name, challenge: open.end(text(ceremony)), response: unread(response) },
        device: deviceOf(context),
      }),
    );
    return answer(context, enter(context, entered), next);
  });
  app.post('/sign-out', async (context) => {
    if (context.get('visitor').session !== null) await performFor(context, endOneSession, {});
    dropSessionCookie(context);
    // What the browser still has of the pages of this visitor goes, too.
    context.header('clear-site-data', '"cache", "storage"');
    return answer(context, { ended: 1 }, '/sign-in');
  });

  /* Keeping a passkey: the challenge stays here, the rest is an operation. */
  app.post('/passkeys/options', async (context) => {
    const { challenge, options } = await performFor(context, newPasskeyOptions, {});
    return context.json({ ceremony: open.begin(challenge), options });
  });
  app.post('/passkeys', async (context) => {
    const { ceremony, response, label } = await fields(context);
    const input = {
      ...{ challenge: open.end(text(ceremony)), response: unread(response) },
      label: text(label) || deviceOf(context),
    };
    return context.json(await performFor(context, addPasskey, input), 201);
  });
  if (site.name === 'client') return app;

  app.post('/sign-in/password', async (context) => {
    const { name, password, code, next } = await fields(context);
    const account = text(name).trim().normalize('NFC').toLowerCase();
    passwords.take('');
    perAccount.take(account);
    const input = { name: text(name), password: text(password), code: text(code) };
    const entered = await attempt(context, () =>
      performAsGuest(site, enterByPassword, { ...input, device: deviceOf(context) }),
    );
    return answer(context, enter(context, entered), next);
  });
  app.post('/prove/password', async (context) => {
    const { password, code, next } = await fields(context);
    passwords.take('');
    const input = { password: text(password), code: text(code) };
    return answer(context, await attempt(context, () => performFor(context, proveByPassword, input)), next);
  });
  app.post('/prove/passkey', async (context) => {
    const { ceremony, response, next } = await fields(context);
    const input = { challenge: open.end(text(ceremony)), response: unread(response) };
    return answer(context, await attempt(context, () => performFor(context, proveByPasskey, input)), next);
  });
  return app;
}

const FAILURES: readonly string[] = ['access/refused', 'access/link'];

type Fields = Partial<Record<string, unknown>>;

/** The fields of a form, or the members of a JSON object. */
async function fields(context: WebContext): Promise<Fields> {
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/json\b/i.test(type)) return (await context.req.parseBody()) as Fields;
  const body: unknown = await context.req.json().catch(() => null);
  if (typeof body === 'object' && body !== null) return body as Fields;
  throw new BridgeError('usage/invalid', 'The body is not a JSON object.', 'Send one JSON object.');
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What came, for the schema of the operation to read. */
function unread(value: unknown): never {
  return value as never;
}

function linkOf({ secret, code }: { secret: unknown; code: unknown }) {
  return text(secret) === '' ? { code: text(code) } : { secret: text(secret) };
}

/** How the browser names itself, for the list of sessions. */
function deviceOf(context: WebContext): string {
  return (context.req.header('user-agent') ?? '').slice(0, 300);
}

/** A form leads to a page, a script gets JSON. */
function answer(context: WebContext, view: object, next: unknown): Response {
  const isScript = /^application\/json\b/i.test(context.req.header('content-type') ?? '');
  return isScript
    ? context.json(view)
    : context.redirect(safePath(typeof next === 'string' ? next : undefined), 303);
}
