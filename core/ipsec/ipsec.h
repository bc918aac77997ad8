/* ESP: IP packets in, protected IP packets out, and back. Start here.
 *
 * RFC 4303 with AES-GCM of 16-byte tags (RFC 4106), extended sequence numbers, a replay window,
 * tunnel and transport mode, IPv4 and IPv6, UDP encapsulation (RFC 3948). Who has which keys is
 * core/ike's to say. A host asks which packets are protected (lb_ipsec_selects), seals what it
 * sends and opens what it receives; what a selector names and comes in clear must be dropped. */
#ifndef LB_IPSEC_H
#define LB_IPSEC_H

#include "core/base/addr.h"
#include "core/crypto/gcm.h"

enum {
    LB_IPSEC_KEY_MAX = 36,     /* 32 bytes of key and 4 of salt (RFC 4106 4) */
    LB_IPSEC_WINDOW = 1024,    /* packets; RFC 4303 wants 32 at least, a fast link reorders more */
    LB_IPSEC_HEAD_MAX = 48,    /* bytes of a sealed packet before ESP: IPv6 and UDP */
    LB_IPSEC_OVERHEAD_MAX = 85 /* tunnel over IPv6 in UDP: 40 + 8 + 8 + 8 + 3 + 2 + 16 */
};

enum lb_ipsec_mode { LB_IPSEC_TUNNEL, LB_IPSEC_TRANSPORT };

/* Which packets a pair of SAs protects. As we see them: local is our end. */
struct lb_ipsec_selector {
    struct lb_addr local, remote;
    uint8_t protocol;                 /* 6 TCP, 17 UDP; 0: any */
    uint16_t local_first, local_last; /* ports; without any: 0 and 65535 */
    uint16_t remote_first, remote_last;
};

/* What IKE agreed on for one pair of SAs. Holds keys: wipe it. */
struct lb_ipsec_terms {
    enum lb_ipsec_mode mode;
    bool has_esn;
    uint32_t out_spi, in_spi; /* theirs, to send with; ours */
    size_t key_len;           /* 20 or 36 */
    uint8_t out_key[LB_IPSEC_KEY_MAX], in_key[LB_IPSEC_KEY_MAX];
    struct lb_endpoint local, remote; /* the outer addresses, and the ports in UDP */
    bool in_udp;                      /* a NAT is on the way: ESP is in UDP */
    struct lb_ipsec_selector selector;
};

/* One direction. Opaque; holds keys. */
struct lb_ipsec_way {
    uint32_t spi;
    uint8_t salt[4];
    bool has_esn;
    uint64_t top; /* the last number sent; the highest one received */
    struct lb_gcm gcm;
};

/* A pair of SAs in use. Holds keys: lb_ipsec_end wipes it. */
struct lb_ipsec {
    struct lb_ipsec_terms terms; /* without the keys */
    struct lb_ipsec_way out, in;
    uint64_t seen[LB_IPSEC_WINDOW / 64 + 1]; /* a bit for each number of the window that has come */
    uint64_t sealed, opened;                 /* packets */
    uint64_t replayed, forged, odd;          /* packets dropped: old, wrong tag, wrong inside */
    uint16_t next_id;                        /* of IPv4 packets in tunnel mode */
};

/* Takes the terms over, keys and all. */
void lb_ipsec_begin(struct lb_ipsec *ipsec, const struct lb_ipsec_terms *terms);
void lb_ipsec_end(struct lb_ipsec *ipsec); /* wipes all */

/* Whether a whole IP packet is one that the selector names; is_out: we send it. A fragment that
 * does not show its ports is one if its addresses and protocol are. */
bool lb_ipsec_selects(const struct lb_ipsec_selector *selector, struct lb_bytes packet,
                      bool is_out);

/* Whether there are numbers left: past it the SAs must be made anew, and nothing is sealed. */
bool lb_ipsec_has_numbers(const struct lb_ipsec *ipsec);

/* The protected packet, IP header and all, in `room`; empty: it is no whole IP packet that the
 * selector names, room is too small, or there are no numbers left. room and packet do not overlap.
 * */
struct lb_bytes lb_ipsec_seal(struct lb_ipsec *ipsec, struct lb_bytes packet, struct lb_span room);
/* The packet within a protected one, which is decrypted in place. Empty: it is not for this pair,
 * forged, played again, or not what the selector names; then it is counted. */
struct lb_bytes lb_ipsec_open(struct lb_ipsec *ipsec, struct lb_span packet);
/* The same for ESP by itself, as a UDP socket gives it (RFC 3948). The LB_IPSEC_HEAD_MAX bytes
 * before it are written to. */
struct lb_bytes lb_ipsec_open_esp(struct lb_ipsec *ipsec, struct lb_span esp);
/* Whether a whole IP packet is ESP, in UDP or not, with this pair's SPI. */
bool lb_ipsec_is_ours(const struct lb_ipsec *ipsec, struct lb_bytes packet);

/* ---- without IP headers: for hosts whose sockets carry ESP in UDP, and for tests ---- */

/* ESP alone: payload is what follows the IP header (transport) or a whole packet (tunnel). Written
 * into room; empty: room is too small, or there are no numbers left. */
struct lb_bytes lb_ipsec_seal_payload(struct lb_ipsec *ipsec, struct lb_bytes payload,
                                      uint8_t next_header, struct lb_span room);
/* The payload within ESP, in place. False: see lb_ipsec_open. */
bool lb_ipsec_open_payload(struct lb_ipsec *ipsec, struct lb_span esp, struct lb_span *payload,
                           uint8_t *next_header);

#endif
