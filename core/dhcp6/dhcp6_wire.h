/* DHCPv6 messages: struct <-> bytes. No state. RFC 8415 8 and 21, RFC 3646, RFC 5970. */
#ifndef LB_DHCP6_WIRE_H
#define LB_DHCP6_WIRE_H

#include "core/dhcp6/dhcp6.h"

#define LB_DHCP6_IA_NA_BYTES  12 /* IAID, T1, T2: before the options inside */
#define LB_DHCP6_IAADDR_BYTES 24 /* address and lifetimes: before the options inside */
#define LB_DHCP6_MAX_RT_MIN   60 /* RFC 8415 21.24, 21.25 */
#define LB_DHCP6_MAX_RT_MAX   86400

enum lb_dhcp6_type {
    LB_DHCP6_SOLICIT = 1,
    LB_DHCP6_ADVERTISE,
    LB_DHCP6_REQUEST,
    LB_DHCP6_CONFIRM,
    LB_DHCP6_RENEW,
    LB_DHCP6_REBIND,
    LB_DHCP6_REPLY,
    LB_DHCP6_RELEASE,
    LB_DHCP6_DECLINE,
    LB_DHCP6_RECONFIGURE,
    LB_DHCP6_INFORMATION_REQUEST,
    LB_DHCP6_RELAY_FORW,
    LB_DHCP6_RELAY_REPL,
};
const char *lb_dhcp6_type_word(unsigned type); /* "Solicit", ...; "unknown" */

enum lb_dhcp6_code {
    LB_OPT6_CLIENT_ID = 1,
    LB_OPT6_SERVER_ID = 2,
    LB_OPT6_IA_NA = 3,
    LB_OPT6_IA_TA = 4,
    LB_OPT6_IAADDR = 5,
    LB_OPT6_ORO = 6,
    LB_OPT6_PREFERENCE = 7,
    LB_OPT6_ELAPSED = 8,
    LB_OPT6_RELAY_MESSAGE = 9,
    LB_OPT6_AUTH = 11,
    LB_OPT6_STATUS = 13,
    LB_OPT6_RAPID_COMMIT = 14,
    LB_OPT6_USER_CLASS = 15,
    LB_OPT6_VENDOR_CLASS = 16,
    LB_OPT6_VENDOR = 17,
    LB_OPT6_INTERFACE_ID = 18,
    LB_OPT6_RECONF_MSG = 19,
    LB_OPT6_RECONF_ACCEPT = 20,
    LB_OPT6_DNS = 23,
    LB_OPT6_SEARCH = 24,
    LB_OPT6_REFRESH = 32,
    LB_OPT6_BOOT_URL = 59,
    LB_OPT6_BOOT_PARAMS = 60,
    LB_OPT6_ARCH = 61,
    LB_OPT6_UNDI = 62,
    LB_OPT6_LINK_LAYER = 79,
    LB_OPT6_SOL_MAX_RT = 82,
    LB_OPT6_INF_MAX_RT = 83,
};

enum lb_dhcp6_status { /* RFC 8415 21.13 */
                       LB_DHCP6_SUCCESS,
                       LB_DHCP6_UNSPEC_FAIL,
                       LB_DHCP6_NO_ADDRS_AVAIL,
                       LB_DHCP6_NO_BINDING,
                       LB_DHCP6_NOT_ON_LINK,
                       LB_DHCP6_USE_MULTICAST,
};
const char *lb_dhcp6_status_word(unsigned status); /* "NoAddrsAvail", ...; "unknown status" */

/* ---- bytes -> struct ---- */

struct lb_dhcp6_message {
    uint8_t type;
    uint32_t xid;
    struct lb_bytes whole, options; /* in the payload */
};

/* False when it is too short, when an option runs past the end, or when it is of a relay; then *why
 * is a phrase for the trace, and *message is untouched. The payload must outlive *message. */
bool lb_dhcp6_decode(struct lb_bytes payload, struct lb_dhcp6_message *message, const char **why);
/* The next option, for messages and for options that hold options. False at the end; the cursor is
 * bad where an option ran past it. */
bool lb_dhcp6_next(struct lb_rd *rd, uint16_t *code, struct lb_bytes *value);
/* The first option of this code; false when it is absent. */
bool lb_dhcp6_find(struct lb_bytes options, uint16_t code, struct lb_bytes *value);
/* Those of a fixed length; false, and *value untouched, when absent or of another length. */
bool lb_dhcp6_find_u8(struct lb_bytes options, uint16_t code, uint8_t *value);
/* As lb_dhcp6_find_u8, of 4 bytes. */
bool lb_dhcp6_find_u32(struct lb_bytes options, uint16_t code, uint32_t *value);
/* A Client or Server Identifier; false when absent, shorter than 3 or longer than LB_DUID_MAX. */
bool lb_dhcp6_find_duid(struct lb_bytes options, uint16_t code, struct lb_duid *duid);
/* Option 13 and its text; Success, and no text, where it is absent or malformed. */
unsigned lb_dhcp6_find_status(struct lb_bytes options, struct lb_bytes *text);

/* An IA_NA as a message has it. */
struct lb_dhcp6_ia {
    uint32_t iaid, t1_s, t2_s;
    /* Lifetime 0: not to be used any more. Those that make no sense, and those with a status of
     * their own that is not Success, are left out. */
    struct lb_dhcp6_addr addrs[LB_DHCP6_ADDRS_MAX];
    size_t addr_count;
    unsigned status;
    struct lb_bytes status_text; /* in the payload */
};
/* The value of an IA_NA. False when it is malformed, and when T1 > T2 > 0 (RFC 8415 21.4). */
bool lb_dhcp6_read_ia(struct lb_bytes value, struct lb_dhcp6_ia *ia);
/* The IA_NA with this IAID. */
bool lb_dhcp6_find_ia(struct lb_bytes options, uint32_t iaid, struct lb_dhcp6_ia *ia);

/* What a server's message says but its IAs (dhcp6_lease.c). An option that is malformed by itself
 * counts as absent. */
void lb_dhcp6_read_lease(const struct lb_dhcp6_message *message, struct lb_addr from,
                         struct lb_dhcp6_lease *lease);

/* ---- struct -> bytes ---- */

/* The message's type and the 24 bits of its transaction ID. */
void lb_dhcp6_put_header(struct lb_wr *wr, uint8_t type, uint32_t xid);
/* An option whole; the cursor goes bad for a value of more than 65535 bytes. */
void lb_dhcp6_put(struct lb_wr *wr, uint16_t code, struct lb_bytes value);
void lb_dhcp6_put_u8(struct lb_wr *wr, uint16_t code, uint8_t value);   /* an option of 1 byte */
void lb_dhcp6_put_u16(struct lb_wr *wr, uint16_t code, uint16_t value); /* an option of 2 bytes */
void lb_dhcp6_put_u32(struct lb_wr *wr, uint16_t code, uint32_t value); /* an option of 4 bytes */
/* A Client or Server Identifier. */
void lb_dhcp6_put_duid(struct lb_wr *wr, uint16_t code, const struct lb_duid *duid);
/* Option 13; the text may be empty. */
void lb_dhcp6_put_status(struct lb_wr *wr, uint16_t status, const char *text);
/* An option that holds others: what is written between open and close. */
size_t lb_dhcp6_open(struct lb_wr *wr, uint16_t code);
/* Fills in the length; `opened` is what open gave. */
void lb_dhcp6_close(struct lb_wr *wr, size_t opened);
/* Opens an IA_NA; for close. */
size_t lb_dhcp6_open_ia(struct lb_wr *wr, uint32_t iaid, uint32_t t1_s, uint32_t t2_s);
/* An address with its lifetimes, for inside an IA_NA; addr must be IPv6. */
void lb_dhcp6_put_iaaddr(struct lb_wr *wr, struct lb_addr addr, uint32_t preferred_s,
                         uint32_t valid_s);
/* Names, space separated, as option 24 has them (RFC 1035 3.1). */
void lb_dhcp6_put_search(struct lb_wr *wr, const char *names);

/* ---- RFC 8415 20.4: the key that lets a server reconfigure us (dhcp6_auth.c) ---- */

/* Takes the key out of a Reply. False when it has none. */
bool lb_dhcp6_take_key(const struct lb_dhcp6_message *message, struct lb_dhcp6_key *key);
/* Whether a Reconfigure is authentic and no repetition; then the key's replay counter is moved. */
bool lb_dhcp6_is_authentic(const struct lb_dhcp6_message *message, struct lb_dhcp6_key *key);
/* Option 11 with the key. */
void lb_dhcp6_put_key(struct lb_wr *wr, uint64_t replay, struct lb_bytes key);
/* Option 11 with the MAC over the whole message, which must be complete otherwise. */
void lb_dhcp6_put_mac(struct lb_wr *wr, uint64_t replay, struct lb_bytes key);

/* ---- RFC 3315 21.4: delayed authentication (dhcp6_auth.c) ---- */

/* Option 11 with a place for the MAC; key NULL: one that only asks for authentication, of Solicit
 * and Information-request. */
void lb_dhcp6_put_auth(struct lb_wr *wr, uint64_t replay, const struct lb_dhcp_key *key);
/* Computes the MAC of a message that is complete otherwise. False: it has no place for one. */
bool lb_dhcp6_sign(struct lb_wr *wr, const struct lb_dhcp_key *key);
/* Whether a request asks for authentication, with a proof or without. */
bool lb_dhcp6_asks_auth(const struct lb_dhcp6_message *message);

/* What an authentic message says of its authentication. */
struct lb_dhcp6_proof {
    struct lb_bytes realm; /* in the payload */
    uint32_t key_id;
    uint64_t replay; /* the caller compares it with what it has seen: lb_dhcp_seen_is_new */
};
/* NULL: the message was made by somebody who has one of the keys, and *proof is set. Else why it
 * was not, a constant. keys: as in core/base/dhcp_keys.h. */
const char *lb_dhcp6_check_auth(const struct lb_dhcp6_message *message, struct lb_bytes keys,
                                struct lb_dhcp6_proof *proof);

#endif
