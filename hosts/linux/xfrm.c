#include "hosts/linux/xfrm.h"
#include "core/base/mem.h"
#include <errno.h>
#include <linux/in6.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES           8192
#define NEIGHBOR_SOLICITATION  135 /* RFC 4861 4.3 */
#define NEIGHBOR_ADVERTISEMENT 136

/* ---- the socket ------------------------------------------------------------------------------ */

/* groups: of the kernel's reports, as bits. -1: errno. */
static int open_socket(uint32_t groups, int flags) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_XFRM);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    int refused = errno;
    close(fd);
    errno = refused;
    return -1;
}

int lb_xfrm_open(struct lb_xfrm *xfrm) {
    *xfrm = (struct lb_xfrm){.fd = open_socket(0, 0)};
    return xfrm->fd < 0 ? errno : 0;
}

int lb_xfrm_reopen(struct lb_xfrm *xfrm) {
    xfrm->fd = open_socket(0, 0);
    xfrm->seq = 0;
    return xfrm->fd < 0 ? errno : 0;
}

/* The kernel answers before the next call. */
static int wait_for_answer(struct lb_xfrm *xfrm, struct lb_xfrm_answer *all) {
    uint8_t room[ANSWER_BYTES] __attribute__((aligned(8)));
    *all = (struct lb_xfrm_answer){.refused = 0};
    while (!all->is_over) {
        ssize_t got = recv(xfrm->fd, room, sizeof(room), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : EIO;
        struct lb_xfrm_answer part = lb_xfrm_read(lb_bytes(room, (size_t)got), xfrm->seq);
        part.has_sa = part.has_sa || all->has_sa;
        part.packets = LB_MAX(part.packets, all->packets);
        part.has_policy = part.has_policy || all->has_policy;
        part.priority = LB_MAX(part.priority, all->priority);
        part.has_default = part.has_default || all->has_default;
        part.blocks = part.blocks || all->blocks;
        *all = part;
    }
    return all->refused;
}

static int ask_for(struct lb_xfrm *xfrm, struct lb_bytes message, struct lb_xfrm_answer *answer) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    lb_assert(message.len > 0);
    if (sendto(xfrm->fd, message.p, message.len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
        return errno;
    return wait_for_answer(xfrm, answer);
}

static int ask(struct lb_xfrm *xfrm, struct lb_bytes message) {
    struct lb_xfrm_answer answer;
    return ask_for(xfrm, message, &answer);
}

/* ---- guards ---------------------------------------------------------------------------------- */

enum deed {
    PUTS, /* whatever was there */
    ADDS, /* EEXIST: one is there */
    TAKES,
};

static struct lb_bytes message_of(enum deed deed, const struct lb_xfrm_policy *policy, uint32_t seq,
                                  struct lb_span room) {
    switch (deed) {
    case PUTS:
        return lb_xfrm_set_policy(policy, seq, room);
    case ADDS:
        return lb_xfrm_add_policy(policy, seq, room);
    case TAKES:
        break;
    }
    return lb_xfrm_del_policy(policy, seq, room);
}

static int set(struct lb_xfrm *xfrm, const struct lb_xfrm_policy *policy, enum deed deed) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    return ask(xfrm, message_of(deed, policy, ++xfrm->seq, lb_span(room, sizeof(room))));
}

/* A daemon has its own for the same packets, with its own number. */
static bool is_ours(struct lb_xfrm *xfrm, const struct lb_xfrm_policy *policy) {
    uint32_t number = policy->does == LB_XFRM_ADMITS ? LB_XFRM_ADMIT : LB_XFRM_PRIORITY;
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    struct lb_xfrm_answer answer;
    struct lb_bytes message = lb_xfrm_get_policy(policy, ++xfrm->seq, lb_span(room, sizeof(room)));
    return ask_for(xfrm, message, &answer) == 0 && answer.has_policy && answer.priority == number;
}

/* Both ways. */
static int set_both(struct lb_xfrm *xfrm, struct lb_xfrm_policy policy, enum deed deed) {
    int refused[2] = {0};
    for (unsigned i = 0; i < LB_COUNT(refused); i++) {
        policy.way = i == 0 ? LB_XFRM_IN : LB_XFRM_OUT;
        bool may_be_anothers = policy.does == LB_XFRM_PROTECTS || policy.does == LB_XFRM_ADMITS;
        if (deed != TAKES || !may_be_anothers || is_ours(xfrm, &policy))
            refused[i] = set(xfrm, &policy, deed);
    }
    return refused[0] ? refused[0] : refused[1];
}

/* Whatever address of ours. */
static int set_any(struct lb_xfrm *xfrm, struct lb_xfrm_policy policy, enum deed deed) {
    policy.local = (struct lb_addr){.family = policy.remote.family};
    return set_both(xfrm, policy, deed);
}

static struct lb_xfrm_policy policy_of(const struct lb_xfrm_guard *guard, enum lb_xfrm_does does) {
    return (struct lb_xfrm_policy){
        .does = does, .local = guard->local, .remote = guard->remote, .mode = guard->mode};
}

/* Neighbours find each other in clear: what protects packets to a peer needs its MAC first. */
static int set_neighbours(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *guard, enum deed deed) {
    static const uint8_t types[] = {NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT};
    struct lb_xfrm_policy policy = policy_of(guard, LB_XFRM_PASSES);
    int refused = 0;
    for (size_t i = 0; i < LB_COUNT(types) && policy.remote.family == LB_V6; i++) {
        policy.icmp6_type = types[i];
        int one = set_any(xfrm, policy, deed);
        refused = refused ? refused : one;
    }
    return refused;
}

/* What blocks comes first, and neighbours. */
static int set_blocks(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *guard, enum deed deed) {
    int blocks = set_any(xfrm, policy_of(guard, LB_XFRM_BLOCKS), deed);
    int neighbours = set_neighbours(xfrm, guard, deed);
    return blocks ? blocks : neighbours;
}

static int set_protects(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *guard, enum deed deed) {
    return set_both(xfrm, policy_of(guard, LB_XFRM_PROTECTS), deed);
}

static int set_guard(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *guard, enum deed deed) {
    int blocks = set_blocks(xfrm, guard, deed), protects = set_protects(xfrm, guard, deed);
    return blocks ? blocks : protects;
}

/* ---- what no policy is for ------------------------------------------------------------------- */

static struct lb_xfrm_policy admits(enum lb_family family) {
    return (struct lb_xfrm_policy){
        .does = LB_XFRM_ADMITS, .local.family = family, .remote.family = family};
}

/* The first refusal but EEXIST. */
static int set_admits(struct lb_xfrm *xfrm, enum deed deed) {
    int v4 = set_both(xfrm, admits(LB_V4), deed), v6 = set_both(xfrm, admits(LB_V6), deed);
    return v4 != 0 && v4 != EEXIST ? v4 : v6 == EEXIST ? 0 : v6;
}

static bool is_denied(struct lb_xfrm *xfrm) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    struct lb_xfrm_answer answer;
    struct lb_bytes message = lb_xfrm_get_default(++xfrm->seq, lb_span(room, sizeof(room)));
    return ask_for(xfrm, message, &answer) == 0 && answer.has_default && answer.blocks;
}

static int set_default(struct lb_xfrm *xfrm, bool blocks) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    return ask(xfrm, lb_xfrm_set_default(blocks, ++xfrm->seq, lb_span(room, sizeof(room))));
}

/* An administrator who has this for himself has policies of his own, and none that admits all. */
static void deny(struct lb_xfrm *xfrm) {
    struct lb_xfrm_policy policy = admits(LB_V4);
    bool was_denied = is_denied(xfrm);
    policy.way = LB_XFRM_OUT;
    if (was_denied && !xfrm->denies && !is_ours(xfrm, &policy))
        return;
    if (set_admits(xfrm, ADDS) != 0 || (!was_denied && set_default(xfrm, true) != 0)) {
        (void)set_admits(xfrm, TAKES);
        return;
    }
    xfrm->denied_before = xfrm->denies ? xfrm->denied_before : was_denied;
    xfrm->denies = true;
}

static void admit(struct lb_xfrm *xfrm) {
    if (!xfrm->denies)
        return;
    (void)set_default(xfrm, false);
    (void)set_admits(xfrm, TAKES);
    xfrm->denies = false;
}

/* ---- peers ----------------------------------------------------------------------------------- */

bool lb_xfrm_is_guarded(const struct lb_xfrm *xfrm, struct lb_addr local, struct lb_addr remote) {
    for (size_t i = 0; i < xfrm->guard_count; i++)
        if (lb_addr_equal(xfrm->guards[i].local, local) &&
            lb_addr_equal(xfrm->guards[i].remote, remote))
            return true;
    return false;
}

/* Who had keys for it has ended, or it would be asked for no others. */
static void end_share(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *new) {
    size_t kept = 0;
    for (size_t i = 0; i < xfrm->guard_count; i++) {
        const struct lb_xfrm_guard *guard = &xfrm->guards[i];
        if (!guard->is_anothers || !lb_addr_equal(guard->local, new->local) ||
            !lb_addr_equal(guard->remote, new->remote))
            xfrm->guards[kept++] = *guard;
    }
    xfrm->guard_count = kept;
}

/* Also where it is guarded: an IKE daemon that has ended took its policies for it away. */
static int guard(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms) {
    struct lb_xfrm_guard new = {
        .local = terms->local.addr, .remote = terms->remote.addr, .mode = terms->mode};
    end_share(xfrm, &new);
    bool is_new = !lb_xfrm_is_guarded(xfrm, new.local, new.remote);
    if (is_new && xfrm->guard_count == LB_XFRM_GUARDS_MAX)
        return ENOSPC;
    if (is_new) {
        new.was_there = set_any(xfrm, policy_of(&new, LB_XFRM_BLOCKS), ADDS) == EEXIST;
        xfrm->guards[xfrm->guard_count++] = new;
    }
    int refused = set_guard(xfrm, &new, PUTS);
    if (refused == 0)
        deny(xfrm);
    return refused;
}

/* Whoever set it: a daemon has its own in the place of ours. */
static bool has_policy(struct lb_xfrm *xfrm, const struct lb_xfrm_policy *policy) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    struct lb_xfrm_answer answer;
    struct lb_bytes message = lb_xfrm_get_policy(policy, ++xfrm->seq, lb_span(room, sizeof(room)));
    return ask_for(xfrm, message, &answer) == 0 && answer.has_policy;
}

static bool has_both(struct lb_xfrm *xfrm, struct lb_xfrm_policy policy) {
    bool has_all = true;
    for (enum lb_xfrm_way way = LB_XFRM_IN; way <= LB_XFRM_OUT; way++) {
        policy.way = way;
        has_all = has_all && has_policy(xfrm, &policy);
    }
    return has_all;
}

bool lb_xfrm_share(struct lb_xfrm *xfrm, struct lb_addr local, struct lb_addr remote) {
    const struct lb_xfrm_guard new = {
        .local = local, .remote = remote, .was_there = true, .is_anothers = true};
    struct lb_xfrm_policy blocks = policy_of(&new, LB_XFRM_BLOCKS);
    blocks.local = (struct lb_addr){.family = remote.family};
    if (!has_both(xfrm, blocks) || !has_both(xfrm, policy_of(&new, LB_XFRM_PROTECTS)))
        return false;
    if (lb_xfrm_is_guarded(xfrm, local, remote))
        return true;
    if (xfrm->guard_count == LB_XFRM_GUARDS_MAX)
        return false;
    xfrm->guards[xfrm->guard_count++] = new;
    return true;
}

bool lb_xfrm_restore(struct lb_xfrm *xfrm, bool has_daemon) {
    bool was_missing = false;
    for (size_t i = 0; i < xfrm->guard_count; i++) {
        const struct lb_xfrm_guard *guard = &xfrm->guards[i];
        was_missing = set_blocks(xfrm, guard, ADDS) == 0 || was_missing;
        if (!has_daemon)
            was_missing = set_protects(xfrm, guard, ADDS) == 0 || was_missing;
    }
    deny(xfrm); /* last: it admits what is not guarded */
    return was_missing;
}

int lb_xfrm_block(struct lb_addr remote) {
    struct lb_xfrm xfrm;
    const struct lb_xfrm_guard guard = {.remote = remote};
    struct lb_xfrm_policy policy = policy_of(&guard, LB_XFRM_BLOCKS);
    int refused = lb_xfrm_open(&xfrm);
    if (refused != 0)
        return refused;
    policy.local = (struct lb_addr){.family = remote.family};
    for (enum lb_xfrm_way way = LB_XFRM_IN; way <= LB_XFRM_OUT; way++) {
        policy.way = way;
        int one = set(&xfrm, &policy, ADDS);
        if (one != 0 && one != EEXIST)
            refused = one;
    }
    (void)set_neighbours(&xfrm, &guard, ADDS); /* without them nothing goes, in clear or not */
    close(xfrm.fd);
    return refused;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static int add_sa(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    int refused = ask(xfrm, lb_xfrm_new_sa(terms, way, ++xfrm->seq, lb_span(room, sizeof(room))));
    lb_wipe(room, sizeof(room));
    return refused;
}

static void del_sa(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms, enum lb_xfrm_way way) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    (void)ask(xfrm, lb_xfrm_del_sa(terms, way, ++xfrm->seq, lb_span(room, sizeof(room))));
}

static void drop_at(struct lb_xfrm *xfrm, size_t index) {
    del_sa(xfrm, &xfrm->pairs[index], LB_XFRM_OUT);
    del_sa(xfrm, &xfrm->pairs[index], LB_XFRM_IN);
    xfrm->pair_count--;
    for (size_t i = index; i < xfrm->pair_count; i++)
        xfrm->pairs[i] = xfrm->pairs[i + 1];
}

static void remember(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms) {
    if (xfrm->pair_count == LB_XFRM_PAIRS_MAX)
        drop_at(xfrm, 0);
    struct lb_ipsec_terms *pair = &xfrm->pairs[xfrm->pair_count++];
    *pair = *terms;
    lb_wipe(pair->out_key, sizeof(pair->out_key));
    lb_wipe(pair->in_key, sizeof(pair->in_key));
}

int lb_xfrm_protect(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms) {
    int refused = guard(xfrm, terms);
    if (refused == 0)
        refused = add_sa(xfrm, terms, LB_XFRM_IN);
    if (refused != 0)
        return refused;
    refused = add_sa(xfrm, terms, LB_XFRM_OUT);
    if (refused != 0)
        del_sa(xfrm, terms, LB_XFRM_IN);
    else
        remember(xfrm, terms);
    return refused;
}

void lb_xfrm_drop(struct lb_xfrm *xfrm, uint32_t in_spi) {
    for (size_t i = 0; i < xfrm->pair_count; i++)
        if (xfrm->pairs[i].in_spi == in_spi) {
            drop_at(xfrm, i);
            return;
        }
}

void lb_xfrm_drop_all(struct lb_xfrm *xfrm, struct lb_addr remote) {
    for (size_t i = xfrm->pair_count; i > 0; i--)
        if (lb_addr_equal(xfrm->pairs[i - 1].remote.addr, remote))
            drop_at(xfrm, i - 1);
}

/* False: there is no newest pair. */
static bool ask_for_newest(struct lb_xfrm *xfrm, struct lb_addr remote, enum lb_xfrm_way way,
                           struct lb_xfrm_answer *answer) {
    const struct lb_ipsec_terms *newest = NULL;
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    for (size_t i = 0; i < xfrm->pair_count; i++)
        if (lb_addr_equal(xfrm->pairs[i].remote.addr, remote))
            newest = &xfrm->pairs[i];
    if (newest == NULL)
        return false;
    struct lb_bytes message = lb_xfrm_get_sa(newest, way, ++xfrm->seq, lb_span(room, sizeof(room)));
    if (ask_for(xfrm, message, answer) != 0)
        answer->has_sa = false;
    return true;
}

uint64_t lb_xfrm_packets(struct lb_xfrm *xfrm, struct lb_addr remote) {
    struct lb_xfrm_answer answer;
    return ask_for_newest(xfrm, remote, LB_XFRM_OUT, &answer) && answer.has_sa ? answer.packets : 0;
}

bool lb_xfrm_has_keys(struct lb_xfrm *xfrm, struct lb_addr remote) {
    struct lb_xfrm_answer in, out;
    return !ask_for_newest(xfrm, remote, LB_XFRM_OUT, &out) ||
           !ask_for_newest(xfrm, remote, LB_XFRM_IN, &in) || (in.has_sa && out.has_sa);
}

/* ---- owners ---------------------------------------------------------------------------------- */

void lb_xfrm_split(struct lb_xfrm *from, struct lb_addr remote, struct lb_xfrm *to) {
    size_t pairs = 0, guards = 0;
    for (size_t i = 0; i < from->pair_count; i++) {
        bool is_his = lb_addr_equal(from->pairs[i].remote.addr, remote);
        *(is_his ? &to->pairs[to->pair_count++] : &from->pairs[pairs++]) = from->pairs[i];
    }
    for (size_t i = 0; i < from->guard_count; i++) {
        bool is_his = lb_addr_equal(from->guards[i].remote, remote);
        *(is_his ? &to->guards[to->guard_count++] : &from->guards[guards++]) = from->guards[i];
    }
    from->pair_count = pairs;
    from->guard_count = guards;
    if (to->guard_count == 0)
        return;
    to->denies = from->denies;
    to->denied_before = from->denied_before;
    from->denies = false;
}

static void drop_pairs(struct lb_xfrm *xfrm) {
    while (xfrm->pair_count > 0)
        drop_at(xfrm, xfrm->pair_count - 1);
}

static void close_socket(struct lb_xfrm *xfrm) {
    xfrm->guard_count = 0;
    xfrm->denies = xfrm->denied_before = false;
    close(xfrm->fd);
    xfrm->fd = -1;
}

void lb_xfrm_close(struct lb_xfrm *xfrm) {
    if (xfrm->fd < 0)
        return;
    drop_pairs(xfrm);
    for (size_t i = 0; i < xfrm->guard_count; i++)
        if (!xfrm->guards[i].was_there)
            (void)set_guard(xfrm, &xfrm->guards[i], TAKES);
    if (!xfrm->denied_before)
        admit(xfrm);
    close_socket(xfrm);
}

/* The port is blocked before anything else is let through. */
void lb_xfrm_rest(struct lb_xfrm *xfrm, uint16_t port) {
    lb_assert(xfrm->fd >= 0 && port != 0);
    for (size_t i = 0; i < xfrm->guard_count; i++) {
        struct lb_xfrm_policy policy = policy_of(&xfrm->guards[i], LB_XFRM_BLOCKS);
        policy.port = port;
        if (set_any(xfrm, policy, PUTS) == 0)
            (void)set_guard(xfrm, &xfrm->guards[i], TAKES);
    }
    admit(xfrm);
    drop_pairs(xfrm);
    close_socket(xfrm);
}

/* ---- reports --------------------------------------------------------------------------------- */

static uint32_t group(enum xfrm_nlgroups number) {
    return UINT32_C(1) << (number - 1);
}

int lb_xfrm_watch(void) {
    return open_socket(group(XFRMNLGRP_POLICY) | group(XFRMNLGRP_SA) | group(XFRMNLGRP_EXPIRE),
                       SOCK_NONBLOCK);
}

struct lb_xfrm_taken lb_xfrm_taken(int fd) {
    uint8_t room[ANSWER_BYTES] __attribute__((aligned(8)));
    struct lb_xfrm_taken all = {false, false};
    for (;;) {
        ssize_t got = recv(fd, room, sizeof(room), 0);
        if (got < 0 && errno == ENOBUFS)
            return (struct lb_xfrm_taken){true, true};
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return all;
        struct lb_xfrm_taken some = lb_xfrm_read_taken(lb_bytes(room, (size_t)got));
        all.policies = all.policies || some.policies;
        all.sas = all.sas || some.sas;
    }
}

/* ---- sockets --------------------------------------------------------------------------------- */

/* A socket's own policy stands above the system's. */
int lb_xfrm_pass(int fd, enum lb_family family) {
    static const uint8_t ways[] = {XFRM_POLICY_IN, XFRM_POLICY_OUT};
    int level = family == LB_V6 ? IPPROTO_IPV6 : IPPROTO_IP;
    int name = family == LB_V6 ? IPV6_XFRM_POLICY : IP_XFRM_POLICY;
    struct xfrm_userpolicy_info info;
    memset(&info, 0, sizeof(info));
    info.action = XFRM_POLICY_ALLOW;
    info.sel.family = family == LB_V6 ? AF_INET6 : AF_INET;
    for (size_t i = 0; i < LB_COUNT(ways); i++) {
        info.dir = ways[i];
        if (setsockopt(fd, level, name, &info, sizeof(info)) < 0)
            return errno;
    }
    return 0;
}

int lb_xfrm_decapsulate(int fd) {
    int type = UDP_ENCAP_ESPINUDP;
    return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) < 0 ? errno : 0;
}
