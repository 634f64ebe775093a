import { startBenchmark } from './start.ts';

export const benchmark = startBenchmark(
  'start-ledger',
  '`aio-dca payouts list` on an empty ledger in SQLite',
  ['payouts', 'list'],
  [['migrate']],
);
