import type { Config } from './config.ts';

/**
 * The files of this installation, which no answer may be written over: the configuration, the secrets, and a ledger
 * that is a file, with those that SQLite keeps beside it.
 */
export function ownFiles({ file, secretFiles, ledger }: Config): string[] {
  const [, sqlite] = /^sqlite:(.+)$/s.exec(ledger.url) ?? [];
  const ledgerFiles = sqlite === undefined ? [] : [sqlite, `${sqlite}-wal`, `${sqlite}-shm`];
  return [file, ...secretFiles, ...ledgerFiles];
}
