import type * as z from 'zod';
import { BridgeError } from '../../errors.ts';
import { findOpenSession, findOpenToken } from '../../operations/access.ts';
import { type Needs, type Operation, perform, type Session } from '../../operations/operation.ts';
import type { FoundSession } from '../../views/access.ts';
import { bearerOf, sessionCookie } from './cookie.ts';
import type { Site, Visitor, WebContext } from './site-context.ts';

/* Who asks, and what each request of a site works with. */

/** Any operation of a table of routes. */
export type RoutedOperation = Operation<Needs, z.ZodType, z.ZodType>;

export const GUEST: Visitor = { principal: { kind: 'guest' }, actor: 'guest', session: null };

/** What is asked besides the input. */
export type Asking = Pick<Session, 'key' | 'unchanged' | 'take'> & { reason?: string | undefined };

/** Does an operation for whoever asks. */
export function performFor<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  context: WebContext,
  operation: Operation<N, Input, View>,
  input: z.input<Input>,
  { reason, ...asking }: Asking = {},
): Promise<z.output<View>> {
  const site = context.get('site');
  const { principal, actor } = context.get('visitor');
  return perform(operation, { ...sessionOf(site), ...asking, principal, actor, reason }, input);
}

/** Any operation of the table of routes: its input is checked by its schema. */
export function performAny(
  context: WebContext,
  operation: RoutedOperation,
  input: object,
  asking?: Asking,
): Promise<unknown> {
  return performFor(context, operation, input, asking);
}

/** On nobody's right: to sign in, and to find out who asks. */
export function performAsGuest<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  site: Site,
  operation: Operation<N, Input, View>,
  input: z.input<Input>,
): Promise<z.output<View>> {
  return perform(operation, { ...sessionOf(site), ...GUEST, reason: undefined }, input);
}

function sessionOf({ serving }: Site): Omit<Session, 'principal' | 'actor' | 'reason'> {
  const { config, clock, log, signal, env, withLedger } = serving;
  return {
    ...{ clock, env, withLedger, config: async () => config },
    ...{ stopSignal: () => signal, logger: async () => log },
  };
}

/**
 * Who sends this request. A token that does not count is refused, rather than taken for nobody; a cookie that does not
 * count is an old one, so it is a guest's.
 */
export async function visitorOf(context: WebContext): Promise<Visitor> {
  const site = context.get('site');
  const token = bearerOf(context);
  if (token !== undefined) {
    const { name, scopes } = await performAsGuest(site, findOpenToken, { token });
    return {
      principal: { kind: 'token', token: name, scopes },
      // No name has a colon, so none can be taken for another.
      ...{ actor: `token:${name}`, session: null },
    };
  }
  const secret = sessionCookie(context);
  if (secret === undefined) return GUEST;
  const session = await performAsGuest(site, findOpenSession, { site: site.name, secret }).catch(
    (error: unknown) => {
      if (isNoSession(error)) return null;
      throw error;
    },
  );
  return session === null ? GUEST : visitorWith(session);
}

function visitorWith(session: FoundSession): Visitor {
  const { id, name, role, proven_at: provenAt } = session;
  return role === null
    ? { principal: { kind: 'client', client: name, session: id }, actor: `client:${name}`, session }
    : { principal: { kind: 'person', person: name, role, session: id, provenAt }, actor: name, session };
}

function isNoSession(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'access/required';
}
