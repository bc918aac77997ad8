/* The kernel's random numbers, also where it has none yet: a seccomp filter plays the kernel of a
 * machine that has just begun. */
#include "hosts/linux/loop.h"
#include "hosts/linux/seed.h"
#include "tests/tap.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_RUN 77

/* getrandom with any flags but `allowed` fails with error from now on, in this process. */
static bool refuse_getrandom(unsigned allowed, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What a child gets there; its time in *us. */
static int seed_of_child(unsigned allowed, int error, unsigned wait_ms, uint64_t *us) {
    uint64_t start_us = lb_now_us();
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        uint8_t seed[LB_RAND_SEED_BYTES] = {0}, zeros[LB_RAND_SEED_BYTES] = {0};
        if (!refuse_getrandom(allowed, error))
            _exit(NOT_RUN);
        int from = (int)lb_seed_fill(seed, wait_ms);
        _exit(memcmp(seed, zeros, sizeof(seed)) == 0 ? 99 : from);
    }
    CHECK(waitpid(child, &status, 0) == child);
    *us = lb_now_us() - start_us;
    return WEXITSTATUS(status);
}

static void two_seeds_differ(void) {
    uint8_t one[LB_RAND_SEED_BYTES] = {0}, two[LB_RAND_SEED_BYTES] = {0};
    CHECK_EQ(lb_seed_fill(one, 0), LB_SEED_READY);
    CHECK_EQ(lb_seed_fill(two, 0), LB_SEED_READY);
    CHECK(memcmp(one, two, sizeof(one)) != 0);
}

static void a_pool_that_is_not_ready_is_waited_for_and_then_taken_as_it_is(void) {
    uint64_t us;
    int from = seed_of_child(4 /* GRND_INSECURE */, EAGAIN, 300, &us);
    if (from == NOT_RUN)
        return; /* no seccomp here */
    CHECK_EQ(from, LB_SEED_EARLY);
    CHECK(us >= 300 * LB_US_MS && us < 10 * LB_US_SEC);
}

static void an_old_kernel_is_asked_by_its_device(void) {
    uint64_t us;
    int from = seed_of_child(99, EAGAIN, 0, &us);
    CHECK(from == NOT_RUN || from == LB_SEED_EARLY);
    from = seed_of_child(99, ENOSYS, 5000, &us);
    CHECK(from == NOT_RUN || from == LB_SEED_EARLY);
    CHECK(us < 4 * LB_US_SEC); /* nothing to wait for */
}

static void each_says_what_it_is(void) {
    CHECK_STR(lb_seed_word(LB_SEED_READY), "from the kernel");
    CHECK_HAS(lb_seed_word(LB_SEED_EARLY), "can be guessed");
    CHECK_STR(lb_seed_word(LB_SEED_NONE), "none");
}

int main(void) {
    TEST(two_seeds_differ);
    TEST(a_pool_that_is_not_ready_is_waited_for_and_then_taken_as_it_is);
    TEST(an_old_kernel_is_asked_by_its_device);
    TEST(each_says_what_it_is);
    return tap_done();
}
