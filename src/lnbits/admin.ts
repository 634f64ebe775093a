import * as z from 'zod';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../time.ts';
import { unreachable } from './answer.ts';
import { Http, type LnbitsPlace, type Pass } from './http.ts';

export interface Superuser {
  name: string;
  password: Secret;
}

const AUTH = '/api/v1/auth';
const BALANCE = '/users/api/v1/balance';
const SETTINGS = '/admin/api/v1/settings';
const DEADLINE_MS = 12_000;
const CREDIT_DEADLINE_MS = 30_000;

const tokenShape = z.object({ access_token: z.string().min(1) });
const accountShape = z.object({ super_user: z.boolean() });
const feeShape = z.object({
  lnbits_service_fee: z.number().nonnegative(),
  lnbits_service_fee_max: z.number(),
  lnbits_service_fee_wallet: z.string().nullable(),
  lnbits_service_fee_ignore_internal: z.boolean(),
});

/** `percent` of each payment, as decimal text; `maxSats`: the maximum fee of one payment, null: none. */
export type ServiceFee = { percent: string; maxSats: bigint | null } | null;

/**
 * What only LNbits' superuser may do: credit a wallet with new sats, and read the settings. Close it when done.
 *
 * Errors: those of `LnbitsClient`, and `lnbits/superuser`: the login failed, or the user is not the superuser.
 */
export class LnbitsAdmin {
  readonly #http: Http;
  readonly #pass: Pass;

  private constructor(http: Http, pass: Pass) {
    this.#http = http;
    this.#pass = pass;
  }

  /** Logs in, and checks that the user is the superuser. */
  static async logIn(place: LnbitsPlace, { name, password }: Superuser, clock: Clock): Promise<LnbitsAdmin> {
    const http = new Http(place, clock, 5_000_000, 250);
    try {
      const json = JSON.stringify({ username: name, password: password.reveal() });
      const body = await http
        .post(AUTH, {
          pass: null,
          json,
          secret: password,
          deadlineMs: DEADLINE_MS,
          patienceMs: 61_000,
          gaps: 0,
        })
        .catch(refusedTo(name));
      const pass = { token: new Secret(read(tokenShape, body).access_token) };
      const account = await http.get(AUTH, {}, pass, DEADLINE_MS).catch(refusedTo(name));
      if (!read(accountShape, account).super_user) {
        throw notSuperuser(
          `${name} is not the superuser of this LNbits; only the superuser may credit a wallet.`,
        );
      }
      return new LnbitsAdmin(http, pass);
    } catch (error) {
      await http.close();
      throw error;
    }
  }

  /**
   * Credits a wallet with `sats` (up to the server's limit for invoices, 10,000,000 by default) by exactly one request,
   * or none if LNbits' rate limit is used up. Not idempotent: LNbits credits again for each request. After any failure
   * the credit may have happened; only `LnbitsClient.credits` tells.
   */
  async credit(walletId: string, sats: bigint): Promise<void> {
    await this.#http.post(BALANCE, {
      method: 'PUT',
      pass: this.#pass,
      // A JSON number holds the server's limit exactly.
      json: JSON.stringify({ id: walletId, amount: Number(sats) }),
      deadlineMs: CREDIT_DEADLINE_MS,
      patienceMs: 5_000,
      gaps: 1,
    });
  }

  /** The service fee that LNbits takes from the payer of a payment between two of its wallets; null: none. */
  async serviceFee(): Promise<ServiceFee> {
    const body = await this.#http.get(SETTINGS, {}, this.#pass, DEADLINE_MS);
    const {
      lnbits_service_fee: percent,
      lnbits_service_fee_max: most,
      lnbits_service_fee_wallet: wallet,
      lnbits_service_fee_ignore_internal: ignored,
    } = read(feeShape, body, SETTINGS);
    if (!wallet || ignored || percent === 0) return null;
    // LNbits computes in floating point; its error is far less than the satoshi that `feeOn` adds.
    return { percent: percent.toFixed(8), maxSats: most > 0 ? BigInt(Math.ceil(most)) : null };
  }

  async close(): Promise<void> {
    await this.#http.close();
  }
}

function read<T extends z.ZodType>(shape: T, body: unknown, from = AUTH): z.output<T> {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  throw unreachable(from, 'the answer is not what LNbits 1.x answers', 'Does the URL lead to LNbits?');
}

function refusedTo(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof BridgeError) || !['lnbits/refused', 'lnbits/key'].includes(error.code))
      throw error;
    throw notSuperuser(`LNbits does not let ${name} in: ${error.message}`);
  };
}

function notSuperuser(message: string): BridgeError {
  return new BridgeError(
    'lnbits/superuser',
    message,
    'Check [lnbits] superuser and its password: the user name with which the superuser logs in to LNbits.',
  );
}
