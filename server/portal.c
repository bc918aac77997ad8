/* The portal: who connects, who is logged in, and who has to go. */
#include "os/linux/tcp.h"
#include "server/sanitize.h"
#include "server/session.h"
#include "server/workers.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#define IO_MAX          262144 /* one piece of a long command */
#define ADDRESSES_APART 256    /* that are told apart when a session has to end */
#define PLACES_KEPT     16     /* for machines that have few sessions */
#define FEW             8      /* a machine that has less than this part of all places */

/* ---- for lunbootctl ---- */

/* The sessions of the main thread, then those of each worker. at: NULL at the start. */
static const struct lb_server_session *next_of(const struct lb_server_target *target,
                                               const struct lb_server_session *at) {
    const struct lb_server_session *next = at != NULL ? at->next : target->sessions;
    size_t worker = 0; /* whose list comes next */
    if (at != NULL && at->target != target)
        worker =
            (size_t)((const struct lb_server_worker *)(const void *)at->target - target->workers) +
            1;
    for (; next == NULL && worker < target->worker_count; worker++)
        next = target->workers[worker].target.sessions;
    return next;
}

/* The machine that it is logged in to; NULL: of none, or not yet. */
static struct lb_server_machine *machine_of(const struct lb_server_session *session) {
    if (session->machine != NULL)
        return session->machine;
    return lb_target_is_full_feature(&session->conn)
               ? lb_server_machines_of(session->target->machines, lb_target_node(&session->conn))
               : NULL;
}

bool lb_server_target_next_of_all(const struct lb_server_target *target,
                                  const struct lb_server_session **at,
                                  struct lb_server_session_info *info) {
    const struct lb_server_session *session = next_of(target, *at);
    while (session != NULL && (session->is_gone || machine_of(session) == NULL))
        session = next_of(target, session);
    if (session == NULL)
        return false;
    *at = session;
    *info = (struct lb_server_session_info){
        .client = session->client,
        .initiator = lb_target_initiator(&session->conn),
        .machine = machine_of(session),
        .bytes_read = session->bytes_read,
        .bytes_written = session->bytes_written,
    };
    return true;
}

bool lb_server_target_next(const struct lb_server_target *target,
                           const struct lb_server_machine *machine,
                           const struct lb_server_session **at,
                           struct lb_server_session_info *info) {
    while (lb_server_target_next_of_all(target, at, info))
        if (info->machine == machine)
            return true;
    return false;
}

/* Its thread sees to it, once it is not busy with it. */
static void drop(struct lb_server_session *session) {
    session->is_dropped = true;
    session->target->server.stirred = true;
    lb_server_workers_wake(session->target);
}

void lb_server_target_eject(struct lb_server_target *target, struct lb_server_machine *machine) {
    struct lb_server_session_info info;
    const struct lb_server_session *at = NULL;
    machine->nodes[0].login_status = machine->nodes[1].login_status = LB_LOGIN_UNAVAILABLE;
    while (lb_server_target_next(target, machine, &at, &info))
        drop((struct lb_server_session *)(uintptr_t)at);
    lb_server_workers_settle(target);
}

/* One whose connection has gone is still in the list of the machine's unit, and nothing is done for
 * it any more. */
void lb_server_target_forget(struct lb_server_target *target,
                             const struct lb_server_machine *machine) {
    for (const struct lb_server_session *at = next_of(target, NULL); at; at = next_of(target, at)) {
        struct lb_server_session *session = (struct lb_server_session *)(uintptr_t)at;
        if (lb_server_machines_of(target->machines, lb_target_node(&at->conn)) != machine)
            continue;
        if (session->is_gone)
            lb_target_drop(&session->conn);
        else
            drop(session);
    }
}

struct lb_server_target_use lb_server_target_use(const struct lb_server_target *target) {
    struct lb_server_target_use use = {.memory = target->budget.bytes,
                                       .memory_used = target->budget.used,
                                       .memory_waits = target->budget.waits,
                                       .connections = target->count};
    for (size_t i = 0; i < target->worker_count; i++) {
        const struct lb_server_target *worker = &target->workers[i].target;
        use.memory_used += worker->budget.used;
        use.memory_waits += worker->budget.waits;
        use.connections += worker->count;
    }
    return use;
}

/* ---- where there are few places left ---- */

/* It is in a login, or asks for the list of targets. */
static bool has_no_target(const struct lb_server_session *session) {
    return !session->is_gone && !session->is_dropped && machine_of(session) == NULL;
}

/* A number that the sessions of one machine share: of IPv6 it has all addresses of its network. */
static size_t number_of(const struct lb_server_session *session) {
    struct lb_addr from = session->client.addr;
    return lb_siphash(&session->target->server.hash_key,
                      lb_bytes(from.bytes, from.family == LB_V6 ? 8 : 4)) %
           ADDRESSES_APART;
}

/* Ends a session without a target, where there is no place for another one: of the machine that has
 * the most of them, the oldest. A machine that logs in has few of them, and not for long. True: one
 * is about to end, by this thread. */
static bool make_room(struct lb_server_target *target) {
    unsigned counts[ADDRESSES_APART] = {0};
    const struct lb_server_session *at = NULL, *first = NULL;
    for (at = next_of(target, NULL); at != NULL; at = next_of(target, at))
        counts[number_of(at)] += has_no_target(at);
    for (at = next_of(target, NULL); at != NULL; at = next_of(target, at)) {
        unsigned more = counts[number_of(at)], most = first ? counts[number_of(first)] : 0;
        if (has_no_target(at) && (more > most || (more == most && at->came_us < first->came_us)))
            first = at;
    }
    if (first == NULL)
        return false;
    drop((struct lb_server_session *)(uintptr_t)first);
    return first->target == target;
}

static size_t places_left(const struct lb_server_target *target) {
    size_t used = lb_server_target_use(target).connections;
    return target->budget.sessions_max - LB_MIN(target->budget.sessions_max, used);
}

bool lb_session_is_one_too_many(const struct lb_server_session *session,
                                const struct lb_target *node) {
    const struct lb_server_target *target = session->target;
    const struct lb_server_machine *machine = lb_server_machines_of(target->machines, node);
    struct lb_server_session_info info;
    const struct lb_server_session *at = NULL;
    size_t few = target->budget.sessions_max / FEW, count = 0;
    if (machine == NULL || places_left(target) >= LB_MIN(PLACES_KEPT, few))
        return false;
    while (lb_server_target_next(target, machine, &at, &info))
        count++;
    return count >= few;
}

/* ---- the portal ---- */

void lb_session_enlist(struct lb_server_session *session) {
    struct lb_server_target *target = session->target;
    session->next = target->sessions;
    session->before = &target->sessions;
    if (session->next != NULL)
        session->next->before = &session->next;
    target->sessions = session;
    target->count++;
    lb_session_make_due(session);
}

/* Its first bytes are often there already. */
static void begin_session(struct lb_server_target *target, uint64_t now_us, int fd,
                          struct lb_endpoint client) {
    struct lb_server_session *session = malloc(sizeof *session);
    if (session == NULL || places_left(target) == 0) {
        free(session);
        close(fd);
        return;
    }
    memset(session, 0, offsetof(struct lb_server_session, conn));
    session->source = (struct lb_server_source){.kind = LB_SOURCE_SESSION, .fd = fd};
    session->target = target;
    session->client = client;
    session->came_us = now_us;
    session->memory.budget = &target->budget;
    lb_session_enlist(session);
    lb_target_conn_init(&session->conn, now_us, &target->server,
                        client.addr.family == LB_V6 ? target->portal6 : target->portal,
                        &target->rand, NULL);
    lb_session_receive(session, now_us);
}

/* Whether a connection waits to be accepted that has no place before another session has ended. */
static bool is_to_wait(struct lb_server_target *target, int listener) {
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    return places_left(target) == 0 && poll(&waiting, 1, 0) == 1 && make_room(target);
}

void lb_server_target_ready(struct lb_server_target *target, const struct lb_server_source *source,
                            uint64_t now_us) {
    struct lb_endpoint client;
    for (int fd; !is_to_wait(target, source->fd) && (fd = lb_tcp_accept(source->fd, &client)) >= 0;)
        begin_session(target, now_us, fd, client);
}

/* Nothing is to be done where the link has no address of this family. */
static bool listen_at(struct lb_server_target *target, struct lb_server_source *source,
                      const struct lb_server_link *link, struct lb_endpoint portal,
                      struct lb_server_error *error) {
    if (!lb_addr_is_set(portal.addr))
        return true;
    source->fd = lb_server_link_listen(link, portal.addr.family, portal.port, "iSCSI", error);
    return source->fd >= 0 && lb_server_watch(target->epoll, source, EPOLLIN);
}

bool lb_server_target_begin(struct lb_server_target *target, int epoll,
                            const struct lb_server_target *like, struct lb_server_error *error) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    *target = (struct lb_server_target){
        .source = {.kind = LB_SOURCE_PORTAL, .fd = -1},
        .source6 = {.kind = LB_SOURCE_PORTAL, .fd = -1},
        .wakeup = {.kind = LB_SOURCE_WAKEUP, .fd = -1},
        .epoll = epoll,
        .until_us = LB_NEVER,
        .server = {.asks_who = true, .io_max = IO_MAX},
    };
    target->due_end = &target->due;
    if (getrandom(seed, sizeof seed, 0) != sizeof seed ||
        getrandom(&target->server.hash_key, sizeof target->server.hash_key, 0) !=
            sizeof target->server.hash_key)
        return lb_server_fail(error, "", "the kernel gives no random numbers: %s", strerror(errno));
    lb_rand_init(&target->rand, seed);
    lb_wipe(seed, sizeof seed);
    if (like == NULL)
        return true;
    target->machines = like->machines;
    target->server.hash_key = like->server.hash_key;
    return true;
}

bool lb_server_target_open(struct lb_server_target *target, int epoll,
                           const struct lb_server_link *link, uint16_t port,
                           struct lb_server_machines *machines, struct lb_server_error *error) {
    if (!lb_server_target_begin(target, epoll, NULL, error))
        return false;
    target->portal = (struct lb_endpoint){.addr = link->address, .port = port};
    target->portal6 = (struct lb_endpoint){.addr = link->address6, .port = port};
    target->machines = machines;
    lb_budget_init(&target->budget, (uint64_t)machines->settings->memory_mib << 20,
                   LB_SERVER_SESSIONS_MAX);
    if (!lb_server_workers_open(target, machines->settings->threads, error))
        return false;
    lb_server_workers_resume(target);
    return listen_at(target, &target->source, link, target->portal, error) &&
           listen_at(target, &target->source6, link, target->portal6, error);
}

void lb_server_target_close(struct lb_server_target *target) {
    lb_server_workers_close(target);
    lb_server_sanitize_unwatch(&target->sanitizing);
    while (target->sessions != NULL)
        lb_session_end(target->sessions);
    lb_server_source_close(&target->source);
    lb_server_source_close(&target->source6);
}
