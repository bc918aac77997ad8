/* One transfer to a client.
 *
 *   with options:  OFFERING --ACK 0--> SENDING --ACK of the last block--> over (DONE)
 *   without:                           SENDING
 *   any: an ERROR of the client, or silence --> over (FAILED) */
#include "core/base/pace.h"
#include "core/tftp/tftp.h"

#define TIMEOUT_US     LB_US_SEC /* RFC 1350 leaves it open; doubled with each silence */
#define TIMEOUT_MAX_US (8 * LB_US_SEC)

static void put_option(struct lb_wr *wr, const char *name, uint64_t value) {
    char digits[24];
    lb_format(digits, sizeof digits, "%llu", (unsigned long long)value);
    lb_wr_text(wr, name);
    lb_wr_u8(wr, 0);
    lb_wr_text(wr, digits);
    lb_wr_u8(wr, 0);
}

/* RFC 2347: the options that are agreed to, and no others. */
static void offer(struct lb_tftp_sender *sender, const struct lb_tftp_request *request) {
    struct lb_wr wr = lb_wr(lb_span(sender->offer, sizeof sender->offer));
    lb_wr_u16(&wr, LB_TFTP_OACK);
    if (request->block_bytes)
        put_option(&wr, "blksize", sender->block_bytes);
    if (request->window)
        put_option(&wr, "windowsize", sender->window);
    if (request->timeout_s)
        put_option(&wr, "timeout", request->timeout_s);
    if (request->asks_size)
        put_option(&wr, "tsize", sender->file_bytes);
    sender->offer_len = lb_wr_done(&wr).len;
    sender->is_offering = sender->offer_is_due = sender->offer_len > 2;
}

static void end(struct lb_tftp_sender *sender, const char *why) {
    sender->is_over = true;
    sender->why = why;
}

static void expect(struct lb_tftp_sender *sender, uint64_t now_us) {
    uint64_t most_us = LB_MAX(TIMEOUT_MAX_US, sender->timeout_us);
    sender->deadline_us = now_us + lb_pace(sender->timeout_us, most_us, sender->tries);
}

void lb_tftp_sender_init(struct lb_tftp_sender *sender, uint64_t now_us,
                         const struct lb_tftp_request *request, uint64_t file_bytes,
                         uint32_t block_max) {
    lb_assert(block_max >= LB_TFTP_BLOCK);
    block_max = LB_MIN(block_max, LB_TFTP_BLOCK_MAX);
    *sender = (struct lb_tftp_sender){
        .file_bytes = file_bytes,
        .block_bytes =
            request->block_bytes ? LB_MIN(request->block_bytes, block_max) : LB_TFTP_BLOCK,
        .window = request->window ? LB_MIN(request->window, LB_TFTP_WINDOW_MAX) : 1,
        .timeout_us = request->timeout_s ? request->timeout_s * LB_US_SEC : TIMEOUT_US,
        .next = 1,
    };
    sender->last = file_bytes / sender->block_bytes + 1; /* a short one ends it, maybe empty */
    offer(sender, request);
    expect(sender, now_us);
}

/* The first block that was not acknowledged is sent again, and those after it. */
static void go_back(struct lb_tftp_sender *sender) {
    sender->next = sender->acked + 1;
    sender->offer_is_due = sender->is_offering;
}

static void heard(struct lb_tftp_sender *sender, uint64_t now_us) {
    sender->is_heard = true;
    sender->has_gone_back = false;
    sender->tries = 0;
    expect(sender, now_us);
}

/* RFC 7440 4: within the window it says what came before a gap. An ACK for the second time is no
 * reason to send again (RFC 1123 4.2.3.1), but once where it may be about the gap at the window's
 * start. What was sent once may be acknowledged while it is sent again. */
static void on_ack(struct lb_tftp_sender *sender, uint64_t now_us, uint16_t block) {
    uint64_t ahead = (uint16_t)(block - (uint16_t)sender->acked);
    uint64_t again = sender->next - 1 - sender->acked, sent = sender->sent - sender->acked;
    if (sender->is_offering) {
        if (block != 0)
            return;
        sender->is_offering = sender->offer_is_due = false;
        heard(sender, now_us);
    } else if (ahead == 0 && again > 1 && !sender->has_gone_back) {
        sender->has_gone_back = true;
        go_back(sender);
        expect(sender, now_us);
    } else if (ahead > 0 && ahead <= sent) {
        sender->acked += ahead;
        heard(sender, now_us);
        go_back(sender);
        if (sender->acked == sender->last)
            end(sender, NULL);
    }
}

void lb_tftp_sender_input(struct lb_tftp_sender *sender, uint64_t now_us, struct lb_bytes payload) {
    struct lb_rd rd = lb_rd(payload);
    uint16_t op = lb_rd_u16(&rd), value = lb_rd_u16(&rd);
    if (sender->is_over || !lb_rd_ok(&rd))
        return;
    if (op == LB_TFTP_ERROR) {
        sender->is_cancelled = true;
        end(sender, "the client ended the transfer");
    } else if (op == LB_TFTP_ACK) {
        on_ack(sender, now_us, value);
    }
}

static struct lb_tftp_action send_block(struct lb_tftp_sender *sender) {
    uint64_t offset = (sender->next - 1) * sender->block_bytes;
    struct lb_wr wr = lb_wr(lb_span(sender->head, sizeof sender->head));
    lb_wr_u16(&wr, LB_TFTP_DATA);
    lb_wr_u16(&wr, (uint16_t)sender->next);
    sender->sent = LB_MAX(sender->sent, sender->next);
    sender->next++;
    return (struct lb_tftp_action){
        .event = LB_TFTP_SEND,
        .head = lb_wr_done(&wr),
        .offset = offset,
        .len = (uint32_t)LB_MIN(sender->block_bytes, sender->file_bytes - offset),
    };
}

static void check_silence(struct lb_tftp_sender *sender, uint64_t now_us) {
    if (now_us < sender->deadline_us)
        return;
    sender->tries++;
    if (sender->tries >= (sender->is_heard ? LB_TFTP_TRIES : LB_TFTP_FIRST)) {
        end(sender, "the client does not answer any more");
        return;
    }
    go_back(sender);
    expect(sender, now_us);
}

bool lb_tftp_sender_is_quiet(const struct lb_tftp_sender *sender) {
    return !sender->is_heard || sender->tries > 0;
}

static uint64_t window_end(const struct lb_tftp_sender *sender) {
    return LB_MIN(sender->acked + sender->window, sender->last);
}

struct lb_tftp_action lb_tftp_sender_poll(struct lb_tftp_sender *sender, uint64_t now_us) {
    if (!sender->is_over)
        check_silence(sender, now_us);
    if (sender->is_over)
        return (struct lb_tftp_action){
            .event = sender->why ? LB_TFTP_FAILED : LB_TFTP_DONE,
            .until_us = LB_NEVER,
        };
    if (sender->offer_is_due) {
        sender->offer_is_due = false;
        return (struct lb_tftp_action){
            .event = LB_TFTP_SEND,
            .head = lb_bytes(sender->offer, sender->offer_len),
        };
    }
    if (!sender->is_offering && sender->next <= window_end(sender))
        return send_block(sender);
    return (struct lb_tftp_action){.event = LB_TFTP_WAIT, .until_us = sender->deadline_us};
}
