/* SPDX-License-Identifier: MIT */
/*
 * The bus: carries tasks and reports between one controller and its agents.
 *
 * A conversation: the agent connects and says HELLO; the controller answers TIME, then CONFIRM with
 * the last report number in its ledger (0 when the epoch is new), then sends TASK and CANCEL as it
 * likes. The agent re-sends every report after the confirmed one, in order, and goes on with REPORT
 * and, every 10 s, BEAT (answered by TIME). A report is forgotten only when CONFIRM covers it.
 * HELLO's `runs` names every run in the runlog whose outcome is not confirmed, finished or not: any
 * other open run of this agent never reached it.
 *
 * Single-threaded: everything, callbacks included, happens in the thread that calls bus_dispatch().
 */
#ifndef REEVE_BUS_BUS_H
#define REEVE_BUS_BUS_H

#include "base/outcome.h"
#include "catalog/catalog.h"

enum bus_role { BUS_CONTROLLER, BUS_AGENT };

enum bus_message {
#define MESSAGE(id, number, sender, schema) BUS_##id,
#include "bus/message.def"
#undef MESSAGE
    BUS_MESSAGE_COUNT
};

#define BUS_BEAT_US   (10 * US_PER_S)
#define BUS_SILENT_US (30 * US_PER_S) /* after this an agent counts as not heard */
/* One message, as JSON: two streams of SPAWN_OUTPUT_CAP, each byte escaped as \u00xx, fit. */
#define BUS_MESSAGE_MAX ((size_t)16 << 20)
/* Bytes waiting to be sent to one peer; beyond it the peer is cut off, and told again when it is
   back. */
#define BUS_BACKLOG_MAX ((size_t)64 << 20)
#define BUS_VALUES_MAX  JSON_VALUES_MAX_RESULT

struct bus;
struct bus_peer; /* one connection; gone after the `gone` callback */

struct bus_callbacks {
    /* A connection stands. Agents answer with HELLO. */
    void (*connected)(void *owner, struct bus_peer *peer);
    /* `body` is the message's struct (catalog/bus.def), valid during the call. */
    void (*message)(void *owner, struct bus_peer *peer, enum bus_message message, const void *body);
    /* The other side went away, sent what is not acceptable, or reads nothing: `why` is for the
       log. */
    void (*gone)(void *owner, struct bus_peer *peer, const char *why);
};

/*
 * Addresses:
 *   fd:N       descriptor N is a SOCK_SEQPACKET socket to the supervisor, which sends a connected
 *              stream socket (SCM_RIGHTS) whenever the other side was started anew; the connection
 *              in use is then replaced
 *   unix:PATH  the agent listens there, in a directory that only root (or the agent's own user) can
 *              write; the controller connects, again and again until it stands. Both check the
 *              peer's uid: the agent wants exactly `peer_uid`, the controller wants the directory's
 *              owner
 */
struct bus_options {
    enum bus_role role;
    const char *address;
    unsigned peer_uid; /* unix:PATH, agent: uid of the controller */
    const struct bus_callbacks *callbacks;
    void *owner;
};

/* 0; OUTCOME_USAGE bad address; OUTCOME_UNAVAILABLE the descriptor, path or its directory is not
   usable. */
int bus_open(const struct bus_options *options, struct bus **ret, struct refusal *why);
void bus_close(struct bus *bus);

/* Poll this for reading; then call bus_dispatch(). */
int bus_fd(const struct bus *bus);
/* When to call bus_dispatch() at the latest, in CLOCK_BOOTTIME microseconds (reconnects);
   INT64_MAX: never. */
int64_t bus_deadline_us(const struct bus *bus);
/* Accepts, reads, writes what was waiting, calls back; bounded work a call. 0 or a fault. */
int bus_dispatch(struct bus *bus, int64_t boot_us);

/* Queues one message (its struct of catalog/bus.def) and sends what the socket takes now. A peer
   that is gone or over its backlog is reported through `gone` at the next bus_dispatch(); nothing
   to check here. */
void bus_send(struct bus *bus, struct bus_peer *peer, enum bus_message message, const void *body);
/* Cuts a peer off; `gone` is called before this returns. */
void bus_drop(struct bus *bus, struct bus_peer *peer, const char *why);
void bus_drop_all(struct bus *bus, const char *why);
/* A pointer of the owner's, NULL at first. */
void bus_peer_set(struct bus_peer *peer, void *owners);
void *bus_peer_get(const struct bus_peer *peer);

/* For the supervisor: poll each descriptor it shares with an `fd:N` bus for reading, then ask this:
   true when the program there has lost its stream though neither side was started anew (one cut the
   other off), and bus_introduce() is wanted. 0 or a fault: -EPIPE when the program is gone. */
int bus_wants_stream(int fd, bool *ret);
/* For the supervisor: hands both sides of an `fd:N` bus the ends of a new stream. 0 or a fault. */
int bus_introduce(int controller_fd, int agent_fd);

#endif
