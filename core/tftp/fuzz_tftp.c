/* A request (a length and its bytes), the file's size, and then what the client sends: a byte that
 * says how much time passes (in quarters of a second), a length, and the payload. */
#include "core/tftp/tftp.h"
#include "tests/fuzz.h"

#define INPUTS_MAX 200

static void check_packets(struct lb_tftp_sender *sender, uint64_t now) {
    for (unsigned sent = 0;; sent++) {
        struct lb_tftp_action action = lb_tftp_sender_poll(sender, now);
        lb_assert(sent <= LB_TFTP_WINDOW_MAX);
        if (action.event != LB_TFTP_SEND) {
            lb_assert(action.event != LB_TFTP_WAIT || action.until_us > now);
            return;
        }
        lb_assert(action.head.len >= LB_TFTP_HEAD_BYTES && action.len <= sender->block_bytes);
        lb_assert(action.offset <= sender->file_bytes &&
                  action.len <= sender->file_bytes - action.offset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    struct lb_bytes payload = lb_rd_bytes(&rd, LB_MIN(lb_rd_u8(&rd), rd.left));
    struct lb_tftp_request request;
    struct lb_tftp_sender sender;
    uint64_t now = LB_US_SEC;
    const char *why;
    if (!lb_tftp_decode_request(payload, &request, &why))
        return 0;
    lb_assert(request.name.len > 0 && request.name.p >= payload.p);
    lb_tftp_sender_init(&sender, now, &request, lb_rd_u24(&rd), 1468);
    for (unsigned i = 0; i < INPUTS_MAX && rd.left > 0; i++) {
        check_packets(&sender, now);
        now += lb_rd_u8(&rd) * LB_US_SEC / 4;
        lb_tftp_sender_input(&sender, now, lb_rd_bytes(&rd, LB_MIN(lb_rd_u8(&rd), rd.left)));
    }
    check_packets(&sender, now);
    return 0;
}
