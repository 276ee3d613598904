/* SPDX-License-Identifier: MIT */
/*
 * Programs as the kernel accounts for them: started here, or found by their parent.
 */
#ifndef REEVE_BENCH_PROCESS_H
#define REEVE_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#define PROCESS_READY_FD 3

/* One that ends with this process, however that ends. argv[0] is its path. `ready_fd` becomes its
   descriptor PROCESS_READY_FD (negative: it gets none), standard output and error go to the file
   `log`. Its process id. */
pid_t process_start(const char *const *argv, int ready_fd, const char *log);
/* Waits for its end: its exit status, -1 when it was killed. */
int process_wait(pid_t pid);
/* SIGTERM, and waits for its end. */
void process_stop(pid_t pid);
/* A child by the name the kernel shows, of which it keeps 15 characters; 0: none. */
pid_t process_child(pid_t parent, const char *name);

/* Memory of its own that no file backs (RssAnon), in bytes. */
double process_anon_size(pid_t pid);
/* Time that all its threads have had, ended ones included, in nanoseconds. */
int64_t process_cpu_ns(pid_t pid);
/* Bytes it has had written to a disk (write_bytes of proc_pid_io(5)); of a daemon of Reeve's root
   alone is told. Where a file system has large folios the kernel counts all of one of which a page
   was written. */
int64_t process_written(pid_t pid);

/* What a file takes of its disk, in bytes. */
int64_t file_disk_size(const char *path);
/* The kernel forgets the file's pages, or those of all files where it lets us (as root); what a
   program has mapped stays. */
void file_make_cold(const char *path);
/* Reads it, and keeps it in memory until this process ends, where the kernel lets us: as root, or
   within RLIMIT_MEMLOCK. */
void file_make_warm(const char *path);
/* Bytes written to the disk that holds the directory, by whomever. */
int64_t disk_written(const char *dir);

#endif
