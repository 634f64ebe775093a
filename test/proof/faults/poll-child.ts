import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { loadConfig } from '../../../src/config/load.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { openLedger } from '../../../src/ledger/store/open.ts';
import { poll } from '../../../src/scheduler/poll.ts';
import { systemClock } from '../../../src/time.ts';
import { hastily, type Wait } from './hasty.ts';

/*
 * Polls as the daemon does, in one process, each time that its parent names the config.toml of an installation, with a
 * short deadline for one thing, and answers with the codes of what went wrong. Asked to `count`, it tells what the
 * process holds.
 */

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const log = pino({ level: 'silent' });
const signal = new AbortController().signal;

export type Asked = { id: number; poll: string; wait: Wait | null } | { id: number; count: true };
export interface Held {
  files: number;
  resources: number;
  /** Bytes of objects and of buffers. */
  heap: number;
}

async function once(configFile: string, wait: Wait | null): Promise<string[]> {
  return await hastily(loadConfig(configFile, {}), wait, async (config) => {
    const { url, password } = config.ledger;
    const ledger = await openLedger({ clock: systemClock, url, password, use: 'write' });
    try {
      const { problems } = await poll({
        ledger,
        config,
        who: { principal: OPERATOR, actor: 'test' },
        log,
        signal,
      });
      return problems.map(({ code }) => code);
    } finally {
      await ledger.close();
    }
  });
}

async function held(): Promise<Held> {
  collectGarbage();
  // What was only waiting to be told of its end goes with the second.
  await new Promise(setImmediate);
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return {
    files: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    heap: heapUsed + external,
  };
}

process.on('message', (asked: Asked) => {
  const { id } = asked;
  if ('count' in asked) void held().then((now) => process.send?.({ id, held: now }));
  else
    once(asked.poll, asked.wait).then(
      (codes) => process.send?.({ id, codes }),
      (error: { code?: string }) => process.send?.({ id, codes: [error.code ?? String(error)] }),
    );
});
