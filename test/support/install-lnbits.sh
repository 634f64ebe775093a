#!/bin/sh
# Installs the oldest and the newest LNbits that the bridge supports, each into a virtual environment of its own:
#   test/support/install-lnbits.sh DIR && AIO_DCA_LNBITS_VENVS=DIR npm test
set -eu

dir=${1:?usage: install-lnbits.sh DIR}
python=${PYTHON:-python3.11} # LNbits runs on Python 3.10 to 3.12
mkdir -p "$dir"

for version in 1.0.0 1.6.2; do
  venv=$dir/$version
  [ -e "$venv/installed" ] && continue
  rm -rf "$venv"
  "$python" -m venv "$venv"
  # LNbits does not start with bitstring 5: it imports ConstBitStream, which is gone there.
  "$venv/bin/pip" install --quiet --disable-pip-version-check "lnbits==$version" "bitstring<5"
  touch "$venv/installed"
done
