import type { Currencies } from '../../dca/currency.ts';
import { BridgeError } from '../../errors.ts';
import type { Db, Trx } from './open.ts';

/** Records the digits of a currency at its first use, and throws if they differ later. */
export async function useCurrency(trx: Trx, code: string, digits: number): Promise<void> {
  const known = await trx
    .selectFrom('currencies')
    .select('digits')
    .where('code', '=', code)
    .executeTakeFirst();
  if (!known) {
    await trx
      .insertInto('currencies')
      .values({ code, digits: BigInt(digits) })
      .execute();
    return;
  }
  if (known.digits !== BigInt(digits)) {
    throw new BridgeError(
      'ledger/currency',
      `the ledger has ${code} with ${known.digits} digits, and this program has it with ${digits}`,
      'Amounts would change their meaning. Install the version that was used before, and report this.',
    );
  }
}

/** The digits of currencies: those that the ledger recorded go before those of the configuration. */
export async function knownCurrencies(db: Db, configured: Currencies): Promise<Currencies> {
  return new Map([...configured, ...(await digitsByCurrency(db))]);
}

/** Minor-unit digits of every currency that the ledger has seen. */
export async function digitsByCurrency(db: Db): Promise<Map<string, number>> {
  const rows = await db.selectFrom('currencies').selectAll().execute();
  return new Map(rows.map((row) => [row.code, Number(row.digits)]));
}
