import { pathToFileURL } from 'node:url';

/*
 * Runs the program once for each list of arguments in its input, one after the other in this process, and writes
 * what each printed and its exit code as JSON. `node commands-child.mjs PROGRAM < [["status"], …]`
 */

let input = '';
for await (const piece of process.stdin.setEncoding('utf8')) input += piece;

const real = process.stdout.write.bind(process.stdout);
const program = pathToFileURL(process.argv[2]).href;
// Each run adds its listeners to the streams.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);

const ran = [];
for (const [index, args] of JSON.parse(input).entries()) {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    process[name].write = (text, encoding, done) => {
      printed[name] += text;
      (typeof encoding === 'function' ? encoding : done)?.();
      return true;
    };
  process.argv = [process.argv[0], program, ...args];
  process.exitCode = undefined;
  // The query makes it a module of its own, which is run again.
  await import(`${program}?${index}`);
  ran.push({ code: process.exitCode ?? 0, signal: null, ...printed });
}
process.exitCode = 0;
real(JSON.stringify(ran));
