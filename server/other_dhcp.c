#include "server/other_dhcp.h"
#include "core/dhcp4/dhcp4_wire.h"
#include "os/linux/clock.h"
#include "os/linux/datagram.h"
#include "server/say.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_US  (2 * LB_US_SEC) /* some servers ping an address for a second before */
#define AGAIN_US (700 * LB_US_MS)

struct lb_bytes lb_server_other_dhcp_question(const uint8_t mac[6], uint32_t xid,
                                              struct lb_span room) {
    uint8_t memory[64];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREQUEST, .htype = 1, .hlen = 6, .xid = xid, .flags = LB_DHCP4_BROADCAST};
    struct lb_dhcp4_layout layout = {.max_bytes = LB_DHCP4_BOOTP_BYTES};
    memcpy(header.chaddr, mac, 6);
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
    lb_dhcp4_put_u8(&list, LB_OPT_PARAMETERS, LB_OPT_MASK);
    return lb_dhcp4_encode(&header, &list, layout, room);
}

bool lb_server_other_dhcp_answer(struct lb_bytes payload, uint32_t xid, struct lb_addr from,
                                 struct lb_addr *other) {
    struct lb_dhcp4_message message;
    const char *why;
    if (!lb_dhcp4_decode(payload, &message, &why) || message.header.op != LB_BOOTREPLY ||
        message.header.xid != xid || message.type != LB_DHCP4_OFFER ||
        lb_addr_is_zero(message.header.yiaddr)) /* of proxies there may be several */
        return false;
    if (!lb_dhcp4_option_addr(&message, LB_OPT_SERVER_ID, other))
        *other = from;
    return true;
}

static void ask(int fd, struct lb_bytes question) {
    struct lb_endpoint to = {lb_addr_v4(255, 255, 255, 255), LB_DHCP4_SERVER_PORT};
    lb_udp_send(fd, 0, to, question);
}

/* The next that came; false: nothing did by then. */
static bool hear(int fd, uint64_t until_us, uint32_t xid, struct lb_addr *other) {
    uint8_t payload[LB_DHCP4_PACKET_MAX];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    for (uint64_t now_us = lb_now_us(); now_us < until_us; now_us = lb_now_us()) {
        struct lb_udp_received in;
        (void)poll(&wait, 1, (int)((until_us - now_us) / LB_US_MS + 1));
        if (lb_udp_receive(fd, lb_span(payload, sizeof payload), &in) &&
            lb_server_other_dhcp_answer(in.payload, xid, in.from.addr, other))
            return true;
    }
    return false;
}

bool lb_server_other_dhcp_find(const struct lb_server_link *link, struct lb_addr *other,
                               struct lb_server_error *error) {
    uint8_t room[LB_DHCP4_PACKET_MAX];
    uint64_t until_us = lb_now_us() + WAIT_US;
    uint32_t xid = 0;
    int fd = lb_server_link_client(link);
    *other = (struct lb_addr){0};
    if (fd < 0)
        return lb_server_fail(error,
                              errno == EACCES || errno == EPERM
                                  ? "run lunbootd as root"
                                  : "say which it is to be: --dhcp=server or --dhcp=proxy",
                              "DHCP: port 68 cannot be opened to look for another server: %s",
                              strerror(errno));
    if (getrandom(&xid, sizeof xid, 0) != sizeof xid) {
        close(fd);
        return lb_server_fail(error, "", "DHCP: the kernel gives no random number: %s",
                              strerror(errno));
    }
    struct lb_bytes question =
        lb_server_other_dhcp_question(link->mac, xid, lb_span(room, sizeof room));
    for (bool found = false; !found && lb_now_us() < until_us;) {
        ask(fd, question);
        found = hear(fd, LB_MIN(lb_now_us() + AGAIN_US, until_us), xid, other);
    }
    close(fd);
    return true;
}
