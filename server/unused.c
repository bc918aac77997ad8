#include "server/unused.h"
#include "server/say.h"
#include <stdlib.h>

#define AT_ONCE (2 * LB_UNUSED_FREE) /* a search looks at all machines: not one for each */
#define ASKED   (LB_UNUSED_FREE / 4) /* requests between two searches */

struct unused {
    uint64_t asked;
    uint32_t number;
};

/* Nothing of it is kept, and no person has configured it. */
static bool is_unused(const struct lb_server_machine *machine) {
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
    const struct unused *first = a, *second = b;
    return first->asked < second->asked ? -1 : first->asked > second->asked;
}

static size_t find_unused(const struct lb_server_machines *machines, struct unused *list) {
    size_t count = 0;
    for (size_t i = 0; i < machines->count; i++)
        if (is_unused(&machines->list[i]))
            list[count++] = (struct unused){machines->list[i].asked, (uint32_t)i};
    qsort(list, count, sizeof *list, by_time);
    return count;
}

size_t lb_server_unused_forget(struct lb_server_machines *machines,
                               struct lb_server_target *target) {
    size_t left = LB_SERVER_MACHINES_MAX - machines->count + machines->gone_count, gone = 0;
    bool is_time = left < LB_UNUSED_FREE && machines->asked - machines->forgot >= ASKED;
    struct unused *list = is_time ? calloc(machines->count, sizeof *list) : NULL;
    if (list == NULL)
        return 0;
    machines->forgot = machines->asked;
    size_t count = find_unused(machines, list);
    for (size_t i = 0; i < count && gone < AT_ONCE; i++) {
        struct lb_server_machine *machine = &machines->list[list[i].number];
        if (has_session(target, machine))
            continue;
        lb_server_target_forget(target, machine);
        lb_server_machines_forget(machines, machine);
        gone++;
    }
    free(list);
    if (gone > 0)
        lb_server_say("", "forgets %zu machines that asked for an address and never logged in",
                      gone);
    return gone;
}
