/**
 * The columns of Lamassu that the bridge reads, and the only ones it may read: no personal data among them.
 * Grants, queries and `doctor` all go by these lists.
 */

/** Columns of every supported server; without one of them no row can be judged. */
export const requiredColumns = [
  'id',
  'device_id',
  'crypto_atoms',
  'crypto_code',
  'fiat',
  'fiat_code',
  'status',
  'dispense',
  'dispense_confirmed',
  'error',
  'error_code',
  'created',
  'confirmed_at',
] as const;

/** Columns that newer servers have; in older ones they count as null. */
export const optionalColumns = [
  'received_crypto_atoms',
  'redeem',
  'commission_percentage',
  'discount',
  'raw_ticker_price',
  'fixed_fee',
] as const;

export type CashOutColumn = (typeof requiredColumns)[number] | (typeof optionalColumns)[number];

/**
 * Where notes come from: cassettes 1 to 4, recyclers as named since October 2023 (`_recycler_1`) and from
 * April to October 2023 (`_1f`, front, and `_1r`, rear).
 */
export const noteSlots = [
  ...['1', '2', '3', '4'],
  ...['recycler_1', 'recycler_2', 'recycler_3', 'recycler_4', 'recycler_5', 'recycler_6'],
  ...['1f', '1r', '2f', '2r', '3f', '3r'],
];

/** Columns of `cash_out_actions`, which tell the machine that paid out the cash. Required if the server has them. */
export const actionColumns = ['tx_id', 'action', 'device_id'] as const;

export const readableColumns: Record<string, readonly string[]> = {
  cash_out_txs: [...requiredColumns, ...optionalColumns],
  cash_out_actions: [
    ...['id', ...actionColumns, 'error', 'error_code', 'created'],
    ...noteSlots.flatMap((slot) => [
      `provisioned_${slot}`,
      `dispensed_${slot}`,
      `rejected_${slot}`,
      `denomination_${slot}`,
    ]),
  ],
  devices: ['device_id', 'name'],
  // Where Lamassu keeps the names of machines that were unpaired, since November 2021.
  unpaired_devices: ['device_id', 'name', 'unpaired'],
};
