#!/usr/bin/env bash
# Builds the package from a tag, in a clone of its own: `npm run release v0.1.0`. What is not committed plays no part.
# Leaves aio-dca-bridge-VERSION.tgz and its SHA-256 in the folder from which it was called.
set -euo pipefail
tag=${1:?usage: npm run release TAG}
repository=$(cd "$(dirname "$0")" && pwd)
out=${INIT_CWD:-$PWD}

version=${tag#v}
[ "$tag" = "v$version" ] || { echo "release: $tag is no tag of a version: v0.1.0" >&2; exit 64; }
git -C "$repository" rev-parse --quiet --verify "refs/tags/$tag" >/dev/null || { echo "release: there is no tag $tag" >&2; exit 64; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -c advice.detachedHead=false clone --quiet --branch "$tag" "$repository" "$work/source"
cd "$work/source"
packaged=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
[ "$packaged" = "$version" ] || { echo "release: package.json of $tag says $packaged" >&2; exit 1; }
grep -q "^## \[$version\]" CHANGELOG.md || { echo "release: CHANGELOG.md has no section $version" >&2; exit 1; }

npm ci --silent --no-audit --no-fund
npm run --silent lint
npm run --silent typecheck
npm run --silent test:unit
bash test/pack.sh
npm pack --silent --pack-destination "$out" >/dev/null
cd "$out"
sha256sum "aio-dca-bridge-$version.tgz" | tee "aio-dca-bridge-$version.tgz.sha256"
