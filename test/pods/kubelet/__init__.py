"""A small, strict kubelet: runs the pods of synthesized charts as processes of this machine.

Why not `podman kube play` (tried: 4.3.1, Debian 12's): it takes fields that it does not know without a
word, drops startup and readiness probes over HTTP and terminationGracePeriodSeconds, knows no fieldRef to
metadata.namespace, reads no Secret with `stringData`, crashes on a Secret volume without `optional`, and
starts no container on a machine without CAP_SYS_RESOURCE. A test on it would pass by luck, or not at all.

Here a field that is neither honoured nor on a list of harmless ones, with the reason, is an error.

    fields.py       asks for every field of a mapping, refuses those that nobody asked for
    template.py     a pod template as values
    environment.py  env, references, $(VAR)
    volumes.py      volumes as folders, with owners and modes as the kubelet makes them
    sandbox.py      the mount, process and user side of a container
    container.py    a container that runs
    probes.py       startup, liveness, readiness
    pod.py          init containers, containers, termination
    kubernetes.py   objects, workloads, claims, names and addresses
"""
