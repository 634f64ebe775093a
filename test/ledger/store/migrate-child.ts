import { openLedger } from '../../../src/ledger/store/open.ts';
import { systemClock } from '../../../src/time.ts';

// Creates the ledger at the URL in the first argument and prints its id, as one of several processes at once.
const ledger = await openLedger({ clock: systemClock, url: process.argv[2] ?? '', use: 'create' });
process.stdout.write(ledger.id);
await ledger.close();
