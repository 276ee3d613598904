/* SPDX-License-Identifier: MIT */
/*
 * Targets: text to kind, and which labels a label target means.
 *
 * Syntax only; whether such a host exists is the controller's question.
 */
#include "job/job.h"

/* The syntax is the catalog's FORMAT(target), which requests were held against already. */
static bool target_is_sound(struct slice text)
{
    char copy[TARGET_TEXT_MAX + 1] = "";
    bool ok = false;

    if (text.size == 0 || text.size > TARGET_TEXT_MAX || memchr(text.at, '\0', text.size))
        return false;
    memcpy(copy, text.at, text.size);
    format_check("target", copy, &ok);
    return ok;
}

int target_parse(struct slice text, struct target *ret, struct refusal *why)
{
    struct target target = {.kind = TARGET_HOST, .text = text};
    struct slice rest = text, key;

    if (!target_is_sound(text))
        return refuse(why, OUTCOME_INVALID, "target_hostname",
                      "target_hostname: expected %s, at most %d bytes", format_accepts("target"),
                      TARGET_TEXT_MAX);
    if (slice_is(text, "_any")) {
        target.kind = TARGET_ANY;
    } else if (slice_is(text, "_all")) {
        target.kind = TARGET_ALL;
    } else if (slice_cut(&rest, ':', &key)) {
        target.kind = TARGET_LABEL;
        target.key = key;
        target.value = rest;
    }
    *ret = target;
    return 0;
}

bool target_label_covers(struct slice target_value, struct slice host_value)
{
    struct slice head = {.at = host_value.at, .size = target_value.size};

    if (host_value.size < target_value.size || !slice_equal(head, target_value))
        return false;
    return host_value.size == target_value.size || host_value.at[target_value.size] == '.';
}

bool target_is_broadcast(enum target_kind kind)
{
    return kind == TARGET_ALL || kind == TARGET_LABEL;
}
