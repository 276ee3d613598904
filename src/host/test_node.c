/* SPDX-License-Identifier: MIT */
/*
 * What a host says of itself: made-up texts of the kernel, and this machine against its own /proc.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "host/procfs.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

struct fixture {
    struct arena arena;
    struct host host;
    struct buf data;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    arena_init(&f->arena);
    buf_init(&f->data, (size_t)1 << 20);
    f->host = (struct host){
        .arena = &f->arena, .hostname = "web-01", .limit_us = US_PER_S, .cancel_fd = -1};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    buf_release(&f->data);
    test_free(f);
    return 0;
}

/* ---- mounts ---- */

static void assert_mounts(struct fixture *f, const char *mountinfo, const char *const *names)
{
    struct disk_list disks;
    size_t n = 0;

    mounts_parse(slice_of(mountinfo), &f->arena, &disks);
    for (; names[n]; n++) {
        assert_true(n < disks.n);
        assert_string_equal(disks.v[n].name, names[n]);
    }
    assert_int_equal(disks.n, n);
}

#define MOUNTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_MOUNTS   ((const char *const[]){NULL})

static void local_file_systems_are_shown_by_mount_point(void **state)
{
    assert_mounts(*state,
                  "30 1 8:2 / /srv rw shared:4 - xfs /dev/sda2 rw\n"
                  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
                  "31 22 8:3 / /boot/efi rw master:1 propagate_from:2 - vfat /dev/sda3 rw\n",
                  MOUNTS("/", "/boot/efi", "/srv"));
}

static void device_and_type_are_told(void **state)
{
    struct fixture *f = *state;
    struct disk_list disks;

    mounts_parse(SLICE("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"), &f->arena, &disks);
    assert_string_equal(disks.v[0].device, "/dev/sda1");
    assert_string_equal(disks.v[0].fstype, "ext4");
}

static void pseudo_network_and_image_file_systems_are_not_shown(void **state)
{
    assert_mounts(*state,
                  "22 1 0:21 / /proc rw - proc proc rw\n"
                  "23 1 0:22 / /mnt rw - nfs4 server:/x rw\n"
                  "24 1 7:0 / /snap/core ro - squashfs /dev/loop0 ro\n"
                  "25 1 0:23 / /run rw - tmpfs tmpfs rw\n"
                  "26 1 0:24 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n",
                  NO_MOUNTS);
}

static void a_bind_mount_does_not_show_its_file_system_twice(void **state)
{
    assert_mounts(*state,
                  "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                  "23 22 8:1 /var/data /srv/data rw - ext4 /dev/sda1 rw\n"
                  "24 22 8:1 / /mnt/whole rw - ext4 /dev/sda1 rw\n",
                  MOUNTS("/"));
}

static void of_one_device_the_shortest_mount_point_is_shown(void **state)
{
    assert_mounts(*state,
                  "23 1 8:5 / /var/lib/longer rw - ext4 /dev/sda5 rw\n"
                  "24 1 8:5 / /data rw - ext4 /dev/sda5 rw\n",
                  MOUNTS("/data"));
}

static void a_subvolume_of_btrfs_is_shown(void **state)
{
    assert_mounts(*state,
                  "22 1 0:40 /@ / rw - btrfs /dev/sda1 rw\n"
                  "23 22 0:40 /@home /home rw - btrfs /dev/sda1 rw\n"
                  "24 22 0:41 /@data /data rw - btrfs /dev/sdb1 rw\n",
                  MOUNTS("/", "/data"));
}

static void the_root_of_a_container_is_shown(void **state)
{
    assert_mounts(*state,
                  "22 1 0:60 / / rw - overlay overlay rw,lowerdir=/a:/b\n"
                  "23 22 8:1 /docker/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n",
                  MOUNTS("/"));
    assert_mounts(*state, "22 1 8:1 /machines/web / rw - ext4 /dev/sda1 rw\n", MOUNTS("/"));
}

static void a_later_mount_hides_an_earlier_one_at_its_place(void **state)
{
    struct fixture *f = *state;
    struct disk_list disks;

    mounts_parse(SLICE("23 1 8:5 / /data rw - ext4 /dev/sda5 rw\n"
                       "24 1 8:6 / /data rw - xfs /dev/sda6 rw\n"),
                 &f->arena, &disks);
    assert_int_equal(disks.n, 1);
    assert_string_equal(disks.v[0].device, "/dev/sda6");
}

static void escapes_in_mount_points_are_resolved(void **state)
{
    assert_mounts(*state,
                  "23 1 8:5 / /my\\040disk\\134 rw - ext4 /dev/sda5 rw\n"
                  "24 1 8:6 / /short\\04 rw - ext4 /dev/sda6 rw\n",
                  MOUNTS("/my disk\\", "/short\\04"));
}

static void broken_lines_of_mountinfo_are_passed_over(void **state)
{
    assert_mounts(*state,
                  "\n23\n23 1 8:5 / /x rw\n23 1 8:5 / /x rw - ext4\n   - - - -\n"
                  "24 1 8:6 / /ok rw - ext4 /dev/sda6 rw",
                  MOUNTS("/ok"));
}

static void more_mounts_than_shown_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct disk_list disks;
    struct buf text;

    buf_init(&text, (size_t)1 << 20);
    for (int i = 0; i < MOUNTS_MAX + 10; i++)
        buf_printf(&text, "%d 1 9:%d / /m%d rw - ext4 /dev/x rw\n", i, i, i);
    mounts_parse(buf_slice(&text), &f->arena, &disks);
    assert_int_equal(disks.n, MOUNTS_MAX);
    buf_release(&text);
}

/* ---- memory, load, os ---- */

static void used_memory_is_what_is_not_available(void **state)
{
    struct memory memory;

    (void)state;
    assert_int_equal(memory_parse(SLICE("MemTotal:       1000 kB\nMemFree:         100 kB\n"
                                        "MemAvailable:    700 kB\nCached:          300 kB\n"
                                        "SwapTotal:        50 kB\nSwapFree:         20 kB\n"
                                        "SReclaimable:     40 kB\nCachedOther:      1 kB\n"),
                                  &memory),
                     0);
    assert_int_equal(memory.total, 1000 * 1024);
    assert_int_equal(memory.free, 100 * 1024);
    assert_int_equal(memory.used, 300 * 1024);
    assert_int_equal(memory.available, 700 * 1024);
    assert_int_equal(memory.cached, 340 * 1024);
    assert_int_equal(memory.swap_total, 50 * 1024);
    assert_int_equal(memory.swap_free, 20 * 1024);
}

static void memory_without_its_total_is_a_fault(void **state)
{
    struct memory memory;

    (void)state;
    assert_int_equal(memory_parse(SLICE("MemFree: 100 kB\nMemAvailable: 7 kB\n"), &memory),
                     -ENODATA);
    assert_int_equal(memory_parse(SLICE(""), &memory), -ENODATA);
}

static void load_is_the_first_three_numbers(void **state)
{
    struct load_average load;

    (void)state;
    assert_int_equal(load_parse(SLICE("0.50 1.25 12.00 3/300 12345\n"), &load), 0);
    assert_true(load.one == 0.5 && load.five == 1.25 && load.fifteen == 12);
    assert_int_equal(load_parse(SLICE("0.50 1.25\n"), &load), -ENODATA);
    assert_int_equal(load_parse(SLICE("0.50 x 1"), &load), -ENODATA);
    assert_int_equal(load_parse(SLICE("nan nan nan 1"), &load), -ENODATA);
}

static void assert_os(struct fixture *f, const char *release, const char *debian,
                      const char *distribution, const char *version)
{
    struct os_info os;

    assert_int_equal(os_parse(slice_of(release), slice_of(debian), &f->arena, &os), 0);
    assert_string_equal(os.distribution, distribution);
    assert_string_equal(os.version, version);
}

static void debian_tells_its_point_release(void **state)
{
    assert_os(*state, "PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n", "12.5\n", "debian",
              "12.5");
    assert_os(*state, "ID=debian\nVERSION_ID=\"12\"\n", "", "debian", "12");
    assert_os(*state, "ID=ubuntu\nVERSION_ID=\"24.04\"\n", "trixie/sid\n", "ubuntu", "24.04");
    assert_os(*state, "ID='opensuse-leap'\nVERSION_ID=\"15\\$5\"\n", "", "opensuse-leap", "15$5");
    assert_os(*state, "VERSION_ID=no\nID=arch", "", "arch", "no");
    assert_os(*state, "ID=arch", "", "arch", "");
}

static void a_system_without_an_id_is_a_fault(void **state)
{
    struct fixture *f = *state;
    struct os_info os;

    assert_int_equal(os_parse(SLICE("NAME=x\nXID=y\n"), SLICE(""), &f->arena, &os), -ENODATA);
}

/* ---- this machine ---- */

static void run_op(struct fixture *f, enum op_id id)
{
    struct refusal why = {.text = ""};

    assert_int_equal(host_run(&op_catalog[id], &f->host, SLICE("{}"), &f->data), 0);
    if (schema_check(op_catalog[id].out, buf_slice(&f->data), JSON_VALUES_MAX_RESULT, &why))
        fail_msg("%s: %s %s", op_catalog[id].type, why.field, why.text);
    assert_false(f->host.changed);
}

static void every_reading_operation_gives_what_its_row_says(void **state)
{
    static const enum op_id ids[] = {
        OP_node_status, OP_node_hostname, OP_node_disk,   OP_node_memory,
        OP_node_load,   OP_node_os,       OP_node_uptime,
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        buf_clear(&f->data);
        run_op(f, ids[i]);
    }
}

static void disks_agree_with_statvfs(void **state)
{
    struct fixture *f = *state;
    struct disk_list disks;

    assert_int_equal(host_read_disks(&f->host, &disks), 0);
    for (size_t i = 0; i < disks.n; i++) {
        struct statvfs fs;
        const struct disk *disk = &disks.v[i];

        assert_int_equal(statvfs(disk->name, &fs), 0);
        assert_int_equal(disk->total, (int64_t)(fs.f_blocks * fs.f_frsize));
        assert_true(disk->used > 0 && disk->used <= disk->total);
        assert_true(disk->free >= 0 && disk->free <= disk->total);
    }
}

static int64_t meminfo_bytes(struct fixture *f, const char *name)
{
    struct slice text;
    long long kb = -1;

    assert_int_equal(file_read("/proc/meminfo", 65536, &f->arena, &text), 0);
    const char *at = strstr(text.at, name);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(name), ": %lld kB", &kb), 1);
    return kb * 1024;
}

static void memory_agrees_with_meminfo(void **state)
{
    struct fixture *f = *state;
    struct memory memory;

    assert_int_equal(host_read_memory(&f->host, &memory), 0);
    assert_int_equal(memory.total, meminfo_bytes(f, "MemTotal"));
    assert_int_equal(memory.swap_total, meminfo_bytes(f, "SwapTotal"));
    assert_int_equal(memory.used, memory.total - memory.available);
    int64_t now = meminfo_bytes(f, "MemAvailable"), difference = now - memory.available;
    assert_true(difference > -memory.total / 8 && difference < memory.total / 8);
}

static void uptime_agrees_with_the_kernel(void **state)
{
    struct fixture *f = *state;
    struct sysinfo now;
    int64_t uptime_s;

    assert_int_equal(host_read_uptime(&f->host, &uptime_s), 0);
    assert_int_equal(sysinfo(&now), 0);
    assert_in_range(now.uptime, uptime_s, uptime_s + 5);
}

static void the_name_comes_with_the_labels_of_the_agent(void **state)
{
    struct fixture *f = *state;
    struct str_entry label = {.key = "group", .val = "web.dev"};
    const struct str_map labels = {.v = &label, .n = 1};

    f->host.labels = &labels;
    run_op(f, OP_node_hostname);
    assert_true(slice_is(buf_slice(&f->data), "{\"labels\":{\"group\":\"web.dev\"}}"));
}

static void what_completed_with_nothing_to_say_has_an_empty_result(void **state)
{
    struct fixture *f = *state;

    run_op(f, OP_node_hostname);
    assert_string_equal(buf_text(&f->data), "{}");
}

static void input_that_is_not_the_operations_fails(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(host_run(&op_catalog[OP_node_load], &f->host, SLICE("{\"x\":1}"), &f->data),
                     HOST_FAILED);
    assert_int_equal(f->host.code, run_code_ERROR);
    assert_non_null(strstr(f->host.error, "x"));
    assert_int_equal(f->data.size, 0);
}

static void an_operation_of_the_controller_is_none_of_hosts(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(host_run(&op_catalog[OP_job_list], &f->host, SLICE("{}"), &f->data),
                     HOST_FAILED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(local_file_systems_are_shown_by_mount_point),
        TEST(device_and_type_are_told),
        TEST(pseudo_network_and_image_file_systems_are_not_shown),
        TEST(a_bind_mount_does_not_show_its_file_system_twice),
        TEST(of_one_device_the_shortest_mount_point_is_shown),
        TEST(a_subvolume_of_btrfs_is_shown),
        TEST(the_root_of_a_container_is_shown),
        TEST(a_later_mount_hides_an_earlier_one_at_its_place),
        TEST(escapes_in_mount_points_are_resolved),
        TEST(broken_lines_of_mountinfo_are_passed_over),
        TEST(more_mounts_than_shown_do_no_harm),
        TEST(used_memory_is_what_is_not_available),
        TEST(memory_without_its_total_is_a_fault),
        TEST(load_is_the_first_three_numbers),
        TEST(debian_tells_its_point_release),
        TEST(a_system_without_an_id_is_a_fault),
        TEST(every_reading_operation_gives_what_its_row_says),
        TEST(disks_agree_with_statvfs),
        TEST(memory_agrees_with_meminfo),
        TEST(uptime_agrees_with_the_kernel),
        TEST(the_name_comes_with_the_labels_of_the_agent),
        TEST(what_completed_with_nothing_to_say_has_an_empty_result),
        TEST(input_that_is_not_the_operations_fails),
        TEST(an_operation_of_the_controller_is_none_of_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
