import { ledgerSql } from './ledger-sql.ts';
import type { WalletKeys } from './lnbits.ts';

/** Puts a client straight into the ledger. */
export async function seedClient(ledgerUrl: string, name: string, wallet: WalletKeys): Promise<void> {
  const at = `${new Date().toISOString().slice(0, -1)}000Z`;
  const sql = (text: string, values: (string | bigint | null)[]) => ledgerSql(ledgerUrl, text, values);
  await sql('insert into wallets (id, invoice_key, created_at) values ($1, $2, $3)', [
    wallet.id,
    wallet.inkey,
    at,
  ]);
  const [row] = await sql(
    `insert into recipients (kind, name, wallet_id, status, created_at) values ('client', $1, $2, 'active', $3) returning id`,
    [name, wallet.id, at],
  );
  await sql(
    `insert into client_settings (client_id, from_at, mode, paused) values ($1, '0001-01-01T00:00:00.000000Z', 'flow', 0)`,
    [row?.id ?? null],
  );
}

/** Puts a confirmed funding for all machines straight into the ledger. */
export async function seedFunding(
  ledgerUrl: string,
  client: string,
  amount: string,
  at: string,
): Promise<string> {
  const [number = '', currency = ''] = amount.split(' ');
  const minor = BigInt(number) * 100n;
  const time = `${new Date(at).toISOString().slice(0, -1)}000Z`;
  const sql = (text: string, values: (string | bigint | null)[]) => ledgerSql(ledgerUrl, text, values);
  await sql('insert into currencies (code, digits) values ($1, 2) on conflict do nothing', [currency]);
  const [row] = await sql(
    `insert into fundings (client_id, machine, currency, amount, remaining, spent, withdrawn, rate, status, created_at, deposited_at)
     select id, null, $2, $3, $3, 0, 0, null, 'deposited', $4, $4 from recipients where name = $1 returning id`,
    [client, currency, minor, time],
  );
  return `f${row?.id}`;
}
