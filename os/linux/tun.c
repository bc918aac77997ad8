#include "os/linux/tun.h"
#include "os/linux/os_address.h"
#include "os/linux/sysctl.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/route.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int give_up(struct lb_tun *tun) {
    int error = errno ? errno : EINVAL;
    lb_tun_close(tun);
    return error;
}

/* An interface without an address takes nothing where the way back leads elsewhere (rp_filter): it
 * has the dummy address of RFC 7600 4.8, which no packet comes from. */
static bool give_address(int fd, struct ifreq *request) {
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)&request->ifr_addr;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000008)};
    if (ioctl(fd, SIOCSIFADDR, request) < 0)
        return false;
    address->sin_addr.s_addr = INADDR_NONE; /* the netmask of a host */
    return ioctl(fd, SIOCSIFNETMASK, request) == 0;
}

static bool raise_it(const struct lb_tun *tun, unsigned mtu) {
    struct ifreq request = {.ifr_mtu = (int)mtu};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    memcpy(request.ifr_name, tun->name, sizeof(request.ifr_name));
    bool good = ioctl(fd, SIOCSIFMTU, &request) == 0;
    good = good && give_address(fd, &request);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    good = good && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return good;
}

int lb_tun_open(struct lb_tun *tun, unsigned mtu) {
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "lunboot%d"};
    struct lb_sysctl loose;
    *tun = (struct lb_tun){.fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
    if (tun->fd < 0)
        return errno;
    if (ioctl(tun->fd, TUNSETIFF, &request) < 0)
        return give_up(tun);
    memcpy(tun->name, request.ifr_name, sizeof(tun->name));
    /* The peer's packets come by another way than the routes say: RFC 3704's strict check would
     * drop them. It ends with the interface. */
    (void)lb_sysctl_set(&loose, "ipv4/conf", tun->name, "rp_filter", "2");
    return raise_it(tun, mtu) ? 0 : give_up(tun);
}

void lb_tun_close(struct lb_tun *tun) {
    if (tun->fd >= 0)
        close(tun->fd);
    tun->fd = -1;
}

struct lb_bytes lb_tun_read(struct lb_tun *tun, struct lb_span room) {
    ssize_t len = tun->fd < 0 ? -1 : read(tun->fd, room.p, room.len);
    return lb_bytes(room.p, len > 0 ? (size_t)len : 0);
}

void lb_tun_write(struct lb_tun *tun, struct lb_bytes packet) {
    if (tun->fd >= 0 && packet.len > 0)
        (void)!write(tun->fd, packet.p, packet.len);
}

/* A second time says that it exists. */
static int add_route6(const struct lb_tun *tun, struct lb_addr to) {
    struct in6_rtmsg route = {
        .rtmsg_dst_len = 128, .rtmsg_metric = 1024, .rtmsg_flags = RTF_UP | RTF_HOST};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), refused = 0;
    if (fd < 0)
        return errno;
    memcpy(&route.rtmsg_dst, to.bytes, sizeof(route.rtmsg_dst));
    route.rtmsg_ifindex = (int)if_nametoindex(tun->name);
    if (ioctl(fd, SIOCADDRT, &route) < 0 && errno != EEXIST)
        refused = errno;
    close(fd);
    return refused;
}

int lb_tun_bind(const struct lb_tun *tun, int fd, struct lb_addr from, struct lb_addr to) {
    struct lb_os_address address = lb_os_address((struct lb_endpoint){.addr = from}, 0);
    int refused = to.family == LB_V6 ? add_route6(tun, to) : 0;
    if (refused)
        return refused;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, tun->name, (socklen_t)strlen(tun->name)) < 0)
        return errno;
    if (lb_addr_is_set(from) && bind(fd, &address.any, address.len) < 0)
        return errno;
    return 0;
}
