/* lwIP over the card: frames, memory, time. */
#include "hosts/uefi/net_lwip.h"
#include "core/arp/arp.h"
#include "hosts/uefi/ack.h"
#include "hosts/uefi/frame.h"
#include "hosts/uefi/numbers.h"

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/mld6.h"
#include "lwip/pbuf.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

/* 4.9 MiB: a receive window, also when all of it waits for one frame. */
#define RX_FRAMES  3072
#define RX_AT_ONCE 64 /* frames taken in one poll, so that timers have their turn */
/* Between two polls: four frames of 1 Gbit/s. There are drivers with room for eight. */
#define RX_PAUSE_US 50

/* There are cards that hear nothing for a moment after their start, and say that they have a link:
 * the first broadcast is sent again until the first frame comes. */
#define REPEAT_US  (250 * LB_US_MS)
#define REPEAT_MAX 2

unsigned char *lwip_heap;
struct netif net_interface;

struct rx_frame {
    struct pbuf_custom custom; /* first: lwIP hands it back */
    struct rx_frame *next;
    size_t len;
    uint8_t bytes[NIC_FRAME_MAX];
};

static struct {
    struct nic *nic;
    struct lb_rand *rand;
    struct rx_frame *frames, *free_frames;
    uint64_t look_us; /* when the card is asked again */
    bool up;

    unsigned taken, most_taken; /* frames that were taken out in one go: now, and at most */

    uint8_t first[NIC_FRAME_MAX]; /* the first broadcast */
    size_t first_len;
    unsigned repeats;
    uint64_t repeat_us;

    struct ack ack;
    struct numbers numbers;

    uint8_t groups[NIC_GROUPS_MAX][6];
    size_t group_count;
} net;

unsigned net_rand(void) {
    return lb_rand_u32(net.rand);
}

unsigned net_isn(const ip_addr_t *local, unsigned short local_port, const ip_addr_t *remote,
                 unsigned short remote_port) {
    struct lb_endpoint here = {.addr = net_from_ip(local), .port = local_port};
    struct lb_endpoint there = {.addr = net_from_ip(remote), .port = remote_port};
    return numbers_isn(&net.numbers, clock_us(), here, there);
}

uint16_t net_random_port(void) {
    return numbers_port(net.rand);
}

u32_t sys_now(void) {
    return (u32_t)(clock_us() / 1000);
}

struct lb_addr net_from_ip(const ip_addr_t *ip) {
    return IP_IS_V6(ip) ? lb_addr_v6_bytes((const uint8_t *)ip_2_ip6(ip)->addr)
                        : lb_addr_v4_bytes((const uint8_t *)&ip_2_ip4(ip)->addr);
}

ip_addr_t net_to_ip(struct lb_addr addr) {
    ip_addr_t ip = {0};
    if (addr.family == LB_V6) {
        memcpy(ip_2_ip6(&ip)->addr, addr.bytes, 16);
        IP_SET_TYPE_VAL(ip, IPADDR_TYPE_V6);
    } else {
        memcpy(&ip_2_ip4(&ip)->addr, addr.bytes, 4);
    }
    return ip;
}

/* For lwIP: it wants the sum folded, not inverted. */
unsigned short net_checksum(const void *data, int len) {
    return guard_sum(data, (size_t)len);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void put_back(struct rx_frame *frame) {
    frame->next = net.free_frames;
    net.free_frames = frame;
}

static void frame_back(struct pbuf *p) {
    put_back((struct rx_frame *)(void *)p);
}

static bool send_now(struct lb_bytes frame) {
    return frame.len == 0 || nic_send(net.nic, frame.p, frame.len);
}

static void keep_first(struct lb_bytes frame) {
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    if (net.first_len != 0 || net.nic->received != 0 || frame.len < sizeof everybody ||
        memcmp(frame.p, everybody, sizeof everybody) != 0)
        return;
    memcpy(net.first, frame.p, frame.len);
    net.first_len = frame.len;
    net.repeats = 0;
    net.repeat_us = clock_us() + REPEAT_US;
}

static void repeat_first(uint64_t now_us) {
    if (net.first_len == 0 || net.nic->received != 0 || net.repeats == REPEAT_MAX ||
        now_us < net.repeat_us)
        return;
    send_now(lb_bytes(net.first, net.first_len));
    net.repeats++;
    net.repeat_us = now_us + REPEAT_US;
}

void net_flush(uint64_t now_us) {
    send_now(ack_due(&net.ack, now_us));
    net_ipsec_flush(now_us);
    repeat_first(now_us);
}

void net_hold_acks(uint64_t window) {
    net.ack.most = (uint32_t)LB_MIN(window / 4, (uint64_t)ACK_HELD_BYTES);
    net_ipsec_hold(net.ack.most);
}

static err_t frame_out(struct netif *netif, struct pbuf *p) {
    uint8_t flat[NIC_FRAME_MAX];
    struct lb_bytes frame = lb_bytes(p->payload, p->len), before;
    (void)netif;
    numbers_hide_id(&net.numbers, lb_span(p->payload, p->len)); /* the headers are in one piece */
    if (p->len != p->tot_len)
        frame = lb_bytes(flat, pbuf_copy_partial(p, flat, sizeof flat, 0));
    keep_first(frame);
    bool is_held = ack_offer(&net.ack, clock_us(), frame, &before);
    send_now(before);
    return is_held || send_now(frame) ? ERR_OK : ERR_IF;
}

/* Whether the stack is to have the frame. The room is longer than what is looked at here. */
static bool is_wanted(const uint8_t *frame, size_t len) {
    struct lb_addr claimed;
    if (frame[12] == 0x08 && frame[13] == 0x06) {
        claimed = lb_arp_claimed(lb_bytes(frame, len), net.nic->mac);
        if (lb_addr_is_set(claimed))
            net_probe_claimed(claimed);
    }
    if (frame[12] != 0x86 || frame[13] != 0xdd)
        return true;
    struct guard_view view = guard_look(lb_bytes(frame, len), net.nic->mac);
    if (lb_addr_is_set(view.claimed))
        net_probe_claimed(view.claimed);
    if (view.advert.len > 0)
        net_datagram_advert(view.from, view.advert);
    return !view.drop;
}

/* From the card, and back to the free frames if nobody wants it. */
static struct rx_frame *take_frame(void) {
    struct rx_frame *frame = net.free_frames;
    if (frame == NULL)
        return NULL;
    frame->len = nic_receive(net.nic, frame->bytes, sizeof frame->bytes);
    if (frame->len == 0)
        return NULL;
    net.free_frames = frame->next;
    return frame;
}

static void hand_in(struct rx_frame *frame) {
    struct lb_span bytes = lb_span(frame->bytes, frame_untag(frame->bytes, frame->len));
    if (bytes.len > 0)
        bytes = net_ipsec_open(bytes);
    if (bytes.len == 0) {
        put_back(frame);
        return;
    }
    frame->custom.custom_free_function = frame_back;
    struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, (u16_t)bytes.len, PBUF_REF, &frame->custom,
                                         bytes.p, (u16_t)bytes.len);
    if (!is_wanted(bytes.p, bytes.len) || net_interface.input(p, &net_interface) != ERR_OK)
        pbuf_free(p);
}

/* A driver tells the card of each frame that is taken out, and that is dear in a virtual machine:
 * it wakes who reads the wire for us. So frames are taken out in one go, before the stack looks at
 * the first, and the card is then left alone for a moment, in which more can come. */
bool net_receive(uint64_t now_us) {
    struct rx_frame *frames[RX_AT_ONCE];
    size_t count = 0;
    nic_tend(net.nic, now_us);
    if (now_us < net.look_us)
        return false;
    while (count < RX_AT_ONCE && (frames[count] = take_frame()) != NULL)
        count++;
    net.look_us = count > 0 && count < RX_AT_ONCE ? now_us + RX_PAUSE_US : 0;
    net.taken += (unsigned)count;
    net.most_taken = LB_MAX(net.most_taken, net.taken);
    for (size_t i = 0; i < count; i++)
        hand_in(frames[i]);
    if (count < RX_AT_ONCE)
        net.taken = 0;
    if (count > 0)
        net_stream_look(now_us);
    return count > 0;
}

unsigned net_most_taken(void) {
    unsigned most = net.most_taken;
    net.most_taken = 0;
    return most;
}

void net_timers(void) {
    sys_check_timeouts();
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* RFC 2464 7. Groups may share a MAC address, so that one may stand here twice. */
static err_t filter_group(struct netif *netif, const ip6_addr_t *group,
                          enum netif_mac_filter_action action) {
    uint8_t mac[6] = {0x33, 0x33};
    size_t i = 0;
    (void)netif;
    memcpy(mac + 2, &group->addr[3], 4);
    while (i < net.group_count && memcmp(net.groups[i], mac, sizeof mac) != 0)
        i++;
    if (action == NETIF_ADD_MAC_FILTER && net.group_count < NIC_GROUPS_MAX)
        memcpy(net.groups[net.group_count++], mac, sizeof mac);
    else if (action == NETIF_DEL_MAC_FILTER && i < net.group_count)
        memcpy(net.groups[i], net.groups[--net.group_count], sizeof mac);
    nic_hear_groups(net.nic, net.groups, net.group_count);
    return ERR_OK;
}

/* RFC 4291 2.8: a host is in the group of all nodes, which nobody joins expressly. */
static void hear_all_nodes(void) {
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
    memcpy(net.groups[0], all_nodes, sizeof all_nodes);
    net.group_count = 1;
    nic_hear_groups(net.nic, net.groups, net.group_count);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static err_t netif_setup(struct netif *netif) {
    netif->name[0] = 'l';
    netif->name[1] = 'b';
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, net.nic->mac, 6);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6;
    netif->output = net_ipsec_output4;
    netif->output_ip6 = net_ipsec_output6;
    netif->linkoutput = frame_out;
    netif->mld_mac_filter = filter_group;
    return ERR_OK;
}

static bool get_memory(void) {
    if (lwip_heap == NULL) {
        lwip_heap = uefi_alloc(MEM_SIZE + 4096);
        net.frames = uefi_alloc(RX_FRAMES * sizeof *net.frames);
        if (lwip_heap == NULL || net.frames == NULL)
            return false;
        lwip_init();
    }
    net.free_frames = NULL;
    for (size_t i = 0; i < RX_FRAMES; i++) {
        net.frames[i].next = net.free_frames;
        net.free_frames = &net.frames[i];
    }
    return true;
}

bool net_open(struct nic *nic, struct lb_rand *rand) {
    net.nic = nic;
    net.rand = rand;
    net.taken = net.most_taken = 0;
    net.first_len = 0;
    net.ack.most = 0;
    numbers_init(&net.numbers, rand);
    if (!get_memory())
        return false;
    hear_all_nodes();
    netif_add(&net_interface, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, NULL, netif_setup,
              ethernet_input);
    netif_set_default(&net_interface);
    netif_set_link_up(&net_interface);
    netif_set_up(&net_interface);
    net.up = true;
    return true;
}

void net_wipe(void) {
    lb_wipe(&net.numbers, sizeof net.numbers);
}

void net_close(void) {
    if (!net.up)
        return;
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++) {
        net_stream_close(slot);
        net_datagram_close(slot);
    }
    net_address_close();
    send_now(ack_take(&net.ack));
    netif_remove(&net_interface);
    net_wipe();
    net.up = false;
}
