#include "server/link.h"
#include "core/dhcp4/dhcp4.h"
#include "os/linux/os_address.h"
#include "os/linux/packet.h"
#include "server/held.h"
#include "server/say.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX 1500
#define BACKLOG   1024

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

static uint8_t mask_len6(const struct sockaddr_in6 *mask) {
    uint8_t len = 0;
    while (len < 128 && (mask->sin6_addr.s6_addr[len / 8] & 0x80 >> len % 8) != 0)
        len++;
    return len;
}

static bool take_ipv6(struct lb_server_link *link, const struct ifaddrs *at) {
    struct sockaddr_in6 mask;
    if (at->ifa_addr == NULL || at->ifa_addr->sa_family != AF_INET6 || at->ifa_netmask == NULL)
        return false;
    struct lb_addr address = lb_os_endpoint(at->ifa_addr).addr;
    if (!lb_addr_is_host(address) || lb_addr_is_link_local(address))
        return false;
    memcpy(&mask, at->ifa_netmask, sizeof mask);
    uint8_t len = mask_len6(&mask);
    link->address6 = address;
    link->network6 = (struct lb_prefix){.addr = lb_addr_mask(address, len), .len = len};
    return true;
}

static bool find_address(struct lb_server_link *link,
                         bool (*take)(struct lb_server_link *, const struct ifaddrs *)) {
    struct ifaddrs *list;
    bool found = false;
    if (getifaddrs(&list) < 0)
        return false;
    for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next)
        found = strcmp(at->ifa_name, link->name) == 0 && take(link, at);
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

/* IFF_ flags; those of one that serves where they cannot be had. */
static unsigned flags_of(const struct lb_server_link *link) {
    struct ifreq ask = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(ask.ifr_name, link->name, sizeof link->name);
    bool is_known = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &ask) == 0;
    if (fd >= 0)
        close(fd);
    return is_known ? (unsigned)(unsigned short)ask.ifr_flags : IFF_UP | IFF_RUNNING;
}

bool lb_server_link_has(const struct lb_server_link *link, struct lb_addr address) {
    struct ifaddrs *list;
    bool found = !lb_addr_is_set(address);
    if (found || getifaddrs(&list) < 0)
        return true;
    for (const struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next)
        found = at->ifa_addr != NULL && strcmp(at->ifa_name, link->name) == 0 &&
                (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6) &&
                lb_addr_equal(lb_os_endpoint(at->ifa_addr).addr, address);
    freeifaddrs(list);
    return found;
}

enum lb_server_link_state lb_server_link_state(const struct lb_server_link *link) {
    unsigned index = if_nametoindex(link->name), flags = flags_of(link);
    if (index == 0)
        return errno == ENODEV ? LB_LINK_GONE : LB_LINK_SERVES;
    if ((int)index != link->index)
        return LB_LINK_REPLACED;
    if ((flags & IFF_UP) == 0)
        return LB_LINK_DOWN;
    if (!lb_server_link_has(link, link->address) || !lb_server_link_has(link, link->address6))
        return LB_LINK_NO_ADDRESS;
    return (flags & IFF_RUNNING) == 0 ? LB_LINK_NO_CARRIER : LB_LINK_SERVES;
}

bool lb_server_link_check_machine(const struct lb_server_link *link, const char *machine,
                                  struct lb_addr address, bool is_served,
                                  struct lb_server_error *error) {
    if (lb_addr_equal(address, lb_server_link_address(link, address.family)))
        return lb_server_fail(error, "give it another address of the network",
                              "machine %s has the address of %s, %s", machine, link->name,
                              lb_addr_text(address).s);
    return is_served || lb_server_fail(error,
                                       "give an address of the interface's network, or a section "
                                       "[subnet NAME] for its network",
                                       "the address of machine %s, %s, is in no network that is "
                                       "served",
                                       machine, lb_addr_text(address).s);
}

bool lb_server_link_lets_added(const struct lb_server_machine_settings *machine,
                               const struct lb_server_error *why, struct lb_server_error *error) {
    if (!machine->is_added)
        return lb_server_fail(error, why->hint, "%s", why->what);
    lb_server_say(machine->name, "gets another address: %s; try: lunbootctl remove %s", why->what,
                  machine->name);
    return true;
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

bool lb_server_link_find(struct lb_server_link *link, const char *name, bool has_ipv6,
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
    if (has_ipv6 && !find_address(link, take_ipv6)) {
        lb_format(others, sizeof others, "ip address add 2001:db8::1/64 dev %s, or --ipv6=no",
                  name);
        return lb_server_fail(error, others,
                              "the interface %s has no IPv6 address that others can reach", name);
    }
    if (find_address(link, take_ipv4) || has_ipv6)
        return true;
    lb_format(others, sizeof others, "ip address add 192.0.2.1/24 dev %s, and ip link set %s up%s",
              name, name,
              find_address(link, take_ipv6) ? "; or serve its IPv6 address: --dhcp6=server" : "");
    return lb_server_fail(error, others, "the interface %s has no IPv4 address", name);
}

struct lb_addr lb_server_link_address(const struct lb_server_link *link, enum lb_family family) {
    return family == LB_V6 ? link->address6 : link->address;
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

/* From NETWORK::1000 on, or ::2000 where that is the link's own. */
struct lb_server_range lb_server_link_range6(const struct lb_server_link *link, uint32_t most) {
    struct lb_server_range range = {.first = link->network6.addr, .last = link->network6.addr};
    struct lb_server_range none = {0};
    lb_assert(most > 0 && most <= 0x1000);
    if (link->network6.len > 112)
        return none;
    bool is_own = lb_addr_equal(lb_addr_mask(link->address6, 112), link->network6.addr) &&
                  link->address6.bytes[14] >> 4 == 1;
    range.first.bytes[14] = is_own ? 0x20 : 0x10;
    uint32_t last = (uint32_t)range.first.bytes[14] << 8 | (most - 1);
    range.last.bytes[14] = (uint8_t)(last >> 8);
    range.last.bytes[15] = (uint8_t)last;
    return range;
}

/* ---- sockets ---- */

static int os_family(enum lb_family family) {
    return family == LB_V6 ? AF_INET6 : AF_INET;
}

/* Binds it at the port of the family's address of the link. */
static bool bind_at(const struct lb_server_link *link, int fd, enum lb_family family, bool any,
                    uint16_t port) {
    struct lb_endpoint here = {.addr = lb_server_link_address(link, family), .port = port};
    struct lb_os_address at = any ? lb_os_any(family, port) : lb_os_address(here, link->index);
    int on = 1;
    /* An address that is still looked for by duplicate address detection is ours all the same. */
    if (family == LB_V6 && (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0 ||
                            setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on) < 0))
        return false;
    return bind(fd, &at.any, at.len) == 0;
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
    } names[] = {{67, "DHCP"},    {69, "TFTP"},   {427, "SLP"},
                 {547, "DHCPv6"}, {3205, "iSNS"}, {4011, "PXE"}};
    for (size_t i = 0; i < LB_COUNT(names); i++)
        if (names[i].port == port)
            return names[i].name;
    return "TFTP"; /* a transfer's port */
}

int lb_server_link_udp(const struct lb_server_link *link, enum lb_family family, bool any,
                       uint16_t port, struct lb_server_error *error) {
    const char *what = udp_service(port);
    int on = 1, fd = port == 0 ? -2 : lb_server_held_take(link->held, family, SOCK_DGRAM, port);
    if (fd != -2)
        return fd >= 0 ? fd : fail_port(fd, what, port, error);
    fd = socket(os_family(family), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) < 0)
        return fail_port(fd, what, port, error);
    if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0 ||
        !bind_at(link, fd, family, any, port))
        return fail_port(fd, what, port, error);
    return fd;
}

int lb_server_link_listen(const struct lb_server_link *link, enum lb_family family, uint16_t port,
                          const char *what, struct lb_server_error *error) {
    int on = 1, fd = lb_server_held_take(link->held, family, SOCK_STREAM, port);
    if (fd == -1)
        return fail_port(fd, what, port, error); /* by errno, which nothing may change before */
    if (fd >= 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    fd = socket(os_family(family), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        !bind_at(link, fd, family, false, port) || listen(fd, BACKLOG) < 0)
        return fail_port(fd, what, port, error);
    return fd;
}

int lb_server_link_client(const struct lb_server_link *link) {
    int on = 1, fd = lb_server_held_take(link->held, LB_V4, SOCK_DGRAM, LB_DHCP4_CLIENT_PORT);
    if (fd != -2)
        return fd;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) ==
            0 &&
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind_at(link, fd, LB_V4, true, LB_DHCP4_CLIENT_PORT))
        return fd;
    int code = errno;
    if (fd >= 0)
        close(fd);
    errno = code;
    return -1;
}

bool lb_server_link_join(const struct lb_server_link *link, int fd, struct lb_addr group) {
    struct ipv6_mreq join = {.ipv6mr_interface = (unsigned)link->index};
    memcpy(&join.ipv6mr_multiaddr, group.bytes, 16);
    return setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &join, sizeof join) == 0;
}

/* RFC 4861 4.2, 6.1.1: hop limit 255 both ways. What we advertise is not for ourselves. */
static bool set_routers(const struct lb_server_link *link, int fd) {
    int on = 1, off = 0, hops = 255;
    static const uint8_t all_routers[16] = {0xff, 2, [15] = 2};
    struct icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, (socklen_t)strlen(link->name)) ==
               0 &&
           setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &off, sizeof off) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) == 0 &&
           lb_server_link_join(link, fd, lb_addr_v6_bytes(all_routers));
}

int lb_server_link_routers(const struct lb_server_link *link, struct lb_server_error *error) {
    int fd = lb_server_held_take(link->held, LB_V6, SOCK_RAW, 0);
    bool is_held = fd >= 0;
    if (fd == -2)
        fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    if (fd >= 0 && (is_held || set_routers(link, fd)))
        return fd;
    lb_server_fail(error, "run lunbootd as root, or give it CAP_NET_RAW",
                   "router advertisements: a socket cannot be opened: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- frames ---- */

int lb_server_link_raw(const struct lb_server_link *link, struct lb_server_error *error) {
    int fd = lb_server_held_take(link->held, LB_V4, SOCK_PACKET, 0);
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
