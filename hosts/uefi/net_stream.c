/* TCP by slot. */
#include "hosts/uefi/net_lwip.h"
#include "hosts/uefi/pace.h"

#include "lwip/tcp.h"

#define WINDOW_MIN          (512 * 1024)
#define WINDOW_BYTES_PER_US 84

struct stream {
    struct tcp_pcb *tcp;
    enum net_stream state;
    uint64_t connect_us; /* when it began */
    uint64_t asked_us;   /* when the first bytes went out; LB_NEVER: that was answered */
    struct pace pace;
    enum lb_iscsi_lost lost;
    struct pbuf *received, *received_last;
    size_t taken;  /* of the first pbuf in received */
    bool finished; /* the peer closed; what was received is still to be read */
};

static struct stream streams[LB_BOOT_SLOTS_MAX];

static void drop_received(struct stream *stream) {
    if (stream->received != NULL)
        pbuf_free(stream->received);
    stream->received = NULL;
    stream->taken = 0;
    stream->finished = false;
}

static void on_error(void *arg, err_t err) {
    struct stream *stream = arg;
    bool was_refused = err == ERR_RST;
    stream->tcp = NULL; /* lwIP has freed it */
    stream->lost = stream->state != NET_CONNECTING ? LB_LOST_CLOSED
                   : was_refused                   ? LB_LOST_REFUSED
                                                   : LB_LOST_TIMEOUT;
    stream->state = NET_CLOSED;
    drop_received(stream);
}

/* The first question's answer tells the round trip without what ARP added to that of the
 * connection.
 */
static void note_bytes(struct stream *stream, size_t len) {
    uint64_t now_us = clock_us();
    if (stream->asked_us != 0 && stream->asked_us != LB_NEVER) {
        pace_trip(&stream->pace, now_us - stream->asked_us);
        stream->asked_us = LB_NEVER;
    }
    pace_came(&stream->pace, now_us, len);
}

static err_t on_bytes(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
    struct stream *stream = arg;
    (void)pcb;
    (void)err;
    if (p == NULL)
        stream->finished = true;
    else if (stream->received == NULL)
        stream->received = p;
    else
        stream->received_last->next = p; /* pbuf_cat would walk all that waits */
    for (; p != NULL; p = p->next)
        stream->received_last = p;
    return ERR_OK;
}

/* What is on the way between here and the server lies in somebody's queue when the way is short: no
 * more than WINDOW_BYTES_PER_US (80 MB/s) asks for. Before the peer has heard of a larger window.
 */
static void set_window(struct tcp_pcb *pcb, uint64_t round_trip_us) {
    uint64_t window = LB_MAX(round_trip_us * WINDOW_BYTES_PER_US, (uint64_t)WINDOW_MIN);
    pcb->rcv_wnd = pcb->rcv_ann_wnd = LB_MIN((tcpwnd_size_t)window, pcb->rcv_wnd);
}

static err_t on_open(void *arg, struct tcp_pcb *pcb, err_t err) {
    struct stream *stream = arg;
    (void)err;
    uint64_t now_us = clock_us();
    set_window(pcb, now_us - stream->connect_us);
    pace_init(&stream->pace, now_us, now_us - stream->connect_us);
    stream->asked_us = 0;
    stream->state = NET_OPEN;
    return ERR_OK;
}

/* RFC 6056. Where all of these are in use, the stack chooses one. */
static void bind_any_port(struct tcp_pcb *pcb, bool is_v6) {
    for (unsigned i = 0; i < NET_PORT_TRIES; i++)
        if (tcp_bind(pcb, is_v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY, net_random_port()) == ERR_OK)
            return;
}

void net_connect(uint32_t slot, struct lb_endpoint to) {
    struct stream *stream = &streams[slot];
    bool is_v6 = to.addr.family == LB_V6;
    ip_addr_t ip = net_to_ip(to.addr);
    net_stream_close(slot);
    stream->state = NET_CONNECTING;
    stream->lost = LB_LOST_UNREACHABLE;
    stream->connect_us = clock_us();
    net_address_rethink();
    stream->tcp = tcp_new_ip_type(is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    if (stream->tcp == NULL || !net_address_has_way(to.addr)) {
        net_stream_close(slot);
        return;
    }
    bind_any_port(stream->tcp, is_v6);
    tcp_nagle_disable(stream->tcp);
    tcp_arg(stream->tcp, stream);
    tcp_recv(stream->tcp, on_bytes);
    tcp_err(stream->tcp, on_error);
    if (tcp_connect(stream->tcp, &ip, to.port, on_open) != ERR_OK)
        net_stream_close(slot);
}

void net_stream_close(uint32_t slot) {
    struct stream *stream = &streams[slot];
    struct tcp_pcb *pcb = stream->tcp;
    stream->tcp = NULL;
    stream->state = NET_CLOSED;
    drop_received(stream);
    if (pcb == NULL)
        return;
    tcp_arg(pcb, NULL);
    tcp_recv(pcb, NULL);
    tcp_err(pcb, NULL);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
}

enum net_stream net_stream_state(uint32_t slot, enum lb_iscsi_lost *why) {
    struct stream *stream = &streams[slot];
    if (stream->state == NET_OPEN && stream->finished && stream->received == NULL) {
        stream->lost = LB_LOST_CLOSED;
        net_stream_close(slot);
    }
    *why = stream->lost;
    return stream->state;
}

/* Copies up to len bytes from what was received, and gives pbufs that are used up back. */
static size_t take(struct stream *stream, uint8_t *to, size_t len) {
    size_t done = 0;
    while (done < len && stream->received != NULL) {
        struct pbuf *first = stream->received;
        size_t n = LB_MIN(len - done, (size_t)first->len - stream->taken);
        memcpy(to + done, (uint8_t *)first->payload + stream->taken, n);
        done += n;
        stream->taken += n;
        if (stream->taken < first->len)
            break;
        stream->received = first->next;
        stream->taken = 0;
        if (first->next != NULL)
            pbuf_ref(first->next);
        pbuf_free(first);
    }
    return done;
}

size_t net_stream_read(uint32_t slot, const struct lb_span *spans, size_t count) {
    struct stream *stream = &streams[slot];
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = take(stream, spans[i].p, spans[i].len);
        total += n;
        if (n < spans[i].len)
            break;
    }
    if (total > 0)
        note_bytes(stream, total);
    if (total > 0 && stream->tcp != NULL)
        for (size_t left = total; left > 0;) {
            u16_t step = (u16_t)LB_MIN(left, (size_t)0xffff);
            tcp_recved(stream->tcp, step);
            left -= step;
        }
    return total;
}

size_t net_stream_write(uint32_t slot, const struct lb_bytes *pieces, size_t count) {
    struct stream *stream = &streams[slot];
    size_t total = 0;
    if (stream->state != NET_OPEN)
        return 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = LB_MIN(pieces[i].len, (size_t)tcp_sndbuf(stream->tcp));
        n = LB_MIN(n, (size_t)0xffff);
        u8_t flags = TCP_WRITE_FLAG_COPY | (i + 1 < count ? TCP_WRITE_FLAG_MORE : 0);
        if (n == 0 || tcp_write(stream->tcp, pieces[i].p, (u16_t)n, flags) != ERR_OK)
            break;
        total += n;
        if (n < pieces[i].len)
            break;
    }
    if (total > 0)
        tcp_output(stream->tcp);
    if (total > 0 && stream->asked_us == 0)
        stream->asked_us = clock_us();
    return total;
}

struct lb_addr net_stream_local(uint32_t slot) {
    const struct stream *stream = &streams[slot];
    return stream->state == NET_OPEN ? net_from_ip(&stream->tcp->local_ip) : (struct lb_addr){0};
}

uint64_t net_stream_pace(uint32_t slot) {
    return pace_bytes(&streams[slot].pace);
}
