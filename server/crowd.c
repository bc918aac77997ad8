#include "server/crowd.h"
#include "server/say.h"
#include <stdlib.h>

#define AT_ONCE (2 * LB_CROWD_LEAST) /* they are looked for among all: not for each that comes */
#define ASKED   (LB_CROWD_LEAST / 4) /* since they were looked for last */

struct passer {
    uint64_t asked;
    uint32_t number;
};

/* It has left nothing, and nobody has said anything about it. */
static bool is_passer(const struct lb_server_machine *machine) {
    return !machine->is_gone && !machine->is_section && machine->name[0] != '\0' &&
           machine->writes != LB_WRITES_DIRECT && !machine->head.is_used && !machine->is_open &&
           !machine->is_maintained && !machine->is_busy && !machine->is_at_work &&
           machine->node->login_status == 0;
}

static bool has_session(const struct lb_server_target *target,
                        const struct lb_server_machine *machine) {
    const struct lb_server_session *at = NULL;
    struct lb_server_session_info info;
    return lb_server_target_next(target, machine, &at, &info);
}

static int by_time(const void *a, const void *b) {
    const struct passer *first = a, *second = b;
    return first->asked < second->asked ? -1 : first->asked > second->asked;
}

static size_t find_passers(const struct lb_server_machines *machines, struct passer *passers) {
    size_t count = 0;
    for (size_t i = 0; i < machines->count; i++)
        if (is_passer(&machines->list[i]))
            passers[count++] = (struct passer){machines->list[i].asked, (uint32_t)i};
    qsort(passers, count, sizeof *passers, by_time);
    return count;
}

size_t lb_server_crowd_thin(struct lb_server_machines *machines, struct lb_server_target *target) {
    size_t left = LB_SERVER_MACHINES_MAX - machines->count + machines->gone_count, gone = 0;
    bool is_time = left < LB_CROWD_LEAST && machines->asked - machines->thinned >= ASKED;
    struct passer *passers = is_time ? calloc(machines->count, sizeof *passers) : NULL;
    if (passers == NULL)
        return 0;
    machines->thinned = machines->asked;
    size_t count = find_passers(machines, passers);
    for (size_t i = 0; i < count && gone < AT_ONCE; i++) {
        struct lb_server_machine *machine = &machines->list[passers[i].number];
        if (has_session(target, machine))
            continue;
        lb_server_target_forget(target, machine);
        lb_server_machines_forget(machines, machine);
        gone++;
    }
    free(passers);
    if (gone > 0)
        lb_server_say("", "forgets %zu machines that asked for an address and never logged in",
                      gone);
    return gone;
}
