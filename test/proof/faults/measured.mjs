// For `node --import`: when the process ends, it tells on stderr how long that was after its first connection, without
// the time for which the machine had no processor for it, and how much memory it had at the most.
import { readFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

// Nanoseconds: on a processor, and waiting for one.
const waitedForProcessor = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e9;

let begun;
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...given) {
  begun ??= { at: performance.now(), waited: waitedForProcessor() };
  return connect.apply(this, given);
};

process.on('exit', () => {
  const { at, waited } = begun ?? { at: performance.now(), waited: waitedForProcessor() };
  const seconds = (performance.now() - at) / 1_000 - (waitedForProcessor() - waited);
  const peakMb = process.resourceUsage().maxRSS / 1_000;
  writeSync(2, `measured: ${JSON.stringify({ seconds, peakMb })}\n`);
});
