#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tests/catalog_traps.sh: rows that would compile and say something else are refused, each by its own assertion.
# CC names the compiler.
set -uo pipefail
cd "$(dirname "$0")/.."
rows=$(mktemp --suffix=.def)
trap 'rm -f "$rows"' EXIT
failed=0

compile()
{
    cat >"$rows"
    ${CC:-cc} -std=c17 -D_GNU_SOURCE -include src/base/banned.h -Isrc -Wall -Wextra -Wpedantic -Werror \
        -fsyntax-only -DROWS_EXTRA="\"$rows\"" src/catalog/catalog.c 2>&1
}

# trapped TITLE <STATEMENT: what a function does with a secret `s` does not compile.
trapped()
{
    local output
    if output=$(
        { printf '#include "base/log.h"\n#include "catalog/catalog.h"\n'
          printf 'void trap(struct buf *to, struct json_writer *w, struct secret s);\n'
          printf 'void trap(struct buf *to, struct json_writer *w, struct secret s)\n{\n(void)to, (void)w, (void)s;\n'
          cat
          printf '\n}\n'; } |
            ${CC:-cc} -std=c17 -D_GNU_SOURCE -include src/base/banned.h -Isrc -Wall -Wextra -Wpedantic -Werror -Wformat=2 \
                -fsyntax-only -x c - 2>&1
    ); then
        echo "FAILED: $1: it compiles"
        failed=1
    elif grep -qE "error: .*(secret|aggregate|incompatible|invalid|format|expects|operand|convert|cast)" <<<"$output"; then
        echo "ok: $1"
    else
        echo "FAILED: $1: $output"
        failed=1
    fi
}

# accepted TITLE <ROWS: the traps are not so tight that right rows are caught.
accepted()
{
    local output
    if output=$(compile); then
        echo "ok: $1"
    else
        echo "FAILED: $1: $output"
        failed=1
    fi
}

# refused TITLE MESSAGE <ROWS
refused()
{
    local output
    if ! output=$(compile) && grep -qF -- "$2" <<<"$output"; then
        echo "ok: $1"
    else
        echo "FAILED: $1: expected '$2', got: $output"
        failed=1
    fi
}

accepted 'right rows' <<'ROWS'
ENUM(trap_color, "A color")
VALUE(trap_color, RED, "red", "Like blood")
END_ENUM(trap_color)
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, name, REQUIRED, LENGTH(1, 9), "Name")
FIELD(trap_a, BODY, list(i64), sizes, OPTIONAL, RANGE(1, 9), "Sizes")
FIELD(trap_a, BODY, map(trap_color), colors, OPTIONAL, ANY, "Colors")
FIELD(trap_a, BODY, secret, password, OPTIONAL, LENGTH(1, 9), "Password")
FIELD(trap_a, BODY, map(secret), keys, OPTIONAL, LENGTH(1, 9), "Keys")
FIELD(trap_a, QUERY, duration, age, DEFAULT("1s"), RANGE(0, US_PER_S), "Age")
PAIR(trap_a, AT_MOST_ONE, sizes, colors)
TABLE(trap_a, "name")
END(trap_a)
STRUCT(trap_b, "B")
FIELD(trap_b, WHOLE, obj(trap_a), a, REQUIRED, ANY, "All")
END(trap_b)
STRUCT(trap_c, "C")
FIELD(trap_c, WHOLE, lines(trap_a), lines, REQUIRED, ANY, "All")
END(trap_c)
ROWS

refused 'a FIELD that names another STRUCT' 'FIELD names another one: trap_a' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, name, REQUIRED, ANY, "Name")
END(trap_a)
STRUCT(trap_b, "B")
FIELD(trap_a, BODY, str, name, REQUIRED, ANY, "Name")
END(trap_b)
ROWS

refused 'a PAIR that names another STRUCT' 'PAIR names another one: trap_a' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, ANY, "X")
FIELD(trap_a, BODY, str, y, OPTIONAL, ANY, "Y")
END(trap_a)
STRUCT(trap_b, "B")
FIELD(trap_b, BODY, str, x, OPTIONAL, ANY, "X")
FIELD(trap_b, BODY, str, y, OPTIONAL, ANY, "Y")
PAIR(trap_a, NEEDS, x, y)
END(trap_b)
ROWS

refused 'lines that are not a whole reply' 'lines are a whole body: trap_b.all' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, ANY, "X")
END(trap_a)
STRUCT(trap_b, "B")
FIELD(trap_b, BODY, lines(trap_a), all, REQUIRED, ANY, "All")
END(trap_b)
ROWS

refused 'a PAIR that names no field' 'has_z' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, ANY, "X")
PAIR(trap_a, NEEDS, x, z)
END(trap_a)
ROWS

refused 'a TABLE that names another STRUCT' 'TABLE names another one: disk' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, ANY, "X")
TABLE(disk, "x")
END(trap_a)
ROWS

refused 'an END that names another STRUCT' 'END names another one: disk' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, ANY, "X")
END(disk)
ROWS

refused 'a VALUE that names another ENUM' 'VALUE names another one: trap_color' <<'ROWS'
ENUM(trap_color, "A color")
VALUE(trap_color, RED, "red", "Like blood")
END_ENUM(trap_color)
ENUM(trap_shape, "A shape")
VALUE(trap_color, ROUND, "round", "Like a ball")
END_ENUM(trap_shape)
ROWS

refused 'a range of text' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, str, x, OPTIONAL, RANGE(1, 9), "X")
END(trap_a)
ROWS

refused 'a length of a number' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, i64, x, OPTIONAL, LENGTH(1, 9), "X")
END(trap_a)
ROWS

refused 'a format of a list of numbers' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, list(i64), x, OPTIONAL, FORMAT(uuid), "X")
END(trap_a)
ROWS

refused 'a pattern of an object' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, obj(disk), x, OPTIONAL, PATTERN("x"), "X")
END(trap_a)
ROWS

refused 'a unit of a duration' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, duration, x, OPTIONAL, UNIT(ms), "X")
END(trap_a)
ROWS

refused 'WHOLE beside another field' 'WHOLE is not the only field: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, WHOLE, any, x, REQUIRED, ANY, "X")
FIELD(trap_a, QUERY, str, y, OPTIONAL, ANY, "Y")
END(trap_a)
ROWS

refused 'a secret in a query' 'a secret stands in a body alone: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, QUERY, secret, x, OPTIONAL, ANY, "X")
END(trap_a)
ROWS

refused 'secrets in a path' 'a secret stands in a body alone: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, PATH, list(secret), x, REQUIRED, ANY, "X")
END(trap_a)
ROWS

refused 'a range of a secret' 'rule does not fit the kind: trap_a.x' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, secret, x, OPTIONAL, RANGE(1, 9), "X")
END(trap_a)
ROWS

trapped 'a secret in a log line' <<'CODE'
log_event(LOG_INFO, "trap", LOG_TEXT("password", s));
CODE

trapped 'a secret as a number of a log line' <<'CODE'
log_event(LOG_INFO, "trap", LOG_NUMBER("password", s));
CODE

trapped 'a secret in printf' <<'CODE'
printf("%s", s);
CODE

trapped 'a secret in a refusal' <<'CODE'
refuse(NULL, OUTCOME_INVALID, NULL, "%s", s);
CODE

trapped 'a secret in a buf' <<'CODE'
buf_add_slice(to, s);
CODE

trapped 'a secret as JSON' <<'CODE'
json_slice(w, s);
CODE

trapped 'a secret as text' <<'CODE'
const char *text = s;
(void)text;
CODE

refused 'an OP without a permission of the list' 'PERMISSION_ROOT' <<'ROWS'
OP(trap, "trap.get", GET, "/trap", ROOT, LOCAL, 0, none, none, 204, "trap", "Trap")
ROWS

refused 'a STRUCT used before it stands' 'trap_b' <<'ROWS'
STRUCT(trap_a, "A")
FIELD(trap_a, BODY, obj(trap_b), b, OPTIONAL, ANY, "B")
END(trap_a)
STRUCT(trap_b, "B")
FIELD(trap_b, BODY, str, x, OPTIONAL, ANY, "X")
END(trap_b)
ROWS

exit $failed
