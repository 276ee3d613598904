/* SPDX-License-Identifier: MIT */
/*
 * What this host is (facts) and how it is (vitals).
 *
 * What can't be found out is left out; nothing here waits for a network or a name service.
 */
#ifndef REEVE_AGENT_FACTS_H
#define REEVE_AGENT_FACTS_H

#include "host/host.h"

#define INTERFACES_MAX 256
#define ROUTES_MAX     256

/* Memory from host->arena. */
void facts_read(struct host *host, struct agent_facts *ret);
void vitals_read(struct host *host, struct agent_vitals *ret);

/* /proc/net/route: its first ROUTES_MAX routes; *ret_primary is the interface of the first default
   route, or NULL. */
void routes_parse(struct slice text, struct arena *arena, struct agent_route_list *ret,
                  const char **ret_primary);

#define MACHINE_ID_SIZE 33
/* /etc/machine-id; on hosts without one, as in many containers, a random one that is kept in the
   state directory. 32 lower-case hexadecimal digits. 0 or a fault. */
int machine_id_read(const char *state_directory, char ret[MACHINE_ID_SIZE]);

#endif
