/* The numbers that somebody off the path would have to guess: TCP's initial sequence numbers (RFC
 * 6528), ports (RFC 6056), the identification of IP packets (RFC 791, RFC 7739). */
#ifndef LB_UEFI_NUMBERS_H
#define LB_UEFI_NUMBERS_H

#include "core/base/addr.h"
#include "core/crypto/crypto.h"

#define NUMBERS_PORT_FIRST 49152 /* RFC 6335 6: the dynamic ports are from here to 65535 */

/* Wipe it when the network is closed. */
struct numbers {
    uint8_t secret[32];
    uint8_t rounds[4][256]; /* the round functions of a permutation of 16 bits */
};

/* Draws the secret. rand is not kept. */
void numbers_init(struct numbers *numbers, struct lb_rand *rand);
/* RFC 6528 3: a clock of 4 us, and a keyed hash of both ends. */
uint32_t numbers_isn(const struct numbers *numbers, uint64_t now_us, struct lb_endpoint local,
                     struct lb_endpoint peer);
/* The identification of the count-th packet: 65536 packets in a row have 65536 different ones. */
uint16_t numbers_ip4_id(const struct numbers *numbers, uint16_t count);
/* The same of a packet that is sent in fragments (IPv6); the fragments of a packet share it. */
uint32_t numbers_ip6_id(const struct numbers *numbers, uint32_t count);
/* In an Ethernet frame that is about to be sent, a packet's count becomes its identification. What
 * is no IP packet stays as it is. */
void numbers_hide_id(const struct numbers *numbers, struct lb_span frame);
/* RFC 6056 3.3.1: a dynamic port, each equally likely. */
uint16_t numbers_port(struct lb_rand *rand);

#endif
