#include "hosts/linux/tunnel.h"
#include "os/linux/os_address.h"
#include "os/linux/tcp.h"
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ESP in UDP over a link of 1,500 bytes takes 65 of them over IPv4 and 85 over IPv6; what is left
 * suits links of PPPoE as well. */
#define MTU 1400

#define LINGER_US   (100 * LB_US_MS)
#define PACKETS_MAX 64 /* of one turn, so that the streams have theirs */

bool lb_tunnel_is_port(uint32_t number) {
    return number == LB_BOOT_SLOT_IPSEC4 || number == LB_BOOT_SLOT_IPSEC6;
}

/* ---- opening --------------------------------------------------------------------------------- */

void lb_tunnel_failed(struct lb_loop *loop, uint64_t now_us, const char *what, int refused) {
    struct lb_error error = {0};
    lb_fail(&error, LB_E_IPSEC_MISSING, "%s: %s", what, strerror(refused));
    lb_boot_host_failed(loop->boot, now_us, &error);
}

int lb_tunnel_open(struct lb_loop *loop) {
    int refused;
    if (loop->in_kernel)
        return loop->xfrm.fd >= 0 ? 0 : lb_xfrm_open(&loop->xfrm);
    if (loop->tun.fd >= 0)
        return 0;
    refused = lb_tun_open(&loop->tun, MTU);
    if (refused == 0)
        lb_loop_add(loop, loop->tun.fd, EPOLLIN, LB_FROM_TUN);
    return refused;
}

static int bind_to_interface(const struct lb_loop *loop, int fd) {
    const char *name = loop->is_bound ? loop->iface->name : "";
    return loop->is_bound
               ? setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name))
               : 0;
}

/* The kernel chooses, as it does for a connection. It asks the policies, too: those that another
 * lunboot's guards have for another address of ours would block this one. */
static struct lb_addr source_for(const struct lb_loop *loop, struct lb_addr to) {
    struct lb_os_address address = lb_os_address((struct lb_endpoint){to, LB_IKE_NAT_PORT},
                                                 loop->iface ? loop->iface->link.index : 0);
    struct lb_os_address own = {.len = sizeof(own.v6)};
    int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct lb_addr from = {0};
    if (fd < 0)
        return from;
    if (loop->in_kernel)
        (void)lb_xfrm_pass(fd, to.family); /* nothing is sent */
    if (bind_to_interface(loop, fd) == 0 && connect(fd, &address.any, address.len) == 0 &&
        getsockname(fd, &own.any, &own.len) == 0)
        from = lb_os_endpoint(&own.any).addr;
    close(fd);
    return from;
}

/* ---- others on this machine ------------------------------------------------------------------ */

static struct lb_ike_name name_for(const struct lb_loop *loop, struct lb_addr from,
                                   struct lb_addr to) {
    const struct lb_config *config = loop->boot->common.plan->config;
    return (struct lb_ike_name){.local = from,
                                .remote = to,
                                .in_kernel = loop->in_kernel,
                                .ids =
                                    lb_ike_names_ids(lb_config_text(config, LB_KEY_IPSEC_ID),
                                                     lb_config_text(config, LB_KEY_IPSEC_PEER_ID))};
}

static bool has_name(const struct lb_loop *loop, const struct lb_ike_name *name) {
    for (size_t i = 0; i < loop->name_count; i++)
        if (lb_addr_equal(loop->names[i].name.local, name->local) &&
            lb_addr_equal(loop->names[i].name.remote, name->remote))
            return true;
    return false;
}

void lb_tunnel_forget_names(struct lb_loop *loop) {
    while (loop->name_count > 0)
        close(loop->names[--loop->name_count].fd);
}

/* False: somebody was faster. Without a place for one more the oldest goes. */
static bool take_name(struct lb_loop *loop, const struct lb_ike_name *name) {
    int fd = lb_ike_names_take(name);
    if (fd < 0)
        return errno != EADDRINUSE;
    if (loop->name_count == LB_COUNT(loop->names)) {
        close(loop->names[0].fd);
        memmove(&loop->names[0], &loop->names[1], sizeof(loop->names) - sizeof(loop->names[0]));
        loop->name_count--;
    }
    loop->names[loop->name_count++] = (struct lb_tunnel_name){*name, fd};
    return true;
}

static enum lb_ike_others look_for_others(const struct lb_ike_name *name) {
    int fd = lb_ike_names_open();
    enum lb_ike_others others = lb_ike_names_look(fd, name);
    if (fd >= 0)
        close(fd);
    return others;
}

static void cannot_ask(struct lb_loop *loop, uint64_t now_us, struct lb_addr to, enum lb_code code,
                       const char *why) {
    struct lb_error error = {0};
    lb_fail(&error, code, "%s: %s", lb_addr_text(to).s, why);
    lb_boot_no_keys(loop->boot, now_us, to, &error);
}

/* Two associations between the same two ends would take each other's packets, so there is one: the
 * kernel's serves all that this machine says. */
static void tell_from(struct lb_loop *loop, uint64_t now_us, struct lb_addr to,
                      struct lb_addr from) {
    struct lb_ike_name name = name_for(loop, from, to);
    bool is_new = !has_name(loop, &name);
    enum lb_ike_others others = is_new ? look_for_others(&name) : LB_IKE_OTHERS_NONE;
    if (loop->name_count == 0)
        loop->has_others = others != LB_IKE_OTHERS_NONE;
    switch (others) {
    case LB_IKE_OTHERS_KERNEL:
        if (loop->in_kernel && lb_xfrm_share(&loop->xfrm, from, to))
            lb_boot_guarded(loop->boot, now_us, to, from);
        else
            cannot_ask(loop, now_us, to, LB_E_IPSEC_BUSY, "another lunboot is asking for keys");
        return;
    case LB_IKE_OTHERS_STRANGE:
        cannot_ask(loop, now_us, to, LB_E_IPSEC_AUTH,
                   "another lunboot has keys for it, with another ipsec-id or ipsec-peer-id");
        return;
    case LB_IKE_OTHERS_USER:
        cannot_ask(loop, now_us, to, LB_E_IPSEC_BUSY,
                   "a lunboot read, probe or discover has the keys");
        return;
    case LB_IKE_OTHERS_SAME_IDS:
        lb_boot_not_alone(loop->boot);
        break;
    case LB_IKE_OTHERS_ELSEWHERE:
    case LB_IKE_OTHERS_NONE:
        break;
    }
    if (is_new && lb_addr_is_set(from) && !take_name(loop, &name))
        cannot_ask(loop, now_us, to, LB_E_IPSEC_BUSY, "another lunboot begins to ask for keys");
    else
        lb_boot_source(loop->boot, now_us, to, from);
}

static void tell_source(struct lb_loop *loop, const struct lb_boot_action *action,
                        uint64_t now_us) {
    int refused = lb_tunnel_open(loop);
    if (refused)
        lb_tunnel_failed(loop, now_us, loop->in_kernel ? "the kernel's IPsec" : "a TUN interface",
                         refused);
    else
        tell_from(loop, now_us, action->to.addr, source_for(loop, action->to.addr));
}

/* ---- ports ----------------------------------------------------------------------------------- */

/* The interface that has this address. IPv6 has a route into the tunnel for the peer, which the
 * tunnel's own packets must not follow. */
static void find_interface(struct lb_addr addr, char name[IF_NAMESIZE]) {
    struct ifaddrs *all, *each;
    name[0] = 0;
    if (getifaddrs(&all) != 0)
        return;
    for (each = all; each; each = each->ifa_next)
        if (each->ifa_addr && lb_addr_equal(lb_os_endpoint(each->ifa_addr).addr, addr))
            lb_format(name, IF_NAMESIZE, "%s", each->ifa_name);
    freeifaddrs(all);
}

/* An IKE daemon has port 4500 for all, a lunboot for its own peers. */
static int bind_port(int fd, struct lb_endpoint from, bool is_alone) {
    struct lb_os_address at = lb_os_any(from.addr.family, from.port);
    struct lb_os_address any = lb_os_any(from.addr.family, 0);
    if (bind(fd, &at.any, at.len) == 0)
        return 0;
    if (errno == EADDRINUSE && !is_alone)
        return bind(fd, &any.any, any.len);
    return -1;
}

static int open_port(struct lb_endpoint from, bool is_alone, struct lb_datagram *datagram) {
    char name[IF_NAMESIZE];
    int one = 1, room = 4 << 20, refused;
    find_interface(from.addr, name);
    *datagram = (struct lb_datagram){.family = from.addr.family};
    datagram->index = (int)if_nametoindex(name);
    datagram->fd = socket(from.addr.family == LB_V6 ? AF_INET6 : AF_INET,
                          SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (datagram->fd < 0)
        return errno;
    setsockopt(datagram->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    if ((from.addr.family == LB_V6 &&
         setsockopt(datagram->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0) ||
        setsockopt(datagram->fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ||
        bind_port(datagram->fd, from, is_alone) < 0) {
        refused = errno;
        lb_datagram_close(datagram);
        return refused;
    }
    return 0;
}

/* Where a NAT is on the way the kernel finds ESP in this socket. */
int lb_tunnel_open_ike(struct lb_endpoint from, bool is_alone, struct lb_datagram *datagram) {
    int refused = open_port(from, is_alone, datagram);
    if (refused)
        return refused;
    (void)lb_xfrm_decapsulate(datagram->fd);
    refused = lb_xfrm_pass(datagram->fd, datagram->family);
    if (refused)
        lb_datagram_close(datagram);
    return refused;
}

int lb_tunnel_open_port(const struct lb_loop *loop, const struct lb_boot_action *action,
                        struct lb_datagram *datagram) {
    return loop->in_kernel ? lb_tunnel_open_ike(action->from, !loop->has_others, datagram)
                           : open_port(action->from, !loop->has_others, datagram);
}

/* Its address must be that which the policies name. */
static int bind_guarded(const struct lb_loop *loop, int fd, const struct lb_boot_action *action) {
    struct lb_os_address from = lb_os_address((struct lb_endpoint){.addr = action->from.addr},
                                              loop->iface ? loop->iface->link.index : 0);
    if (!lb_xfrm_is_guarded(&loop->xfrm, action->from.addr, action->to.addr)) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    return bind_to_interface(loop, fd) < 0 || bind(fd, &from.any, from.len) < 0 ? -1 : 0;
}

int lb_tunnel_bind(struct lb_loop *loop, int fd, const struct lb_boot_action *action) {
    int refused = EADDRNOTAVAIL;
    if (loop->in_kernel)
        return bind_guarded(loop, fd, action);
    if (lb_addr_is_set(action->from.addr) && loop->tun.fd >= 0)
        refused = lb_tun_bind(&loop->tun, fd, action->from.addr, action->to.addr);
    errno = refused;
    return refused ? -1 : 0;
}

const char *lb_tunnel_interface(const struct lb_loop *loop, const char *usual) {
    return loop->in_kernel ? usual : loop->tun.name;
}

bool lb_tunnel_may_speak(const struct lb_loop *loop, struct lb_addr to) {
    bool may = !loop->in_kernel;
    for (size_t i = 0; i < loop->xfrm.guard_count; i++)
        may = may || lb_addr_equal(loop->xfrm.guards[i].remote, to);
    return may;
}

/* ---- the kernel's SAs ------------------------------------------------------------------------ */

static uint32_t slot_of(struct lb_addr local) {
    return local.family == LB_V4 ? LB_BOOT_SLOT_IPSEC4 : LB_BOOT_SLOT_IPSEC6;
}

/* IKE takes another port than 4500 for the work of a NAT, so ESP is in UDP. */
void lb_tunnel_name_port(const struct lb_datagram *datagram_or_null, struct lb_ipsec_terms *terms) {
    struct lb_os_address own = {.len = sizeof(own.v6)};
    if (datagram_or_null != NULL && getsockname(datagram_or_null->fd, &own.any, &own.len) == 0)
        terms->local.port = lb_os_endpoint(&own.any).port;
}

static void protect(struct lb_loop *loop, const struct lb_boot_action *action, uint64_t now_us) {
    uint32_t slot = slot_of(action->terms->local.addr);
    bool is_open = loop->pump.slots[slot] == LB_PUMP_DATAGRAM;
    struct lb_ipsec_terms terms = *action->terms;
    lb_tunnel_name_port(is_open ? &loop->slots[slot].datagram : NULL, &terms);
    int refused = lb_xfrm_protect(&loop->xfrm, &terms);
    lb_wipe(&terms, sizeof(terms));
    if (refused)
        lb_tunnel_failed(loop, now_us, "the kernel's ESP", refused);
}

void lb_host_ipsec(struct lb_host *host, uint64_t now_us, const struct lb_boot_action *action) {
    struct lb_loop *loop = lb_slot_loop(host);
    if (action->event == LB_BOOT_SOURCE)
        tell_source(loop, action, now_us);
    else if (action->event == LB_BOOT_PROTECT)
        protect(loop, action, now_us);
    else if (action->spi != 0)
        lb_xfrm_drop(&loop->xfrm, action->spi);
    else
        lb_xfrm_drop_all(&loop->xfrm, action->to.addr);
}

/* ---- packets --------------------------------------------------------------------------------- */

static void send_sealed(struct lb_loop *loop, struct lb_endpoint to, struct lb_bytes sealed) {
    uint32_t number = slot_of(to.addr);
    if (sealed.len > 0 && loop->pump.slots[number] == LB_PUMP_DATAGRAM)
        lb_datagram_send(&loop->slots[number].datagram, (struct lb_endpoint){0}, to, sealed);
}

void lb_tunnel_send(struct lb_loop *loop) {
    static uint8_t plain[MTU], sealed[MTU + LB_IPSEC_OVERHEAD_MAX];
    for (unsigned i = 0; i < PACKETS_MAX; i++) {
        struct lb_endpoint to;
        struct lb_bytes packet = lb_tun_read(&loop->tun, lb_span(plain, sizeof(plain)));
        if (packet.len == 0)
            return;
        struct lb_bytes bytes =
            lb_boot_seal(loop->boot, packet, lb_span(sealed, sizeof(sealed)), &to);
        send_sealed(loop, to, bytes);
    }
}

static bool is_esp(struct lb_bytes payload) {
    struct lb_rd rd = lb_rd(payload);
    return lb_rd_u32(&rd) != 0 && lb_rd_ok(&rd);
}

void lb_tunnel_receive(struct lb_loop *loop, uint32_t number, uint64_t now_us) {
    struct lb_slot *slot = &loop->slots[number];
    struct lb_span room =
        lb_span(loop->packet + LB_IPSEC_HEAD_MAX, sizeof(loop->packet) - LB_IPSEC_HEAD_MAX);
    struct lb_endpoint from;
    struct lb_bytes payload;
    for (unsigned i = 0; i < PACKETS_MAX && loop->pump.slots[number] == LB_PUMP_DATAGRAM; i++) {
        if (!lb_datagram_receive(&slot->datagram, room, &from, &payload))
            return;
        if (is_esp(payload) && loop->in_kernel)
            continue; /* a keepalive, or of no NAT that anybody agreed on */
        if (is_esp(payload))
            lb_tun_write(&loop->tun, lb_boot_open(loop->boot, from, lb_span(room.p, payload.len)));
        else
            lb_boot_datagram(loop->boot, now_us, number, from, payload);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static bool is_closed(int fd) {
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state == TCP_CLOSE;
}

/* A reset says no more than once that it is over: closed in the usual way, the kernel would go on
 * saying so when nothing protects it any more. */
static void linger_in_kernel(int fd, uint64_t end_us) {
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    shutdown(fd, SHUT_WR);
    while (!is_closed(fd) && lb_now_us() < end_us)
        poll(NULL, 0, 1);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

void lb_tunnel_linger(struct lb_loop *loop, int fd) {
    uint64_t end_us = lb_now_us() + LINGER_US;
    if (loop->in_kernel) {
        linger_in_kernel(fd, end_us);
        return;
    }
    struct pollfd fds[] = {{.fd = loop->tun.fd, .events = POLLIN},
                           {.fd = loop->slots[LB_BOOT_SLOT_IPSEC4].datagram.fd, .events = POLLIN},
                           {.fd = loop->slots[LB_BOOT_SLOT_IPSEC6].datagram.fd, .events = POLLIN}};
    for (uint32_t i = 1; i < LB_COUNT(fds); i++)
        if (loop->pump.slots[LB_BOOT_SLOT_IPSEC4 + i - 1] != LB_PUMP_DATAGRAM)
            fds[i].fd = -1;
    shutdown(fd, SHUT_WR);
    while (!is_closed(fd) && lb_now_us() < end_us) {
        lb_tunnel_send(loop);
        lb_tunnel_receive(loop, LB_BOOT_SLOT_IPSEC4, lb_now_us());
        lb_tunnel_receive(loop, LB_BOOT_SLOT_IPSEC6, lb_now_us());
        if (!is_closed(fd))
            poll(fds, LB_COUNT(fds), 10);
    }
    lb_tunnel_send(loop);
}
