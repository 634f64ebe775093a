import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import { openLedger } from '../../../src/ledger/store/open.ts';
import { systemClock } from '../../../src/time.ts';

// Takes the lease of the ledger at the URL in the first argument, reports it, and stays until it is killed.
const ledger = await openLedger({ clock: systemClock, url: process.argv[2] ?? '', use: 'write' });
const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'the child' });
process.stdout.write(`r${run.id}\n`);
setInterval(() => {}, 60_000);
