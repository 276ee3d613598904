/* SPDX-License-Identifier: MIT */
/*
 * Telling the service manager how one is (sd_notify(3)). The protocol is one datagram to
 * $NOTIFY_SOCKET, which systemd promises to keep (sd_notify(3), "Notes"); libsystemd would bring
 * four libraries with it.
 */
#ifndef REEVE_BASE_NOTIFY_H
#define REEVE_BASE_NOTIFY_H

#include <stdint.h>

#define NOTIFY_READY    "READY=1"
#define NOTIFY_STOPPING "STOPPING=1"
#define NOTIFY_WATCHDOG "WATCHDOG=1"

/* Nothing happens where nobody wants to know. */
void notify(const char *state);
/* How often NOTIFY_WATCHDOG must come, or the process is killed; INT64_MAX: nobody watches. */
int64_t notify_watchdog_us(void);

#endif
