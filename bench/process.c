/* SPDX-License-Identifier: MIT */
/*
 * Reads procfs and sysfs. A file that is not as documented ends the program: a wrong figure is
 * worse than none.
 */
#include "process.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROC_CAP    ((size_t)64 << 10)
#define SECTOR_SIZE 512 /* of the statistics and of stat(2), whatever the disk's is */
#define DROP_CACHES "/proc/sys/vm/drop_caches"

/* ---- start, stop ---- */

static bool pass_fd(int fd)
{
    if (fd == PROCESS_READY_FD)
        return fcntl(fd, F_SETFD, 0) >= 0; /* dup2() would leave it closed on exec */
    return fd < 0 || dup2(fd, PROCESS_READY_FD) >= 0;
}

static _Noreturn void become(const char *const *argv, int ready_fd, int log_fd)
{
    union {
        const char *const *given;
        char *const *taken;
    } words = {.given = argv};

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(log_fd, STDOUT_FILENO) >= 0 && dup2(log_fd, STDERR_FILENO) >= 0 && pass_fd(ready_fd))
        execv(argv[0], words.taken);
    _exit(127);
}

pid_t process_start(const char *const *argv, int ready_fd, const char *log)
{
    CLEANUP(fd_closep) int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (log_fd < 0)
        give_up(log, strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("fork", strerror(errno));
    if (pid == 0)
        become(argv, ready_fd, log_fd);
    return pid;
}

int process_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            give_up("wait", strerror(errno));
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void process_stop(pid_t pid)
{
    kill(pid, SIGTERM);
    process_wait(pid);
}

/* ---- procfs ---- */

static const char *read_text(const char *path, struct arena *arena)
{
    struct slice text;

    int r = file_read(path, PROC_CAP, arena, &text);
    if (r)
        give_up(path, strerror(-r));
    return text.at;
}

/* The number behind a name, "RssAnon:" say. */
static int64_t number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    if (!at)
        give_up(name, "the kernel does not tell");
    return strtoll(at + strlen(name), NULL, 10);
}

static bool is_named(pid_t pid, const char *name, struct arena *arena)
{
    const char *comm = read_text(arena_printf(arena, "/proc/%d/comm", (int)pid), arena);

    return slice_is((struct slice){.at = comm, .size = strcspn(comm, "\n")}, name);
}

pid_t process_child(pid_t parent, const char *name)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *at = read_text(
        arena_printf(&arena, "/proc/%d/task/%d/children", (int)parent, (int)parent), &arena);

    for (char *end;; at = end) {
        pid_t pid = (pid_t)strtol(at, &end, 10);
        if (end == at)
            return 0;
        if (is_named(pid, name, &arena))
            return pid;
    }
}

double process_anon_size(pid_t pid)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *text = read_text(arena_printf(&arena, "/proc/%d/status", (int)pid), &arena);

    return (double)number_after(text, "RssAnon:") * 1024;
}

int64_t process_cpu_ns(pid_t pid)
{
    struct timespec time;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &time) < 0)
        give_up("CPU time of another process", strerror(errno));
    return (int64_t)time.tv_sec * 1000 * US_PER_S + time.tv_nsec;
}

int64_t process_written(pid_t pid)
{
    CLEANUP(arena_release) struct arena arena = {0};
    const char *text = read_text(arena_printf(&arena, "/proc/%d/io", (int)pid), &arena);

    return number_after(text, "\nwrite_bytes:");
}

/* ---- files and disks ---- */

int64_t file_disk_size(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        give_up(path, strerror(errno));
    return (int64_t)status.st_blocks * SECTOR_SIZE;
}

void file_make_cold(const char *path)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fdatasync(fd) < 0)
        give_up(path, strerror(errno));
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    CLEANUP(fd_closep) int all_fd = open(DROP_CACHES, O_WRONLY | O_CLOEXEC);
    if (all_fd >= 0 && write(all_fd, "1", 1) != 1)
        give_up(DROP_CACHES, strerror(errno));
}

void file_make_warm(const char *path)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        give_up(path, strerror(errno));
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (bytes == MAP_FAILED)
        give_up(path, strerror(errno));
    (void)mlock(bytes, (size_t)status.st_size); /* it has been read in any case */
}

int64_t disk_written(const char *dir)
{
    CLEANUP(arena_release) struct arena arena = {0};
    struct stat stat_;
    uint64_t sectors;

    if (stat(dir, &stat_) < 0)
        give_up(dir, strerror(errno));
    const char *text = read_text(
        arena_printf(&arena, "/sys/dev/block/%u:%u/stat", major(stat_.st_dev), minor(stat_.st_dev)),
        &arena);
    /* The seventh number (Documentation/block/stat.rst). */
    if (sscanf(text, "%*u %*u %*u %*u %*u %*u %" SCNu64, &sectors) != 1)
        give_up("sectors written", "the kernel does not tell");
    return (int64_t)sectors * SECTOR_SIZE;
}
