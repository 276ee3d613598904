/* SPDX-License-Identifier: MIT */
/*
 * Facts and vitals, from the kernel and from files.
 */
#include "agent/facts.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/uuid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/route.h>
#include <netpacket/packet.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SMALL_FILE_MAX ((size_t)4096)
#define ROUTE_FILE_MAX ((size_t)1 << 20)

/* ---- managers ---- */

static const struct {
    const char *program, *name;
} package_managers[] = {
    {.program = "/usr/bin/apt-get", .name = "apt"},
    {.program = "/usr/bin/dnf", .name = "dnf"},
    {.program = "/usr/bin/yum", .name = "yum"},
    {.program = "/usr/bin/zypper", .name = "zypper"},
    {.program = "/usr/bin/pacman", .name = "pacman"},
    {.program = "/sbin/apk", .name = "apk"},
    {.program = "/usr/bin/xbps-install", .name = "xbps"},
    {.program = "/usr/bin/emerge", .name = "portage"},
};

static const char *package_manager(void)
{
    for (size_t i = 0; i < COUNT_OF(package_managers); i++) {
        if (access(package_managers[i].program, X_OK) == 0)
            return package_managers[i].name;
    }
    return NULL;
}

/* sd_booted(3): the directory is there when systemd is PID 1. */
static const char *service_manager(struct arena *arena)
{
    struct slice comm, name;

    if (access("/run/systemd/system", F_OK) == 0)
        return "systemd";
    if (file_read("/proc/1/comm", SMALL_FILE_MAX, arena, &comm))
        return NULL;
    slice_cut(&comm, '\n', &name);
    return arena_copy(arena, name);
}

/* ---- network ---- */

static struct agent_interface *interface_named(struct agent_interface_list *list, const char *name,
                                               struct arena *arena)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->v[i].name, name) == 0)
            return &list->v[i];
    }
    if (list->n == INTERFACES_MAX)
        return NULL;
    struct agent_interface *interface = &list->v[list->n++];
    SET(interface, name, arena_strdup(arena, name));
    return interface;
}

static void address_set(struct agent_interface *interface, const struct sockaddr *address,
                        struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];

    if (address->sa_family == AF_INET && !interface->has_ipv4) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                  sizeof(text));
        SET(interface, ipv4, arena_strdup(arena, text));
    }
    if (address->sa_family == AF_INET6 && !interface->has_ipv6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
                  sizeof(text));
        SET(interface, ipv6, arena_strdup(arena, text));
    }
    if (address->sa_family == AF_PACKET) {
        const struct sockaddr_ll *link = (const void *)address;
        const unsigned char *mac = link->sll_addr;

        if (link->sll_halen == 6)
            SET(interface, mac,
                arena_printf(arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
                             mac[4], mac[5]));
    }
}

static void family_set(struct agent_interface *interface)
{
    if (interface->has_ipv4 && interface->has_ipv6)
        SET(interface, family, address_family_DUAL);
    else if (interface->has_ipv4)
        SET(interface, family, address_family_INET);
    else if (interface->has_ipv6)
        SET(interface, family, address_family_INET6);
}

static bool interfaces_read(struct arena *arena, struct agent_interface_list *ret)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0)
        return false;
    *ret = (struct agent_interface_list){.v = arena_alloc(arena, INTERFACES_MAX * sizeof(*ret->v))};
    for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
        if (!(at->ifa_flags & IFF_UP) || at->ifa_flags & IFF_LOOPBACK || !at->ifa_addr)
            continue;
        struct agent_interface *interface = interface_named(ret, at->ifa_name, arena);
        if (interface)
            address_set(interface, at->ifa_addr, arena);
    }
    freeifaddrs(all);
    for (size_t i = 0; i < ret->n; i++)
        family_set(&ret->v[i]);
    return true;
}

static const char *address_text(unsigned long address, struct arena *arena)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr in = {
        .s_addr = (in_addr_t)address}; /* the file shows the bytes as they lie in memory */

    return arena_strdup(arena, inet_ntop(AF_INET, &in, text, sizeof(text)));
}

/* As route(8) shows them. */
static const char *flags_text(unsigned long flags, struct arena *arena)
{
    static const struct {
        unsigned long flag;
        char letter;
    } letters[] = {
        {.flag = RTF_UP, .letter = 'U'},        {.flag = RTF_GATEWAY, .letter = 'G'},
        {.flag = RTF_REJECT, .letter = '!'},    {.flag = RTF_HOST, .letter = 'H'},
        {.flag = RTF_REINSTATE, .letter = 'R'}, {.flag = RTF_DYNAMIC, .letter = 'D'},
        {.flag = RTF_MODIFIED, .letter = 'M'},
    };
    char *text = arena_alloc(arena, COUNT_OF(letters) + 1);
    size_t size = 0;

    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        if (flags & letters[i].flag)
            text[size++] = letters[i].letter;
    }
    return text;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask …; numbers are hexadecimal, the metric is
   not. */
static bool route_parse(const char *line, struct arena *arena, struct agent_route *ret,
                        bool *ret_default)
{
    char interface[IFNAMSIZ];
    unsigned long destination, gateway, flags, mask;
    long metric;

    if (sscanf(line, "%15s %lx %lx %lx %*s %*s %ld %lx", interface, &destination, &gateway, &flags,
               &metric, &mask) != 6)
        return false;
    bool is_default = destination == 0 && mask == 0;
    *ret = (struct agent_route){.row_ = {0}};
    SET(ret, destination, is_default ? "default" : address_text(destination, arena));
    SET(ret, gateway, address_text(gateway, arena));
    SET(ret, interface, arena_strdup(arena, interface));
    SET(ret, mask, address_text(mask, arena));
    SET(ret, metric, metric);
    SET(ret, flags, flags_text(flags, arena));
    *ret_default = is_default;
    return true;
}

void routes_parse(struct slice text, struct arena *arena, struct agent_route_list *ret,
                  const char **ret_primary)
{
    struct agent_route_list routes = {.v = arena_alloc(arena, ROUTES_MAX * sizeof(*routes.v))};
    const char *primary = NULL;
    struct slice line;
    bool more = true;

    while (more && routes.n < ROUTES_MAX) {
        struct agent_route *route = &routes.v[routes.n];
        bool is_default;

        more = slice_cut(&text, '\n', &line);
        if (!route_parse(arena_copy(arena, line), arena, route, &is_default))
            continue;
        if (is_default && !primary)
            primary = route->interface;
        routes.n++;
    }
    *ret = routes;
    *ret_primary = primary;
}

static void network_set(struct arena *arena, struct agent_facts *facts)
{
    struct slice text;

    facts->has_interfaces = interfaces_read(arena, &facts->interfaces);
    if (file_read("/proc/net/route", ROUTE_FILE_MAX, arena, &text))
        return;
    routes_parse(text, arena, &facts->routes, &facts->primary_interface);
    facts->has_routes = true;
    facts->has_primary_interface = facts->primary_interface != NULL;
}

/* ---- all of it ---- */

void facts_read(struct host *host, struct agent_facts *ret)
{
    struct utsname name;

    *ret = (struct agent_facts){.row_ = {0}};
    ret->has_os_info = host_read_os(host, &ret->os_info) == 0;
    uname(&name);
    SET(ret, architecture, arena_strdup(host->arena, name.machine));
    SET(ret, kernel_version, arena_strdup(host->arena, name.release));
    SET(ret, fqdn, arena_strdup(host->arena, name.nodename));
    SET(ret, cpu_count, sysconf(_SC_NPROCESSORS_ONLN));
    ret->service_mgr = service_manager(host->arena);
    ret->has_service_mgr = ret->service_mgr != NULL;
    ret->package_mgr = package_manager();
    ret->has_package_mgr = ret->package_mgr != NULL;
    network_set(host->arena, ret);
}

static const struct disk *fullest(const struct disk_list *disks)
{
    const struct disk *found = NULL;
    double found_share = -1;

    for (size_t i = 0; i < disks->n; i++) {
        double share = (double)disks->v[i].used / (double)disks->v[i].total;

        if (share > found_share) {
            found = &disks->v[i];
            found_share = share;
        }
    }
    return found;
}

void vitals_read(struct host *host, struct agent_vitals *ret)
{
    struct disk_list disks;

    *ret = (struct agent_vitals){.has_uptime_s = true};
    if (host_read_uptime(host, &ret->uptime_s))
        ret->uptime_s = 0;
    ret->has_load_average = host_read_load(host, &ret->load_average) == 0;
    ret->has_memory = host_read_memory(host, &ret->memory) == 0;
    const struct disk *disk = host_read_disks(host, &disks) == 0 ? fullest(&disks) : NULL;
    if (disk)
        SET(ret, fullest_disk, *disk);
}

/* ---- machine id ---- */

static bool machine_id_parse(struct slice text, char *ret)
{
    struct slice id;

    slice_cut(&text, '\n', &id);
    if (id.size != MACHINE_ID_SIZE - 1)
        return false;
    for (size_t i = 0; i < id.size; i++) {
        if (!strchr("0123456789abcdef", id.at[i]))
            return false;
    }
    memcpy(ret, id.at, id.size);
    ret[id.size] = '\0';
    return true;
}

static bool machine_id_of_file(const char *path, char *ret)
{
    struct arena arena;
    struct slice text;

    arena_init(&arena);
    bool found = file_read(path, SMALL_FILE_MAX, &arena, &text) == 0 && machine_id_parse(text, ret);
    arena_release(&arena);
    return found;
}

static int machine_id_make(const char *path, char *ret)
{
    unsigned char bytes[16];
    struct buf text;

    buf_init(&text, MACHINE_ID_SIZE);
    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        buf_printf(&text, "%02x", bytes[i]);
    memcpy(ret, text.at, MACHINE_ID_SIZE - 1);
    ret[MACHINE_ID_SIZE - 1] = '\0';
    buf_add_char(&text, '\n');
    int r = file_write(path, buf_slice(&text), 0600);
    buf_release(&text);
    return r;
}

int machine_id_read(const char *state_directory, char ret[MACHINE_ID_SIZE])
{
    struct arena arena;

    if (machine_id_of_file("/etc/machine-id", ret))
        return 0;
    arena_init(&arena);
    const char *path = arena_printf(&arena, "%s/machine-id", state_directory);
    int r = machine_id_of_file(path, ret) ? 0 : machine_id_make(path, ret);
    arena_release(&arena);
    return r;
}
