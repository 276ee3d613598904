/* SPDX-License-Identifier: MIT */
/*
 * How a run may move. What the tables do not name is refused.
 *
 * A start may travel in the record of the end, so a run that waits may come to any final state in
 * one move.
 */
#include "job/job.h"

#define CODE(code) (1u << run_code_##code)
#define NO_CODE    CODE(NONE)
/* Those that somebody knows of; LOST is concluded from silence alone. */
#define KNOWN_FAILURES ((1u << run_code_COUNT) - 1 - NO_CODE - CODE(LOST))

_Static_assert(run_code_COUNT <= 8, "a set of codes is a byte");

/* The codes with which the state of the column can be reached. */
struct moves {
    uint8_t to[run_state_COUNT];
};

static const struct moves moves_from[run_state_COUNT] = {
    [run_state_WAITING].to = {[run_state_ACKNOWLEDGED] = NO_CODE,
                              [run_state_STARTED] = NO_CODE,
                              [run_state_COMPLETED] = NO_CODE,
                              [run_state_FAILED] = KNOWN_FAILURES,
                              [run_state_SKIPPED] = NO_CODE},
    [run_state_ACKNOWLEDGED].to = {[run_state_STARTED] = NO_CODE,
                                   [run_state_COMPLETED] = NO_CODE,
                                   [run_state_FAILED] = KNOWN_FAILURES,
                                   [run_state_SKIPPED] = NO_CODE},
    [run_state_STARTED].to = {[run_state_COMPLETED] = NO_CODE,
                              [run_state_FAILED] = CODE(ERROR) | CODE(TIMEOUT) | CODE(CANCELLED) |
                                                   CODE(INTERRUPTED) | CODE(LOST),
                              [run_state_SKIPPED] = NO_CODE},
};

/* From what was presumed, by the agent's word. FAILED holds `expired` too: the agent confirms it,
   and it can't be overruled any more. */
static const struct moves moves_overruling = {.to = {[run_state_STARTED] = NO_CODE,
                                                     [run_state_COMPLETED] = NO_CODE,
                                                     [run_state_FAILED] = KNOWN_FAILURES,
                                                     [run_state_SKIPPED] = NO_CODE}};

/* Whether a record can want this at all. */
static bool run_point_is_sound(const struct run_point *to, bool by_agent)
{
    if ((unsigned)to->state >= run_state_COUNT || (unsigned)to->code >= run_code_COUNT)
        return false;
    if ((to->state == run_state_FAILED) != (to->code != run_code_NONE))
        return false;
    if (to->code == run_code_LOST && !to->presumed) /* nobody can know it */
        return false;
    return !to->presumed ||
           (!by_agent && (to->code == run_code_EXPIRED || to->code == run_code_LOST));
}

/* Acknowledged and started come late when the network reorders them: what followed them is known
   already. */
static bool run_point_is_overtaken(const struct run_point *from, const struct run_point *to)
{
    if (to->state != run_state_ACKNOWLEDGED && to->state != run_state_STARTED)
        return false;
    return run_state_is_final(from->state) || from->state > to->state;
}

enum run_move run_move(const struct run_point *from, const struct run_point *to, bool by_agent)
{
    if (!run_point_is_sound(to, by_agent))
        return RUN_MOVE_REFUSE;
    const struct moves *moves =
        from->presumed && by_agent ? &moves_overruling : &moves_from[from->state];
    if (moves->to[to->state] & (1u << to->code))
        return RUN_MOVE_APPLY;
    if (from->state == to->state && from->code == to->code)
        return RUN_MOVE_REPEAT;
    return run_point_is_overtaken(from, to) ? RUN_MOVE_REPEAT : RUN_MOVE_REFUSE;
}
