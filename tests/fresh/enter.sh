#!/bin/sh
# Runs a command as root inside a root folder, in mount and process namespaces of its own. No chroot: bubblewrap refuses to work
# in one ("No permissions to create new namespace"), but not behind pivot_root.
#   unshare --mount --pid --fork --kill-child sh enter.sh ROOT COMMAND
set -eu
root=$1
command=$2
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
cd "$root"
mkdir -p mnt
pivot_root . mnt
cd /
umount -l /mnt
exec /bin/sh -c "$command"
