# SPDX-License-Identifier: MIT
# A booted Debian for tests: a root that is made once, an overlay that each guest writes to, systemd as its PID 1.
#
# guest_boot, guest COMMAND…, guest_stop. Root only. The guest sees no network but its own loopback; what it needs is
# put into its root before it boots (guest_satisfy).

guest_suite=${GUEST_SUITE:-bookworm}
guest_roots=$root/build/roots

# Why no guest can be booted here; empty: one can.
guest_hindrance()
{
    [ "$(id -u)" = 0 ] || { echo 'needs root' && return; }
    [ -d /sys/fs/cgroup/systemd ] || [ -e /sys/fs/cgroup/cgroup.controllers ] || echo 'no cgroups are mounted'
}

# The root that all guests share, unpacked; made with the machine's own mirror, proxies and certificates.
guest_make_root()
{
    local pristine=$guest_roots/$guest_suite host mirror
    [ ! -e "$pristine/made" ] || return 0
    host=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $host" | head -n 1)
    rm -rf "$pristine"
    mkdir -p "$pristine"
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,procps,iproute2,ca-certificates,curl,jq \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$guest_suite" "$pristine/root" "$mirror" \
        >"$pristine/log" 2>&1 || { tail -n 20 "$pristine/log" >&2 && return 1; }
    "$root/scripts/carry-apt" "$pristine/root" "$host" "$guest_suite"
    rm -f "$pristine/root/usr/sbin/policy-rc.d"
    : >"$pristine/root/etc/machine-id"
    touch "$pristine/made"
}

# Runs a command in the shared root, with the machine's network: for what guests need installed.
guest_prepare()
{
    local environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
    local name
    for name in $(compgen -e | grep -iE '^(https?|ftp|no)_proxy$'); do
        environment+=("$name=${!name}")
    done
    unshare --mount --pid --fork --mount-proc --propagation private sh -c '
        root=$1
        shift
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        mount -t sysfs sysfs "$root/sys"
        mount -t tmpfs tmpfs "$root/tmp"
        mount -t tmpfs tmpfs "$root/run"
        exec chroot "$root" env -i "$@"' sh "$guest_roots/$guest_suite/root" "${environment[@]}" "$@"
}

# guest_satisfy DEB…: what these packages depend on, but for each other, is installed in the shared root.
guest_satisfy()
{
    local deb dependencies
    dependencies=$(for deb; do
        dpkg-deb -f "$deb" Depends
        dpkg-deb -f "$deb" Pre-Depends
    done | tr ',' '\n' | grep -vE '^ *(reeve.*)?$' | sort -u | paste -sd,)
    guest_prepare apt-get -qq update
    guest_prepare apt-get -qq -o DPkg::Lock::Timeout=600 satisfy -y --no-install-recommends "$dependencies" >/dev/null
}

# guest_boot NAME DIRECTORY: boots on an overlay in DIRECTORY (which stays for the next boot) and waits until it is up.
# Sets guest_pid to its PID 1. DIRECTORY/host is /host inside.
guest_boot()
{
    local name=$1 directory=$2 hierarchy
    mkdir -p "$directory/upper" "$directory/work" "$directory/root" "$directory/host"
    (
        for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
            [ -d "$hierarchy" ] || continue
            mkdir -p "$hierarchy/$name"
            echo "$BASHPID" >"$hierarchy/$name/cgroup.procs"
        done
        exec unshare --mount --propagation private sh -c '
            mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root" &&
                SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet -b -D "$2/root" -M "$3" --register=no \
                    --keep-unit --console=pipe --link-journal=no --resolv-conf=off --timezone=off --private-network \
                    --bind="$2/host:/host"' sh "$guest_roots/$guest_suite/root" "$directory" "$name"
    ) >>"$directory/console" 2>&1 3>&- </dev/null &
    guest_nspawn=$!
    guest_directory=$directory guest_name=$name
    wait_for 60 guest_is_up || {
        tail -n 40 "$directory/console"
        return 1
    }
}

# The guest's PID 1 is a descendant of nspawn's, the first that has a root of its own where systemd runs.
guest_is_up()
{
    local pid
    guest_pid=
    for pid in $(descendants_of "$guest_nspawn"); do
        [ ! -e "/proc/$pid/root/run/systemd/private" ] || [ -n "$guest_pid" ] || guest_pid=$pid
    done
    [ -n "$guest_pid" ] && guest timeout 30 systemctl is-system-running --wait | grep -qE 'running|degraded'
}

# guest COMMAND…: inside, as root.
guest()
{
    nsenter -t "$guest_pid" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@" </dev/null
}

# Shuts it down; what it wrote stays in its directory.
guest_stop()
{
    [ -n "${guest_nspawn:-}" ] || return 0
    kill -TERM "$guest_nspawn" 2>/dev/null || true
    wait_for 30 is_gone "$guest_nspawn" || kill -KILL "$guest_nspawn"
    wait "$guest_nspawn" 2>/dev/null || true
    guest_nspawn= guest_pid=
    for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        find "$hierarchy/$guest_name" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
}
