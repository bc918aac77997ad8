/* The keys of DHCP authentication (RFC 3118, RFC 3315 21.4), and what keeps old messages from being
 * played again. DHCPv4 and DHCPv6 share both; the protocols are in core/dhcp4 and core/dhcp6.
 *
 * Keys stand in one text, with commas: ID:SECRET for DHCPv4, ID@REALM:SECRET for DHCPv6, which
 * names a key by its realm as well. A secret is text, or 0x and hex digits. */
#ifndef LB_BASE_DHCP_KEYS_H
#define LB_BASE_DHCP_KEYS_H

#include "core/base/bytes.h"

#define LB_DHCP_SECRET_MIN 8  /* bytes; RFC 3118 6 warns of keys that can be guessed */
#define LB_DHCP_SECRET_MAX 64 /* bytes: a block of MD5, behind which HMAC gains nothing */
#define LB_DHCP_REALM_MAX  64 /* bytes: a domain name as sites use them */
#define LB_DHCP_SEEN_MAX   8  /* servers remembered; more on one network is a misconfiguration */
#define LB_DHCP_SEEN_BYTES (4 + LB_DHCP_SEEN_MAX * 16)

/* A key of the text. It holds a secret: the caller wipes it. */
struct lb_dhcp_key {
    uint32_t id;
    struct lb_bytes realm; /* in the text; empty: a key of DHCPv4 */
    uint8_t secret[LB_DHCP_SECRET_MAX];
    size_t secret_len;
};

/* Takes the next key off the text. False: the text is at its end, or what comes next is no key;
 * then *text is not empty. */
bool lb_dhcp_keys_next(struct lb_bytes *text, struct lb_dhcp_key *key);
/* Whether each item of the text is a key and none is there twice. *item is the number of the first
 * that is wrong, from 1. */
bool lb_dhcp_keys_check(struct lb_bytes text, size_t *item);
/* The key with this realm (empty: of DHCPv4) and id. False: there is none. */
bool lb_dhcp_keys_find(struct lb_bytes text, struct lb_bytes realm, uint32_t id,
                       struct lb_dhcp_key *key);
/* Whether there is a key of DHCPv4 (is_realm false) or of DHCPv6. */
bool lb_dhcp_keys_have(struct lb_bytes text, bool is_realm);

/* The highest replay detection value of each peer (RFC 3118 2, RDM 0). A host that keeps it over a
 * restart keeps the struct as it is; zeros are one that has seen nobody. */
struct lb_dhcp_seen {
    struct lb_dhcp_seen_peer {
        uint64_t peer; /* of its name and the key's; 0: none */
        uint64_t replay;
    } peers[LB_DHCP_SEEN_MAX];
    uint32_t next; /* which is replaced when another peer comes */
};

/* Whether a message of this peer is newer than all before; the first one of a peer is. Ask for
 * authentic messages alone. */
bool lb_dhcp_seen_is_new(const struct lb_dhcp_seen *seen, uint64_t peer, uint64_t replay);
/* Remembers an authentic message that was taken. */
void lb_dhcp_seen_note(struct lb_dhcp_seen *seen, uint64_t peer, uint64_t replay);
/* As bytes, for a host that keeps them over a restart: at most LB_DHCP_SEEN_BYTES. The length. */
size_t lb_dhcp_seen_encode(const struct lb_dhcp_seen *seen, uint8_t room[LB_DHCP_SEEN_BYTES]);
/* False: the bytes are no such thing, and *seen is untouched. */
bool lb_dhcp_seen_decode(struct lb_bytes bytes, struct lb_dhcp_seen *seen);
/* A peer by its name (an address, a DUID) and the key that it uses; never 0. */
uint64_t lb_dhcp_seen_peer(struct lb_bytes name, const struct lb_dhcp_key *key);

#endif
