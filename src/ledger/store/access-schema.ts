import type { Generated } from 'kysely';
import type { Instant } from '../../time.ts';

/** The tables of who signs in to the web sites and the API, and how. */
export interface AccessSchema {
  people: {
    id: Generated<bigint>;
    name: string;
    role: Role;
    created_at: Instant;
    disabled_at: Instant | null;
  };
  /** What somebody signs in with. */
  credentials: Holder & {
    id: Generated<bigint>;
    kind: 'passkey' | 'password' | 'totp';
    /** The id of a passkey, in base64url. */
    key_id: string | null;
    /** Its public key in base64url; the hash of a password; the secret of one-time passwords in base32. */
    secret: string;
    /** The signature counter of a passkey, or the last step of one-time passwords that was used. */
    counter: Generated<bigint>;
    label: string | null;
    created_at: Instant;
    used_at: Instant | null;
    removed_at: Instant | null;
  };
  /** One-time links; each has a code to type, too. Hashes are SHA-256 in hexadecimal. */
  invitations: Holder & {
    id: Generated<bigint>;
    secret_hash: string;
    code_hash: string;
    created_at: Instant;
    expires_at: Instant;
    used_at: Instant | null;
    revoked_at: Instant | null;
  };
  sessions: Holder & {
    id: Generated<bigint>;
    secret_hash: string;
    method: SignInMethod;
    /** The browser, as it names itself. */
    device: string | null;
    created_at: Instant;
    /** When the holder last proved who it is. */
    proven_at: Instant;
    /** To five minutes. */
    used_at: Instant;
    /** Not later than this, however often it is used. */
    expires_at: Instant;
    ended_at: Instant | null;
  };
  tokens: {
    id: Generated<bigint>;
    name: string;
    secret_hash: string;
    /** Separated by blanks. */
    scopes: string;
    created_at: Instant;
    expires_at: Instant | null;
    /** To five minutes. */
    used_at: Instant | null;
    revoked_at: Instant | null;
  };
}

/** Of whom a row is: of one of the people, or of a client. */
export interface Holder {
  person_id: bigint | null;
  client_id: bigint | null;
}

/** `owner`: everything; `operator`: the daily work; `bookkeeper`: reads and exports. */
export type Role = 'owner' | 'operator' | 'bookkeeper';

export type SignInMethod = 'link' | 'passkey' | 'password';
