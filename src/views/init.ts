import { z } from 'zod';
import type { LamassuFound } from '../init/reach.ts';
import { instant } from './parts.ts';

/** The first key that an SSH server shows. */
export const hostKeyView = z.object({
  /** Like `ssh-ed25519`. */
  type: z.string(),
  fingerprint: z.string(),
});

export type HostKeyView = z.output<typeof hostKeyView>;

/** How far the way to Lamassu goes. */
export const foundView = z.object({
  readable: z.boolean(),
  /** What is in the way; null where Lamassu can be read. */
  missing: z.string().nullable(),
  machines: z.array(z.string()),
  /** What the role may do beyond what is needed, and what of it could do harm; empty also where that was not seen. */
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

/** The files that would be written: whether each is there, and whether it says the same already. */
export const initPlanView = z.object({
  files: z.array(z.object({ path: z.string(), standing: z.enum(['absent', 'same', 'other']) })),
});

/** What `init` made, and what it could not do. */
export const madeView = z.object({
  config: z.string(),
  /** All that were written or already said the same, with secrets or not. */
  files: z.array(z.string()),
  ledger: z.object({ id: z.string(), url: z.string(), schema: z.number() }),
  lamassu: z.object({
    /** Null where it was not tried. */
    readable: z.boolean().nullable(),
    machines: z.array(z.string()),
    user: z.string(),
    too_much: z.array(z.string()),
    /** What is in the way. */
    missing: z.string().nullable(),
  }),
  /** Null where PostgreSQL is reached directly. */
  ssh: z
    .object({
      user: z.string(),
      host: z.string(),
      authorized_keys: z.string(),
      authorized_keys_dropbear: z.string(),
    })
    .nullable(),
  start_at: instant,
  /** `start_at` is in the future. */
  early: z.boolean(),
  /** The role that `role_sql` makes: another one than [lamassu] user where that one cannot be confined. */
  role: z.string(),
  role_sql: z.string(),
});

export type MadeView = z.output<typeof madeView>;
