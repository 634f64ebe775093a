#!/bin/sh
# The user of the services, its folders, the units, and a place where the documentation is found. As root, once, and
# again after an upgrade; it starts nothing.
set -e
cd "$(dirname "$0")/systemd"
install -D -m 644 aio-dca.sysusers.conf /etc/sysusers.d/aio-dca.conf
install -D -m 644 aio-dca.tmpfiles.conf /etc/tmpfiles.d/aio-dca.conf
install -D -m 644 -t /etc/systemd/system ./*.service ./*.timer
mkdir -p /usr/local/share/doc
ln -sfn "$(cd ../../docs && pwd -P)" /usr/local/share/doc/aio-dca-bridge
systemd-sysusers aio-dca.conf
systemd-tmpfiles --create aio-dca.conf
systemctl daemon-reload
