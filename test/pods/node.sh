#!/bin/sh
# The one node that the pods run on: namespaces of network, processes and mounts that belong to this run. Called as
# their first process by `unshare`; what it makes is gone with it, and no packet leaves it.
set -eu
mkdir -p /run/netns
mount -t tmpfs -o mode=755 none /run/netns
ip link set lo up
# An address of its own: otherwise the bridge takes a pod's, and another one when that pod is gone.
ip link add pods address 02:00:0a:58:00:01 type bridge
ip address add 10.88.0.1/16 dev pods
ip address add 2001:db8:88::1/64 dev pods nodad
ip link set pods up
# Not exec: the shell stays the first process, which collects what others leave behind.
status=0
"$@" || status=$?
exit "$status"
