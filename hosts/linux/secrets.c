#include "hosts/linux/secrets.h"
#include "core/crypto/crypto.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NAME_MAX_BYTES 64

extern char **environ;

static struct rlimit before;
static bool is_guarded;

bool lb_secrets_is_one(struct lb_bytes name, struct lb_bytes value) {
    static const char *const words[] = {"password", "passwd", "secret"};
    char lower[NAME_MAX_BYTES];
    if (memchr(value.p, '@', value.len))
        return lb_bytes_start_with(value, lb_bytes_of_text("iscsi:"));
    if (!lb_text_copy(lower, sizeof(lower), name))
        return false;
    for (char *c = lower; *c; c++)
        *c = (char)lb_ascii_lower((uint8_t)*c);
    for (size_t i = 0; i < LB_COUNT(words); i++) {
        if (strstr(lower, words[i]) && (strstr(lower, "iscsi") || strstr(lower, "chap")))
            return true;
    }
    return false;
}

/* The memory is what /proc/PID/environ shows, so it is overwritten, too. */
static void clear_environment(void) {
    size_t at = 0;
    while (environ && environ[at]) {
        char *value = strchr(environ[at], '=');
        size_t len = value ? (size_t)(value - environ[at]) : 0;
        char name[NAME_MAX_BYTES];
        if (!value || !lb_secrets_is_one(lb_bytes(environ[at], len), lb_bytes_of_text(value + 1)) ||
            !lb_text_copy(name, sizeof(name), lb_bytes(environ[at], len))) {
            at++;
            continue;
        }
        lb_wipe(value + 1, strlen(value + 1));
        unsetenv(name);
    }
}

void lb_secrets_guard(void) {
    struct rlimit limit;
    prctl(PR_SET_DUMPABLE, 0);
    if (!is_guarded && getrlimit(RLIMIT_CORE, &before) == 0) {
        limit = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
        is_guarded = setrlimit(RLIMIT_CORE, &limit) == 0;
    }
    clear_environment();
}

void lb_secrets_guard_memory(void *p, size_t len) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)p / page * page,
              end = ((uintptr_t)p + len + page - 1) / page * page;
    (void)madvise((void *)start, end - start, MADV_DONTDUMP);
}

void lb_secrets_release(void) {
    if (is_guarded)
        (void)setrlimit(RLIMIT_CORE, &before);
    is_guarded = false;
}
