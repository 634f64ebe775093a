import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Hono } from 'hono';
import type { Env } from '../request/site-context.ts';

/*
 * Style sheet, scripts and pictures, as they are in `browser/`. Their names carry a hash of what is in them, so a
 * browser keeps them for good and never has an old one.
 */

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
};

/** In the source beside the pages, in the bundle below `web/`. */
const FOLDER = [new URL('../browser/', import.meta.url), new URL('./web/browser/', import.meta.url)].find(
  (folder) => existsSync(folder),
);

interface Asset {
  path: string;
  bytes: Buffer;
  type: string;
}

let known: Map<string, Asset> | undefined;

function assets(): Map<string, Asset> {
  if (known) return known;
  known = new Map();
  for (const name of FOLDER ? readdirSync(FOLDER) : []) {
    const extension = name.split('.').at(-1) ?? '';
    const type = TYPES[extension];
    if (!FOLDER || type === undefined) continue;
    const bytes = readFileSync(new URL(name, FOLDER));
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
    known.set(name, { path: `/assets/${hash}/${name}`, bytes, type });
  }
  return known;
}

/** The path of a file of `browser/` for a page: `base.css`. */
export function assetPath(name: string): string {
  const asset = assets().get(name);
  if (!asset) throw new Error(`there is no file browser/${name}`);
  return asset.path;
}

/** Serves them; a path with another hash is an old page's. */
export function assetRoutes(): Hono<Env> {
  const app = new Hono<Env>();
  app.get('/:hash/:name', (context) => {
    const asset = assets().get(context.req.param('name'));
    if (!asset || asset.path !== context.req.path) return context.notFound();
    return context.body(new Uint8Array(asset.bytes), 200, {
      'content-type': asset.type,
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });
  return app;
}
