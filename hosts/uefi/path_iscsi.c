#include "hosts/uefi/path_iscsi.h"

#define MESSAGING       3 /* the type of all nodes here but the end */
#define IPV4            12
#define IPV6            13
#define ISCSI           19
#define IPV4_NODE_BYTES 27
#define IPV6_NODE_BYTES 60
#define ISCSI_BYTES     18 /* and the name behind them, with its zero */
#define PROTOCOL_TCP    6

/* Of the iSCSI node. */
#define HEADER_DIGEST     0x0002
#define DATA_DIGEST       0x0008
#define NO_AUTHENTICATION 0x0800
#define CHAP_ONE_WAY      0x1000

static void put_ipv4(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end) {
    lb_wr_u8(wr, IPV4);
    lb_wr_u16le(wr, IPV4_NODE_BYTES);
    lb_wr_addr(wr, end->addr);
    lb_wr_addr(wr, peer.addr);
    lb_wr_u16le(wr, 0); /* local port: any */
    lb_wr_u16le(wr, peer.port);
    lb_wr_u16le(wr, PROTOCOL_TCP);
    lb_wr_u8(wr, end->origin == LOCAL_MANUAL ? 1 : 0); /* static address? */
    lb_wr_zero(wr, 8);                                 /* gateway, mask: as configured */
}

static void put_ipv6(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end) {
    static const uint8_t origins[] = {
        [LOCAL_MANUAL] = 0,
        [LOCAL_ROUTER] = 1,
        [LOCAL_DHCP] = 2,
    };
    lb_wr_u8(wr, IPV6);
    lb_wr_u16le(wr, IPV6_NODE_BYTES);
    lb_wr_addr(wr, end->addr);
    lb_wr_addr(wr, peer.addr);
    lb_wr_u16le(wr, 0);
    lb_wr_u16le(wr, peer.port);
    lb_wr_u16le(wr, PROTOCOL_TCP);
    lb_wr_u8(wr, origins[end->origin]);
    lb_wr_u8(wr, end->prefix_len);
    lb_wr_zero(wr, 16); /* gateway: as configured */
}

static uint16_t options_of(const struct lb_initiator_agreed *agreed) {
    uint16_t options = 0;
    options |= agreed->header_digest ? HEADER_DIGEST : 0;
    options |= agreed->data_digest ? DATA_DIGEST : 0;
    options |= agreed->chap ? 0 : NO_AUTHENTICATION;
    options |= agreed->chap && !agreed->mutual ? CHAP_ONE_WAY : 0;
    return options;
}

void path_iscsi_put(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end,
                    const struct lb_rootpath *target, const struct lb_initiator_agreed *agreed) {
    lb_wr_u8(wr, MESSAGING);
    if (peer.addr.family == LB_V6)
        put_ipv6(wr, peer, end);
    else
        put_ipv4(wr, peer, end);
    lb_wr_u8(wr, MESSAGING);
    lb_wr_u8(wr, ISCSI);
    lb_wr_u16le(wr, (uint16_t)(ISCSI_BYTES + lb_strlen(target->target) + 1));
    lb_wr_u16le(wr, 0); /* TCP */
    lb_wr_u16le(wr, options_of(agreed));
    lb_wr_bytes(wr, lb_bytes(target->lun, 8));
    lb_wr_u16le(wr, agreed->tpgt);
    lb_wr_text(wr, target->target);
    lb_wr_u8(wr, 0);
}
