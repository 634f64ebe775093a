import type { Hono } from 'hono';
import type { Env } from './request/site-context.ts';

/**
 * Answers 405 with `Allow` for a path that is there under other methods; what is at no path stays 404. Call it when all
 * routes are there.
 */
export function allowedMethods(app: Hono<Env>): void {
  const byPath = new Map<string, Set<string>>();
  for (const { method, path } of app.routes) {
    if (method === 'ALL' || path.includes('*')) continue;
    const methods = byPath.get(path) ?? new Set();
    byPath.set(path, methods.add(method));
  }
  for (const [path, methods] of byPath) {
    const allowed = [...methods, ...(methods.has('GET') ? ['HEAD'] : [])].sort().join(', ');
    app.all(path, (context) => {
      context.header('allow', allowed);
      return context.body(
        JSON.stringify({
          ...{ type: 'about:blank', title: 'Method Not Allowed', status: 405, code: 'usage/invalid' },
          ...{
            detail: `${context.req.method} is not allowed here.`,
            hint: `Allowed: ${allowed}.`,
            errors: [],
          },
        }),
        405,
        { 'content-type': 'application/problem+json' },
      );
    });
  }
}
