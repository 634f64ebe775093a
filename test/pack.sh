#!/usr/bin/env bash
# Proves that the published package works: packs it, installs the tarball into an empty folder, runs the command there.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'echo "pack: failed at line $LINENO: $BASH_COMMAND" >&2' ERR
node=$PWD/node_modules/.bin/node
version=$("$node" -p 'require("./package.json").version')

npm pack --silent --pack-destination "$work" >/dev/null
mkdir "$work/empty"
# Offline: the bundle has all that it needs.
npm install --offline --silent --no-audit --no-fund --prefix "$work/empty" "$work"/*.tgz
[ "$(ls "$work/empty/node_modules")" = aio-dca-bridge ]

command=$work/empty/node_modules/.bin/aio-dca
cd "$work/empty"
PATH=$(dirname "$node"):$PATH
[ "$("$command" --version)" = "$version" ]
"$command" --help | grep -q 'Usage: aio-dca'

# What the package brings beside the program, and what it must not bring.
cd node_modules/aio-dca-bridge
for file in config.example.toml CHANGELOG.md LICENSE package.json dist/THIRD-PARTY-LICENCES.txt; do [ -f "$file" ]; done
[ ! -e src ]
[ ! -e test ]

# Without any configuration the command says so, and exits as the manual says.
status=0
(cd "$work/empty" && env -u AIO_DCA_CONFIG "$command" --config "$work/none.toml" poll) 2>"$work/message" || status=$?
[ "$status" = 78 ]
grep -q 'config/missing' "$work/message"

echo "pack: aio-dca $version works from its tarball ($(du -k "$work"/*.tgz | cut -f1) KB)"
