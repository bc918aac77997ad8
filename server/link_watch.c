#include "server/link_watch.h"
#include "server/say.h"
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_US (300 * LB_US_MS)

static void say_address(const struct lb_server_link *link) {
    bool is_ipv4 = !lb_server_link_has(link, link->address);
    struct lb_addr address = is_ipv4 ? link->address : link->address6;
    unsigned len = is_ipv4 ? link->network.len : link->network6.len;
    lb_server_say("",
                  "%s does not have the address %s any more: no machine reaches its disk; try: ip "
                  "address add %s/%u dev %s",
                  link->name, lb_addr_text(address).s, lb_addr_text(address).s, len, link->name);
}

static void say(const struct lb_server_link *link, enum lb_server_link_state state) {
    switch (state) {
    case LB_LINK_SERVES:
        lb_server_say("", "machines reach %s again", link->name);
        break;
    case LB_LINK_NO_CARRIER:
        lb_server_say("", "%s has no carrier: it has no cable, or nothing is at the other end",
                      link->name);
        break;
    case LB_LINK_DOWN:
        lb_server_say("", "%s is down: no machine reaches it; try: ip link set %s up", link->name,
                      link->name);
        break;
    case LB_LINK_NO_ADDRESS:
        say_address(link);
        break;
    case LB_LINK_GONE:
        lb_server_say("",
                      "%s is gone: no machine reaches lunbootd; try: bring it back, then start "
                      "lunbootd again",
                      link->name);
        break;
    case LB_LINK_REPLACED:
        lb_server_say("",
                      "%s is another interface now, which is not served; try: start lunbootd "
                      "again",
                      link->name);
        break;
    }
}

static void look(struct lb_server_link_watch *watch) {
    enum lb_server_link_state state = lb_server_link_state(watch->link);
    if (state != watch->state)
        say(watch->link, state);
    watch->state = state;
}

static bool listen_to_kernel(struct lb_server_link_watch *watch, int epoll) {
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                 .nl_groups =
                                     RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    watch->source.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    return watch->source.fd >= 0 &&
           bind(watch->source.fd, (struct sockaddr *)&groups, sizeof groups) == 0 &&
           lb_server_watch(epoll, &watch->source, EPOLLIN);
}

void lb_server_link_watch_open(struct lb_server_link_watch *watch, int epoll,
                               const struct lb_server_link *link) {
    *watch = (struct lb_server_link_watch){.source = {.kind = LB_SOURCE_LINK, .fd = -1},
                                           .link = link,
                                           .state = LB_LINK_SERVES,
                                           .due_us = LB_NEVER};
    if (!listen_to_kernel(watch, epoll))
        lb_server_say("", "does not notice what becomes of %s: %s", link->name, strerror(errno));
    look(watch);
}

void lb_server_link_watch_ready(struct lb_server_link_watch *watch, uint64_t now_us) {
    char unread[256];
    ssize_t n;
    do
        n = recv(watch->source.fd, unread, sizeof unread, MSG_DONTWAIT | MSG_TRUNC);
    while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
    watch->due_us = LB_MIN(watch->due_us, now_us + SOON_US);
}

uint64_t lb_server_link_watch_poll(struct lb_server_link_watch *watch, uint64_t now_us) {
    if (now_us < watch->due_us)
        return watch->due_us;
    watch->due_us = LB_NEVER;
    look(watch);
    return watch->due_us;
}

void lb_server_link_watch_close(struct lb_server_link_watch *watch) {
    lb_server_source_close(&watch->source);
}
