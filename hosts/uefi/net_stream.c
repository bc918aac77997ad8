/* TCP by slot. */
#include "hosts/uefi/net_lwip.h"
#include "hosts/uefi/pace.h"
#include "hosts/uefi/window.h"

#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"

#define WINDOW_MIN          (512 * 1024)
#define WINDOW_BYTES_PER_US 84

struct stream {
    struct tcp_pcb *tcp;
    enum net_stream state;
    uint64_t connect_us; /* when it began */
    uint64_t asked_us;   /* when the first bytes went out; LB_NEVER: that was answered */
    struct pace pace;
    struct window window;
    uint32_t lost_before; /* what was missing was sent before this sequence number */
    size_t waiting;       /* bytes in received */
    enum lb_initiator_lost lost;
    struct pbuf *received, *received_last;
    size_t taken;  /* of the first pbuf in received */
    bool finished; /* the peer closed; what was received is still to be read */
};

static struct stream streams[LB_BOOT_SLOTS_MAX];

static void drop_received(struct stream *stream) {
    if (stream->received != NULL)
        pbuf_free(stream->received);
    stream->received = NULL;
    stream->taken = stream->waiting = 0;
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
 * connection. */
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
    stream->waiting += p == NULL ? 0 : p->tot_len;
    for (; p != NULL; p = p->next)
        stream->received_last = p;
    return ERR_OK;
}

/* What is on the way between here and the server lies in somebody's queue when the way is short: no
 * more than WINDOW_BYTES_PER_US (80 MB/s) asks for. The peer has not heard of a window yet. */
static void begin_window(struct stream *stream, struct tcp_pcb *pcb, uint64_t round_trip_us) {
    uint64_t most = LB_MAX(round_trip_us * WINDOW_BYTES_PER_US, (uint64_t)WINDOW_MIN);
    window_init(&stream->window, LB_MIN(most, (uint64_t)TCP_WND));
    pcb->rcv_wnd = pcb->rcv_ann_wnd = (tcpwnd_size_t)stream->window.bytes;
    stream->lost_before = pcb->rcv_nxt;
    net_hold_acks(stream->window.bytes);
}

/* What was read, and what the window has grown by, may be sent. A window that has shrunk is not
 * taken back: RFC 9293 3.8.6. */
static void widen(struct stream *stream) {
    struct tcp_pcb *pcb = stream->tcp;
    uint64_t open = stream->waiting + pcb->rcv_wnd;
    uint64_t more = stream->window.bytes > open ? stream->window.bytes - open : 0;
    while (more > 0) {
        u16_t step = (u16_t)LB_MIN(more, (uint64_t)0xffff);
        tcp_recved(pcb, step);
        more -= step;
    }
    net_hold_acks(stream->window.bytes);
    if (pcb->rcv_nxt + pcb->rcv_ann_wnd - pcb->rcv_ann_right_edge >= stream->window.bytes / 4) {
        tcp_ack_now(pcb);
        tcp_output(pcb);
    }
}

/* What is missing while later bytes are there was lost, once for all of a window. */
static void look(struct stream *stream, uint64_t now_us) {
    const struct tcp_pcb *pcb = stream->tcp;
    if (pcb->ooseq == NULL || TCP_SEQ_LT(pcb->rcv_nxt, stream->lost_before))
        return;
    stream->lost_before = pcb->rcv_nxt + pcb->rcv_wnd;
    window_lost(&stream->window, now_us, pcb->ooseq->tcphdr->seqno - pcb->rcv_nxt,
                (uint64_t)net_most_taken() * WINDOW_SEGMENT);
}

void net_stream_look(uint64_t now_us) {
    for (uint32_t slot = 0; slot < LB_BOOT_SLOTS_MAX; slot++)
        if (streams[slot].state == NET_OPEN && streams[slot].tcp != NULL)
            look(&streams[slot], now_us);
}

static err_t on_open(void *arg, struct tcp_pcb *pcb, err_t err) {
    struct stream *stream = arg;
    (void)err;
    uint64_t now_us = clock_us();
    begin_window(stream, pcb, now_us - stream->connect_us);
    pace_init(&stream->pace, now_us, now_us - stream->connect_us);
    stream->asked_us = 0;
    stream->state = NET_OPEN;
    return ERR_OK;
}

/* RFC 6056. Where all of these are in use, the stack chooses one. */
static void bind_any_port(struct tcp_pcb *pcb, const ip_addr_t *from) {
    for (unsigned i = 0; i < NET_PORT_TRIES; i++)
        if (tcp_bind(pcb, from, net_random_port()) == ERR_OK)
            return;
}

void net_connect(uint32_t slot, struct lb_addr from, struct lb_endpoint to, bool is_protected) {
    struct stream *stream = &streams[slot];
    bool is_v6 = to.addr.family == LB_V6;
    ip_addr_t ip = net_to_ip(to.addr), source = net_to_ip(from);
    net_stream_close(slot);
    stream->state = NET_CONNECTING;
    stream->lost = LB_LOST_UNREACHABLE;
    stream->connect_us = clock_us();
    net_routes6_rethink();
    stream->tcp = tcp_new_ip_type(is_v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
    if (stream->tcp == NULL || !net_address_has_way(to.addr) ||
        (is_protected && !(lb_addr_is_set(from) && net_ipsec_guard(true, to)))) {
        net_stream_close(slot);
        return;
    }
    bind_any_port(stream->tcp, is_protected ? &source : is_v6 ? IP6_ADDR_ANY : IP4_ADDR_ANY);
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

enum net_stream net_stream_state(uint32_t slot, enum lb_initiator_lost *why) {
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
    if (total == 0)
        return 0;
    stream->waiting -= total;
    note_bytes(stream, total);
    if (stream->tcp == NULL)
        return total;
    if (stream->tcp->ooseq == NULL)
        window_came(&stream->window, clock_us(), total);
    widen(stream);
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

void net_stream_poke(uint32_t slot) {
    struct stream *stream = &streams[slot];
    if (stream->state == NET_OPEN && stream->tcp != NULL)
        tcp_keepalive(stream->tcp);
}

/* How far what came out of order reaches. */
static uint32_t kept_bytes(const struct tcp_pcb *pcb) {
    const struct tcp_seg *last = pcb->ooseq;
    while (last != NULL && last->next != NULL)
        last = last->next;
    return last == NULL ? 0 : last->tcphdr->seqno + TCP_TCPLEN(last) - pcb->rcv_nxt;
}

/* The peer's window is made smaller, though RFC 9293 3.8.6 advises against it: what it has sent is
 * lost, and all of it at once would stop the card again. */
void net_stream_stopped(uint32_t slot) {
    struct stream *stream = &streams[slot];
    struct tcp_pcb *pcb = stream->tcp;
    if (stream->state != NET_OPEN || pcb == NULL)
        return;
    window_stopped(&stream->window, (uint64_t)net_most_taken() * WINDOW_SEGMENT);
    uint64_t least = LB_MAX(stream->window.bytes, (uint64_t)kept_bytes(pcb));
    pcb->rcv_wnd = (tcpwnd_size_t)LB_MIN((uint64_t)pcb->rcv_wnd, least);
    pcb->rcv_ann_wnd = pcb->rcv_wnd;
    pcb->rcv_ann_right_edge = pcb->rcv_nxt + pcb->rcv_ann_wnd;
    tcp_ack_now(pcb);
    tcp_output(pcb);
}

uint64_t net_stream_pace(uint32_t slot) {
    return pace_bytes(&streams[slot].pace);
}
