/* IPsec around the stack: what is for a guarded port is sealed after lwIP has made it, and opened
 * before lwIP has seen it. The engine has the keys. */
#include "hosts/uefi/ack.h"
#include "hosts/uefi/esp.h"
#include "hosts/uefi/frame.h"
#include "hosts/uefi/net_lwip.h"

#include "lwip/ethip6.h"
#include "lwip/ip6.h"
#include "lwip/pbuf.h"

/* ESP in UDP takes 65 bytes over IPv4 and 85 over IPv6; what is left of 1,500 suits links of PPPoE
 * as well. */
#define MTU_MAX 1400

static struct {
    struct lb_boot *engine; /* NULL: nothing is to be protected */
    struct esp_guards guards;
    struct ack ack; /* what is held of them */
    bool is_inside; /* the frame that the stack is looking at came out of ESP */
} ipsec;

void net_ipsec_begin(struct lb_boot *engine_or_null) {
    memset(&ipsec, 0, sizeof ipsec);
    ipsec.engine = engine_or_null;
}

bool net_ipsec_guard(bool is_tcp, struct lb_endpoint peer) {
    return ipsec.engine != NULL && esp_guard(&ipsec.guards, is_tcp ? ESP_TCP : ESP_UDP, peer);
}

uint16_t net_ipsec_mtu(uint16_t mtu) {
    return ipsec.engine == NULL ? mtu : (uint16_t)LB_MIN(MTU_MAX, mtu - LB_IPSEC_OVERHEAD_MAX);
}

struct lb_addr net_source(struct lb_addr to) {
    ip_addr_t ip = net_to_ip(to);
    const ip_addr_t *from = netif_ip_addr4(&net_interface);
    if (to.family == LB_V6)
        from = ip6_select_source_address(&net_interface, ip_2_ip6(&ip));
    bool has_one = net_address_has_way(to) && from != NULL && !ip_addr_isany(from);
    return has_one ? net_from_ip(from) : (struct lb_addr){0};
}

/* ---- out ------------------------------------------------------------------------------------- */

/* The packet, protected; to whom. NULL: it must not be sent. */
static struct pbuf *seal(struct lb_bytes packet, struct lb_endpoint *to) {
    struct pbuf *sealed =
        pbuf_alloc(PBUF_LINK, (u16_t)(packet.len + LB_IPSEC_OVERHEAD_MAX), PBUF_RAM);
    if (sealed == NULL)
        return NULL;
    uint8_t *room = sealed->payload;
    struct lb_bytes datagram = lb_boot_seal(ipsec.engine, packet, lb_span(room, sealed->len), to);
    if (datagram.len == 0) {
        pbuf_free(sealed);
        return NULL;
    }
    pbuf_realloc(sealed, (u16_t)(datagram.p + datagram.len - room));
    return sealed;
}

/* What cannot be sealed is lost, as on a wire: who sent it sends it again. The frame's header is
 * left out. */
static void send_sealed(struct lb_bytes frame) {
    struct lb_endpoint to;
    if (frame.len == 0)
        return;
    struct pbuf *sealed = seal(lb_bytes_after(frame, FRAME_HEADER), &to);
    if (sealed == NULL)
        return;
    ip_addr_t ip = net_to_ip(to.addr);
    if (to.addr.family == LB_V6)
        ethip6_output(&net_interface, sealed, ip_2_ip6(&ip));
    else
        net_address_output(&net_interface, sealed, ip_2_ip4(&ip));
    pbuf_free(sealed);
}

/* The packet as a frame to nobody in particular. */
static struct lb_bytes frame_of(const struct pbuf *p) {
    static uint8_t room[FRAME_HEADER + MTU_MAX];
    size_t len = pbuf_copy_partial(p, room + FRAME_HEADER, MTU_MAX, 0);
    bool is_v6 = room[FRAME_HEADER] >> 4 == 6;
    room[FRAME_HEADER - 2] = is_v6 ? 0x86 : 0x08;
    room[FRAME_HEADER - 1] = is_v6 ? 0xdd : 0x00;
    return lb_bytes(room, FRAME_HEADER + len);
}

/* True: the packet was guarded, and is seen to. */
static bool sends_guarded(const struct pbuf *p) {
    struct lb_bytes before, frame;
    if (!esp_guards_packet(&ipsec.guards, lb_bytes(p->payload, p->len)))
        return false;
    frame = frame_of(p);
    bool is_held = ack_offer(&ipsec.ack, clock_us(), frame, &before);
    send_sealed(before);
    if (!is_held)
        send_sealed(frame);
    return true;
}

err_t net_ipsec_output4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to) {
    return sends_guarded(p) ? ERR_OK : net_address_output(netif, p, to);
}

err_t net_ipsec_output6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to) {
    return sends_guarded(p) ? ERR_OK : ethip6_output(netif, p, to);
}

void net_ipsec_hold(uint32_t most) {
    ipsec.ack.most = most;
}

void net_ipsec_flush(uint64_t now_us) {
    send_sealed(ack_due(&ipsec.ack, now_us));
}

/* ---- in -------------------------------------------------------------------------------------- */

struct lb_span net_ipsec_open(struct lb_span frame) {
    struct lb_endpoint from;
    ipsec.is_inside = false;
    if (ipsec.engine == NULL)
        return frame;
    struct lb_span esp = esp_of_frame(frame, &from);
    if (esp.len == 0)
        return frame;
    struct lb_bytes packet = lb_boot_open(ipsec.engine, from, esp);
    if (packet.len == 0)
        return lb_span(frame.p, 0);
    ipsec.is_inside = true;
    return esp_frame_of(frame, packet);
}

bool net_ipsec_is_inside(void) {
    return ipsec.is_inside;
}

/* lwIP asks of each segment. Whatever headers it came behind: in clear it is not taken. */
signed char net_ipsec_segment(const ip_addr_t *from, unsigned short port) {
    struct lb_endpoint peer = {.addr = net_from_ip(from), .port = port};
    bool is_clear = !ipsec.is_inside && ipsec.guards.count > 0;
    return is_clear && esp_is_guarded(&ipsec.guards, ESP_TCP, peer) ? ERR_VAL : ERR_OK;
}
