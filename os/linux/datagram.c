#include "os/linux/datagram.h"
#include "os/linux/os_address.h"
#include "os/linux/packet.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOPS                                                                                       \
    255 /* RFC 4861 4.1; for multicast RFC 2608 6.1 leaves it to us: the link is the bound */

/* ---- opening --------------------------------------------------------------------------------- */

static bool set_int(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool bind_to(int fd, const char *interface) {
    return !interface || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                    (socklen_t)strlen(interface)) == 0;
}

/* Groups are reached by the interface whatever the routes say. */
static bool aim_groups(const struct lb_datagram *socket) {
    struct ip_mreqn v4 = {.imr_ifindex = socket->index};
    if (socket->family == LB_V6)
        return set_int(socket->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOPS) &&
               (socket->index == 0 ||
                set_int(socket->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, socket->index));
    return set_int(socket->fd, IPPROTO_IP, IP_MULTICAST_TTL, HOPS) &&
           (socket->index == 0 ||
            setsockopt(socket->fd, IPPROTO_IP, IP_MULTICAST_IF, &v4, sizeof(v4)) == 0);
}

static int give_up(struct lb_datagram *socket) {
    int error = errno ? errno : EINVAL;
    lb_datagram_close(socket);
    return error;
}

int lb_datagram_open_udp(struct lb_datagram *datagram, const char *interface, int index,
                         enum lb_family family, uint16_t port) {
    struct lb_os_address address = lb_os_any(family, port);

    *datagram = (struct lb_datagram){.index = index, .family = family};
    datagram->fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (datagram->fd < 0)
        return errno;
    if (family == LB_V6 && !set_int(datagram->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
        return give_up(datagram);
    if ((port != 0 && !set_int(datagram->fd, SOL_SOCKET, SO_REUSEADDR, 1)) ||
        !bind_to(datagram->fd, interface) || !aim_groups(datagram) ||
        bind(datagram->fd, &address.any, address.len) < 0)
        return give_up(datagram);
    return 0;
}

int lb_datagram_open_routers(struct lb_datagram *datagram, const char *interface, int index,
                             const uint8_t mac[6]) {
    struct icmp6_filter filter;

    *datagram = (struct lb_datagram){.index = index, .family = LB_V6, .is_icmp = true};
    memcpy(datagram->mac, mac, sizeof(datagram->mac));
    datagram->fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    if (datagram->fd < 0)
        return errno;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
    if (setsockopt(datagram->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ||
        !set_int(datagram->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) ||
        !set_int(datagram->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, HOPS) ||
        !bind_to(datagram->fd, interface) || !aim_groups(datagram))
        return give_up(datagram);
    return 0;
}

void lb_datagram_close(struct lb_datagram *datagram) {
    if (datagram->fd >= 0)
        close(datagram->fd);
    datagram->fd = -1;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A second time is refused, and does no harm. */
static void join(const struct lb_datagram *datagram, struct lb_addr group) {
    if (group.family == LB_V6) {
        struct ipv6_mreq v6 = {.ipv6mr_interface = (unsigned)datagram->index};
        memcpy(&v6.ipv6mr_multiaddr, group.bytes, 16);
        setsockopt(datagram->fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6, sizeof(v6));
    } else {
        struct ip_mreqn v4 = {.imr_ifindex = datagram->index};
        memcpy(&v4.imr_multiaddr, group.bytes, 4);
        setsockopt(datagram->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4));
    }
}

/* Says which of our addresses it is to come from. */
static void put_source(struct msghdr *message, const struct lb_datagram *datagram,
                       struct lb_addr from) {
    struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)datagram->index};
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    memcpy(&info.ipi6_addr, from.bytes, 16);
    control->cmsg_level = IPPROTO_IPV6;
    control->cmsg_type = IPV6_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(control), &info, sizeof(info));
}

/* The kernel has no address to send from: the frame is made here. */
static void send_bare(const struct lb_datagram *datagram, struct lb_endpoint from,
                      struct lb_endpoint to, struct lb_bytes bytes) {
    uint8_t room[LB_PACKET_MAX];
    struct lb_bytes frame = lb_packet_build_icmp6(datagram->mac, from.addr, to.addr, bytes,
                                                  lb_span(room, sizeof(room)));
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (frame.len > 0)
        lb_packet_send(fd, datagram->index, frame);
    close(fd);
}

void lb_datagram_send(struct lb_datagram *datagram, struct lb_endpoint from, struct lb_endpoint to,
                      struct lb_bytes bytes) {
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
    struct lb_os_address address = lb_os_address(to, datagram->index);
    struct iovec piece = {(void *)(uintptr_t)bytes.p, bytes.len}; /* sendmsg does not write there */
    struct msghdr message = {
        .msg_name = &address.any, .msg_namelen = address.len, .msg_iov = &piece, .msg_iovlen = 1};

    if (datagram->fd < 0 || to.addr.family != datagram->family)
        return;
    if (datagram->is_icmp && lb_addr_is_zero(from.addr)) {
        send_bare(datagram, from, to, bytes);
        return;
    }
    if (datagram->is_icmp)
        address.v6.sin6_port = 0;
    else if (lb_addr_is_multicast(to.addr))
        join(datagram, to.addr);
    if (from.addr.family == LB_V6 && !lb_addr_is_zero(from.addr)) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        put_source(&message, datagram, from.addr);
    }
    (void)!sendmsg(datagram->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* What a message says of itself, beside its sender. */
struct message {
    struct lb_endpoint from;
    struct lb_addr to; /* zero: not told */
    int hops;          /* -1: not told */
    size_t len;
    bool is_cut;
};

static void read_control(struct msghdr *header, struct message *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        struct in_pktinfo v4;
        struct in6_pktinfo v6;
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
            memcpy(&message->hops, CMSG_DATA(c), sizeof(message->hops));
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&v4, CMSG_DATA(c), sizeof(v4));
            message->to = lb_addr_v4_bytes((const uint8_t *)&v4.ipi_addr);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&v6, CMSG_DATA(c), sizeof(v6));
            message->to = lb_addr_v6_bytes((const uint8_t *)&v6.ipi6_addr);
        }
    }
}

static bool receive(int fd, struct lb_span room, struct message *message) {
    for (;;) {
        _Alignas(struct cmsghdr) uint8_t control[256];
        struct lb_os_address address = {0};
        struct iovec piece = {room.p, room.len};
        struct msghdr header = {.msg_name = &address.any,
                                .msg_namelen = sizeof(address.v6),
                                .msg_iov = &piece,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = sizeof(control)};
        ssize_t got = recvmsg(fd, &header, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == ECONNREFUSED))
            continue; /* the latter is somebody's "port unreachable" to what was sent */
        if (got < 0)
            return false;
        *message = (struct message){.from = lb_os_endpoint(&address.any),
                                    .hops = -1,
                                    .len = (size_t)got,
                                    .is_cut = header.msg_flags & MSG_TRUNC};
        read_control(&header, message);
        return true;
    }
}

bool lb_datagram_receive(struct lb_datagram *datagram, struct lb_span room,
                         struct lb_endpoint *from, struct lb_bytes *payload) {
    struct message message;
    while (datagram->fd >= 0 && receive(datagram->fd, room, &message)) {
        if (message.is_cut || (datagram->is_icmp && message.hops != HOPS))
            continue;
        *from = message.from;
        *payload = lb_bytes(room.p, message.len);
        return true;
    }
    return false;
}

/* ---- sockets of servers ---------------------------------------------------------------------- */

bool lb_udp_tell_groups(int fd, enum lb_family family) {
    return family == LB_V6 ? set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                           : set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

bool lb_udp_receive(int fd, struct lb_span room, struct lb_udp_received *received) {
    struct message message;
    if (fd < 0 || !receive(fd, room, &message))
        return false;
    received->from = message.from;
    received->is_to_group = lb_addr_is_multicast(message.to);
    received->payload = lb_bytes(room.p, message.is_cut ? 0 : message.len);
    return true;
}

void lb_udp_send(int fd, int index, struct lb_endpoint to, struct lb_bytes bytes) {
    struct lb_os_address address = lb_os_address(to, index);
    (void)sendto(fd, bytes.p, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT, &address.any, address.len);
}
