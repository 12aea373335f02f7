#!/bin/sh
# Becomes systemd, PID 1 of a room of its own: tests/it/systemd/room.rs calls it with new mount, pid, network, uts, ipc
# and cgroup namespaces around it. Whatever could be written is a tmpfs that ends with the room, and the root file
# system is read-only: units of the system (systemd-tmpfiles, which empties /tmp, above all) are not even seen.
set -eu
box=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 room /run
mkdir -p /run/box /run/etc
mount --bind "$box" /run/box
cp -a /etc/. /run/etc/
mount --bind /run/etc /etc
for dir in /tmp /var/tmp; do mount -t tmpfs -o mode=1777 room "$dir"; done
for dir in /var/lib /var/log /usr/local/bin; do mount -t tmpfs -o mode=755 room "$dir"; done
touch /usr/local/bin/grace
mount --bind /run/box/grace /usr/local/bin/grace
echo 'grace:x:990:990:Grace:/nonexistent:/usr/sbin/nologin' >> /etc/passwd
echo 'grace:x:990:' >> /etc/group
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 room /sys/fs/cgroup
mount -o remount,bind,ro /
mount -t proc room /proc
hostname room
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=room \
    SYSTEMD_UNIT_PATH=/run/box/units SYSTEMD_GENERATOR_PATH=/run/none \
    /lib/systemd/systemd --unit=room.target --log-target=null --show-status=0
