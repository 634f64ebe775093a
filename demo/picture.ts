import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/*
 * `npm run picture`: the demo's output on stdin becomes docs/demo.svg, and the same lines as text in README.md: the run
 * that is killed, who got what, and the books. It writes nothing if the demo did not come to its end.
 */

const COLUMNS = 80;
const CELL = { width: 8.4, height: 18 };
const MARGIN = 16;

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const PICTURE = fileURLToPath(new URL('../docs/demo.svg', import.meta.url));

const lines = excerpt((await text(process.stdin)).trimEnd().split('\n'));
const readme = readFileSync(README, 'utf8');
const sample = /(?<=```console\n)\$ npm ci && npm run demo\n.*?(?=\n```)/s;
if (!sample.test(readme)) throw new Error('README.md has no sample of the demo');
writeFileSync(
  README,
  readme.replace(sample, () => lines.join('\n')),
);
writeFileSync(PICTURE, drawn(lines));

/** From the run that is killed to the table of who got what, and from `verify` to the end. */
function excerpt(printed: string[]): string[] {
  const at = (what: RegExp) => {
    const found = printed.findIndex((line) => what.test(line));
    if (found < 0) throw new Error(`the demo did not print ${what}`);
    return found;
  };
  at(/^│ paid twice +│ +0 │$/);
  return [
    '$ npm ci && npm run demo',
    '…',
    ...printed.slice(at(/^Killed /) - 1, at(/^Not paid automatically/) - 1),
    '…',
    ...printed.slice(at(/^\$ aio-dca verify$/)),
  ];
}

/** The lines as an SVG that asks nothing of another place, in the reader's colours: light or dark. */
function drawn(shown: string[]): string {
  const wide = shown.find((line) => line.length > COLUMNS);
  if (wide !== undefined) throw new Error(`wider than ${COLUMNS} columns: ${wide}`);
  const width = COLUMNS * CELL.width + 2 * MARGIN;
  const height = shown.length * CELL.height + 2 * MARGIN;
  const rows = shown.map((line, row) => {
    const y = MARGIN + (row + 0.75) * CELL.height;
    // Each line gets its length, so that tables are straight in every font.
    const length = (line.length * CELL.width).toFixed(1);
    const command = line.startsWith('$ ') ? ' class="command"' : '';
    return `<text x="${MARGIN}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${command} xml:space="preserve">${escaped(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The demo: a run is killed while it pays, the next one goes on, nothing is lost or paid twice</title>
<style>
rect { fill: #f6f8fa; stroke: #d0d7de; }
text { fill: #1f2328; font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }
.command { fill: #0550ae; font-weight: bold; }
@media (prefers-color-scheme: dark) {
  rect { fill: #0d1117; stroke: #30363d; }
  text { fill: #e6edf3; }
  .command { fill: #79c0ff; }
}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>
${rows.filter((_, row) => shown[row] !== '').join('\n')}
</svg>
`;
}

function escaped(line: string): string {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
