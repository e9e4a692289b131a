/* tests/scenario/suspend.c: a machine that was suspended, as a program sees it: the wall and the boot clock have gone
 * on, the monotonic one has not. Preloaded; the file named by SUSPENDED holds the seconds, and is looked at each time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *seconds; /* mapped: a test writes, and it is seen at once */
static int (*real_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SUSPENDED");
    const int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (mapped != MAP_FAILED) seconds = mapped;
    if (fd >= 0) close(fd);
}

int clock_gettime(clockid_t id, struct timespec *into) {
    if (!real_gettime) *(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const int code = real_gettime(id, into);
    if (code == 0 && seconds && (id == CLOCK_REALTIME || id == CLOCK_BOOTTIME))
        into->tv_sec += strtol(seconds, NULL, 10);
    return code;
}
