/** The options of `init`: each question has one. */
export interface InitOptions {
  timezone?: string;
  /** No SSH: PostgreSQL is reached directly. */
  direct?: boolean;
  sshHost?: string;
  sshUser?: string;
  sshKeyFile?: string;
  sshPassphraseFile?: string;
  hostKey?: string;
  lamassuHost?: string;
  database?: string;
  lamassuUser?: string;
  lamassuPasswordFile?: string;
  tls?: string;
  caFile?: string;
  startAt?: string;
  ledgerUrl?: string;
  ledgerPasswordFile?: string;
  lnbitsUrl?: string;
  lnbitsCaFile?: string;
  /** The keys of the wallets may leave this host unencrypted. */
  insecureHttp?: boolean;
  sourceWalletKeyFile?: string;
  /** Undefined where neither `--credit-source` nor `--no-credit-source` says it. */
  creditSource?: boolean;
  superuser?: string;
  superuserPasswordFile?: string;
  /** False with `--no-test`: nothing is reached before the files are written. */
  test: boolean;
}
