# SPDX-License-Identifier: MIT
# What the tests across programs share: a running pair, requests to it, and waits that end.
#
# Programs are taken from REEVE_BUILD (default build). A file starts its pair in setup_file or setup and
# stops it in teardown_file or teardown; stopping fails when a process or a command is left behind.

root=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
export REEVE_BUILD=${REEVE_BUILD:-$root/build}
export REEVE_BUILD_PLAIN=${REEVE_BUILD_PLAIN:-$root/build}
reeve=$REEVE_BUILD/reeve
# Nothing of the tester's own set-up may lead a test elsewhere.
unset REEVE_URL REEVE_TOKEN REEVE_STATE REEVE_CA
export LC_ALL=C.UTF-8 no_proxy='*'
# Pairs run side by side.
export REEVE_METRICS_PORT=0

# A log that holds this is a failure.
sanitizer_words='ERROR: (Address|Leak|Thread)Sanitizer|runtime error:|Assertion .* failed'

# ---- waiting ----

# wait_for SECONDS COMMAND…: until the command succeeds; fails when it does not in time.
wait_for()
{
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$until" ]; then
            echo "waited in vain for: $*"
            return 1
        fi
        sleep 0.05
    done
}

# refute COMMAND…: fails when the command succeeds; a bare "!" does not fail a test unless it is its last line.
refute()
{
    if "$@"; then
        echo "not expected: $*"
        return 1
    fi
}

# exits STATUS COMMAND…: with output, and errors, kept apart.
exits()
{
    local want=$1
    shift
    run --separate-stderr "$@"
    [ "$status" = "$want" ] || {
        printf '%s: exit status %s, not %s\n%s\n%s\n' "$*" "$status" "$want" "$output" "$stderr"
        return 1
    }
}

# Also when nobody has collected its status yet.
is_gone()
{
    ! grep -qs '^State:[[:space:]][^Z]' "/proc/$1/status"
}

# ---- the pair ----

# Below the range from which the kernel takes ports for outgoing connections.
free_port()
{
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# A directory that the controller's user can pass through.
make_scratch()
{
    scratch=$(mktemp -d /tmp/reeve-test.XXXXXX)
    chmod 755 "$scratch"
    export scratch
}

# start_reeve [FLAG…]: a pair on a fresh state directory, or on $state when it is set; waits until the agent is ready.
# Sets supervisor, url, token, state and log.
start_reeve()
{
    [ -n "${scratch:-}" ] || make_scratch
    state=${state:-$scratch/state}
    port=${port:-$(free_port)}
    url=http://127.0.0.1:$port
    log=$scratch/log
    "${runner[@]}" "$reeve" start --state "$state" --port "$port" --log-level "${log_level:-info}" "$@" >>"$log" 2>&1 3>&- &
    supervisor=$!
    export supervisor url token state port log
    wait_for 20 has_begun_or_ended
    grep -q '^reeve: ready at' "$log" || {
        cat "$log"
        return 1
    }
    token=$(<"$state/token")
    url=$(<"$state/url")
    wait_for 10 agent_is_ready
}

has_begun_or_ended()
{
    grep -q '^reeve: ready at' "$log" || is_gone "$supervisor"
}

agent_is_ready()
{
    # Not jq -e: that is content with no input at all.
    [ "$(curl -sS -m 5 -H "Authorization: Bearer $token" "$url/agent" | jq '.agents | any(.status == "Ready")')" = true ]
}

children_of()
{
    cat "/proc/$1/task/$1/children" 2>/dev/null || true
}

# child controller|agent: its process id. By name, of which the kernel keeps 15 characters: what else /proc tells
# of the two is root's alone.
child()
{
    local pid name=reeve-$1
    for pid in $(children_of "$supervisor"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "${name:0:15}" ] || echo "$pid"
    done
}

# kill_child controller|agent: and waits until the supervisor has started it anew.
kill_child()
{
    local old
    old=$(child "$1")
    kill -KILL "$old"
    wait_for 10 is_another "$1" "$old"
    wait_for 10 agent_is_ready
}

is_another()
{
    local now
    now=$(child "$1")
    [ -n "$now" ] && [ "$now" != "$2" ]
}

descendants_of()
{
    local pid
    for pid in $(children_of "$1"); do
        echo "$pid"
        descendants_of "$pid"
    done
}

# Stops the pair; a failure when it does not end by itself, a part of it ends badly, or a process stays behind.
stop_reeve()
{
    local family pair left='' pid
    [ -n "${supervisor:-}" ] || return 0
    family=$(descendants_of "$supervisor")
    pair=$(children_of "$supervisor")
    kill -TERM "$supervisor" 2>/dev/null || true
    wait_for 20 is_gone "$supervisor" || left=" $supervisor"
    for pid in $family; do
        wait_for 2 is_gone "$pid" || left+=" $pid($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
    done
    for pid in $pair; do
        grep -q " child\.ended .* pid=$pid exit=0\$" "$log" || left+=" $pid(ended badly)"
    done
    [ -z "$left" ] || kill -KILL $supervisor $family 2>/dev/null
    supervisor=
    note_operations
    if [ -n "$left" ]; then
        echo "left behind:$left"
        return 1
    fi
    ! grep -E "$sanitizer_words" "$log"
}

# With stop_reeve, and removes what the test wrote. $scratch stays when something was wrong.
clean_up()
{
    stop_reeve || return 1
    rm -rf "$scratch"
    unset scratch state port
}

# clean_up_with_disk DIRECTORY: the same, where a test may have mounted a small disk: it goes before what it is mounted in.
clean_up_with_disk()
{
    local left=0
    stop_reeve || left=1
    ! mountpoint -q "$1" || umount "$1"
    clean_up || left=1
    return $left
}

# Which operations were answered with success, for the account that tests/programs keeps.
note_operations()
{
    [ -z "${REEVE_HITS:-}" ] || sed -nE 's/.* op=([a-zA-Z.]+) status=2[0-9]{2} .*/\1/p' "$log" | sort -u >>"$REEVE_HITS"
}

# What the agent takes for this machine's id: a machine without one gets it from its agent.
machine_id()
{
    cat /etc/machine-id 2>/dev/null || cat "$state/agent/machine-id"
}

# ---- an ordinary user ----

# Sets runner so that start_reeve and commands run as a user without rights; who is one already stays who it is. The
# programs are copied to where that user can reach them, whoever may enter this checkout.
become_ordinary()
{
    mkdir "$scratch/programs"
    cp "$REEVE_BUILD"/reeve "$REEVE_BUILD"/reeve-controller "$REEVE_BUILD"/reeve-agent "$scratch/programs"
    REEVE_BUILD=$scratch/programs
    reeve=$REEVE_BUILD/reeve
    runner=()
    if [ "$(id -u)" = 0 ]; then
        id -u reeve-test >/dev/null 2>&1 || useradd -r -M -d /nonexistent -s /usr/sbin/nologin reeve-test
        runner=(setpriv --reuid=reeve-test --regid=reeve-test --clear-groups)
        chown reeve-test "$scratch"
    fi
}
runner=()

# ---- requests ----

# api METHOD PATH [BODY [CURL-OPTION…]]: sets status_code, body and headers.
api()
{
    local method=$1 path=$2 content=${3:-}
    local options=(-sS -m 60 -X "$method" -H "Authorization: Bearer $token")
    [ -z "$content" ] || options+=(-H 'Content-Type: application/json' --data-binary "$content")
    raw_api "$path" "${options[@]}" "${@:4}"
}

# raw_api PATH CURL-OPTION…: nothing is added but the URL.
raw_api()
{
    local path=$1 into=${BATS_TEST_TMPDIR:-$scratch}
    shift
    status_code=$(curl -sS -m 60 --path-as-is -D "$into/headers" -o "$into/body" -w '%{http_code}' "$@" "$url$path") || return 1
    headers=$(tr -d '\r' <"$into/headers")
    body=$(cat "$into/body" 2>/dev/null || true) # curl writes no file for a 304
    rm -f "$into/body"
}

# header NAME: its value in the last reply.
header()
{
    sed -nE "s/^$1: (.*)/\1/Ip" <<<"$headers"
}

# answers STATUS: the last reply had this status.
answers()
{
    [ "$status_code" = "$1" ] || {
        echo "answered $status_code, not $1: $body"
        return 1
    }
}

# member FILTER: of the last reply, as jq prints it.
member()
{
    jq -rc "$1" <<<"$body"
}

# has FILTER VALUE: the reply's member is exactly this.
has()
{
    local got
    got=$(member "$1")
    [ "$got" = "$2" ] || {
        echo "$1 is $got, not $2, in: $body"
        return 1
    }
}

# holds FILTER: the filter is true of the reply.
holds()
{
    [ -n "$body" ] && jq -e "$1" <<<"$body" >/dev/null || {
        echo "not so: $1, in: $body"
        return 1
    }
}

# refused STATUS [FIELD]: the one error shape, naming the field in its text as well.
refused()
{
    answers "$1" || return 1
    holds '(.error | type == "string" and length > 0) and (.reason | test("^[a-z_]+$")) and (.request_id | length > 0)' || return 1
    has .code "$1" || return 1
    [ $# -lt 2 ] || { has .field "$2" && holds ".error | contains(\"$2\")"; }
}

# ---- jobs ----

# submit_query: a job that completes at once; sets job.
submit_query()
{
    api GET /node/_any/hostname && answers 200 && job=$(member .job_id)
}

# submit_shell COMMAND [QUERY]: leaves the answer to later; sets job.
submit_shell()
{
    api POST "/node/_any/command/shell${2:-}" "$(jq -nc --arg c "$1" '{command: $c, timeout: 60}')" -H 'Prefer: respond-async' &&
        answers 202 && job=$(member .job_id)
}

job_is()
{
    api GET "/job/$1" && [ "$(member .status)" = "$2" ]
}

job_is_final()
{
    api GET "/job/$1" && holds 'has("status") and (.status | IN("submitted", "processing") | not)'
}

# failed_with JOB WORD: it failed, and its item says this word.
failed_with()
{
    job_is "$1" failed && holds "[.error, .timeline[].message] | any(contains(\"$2\"))"
}

# runs COMMAND-LINE: a process with exactly this command line is there.
runs()
{
    pgrep -fx "$1" >/dev/null
}

runs_no_more()
{
    ! runs "$1"
}

# unique_sleep: a sleep of two minutes that no other process does; sets nap.
unique_sleep()
{
    nap="sleep 120.$BASHPID$RANDOM"
}
