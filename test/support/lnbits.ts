/** What a test needs of an LNbits besides its HTTP API; the simulator and the real one both give it. */
export interface Lnbits {
  readonly version: LnbitsVersion;
  /** Stays the same over a restart. */
  readonly url: string;
  /** Who may credit wallets. */
  readonly superuser: { name: string; password: string };
  createUserWallet(name: string): Promise<WalletKeys>;
  /** Signed; as a superuser does it, out of nothing. */
  topUp(walletId: string, sats: bigint): Promise<void>;
  deleteWallet(walletId: string): Promise<void>;
  /** The service fee on internal payments from now on, credited to one of its wallets; null: none. */
  setServiceFee(fee: ServiceFee | null): Promise<void>;
  /** Gives the wallet new keys; the old ones are unknown from then on. */
  resetKeys(walletId: string): Promise<WalletKeys>;
  /** Keys of another user for this shared wallet, with a wallet id of their own: since LNbits 1.4. */
  share(wallet: WalletKeys, permissions: Permission[]): Promise<SharedKeys>;
  /** Stops it, drops its connections and starts it again on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The rights that the owner of a wallet grants to another user's key. */
export type Permission = 'view-payments' | 'receive-payments' | 'send-payments';

/** Keys of another user for a shared wallet. */
export interface SharedKeys extends WalletKeys {
  /** Sets these rights, and no others. */
  allow(permissions: Permission[]): Promise<void>;
}

export interface ServiceFee {
  percent: number;
  walletId: string;
  /** The most of one payment, in sats; without it there is no limit. */
  maxSats?: number;
}

export interface WalletKeys {
  id: string;
  adminkey: string;
  inkey: string;
}

/** The oldest and the newest that the bridge supports. */
export const lnbitsVersions = ['1.0.0', '1.6.2'] as const;
export type LnbitsVersion = (typeof lnbitsVersions)[number];
