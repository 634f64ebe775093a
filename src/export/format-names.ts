export const FILE_FORMATS = ['csv', 'json', 'jsonl'] as const;
/** For programs for tax and books: of purchases only. */
export const TRADE_FORMATS = ['koinly', 'cointracker', 'hledger', 'beancount'] as const;
