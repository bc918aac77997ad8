/* The frames that are handed to a card, until it gives them back. There are drivers that never give
 * one back, that give back another pointer than they were handed, or each one twice: a frame is
 * free again after TX_KEPT_US all the same, and a pointer that is not ours stands for the oldest.
 * No EFI types: tested on Linux, test_tx.c. */
#ifndef LB_UEFI_TX_H
#define LB_UEFI_TX_H

#include "core/base/mem.h"

#define TX_FRAMES  64
#define TX_FRAME   1664 /* Ethernet frame with VLAN tag, rounded up */
#define TX_LEAST   60   /* IEEE 802.3 3.2.7: shorter ones are padded; some drivers drop them */
#define TX_KEPT_US (2 * LB_US_SEC)

struct tx {
    uint8_t *room; /* TX_FRAMES of TX_FRAME bytes */
    uint64_t since_us[TX_FRAMES];
    bool is_busy[TX_FRAMES];
    unsigned busy;
    uint64_t kept; /* frames that were never given back */
};

/* Room is the caller's. */
void tx_init(struct tx *tx, uint8_t *room);
/* A copy of the frame with padding, which is now the card's; its length in *len. NULL: all are with
 * the card, or it is too long. */
uint8_t *tx_take(struct tx *tx, uint64_t now_us, const uint8_t *frame, size_t *len);
/* The card has given this back. */
void tx_given(struct tx *tx, const void *frame);
/* Frames that the card keeps too long are free. */
void tx_expire(struct tx *tx, uint64_t now_us);

#endif
