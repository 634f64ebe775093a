#!/usr/bin/env bash
# Builds the package of a release from its tag, in a clone of its own: `npm run release`, or `npm run release v0.2.0`
# for another tag than that of package.json's version. Without an argument the checkout must be clean and at that tag.
# Leaves aio-dca-bridge-VERSION.tgz and its SHA-256 in the folder from which it was called.
set -euo pipefail
repository=$(cd "$(dirname "$0")" && pwd)
out=${INIT_CWD:-$PWD}

version_of() { sed -n 's/^  "version": "\(.*\)",$/\1/p' "$1/package.json"; }
refuse() { echo "release: $1" >&2; exit 64; }
tagged() { git -C "$repository" rev-parse --quiet --verify "refs/tags/$1^{commit}"; }

tag=${1:-v$(version_of "$repository")}
version=${tag#v}
[ "$tag" = "v$version" ] || refuse "$tag is no tag of a version, such as v0.2.0"
if [ $# = 0 ]; then
  changed=$(git -C "$repository" status --porcelain)
  [ -z "$changed" ] || refuse "commit these first, or name the tag to build (npm run release $tag):
$changed"
fi
commit=$(tagged "$tag") || refuse "there is no tag $tag yet. To make it: git tag -a $tag -m 'Version $version'"
[ $# -gt 0 ] || [ "$commit" = "$(git -C "$repository" rev-parse HEAD)" ] ||
  refuse "$tag is another commit than this one. Raise the version, or name the tag to build: npm run release $tag"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -c advice.detachedHead=false clone --quiet --branch "$tag" "$repository" "$work/source"
cd "$work/source"
packaged=$(version_of .)
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
