import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notDone, type Packed, pack, typePages, whyNoOwnRoot } from './support/own-root/own-root.ts';
import { BY_HAND } from './support/own-root/pages.ts';

/* The commands of docs/, typed as they stand there: an installation by hand, then what its operator does with it. */

const why = whyNoOwnRoot();
if (why !== undefined) console.warn(`The commands of docs/ are NOT tried: ${why}.`);

describe.skipIf(why !== undefined)(`in a root of its own${why === undefined ? '' : ` (${why})`}`, () => {
  let packed: Packed;
  beforeAll(() => {
    packed = pack();
  });
  afterAll(() => packed.remove());

  test('docs/install.md, by hand, ends where init does; the other pages do what they say there', async () => {
    const { typed, files, service, paidSats, drilled } = await typePages(BY_HAND, packed.tarball, {
      drills: true,
    });
    expect(notDone(typed)).toEqual([]);
    expect(typed.at(-1)?.command).toMatch(/^sudo systemctl enable/);
    expect({ service: service.code, paidSats }).toEqual({ service: 0, paidSats: 363_155 });
    expect(files).toEqual(
      expect.arrayContaining([
        '/etc/aio-dca 1770 root aio-dca',
        '/etc/aio-dca/config.toml 640 root aio-dca',
        '/etc/aio-dca/id_ed25519 600 aio-dca aio-dca',
        '/etc/aio-dca/source.adminkey 600 aio-dca aio-dca',
        '/var/lib/aio-dca/ledger.sqlite 600 aio-dca aio-dca',
      ]),
    );
    expect(drilled.filter(({ code, ends }) => code !== ends)).toEqual([]);
    // Where a page shows an error, it is that one.
    const codes = (text: string) => text.match(/\b[a-z]+\/[a-z-]+(?=: )/g) ?? [];
    expect(
      drilled.filter(({ shown, printed }) => codes(shown.join('\n')).some((code) => !printed.includes(code))),
    ).toEqual([]);
  }, 600_000);
});
