#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian packages on a booted Debian: installed, used, killed, upgraded, rebooted, removed and purged.
#
# The tests are one story and follow each other on one guest.
bats_require_minimum_version 1.5.0
load lib
load guest

debs=$root/build/deb

setup_file()
{
    local hindrance
    hindrance=$(guest_hindrance)
    if [ -n "$hindrance" ]; then
        echo "$hindrance" >"$BATS_FILE_TMPDIR/hindrance"
        return
    fi
    "$root/scripts/packages" guest
    version=$(sed -nE "s/^  version: '([^']*)',$/\1/p" "$root/meson.build")
    "$root/scripts/deb" "$version" >"$BATS_FILE_TMPDIR/deb.log" 2>&1 || { cat "$BATS_FILE_TMPDIR/deb.log" && return 1; }
    "$root/scripts/deb" "$version+next" >>"$BATS_FILE_TMPDIR/deb.log" 2>&1
    guest_make_root
    guest_satisfy "$debs/$version"/reeve{,-controller,-agent}_*.deb
    export version
    make_scratch
    mkdir -p "$scratch/guest/host"
    for name in reeve reeve-controller reeve-agent; do
        cp "$debs/$version/${name}_${version}"_*.deb "$debs/$version+next/${name}_$version+next"_*.deb "$scratch/guest/host/"
    done
    boot
}

setup()
{
    [ ! -e "$BATS_FILE_TMPDIR/hindrance" ] || skip "$(cat "$BATS_FILE_TMPDIR/hindrance")"
    read -r guest_nspawn guest_pid <"$BATS_FILE_TMPDIR/guest"
}

teardown_file()
{
    [ -e "$BATS_FILE_TMPDIR/guest" ] || return 0
    read -r guest_nspawn guest_pid <"$BATS_FILE_TMPDIR/guest"
    guest_name=reeve-package-$$
    guest_stop
    rm -rf "$scratch"
}

boot()
{
    guest_boot "reeve-package-$$" "$scratch/guest"
    echo "$guest_nspawn $guest_pid" >"$BATS_FILE_TMPDIR/guest"
}

# Both units are up, and the agent is heard.
both_work()
{
    guest systemctl is-active --quiet reeve-controller reeve-agent && guest reeve node hostname --target _any
}

main_pid()
{
    guest systemctl show -P MainPID "reeve-$1"
}

total()
{
    guest reeve job list --json | jq .total_items
}

@test "the packages are clean in lintian's eyes" {
    ! grep -E '^[EW]:' "$BATS_FILE_TMPDIR/deb.log"
}

@test "installed, both programs run and work together" {
    guest sh -c "dpkg -i /host/reeve_$version""_*.deb /host/reeve-controller_$version""_*.deb /host/reeve-agent_$version""_*.deb"
    wait_for 20 both_work
    run -0 guest reeve node command exec --target _any --command hostname
    [[ $output == *'1 ok'* ]]
    run -0 guest reeve doctor
    [[ $output =~ ok\ +controller\ +http://127.0.0.1:8080\ is\ ready ]]
    [[ $output =~ ok\ +agents\ +1\ ready ]]
    [ "$(guest curl -sS http://127.0.0.1:9090/metrics | grep -c '^reeve_jobs{')" -ge 6 ]
}

@test "the controller has no rights to speak of" {
    status=$(guest cat "/proc/$(main_pid controller)/status")
    [ "$(awk '/^Uid:/ {print $2, $3, $4, $5}' <<<"$status" | tr ' ' '\n' | sort -u)" = "$(guest id -u reeve)" ]
    [ "$(guest id -u reeve)" != 0 ]
    for set in CapInh CapPrm CapEff CapBnd CapAmb; do
        grep -qE "^$set:\s+0000000000000000$" <<<"$status"
    done
    grep -qE '^NoNewPrivs:\s+1$' <<<"$status"
    grep -qE '^Seccomp:\s+2$' <<<"$status"
    level=$(guest systemd-analyze security --no-pager reeve-controller | sed -nE 's/.*Overall exposure level for .*: ([0-9.]+) .*/\1/p')
    echo "systemd-analyze security: controller $level"
    [ "$(jq -n "$level <= 2.0")" = true ]
    # What it holds is nobody else's.
    [ "$(guest stat -c '%a %U' /var/lib/reeve/controller)" = '700 reeve' ]
    [ "$(guest stat -c '%a %U' /var/lib/reeve/agent)" = '700 root' ]
    [ "$(guest stat -c '%a %U' /run/reeve/agent.sock)" = '600 reeve' ]
}

@test "a root command through Reeve can't write the host's own word, the agent or its units" {
    for path in /etc/reeve/agent.yaml /etc/reeve/new /usr/bin/reeve-agent /usr/bin/reeve-controller \
        /lib/systemd/system/reeve-agent.service; do
        before=$(guest sha256sum "$path" || true)
        run --separate-stderr guest reeve node command exec --target _any --command cp --json -- --remove-destination /bin/true "$path"
        [ "$(jq '.results[0].exit_code' <<<"$output")" = 1 ]
        [[ $(jq -r '.results[0].stderr' <<<"$output") =~ 'Read-only file system'|'Device or resource busy' ]]
        [ "$(guest sha256sum "$path" || true)" = "$before" ]
    done
    # It is root all the same.
    run -0 guest reeve node command shell --target _any --command 'id -u; touch /etc/written-by-a-run'
    guest test -e /etc/written-by-a-run
}

@test "what runs leaves its line in the journal" {
    id=$(guest reeve node command exec --target _any --command true --json | jq -r .job_id)
    wait_for 10 guest sh -c "journalctl -t reeve-agent --no-pager | grep -q 'run.begins job=$id run=0 operation=command.exec.execute user=\"admin\"'"
}

@test "whoever is killed is started again, and nothing it had started goes on" {
    guest reeve node command shell --target _any --command 'sleep 1234' --wait 0s
    wait_for 10 guest pgrep -fx 'sleep 1234'
    for program in agent controller; do
        old=$(main_pid "$program")
        guest kill -KILL "$old"
        wait_for 15 both_work
        [ "$(main_pid "$program")" != "$old" ]
    done
    ! guest pgrep -fx 'sleep 1234'
}

@test "a changed policy follows a reload of the unit" {
    echo 'deny: [command.*]' >>"/proc/$guest_pid/root/etc/reeve/agent.yaml"
    guest systemctl reload reeve-agent
    wait_for 10 guest sh -c '! reeve node command exec --target _any --command true'
    sed -i '$d' "/proc/$guest_pid/root/etc/reeve/agent.yaml"
    guest systemctl reload reeve-agent
    wait_for 10 guest reeve node command exec --target _any --command true
}

@test "an upgrade keeps every job, also those that run meanwhile" {
    before=$(total)
    guest reeve node command shell --target _any --command 'sleep 3; echo done >/tmp/during' --wait 0s
    guest sh -c "dpkg --force-confold -i /host/reeve*_$version+next_*.deb"
    wait_for 20 both_work
    [ "$(guest reeve version --json | jq -r .version)" = "$version+next" ]
    [ "$(total)" -gt "$before" ]
    wait_for 15 guest sh -c 'reeve job list --json --limit 100 | jq -e ".status_counts | .submitted + .processing == 0"'
    guest reeve ledger check
    [[ $(guest cat /etc/reeve/reeve.yaml) == *'bus: unix:/run/reeve/agent.sock'* ]]
}

@test "after a reboot both come up with what they had" {
    before=$(total)
    guest_name=reeve-package-$$ guest_stop
    boot
    wait_for 30 both_work
    [ "$(total)" -ge "$before" ]
}

@test "removed, the state stays; purged, nothing does" {
    guest dpkg --remove reeve reeve-controller reeve-agent
    refute guest pgrep -f reeve-
    guest test -d /var/lib/reeve/controller/ledger
    guest test -e /etc/reeve/agent.yaml
    guest dpkg --purge reeve reeve-controller reeve-agent
    for path in /etc/reeve /var/lib/reeve /usr/bin/reeve-agent; do
        refute guest test -e "$path"
    done
    guest id reeve
}
