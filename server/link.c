#include "server/link.h"
#include "core/dhcp4/dhcp4.h"
#include "os/linux/os_address.h"
#include "os/linux/packet.h"
#include "server/held.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX 1500
#define BACKLOG   256

/* ---- the interface ---- */

static bool take_ipv4(struct lb_server_link *link, const struct ifaddrs *at) {
    uint8_t len;
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET || at->ifa_netmask == NULL)
        return false;
    link->address = lb_os_endpoint(at->ifa_addr).addr;
    if (lb_addr_is_link_local(link->address) ||
        !lb_mask_len(lb_os_endpoint(at->ifa_netmask).addr, &len))
        return false;
    link->network = (struct lb_prefix){.addr = lb_addr_mask(link->address, len), .len = len};
    return true;
}

static bool find_ipv4(struct lb_server_link *link) {
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next)
        found = strcmp(at->ifa_name, link->name) == 0 && take_ipv4(link, at);
    freeifaddrs(list);
    return found;
}

static void find_hardware(struct lb_server_link *link) {
    struct ifreq ask = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    link->mtu = 1500;
    if (fd < 0)
        return;
    memcpy(ask.ifr_name, link->name, sizeof link->name);
    if (ioctl(fd, SIOCGIFHWADDR, &ask) == 0)
        memcpy(link->mac, ask.ifr_hwaddr.sa_data, 6);
    if (ioctl(fd, SIOCGIFMTU, &ask) == 0)
        link->mtu = (uint32_t)ask.ifr_mtu;
    close(fd);
}

/* ", and there are eth0, eth1" */
static void add_interfaces(struct lb_text *text) {
    struct if_nameindex *list = if_nameindex();
    const char *before = "; there are ";
    for (const struct if_nameindex *at = list; list != NULL && at->if_index != 0; at++) {
        lb_text_add(text, "%s%s", before, at->if_name);
        before = ", ";
    }
    if_freenameindex(list);
}

bool lb_server_link_find(struct lb_server_link *link, const char *name,
                         struct lb_server_error *error) {
    char others[200];
    struct lb_text text = lb_text(others, sizeof others);
    *link = (struct lb_server_link){.index = (int)if_nametoindex(name)};
    if (link->index == 0) {
        add_interfaces(&text);
        return lb_server_fail(error, "give one of them as --interface=NAME",
                              "there is no interface %s%s", name, others);
    }
    lb_text_copy(link->name, sizeof link->name, lb_bytes_of_text(name));
    find_hardware(link);
    if (find_ipv4(link))
        return true;
    lb_format(others, sizeof others, "ip address add 192.0.2.1/24 dev %s, and ip link set %s up",
              name, name);
    return lb_server_fail(error, others, "the interface %s has no IPv4 address", name);
}

static uint32_t number_of(struct lb_addr addr) {
    struct lb_rd rd = lb_rd(lb_bytes(addr.bytes, 4));
    return lb_rd_u32(&rd);
}

static struct lb_addr address_of(uint32_t number) {
    return lb_addr_v4((uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                      (uint8_t)number);
}

struct lb_server_range lb_server_link_range(const struct lb_server_link *link, uint32_t most) {
    struct lb_server_range none = {0};
    if (link->network.len > 30)
        return none;
    uint32_t first = number_of(link->network.addr) + 1, own = number_of(link->address);
    uint32_t last = first + (UINT32_MAX >> link->network.len) - 2;
    if (own - first < last - own)
        first = own + 1; /* the longer side: pools begin behind routers and servers */
    else
        last = own - 1;
    last = LB_MIN(last, first + most - 1);
    return (struct lb_server_range){.first = address_of(first), .last = address_of(last)};
}

/* ---- sockets ---- */

/* Of the link; any: 0.0.0.0. */
static struct lb_os_address address_at(const struct lb_server_link *link, bool any, uint16_t port) {
    if (any)
        return lb_os_any(LB_V4, port);
    return lb_os_address((struct lb_endpoint){link->address, port}, link->index);
}

/* Closes fd, and says why port cannot be had. Gives -1. */
static int fail_port(int fd, const char *what, uint16_t port, struct lb_server_error *error) {
    char hint[200];
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (code == EADDRINUSE)
        lb_format(hint, sizeof hint,
                  "end it (`ss -lnp sport = :%u` shows it), or have lunbootd use another port or "
                  "leave this service to it (lunbootd --help)",
                  port);
    else if (code == EACCES || code == EPERM)
        lb_format(hint, sizeof hint,
                  "run lunbootd as root, or give it CAP_NET_BIND_SERVICE and "
                  "CAP_NET_RAW");
    else
        lb_format(hint, sizeof hint, "see the reason");
    lb_server_fail(error, hint,
                   code == EADDRINUSE ? "%s: another program has port %u (%s)"
                                      : "%s: port %u cannot be opened: %s",
                   what, port, strerror(code));
    errno = code;
    return -1;
}

static const char *udp_service(uint16_t port) {
    static const struct {
        uint16_t port;
        const char *name;
    } names[] = {{67, "DHCP"}, {69, "TFTP"}, {427, "SLP"}, {3205, "iSNS"}, {4011, "PXE"}};
    for (size_t i = 0; i < LB_COUNT(names); i++)
        if (names[i].port == port)
            return names[i].name;
    return "TFTP"; /* a transfer's port */
}

int lb_server_link_udp(const struct lb_server_link *link, bool any, uint16_t port,
                       struct lb_server_error *error) {
    struct lb_os_address at = address_at(link, any, port);
    const char *what = udp_service(port);
    int on = 1, fd = port == 0 ? -2 : lb_server_held_take(link->held, SOCK_DGRAM, port);
    if (fd != -2)
        return fd >= 0 ? fd : fail_port(fd, what, port, error);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) < 0)
        return fail_port(fd, what, port, error);
    if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0 ||
        bind(fd, &at.any, at.len) < 0)
        return fail_port(fd, what, port, error);
    return fd;
}

int lb_server_link_listen(const struct lb_server_link *link, uint16_t port, const char *what,
                          struct lb_server_error *error) {
    struct lb_os_address at = address_at(link, false, port);
    int on = 1, fd = lb_server_held_take(link->held, SOCK_STREAM, port);
    if (fd != -2)
        return fd >= 0 ? fd : fail_port(fd, what, port, error);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, &at.any, at.len) < 0 || listen(fd, BACKLOG) < 0)
        return fail_port(fd, what, port, error);
    return fd;
}

int lb_server_link_client(const struct lb_server_link *link) {
    struct lb_os_address at = address_at(link, true, LB_DHCP4_CLIENT_PORT);
    int on = 1, fd = lb_server_held_take(link->held, SOCK_DGRAM, LB_DHCP4_CLIENT_PORT);
    if (fd != -2)
        return fd;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) ==
            0 &&
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, &at.any, at.len) == 0)
        return fd;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return -1;
}

/* ---- frames ---- */

int lb_server_link_raw(const struct lb_server_link *link, struct lb_server_error *error) {
    int fd = lb_server_held_take(link->held, SOCK_PACKET, 0);
    if (fd == -2)
        fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        lb_server_fail(error, "run lunbootd as root, or give it CAP_NET_RAW",
                       "DHCP: a packet socket cannot be opened: %s", strerror(errno));
    return fd;
}

bool lb_server_link_send_frame(const struct lb_server_link *link, int raw, const uint8_t mac[6],
                               uint16_t from_port, struct lb_endpoint to, struct lb_bytes payload) {
    uint8_t room[FRAME_MAX];
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_IP),
                             .sll_ifindex = link->index,
                             .sll_halen = 6};
    struct lb_endpoint from = {.addr = link->address, .port = from_port};
    struct lb_bytes frame = lb_packet_build_ipv4(from, to, payload, lb_span(room, sizeof room));
    memcpy(at.sll_addr, mac, 6);
    return frame.len > 0 &&
           sendto(raw, frame.p, frame.len, 0, (struct sockaddr *)&at, sizeof at) >= 0;
}
