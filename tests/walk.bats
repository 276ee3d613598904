#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Lists that are longer than a block of the ledger, walked from end to end (walk.c) and exported.

load lib

setup_file()
{
    make_scratch
    export state=$scratch/state
    mkdir "$state"
    mkdir -m 700 "$state/controller"
    "$REEVE_BUILD/bench/fill" --jobs 70000 --hosts 100 --span 10h --state "$state/controller" >/dev/null
    # As root the controller is another user.
    [ "$(id -u)" != 0 ] || chown -R reeve: "$state/controller"
    start_reeve
}

teardown_file()
{
    stop_reeve && "$reeve" ledger check --state "$state/controller" || return 1
    clean_up
}

# walk QUERY [busy]: the ids, to standard output.
walk()
{
    "$REEVE_BUILD/tests/walk" "$url" "$state/token" "$@"
}

# export_ids QUERY: of the lines of an export.
export_ids()
{
    curl -sS -m 60 -H "Authorization: Bearer $token" "$url/job/export?$1" | LC_ALL=C cut -d '"' -f 8
}

@test "cursors to either end, offsets and the export meet the same jobs, as many as are counted" {
    api GET '/job?limit=1&offset=2000'
    after=$(member '.items[0].created')
    api GET '/job?limit=1&offset=69000'
    before=$(member '.items[0].created')
    for query in '' 'status=failed' 'operation=command.' 'hostname=web-0007' 'code=timeout,error' \
        'target=_all&status=completed' "since=$before&until=$after&status=failed,partial_failure"; do
        walk "$query" >"$scratch/walked" || { cat "$scratch/walked" && false; }
        export_ids "$query" >"$scratch/exported"
        cmp "$scratch/walked" "$scratch/exported" || { echo "of $query" && false; }
    done
}

@test "while jobs come and go, a walk meets every one that stays exactly once, and so does an export" {
    for query in 'operation=node.' ''; do
        walk "$query" busy >"$scratch/stayed" &
        walking=$!
        export_ids "$query" | sort >"$scratch/exported"
        wait "$walking" || { cat "$scratch/stayed" && false; }
        [ "$(uniq -d "$scratch/exported" | wc -l)" = 0 ]
        sort "$scratch/stayed" | comm -23 - "$scratch/exported" >"$scratch/missed"
        [ ! -s "$scratch/missed" ]
    done
}
