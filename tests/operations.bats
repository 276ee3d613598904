#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What operations do, held against what this host itself says.

load lib

setup_file()
{
    export REEVE_TEST_SECRET=must-not-leak
    start_reeve
}

teardown_file()
{
    clean_up
}

# near A B PERCENT: numbers that other programs change meanwhile.
near()
{
    local difference=$(($1 > $2 ? $1 - $2 : $2 - $1))
    [ $((difference * 100)) -le $(($2 * $3)) ] || {
        echo "$1 is not within $3 % of $2"
        return 1
    }
}

# exec_of COMMAND [ARG…], shell_of LINE [TIMEOUT]: the reply's only result in body.
exec_of()
{
    api POST /node/_any/command/exec "$(jq -nc '{command: $ARGS.positional[0], args: $ARGS.positional[1:]}' --args -- "$@")"
    answers 202
    body=$(member '.results[0]')
}

shell_of()
{
    api POST /node/_any/command/shell "$(jq -nc --arg c "$1" --argjson t "${2:-30}" '{command: $c, timeout: $t}')"
}

# ---- reading ----

@test "hostname is the host's own" {
    api GET /node/_any/hostname
    answers 200
    has '.results[0] | .hostname, .status, .changed' "$(printf '%s\nok\nfalse' "$(hostname)")"
}

@test "disk agrees with df for every mount it shows" {
    api GET /node/_any/disk
    answers 200
    holds '.results[0].disks | any(.name == "/")'
    while read -r name total used free; do
        read -r df_total df_used df_free < <(df -B1 --output=size,used,avail "$name" | tail -n 1)
        [ "$total" = "$df_total" ]
        near "$used" "$df_used" 2
        near "$free" "$df_free" 2
    done < <(member '.results[0].disks[] | "\(.name) \(.total) \(.used) \(.free)"')
}

@test "disk shows no file system without a device of its own" {
    api GET /node/_any/disk
    holds '.results[0].disks | all(.fstype | IN("proc", "sysfs", "tmpfs", "devtmpfs", "cgroup", "cgroup2", "devpts") | not)'
    holds '.results[0].disks | length == ([.[].name] | unique | length)'
}

@test "memory agrees with /proc/meminfo" {
    kib()
    {
        awk -v name="$1:" '$1 == name { printf "%.0f", $2 * 1024 }' /proc/meminfo
    }
    api GET /node/_any/memory
    answers 200
    has '.results[0].memory.total' "$(kib MemTotal)"
    near "$(member '.results[0].memory.free')" "$(kib MemFree)" 20
    near "$(member '.results[0].memory.available')" "$(kib MemAvailable)" 20
    holds '.results[0].memory | .used == .total - .available'
}

@test "load agrees with /proc/loadavg" {
    read -r _ _ fifteen _ </proc/loadavg
    api GET /node/_any/load
    answers 200
    holds ".results[0].load_average | (.[\"15min\"] - $fifteen | fabs) < 0.5"
    holds '.results[0].load_average | keys == ["15min", "1min", "5min"]'
}

@test "os agrees with os-release" {
    . /etc/os-release
    api GET /node/_any/os
    answers 200
    has '.results[0].os_info.distribution' "$ID"
    holds ".results[0].os_info.version | startswith(\"$VERSION_ID\")"
}

@test "uptime agrees with /proc/uptime" {
    api GET /node/_any/uptime
    answers 200
    seconds=$(member '.results[0].uptime' | sed -E 's/([0-9]+)h/\1*3600+/; s/([0-9]+)m/\1*60+/; s/s$//')
    read -r up _ </proc/uptime
    [ $((seconds - ${up%.*})) -ge -3 ] && [ $((seconds - ${up%.*})) -le 3 ]
}

@test "status shows all parts at once" {
    api GET "/node/$(hostname)"
    answers 200
    holds '.results[0] | (.uptime | test("minute|hour|day")) and .memory.total > 0 and (.disks | length > 0) and .load_average["1min"] >= 0 and .os_info.distribution != "" and (has("missing") | not)'
}

@test "the agent is shown with what its host is" {
    api GET /agent
    answers 200
    has .total 1
    api GET "/agent/$(hostname)"
    answers 200
    has .status Ready
    has .machine_id "$(machine_id)"
    has .kernel_version "$(uname -r)"
    has .architecture "$(uname -m)"
    has .cpu_count "$(getconf _NPROCESSORS_ONLN)"
    holds '.memory.total > 0 and .os_info.distribution != "" and (.conditions | length) == 3'
    api GET "/agent/$(machine_id)"
    has .hostname "$(hostname)"
    api GET /agent/nobody
    refused 404
}

# ---- running programs ----

@test "arguments arrive as they were sent" {
    exec_of printf '[%s]' 'two words' $'a\nb' '' '$HOME `id` "x" '"'y'" '*' '-n' 'é漢🐧' '\' ';ls'
    has .stdout $'[two words][a\nb][][$HOME `id` "x" \'y\'][*][-n][é漢🐧][\\][;ls]'
    has '.exit_code, .stderr, .changed' $'0\n\ntrue'
}

@test "a shell line is one argument of sh" {
    shell_of 'x="a  b"; printf "%s|%s" "$x" "$0"; echo oops >&2; exit 3'
    answers 202
    has '.results[0] | .stdout, .stderr, .exit_code, .status' $'a  b|/bin/sh\noops\n\n3\nok'
}

@test "exit statuses are told" {
    for code in 0 1 42 126 255; do
        exec_of sh -c "exit $code"
        has .exit_code "$code"
    done
}

@test "the signal that ended a program is named" {
    exec_of sh -c 'kill -TERM $$'
    has '.exit_code, .signal' $'-1\nSIGTERM'
    exec_of sh -c 'kill -SEGV $$'
    has .signal SIGSEGV
}

@test "a program that is not there fails with the reason" {
    api POST /node/_any/command/exec '{"command":"no-such-program"}'
    refused 500
    holds '.error | contains("no-such-program") and contains("No such file")'
    api POST /node/_any/command/exec '{"command":"true","cwd":"/no/such/place"}'
    refused 500
    holds '.error | contains("/no/such/place")'
}

@test "a program starts in / or where it was told" {
    exec_of pwd
    has .stdout '/'
    api POST /node/_any/command/shell '{"command":"pwd","cwd":"/usr/lib"}'
    has '.results[0].stdout' /usr/lib
}

@test "time that is up kills the program and all its children" {
    unique_sleep
    from=$SECONDS
    shell_of "$nap & (setsid -w true; $nap) & echo before; $nap" 1
    refused 500
    has .reason timeout
    [ $((SECONDS - from)) -le 5 ]
    holds '.error | contains("timed out")'
    runs_no_more "$nap"
    api GET "/job/$(member .job_id)"
    has .status failed
}

@test "a child that keeps the output open neither holds the answer nor stays" {
    unique_sleep
    from=$SECONDS
    shell_of "$nap & echo parent"
    answers 202
    has '.results[0].stdout' parent
    [ $((SECONDS - from)) -le 4 ]
    wait_for 3 runs_no_more "$nap"
}

@test "cancelling kills the program and all its children" {
    unique_sleep
    submit_shell "$nap & $nap"
    wait_for 5 runs "$nap"
    api POST "/job/$job/cancel"
    answers 200
    wait_for 5 runs_no_more "$nap"
    wait_for 5 job_is "$job" failed
}

@test "output beyond the cap is cut and marked" {
    shell_of 'head -c 5000000 /dev/zero | tr "\0" x; echo end >&2'
    answers 202
    holds '.results[0] | .truncated == true and (.stdout | length) == 1048576 and .stderr == "end\n"'
    exec_of echo short
    holds '(has("truncated") | not)'
}

@test "output that is no text is marked and made harmless" {
    exec_of printf 'a\377b'
    has '.stdout, .encoding' $'a\xef\xbf\xbdb\nbinary'
    exec_of printf 'caf\303\251'
    has .stdout café
    holds '(has("encoding") | not)'
}

@test "a program gets a clean environment" {
    exec_of env
    holds '.stdout | contains("REEVE") or contains("must-not-leak") or contains("BATS") | not'
    holds '.stdout | contains("PATH=/usr/local/sbin:")'
}

@test "a program inherits no descriptor and reads nothing" {
    exec_of ls /proc/self/fd
    has .stdout $'0\n1\n2\n3'
    exec_of cat
    has '.stdout, .exit_code' $'\n0'
}

@test "a program has default signals and a process group of its own" {
    exec_of sh -c 'grep -E "^Sig(Ign|Blk)" /proc/self/status; ps -o pid=,pgid= -p $$'
    holds '.stdout | test("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000")'
    holds '.stdout | split("\n")[2] | [scan("[0-9]+")] | .[0] == .[1]'
}

@test "commands run side by side" {
    from=$SECONDS
    for _ in 1 2 3 4; do submit_shell 'sleep 1'; done
    wait_for 5 job_is "$job" completed
    [ $((SECONDS - from)) -le 3 ]
}
