/* SPDX-License-Identifier: MIT */
/*
 * Targets: text to kind, and which labels a label target means.
 *
 * Syntax only. Whether such a host exists is the controller's question.
 */
#include "job/job.h"

#define TARGET_ACCEPTED                                                                            \
    "_any, _all, a host name, a machine id, or a label such as group:web or group:web.dev"

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_segment(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_letter_or_digit(text.at[i]) && text.at[i] != '_' && text.at[i] != '-')
            return false;
    }
    return text.size > 0;
}

/* One or more segments with dots between them. */
static bool is_dotted(struct slice text)
{
    struct slice segment;
    bool more;

    do {
        more = slice_cut(&text, '.', &segment);
        if (!is_segment(segment))
            return false;
    } while (more);
    return true;
}

static int target_refuse(struct refusal *why, const char *fault)
{
    return refuse(why, OUTCOME_INVALID, "target_hostname", "%s; accepted: " TARGET_ACCEPTED, fault);
}

static int target_parse_label(struct target *target, struct slice rest, struct refusal *why)
{
    slice_cut(&rest, ':', &target->key);
    target->value = rest;
    if (!is_segment(target->key))
        return target_refuse(why, "the key of a label is one word of letters, digits, _ and -");
    if (!is_dotted(target->value))
        return target_refuse(why, "the value of a label is words of letters, digits, _ and -, "
                                  "with dots between them");
    target->kind = TARGET_LABEL;
    return 0;
}

static int target_parse_host(struct target *target, struct refusal *why)
{
    if (!is_letter_or_digit(target->text.at[0]))
        return target_refuse(why, "a host name begins with a letter or a digit");
    if (!is_dotted(target->text))
        return target_refuse(why,
                             "a host name is letters, digits, _ and -, with dots between them");
    target->kind = TARGET_HOST;
    return 0;
}

int target_parse(struct slice text, struct target *ret, struct refusal *why)
{
    struct target target = {.text = text};
    int r = 0;

    if (text.size == 0)
        return target_refuse(why, "the target is empty");
    if (text.size > TARGET_TEXT_MAX)
        return refuse(why, OUTCOME_INVALID, "target_hostname",
                      "the target is longer than %d bytes; accepted: " TARGET_ACCEPTED,
                      TARGET_TEXT_MAX);
    if (slice_is(text, "_any"))
        target.kind = TARGET_ANY;
    else if (slice_is(text, "_all"))
        target.kind = TARGET_ALL;
    else if (memchr(text.at, ':', text.size))
        r = target_parse_label(&target, text, why);
    else
        r = target_parse_host(&target, why);
    if (r)
        return r;
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
