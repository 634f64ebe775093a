import { connect as connectTcp, type Socket } from 'node:net';
import { buildConnector } from 'undici';

/** Deadline for the handshakes of TCP and TLS, in ms. */
const HANDSHAKE_MS = 8_000;

interface ConnectionOptions {
  /** See `LnbitsPlace`. */
  ca?: string | undefined;
  /** Called for each new connection: why nothing may be sent on it any more; null: it may. */
  refusal(): Error | null;
  /** Whether a request is under way on it. */
  busy(): boolean;
}

/**
 * Connections that never send too late. After the handshake, `refusal` is called again: a process that was suspended
 * meanwhile sends nothing when it wakes up. A connection that is given up during a request is reset: after a mere
 * close, the kernel would go on sending for minutes.
 */
export function connector({ ca, refusal, busy }: ConnectionOptions): buildConnector.connector {
  const dial = buildConnector({ timeout: HANDSHAKE_MS, allowH2: false, ...(ca === undefined ? {} : { ca }) });
  return (options, callback) => {
    const { protocol, hostname, port } = options;
    // TLS needs a socket of our own below it, because only that can be reset.
    const tcp =
      protocol === 'https:'
        ? connectTcp({
            host: hostname.replace(/^\[|\]$/g, ''),
            port: Number(port) || 443,
            noDelay: true,
            keepAlive: true,
          })
        : undefined;
    dial({ ...options, ...(tcp && { httpSocket: tcp }) }, (error, made) => {
      if (error) {
        tcp?.destroy();
        callback(error, null);
        return;
      }
      const socket = made;
      const why = refusal();
      if (why) {
        socket.destroy();
        callback(why, null);
        return;
      }
      resetWhileBusy(socket, tcp ?? socket, busy);
      callback(null, socket);
    });
  };
}

function resetWhileBusy(socket: Socket, tcp: Socket, busy: () => boolean): void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error) => {
    // The reset also destroys the socket.
    socket.destroy = () => destroy(error);
    if (!busy() || tcp.destroyed) return destroy(error);
    // TLS above it closes with the socket; destroyed at once, it would never emit `close`.
    tcp.once('close', () => destroy(error)).resetAndDestroy();
    return socket;
  };
}
