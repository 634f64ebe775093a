import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** The least that a configuration says. */
export const MINIMAL = `timezone = "America/Guatemala"
[lamassu]
start_at = "2026-11-01T00:00:00-06:00"
[lnbits]
url = "https://lnbits.example.org"
`;

/** A folder of the running test, and the configuration in it. */
export let directory: string;
export let file: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'aio-dca-config-')));
  file = join(directory, 'config.toml');
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Writes a file of that folder. */
export const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
