import { connect as connectTcp, type Socket } from 'node:net';
import { buildConnector } from 'undici';

/** For a whole handshake, TCP's and TLS's. */
const HANDSHAKE_MS = 8_000;

interface Options {
  /** See `LnbitsPlace`. */
  ca?: string | undefined;
  /** Why nothing may be sent any more on a connection that has just come about; null where it may. */
  refusal(): Error | null;
  /** Whether a request is under way. */
  busy(): boolean;
}

/**
 * Connections on which nothing is sent later than it should be. One that has come about is asked for once more: a process
 * that stood still during the handshake sends nothing when it wakes up. One that is given up with a request under way is
 * reset: what a mere close leaves unsent, the kernel would go on sending for minutes.
 */
export function connector({ ca, refusal, busy }: Options): buildConnector.connector {
  const dial = buildConnector({ timeout: HANDSHAKE_MS, allowH2: false, ...(ca === undefined ? {} : { ca }) });
  return (options, callback) => {
    const { protocol, hostname, port } = options;
    // Below TLS there has to be a socket of ours: that one can be reset.
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
    // A reset destroys the socket in its turn.
    socket.destroy = () => destroy(error);
    if (!busy() || tcp.destroyed) return destroy(error);
    // TLS above it follows when it is closed; given up at once, it would never say that it is.
    tcp.once('close', () => destroy(error)).resetAndDestroy();
    return socket;
  };
}
