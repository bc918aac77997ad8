/* lwIP over the card: the only file that knows it. */
#include "hosts/uefi/net.h"

#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

/* 4.9 MiB: a receive window, also when all of it waits for one frame. */
#define RX_FRAMES           3072
#define RX_AT_ONCE          64 /* frames taken in one poll, so that timers have their turn */
#define DHCP_QUEUE          8  /* datagrams between two polls; several servers answer at once */
#define DHCP_MAX            1500
#define WINDOW_MIN          (512 * 1024)
#define WINDOW_BYTES_PER_US 84
#define ACK_BYTES           54 /* Ethernet, IPv4 and TCP without options */

unsigned char *lwip_heap;

struct rx_frame {
    struct pbuf_custom custom; /* first: lwIP hands it back */
    struct rx_frame *next;
    uint8_t bytes[NIC_FRAME_MAX];
};

static struct {
    struct nic *nic;
    struct lb_rand *rand;
    struct netif netif;
    struct rx_frame *frames, *free_frames;
    bool up;

    struct udp_pcb *dhcp;
    struct {
        uint8_t bytes[DHCP_MAX];
        size_t len;
        struct lb_endpoint from;
    } queue[DHCP_QUEUE];
    size_t queued;

    struct lb_addr probe;
    bool probe_answered;

    enum net_resolved resolved;
    struct lb_addr resolved_addr;

    struct tcp_pcb *tcp;
    enum net_stream stream;
    uint64_t connect_us; /* when it began */
    enum lb_iscsi_lost lost;
    struct pbuf *received, *received_last;
    size_t taken;  /* of the first pbuf in received */
    bool finished; /* the peer closed; what was received is still to be read */

    bool ack_is_held;
    uint8_t ack[ACK_BYTES];
} net;

unsigned net_rand(void) {
    return lb_rand_u32(net.rand);
}

u32_t sys_now(void) {
    return (u32_t)(clock_us() / 1000);
}

static struct lb_addr from_ip(const ip_addr_t *ip) {
    return lb_addr_v4_bytes((const uint8_t *)&ip_2_ip4(ip)->addr);
}

static ip_addr_t to_ip(struct lb_addr addr) {
    ip_addr_t ip = {0};
    memcpy(&ip_2_ip4(&ip)->addr, addr.bytes, 4);
    return ip;
}

/* RFC 1071 over 32-bit words, for lwIP: it wants the sum folded, not inverted. */
unsigned short net_checksum(const void *data, int len) {
    const uint8_t *at = data;
    uint64_t sum = 0, word;
    uint16_t last = 0;
    for (; len >= 8; at += 8, len -= 8) {
        __builtin_memcpy(&word, at, 8);
        sum += (word & UINT32_MAX) + (word >> 32);
    }
    for (; len >= 2; at += 2, len -= 2) {
        __builtin_memcpy(&last, at, 2);
        sum += last;
    }
    if (len > 0)
        sum += *at; /* as the first byte of a word: both processors are little-endian */
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (unsigned short)sum;
}

/* ---- frames ------------------------------------------------------------------------------------
 */

static void frame_back(struct pbuf *p) {
    struct rx_frame *frame = (struct rx_frame *)(void *)p;
    frame->next = net.free_frames;
    net.free_frames = frame;
}

/* A card's notification is dear, and so is one for every second frame that came: an acknowledgement
 * that says nothing else waits for the end of the turn, and only the last one goes out. One with
 * options (SACK) or without news (it may be a duplicate that the sender counts) is not held. */
static bool is_mere_ack(const struct pbuf *p) {
    const uint8_t *f = p->payload;
    return p->len == p->tot_len && p->len == ACK_BYTES && f[12] == 0x08 && f[13] == 0x00 &&
           f[14] == 0x45 && f[23] == 6 && f[46] == 0x50 && f[47] == 0x10; /* ACK alone */
}

static bool hold(const struct pbuf *p) {
    bool is_newer = !net.ack_is_held || memcmp(net.ack + 42, (uint8_t *)p->payload + 42, 4) != 0 ||
                    memcmp(net.ack + 48, (uint8_t *)p->payload + 48, 2) != 0;
    if (!is_newer)
        return false;
    memcpy(net.ack, p->payload, ACK_BYTES);
    net.ack_is_held = true;
    return true;
}

void net_flush(void) {
    if (net.ack_is_held)
        nic_send(net.nic, net.ack, ACK_BYTES);
    net.ack_is_held = false;
}

static err_t frame_out(struct netif *netif, struct pbuf *p) {
    uint8_t flat[NIC_FRAME_MAX];
    (void)netif;
    if (is_mere_ack(p) && hold(p))
        return ERR_OK;
    net_flush();
    if (p->len == p->tot_len)
        return nic_send(net.nic, p->payload, p->len) ? ERR_OK : ERR_IF;
    u16_t len = pbuf_copy_partial(p, flat, sizeof flat, 0);
    return nic_send(net.nic, flat, len) ? ERR_OK : ERR_IF;
}

/* An ARP packet whose sender has the address that is probed: somebody uses it. RFC 5227 2.1.1. */
static void look_for_conflict(const uint8_t *frame, size_t len) {
    struct lb_rd rd = lb_rd(lb_bytes(frame, len));
    if (frame[12] != 0x08 || frame[13] != 0x06 || !lb_addr_is_set(net.probe))
        return; /* as nearly all frames: the room is longer than that */
    lb_rd_skip(&rd, 22);
    struct lb_bytes sender = lb_rd_bytes(&rd, 6);
    struct lb_addr addr = lb_rd_v4(&rd);
    if (!lb_rd_ok(&rd) || memcmp(sender.p, net.nic->mac, 6) == 0)
        return;
    net.probe_answered = net.probe_answered || lb_addr_equal(addr, net.probe);
}

static bool frame_in(void) {
    struct rx_frame *frame = net.free_frames;
    if (frame == NULL)
        return false;
    size_t len = nic_receive(net.nic, frame->bytes, sizeof frame->bytes);
    if (len == 0)
        return false;
    net.free_frames = frame->next;
    look_for_conflict(frame->bytes, len);
    frame->custom.custom_free_function = frame_back;
    struct pbuf *p = pbuf_alloced_custom(PBUF_RAW, (u16_t)len, PBUF_REF, &frame->custom,
                                         frame->bytes, sizeof frame->bytes);
    if (net.netif.input(p, &net.netif) != ERR_OK)
        pbuf_free(p);
    return true;
}

bool net_poll(void) {
    unsigned frames = 0;
    while (frames < RX_AT_ONCE && frame_in())
        frames++;
    sys_check_timeouts();
    return frames > 0;
}

static err_t netif_setup(struct netif *netif) {
    netif->name[0] = 'l';
    netif->name[1] = 'b';
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, net.nic->mac, 6);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = frame_out;
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
    if (!get_memory())
        return false;
    netif_add(&net.netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, NULL, netif_setup,
              ethernet_input);
    netif_set_default(&net.netif);
    netif_set_link_up(&net.netif);
    netif_set_up(&net.netif);
    net.up = true;
    return true;
}

void net_close(void) {
    if (!net.up)
        return;
    net_stream_close();
    net_dhcp_close();
    net_flush();
    netif_remove(&net.netif);
    net.up = false;
}

/* ---- DHCP --------------------------------------------------------------------------------------
 */

static void dhcp_in(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
                    u16_t port) {
    (void)arg;
    (void)pcb;
    if (net.queued < DHCP_QUEUE && p->tot_len <= DHCP_MAX) {
        net.queue[net.queued].len = pbuf_copy_partial(p, net.queue[net.queued].bytes, DHCP_MAX, 0);
        net.queue[net.queued].from = (struct lb_endpoint){.addr = from_ip(addr), .port = port};
        net.queued++;
    }
    pbuf_free(p);
}

bool net_dhcp_open(void) {
    net.dhcp = udp_new();
    if (net.dhcp == NULL)
        return false;
    ip_set_option(net.dhcp, SOF_BROADCAST);
    udp_bind(net.dhcp, IP_ANY_TYPE, 68);
    udp_recv(net.dhcp, dhcp_in, NULL);
    return true;
}

void net_dhcp_close(void) {
    if (net.dhcp != NULL)
        udp_remove(net.dhcp);
    net.dhcp = NULL;
    net.queued = 0;
}

void net_dhcp_send(struct lb_bytes bytes, struct lb_endpoint from, struct lb_endpoint to) {
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)bytes.len, PBUF_RAM);
    if (p == NULL)
        return;
    ip_addr_t source = to_ip(from.addr), target = to_ip(to.addr);
    memcpy(p->payload, bytes.p, bytes.len);
    udp_sendto_if_src(net.dhcp, p, &target, to.port, &net.netif, &source);
    pbuf_free(p);
}

bool net_dhcp_receive(struct lb_span room, size_t *len, struct lb_endpoint *from) {
    if (net.queued == 0)
        return false;
    *len = LB_MIN(net.queue[0].len, room.len);
    *from = net.queue[0].from;
    memcpy(room.p, net.queue[0].bytes, *len);
    net.queued--;
    memmove(&net.queue[0], &net.queue[1], net.queued * sizeof net.queue[0]);
    return true;
}

/* ---- address -----------------------------------------------------------------------------------
 */

static struct lb_addr mask_of(uint8_t len) {
    uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - len);
    return lb_addr_v4((uint8_t)(mask >> 24), (uint8_t)(mask >> 16), (uint8_t)(mask >> 8),
                      (uint8_t)mask);
}

void net_set_address(const struct lb_boot_net *config) {
    ip_addr_t addr = to_ip(config->address.addr), mask = to_ip(mask_of(config->address.len));
    ip_addr_t router = {0};
    for (size_t i = 0; i < config->route_count; i++)
        if (config->routes[i].to.len == 0)
            router = to_ip(config->routes[i].via);
    netif_set_addr(&net.netif, ip_2_ip4(&addr), ip_2_ip4(&mask), ip_2_ip4(&router));
    for (size_t i = 0; i < config->dns_count && i < DNS_MAX_SERVERS; i++) {
        ip_addr_t server = to_ip(config->dns[i]);
        dns_setserver((u8_t)i, &server);
    }
    if (config->mtu >= 576 && config->mtu < 1500)
        net.netif.mtu = config->mtu;
}

void net_clear_address(void) {
    netif_set_addr(&net.netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4);
}

void net_probe(struct lb_addr addr) {
    ip_addr_t ip = to_ip(addr);
    net.probe = addr;
    net.probe_answered = false;
    etharp_request(&net.netif, ip_2_ip4(&ip)); /* from 0.0.0.0: there is no address yet */
}

bool net_probe_answered(void) {
    return net.probe_answered;
}

/* ---- names -------------------------------------------------------------------------------------
 */

static void name_found(const char *name, const ip_addr_t *addr, void *arg) {
    (void)name;
    (void)arg;
    net.resolved = addr == NULL ? NET_NO_SUCH_NAME : NET_RESOLVED;
    if (addr != NULL)
        net.resolved_addr = from_ip(addr);
}

void net_resolve(const char *name) {
    ip_addr_t addr;
    net.resolved = NET_RESOLVING;
    err_t did = dns_gethostbyname(name, &addr, name_found, NULL);
    if (did == ERR_OK)
        name_found(name, &addr, NULL);
    else if (did != ERR_INPROGRESS)
        net.resolved = NET_NO_SUCH_NAME;
}

enum net_resolved net_resolve_result(struct lb_addr *addr) {
    *addr = net.resolved_addr;
    return net.resolved;
}

/* ---- the stream --------------------------------------------------------------------------------
 */

static void drop_received(void) {
    if (net.received != NULL)
        pbuf_free(net.received);
    net.received = NULL;
    net.taken = 0;
    net.finished = false;
}

static void stream_error(void *arg, err_t err) {
    (void)arg;
    net.tcp = NULL; /* lwIP has freed it */
    net.lost = net.stream == NET_CONNECTING ? (err == ERR_RST ? LB_LOST_REFUSED : LB_LOST_TIMEOUT)
                                            : LB_LOST_CLOSED;
    net.stream = NET_CLOSED;
    drop_received();
}

static err_t stream_in(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
    (void)arg;
    (void)pcb;
    (void)err;
    if (p == NULL)
        net.finished = true;
    else if (net.received == NULL)
        net.received = p;
    else
        net.received_last->next = p; /* pbuf_cat would walk all that waits */
    for (; p != NULL; p = p->next)
        net.received_last = p;
    return ERR_OK;
}

/* What is on the way between here and the server lies in somebody's queue when the way is short: no
 * more than WINDOW_BYTES_PER_US (80 MB/s) asks for. Before the peer has heard of a larger window.
 */
static void set_window(struct tcp_pcb *pcb, uint64_t round_trip_us) {
    uint64_t window = LB_MAX(round_trip_us * WINDOW_BYTES_PER_US, (uint64_t)WINDOW_MIN);
    pcb->rcv_wnd = pcb->rcv_ann_wnd = LB_MIN((tcpwnd_size_t)window, pcb->rcv_wnd);
}

static err_t stream_open(void *arg, struct tcp_pcb *pcb, err_t err) {
    (void)arg;
    (void)err;
    set_window(pcb, clock_us() - net.connect_us);
    net.stream = NET_OPEN;
    return ERR_OK;
}

void net_connect(struct lb_endpoint to) {
    ip_addr_t ip = to_ip(to.addr);
    net_stream_close();
    net.stream = NET_CONNECTING;
    net.lost = LB_LOST_UNREACHABLE;
    net.connect_us = clock_us();
    net.tcp = tcp_new();
    if (net.tcp == NULL || to.addr.family != LB_V4) {
        net_stream_close();
        return;
    }
    tcp_nagle_disable(net.tcp);
    tcp_recv(net.tcp, stream_in);
    tcp_err(net.tcp, stream_error);
    if (tcp_connect(net.tcp, &ip, to.port, stream_open) != ERR_OK)
        net_stream_close();
}

void net_stream_close(void) {
    struct tcp_pcb *pcb = net.tcp;
    net.tcp = NULL;
    net.stream = NET_CLOSED;
    drop_received();
    if (pcb == NULL)
        return;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
}

enum net_stream net_stream_state(enum lb_iscsi_lost *why) {
    *why = net.lost;
    if (net.stream == NET_OPEN && net.finished && net.received == NULL) {
        *why = net.lost = LB_LOST_CLOSED;
        net_stream_close();
    }
    return net.stream;
}

/* Copies up to len bytes from what was received, and gives pbufs that are used up back. */
static size_t take(uint8_t *to, size_t len) {
    size_t done = 0;
    while (done < len && net.received != NULL) {
        struct pbuf *first = net.received;
        size_t n = LB_MIN(len - done, (size_t)first->len - net.taken);
        memcpy(to + done, (uint8_t *)first->payload + net.taken, n);
        done += n;
        net.taken += n;
        if (net.taken < first->len)
            break;
        net.received = first->next;
        net.taken = 0;
        if (first->next != NULL)
            pbuf_ref(first->next);
        pbuf_free(first);
    }
    return done;
}

size_t net_stream_read(const struct lb_span *spans, size_t count) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = take(spans[i].p, spans[i].len);
        total += n;
        if (n < spans[i].len)
            break;
    }
    if (total > 0 && net.tcp != NULL)
        for (size_t left = total; left > 0;) {
            u16_t step = (u16_t)LB_MIN(left, (size_t)0xffff);
            tcp_recved(net.tcp, step);
            left -= step;
        }
    return total;
}

size_t net_stream_write(const struct lb_bytes *pieces, size_t count) {
    size_t total = 0;
    if (net.stream != NET_OPEN)
        return 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = LB_MIN(pieces[i].len, (size_t)tcp_sndbuf(net.tcp));
        n = LB_MIN(n, (size_t)0xffff);
        u8_t flags = TCP_WRITE_FLAG_COPY | (i + 1 < count ? TCP_WRITE_FLAG_MORE : 0);
        if (n == 0 || tcp_write(net.tcp, pieces[i].p, (u16_t)n, flags) != ERR_OK)
            break;
        total += n;
        if (n < pieces[i].len)
            break;
    }
    if (total > 0)
        tcp_output(net.tcp);
    return total;
}
