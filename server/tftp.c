#include "server/tftp.h"
#include "core/base/siphash.h"
#include "os/linux/datagram.h"
#include "os/linux/os_address.h"
#include "server/say.h"
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PACKETS_AT_ONCE 64
#define PACKET_MAX      (LB_TFTP_HEAD_BYTES + LB_TFTP_BLOCK_MAX)
#define REQUEST_MAX     1500

struct lb_server_transfer {
    struct lb_server_source source;
    struct lb_server_transfer *next;
    struct lb_tftp_sender sender;
    struct lb_server_file file;
    struct lb_endpoint client;
    uint64_t asked; /* what was asked for, as a hash of the request */
    uint64_t began_us;
    char name[80];
};

/* ---- a transfer ---- */

static void send_packet(struct lb_server_transfer *transfer, const struct lb_tftp_action *action) {
    static uint8_t packet[PACKET_MAX];
    struct lb_wr wr = lb_wr(lb_span(packet, sizeof packet));
    lb_wr_bytes(&wr, action->head);
    if (lb_server_file_read(&transfer->file, action->offset, packet + wr.len, action->len))
        (void)send(transfer->source.fd, packet, wr.len + action->len, MSG_DONTWAIT);
    /* What is lost, or cannot be read, is asked for again until the client gives up. */
}

static void say_end(const struct lb_server_transfer *transfer, enum lb_tftp_event event,
                    uint64_t now_us) {
    uint64_t took_ms = (now_us - transfer->began_us) / LB_US_MS;
    struct lb_event about = {
        .kind = LB_EVENT_FILE, .address = transfer->client.addr, .file = transfer->name};
    if (event == LB_TFTP_DONE) {
        lb_server_tell(&about, "fetched %s by TFTP: %s in %llu.%02llu s", transfer->name,
                       lb_size_text(transfer->file.bytes).s, (unsigned long long)took_ms / 1000,
                       (unsigned long long)took_ms % 1000 / 10);
    } else if (!transfer->sender.is_cancelled) { /* firmware asks for the size, and then again */
        about.kind = LB_EVENT_TROUBLE;
        lb_server_tell(&about, "did not get %s by TFTP: %s", transfer->name, transfer->sender.why);
    }
}

/* False: it is over. */
static bool serve(struct lb_server_transfer *transfer, uint64_t now_us, uint64_t *until_us) {
    for (;;) {
        struct lb_tftp_action action = lb_tftp_sender_poll(&transfer->sender, now_us);
        if (action.event == LB_TFTP_SEND) {
            send_packet(transfer, &action);
            continue;
        }
        *until_us = LB_MIN(*until_us, action.until_us);
        if (action.event == LB_TFTP_WAIT)
            return true;
        say_end(transfer, action.event, now_us);
        return false;
    }
}

static void drop(struct lb_server_transfer *transfer) {
    lb_server_source_close(&transfer->source);
    lb_server_file_close(&transfer->file);
    free(transfer);
}

/* at: what points to it in the list. */
static void remove_transfer(struct lb_server_tftp *tftp, struct lb_server_transfer **at) {
    struct lb_server_transfer *transfer = *at;
    *at = transfer->next;
    tftp->count--;
    drop(transfer);
}

uint64_t lb_server_tftp_poll(struct lb_server_tftp *tftp, uint64_t now_us) {
    uint64_t until_us = LB_NEVER;
    for (struct lb_server_transfer **at = &tftp->transfers; *at != NULL;) {
        struct lb_server_transfer *transfer = *at;
        if (serve(transfer, now_us, &until_us)) {
            at = &transfer->next;
        } else {
            remove_transfer(tftp, at);
        }
    }
    return until_us;
}

void lb_server_transfer_ready(struct lb_server_source *source, uint64_t now_us) {
    struct lb_server_transfer *transfer = (struct lb_server_transfer *)(void *)source;
    uint8_t payload[REQUEST_MAX];
    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        struct lb_udp_received in;
        if (!lb_udp_receive(source->fd, lb_span(payload, sizeof payload), &in))
            return;
        lb_tftp_sender_input(&transfer->sender, now_us, in.payload);
    }
}

/* ---- requests ---- */

/* What points to the transfer of this client and port in the list; to NULL: there is none. */
static struct lb_server_transfer **find(struct lb_server_tftp *tftp, struct lb_endpoint client) {
    struct lb_server_transfer **at = &tftp->transfers;
    while (*at != NULL && !lb_endpoint_equal((*at)->client, client))
        at = &(*at)->next;
    return at;
}

/* Whether a request begins a transfer. Some firmware asks from one port for the size of a file, and
 * then for the file, and does not end the first transfer: that ends here. The same request, which
 * was sent again before our answer came, begins nothing. */
static bool may_begin(struct lb_server_tftp *tftp, struct lb_endpoint client, uint64_t asked) {
    unsigned own = 0;
    struct lb_server_transfer **at_same = find(tftp, client), *same = *at_same;
    if (same != NULL && (!lb_tftp_sender_is_quiet(&same->sender) ||
                         (!same->sender.is_heard && same->asked == asked)))
        return false;
    if (same != NULL)
        remove_transfer(tftp, at_same);
    for (const struct lb_server_transfer *at = tftp->transfers; at != NULL; at = at->next)
        own += lb_addr_equal(at->client.addr, client.addr);
    return own < LB_SERVER_TRANSFERS_EACH && tftp->count < LB_SERVER_TRANSFERS;
}

static void begin(struct lb_server_tftp *tftp, uint64_t now_us, struct lb_endpoint client,
                  const struct lb_tftp_request *request, uint64_t asked,
                  const struct lb_server_file *file) {
    struct lb_server_error error = {0};
    struct lb_os_address at = lb_os_address(client, tftp->link->index);
    uint32_t headers = (tftp->family == LB_V6 ? 40 : 20) + 8 + LB_TFTP_HEAD_BYTES;
    struct lb_server_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL)
        return;
    transfer->source = (struct lb_server_source){
        .kind = LB_SOURCE_TRANSFER,
        .fd = lb_server_link_udp(tftp->link, tftp->family, false, 0, &error)};
    transfer->file = *file;
    transfer->client = client;
    transfer->began_us = now_us;
    transfer->asked = asked;
    struct lb_text name = lb_text(transfer->name, sizeof transfer->name);
    lb_text_untrusted(&name, request->name);
    lb_tftp_sender_init(&transfer->sender, now_us, request, file->bytes,
                        LB_MAX(tftp->link->mtu, LB_TFTP_BLOCK + headers) - headers);
    if (transfer->source.fd < 0 || connect(transfer->source.fd, &at.any, at.len) < 0 ||
        !lb_server_watch(tftp->epoll, &transfer->source, EPOLLIN)) {
        drop(transfer);
        return;
    }
    transfer->next = tftp->transfers;
    tftp->transfers = transfer;
    tftp->count++;
}

static void refuse(const struct lb_server_tftp *tftp, struct lb_endpoint client,
                   enum lb_tftp_code code, const char *text) {
    uint8_t room[100];
    struct lb_bytes bytes = lb_tftp_encode_error(code, text, lb_span(room, sizeof room));
    lb_udp_send(tftp->source.fd, tftp->link->index, client, bytes);
}

static const struct lb_hash_key same_key = {0}; /* two requests are told apart, and no more */

static void on_request(struct lb_server_tftp *tftp, uint64_t now_us, struct lb_endpoint client,
                       struct lb_bytes payload) {
    struct lb_tftp_request request;
    struct lb_server_file file;
    char name[80];
    struct lb_text text = lb_text(name, sizeof name);
    const char *why;
    uint64_t asked = lb_siphash(&same_key, payload);
    if (!lb_tftp_decode_request(payload, &request, &why) || !may_begin(tftp, client, asked))
        return;
    lb_text_untrusted(&text, request.name);
    if (request.is_write) {
        refuse(tftp, client, LB_TFTP_REFUSED, "nothing can be written here");
    } else if (!request.is_octet) {
        refuse(tftp, client, LB_TFTP_ILLEGAL, "files are sent in the mode octet alone");
    } else if (!lb_server_files_find(tftp->files, request.name, &file, &why)) {
        refuse(tftp, client, LB_TFTP_NOT_FOUND, why);
        const struct lb_event event = {.kind = LB_EVENT_TROUBLE, .address = client.addr};
        lb_server_tell(&event, "asked for %s by TFTP: %s", name, why);
    } else {
        begin(tftp, now_us, client, &request, asked, &file);
    }
}

void lb_server_tftp_ready(struct lb_server_tftp *tftp, uint64_t now_us) {
    uint8_t payload[REQUEST_MAX];
    for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
        struct lb_udp_received in;
        if (!lb_udp_receive(tftp->source.fd, lb_span(payload, sizeof payload), &in))
            return;
        if (lb_rate_may_answer(&tftp->rate, now_us, in.from.addr))
            on_request(tftp, now_us, in.from, in.payload);
    }
}

bool lb_server_tftp_open(struct lb_server_tftp *tftp, int epoll, enum lb_family family,
                         const struct lb_server_link *link, const struct lb_server_files *files,
                         struct lb_server_error *error) {
    *tftp = (struct lb_server_tftp){
        .source = {.kind = family == LB_V6 ? LB_SOURCE_TFTP6 : LB_SOURCE_TFTP,
                   .fd = lb_server_link_udp(link, family, true, LB_TFTP_PORT, error)},
        .family = family,
        .epoll = epoll,
        .link = link,
        .files = files,
    };
    if (!lb_rate_init(&tftp->rate))
        return lb_server_fail(error, "", "TFTP: the kernel gives no random numbers");
    return tftp->source.fd >= 0 && lb_server_watch(epoll, &tftp->source, EPOLLIN);
}

void lb_server_tftp_close(struct lb_server_tftp *tftp) {
    while (tftp->transfers != NULL) {
        struct lb_server_transfer *transfer = tftp->transfers;
        tftp->transfers = transfer->next;
        drop(transfer);
    }
    lb_server_source_close(&tftp->source);
}
