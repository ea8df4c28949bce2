#!/bin/sh
# run-in-root.sh ROOT DATA USER COMMAND...: runs COMMAND as USER inside ROOT, with DATA at /srv.
# It is process 1 of namespaces of its own: mounts, processes and shared memory vanish when it ends.
set -eu
root=$1 data=$2 user=$3
shift 3
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs -o "$SHARED_MEMORY" tmpfs "$root/dev/shm"
mount --bind "$data" "$root/srv"
chroot "$root" chown "$user:" /srv
chroot "$root" setpriv --reuid="$user" --regid="$user" --init-groups -- "$@" &
wait $!
