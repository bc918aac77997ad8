#include "server/routers.h"
#include "os/linux/os_address.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>

#define QUESTION_MAX      1500
#define QUESTIONS_AT_ONCE 64
#define VALID_S           7200 /* of the network; it is told again long before */
#define PREFERRED_S       3600
/* RFC 4861 6.2.1, 10. */
#define INTERVAL_MIN_US (200 * LB_US_SEC)
#define INTERVAL_MAX_US (600 * LB_US_SEC)
#define INITIAL_US      (16 * LB_US_SEC)
#define INITIAL_COUNT   3
#define BETWEEN_US      (3 * LB_US_SEC)
#define DELAY_MAX_US    (500 * LB_US_MS)
/* Answers to one machine: at most 50 a second, and 20 at once. */
#define TOKEN_US (20 * LB_US_MS)
#define BURST_US (20 * TOKEN_US)

struct lb_nd6_ra lb_server_routers_ra(const struct lb_server_settings *settings,
                                      const struct lb_server_link *link) {
    struct lb_nd6_ra ra = {
        .managed = settings->dhcp6 == LB_SERVER_DHCP6_SERVER,
        .other = settings->dhcp6 != LB_SERVER_DHCP6_OFF,
        .lifetime_s = (uint16_t)settings->router_lifetime_s,
        .has_mac = true,
        .prefix_count = 1,
        .dns_count = lb_addr_is_set(settings->dns6),
    };
    ra.prefixes[0] = (struct lb_nd6_ra_prefix){
        .prefix = link->network6,
        .on_link = true,
        /* One address is enough: DHCPv6 gives it, or the machine makes it. */
        .autonomous = !ra.managed && link->network6.len == 64,
        .valid_s = VALID_S,
        .preferred_s = PREFERRED_S,
    };
    ra.dns[0] = (struct lb_nd6_ra_dns){.addr = settings->dns6, .lifetime_s = VALID_S};
    memcpy(ra.mac, link->mac, sizeof ra.mac);
    return ra;
}

static void send_reply(const struct lb_server_routers *routers, const struct lb_nd6_reply *reply) {
    struct lb_endpoint to = {.addr = reply->to};
    struct lb_os_address at = lb_os_address(to, routers->link->index);
    if (reply->bytes.len > 0)
        (void)sendto(routers->source.fd, reply->bytes.p, reply->bytes.len, MSG_DONTWAIT, &at.any,
                     at.len);
}

/* RFC 4861 6.2.6: not more often than each 3 seconds, and not all routers at once. */
static void hasten(struct lb_server_routers *routers, uint64_t now_us) {
    uint64_t at_us = now_us + lb_rand_below(&routers->rand, DELAY_MAX_US);
    at_us = LB_MAX(at_us, routers->before_us);
    routers->next_us = LB_MIN(routers->next_us, at_us);
}

static bool take_token(struct lb_server_routers *routers, uint64_t now_us) {
    routers->tokens_us = LB_MAX(routers->tokens_us, now_us);
    if (routers->tokens_us - now_us > BURST_US)
        return false;
    routers->tokens_us += TOKEN_US;
    return true;
}

static int hop_limit(struct msghdr *message) {
    int hops = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
            memcpy(&hops, CMSG_DATA(c), sizeof hops);
    return hops;
}

/* One that has no address yet is answered with all the others. */
static void answer(struct lb_server_routers *routers, uint64_t now_us, struct lb_addr from,
                   struct lb_bytes message) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_reply reply =
        lb_nd6_server_input(&routers->ra, from, message, lb_span(room, sizeof room));
    if (reply.bytes.len == 0)
        return;
    if (lb_addr_is_multicast(reply.to))
        hasten(routers, now_us);
    else if (lb_addr_is_link_local(from) && take_token(routers, now_us))
        send_reply(routers, &reply);
}

void lb_server_routers_ready(struct lb_server_routers *routers, uint64_t now_us) {
    uint8_t question[QUESTION_MAX];
    for (unsigned i = 0; i < QUESTIONS_AT_ONCE; i++) {
        struct lb_os_address from;
        union {
            struct cmsghdr align;
            char room[64];
        } control;
        struct iovec iov = {question, sizeof question};
        struct msghdr message = {.msg_name = &from.any,
                                 .msg_namelen = sizeof from.v6,
                                 .msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = control.room,
                                 .msg_controllen = sizeof control.room};
        ssize_t len = recvmsg(routers->source.fd, &message, MSG_DONTWAIT);
        if (len < 0)
            return;
        if (hop_limit(&message) == 255) /* RFC 4861 6.1.1: it comes from this link */
            answer(routers, now_us, lb_os_endpoint(&from.any).addr,
                   lb_bytes(question, (size_t)len));
    }
}

static void advertise(struct lb_server_routers *routers, uint64_t now_us) {
    uint8_t room[LB_ND6_PACKET_MAX];
    struct lb_nd6_reply reply = lb_nd6_server_advertise(&routers->ra, lb_span(room, sizeof room));
    send_reply(routers, &reply);
    uint64_t wait_us =
        INTERVAL_MIN_US + lb_rand_below(&routers->rand, INTERVAL_MAX_US - INTERVAL_MIN_US);
    if (++routers->sent < INITIAL_COUNT)
        wait_us = INITIAL_US;
    routers->next_us = now_us + wait_us;
    routers->before_us = now_us + BETWEEN_US;
}

uint64_t lb_server_routers_poll(struct lb_server_routers *routers, uint64_t now_us) {
    if (routers->source.fd < 0)
        return LB_NEVER;
    if (now_us >= routers->next_us)
        advertise(routers, now_us);
    return routers->next_us;
}

void lb_server_routers_reload(struct lb_server_routers *routers,
                              const struct lb_server_settings *settings, uint64_t now_us) {
    if (routers->source.fd < 0)
        return;
    routers->ra = lb_server_routers_ra(settings, routers->link);
    hasten(routers, now_us);
}

bool lb_server_routers_open(struct lb_server_routers *routers, int epoll,
                            const struct lb_server_settings *settings,
                            const struct lb_server_link *link, struct lb_server_error *error) {
    uint8_t seed[LB_RAND_SEED_BYTES];
    *routers = (struct lb_server_routers){
        .source = {.kind = LB_SOURCE_ROUTERS, .fd = -1},
        .link = link,
        .ra = lb_server_routers_ra(settings, link),
    };
    if (getrandom(seed, sizeof seed, 0) != sizeof seed)
        return lb_server_fail(error, "", "the kernel gives no random numbers: %s", strerror(errno));
    lb_rand_init(&routers->rand, seed);
    routers->source.fd = lb_server_link_routers(link, error);
    return routers->source.fd >= 0 && lb_server_watch(epoll, &routers->source, EPOLLIN);
}

/* RFC 4861 6.2.5. */
void lb_server_routers_close(struct lb_server_routers *routers) {
    if (routers->source.fd >= 0 && routers->ra.lifetime_s > 0) {
        routers->ra.lifetime_s = 0;
        advertise(routers, 0);
    }
    lb_server_source_close(&routers->source);
}
