#include "os/linux/packet.h"
#include "core/base/checksum.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define IP_HEADER  20
#define UDP_HEADER 8
#define UDP        17
#define ICMP6      58

/* ---- frames ---------------------------------------------------------------------------------- */

static void write_ethernet(struct lb_wr *wr, const uint8_t mac[6]) {
    for (unsigned i = 0; i < 6; i++)
        lb_wr_u8(wr, 0xff);
    lb_wr_bytes(wr, lb_bytes(mac, 6));
    lb_wr_u16(wr, ETH_P_IP);
}

/* At the beginning of wr. */
static void write_ip(struct lb_wr *wr, struct lb_addr from, struct lb_addr to, size_t udp_len) {
    lb_wr_u16(wr, 0x4500);
    lb_wr_u16(wr, (uint16_t)(IP_HEADER + udp_len));
    lb_wr_u16(wr, 0);
    lb_wr_u16(wr, 0x4000); /* not to be fragmented */
    lb_wr_u8(wr, 64);
    lb_wr_u8(wr, UDP);
    lb_wr_u16(wr, 0);
    lb_wr_addr(wr, from);
    lb_wr_addr(wr, to);
    if (lb_wr_ok(wr))
        lb_wr_u16_at(wr, 10, lb_checksum(lb_bytes(wr->start, IP_HEADER)));
}

struct lb_bytes lb_packet_build_ipv4(struct lb_endpoint from, struct lb_endpoint to,
                                     struct lb_bytes payload, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    size_t udp_len = UDP_HEADER + payload.len;
    uint16_t checksum;

    if (udp_len > UINT16_MAX - IP_HEADER)
        return (struct lb_bytes){0};
    write_ip(&wr, from.addr, to.addr, udp_len);
    lb_wr_u16(&wr, from.port);
    lb_wr_u16(&wr, to.port);
    lb_wr_u16(&wr, (uint16_t)udp_len);
    lb_wr_u16(&wr, 0);
    lb_wr_bytes(&wr, payload);
    if (!lb_wr_ok(&wr))
        return (struct lb_bytes){0};
    checksum =
        lb_checksum_payload(from.addr, to.addr, UDP, lb_bytes(wr.start + IP_HEADER, udp_len));
    lb_wr_u16_at(&wr, IP_HEADER + 6, checksum ? checksum : 0xffff); /* 0 would mean "none" */
    return lb_wr_done(&wr);
}

struct lb_bytes lb_packet_build(const uint8_t mac[6], struct lb_endpoint from,
                                struct lb_endpoint to, struct lb_bytes payload,
                                struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    struct lb_bytes packet;

    write_ethernet(&wr, mac);
    if (!lb_wr_ok(&wr))
        return (struct lb_bytes){0};
    packet = lb_packet_build_ipv4(from, to, payload, lb_span(room.p + wr.len, room.len - wr.len));
    return lb_bytes(room.p, packet.len > 0 ? wr.len + packet.len : 0);
}

struct lb_bytes lb_packet_build_icmp6(const uint8_t mac[6], struct lb_addr from, struct lb_addr to,
                                      struct lb_bytes message, struct lb_span room) {
    struct lb_wr wr = lb_wr(room);
    size_t start;

    lb_assert(lb_addr_is_multicast(to) && message.len <= UINT16_MAX);
    lb_wr_u16(&wr, 0x3333); /* RFC 2464 7 */
    lb_wr_bytes(&wr, lb_bytes(to.bytes + 12, 4));
    lb_wr_bytes(&wr, lb_bytes(mac, 6));
    lb_wr_u16(&wr, ETH_P_IPV6);
    lb_wr_u32(&wr, UINT32_C(6) << 28);
    lb_wr_u16(&wr, (uint16_t)message.len);
    lb_wr_u8(&wr, ICMP6);
    lb_wr_u8(&wr, 255);
    lb_wr_bytes(&wr, lb_bytes(from.bytes, 16));
    lb_wr_bytes(&wr, lb_bytes(to.bytes, 16));
    start = wr.len;
    lb_wr_bytes(&wr, message);
    lb_wr_u16_at(&wr, start + 2, 0);
    if (!lb_wr_ok(&wr))
        return (struct lb_bytes){0};
    lb_wr_u16_at(&wr, start + 2,
                 lb_checksum_payload(from, to, ICMP6, lb_bytes(wr.start + start, message.len)));
    return lb_wr_done(&wr);
}

/* An IPv4 header without faults, of a datagram in one piece: its payload is what is left. */
static bool read_ip(struct lb_rd *rd, struct lb_addr *from, struct lb_addr *to) {
    const uint8_t *start = rd->at;
    size_t room = rd->left, header;
    uint8_t version = lb_rd_u8(rd), protocol;
    uint16_t total, fragment;

    header = (version & 15u) * 4;
    lb_rd_skip(rd, 1);
    total = lb_rd_u16(rd);
    lb_rd_skip(rd, 2);
    fragment = lb_rd_u16(rd);
    lb_rd_skip(rd, 1);
    protocol = lb_rd_u8(rd);
    lb_rd_skip(rd, 2);
    *from = lb_rd_v4(rd);
    *to = lb_rd_v4(rd);
    if (!lb_rd_ok(rd) || version >> 4 != 4 || header < IP_HEADER || total < header ||
        total > room || (fragment & 0x3fff) != 0 || protocol != UDP)
        return false;
    if (lb_checksum(lb_bytes(start, header)) != 0)
        return false;
    *rd = lb_rd(lb_bytes(start + header, total - header)); /* less Ethernet's padding */
    return true;
}

bool lb_packet_parse(struct lb_bytes frame, bool is_checked, uint16_t port,
                     struct lb_endpoint *from, struct lb_bytes *payload) {
    struct lb_rd rd = lb_rd(lb_bytes_after(frame, 14));
    struct lb_addr source, destination;
    uint16_t source_port, destination_port, len, checksum;
    const uint8_t *udp;

    if (frame.len < 14 || !read_ip(&rd, &source, &destination))
        return false;
    udp = rd.at;
    source_port = lb_rd_u16(&rd);
    destination_port = lb_rd_u16(&rd);
    len = lb_rd_u16(&rd);
    checksum = lb_rd_u16(&rd);
    if (!lb_rd_ok(&rd) || len < UDP_HEADER || (size_t)len - UDP_HEADER > rd.left ||
        destination_port != port)
        return false;
    if (is_checked && checksum != 0 &&
        lb_checksum_payload(source, destination, UDP, lb_bytes(udp, len)) != 0)
        return false;
    *from = (struct lb_endpoint){source, source_port};
    *payload = lb_bytes(rd.at, (size_t)len - UDP_HEADER);
    return true;
}

/* ---- the socket ------------------------------------------------------------------------------ */

/* Unfragmented UDP over IPv4 to the port, seen from the Ethernet header on. */
static int attach_filter(int fd, uint16_t port) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14 + 9), /* protocol */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UDP, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14 + 6), /* fragment offset, more fragments */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),    /* length of the IP header */
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 14 + 2), /* UDP destination port */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0xffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = LB_COUNT(code), .filter = code};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int lb_packet_open(int index, uint16_t port, int *fd) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
    int one = 1, error;
    /* Protocol 0: nothing comes in before the filter is there and bind has named the interface. */
    int opened = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (opened < 0)
        return errno;
    if (attach_filter(opened, port) == 0 &&
        setsockopt(opened, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) == 0 &&
        bind(opened, (struct sockaddr *)&address, sizeof(address)) == 0) {
        *fd = opened;
        return 0;
    }
    error = errno;
    close(opened);
    return error;
}

int lb_packet_send(int fd, int index, struct lb_bytes frame) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
    ssize_t sent = sendto(fd, frame.p, frame.len, 0, (struct sockaddr *)&address, sizeof(address));
    return sent < 0 ? errno : 0;
}

bool lb_packet_is_ours(const struct sockaddr_ll *from) {
    return from->sll_pkttype != PACKET_OTHERHOST;
}

static struct tpacket_auxdata auxdata(struct msghdr *message) {
    struct tpacket_auxdata data = {0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
            memcpy(&data, CMSG_DATA(c), sizeof(data));
    }
    return data;
}

bool lb_packet_receive(int fd, uint16_t port, struct lb_span room, struct lb_endpoint *from,
                       struct lb_bytes *payload) {
    for (;;) {
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
        struct iovec piece = {room.p, room.len};
        struct sockaddr_ll sender = {0};
        struct msghdr message = {.msg_name = &sender,
                                 .msg_namelen = sizeof(sender),
                                 .msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof(control)};
        ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
        struct tpacket_auxdata data;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        data = auxdata(&message);
        if (!lb_packet_is_ours(&sender))
            continue;
        if (lb_packet_parse(lb_bytes(room.p, (size_t)got),
                            !(data.tp_status & TP_STATUS_CSUMNOTREADY), port, from, payload))
            return true;
    }
}
