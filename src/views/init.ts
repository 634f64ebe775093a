import * as z from 'zod';
import type { LamassuFound } from '../init/reach.ts';
import { instant } from './fields.ts';

/** The first key that an SSH server shows. */
export const hostKeyView = z.object({
  /** Like `ssh-ed25519`. */
  type: z.string(),
  fingerprint: z.string(),
});

export type HostKeyView = z.output<typeof hostKeyView>;

/** The result of reading Lamassu. */
export const foundView = z.object({
  readable: z.boolean(),
  /** What is missing; null if Lamassu can be read. */
  missing: z.string().nullable(),
  machines: z.array(z.string()),
  /**
   * The excess rights of the role, and those of them that could do harm. Both are empty if the rights were not
   * checked.
   */
  too_much: z.array(z.string()),
  harmful: z.array(z.string()),
});

export type FoundView = z.output<typeof foundView>;

export function viewOfFound(found: LamassuFound): FoundView {
  if ('missing' in found) {
    const nothing = { machines: [], too_much: [], harmful: [] };
    return { readable: false, missing: found.missing.message, ...nothing };
  }
  const { machines, tooMuch, harmful } = found;
  return { readable: true, missing: null, machines, too_much: [...tooMuch], harmful: [...harmful] };
}

/** Where an installation goes. */
export const placeView = z.object({
  /** The configuration, an absolute path. */
  file: z.string(),
  exists: z.boolean(),
  /** The ledger that is proposed. */
  ledger_url: z.string(),
  /** The user who gets what root makes there; null: who runs it. */
  owner: z.string().nullable(),
});

export type PlaceView = z.output<typeof placeView>;

/**
 * The files that an operator may have changed: whether each exists, and whether it has the same content. `init.create`
 * replaces those with another content if it gets the digest.
 */
export const initPlanView = z.object({
  digest: z.string(),
  files: z.array(z.object({ path: z.string(), standing: z.enum(['absent', 'same', 'other']) })),
});

/** What `init` made, and what it could not do. */
export const madeView = z.object({
  config: z.string(),
  /** All files that were written or already had the content, the secrets included. */
  files: z.array(z.string()),
  /** The user whom root gave them to; null if they belong to who ran it. */
  owner: z.string().nullable(),
  ledger: z.object({ id: z.string(), url: z.string(), schema: z.number() }),
  lamassu: z.object({
    /** Null if it was not tested. */
    readable: z.boolean().nullable(),
    machines: z.array(z.string()),
    user: z.string(),
    /** As the SSH server sees it. */
    host: z.string(),
    database: z.string(),
    too_much: z.array(z.string()),
    /** What is missing. */
    missing: z.string().nullable(),
  }),
  /** Null if PostgreSQL is reached directly. */
  ssh: z
    .object({
      user: z.string(),
      host: z.string(),
      port: z.number(),
      authorized_keys: z.string(),
      authorized_keys_dropbear: z.string(),
    })
    .nullable(),
  start_at: instant,
  /** True if `start_at` is in the future. */
  early: z.boolean(),
  /** The role that `role_sql` makes: not [lamassu] user, if that role cannot be confined. */
  role: z.string(),
  role_sql: z.string(),
});

export type MadeView = z.output<typeof madeView>;
