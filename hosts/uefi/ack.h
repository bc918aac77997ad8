/* Acknowledgements that say nothing else. A frame that is sent costs a machine more than one that
 * comes: the card is notified, the server looks at it. So such a frame is held, the next one takes
 * its place, and whatever else goes out on the connection carries it along. It is due when it says
 * enough or is ACK_HELD_US old. One with options (SACK), or without news, which the sender may
 * count as a duplicate, is not held. Tested on Linux: test_ack.c. */
#ifndef LB_UEFI_ACK_H
#define LB_UEFI_ACK_H

#include "core/base/bytes.h"

#define ACK_FRAME_MAX  74 /* Ethernet, IPv6 and TCP without options */
#define ACK_HELD_US    500
#define ACK_HELD_BYTES (32 * 1024)

struct ack {
    size_t len; /* 0: none is held */
    uint64_t since_us;
    uint32_t from; /* what the first of those that were held acknowledged */
    uint32_t most; /* bytes that one may acknowledge before it is due; 0: ACK_HELD_BYTES */
    uint8_t frame[ACK_FRAME_MAX], given[ACK_FRAME_MAX];
};

/* An Ethernet frame is to be sent. True: it is held. False: it goes out now. Before either goes
 * *before, unless that is empty; it is there until the next call. */
bool ack_offer(struct ack *ack, uint64_t now_us, struct lb_bytes frame, struct lb_bytes *before);
/* What is held, if it is due by now, else nothing; it is there until the next call. */
struct lb_bytes ack_due(struct ack *ack, uint64_t now_us);
/* What is held, due or not. */
struct lb_bytes ack_take(struct ack *ack);

#endif
