/* Preloaded into a target: ends it with SIGKILL at its n-th call that changes a file.
 *
 * crash_arm(n, mode) starts counting; mode 0 only counts, 1 kills before the call, 2 after it, 3 in
 * the middle of it (half of what a write should write). Mode 4 kills nothing: the process stops
 * before each call until somebody who read a byte from the pipe `ask` writes one to the pipe `go`,
 * both in the working directory; the byte is w for what changes a file and s for fsync.
 * crash_disarm() returns the number of calls. Calls on sockets, pipes and stderr do not count.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, BEFORE, AFTER, TORN, ASK };
static volatile long seen, at;
static volatile int armed, mode;
static int asking, going;

void crash_arm(long number, int how) {
    seen = 0; at = number; mode = how;
    if (mode == ASK) {
        asking = open("ask", O_WRONLY | O_CLOEXEC);
        going = open("go", O_RDONLY | O_CLOEXEC);
    }
    armed = 1;
}
long crash_disarm(void) { armed = 0; return seen; }

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name))
static void *real(const char *name, void **kept) {
    if (!*kept) *kept = dlsym(RTLD_NEXT, name);
    return *kept;
}
static void *real_write;

/* How this call ends the process, COUNT if it does not. */
static int due(char what) {
    if (!armed) return COUNT;
    long number = __atomic_add_fetch(&seen, 1, __ATOMIC_SEQ_CST);
    if (mode == ASK) {
        if (REAL(write)(asking, &what, 1) != 1 || read(going, &what, 1) != 1) die();
        return COUNT;
    }
    if (number != at) return COUNT;
    if (mode == BEFORE) die();
    return mode;
}

static int due_on(int file, char what) {
    struct stat found;
    if (!armed || file == STDERR_FILENO || fstat(file, &found) != 0) return COUNT;
    return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode) ? due(what) : COUNT;
}

#define CALL(kind, name, declared, given, how, torn)  \
    static void *real_##name;                         \
    kind name declared {                              \
        int end = how;                                \
        kind result;                                  \
        if (end == TORN) { torn; die(); }             \
        result = REAL(name) given;                    \
        if (end == AFTER) die();                      \
        return result;                                \
    }

CALL(ssize_t, write, (int f, const void *b, size_t n), (f, b, n), due_on(f, 'w'),
     REAL(write)(f, b, n / 2))
CALL(ssize_t, pwrite, (int f, const void *b, size_t n, off_t o), (f, b, n, o), due_on(f, 'w'),
     REAL(pwrite)(f, b, n / 2, o))
CALL(ssize_t, pwrite64, (int f, const void *b, size_t n, off64_t o), (f, b, n, o), due_on(f, 'w'),
     REAL(pwrite64)(f, b, n / 2, o))
CALL(ssize_t, writev, (int f, const struct iovec *v, int n), (f, v, n), due_on(f, 'w'),
     REAL(writev)(f, v, n / 2))
CALL(int, fsync, (int f), (f), due_on(f, 's'), (void)0)
CALL(int, fdatasync, (int f), (f), due_on(f, 's'), (void)0)
CALL(int, ftruncate, (int f, off_t n), (f, n), due_on(f, 'w'), (void)0)
CALL(int, ftruncate64, (int f, off64_t n), (f, n), due_on(f, 'w'), (void)0)
CALL(int, rename, (const char *a, const char *b), (a, b), due('w'), (void)0)
CALL(int, renameat, (int d, const char *a, int e, const char *b), (d, a, e, b), due('w'), (void)0)
CALL(int, unlink, (const char *a), (a), due('w'), (void)0)
CALL(int, unlinkat, (int d, const char *a, int n), (d, a, n), due('w'), (void)0)
