#include "server/held.h"
#include "core/dhcp4/dhcp4.h"
#include "core/dhcp6/dhcp6.h"
#include "core/slp/slp.h"
#include "core/tftp/tftp.h"
#include "os/linux/os_address.h"
#include "server/link.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FD 3 /* sd_listen_fds(3): SD_LISTEN_FDS_START */

static struct lb_server_held_socket *find(struct lb_server_held *held, enum lb_family family,
                                          int type, uint16_t port) {
    for (size_t i = 0; i < held->count; i++)
        if (held->list[i].family == family && held->list[i].type == type &&
            held->list[i].port == port)
            return &held->list[i];
    return NULL;
}

/* code: errno, where there is no socket. */
static void hold(struct lb_server_held *held, enum lb_family family, int type, uint16_t port,
                 int fd) {
    int code = fd < 0 ? errno : 0;
    lb_assert(held->count < LB_SERVER_HELD_MAX);
    held->list[held->count++] = (struct lb_server_held_socket){
        .fd = fd, .family = family, .type = type, .port = port, .code = code};
}

/* ---- inherited ---- */

/* The value of a variable, which is taken away; 0: there is none. */
static uint64_t take_variable(const char *name) {
    const char *text = getenv(name);
    uint64_t value = 0;
    if (text != NULL && !lb_parse_u64(lb_bytes_of_text(text), UINT32_MAX, &value))
        value = 0;
    unsetenv(name);
    return value;
}

static bool take_socket(struct lb_server_held *held, int fd) {
    struct sockaddr_storage at = {0};
    socklen_t at_len = sizeof at, type_len = sizeof(int);
    int type = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &at_len) < 0)
        return false;
    struct lb_endpoint here = lb_os_endpoint((const struct sockaddr *)&at);
    if (!lb_addr_is_set(here.addr) || (type != SOCK_DGRAM && type != SOCK_STREAM) ||
        held->count == LB_SERVER_HELD_MAX)
        return false;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    hold(held, here.addr.family, type, here.port, fd);
    return true;
}

bool lb_server_held_inherit(struct lb_server_held *held, struct lb_server_error *error) {
    bool is_ours = take_variable("LISTEN_PID") == (uint64_t)getpid();
    uint64_t count = take_variable("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    for (int fd = FIRST_FD; is_ours && fd < FIRST_FD + (int)LB_MIN(count, LB_SERVER_HELD_MAX);
         fd++) {
        if (!take_socket(held, fd))
            return lb_server_fail(error, "give it UDP and TCP sockets, at most 32",
                                  "socket activation: number %d cannot be used", fd);
    }
    return true;
}

/* ---- opened ---- */

static void hold_udp(struct lb_server_held *held, const struct lb_server_link *link,
                     enum lb_family family, uint16_t port) {
    struct lb_server_error unsaid = {0};
    const struct lb_server_held_socket *found = find(held, family, SOCK_DGRAM, port);
    if (found != NULL) {
        int on = 1;
        (void)setsockopt(found->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
        (void)setsockopt(found->fd, SOL_SOCKET, SO_BINDTODEVICE, link->name,
                         (socklen_t)strlen(link->name)); /* refused where systemd has done it */
        return;
    }
    hold(held, family, SOCK_DGRAM, port,
         port == LB_DHCP4_CLIENT_PORT ? lb_server_link_client(link)
                                      : lb_server_link_udp(link, family, true, port, &unsaid));
}

static void hold_tcp(struct lb_server_held *held, const struct lb_server_link *link,
                     enum lb_family family, uint32_t port) {
    struct lb_server_error unsaid = {0};
    if (find(held, family, SOCK_STREAM, (uint16_t)port) == NULL)
        hold(held, family, SOCK_STREAM, (uint16_t)port,
             lb_server_link_listen(link, family, (uint16_t)port, "TCP", &unsaid));
}

/* What both families have. */
static void hold_services(struct lb_server_held *held, const struct lb_server_link *link,
                          enum lb_family family, const struct lb_server_settings *settings) {
    if (!lb_addr_is_set(lb_server_link_address(link, family)))
        return;
    if (settings->tftp)
        hold_udp(held, link, family, LB_TFTP_PORT);
    if (settings->http)
        hold_tcp(held, link, family, settings->http_port);
    hold_tcp(held, link, family, settings->port);
    if (settings->slp != LB_SERVER_SLP_OFF) {
        hold_udp(held, link, family, LB_SLP_PORT);
        hold_tcp(held, link, family, LB_SLP_PORT);
    }
}

void lb_server_held_open(struct lb_server_held *held, const struct lb_server_link *link,
                         const struct lb_server_settings *settings) {
    struct lb_server_error unsaid = {0};
    if (settings->dhcp != LB_SERVER_DHCP_OFF) {
        hold(held, LB_V4, SOCK_PACKET, 0, lb_server_link_raw(link, &unsaid));
        hold_udp(held, link, LB_V4, LB_DHCP4_SERVER_PORT);
    }
    if (settings->dhcp == LB_SERVER_DHCP_AUTO)
        hold_udp(held, link, LB_V4, LB_DHCP4_CLIENT_PORT);
    if (settings->dhcp6 != LB_SERVER_DHCP6_OFF)
        hold_udp(held, link, LB_V6, LB_DHCP6_SERVER_PORT);
    if (settings->router_advertisements)
        hold(held, LB_V6, SOCK_RAW, 0, lb_server_link_routers(link, &unsaid));
    hold_services(held, link, LB_V4, settings);
    hold_services(held, link, LB_V6, settings);
}

/* ---- handed out ---- */

int lb_server_held_take(struct lb_server_held *held, enum lb_family family, int type,
                        uint16_t port) {
    struct lb_server_held_socket *found = held == NULL ? NULL : find(held, family, type, port);
    if (found == NULL)
        return -2;
    int fd = found->fd;
    errno = found->code;
    *found = held->list[--held->count];
    return fd;
}

void lb_server_held_close(struct lb_server_held *held) {
    for (size_t i = 0; i < held->count; i++)
        if (held->list[i].fd >= 0)
            close(held->list[i].fd);
    held->count = 0;
}
