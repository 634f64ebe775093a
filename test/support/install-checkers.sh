#!/bin/sh
# Installs schemathesis and beancount, each of which a test asks for its judgement:
#   test/support/install-checkers.sh DIR && PATH=$PATH:DIR/bin npm test
set -eu

dir=${1:?usage: install-checkers.sh DIR}
[ -e "$dir/installed" ] && exit 0
rm -rf "$dir"
"${PYTHON:-python3.11}" -m venv "$dir"
"$dir/bin/pip" install --quiet --disable-pip-version-check "schemathesis==4.32.5" "beancount==3.2.3"
touch "$dir/installed"
