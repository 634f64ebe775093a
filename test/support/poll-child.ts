import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/load.ts';
import { openLedger } from '../../src/ledger/open.ts';
import { poll } from '../../src/scheduler/poll.ts';

/*
 * Polls as the daemon does, in one process, each time that its parent names the config.toml of an installation, and
 * answers with the codes of what went wrong. Asked to `count`, it tells what the process holds.
 */

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const log = pino({ level: 'silent' });
const signal = new AbortController().signal;

export type Asked = { id: number; poll: string } | { id: number; count: true };
export interface Held {
  files: number;
  resources: number;
  heap: number;
}

async function once(configFile: string): Promise<string[]> {
  const config = loadConfig(configFile, {});
  const { url, password } = config.ledger;
  const ledger = await openLedger({ url, password, use: 'write' });
  try {
    const { problems } = await poll({ ledger, config, actor: 'test', log, signal });
    return problems.map(({ code }) => code);
  } finally {
    await ledger.close();
  }
}

function held(): Held {
  collectGarbage();
  return {
    files: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    heap: process.memoryUsage().heapUsed,
  };
}

process.on('message', (asked: Asked) => {
  const { id } = asked;
  if ('count' in asked) process.send?.({ id, held: held() });
  else
    once(asked.poll).then(
      (codes) => process.send?.({ id, codes }),
      (error: { code?: string }) => process.send?.({ id, codes: [error.code ?? String(error)] }),
    );
});
