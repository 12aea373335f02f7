#!/bin/sh
# Installs, tries, removes and purges the package with the real dpkg, on a copy of this system that is thrown away: an
# overlay in memory, in mounts of its own. Usage, as root: install-and-remove.sh FILE.deb
set -eu
if [ "${2:-}" != inside ]; then
    exec unshare --mount --fork --pid --kill-child=KILL "$0" "$(realpath "$1")" inside
fi

room=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs room "$room"
mkdir "$room/changes" "$room/work" "$room/root"
mount -t overlay room -o "lowerdir=/,upperdir=$room/changes,workdir=$room/work" "$room/root"
cp "$1" "$room/root/grace.deb"
mount -t proc proc "$room/root/proc"
mount --bind /dev "$room/root/dev"

say() { printf -- '-- %s\n' "$1"; }
within() { chroot "$room/root" "$@"; }
there() { [ -e "$room/root$1" ] || { echo "missing: $1"; exit 1; }; }
gone() { [ ! -e "$room/root$1" ] || { echo "still there: $1"; exit 1; }; }

say "install: the user is made, nothing is enabled"
within dpkg --install /grace.deb
within getent passwd grace
for path in /usr/bin/grace /etc/grace/rules/database.toml /etc/grace/policies/system.toml; do there "$path"; done
if find "$room/root/etc/systemd" -name 'grace.service' | grep .; then echo "it is enabled"; exit 1; fi

say "the service's user reads the rules, tests them, and makes a tick"
within install -d -o grace -g grace -m 0700 /var/lib/grace
as_grace() { within setpriv --reuid grace --regid grace --clear-groups "$@"; }
as_grace grace validate --config /etc/grace
as_grace grace test --config /etc/grace
as_grace grace run --once --config /etc/grace --data /var/lib/grace

say "an upgrade keeps what was edited"
echo '# ours' >> "$room/root/etc/grace/policies/system.toml"
within dpkg --install /grace.deb
grep -q '# ours' "$room/root/etc/grace/policies/system.toml"

say "remove: the program goes, rules and journal stay"
within dpkg --remove grace
gone /usr/bin/grace
there /etc/grace/policies/system.toml
there /var/lib/grace/journal.db

say "purge: rules go, the journal stays"
within dpkg --purge grace
gone /etc/grace
there /var/lib/grace/journal.db
say "well"
