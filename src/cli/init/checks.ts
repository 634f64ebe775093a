import { resolve } from 'node:path';
import type * as z from 'zod';
import { CLEAR, goesInClear } from '../../config/build.ts';
import { readCa } from '../../config/ca.ts';
import { fileSchema } from '../../config/file-schema.ts';
import { ledgerTls } from '../../config/ledger-url.ts';
import { isKey } from '../../lib/text.ts';
import type { InitOptions } from './init-options.ts';
import { flagOf, type Interview, wrongAnswer } from './interview.ts';
import type { InstallationLedger } from './settings.ts';

/*
 * Checks of answers, by the same rules as the configuration. Each throws `usage/invalid` with the option as its field.
 */

export const shape = fileSchema.shape;
export const lamassuShape = shape.lamassu.shape;
export const sshShape = lamassuShape.ssh.unwrap().shape;

export function checked<T>(schema: z.ZodType<T>, value: unknown, key: keyof InitOptions): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw wrongAnswer(key, `expected ${result.error.issues[0]?.message}`);
}

/**
 * The ledger as the configuration names it, with the TLS settings of its URL. A file in the URL is relative to
 * `folder`.
 */
export function readLedger(text: string, folder: string, { terminal }: Interview): InstallationLedger {
  const place = checked(shape.ledger.unwrap().shape.url, text, 'ledgerUrl');
  const plain = { password: undefined, tls: undefined, ca_file: undefined, ca: undefined };
  if ('sqlite' in place) return { ...plain, url: text };
  if (place.password === undefined) {
    const caFile = place.caFile === undefined ? undefined : resolve(folder, place.caFile);
    const ca =
      caFile === undefined ? undefined : readCa(terminal ? 'sslrootcert' : flagOf('ledgerUrl'), caFile);
    return {
      ...plain,
      url: place.postgresql,
      tls: ledgerTls(place.tls, caFile),
      ca_file: caFile,
      ca,
    };
  }
  throw wrongAnswer(
    'ledgerUrl',
    'a password does not belong in the address of the ledger',
    terminal
      ? 'Leave it out: the next question asks for it.'
      : `Put the password into a file: ${flagOf('ledgerPasswordFile')}.`,
  );
}

/** Wallet keys would leave this host unencrypted: asks for confirmation, or refuses without a terminal. */
export async function mayGoInClear(url: string, interview: Interview): Promise<boolean> {
  if (!goesInClear(url)) return false;
  if (
    interview.options.insecureHttp ||
    (interview.terminal && (await interview.confirm(`${CLEAR}. Continue?`)))
  )
    return true;
  throw wrongAnswer(
    'lnbitsUrl',
    CLEAR,
    interview.terminal ? 'Use https://.' : `Use https://, or accept it with ${flagOf('insecureHttp')}.`,
  );
}

/** `host`, `host:22`, `[::1]:22`. */
export function readPlace(
  text: string,
  fallback: number,
  key: keyof InitOptions,
): { host: string; port: number } {
  const [, host, port = `${fallback}`] = /^(\[[^\]\s]+\]|[^\s:]+)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) {
    throw wrongAnswer(
      key,
      `${JSON.stringify(text)} is not a host`,
      `Write HOST or HOST:PORT, like "atm.example.org:${fallback}".`,
    );
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: checked(lamassuShape.port, BigInt(port), key) };
}

/** A key of LNbits: one line without blanks. */
export function checkedKey(text: string, key: keyof InitOptions): string {
  if (isKey(text)) return text;
  throw wrongAnswer(key, 'that is not a single key', 'Copy it from the wallet’s “API keys” in LNbits.');
}
