#!/usr/bin/env bash
# Be a node of the cluster, in namespaces of its own:
# node.sh NODE CLUSTER'S_FOLDER HOW_TO_MOUNT SHARED_FOLDER THIS_REPOSITORY
set -e
node=$1 cluster=$2 mount=$3 shared=$4 repository=$5 root=$2/$1/root
hostname "$node"
echo "${node#node}0000" > /proc/sys/kernel/ns_last_pid  # no process number is on both nodes
mount --bind "$cluster/hosts" /etc/hosts
# /tmp and /var/tmp are empty but for what is in them and needed
mkdir -p "$root/tmp" "$root/var/tmp" "$root$cluster" "$root$repository" "$root$shared"
mount --rbind "$cluster" "$root$cluster"
mount --rbind "$repository" "$root$repository"
$mount "$shared" "$root$shared"
mount --rbind "$root/var/tmp" /var/tmp
mount --rbind "$root/tmp" /tmp
exec slurmd -D -N "$node"
