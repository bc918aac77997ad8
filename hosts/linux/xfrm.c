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

int lb_xfrm_open(struct lb_xfrm *xfrm) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    *xfrm = (struct lb_xfrm){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM)};
    if (xfrm->fd < 0)
        return errno;
    if (bind(xfrm->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    int refused = errno;
    close(xfrm->fd);
    xfrm->fd = -1;
    return refused;
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

static int set(struct lb_xfrm *xfrm, const struct lb_xfrm_policy *policy, bool is_there) {
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    struct lb_span span = lb_span(room, sizeof(room));
    uint32_t seq = ++xfrm->seq;
    return ask(xfrm, is_there ? lb_xfrm_set_policy(policy, seq, span)
                              : lb_xfrm_del_policy(policy, seq, span));
}

/* Both ways; any: whatever address of ours. */
static int set_both(struct lb_xfrm *xfrm, struct lb_xfrm_policy policy, bool is_any,
                    bool is_there) {
    if (is_any)
        policy.local = (struct lb_addr){.family = policy.remote.family};
    policy.way = LB_XFRM_IN;
    int refused_in = set(xfrm, &policy, is_there);
    policy.way = LB_XFRM_OUT;
    int refused_out = set(xfrm, &policy, is_there);
    return refused_in ? refused_in : refused_out;
}

/* Neighbours find each other in clear: what protects packets to a peer needs its MAC first. */
static int set_neighbours(struct lb_xfrm *xfrm, struct lb_xfrm_policy policy, bool is_there) {
    static const uint8_t types[] = {NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT};
    int refused = 0;
    policy.does = LB_XFRM_PASSES;
    for (size_t i = 0; i < LB_COUNT(types) && policy.remote.family == LB_V6; i++) {
        policy.icmp6_type = types[i];
        int one = set_both(xfrm, policy, true, is_there);
        refused = refused ? refused : one;
    }
    return refused;
}

static int set_guard(struct lb_xfrm *xfrm, const struct lb_xfrm_guard *guard, bool is_there) {
    struct lb_xfrm_policy policy = {
        .local = guard->local, .remote = guard->remote, .mode = guard->mode};
    int neighbours = set_neighbours(xfrm, policy, is_there);
    policy.does = LB_XFRM_BLOCKS;
    int blocks = set_both(xfrm, policy, true, is_there);
    policy.does = LB_XFRM_PROTECTS;
    int protects = set_both(xfrm, policy, false, is_there);
    return neighbours ? neighbours : blocks ? blocks : protects;
}

bool lb_xfrm_is_guarded(const struct lb_xfrm *xfrm, struct lb_addr local, struct lb_addr remote) {
    for (size_t i = 0; i < xfrm->guard_count; i++)
        if (lb_addr_equal(xfrm->guards[i].local, local) &&
            lb_addr_equal(xfrm->guards[i].remote, remote))
            return true;
    return false;
}

/* Also where it is guarded: an IKE daemon that has ended took its policies for it away. */
static int guard(struct lb_xfrm *xfrm, const struct lb_ipsec_terms *terms) {
    struct lb_xfrm_guard new = {terms->local.addr, terms->remote.addr, terms->mode};
    bool is_new = !lb_xfrm_is_guarded(xfrm, new.local, new.remote);
    if (is_new && xfrm->guard_count == LB_XFRM_GUARDS_MAX)
        return ENOSPC;
    if (is_new)
        xfrm->guards[xfrm->guard_count++] = new;
    return set_guard(xfrm, &new, true);
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

uint64_t lb_xfrm_packets(struct lb_xfrm *xfrm, struct lb_addr remote) {
    const struct lb_ipsec_terms *newest = NULL;
    uint8_t room[LB_XFRM_MESSAGE_MAX];
    struct lb_xfrm_answer answer;
    for (size_t i = 0; i < xfrm->pair_count; i++)
        if (lb_addr_equal(xfrm->pairs[i].remote.addr, remote))
            newest = &xfrm->pairs[i];
    if (newest == NULL)
        return 0;
    struct lb_bytes message =
        lb_xfrm_get_sa(newest, LB_XFRM_OUT, ++xfrm->seq, lb_span(room, sizeof(room)));
    return ask_for(xfrm, message, &answer) == 0 && answer.has_sa ? answer.packets : 0;
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
}

void lb_xfrm_close(struct lb_xfrm *xfrm) {
    if (xfrm->fd < 0)
        return;
    while (xfrm->pair_count > 0)
        drop_at(xfrm, xfrm->pair_count - 1);
    for (size_t i = 0; i < xfrm->guard_count; i++)
        (void)set_guard(xfrm, &xfrm->guards[i], false);
    xfrm->guard_count = 0;
    close(xfrm->fd);
    xfrm->fd = -1;
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
