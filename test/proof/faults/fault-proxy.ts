import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../support/free-port.ts';

/**
 * What goes wrong on the way. `half-open`: half of the answer, then nothing more, and nobody closes. `slow`: the answer
 * comes by a byte a second; `slow-request`: the request does. `lose-answer`: the server has done what was asked and
 * answered, the client gets nothing of it. `late`: delivered so much later, whether the client still waits or not.
 * `answer`: something else answers in the server's place. `huge`: so does it, and never ends.
 */
export type WireFault =
  | {
      do: 'refuse' | 'reset' | 'black-hole' | 'half-open' | 'slow' | 'slow-request' | 'lose-answer' | 'twice';
    }
  | { do: 'cut'; after: number }
  | { do: 'late'; ms: number }
  | { do: 'answer'; with: string }
  | { do: 'huge'; with: string };

export interface FaultProxy {
  port: number;
  /** How often the fault was met. */
  met: number;
  /** For how many seconds the client stayed in it at the longest, until it closed its connection. */
  heldS: number;
  /** Every connection that is open is cut, and from now on this goes wrong; nothing does with null. */
  set(fault: WireFault | null, where?: Where): Promise<void>;
  close(): Promise<void>;
}

export interface Where {
  /** The requests that it hits; all by default, and then from the first byte of a connection on. */
  hit?: (request: Buffer) => boolean;
  /** How often; always by default. */
  times?: number;
}

const SLOW_MS = 1_000;
const SILENT: WireFault['do'][] = ['black-hole', 'half-open', 'slow', 'late', 'answer', 'huge'];
/** What strikes only when the server answers; the last does not keep anybody waiting. */
const IN_ANSWER: WireFault['do'][] = ['half-open', 'slow', 'cut', 'lose-answer', 'twice'];
/** Nobody on the way back answers a goodbye either: a client that only takes its leave keeps its socket. */
const MUTE: WireFault['do'][] = ['black-hole', 'half-open', 'slow', 'slow-request', 'late'];

/**
 * A TCP proxy in front of `target` on a port of its own, by which anything that goes wrong on a network can go wrong.
 */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let fault: WireFault | null = null;
  let where: Where = {};
  let left = 0;
  let tcp: Server | undefined;

  const track = (socket: Socket, gone: () => unknown) => {
    sockets.add(socket);
    socket.on('error', gone);
    socket.once('close', () => {
      sockets.delete(socket);
      gone();
    });
    return socket;
  };
  const meets = (request: Buffer | null): WireFault | null => {
    if (fault === null || left <= 0 || (request === null) !== (where.hit === undefined)) return null;
    if (request !== null && !where.hit?.(request)) return null;
    left -= 1;
    proxy.met += 1;
    return fault;
  };
  /** Of one connection: when its fault strikes, and that the client gave up. */
  const holding = () => {
    let struck: number | undefined;
    return {
      strike: () => {
        struck ??= performance.now();
      },
      end: () => {
        if (struck !== undefined) proxy.heldS = Math.max(proxy.heldS, (performance.now() - struck) / 1_000);
        struck = undefined;
      },
    };
  };

  /** Passes on its input, in order, at a byte a second. */
  const dripping = () => {
    let rest = Buffer.alloc(0);
    let timer: NodeJS.Timeout | undefined;
    return (bytes: Buffer, to: Socket) => {
      rest = Buffer.concat([rest, bytes]);
      if (timer) return;
      timer = setInterval(() => {
        if (to.writable) to.write(rest.subarray(0, 1));
        rest = rest.subarray(1);
        if (rest.length > 0 && to.writable) return;
        clearInterval(timer);
        timer = undefined;
      }, SLOW_MS);
      timers.add(timer);
    };
  };

  const carry = (client: Socket) => {
    const server = connect({ ...target, noDelay: true });
    let mine = meets(null);
    let told = 0;
    let answered = false;
    const slowly = dripping();
    const held = holding();
    track(client, () => {
      held.end();
      server.destroy();
    });
    // Behind such a fault, the client gets nothing of what the server does.
    track(server, () => (mine !== null && SILENT.includes(mine.do)) || client.destroy());
    if (mine?.do === 'reset') client.resetAndDestroy();
    client.on('end', () => {
      held.end();
      if (mine !== null && MUTE.includes(mine.do)) server.destroy();
      else client.end();
    });

    client.on('data', (request: Buffer) => {
      mine ??= meets(request);
      if (mine !== null && !IN_ANSWER.includes(mine.do)) held.strike();
      switch (mine?.do) {
        case 'reset':
          client.resetAndDestroy();
          return;
        case 'black-hole':
          return;
        case 'answer':
          client.end(mine.with);
          return;
        case 'huge':
          if (!answered) flood(client, mine.with);
          answered = true;
          return;
        case 'slow-request':
          slowly(request, server);
          return;
        case 'late': {
          const timer = setTimeout(() => {
            const other = track(connect({ ...target, noDelay: true }), () => undefined);
            other.on('data', (answer) => client.writable && client.write(answer));
            other.write(request);
          }, mine.ms);
          timers.add(timer);
          return;
        }
        case 'twice': {
          mine = null;
          const other = track(connect({ ...target, noDelay: true }), () => server.write(request));
          other.write(request);
          other.once('data', () => other.destroy());
          return;
        }
        default:
          server.write(request);
      }
    });

    server.on('data', (answer: Buffer) => {
      if (mine !== null) held.strike();
      switch (mine?.do) {
        case 'black-hole':
        case 'answer':
        case 'huge':
          return;
        case 'half-open':
          if (!answered) client.write(answer.subarray(0, answer.length / 2));
          answered = true;
          return;
        case 'slow':
          slowly(answer, client);
          return;
        case 'cut':
          client.write(answer.subarray(0, mine.after - told));
          told += answer.length;
          if (told >= mine.after) client.destroySoon();
          return;
        case 'lose-answer':
          client.resetAndDestroy();
          return;
        default:
          client.write(answer);
      }
    });
  };

  const listen = async (port: number): Promise<Server> => {
    const listening = createServer({ noDelay: true, allowHalfOpen: true }, carry);
    await new Promise<void>((resolve, reject) => {
      listening.once('error', reject);
      listening.listen(port, '127.0.0.1', resolve);
    });
    return listening;
  };
  const shut = async () => {
    const listening = tcp;
    tcp = undefined;
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    for (const socket of sockets) socket.destroy();
    if (listening) await new Promise((resolve) => listening.close(resolve));
  };

  const port = await freePort();
  tcp = await listen(port);
  const proxy: FaultProxy = {
    port,
    met: 0,
    heldS: 0,
    set: async (next, { hit, times = Number.POSITIVE_INFINITY } = {}) => {
      await shut();
      fault = next;
      where = hit === undefined ? {} : { hit };
      left = times;
      proxy.met = 0;
      proxy.heldS = 0;
      if (next?.do !== 'refuse') tcp = await listen(port);
    },
    close: shut,
  };
  return proxy;
}

/** Ten megabytes a second, for as long as somebody takes them: more would only measure the loopback. */
function flood(client: Socket, head: string): void {
  const block = Buffer.alloc(1_000_000, ' ');
  client.write(head);
  const timer = setInterval(() => {
    if (client.writable) client.write(block);
    else clearInterval(timer);
  }, 100);
  client.once('close', () => clearInterval(timer));
}
