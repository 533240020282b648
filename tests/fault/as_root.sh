#!/bin/sh
# Becomes a command as somebody who may make networks and mounts: root, or root of namespaces of its own.
#
#     tests/fault/as_root.sh COMMAND [ARGS]
set -eu
[ "$(id -u)" != 0 ] || exec "$@"
exec unshare --user --map-root-user --mount --net sh -c 'ip link set lo up && mount -t tmpfs tmpfs /run && exec "$@"' sh "$@"
