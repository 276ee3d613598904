/* SPDX-License-Identifier: MIT */
/*
 * Keeps the best sample of the controller's clock.
 */
#include "agent/clock_offset.h"

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static int64_t error_at(const struct clock_offset *offset, int64_t boot_us)
{
    int64_t age_us = distance(boot_us, offset->measured_us);

    return offset->error_us + age_us / (1000000 / CLOCK_DRIFT_PPM) + 1;
}

void clock_offset_add(struct clock_offset *offset, int64_t sent_us, int64_t got_us,
                      int64_t controller_us)
{
    if (got_us < sent_us)
        return;
    int64_t half_us = (got_us - sent_us) / 2;
    struct clock_offset sample = {
        .known = true,
        .offset_us = controller_us + half_us - got_us,
        .error_us = half_us + 1,
        .measured_us = got_us,
    };

    int64_t kept_us = error_at(offset, got_us);
    bool contradicts = distance(sample.offset_us, offset->offset_us) > sample.error_us + kept_us;
    if (!offset->known || contradicts || sample.error_us <= kept_us)
        *offset = sample;
}

bool clock_offset_now(const struct clock_offset *offset, int64_t boot_us, int64_t *ret_now_us,
                      int64_t *ret_error_us)
{
    if (!offset->known)
        return false;
    *ret_now_us = boot_us + offset->offset_us;
    *ret_error_us = error_at(offset, boot_us);
    return true;
}
