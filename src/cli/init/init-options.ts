/** The options of `init`, one for each question. */
export interface InitOptions {
  timezone?: string;
  /** PostgreSQL is reached directly, without SSH. */
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
  /** Wallet keys may leave this host unencrypted. */
  insecureHttp?: boolean;
  sourceWalletKeyFile?: string;
  /** Undefined if neither `--credit-source` nor `--no-credit-source` is given. */
  creditSource?: boolean;
  superuser?: string;
  superuserPasswordFile?: string;
  /** False with `--no-test`: the files are written without testing any connection. */
  test: boolean;
}
