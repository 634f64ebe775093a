#!/usr/bin/env bash
# Boots a copy of the Debian in a folder: ROOT NAME NODE [ARGUMENT OF SYSTEMD…], in a mount namespace of its own:
# cgroup2 where systemd looks for it, and what is written goes into memory, so that the folder stays as it was. The
# network is this host's. NODE is there as /usr/local/bin/node.
set -euo pipefail
root=$1 name=$2 node=$3
shift 3
umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" none /mnt/root
mkdir -p /run/systemd/system
exec systemd-nspawn --quiet --boot --directory=/mnt/root --machine="$name" --bind-ro="$node":/usr/local/bin/node \
  --register=no --keep-unit --console=pipe --link-journal=no "$@"
