#include "hosts/linux/seed.h"
#include "hosts/linux/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#define LOOK_US (20 * LB_US_MS)

#ifndef GRND_INSECURE
#define GRND_INSECURE 0x0004 /* Linux 5.6 */
#endif

static bool ask(uint8_t seed[LB_RAND_SEED_BYTES], unsigned flags) {
    ssize_t got;
    do
        got = getrandom(seed, LB_RAND_SEED_BYTES, flags);
    while (got < 0 && errno == EINTR);
    return got == LB_RAND_SEED_BYTES;
}

/* It never waits, and before Linux 5.6 it is the only one that does not. */
static bool read_urandom(uint8_t seed[LB_RAND_SEED_BYTES]) {
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool did = fd >= 0 && read(fd, seed, LB_RAND_SEED_BYTES) == LB_RAND_SEED_BYTES;
    int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return did;
}

enum lb_seed lb_seed_fill(uint8_t seed[LB_RAND_SEED_BYTES], unsigned wait_ms) {
    uint64_t until_us = lb_now_us() + wait_ms * LB_US_MS;
    bool did = ask(seed, GRND_NONBLOCK);
    while (!did && errno == EAGAIN && lb_now_us() < until_us) {
        usleep(LOOK_US);
        did = ask(seed, GRND_NONBLOCK);
    }
    if (did)
        return LB_SEED_READY;
    return ask(seed, GRND_INSECURE) || read_urandom(seed) ? LB_SEED_EARLY : LB_SEED_NONE;
}

const char *lb_seed_word(enum lb_seed from) {
    switch (from) {
    case LB_SEED_READY:
        return "from the kernel";
    case LB_SEED_EARLY:
        return "from the kernel, before it had gathered enough: they can be guessed";
    case LB_SEED_NONE:
        break;
    }
    return "none";
}
