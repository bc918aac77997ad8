/* TFTP, the server's half: it sends files. Start here.
 *
 * RFC 1350, 2347 (options), 2348 (blksize), 2349 (timeout, tsize), 7440 (windowsize). A transfer is
 * a struct lb_tftp_sender: a pure machine that never sees the file. It says which bytes of it
 * follow a header, and the host puts them there.
 *
 *   a datagram came to port 69   lb_tftp_decode_request; the host looks for the file
 *   no such file                 lb_tftp_encode_error, sent from port 69
 *   else                         lb_tftp_sender_init, and a socket with a port of its own
 *   a datagram came there        lb_tftp_sender_input
 *   loop: lb_tftp_sender_poll -> SEND head, then `len` bytes of the file from `offset` on
 *                                WAIT until until_us or input
 *                                DONE, FAILED: it is over, see why
 *
 * The request's sender may be forged, so a client that has not acknowledged anything is sent one
 * short packet a few times and no more. Files of any length are sent: the block number begins again
 * at 0 after 65535, which is what clients expect. */
#ifndef LB_TFTP_H
#define LB_TFTP_H

#include "core/base/addr.h"

#define LB_TFTP_PORT       69
#define LB_TFTP_BLOCK      512   /* without the option blksize: RFC 1350 */
#define LB_TFTP_BLOCK_MIN  8     /* RFC 2348 */
#define LB_TFTP_BLOCK_MAX  65464 /* RFC 2348 */
#define LB_TFTP_WINDOW_MAX 64 /* blocks in flight that we agree to: the buffers of slow receivers */
#define LB_TFTP_HEAD_BYTES 4  /* before the data of a block */
#define LB_TFTP_ACCEPT_MAX 128 /* an OACK with all four options */
#define LB_TFTP_TRIES      5   /* of a packet that nobody acknowledges, once somebody did */
#define LB_TFTP_FIRST      3   /* of the very first packet, whose receiver may be forged */

enum lb_tftp_op {
    LB_TFTP_RRQ = 1,
    LB_TFTP_WRQ,
    LB_TFTP_DATA,
    LB_TFTP_ACK,
    LB_TFTP_ERROR,
    LB_TFTP_OACK,
};

enum lb_tftp_code { /* RFC 1350 appendix, RFC 2347 */
                    LB_TFTP_UNDEFINED,
                    LB_TFTP_NOT_FOUND,
                    LB_TFTP_REFUSED,
                    LB_TFTP_FULL,
                    LB_TFTP_ILLEGAL,
                    LB_TFTP_UNKNOWN_PORT,
                    LB_TFTP_EXISTS,
                    LB_TFTP_NO_USER,
                    LB_TFTP_BAD_OPTIONS,
};

/* A request for a file. Options that were not asked for are zero; one with a value that its RFC
 * forbids counts as not asked for. */
struct lb_tftp_request {
    bool is_write;
    bool is_octet;        /* else netascii or mail, which are not served */
    struct lb_bytes name; /* within the payload, not empty; not checked for what is in it */
    uint32_t block_bytes, window, timeout_s;
    bool asks_size;
};

/* Reads an RRQ or WRQ. False: it is none, or malformed; *why is a constant then, and *request is
 * untouched. The payload must outlive *request. */
bool lb_tftp_decode_request(struct lb_bytes payload, struct lb_tftp_request *request,
                            const char **why);
/* An ERROR with its text. Empty when it does not fit into room. */
struct lb_bytes lb_tftp_encode_error(enum lb_tftp_code code, const char *text, struct lb_span room);

enum lb_tftp_event {
    LB_TFTP_WAIT,
    LB_TFTP_SEND,
    LB_TFTP_DONE,   /* the client has acknowledged the last block */
    LB_TFTP_FAILED, /* the client said so, or is silent: why */
};

struct lb_tftp_action {
    enum lb_tftp_event event;
    uint64_t until_us;
    struct lb_bytes head; /* SEND: valid until the next call; then these bytes of the file: */
    uint64_t offset;
    uint32_t len;
};

struct lb_tftp_sender {
    uint64_t file_bytes;
    uint32_t block_bytes, window; /* agreed on */
    const char *why;              /* FAILED: a constant */
    bool is_cancelled;            /* FAILED: the client said so, as one does that wants the size */
    /* The machine's own. */
    bool is_offering; /* the OACK is not acknowledged yet */
    bool is_over, is_heard, has_gone_back, offer_is_due;
    uint64_t last;        /* the number of the last block, from 1 */
    uint64_t acked, next; /* blocks: the last one acknowledged, the next to send */
    uint64_t sent;        /* the highest one that was sent */
    unsigned tries;
    uint64_t timeout_us, deadline_us;
    size_t offer_len;
    uint8_t offer[LB_TFTP_ACCEPT_MAX];
    uint8_t head[LB_TFTP_HEAD_BYTES];
};

/* block_max: the longest block that is agreed to, such as 1468 on Ethernet so that no datagram is
 * cut into fragments; at least LB_TFTP_BLOCK. */
void lb_tftp_sender_init(struct lb_tftp_sender *sender, uint64_t now_us,
                         const struct lb_tftp_request *request, uint64_t file_bytes,
                         uint32_t block_max);
/* A payload that came from the client. Anything but an ACK or ERROR that fits is ignored. */
void lb_tftp_sender_input(struct lb_tftp_sender *sender, uint64_t now_us, struct lb_bytes payload);
/* Whether its client may have begun anew: it has acknowledged nothing, or nothing of late. */
bool lb_tftp_sender_is_quiet(const struct lb_tftp_sender *sender);
/* Polling too early or too often is harmless. */
struct lb_tftp_action lb_tftp_sender_poll(struct lb_tftp_sender *sender, uint64_t now_us);

#endif
