#!/usr/bin/env bash
# A Debian to boot, with systemd, sudo and Debian's mail server, for test/contrib.booted.system.test.ts.
# Usage: bash test/install-debian.sh DIR [SUITE]; then AIO_DCA_DEBIAN=DIR in the environment.
# The last line says why it is impossible here, if it is.
set -euo pipefail
into=$1
suite=${2:-bookworm}

impossible() {
  echo "$1"
  exit 1
}
[ "$(id -u)" = 0 ] || impossible 'only root can boot a container'
command -v systemd-nspawn >/dev/null || impossible 'systemd-nspawn is absent (apt-get install systemd-container)'
command -v mmdebstrap >/dev/null || impossible 'mmdebstrap is absent (apt-get install mmdebstrap)'
# Before anything is fetched.
unshare --mount --propagation private sh -c 'mount -t cgroup2 none /mnt && mount -t tmpfs none /mnt' ||
  impossible 'a cgroup2 or a tmpfs cannot be mounted'

boots() {
  timeout 60 unshare --mount --propagation private bash "$(dirname "$0")/boot-debian.sh" \
    "$into" aio-dca-try /bin/true systemd.unit=poweroff.target || impossible 'a container does not boot'
}
if [ -e "$into/etc/debian_version" ]; then
  boots
  exit 0
fi

mkdir -p "$(dirname "$into")"
mmdebstrap --quiet --variant=apt --include=systemd,systemd-sysv,dbus,sudo,exim4-daemon-light,bsd-mailx \
  "$suite" "$into.new.tar" || impossible "Debian $suite could not be fetched"
rm -rf "$into.new"
mkdir "$into.new"
tar -C "$into.new" -xf "$into.new.tar"
rm "$into.new.tar"
mv "$into.new" "$into"
boots
