/* SPDX-License-Identifier: MIT */
/*
 * reeve-agent: runs operations on its host for a controller.
 */
#ifndef REEVE_AGENT_AGENT_H
#define REEVE_AGENT_AGENT_H

/* The program; argv without its name. Exit status: 0 ended by SIGTERM, SIGINT or its supervisor's
   end; 1 a fault; 2 usage; 3 something it needs is not usable. */
int agent_main(char **argv);

#endif
