#include "os/linux/netlink.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_MAX 32768 /* a link with all its attributes is about 2 KiB, with many VFs more */

struct request {
    struct nlmsghdr header;
    uint8_t rest[512]; /* the longest request, a route, has 12 + 4 attributes of at most 20 */
};

/* ---- requests -------------------------------------------------------------------------------- */

static struct request request(uint16_t type, uint16_t flags) {
    return (struct request){
        .header = {.nlmsg_len = NLMSG_HDRLEN,
                   .nlmsg_type = type,
                   .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)}};
}

static void put_bytes(struct request *r, const void *bytes, size_t len) {
    size_t at = NLMSG_ALIGN(r->header.nlmsg_len);
    lb_assert(at - NLMSG_HDRLEN + NLMSG_ALIGN(len) <= sizeof(r->rest));
    memcpy(r->rest + (at - NLMSG_HDRLEN), bytes, len);
    r->header.nlmsg_len = (uint32_t)(at + len);
}

static void put_attribute(struct request *r, uint16_t type, const void *value, size_t len) {
    struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(len)};
    put_bytes(r, &attribute, sizeof(attribute));
    put_bytes(r, value, len);
}

static void put_u32(struct request *r, uint16_t type, uint32_t value) {
    put_attribute(r, type, &value, sizeof(value));
}

static size_t addr_len(struct lb_addr addr) {
    return addr.family == LB_V6 ? 16 : 4;
}

static uint8_t os_family(struct lb_addr addr) {
    return addr.family == LB_V6 ? AF_INET6 : AF_INET;
}

static int open_socket(uint32_t groups) {
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

int lb_netlink_open(struct lb_netlink *netlink) {
    *netlink = (struct lb_netlink){.fd = open_socket(0), .events_fd = -1};
    if (netlink->fd < 0)
        return errno;
    netlink->events_fd = open_socket(RTMGRP_LINK | RTMGRP_IPV6_IFADDR);
    return netlink->events_fd < 0 ? errno : 0;
}

void lb_netlink_close(struct lb_netlink *netlink) {
    if (netlink->fd >= 0)
        close(netlink->fd);
    if (netlink->events_fd >= 0)
        close(netlink->events_fd);
    netlink->fd = netlink->events_fd = -1;
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Everything in a message begins at a multiple of four bytes; the last padding may be missing. */
static struct lb_rd take_part(struct lb_rd *rd, size_t len) {
    struct lb_rd part = lb_rd(lb_rd_bytes(rd, len));
    lb_rd_skip(rd, LB_MIN(NLMSG_ALIGN(len) - len, rd->left));
    return part;
}

/* The next message: its header, and a cursor over the rest of it. */
static bool next_message(struct lb_rd *rd, struct nlmsghdr *header, struct lb_rd *rest) {
    struct lb_rd peek = *rd;
    lb_rd_copy(&peek, header, sizeof(*header));
    if (!lb_rd_ok(&peek) || header->nlmsg_len < sizeof(*header) || header->nlmsg_len > rd->left)
        return false;
    *rest = take_part(rd, header->nlmsg_len);
    lb_rd_skip(rest, sizeof(*header));
    return true;
}

static bool next_attribute(struct lb_rd *rd, struct rtattr *header, struct lb_rd *value) {
    struct lb_rd peek = *rd;
    lb_rd_copy(&peek, header, sizeof(*header));
    if (!lb_rd_ok(&peek) || header->rta_len < sizeof(*header) || header->rta_len > rd->left)
        return false;
    *value = take_part(rd, header->rta_len);
    lb_rd_skip(value, sizeof(*header));
    return true;
}

bool lb_link_passes(unsigned flags, struct lb_bytes queue) {
    static const char none[] = "noop"; /* with its NUL */
    return (flags & IFF_LOWER_UP) && !(flags & IFF_DORMANT) &&
           !lb_bytes_equal(queue, lb_bytes(none, sizeof(none)));
}

static void take_kind(struct lb_link *link, struct lb_rd rd) {
    struct rtattr attribute;
    struct lb_rd value;
    while (next_attribute(&rd, &attribute, &value)) {
        if (attribute.rta_type == IFLA_INFO_KIND && value.left < sizeof(link->kind))
            lb_rd_copy(&value, link->kind, value.left); /* with its NUL */
    }
}

static void take_link(struct lb_link *link, struct lb_rd rd) {
    struct lb_bytes queue = {0};
    struct ifinfomsg info;
    struct rtattr attribute;
    struct lb_rd value;

    lb_rd_copy(&rd, &info, sizeof(info));
    *link = (struct lb_link){
        .index = info.ifi_index,
        .is_up = info.ifi_flags & IFF_UP,
        .is_ethernet = info.ifi_type == ARPHRD_ETHER,
    };
    while (next_attribute(&rd, &attribute, &value)) {
        if (attribute.rta_type == IFLA_MTU)
            lb_rd_copy(&value, &link->mtu, sizeof(link->mtu));
        if (attribute.rta_type == IFLA_ADDRESS && value.left == sizeof(link->mac))
            lb_rd_copy(&value, link->mac, sizeof(link->mac));
        if (attribute.rta_type == IFLA_QDISC)
            queue = lb_rd_rest(&value);
        if (attribute.rta_type == IFLA_LINKINFO)
            take_kind(link, value);
        if (attribute.rta_type == IFLA_MASTER)
            link->has_master = true;
    }
    link->has_carrier = lb_link_passes(info.ifi_flags, queue);
}

/* An address that is looked for among those of an interface. */
struct sought {
    int index;
    struct lb_prefix address; /* the zero address: any that is no link-local one of IPv6 */
    struct lb_lifetime lifetime;
    bool is_there;
};

/* What an answer may bring before its acknowledgement; NULL: not wanted. */
struct wanted {
    struct lb_link *link;
    uint32_t *addr_flags;
    struct sought *sought;
    struct lb_way *way;
};

static struct lb_addr take_addr(struct lb_rd rd) {
    struct lb_addr addr = {.family = rd.left == 16 ? LB_V6 : LB_V4};
    lb_rd_copy(&rd, addr.bytes, LB_MIN(rd.left, sizeof(addr.bytes)));
    return addr;
}

/* IFA_LOCAL is the interface's own end; IPv6 has IFA_ADDRESS alone, unless there is a peer. */
static void take_address(struct sought *sought, struct lb_rd rd) {
    struct lb_prefix found = {0};
    struct ifa_cacheinfo lifetime = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};
    struct ifaddrmsg message;
    struct rtattr attribute;
    struct lb_rd value;
    bool has_local = false, is_any = lb_addr_is_zero(sought->address.addr);

    lb_rd_copy(&rd, &message, sizeof(message));
    found.len = message.ifa_prefixlen;
    while (next_attribute(&rd, &attribute, &value)) {
        if (attribute.rta_type == IFA_LOCAL || (attribute.rta_type == IFA_ADDRESS && !has_local))
            found.addr = take_addr(value);
        has_local = has_local || attribute.rta_type == IFA_LOCAL;
        if (attribute.rta_type == IFA_CACHEINFO)
            lb_rd_copy(&value, &lifetime, sizeof(lifetime));
    }
    if (message.ifa_index != (unsigned)sought->index)
        return;
    if (is_any ? found.addr.family == LB_V6 && lb_addr_is_link_local(found.addr)
               : (found.addr.family == LB_V4 && found.len != sought->address.len) ||
                     !lb_addr_equal(found.addr, sought->address.addr))
        return;
    sought->is_there = true;
    sought->lifetime = (struct lb_lifetime){lifetime.ifa_prefered, lifetime.ifa_valid};
}

static void take_way(struct lb_way *way, struct lb_rd rd) {
    struct rtmsg message;
    struct rtattr attribute;
    struct lb_rd value;

    lb_rd_copy(&rd, &message, sizeof(message));
    *way = (struct lb_way){.is_local = message.rtm_type == RTN_LOCAL};
    way->via.family = message.rtm_family == AF_INET6 ? LB_V6 : LB_V4;
    while (next_attribute(&rd, &attribute, &value)) {
        if (attribute.rta_type == RTA_OIF)
            lb_rd_copy(&value, &way->index, sizeof(way->index));
        if (attribute.rta_type == RTA_GATEWAY)
            way->via = take_addr(value);
    }
}

static void take_flags(uint32_t *flags, struct lb_rd rd) {
    struct ifaddrmsg message;
    struct rtattr attribute;
    struct lb_rd value;

    lb_rd_copy(&rd, &message, sizeof(message));
    *flags = message.ifa_flags;
    while (next_attribute(&rd, &attribute, &value)) {
        if (attribute.rta_type == IFA_FLAGS) /* all of them: the header has room for eight */
            lb_rd_copy(&value, flags, sizeof(*flags));
    }
}

static void take_wanted(const struct wanted *wanted, uint16_t type, struct lb_rd rd) {
    if (type == RTM_NEWLINK && wanted->link)
        take_link(wanted->link, rd);
    if (type == RTM_NEWADDR && wanted->addr_flags)
        take_flags(wanted->addr_flags, rd);
    if (type == RTM_NEWADDR && wanted->sought)
        take_address(wanted->sought, rd);
    if (type == RTM_NEWROUTE && wanted->way)
        take_way(wanted->way, rd);
}

/* Sends, and reads until the acknowledgement, or the end of a list. */
static int ask_for(struct lb_netlink *netlink, struct request *r, struct wanted wanted) {
    static uint8_t reply[REPLY_MAX];

    r->header.nlmsg_seq = ++netlink->seq;
    if (send(netlink->fd, r, r->header.nlmsg_len, 0) < 0)
        return errno;
    for (;;) {
        ssize_t got = recv(netlink->fd, reply, sizeof(reply), 0);
        struct lb_rd rd = lb_rd(lb_bytes(reply, got < 0 ? 0 : (size_t)got)), rest;
        struct nlmsghdr header;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? errno : EIO;
        while (next_message(&rd, &header, &rest)) {
            struct nlmsgerr outcome;
            if (header.nlmsg_seq != netlink->seq)
                continue;
            take_wanted(&wanted, header.nlmsg_type, rest);
            if (header.nlmsg_type == NLMSG_DONE)
                return 0;
            if (header.nlmsg_type != NLMSG_ERROR)
                continue;
            lb_rd_copy(&rest, &outcome, sizeof(outcome));
            return -outcome.error;
        }
    }
}

static int ask(struct lb_netlink *netlink, struct request *r) {
    return ask_for(netlink, r, (struct wanted){0});
}

/* ---- link ------------------------------------------------------------------------------------ */

int lb_netlink_find(struct lb_netlink *netlink, const char *name, struct lb_link *link) {
    struct request r = request(RTM_GETLINK, 0);
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC};

    if (name[0] == 0 || strlen(name) >= IFNAMSIZ)
        return ENODEV;
    put_bytes(&r, &info, sizeof(info));
    put_attribute(&r, IFLA_IFNAME, name, strlen(name) + 1);
    return ask_for(netlink, &r, (struct wanted){.link = link});
}

int lb_netlink_set_up(struct lb_netlink *netlink, int index, bool up) {
    struct request r = request(RTM_NEWLINK, 0);
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC,
                             .ifi_index = index,
                             .ifi_flags = up ? IFF_UP : 0,
                             .ifi_change = IFF_UP};
    put_bytes(&r, &info, sizeof(info));
    return ask(netlink, &r);
}

int lb_netlink_set_mtu(struct lb_netlink *netlink, int index, uint32_t mtu) {
    struct request r = request(RTM_NEWLINK, 0);
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    put_bytes(&r, &info, sizeof(info));
    put_u32(&r, IFLA_MTU, mtu);
    return ask(netlink, &r);
}

static unsigned what_changed(struct lb_rd rd, int index) {
    unsigned changed = 0;
    struct nlmsghdr header;
    struct lb_rd rest;

    while (next_message(&rd, &header, &rest)) {
        struct ifinfomsg link = {0};
        struct ifaddrmsg addr = {0};
        switch (header.nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            lb_rd_copy(&rest, &link, sizeof(link));
            changed |= link.ifi_index == index ? LB_NETLINK_LINK : 0;
            break;
        case RTM_NEWADDR:
        case RTM_DELADDR:
            lb_rd_copy(&rest, &addr, sizeof(addr));
            changed |= addr.ifa_index == (unsigned)index ? LB_NETLINK_ADDRS6 : 0;
            break;
        default:
            break;
        }
    }
    return changed;
}

unsigned lb_netlink_changed(struct lb_netlink *netlink, int index) {
    static uint8_t events[REPLY_MAX];
    unsigned changed = 0;

    for (;;) {
        ssize_t got = recv(netlink->events_fd, events, sizeof(events), MSG_DONTWAIT);
        if (got < 0 && errno == ENOBUFS) { /* some were lost: one of them may have been ours */
            changed = LB_NETLINK_LINK | LB_NETLINK_ADDRS6;
            continue;
        }
        if (got <= 0)
            return changed;
        changed |= what_changed(lb_rd(lb_bytes(events, (size_t)got)), index);
    }
}

/* ---- address and routes ---------------------------------------------------------------------- */

static struct request address_request(uint16_t type, uint16_t flags, int index,
                                      struct lb_prefix address) {
    struct request r = request(type, flags);
    struct ifaddrmsg message = {.ifa_family = os_family(address.addr),
                                .ifa_prefixlen = address.len,
                                .ifa_index = (unsigned)index};
    put_bytes(&r, &message, sizeof(message));
    put_attribute(&r, IFA_LOCAL, address.addr.bytes, addr_len(address.addr));
    put_attribute(&r, IFA_ADDRESS, address.addr.bytes, addr_len(address.addr));
    return r;
}

/* The last address of the network, for those who still broadcast to it; none in /31 and /32. */
static void put_broadcast(struct request *r, struct lb_prefix address) {
    struct lb_addr broadcast = lb_addr_mask(address.addr, address.len);
    if (address.addr.family != LB_V4 || address.len > 30)
        return;
    for (unsigned bit = address.len; bit < 32; bit++)
        broadcast.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    put_attribute(r, IFA_BROADCAST, broadcast.bytes, 4);
}

int lb_netlink_add_address(struct lb_netlink *netlink, int index, struct lb_prefix address,
                           uint32_t lease_s) {
    struct request r = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
    struct ifa_cacheinfo lifetime = {.ifa_prefered = lease_s ? lease_s : UINT32_MAX,
                                     .ifa_valid = lease_s ? lease_s : UINT32_MAX};
    put_broadcast(&r, address);
    put_attribute(&r, IFA_CACHEINFO, &lifetime, sizeof(lifetime));
    return ask(netlink, &r);
}

int lb_netlink_del_address(struct lb_netlink *netlink, int index, struct lb_prefix address) {
    struct request r = address_request(RTM_DELADDR, 0, index, address);
    return ask(netlink, &r);
}

int lb_netlink_add_address6(struct lb_netlink *netlink, int index, struct lb_prefix address,
                            uint32_t preferred_s, uint32_t valid_s, bool is_probed) {
    struct request r = address_request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
    struct ifa_cacheinfo lifetime = {.ifa_prefered = preferred_s, .ifa_valid = valid_s};
    bool is_link_local = lb_addr_is_link_local(address.addr);
    uint32_t flags = is_link_local ? 0 : IFA_F_NOPREFIXROUTE;
    if (!is_probed)
        flags |= IFA_F_NODAD;
    else if (is_link_local)
        flags |= IFA_F_OPTIMISTIC;
    put_u32(&r, IFA_FLAGS, flags);
    put_attribute(&r, IFA_CACHEINFO, &lifetime, sizeof(lifetime));
    return ask(netlink, &r);
}

enum lb_addr6_state lb_netlink_addr6_state(struct lb_netlink *netlink, int index,
                                           struct lb_addr addr) {
    struct request r = address_request(RTM_GETADDR, 0, index, (struct lb_prefix){addr, 128});
    uint32_t flags = 0;
    if (ask_for(netlink, &r, (struct wanted){.addr_flags = &flags}) != 0)
        return LB_ADDR6_ABSENT;
    if (flags & IFA_F_DADFAILED)
        return LB_ADDR6_DUPLICATE;
    if (flags & IFA_F_OPTIMISTIC)
        return LB_ADDR6_OPTIMISTIC;
    return flags & IFA_F_TENTATIVE ? LB_ADDR6_TENTATIVE : LB_ADDR6_READY;
}

/* The kernel lists those of IPv4, and has no way to ask for one. */
static bool seek(struct lb_netlink *netlink, enum lb_family family, struct sought *sought) {
    struct request r = request(RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg message = {.ifa_family = family == LB_V6 ? AF_INET6 : AF_INET};
    put_bytes(&r, &message, sizeof(message));
    return ask_for(netlink, &r, (struct wanted){.sought = sought}) == 0 && sought->is_there;
}

bool lb_netlink_has_address(struct lb_netlink *netlink, int index, struct lb_prefix address,
                            struct lb_lifetime *lifetime) {
    struct sought sought = {.index = index, .address = address};
    bool is_there = seek(netlink, address.addr.family, &sought);
    if (is_there)
        *lifetime = sought.lifetime;
    return is_there;
}

bool lb_netlink_is_in_use(struct lb_netlink *netlink, int index) {
    struct sought v4 = {.index = index}, v6 = {.index = index};
    struct request r = request(RTM_GETLINK, 0);
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    struct lb_link link = {0};
    put_bytes(&r, &info, sizeof(info));
    return (ask_for(netlink, &r, (struct wanted){.link = &link}) == 0 && link.has_master) ||
           seek(netlink, LB_V4, &v4) || seek(netlink, LB_V6, &v6);
}

int lb_netlink_way(struct lb_netlink *netlink, struct lb_addr to, int index, struct lb_way *way) {
    struct request r = request(RTM_GETROUTE, 0);
    struct rtmsg message = {.rtm_family = os_family(to),
                            .rtm_dst_len = (uint8_t)(8 * addr_len(to))};
    put_bytes(&r, &message, sizeof(message));
    put_attribute(&r, RTA_DST, to.bytes, addr_len(to));
    if (index != 0)
        put_u32(&r, RTA_OIF, (uint32_t)index);
    return ask_for(netlink, &r, (struct wanted){.way = way});
}

bool lb_netlink_is_local(struct lb_netlink *netlink, struct lb_addr addr) {
    struct lb_way way = {0};
    return lb_netlink_way(netlink, addr, 0, &way) == 0 && way.is_local;
}

static struct request route_request(uint16_t type, uint16_t flags, int index,
                                    const struct lb_route *route, bool is_on_link,
                                    uint32_t metric) {
    struct request r = request(type, flags);
    bool is_direct = lb_addr_is_zero(route->via);
    struct rtmsg message = {.rtm_family = os_family(route->to.addr),
                            .rtm_dst_len = route->to.len,
                            .rtm_table = RT_TABLE_MAIN,
                            .rtm_protocol = RTPROT_DHCP,
                            .rtm_scope = is_direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
                            .rtm_type = RTN_UNICAST,
                            .rtm_flags = is_on_link && !is_direct ? RTNH_F_ONLINK : 0};
    put_bytes(&r, &message, sizeof(message));
    if (route->to.len > 0)
        put_attribute(&r, RTA_DST, route->to.addr.bytes, addr_len(route->to.addr));
    if (!is_direct)
        put_attribute(&r, RTA_GATEWAY, route->via.bytes, addr_len(route->via));
    put_u32(&r, RTA_OIF, (uint32_t)index);
    if (metric > 0)
        put_u32(&r, RTA_PRIORITY, metric);
    return r;
}

int lb_netlink_add_route(struct lb_netlink *netlink, int index, const struct lb_route *route,
                         bool is_on_link, uint32_t metric) {
    struct request r =
        route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, route, is_on_link, metric);
    return ask(netlink, &r);
}

int lb_netlink_del_route(struct lb_netlink *netlink, int index, const struct lb_route *route,
                         uint32_t metric) {
    struct request r = route_request(RTM_DELROUTE, 0, index, route, false, metric);
    return ask(netlink, &r);
}

unsigned lb_netlink_read(struct lb_bytes messages, int index, struct lb_link *link,
                         uint32_t *addr_flags) {
    struct wanted wanted = {.link = link, .addr_flags = addr_flags};
    struct lb_rd rd = lb_rd(messages), rest;
    struct nlmsghdr header;
    while (next_message(&rd, &header, &rest))
        take_wanted(&wanted, header.nlmsg_type, rest);
    return what_changed(lb_rd(messages), index);
}
