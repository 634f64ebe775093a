import { resolve } from 'node:path';
import * as z from 'zod';
import { secretInput } from '../config/secret-input.ts';
import { isKey, oneLine } from '../lib/text.ts';

/*
 * The content of a new configuration and of the files beside it. The rules for its values are the configuration's
 * (operations/unusable-config.ts); here are those for what goes into files of its own.
 */

const line = secretInput.refine((one) => one.reveal() !== '' && oneLine(one.reveal()) === one.reveal(), {
  error: 'it is empty, or blanks or line breaks stand around it',
});
const tls = z.enum(['disable', 'require', 'verify-full']);

export const sshKey = z.strictObject({
  /** The name of its file, as OpenSSH calls keys of its kind. */
  file: z.string(),
  private_key: secretInput,
  /** Undefined if the key has none. */
  passphrase: line.optional(),
  /** On one line, as in a `.pub` file. */
  public_key: z.string(),
});

export type SshKey = z.output<typeof sshKey>;

const certificate = {
  /** An absolute path, and its content. */
  ca_file: z.string().optional(),
  ca: z.string().optional(),
};

/** PostgreSQL and how it is reached; without `ssh`, directly. */
export const lamassuSettings = z.strictObject({
  ssh: z
    .object({ host: z.string(), port: z.number(), user: z.string(), key: sshKey, host_key: z.string() })
    .optional(),
  lamassu: z.strictObject({
    host: z.string(),
    port: z.number(),
    database: z.string(),
    user: z.string(),
    password: line,
    tls,
    ...certificate,
  }),
});

export type LamassuSettings = z.output<typeof lamassuSettings>;

export const ledgerSettings = z.strictObject({
  url: z.string(),
  password: line.optional(),
  /** The TLS settings of its URL. */
  tls: tls.optional(),
  ...certificate,
});

export type LedgerSettings = z.output<typeof ledgerSettings>;

export const lnbitsPlace = z.strictObject({ url: z.string(), ca: z.string().optional() });

export type LnbitsSettings = z.output<typeof lnbitsPlace>;

export const superuser = z.strictObject({ name: z.string(), password: line });

export const settings = lamassuSettings.extend({
  timezone: z.string(),
  start_at: z.string(),
  ledger: ledgerSettings,
  lnbits: lnbitsPlace.extend({
    ca_file: z.string().optional(),
    /** Whether the operator agreed that the keys leave this host unencrypted. */
    insecure_http: z.boolean(),
    /** The admin key of the source wallet. */
    key: secretInput.refine((key) => isKey(key.reveal()), { error: 'it is not a single key' }),
    /** The superuser who credits the source wallet; undefined if crediting is off. */
    superuser: superuser.optional(),
  }),
});

export type Settings = z.output<typeof settings>;

/** The ledger as a configuration in `folder` describes it. */
export function placedLedger<L extends LedgerSettings>(ledger: L, folder: string): L {
  const { url } = ledger;
  if (!url.startsWith('sqlite:')) return ledger;
  return { ...ledger, url: `sqlite:${resolve(folder, url.slice('sqlite:'.length))}` };
}
