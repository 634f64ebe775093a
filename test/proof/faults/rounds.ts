import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { World } from '../../support/world.ts';
import type { FaultProxy, WireFault } from './fault-proxy.ts';
import { GARBAGE, HTML, HUGE, type Link } from './faulty.ts';
import { DEADLINES, type Wait } from './hasty.ts';
import type { Asked, Held } from './poll-child.ts';

/** Where the network goes wrong in rounds that are done often, and what a run may call it. */
export interface Place {
  name: string;
  link: Link;
  /** What the run waits for there, by a short deadline. */
  wait: Wait;
  codes: RegExp;
  /** The requests that it hits; by default it hits whole connections. */
  hit?: (request: Buffer) => boolean;
  /** What goes wrong only here. */
  own?: WireFault['do'][];
  /** Each round has something new to pay, and may find out what became of it. */
  pays?: true;
}

const carrying = (text: string) => (bytes: Buffer) => bytes.includes(text);

export const places: Place[] = [
  { name: 'LNbits', link: 'lnbits', wait: 'lnbits', codes: /^lnbits\/unreachable$/, own: ['late'] },
  {
    ...{ name: 'a payment', link: 'lnbits', wait: 'payment', codes: /^lnbits\/unreachable$/ },
    ...{ hit: carrying('"out":true'), own: ['late', 'twice'], pays: true },
  },
  { name: 'Lamassu', link: 'lamassu', wait: 'lamassu', codes: /^lamassu\/unreachable$/ },
  { name: 'SSH', link: 'ssh', wait: 'lamassu', codes: /^lamassu\/ssh-unreachable$/ },
  {
    name: 'Lamassu behind SSH',
    link: 'forwarded',
    wait: 'lamassu',
    codes: /^lamassu\/(unreachable|ssh-forward)$/,
  },
  {
    ...{ name: 'a query of Lamassu', link: 'lamassu', wait: 'query', codes: /^lamassu\/(lost|timeout)$/ },
    hit: carrying('limit 5000'),
  },
  { name: 'the ledger', link: 'ledger', wait: 'ledger', codes: /^ledger\/unreachable$/ },
  {
    ...{
      name: 'a statement of the ledger',
      link: 'ledger',
      wait: 'statement',
      codes: /^ledger\/unreachable$/,
    },
    hit: carrying('insert into "runs"'),
  },
];

export const faults: [title: string, fault: WireFault][] = [
  ['refused', { do: 'refuse' }],
  ['reset', { do: 'reset' }],
  ['a black hole', { do: 'black-hole' }],
  ['half-open', { do: 'half-open' }],
  ['answers by a byte a second', { do: 'slow' }],
  ['requests by a byte a second', { do: 'slow-request' }],
  ['cut after 10 bytes', { do: 'cut', after: 10 }],
  ['answers lost', { do: 'lose-answer' }],
  ['garbage', { do: 'answer', with: GARBAGE }],
  ['HTML', { do: 'answer', with: HTML }],
  ['an answer without end', { do: 'huge', with: HUGE }],
  ['delivered twice', { do: 'twice' }],
  ['delivered after the client gave up', { do: 'late', ms: DEADLINES.payment + 50 }],
];

/** Only a request that came whole can come again or late, and by then a connection cannot be refused. */
export function meets({ hit, own = [] }: Place, { do: what }: WireFault): boolean {
  if (what === 'late' || what === 'twice') return own.includes(what);
  return what !== 'refuse' || hit === undefined;
}

/** One of several installations with the same fault at the same place. */
export interface Lane {
  place: Place;
  world: World;
  proxy: FaultProxy;
}

/** A process that polls. */
export interface Poller {
  /** The codes of what went wrong; `wait`: for what by a short deadline. */
  poll(world: World, wait: Wait | null): Promise<string[]>;
  count(): Promise<Held>;
  stop(): void;
}

export function startPoller(): Poller {
  const child = fork(fileURLToPath(new URL('./poll-child.ts', import.meta.url)), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ask = asking(child);
  return {
    poll: async ({ configFile }, wait) => (await ask({ poll: configFile, wait })).codes ?? [],
    count: async () => {
      const { held } = await ask({ count: true });
      if (!held) throw new Error('nothing was counted');
      return held;
    },
    stop: () => void child.kill(),
  };
}

interface Answer {
  id: number;
  codes?: string[];
  held?: Held;
}

function asking(
  child: ChildProcess,
): (what: { poll: string; wait: Wait | null } | { count: true }) => Promise<Answer> {
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  child.on('message', (answer: Answer) => {
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  child.once('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`the process that polls ended with ${code}`));
  });
  return (what) => {
    last += 1;
    const answer = Promise.withResolvers<Answer>();
    waiting.set(last, answer);
    child.send({ id: last, ...what } satisfies Asked);
    return answer.promise;
  };
}
