# SPDX-License-Identifier: MIT
# What the peers' scripts share: options, commands, and the choice of how many clients suit a peer best.
#
# A script sets peer (its name) and cases, defines start, load (unless there is nothing to load), measure_once CASE SECONDS
# CLIENTS (prints one JSON line) and stop, and calls peer_main "$@". All that it makes lies in $dir; $dir/jobs holds how many
# jobs are loaded. Standard output carries JSON lines alone; words for people go to standard error.

: "${peer:?}" "${cases:?}"
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
jobs=1000000
seconds=5
scratch=$here/../../build/bench/peers
# How many clients are tried at a page, to take the best; and with how many submissions are measured.
page_clients=(1 4 8 32)
submit_clients=(1 8 64)

say() { echo "$peer: $*" >&2; }
die()
{
    say "$@"
    exit 1
}
has_load() { declare -F load >/dev/null; }
usage()
{
    cat >&2 <<EOF
usage: bench/peers/$peer [--jobs N] [--seconds S] [--scratch DIR] [COMMAND]
  (none)                            all of it: start, load, measure each case, stop, remove its data
  start${start_takes:+ $start_takes}
$(! has_load || echo '  load')
  measure CASE SECONDS [CLIENTS]    CASE: ${cases[*]}
  stop
EOF
    exit 2
}

# report CASE CLIENTS: the line of a measurement; takes "PER_SECOND P50_MS P99_MS" from its input.
report()
{
    local per_second p50 p99
    read -r per_second p50 p99 || die "$1 with $2 clients could not be measured"
    jq -cn --arg peer "$peer" --arg case "$1" --argjson jobs "$(cat "$dir/jobs")" --argjson clients "$2" \
        --argjson per_second "$per_second" --argjson p50_ms "$p50" --argjson p99_ms "$p99" \
        '{peer: $peer, case: $case, jobs: $jobs, clients: $clients, per_second: $per_second, p50_ms: $p50_ms, p99_ms: $p99_ms}'
}

# wrk_figures SECONDS CLIENTS URL [FLAG…]: what report takes. wrk writes times as 1.00us, 1.00ms or 1.00s.
wrk_figures()
{
    wrk -t1 -d"$1s" -c"$2" --latency "${@:4}" "$3" | awk '
        function ms(time) { return time ~ /us$/ ? time / 1000 : time ~ /ms$/ ? time + 0 : time * 1000 }
        $1 == "50%" { p50 = ms($2) }
        $1 == "99%" { p99 = ms($2) }
        $1 == "Requests/sec:" { rate = $2 }
        /Non-2xx|Socket errors/ { print > "/dev/stderr"; bad = 1 }
        END { if (!bad) print rate, p50, p99 }'
}

# told: passes JSON lines on, and says them in words.
told()
{
    local line
    while read -r line; do
        printf '%s\n' "$line"
        jq -r '"\(.peer): \(.case): \(.per_second)/s with \(.clients) clients, p50 \(.p50_ms) ms, p99 \(.p99_ms) ms"' \
            <<<"$line" >&2
    done
}

# best_clients CASE: two seconds with each number of clients. More clients that gain less than a twentieth only wait longer.
best_clients()
{
    local clients
    for clients in "${page_clients[@]}"; do
        measure_once "$1" 2 "$clients"
    done | jq -s '(map(.per_second) | max) as $most | map(select(.per_second >= 0.95 * $most)) | min_by(.clients).clients'
}

measure()
{
    local case=$1 for_seconds=$2 clients=("${@:3}") n
    [[ " ${cases[*]} " == *" $case "* ]] || usage
    [ -e "$dir/jobs" ] || die "nothing is loaded: load first"
    case ${#clients[@]}:$case in
    0:insert | 0:submit) clients=("${submit_clients[@]}") ;;
    0:*) clients=("$(best_clients "$case")") ;;
    esac
    for n in "${clients[@]}"; do
        measure_once "$case" "$for_seconds" "$n" | told
    done
}

# timed_load: loads, and prints how long it took and what lies on the disk then.
timed_load()
{
    local from=${EPOCHREALTIME/./} took
    rm -f "$dir/jobs"
    load >&2
    echo "$jobs" >"$dir/jobs"
    took=$(((${EPOCHREALTIME/./} - from) / 1000))
    jq -cn --arg peer "$peer" --argjson jobs "$jobs" --argjson took_ms "$took" --argjson disk "$(du -sb "$dir" | cut -f 1)" \
        '{peer: $peer, case: "load", jobs: $jobs, seconds: ($took_ms / 1000), disk_bytes: $disk}'
    say "loaded $jobs jobs in $((took / 1000)) s"
}

everything()
{
    local case
    trap 'stop; rm -rf "$dir"' EXIT
    trap 'exit 130' INT TERM
    stop
    rm -rf "$dir"
    "$here/install" >&2
    start >&2
    ! has_load || timed_load
    for case in "${cases[@]}"; do
        measure "$case" "$seconds"
    done
}

peer_main()
{
    while [[ ${1:-} == --* ]]; do
        case $1 in
        --jobs) jobs=${2:?} ;;
        --seconds) seconds=${2:?} ;;
        --scratch) scratch=${2:?} ;;
        *) usage ;;
        esac
        shift 2
    done
    [[ $jobs =~ ^[1-9][0-9]*$ && $seconds =~ ^[1-9][0-9]*$ ]] || usage
    mkdir -p "$scratch"
    scratch=$(cd "$scratch" && pwd)
    # A path of a Unix socket takes 107 bytes.
    [ "${#scratch}" -le 80 ] || die "$scratch is too long a path for the sockets in it: give --scratch"
    # Of a name that nobody else has: it is removed as a whole.
    dir=$scratch/reeve-$peer

    case ${1:-}:$# in
    :0) everything ;;
    start:[12])
        "$here/install" >&2
        start "${@:2}"
        ;;
    load:1)
        has_load || usage
        timed_load
        ;;
    measure:[34]) measure "${@:2}" ;;
    stop:1) stop ;;
    *) usage ;;
    esac
}
