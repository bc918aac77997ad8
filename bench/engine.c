/* What the engine costs while nothing happens: boots over the scripted host of the unit tests, then
 * polls it, with a disk that is up and idle. Prints nanoseconds of CPU time a poll, and the sizes
 * of the main structs. */
#include "core/boot/test_boot_host.h"

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 5, POLLS = 2000000 };

static double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double poll_ns(void) {
    double start = cpu_ns();
    for (unsigned i = 0; i < POLLS; i++)
        lb_assert(lb_boot_poll(&host.boot, host.now).event == LB_BOOT_WAIT);
    return (cpu_ns() - start) / POLLS;
}

static void print_sizes(void) {
#define SIZE(type)                                                                                 \
    { #type, sizeof(type) }
    static const struct {
        const char *name;
        size_t bytes;
    } sizes[] = {
        SIZE(struct lb_boot),         SIZE(struct lb_boot_setup), SIZE(struct lb_plan),
        SIZE(struct lb_report),       SIZE(struct lb_network),    SIZE(struct lb_judge),
        SIZE(struct lb_families),     SIZE(struct lb_finder),     SIZE(struct lb_candidates),
        SIZE(struct lb_names),        SIZE(struct lb_shield),     SIZE(struct lb_path),
        SIZE(struct lb_unit),         SIZE(struct lb_listing),    SIZE(struct lb_initiator),
        SIZE(struct lb_disk),         SIZE(struct lb_config),     SIZE(struct lb_dhcp4_client),
        SIZE(struct lb_dhcp6_client), SIZE(struct lb_nd6_client),
    };
#undef SIZE
    for (size_t i = 0; i < LB_COUNT(sizes); i++)
        printf("%7zu  %s\n", sizes[i].bytes, sizes[i].name);
}

int main(void) {
    double best = 1e12;
    host_init();
    if (!host_boots())
        return 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double ns = poll_ns();
        best = LB_MIN(best, ns);
    }
    printf("%.0f ns an idle poll\n", best);
    print_sizes();
    return 0;
}
