/* SPDX-License-Identifier: MIT */
/*
 * The program reeve-agent.
 */
#include "agent/agent.h"

int main(int argc, char **argv)
{
    return agent_main(argv + (argc > 0));
}
