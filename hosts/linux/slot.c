#include "hosts/linux/tunnel.h"
#include "os/linux/os_address.h"
#include "os/linux/tcp.h"
#include <errno.h>
#include <limits.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define DHCP6_CLIENT_PORT  546
#define SOLICITATION_BYTES 8u /* RFC 4861 4.1, without options */

struct lb_loop *lb_slot_loop(struct lb_host *host) {
    return (struct lb_loop *)(void *)host;
}

static int index_of(const struct lb_loop *loop) {
    return loop->iface ? loop->iface->link.index : 0;
}

static bool is_open(const struct lb_loop *loop, uint32_t number) {
    return loop->pump.slots[number] == LB_PUMP_DATAGRAM;
}

/* DHCP's: what it sends and hears are whole packets. */
static bool is_packet(const struct lb_slot *slot) {
    return slot->fd >= 0;
}

static int bind_to_interface(const struct lb_loop *loop, int fd) {
    const char *name = loop->iface ? loop->iface->name : "";
    if (!loop->is_bound)
        return 0;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}

static void host_failed(struct lb_loop *loop, uint64_t now_us, const char *what, int refused) {
    struct lb_error error = {0};
    lb_fail(&error, LB_E_HOST_NETWORK, "%s on %s: %s", what, loop->iface->name, strerror(refused));
    lb_boot_host_failed(loop->boot, now_us, &error);
}

/* ---- DHCPv4 ---------------------------------------------------------------------------------- */

static bool open_packet(struct lb_loop *loop, uint32_t number, uint64_t now_us) {
    struct lb_slot *slot = &loop->slots[number];
    int fd, refused = lb_packet_open(loop->iface->link.index, LB_DHCP4_CLIENT_PORT, &fd);
    if (refused) {
        host_failed(loop, now_us, "opening a packet socket", refused);
        return false;
    }
    *slot = (struct lb_slot){.fd = fd, .udp_fd = -1, .interest = EPOLLIN};
    lb_loop_add(loop, fd, EPOLLIN, LB_FROM_SLOT + number);
    return true;
}

/* Sends only: what comes back is read from the packet socket, so this one drops everything. That it
 * is there keeps the kernel from answering the server with "port unreachable". */
static int open_udp(struct lb_loop *loop, struct lb_endpoint from) {
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {.len = 1, .filter = &nothing};
    struct lb_os_address address = lb_os_address(from, index_of(loop));
    int one = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        bind_to_interface(loop, fd) == 0 && bind(fd, &address.any, address.len) == 0)
        return fd;
    close(fd);
    return -1;
}

static void send_unicast(struct lb_loop *loop, struct lb_slot *slot,
                         const struct lb_boot_action *action) {
    struct lb_os_address to = lb_os_address(action->to, index_of(loop));
    if (slot->udp_fd >= 0 && !lb_addr_equal(slot->udp_addr, action->from.addr)) {
        close(slot->udp_fd);
        slot->udp_fd = -1;
    }
    if (slot->udp_fd < 0) {
        slot->udp_fd = open_udp(loop, action->from);
        slot->udp_addr = action->from.addr;
    }
    /* A datagram that cannot be sent is as good as lost; DHCP sends it again. */
    if (slot->udp_fd >= 0)
        (void)!sendto(slot->udp_fd, action->bytes.p, action->bytes.len, 0, &to.any, to.len);
}

static void send_packet(struct lb_loop *loop, struct lb_slot *slot,
                        const struct lb_boot_action *action) {
    uint8_t room[LB_PACKET_MAX];
    struct lb_bytes frame;

    if (!lb_addr_is_multicast(action->to.addr) && !lb_addr_is_zero(action->from.addr)) {
        send_unicast(loop, slot, action);
        return;
    }
    frame = lb_packet_build(loop->iface->found.mac, action->from, action->to, action->bytes,
                            lb_span(room, sizeof(room)));
    if (frame.len > 0)
        lb_packet_send(slot->fd, loop->iface->link.index, frame);
}

/* ---- datagrams ------------------------------------------------------------------------------- */

static int open_datagram(struct lb_loop *loop, const struct lb_boot_action *action,
                         struct lb_datagram *datagram) {
    const char *interface = loop->iface && loop->is_bound ? loop->iface->name : NULL;
    if (lb_tunnel_is_port(action->slot))
        return lb_tunnel_open_port(loop, action, datagram);
    if (action->is_protected && lb_tunnel_open(loop) != 0)
        return ENODEV;
    static const uint8_t no_mac[6];
    switch (action->kind) {
    case LB_KIND_DHCP6:
        return lb_datagram_open_udp(datagram, interface, index_of(loop), LB_V6, DHCP6_CLIENT_PORT);
    case LB_KIND_ND6:
        return lb_datagram_open_routers(datagram, interface, index_of(loop),
                                        loop->iface ? loop->iface->found.mac : no_mac);
    case LB_KIND_UDP:
        if (action->is_protected)
            interface = lb_tunnel_interface(loop, interface);
        return lb_datagram_open_udp(datagram, interface, index_of(loop), action->from.addr.family,
                                    action->from.port);
    case LB_KIND_DHCP4:
        break;
    }
    return EINVAL;
}

/* One of these is never all that a boot has: where it cannot be opened the boot goes on without. */
static void cannot_open(struct lb_loop *loop, uint64_t now_us, enum lb_boot_kind kind,
                        int refused) {
    const char *what = kind == LB_KIND_DHCP6 ? "a socket for DHCPv6"
                       : kind == LB_KIND_ND6 ? "a socket for router discovery"
                                             : "a socket for a service";
    lb_report_learned(lb_boot_report(loop->boot), now_us, LB_STAGE_DHCP, "warning", "this machine",
                      "%s: %s", what, strerror(refused));
}

bool lb_host_open(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct lb_slot *slot = &loop->slots[action->slot];
    int refused;
    if (action->kind == LB_KIND_DHCP4)
        return open_packet(loop, action->slot, now_us);
    *slot = (struct lb_slot){.fd = -1, .udp_fd = -1, .interest = EPOLLIN};
    refused = open_datagram(loop, action, &slot->datagram);
    if (refused && lb_tunnel_is_port(action->slot))
        lb_tunnel_failed(loop, now_us, "UDP port 4500", refused);
    else if (refused)
        cannot_open(loop, now_us, action->kind, refused);
    if (refused)
        return false;
    slot->is_protected = action->is_protected;
    lb_loop_add(loop, slot->datagram.fd, EPOLLIN, LB_FROM_SLOT + action->slot);
    return true;
}

/* RFC 4429 3.2: what is sent from an address that may be another machine's does not carry our
 * link-layer address. A solicitation is its first eight bytes then. */
static struct lb_bytes without_mac(const struct lb_loop *loop,
                                   const struct lb_boot_action *action) {
    struct lb_bytes bytes = action->bytes;
    if (loop->slots[action->slot].datagram.is_icmp && loop->iface &&
        lb_iface6_is_optimistic(&loop->iface->v6, action->from.addr))
        bytes.len = LB_MIN(bytes.len, SOLICITATION_BYTES);
    return bytes;
}

void lb_host_send(struct lb_host *host, const struct lb_boot_action *action) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct lb_slot *slot = &loop->slots[action->slot];
    if (!is_open(loop, action->slot))
        return;
    if (is_packet(slot))
        send_packet(loop, slot, action);
    else if (!slot->is_protected || lb_tunnel_may_speak(loop, action->to.addr))
        lb_datagram_send(&slot->datagram, action->from, action->to, without_mac(loop, action));
}

void lb_slot_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us) {
    struct lb_endpoint from;
    struct lb_bytes payload;
    struct lb_span room = lb_span(loop->packet, sizeof(loop->packet));
    struct lb_slot *slot = &loop->slots[number];

    if (lb_tunnel_is_port(number)) {
        lb_tunnel_receive(loop, number, now_us);
        return;
    }
    while (is_open(loop, number) && is_packet(slot) &&
           lb_packet_receive(slot->fd, LB_DHCP4_CLIENT_PORT, room, &from, &payload))
        lb_boot_datagram(loop->boot, now_us, number, from, payload);
    while (is_open(loop, number) && !is_packet(slot) &&
           lb_datagram_receive(&slot->datagram, room, &from, &payload))
        if (!slot->is_protected || lb_tunnel_may_speak(loop, from.addr))
            lb_boot_datagram(loop->boot, now_us, number, from, payload);
}

/* ---- TCP ------------------------------------------------------------------------------------- */

enum lb_initiator_lost lb_loop_lost(int error, bool was_open) {
    switch (error) {
    case ECONNREFUSED:
        return LB_LOST_REFUSED;
    case ETIMEDOUT:
        return was_open ? LB_LOST_CLOSED : LB_LOST_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL: /* no address of this family */
    case EAFNOSUPPORT:
    case EINVAL: /* a link-local address without its link */
    case EACCES: /* a local firewall or a "prohibit" route */
    case EPERM:
        return LB_LOST_UNREACHABLE;
    default:
        return was_open ? LB_LOST_CLOSED : LB_LOST_REFUSED; /* RST while connecting */
    }
}

static void lose(struct lb_loop *loop, uint32_t number, uint64_t now_us, int error) {
    bool was_open = loop->pump.slots[number] == LB_PUMP_STREAM;
    lb_slot_close(loop, number);
    lb_pump_lost(&loop->pump, now_us, number, lb_loop_lost(error, was_open));
}

/* What is protected leaves by the tunnel or not at all. */
static int bind_connection(struct lb_loop *loop, int fd, const struct lb_boot_action *action) {
    return action->is_protected ? lb_tunnel_bind(loop, fd, action) : bind_to_interface(loop, fd);
}

void lb_host_connect(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct lb_loop *loop = lb_slot_loop(host);
    uint32_t number = action->slot;
    struct lb_slot *slot = &loop->slots[number];
    int fd = lb_tcp_open(action->to.addr.family);

    *slot = (struct lb_slot){.fd = fd, .udp_fd = -1};
    slot->is_protected = action->is_protected;
    if (fd < 0 || bind_connection(loop, fd, action) < 0 ||
        lb_tcp_connect(fd, action->to, index_of(loop)) < 0) {
        lose(loop, number, now_us, errno);
        return;
    }
    slot->interest = EPOLLOUT;
    lb_loop_add(loop, fd, EPOLLOUT, LB_FROM_SLOT + number);
}

void lb_slot_connected(struct lb_loop *loop, uint32_t number, uint64_t now_us) {
    struct lb_slot *slot = &loop->slots[number];
    int error = lb_tcp_outcome(slot->fd);
    if (error) {
        lose(loop, number, now_us, error);
        return;
    }
    lb_pump_connected(&loop->pump, now_us, number);
}

size_t lb_host_write(struct lb_host *host, uint64_t now_us, uint32_t number,
                     const struct lb_bytes *pieces, size_t count) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct lb_slot *slot = &loop->slots[number];
    struct iovec io[LB_LOOP_PIECES_MAX];
    struct msghdr message = {.msg_iov = io, .msg_iovlen = count};
    size_t total = 0;
    ssize_t sent;

    if (slot->is_full)
        return 0;
    for (size_t i = 0; i < count; i++) {
        io[i].iov_base = (void *)(uintptr_t)pieces[i].p; /* sendmsg does not write there */
        io[i].iov_len = pieces[i].len;
        total += pieces[i].len;
    }
    loop->writes++;
    sent = sendmsg(slot->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
        lose(loop, number, now_us, errno);
        return 0;
    }
    slot->is_full = sent < 0 || (size_t)sent < total;
    return sent < 0 ? 0 : (size_t)sent;
}

size_t lb_host_read(struct lb_host *host, uint64_t now_us, uint32_t number,
                    const struct lb_span *spans, size_t count) {
    struct lb_loop *loop = lb_slot_loop(host);
    struct iovec io[2];
    struct msghdr message = {.msg_iov = io, .msg_iovlen = count};
    ssize_t got;

    for (size_t i = 0; i < count; i++)
        io[i] = (struct iovec){spans[i].p, spans[i].len};
    loop->reads++;
    got = recvmsg(loop->slots[number].fd, &message, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        lose(loop, number, now_us, got < 0 ? errno : 0);
    return got < 0 ? 0 : (size_t)got;
}

void lb_slot_set_interest(struct lb_loop *loop, uint32_t number) {
    struct lb_slot *slot = &loop->slots[number];
    struct lb_span spans[2];
    struct epoll_event event = {.data.u32 = LB_FROM_SLOT + number};

    if (loop->pump.slots[number] != LB_PUMP_STREAM)
        return;
    if (lb_boot_where(loop->boot, number, spans) > 0)
        event.events |= EPOLLIN;
    if (slot->is_full)
        event.events |= EPOLLOUT;
    if (event.events == slot->interest)
        return;
    slot->interest = event.events;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, slot->fd, &event);
}

void lb_slot_close(struct lb_loop *loop, uint32_t number) {
    struct lb_slot *slot = &loop->slots[number];
    enum lb_pump_use use = loop->pump.slots[number];
    bool is_connecting = use == LB_PUMP_CONNECTING && loop->in_kernel;
    if ((use == LB_PUMP_STREAM || is_connecting) && slot->is_protected)
        lb_tunnel_linger(loop, slot->fd);
    if (use == LB_PUMP_DATAGRAM && !is_packet(slot))
        lb_datagram_close(&slot->datagram);
    if (slot->fd >= 0)
        close(slot->fd); /* epoll forgets it by itself */
    if (slot->udp_fd >= 0)
        close(slot->udp_fd);
    *slot = (struct lb_slot){.fd = -1, .udp_fd = -1};
}

void lb_host_close(struct lb_host *host, uint32_t number) {
    lb_slot_close(lb_slot_loop(host), number);
}

int lb_slot_release(struct lb_loop *loop, uint32_t number) {
    struct lb_slot *slot = &loop->slots[number];
    int fd = slot->fd;
    if (loop->pump.slots[number] != LB_PUMP_STREAM)
        return -1;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    *slot = (struct lb_slot){.fd = -1, .udp_fd = -1};
    lb_pump_release(&loop->pump, number);
    return fd;
}
