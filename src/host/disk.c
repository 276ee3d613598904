/* SPDX-License-Identifier: MIT */
/*
 * Local file systems of this host.
 *
 * Network file systems are never asked: statvfs() on a dead one does not come back.
 */
#include "base/file.h"
#include "base/mem.h"
#include "host/procfs.h"

#include <sys/statvfs.h>

#define MOUNTINFO_MAX ((size_t)4 << 20)

/* Types that hold data of this machine. Images that are full by nature (squashfs, iso9660, …) are
   not among them. */
static const char *const local_types[] = {
    "bcachefs", "btrfs",  "exfat", "ext2",  "ext3",     "ext4", "f2fs", "hfsplus", "jfs",
    "msdos",    "nilfs2", "ntfs",  "ntfs3", "reiserfs", "vfat", "xfs",  "zfs",
};

/* One line of mountinfo; the slices are as they stand there, escaped. */
struct mount {
    struct slice device_number, root, point, type, source;
};

static bool type_is_local(struct slice type)
{
    for (size_t i = 0; i < COUNT_OF(local_types); i++) {
        if (slice_is(type, local_types[i]))
            return true;
    }
    return false;
}

/* proc_pid_mountinfo(5): id parent major:minor root point options [optional…] - type source
   super-options */
static bool mount_parse(struct slice line, struct mount *ret)
{
    struct slice word, fields[6];

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (!slice_cut(&line, ' ', &fields[i]))
            return false;
    }
    do {
        if (!slice_cut(&line, ' ', &word))
            return false;
    } while (!slice_is(word, "-"));
    *ret = (struct mount){.device_number = fields[2], .root = fields[3], .point = fields[4]};
    return slice_cut(&line, ' ', &ret->type) && slice_cut(&line, ' ', &ret->source);
}

/* A mount of a directory inside a file system shows that file system a second time. Subvolumes of
   btrfs are directories too, but may be all that is mounted; so may be what a container has as its
   root. */
static bool mount_is_shown(const struct mount *mount)
{
    if (slice_is(mount->point, "/"))
        return type_is_local(mount->type) || slice_is(mount->type, "overlay");
    return type_is_local(mount->type) &&
           (slice_is(mount->root, "/") || slice_is(mount->type, "btrfs"));
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Blanks, tabs, line ends and backslashes are written as \ooo. */
static const char *unescape(struct slice text, struct arena *arena)
{
    char *plain = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        const char *c = text.at + i;
        bool escape =
            *c == '\\' && i + 3 < text.size && is_octal(c[1]) && is_octal(c[2]) && is_octal(c[3]);

        plain[size++] = escape ? (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0')) : *c;
        i += escape ? 3 : 0;
    }
    return plain;
}

/* Of two mounts at one point the later hides the earlier; of two of one device the shorter point is
   shown. */
static void mount_keep(struct mount *mounts, size_t *n, const struct mount *mount)
{
    for (size_t i = 0; i < *n; i++) {
        if (slice_equal(mounts[i].point, mount->point)) {
            mounts[i] = *mount;
            return;
        }
        if (slice_equal(mounts[i].device_number, mount->device_number)) {
            if (mount->point.size < mounts[i].point.size)
                mounts[i] = *mount;
            return;
        }
    }
    if (*n < MOUNTS_MAX)
        mounts[(*n)++] = *mount;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct disk *)a)->name, ((const struct disk *)b)->name);
}

void mounts_parse(struct slice mountinfo, struct arena *arena, struct disk_list *ret)
{
    struct mount *mounts = arena_alloc(arena, MOUNTS_MAX * sizeof(*mounts));
    struct slice line;
    size_t n = 0;
    bool more = true;

    while (more) {
        struct mount mount;

        more = slice_cut(&mountinfo, '\n', &line);
        if (mount_parse(line, &mount) && mount_is_shown(&mount))
            mount_keep(mounts, &n, &mount);
    }

    *ret = (struct disk_list){.v = arena_alloc(arena, (n + 1) * sizeof(struct disk)), .n = n};
    for (size_t i = 0; i < n; i++) {
        SET(&ret->v[i], name, unescape(mounts[i].point, arena));
        SET(&ret->v[i], device, unescape(mounts[i].source, arena));
        SET(&ret->v[i], fstype, unescape(mounts[i].type, arena));
    }
    qsort(ret->v, n, sizeof(*ret->v), by_name);
}

static bool disk_measure(struct disk *disk)
{
    struct statvfs fs;

    if (statvfs(disk->name, &fs) < 0 || fs.f_blocks == 0)
        return false;
    int64_t unit = (int64_t)fs.f_frsize;
    SET(disk, total, (int64_t)fs.f_blocks * unit);
    SET(disk, used, (int64_t)(fs.f_blocks - fs.f_bfree) * unit);
    SET(disk, free, (int64_t)fs.f_bavail * unit);
    return true;
}

/* Below a chroot the root is no mount, and mountinfo does not say what it lies on. `disks` has room
 * for one more. */
static void root_add(struct disk_list *disks)
{
    struct disk root = {.name = "/", .has_name = true};

    if ((disks->n && strcmp(disks->v[0].name, "/") == 0) || !disk_measure(&root))
        return;
    memmove(disks->v + 1, disks->v, disks->n * sizeof(*disks->v));
    disks->v[0] = root;
    disks->n++;
}

/* What can't be measured is left out: one broken mount must not hide the others. */
int host_read_disks(struct host *host, struct disk_list *ret)
{
    struct slice mountinfo;
    struct disk_list disks;
    size_t measured = 0;

    int r = file_read("/proc/1/mountinfo", MOUNTINFO_MAX, host->arena, &mountinfo);
    if (r)
        r = file_read("/proc/self/mountinfo", MOUNTINFO_MAX, host->arena, &mountinfo);
    if (r)
        return r;
    mounts_parse(mountinfo, host->arena, &disks);
    for (size_t i = 0; i < disks.n; i++) {
        if (disk_measure(&disks.v[i]))
            disks.v[measured++] = disks.v[i];
    }
    disks.n = measured;
    root_add(&disks);
    *ret = disks;
    return 0;
}

int op_node_disk(struct host *host, const struct none *input, struct node_disk_out *ret_out)
{
    (void)input;
    int r = host_read_disks(host, &ret_out->disks);
    if (r)
        return r;
    ret_out->has_disks = true;
    return 0;
}
