#!/usr/bin/env bash
# Boots the units of contrib/ under a systemd of their own, in a container of Debian: npm run test:systemd [-- SUITE].
# Where that is impossible it says why, and nothing fails. The Debian is kept in node_modules/.cache.
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:-bookworm}
cache=node_modules/.cache/aio-dca-debian
mkdir -p "$cache"
export AIO_DCA_DEBIAN=${AIO_DCA_DEBIAN:-$(realpath "$cache")/$suite}
if ! bash test/install-debian.sh "$AIO_DCA_DEBIAN" "$suite" >"$cache/log" 2>&1; then
  echo "test:systemd: SKIPPED: $(tail -1 "$cache/log")"
  exit 0
fi
exec node_modules/.bin/vitest run --project system test/contrib.booted.system.test.ts
