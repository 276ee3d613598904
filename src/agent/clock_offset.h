/* SPDX-License-Identifier: MIT */
/*
 * What the controller's clock says, and how wrong that may be.
 *
 * A TIME answer was made at some moment between request and answer: it is right within half the
 * round trip. Afterwards both machines' oscillators drift, by at most CLOCK_DRIFT_PPM together. Own
 * times are CLOCK_BOOTTIME.
 */
#ifndef REEVE_AGENT_CLOCK_OFFSET_H
#define REEVE_AGENT_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_DRIFT_PPM 200

/* Zeroed: nothing known yet. */
struct clock_offset {
    bool known;
    int64_t offset_us;   /* controller's clock minus own */
    int64_t error_us;    /* bound when it was measured */
    int64_t measured_us; /* own time */
};

/* An answer that carries controller_us came at got_us to what was sent at sent_us. The sample with
   the smallest bound at this moment is kept, unless they contradict each other: then the
   controller's clock was set, and the new one is right. */
void clock_offset_add(struct clock_offset *offset, int64_t sent_us, int64_t got_us,
                      int64_t controller_us);

/* Controller's clock at own time boot_us, which may lie in the past, and the bound of its error.
   False when nothing is known. */
bool clock_offset_now(const struct clock_offset *offset, int64_t boot_us, int64_t *ret_now_us,
                      int64_t *ret_error_us);

#endif
