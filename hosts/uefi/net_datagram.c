/* Datagrams by slot: UDP, and ICMPv6 for router discovery. */
#include "hosts/uefi/net_lwip.h"

#include "lwip/inet_chksum.h"
#include "lwip/ip6.h"
#include "lwip/mld6.h"
#include "lwip/prot/nd6.h"
#include "lwip/udp.h"

#define DATAGRAM_MAX 1500 /* the link's MTU; what came in fragments is not for us */
#define QUEUE_MAX    64   /* between two turns: as many as frames are taken in one */
#define DHCP4_PORT   68
#define DHCP6_PORT   546
#define HOP_LIMIT    255

struct datagram {
    uint32_t slot;
    size_t len;
    struct lb_endpoint from;
    uint8_t bytes[DATAGRAM_MAX];
};

struct service {
    bool is_open, is_protected;
    enum lb_boot_kind kind;
    struct udp_pcb *udp; /* NULL: ND6 */
    struct lb_addr group;
};

static struct service services[LB_BOOT_SLOTS_MAX];
static struct datagram *queue; /* a ring of QUEUE_MAX */
static size_t queue_first, queue_count;

/* ---- in -------------------------------------------------------------------------------------- */

static struct datagram *new_entry(uint32_t slot, size_t len, struct lb_endpoint from) {
    if (queue_count == QUEUE_MAX || len > DATAGRAM_MAX)
        return NULL;
    struct datagram *entry = &queue[(queue_first + queue_count++) % QUEUE_MAX];
    entry->slot = slot;
    entry->len = len;
    entry->from = from;
    return entry;
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
                        u16_t port) {
    struct lb_endpoint from = {.addr = net_from_ip(addr), .port = port};
    uint32_t slot = (uint32_t)(uintptr_t)arg;
    bool may_come = !services[slot].is_protected || net_ipsec_is_inside();
    struct datagram *entry = may_come ? new_entry(slot, p->tot_len, from) : NULL;
    (void)pcb;
    if (entry != NULL)
        pbuf_copy_partial(p, entry->bytes, p->tot_len, 0);
    pbuf_free(p);
}

void net_datagram_advert(struct lb_addr from, struct lb_bytes message) {
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++) {
        if (!services[slot].is_open || services[slot].kind != LB_KIND_ND6)
            continue;
        struct datagram *entry = new_entry(slot, message.len, (struct lb_endpoint){.addr = from});
        if (entry != NULL)
            memcpy(entry->bytes, message.p, message.len);
    }
}

/* What is left of a slot that was closed goes to nobody. */
bool net_datagram_receive(struct lb_span room, uint32_t *slot, size_t *len,
                          struct lb_endpoint *from) {
    while (queue_count > 0) {
        struct datagram *entry = &queue[queue_first];
        queue_first = (queue_first + 1) % QUEUE_MAX;
        queue_count--;
        if (entry->slot == LB_BOOT_NO_SLOT)
            continue;
        *slot = entry->slot;
        *len = LB_MIN(entry->len, room.len);
        *from = entry->from;
        memcpy(room.p, entry->bytes, *len);
        return true;
    }
    return false;
}

/* ---- open and close -------------------------------------------------------------------------- */

/* The port that is asked for, or any. */
static bool bind_udp(struct udp_pcb *udp, const ip_addr_t *any, uint16_t port) {
    for (unsigned i = 0; port == 0 && i < NET_PORT_TRIES; i++)
        if (udp_bind(udp, any, net_random_port()) == ERR_OK)
            return true;
    return udp_bind(udp, any, port) == ERR_OK;
}

static uint16_t port_of(enum lb_boot_kind kind, struct lb_endpoint from) {
    return kind == LB_KIND_DHCP4 ? DHCP4_PORT : kind == LB_KIND_DHCP6 ? DHCP6_PORT : from.port;
}

static bool open_udp(struct service *service, uint32_t slot, struct lb_endpoint from) {
    bool is_v6 = service->kind == LB_KIND_DHCP6 ||
                 (service->kind == LB_KIND_UDP && from.addr.family == LB_V6);
    service->udp = udp_new_ip_type(is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    if (service->udp == NULL)
        return false;
    ip_set_option(service->udp, SOF_BROADCAST);
    udp_recv(service->udp, on_datagram, (void *)(uintptr_t)slot);
    return bind_udp(service->udp, is_v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY,
                    port_of(service->kind, from));
}

bool net_datagram_open(uint32_t slot, enum lb_boot_kind kind, struct lb_endpoint from,
                       struct lb_endpoint to, bool is_protected) {
    struct service *service = &services[slot];
    if (queue == NULL)
        queue = uefi_alloc(QUEUE_MAX * sizeof *queue);
    if (queue == NULL)
        return false;
    *service = (struct service){.is_open = true, .is_protected = is_protected, .kind = kind};
    if (kind != LB_KIND_ND6 && !open_udp(service, slot, from)) {
        net_datagram_close(slot);
        return false;
    }
    if (to.addr.family == LB_V6 && lb_addr_is_multicast(to.addr)) {
        ip_addr_t group = net_to_ip(to.addr);
        service->group = to.addr;
        mld6_joingroup_netif(&net_interface, ip_2_ip6(&group));
    }
    return true;
}

void net_datagram_close(uint32_t slot) {
    struct service *service = &services[slot];
    if (!service->is_open)
        return;
    if (service->udp != NULL)
        udp_remove(service->udp);
    if (lb_addr_is_set(service->group)) {
        ip_addr_t group = net_to_ip(service->group);
        mld6_leavegroup_netif(&net_interface, ip_2_ip6(&group));
    }
    for (size_t i = 0; i < queue_count; i++) {
        struct datagram *entry = &queue[(queue_first + i) % QUEUE_MAX];
        if (entry->slot == slot)
            entry->slot = LB_BOOT_NO_SLOT;
    }
    *service = (struct service){0};
}

/* ---- out ------------------------------------------------------------------------------------- */

/* RFC 4861 4.1: hop limit 255, from the link-local address or from ::. */
static void send_icmp(struct pbuf *p, struct lb_addr from, const ip6_addr_t *to) {
    ip_addr_t source = net_to_ip(from);
    const ip6_addr_t *source6 = from.family == LB_V6 ? ip_2_ip6(&source) : IP6_ADDR_ANY6;
    if (p->len < sizeof(struct rs_header))
        return;
    struct rs_header *header = p->payload; /* the checksum is where it is in all of ICMPv6 */
    header->chksum = 0;
    header->chksum = ip6_chksum_pseudo(p, IP6_NEXTH_ICMP6, p->len, source6, to);
    ip6_output_if_src(p, source6, to, HOP_LIMIT, 0, IP6_NEXTH_ICMP6, &net_interface);
}

/* From the address that is asked for; DHCPv4 sends from 0.0.0.0 as well, the others let the stack
 * choose one then. */
static void send_udp(const struct service *service, struct pbuf *p, struct lb_endpoint from,
                     const ip_addr_t *to, uint16_t port) {
    ip_addr_t source = net_to_ip(from.addr);
    bool is_given = lb_addr_is_set(from.addr) && !lb_addr_is_zero(from.addr);
    if (is_given || service->kind == LB_KIND_DHCP4)
        udp_sendto_if_src(service->udp, p, to, port, &net_interface, &source);
    else
        udp_sendto_if(service->udp, p, to, port, &net_interface);
}

void net_datagram_send(uint32_t slot, struct lb_bytes bytes, struct lb_endpoint from,
                       struct lb_endpoint to) {
    const struct service *service = &services[slot];
    bool is_icmp = service->kind == LB_KIND_ND6;
    ip_addr_t target = net_to_ip(to.addr);
    if (!service->is_open || (service->is_protected && !net_ipsec_guard(false, to)))
        return;
    struct pbuf *p = pbuf_alloc(is_icmp ? PBUF_IP : PBUF_TRANSPORT, (u16_t)bytes.len, PBUF_RAM);
    if (p == NULL)
        return; /* lost, as on a wire */
    memcpy(p->payload, bytes.p, bytes.len);
    if (is_icmp)
        send_icmp(p, from.addr, ip_2_ip6(&target));
    else
        send_udp(service, p, from, &target, to.port);
    pbuf_free(p);
}
