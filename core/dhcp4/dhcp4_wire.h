/* DHCPv4 messages: struct <-> bytes. No state. RFC 2131 2, RFC 2132, RFC 3396. */
#ifndef LB_DHCP4_WIRE_H
#define LB_DHCP4_WIRE_H

#include "core/dhcp4/dhcp4.h"

#define LB_DHCP4_HEADER_BYTES 236 /* up to and without the magic cookie */
#define LB_DHCP4_FIXED_BYTES  240 /* with it: where the options begin */
#define LB_DHCP4_BOOTP_BYTES  300 /* a BOOTP message; shorter ones were seen dropped by relays */
#define LB_DHCP4_CHADDR_BYTES 16
#define LB_DHCP4_SNAME_BYTES  64
#define LB_DHCP4_FILE_BYTES   128
#define LB_DHCP4_BROADCAST    0x8000 /* in flags */

enum { LB_BOOTREQUEST = 1, LB_BOOTREPLY = 2 };

enum lb_dhcp4_type { /* option 53; 0 is a BOOTP message, without it */
                     LB_DHCP4_BOOTP,
                     LB_DHCP4_DISCOVER,
                     LB_DHCP4_OFFER,
                     LB_DHCP4_REQUEST,
                     LB_DHCP4_DECLINE,
                     LB_DHCP4_ACK,
                     LB_DHCP4_NAK,
                     LB_DHCP4_RELEASE,
                     LB_DHCP4_INFORM,
                     LB_DHCP4_FORCERENEW,
};
const char *lb_dhcp4_type_word(unsigned type); /* "DISCOVER", ...; "unknown" */

enum lb_dhcp4_code {
    LB_OPT_PAD = 0,
    LB_OPT_MASK = 1,
    LB_OPT_ROUTERS = 3,
    LB_OPT_DNS = 6,
    LB_OPT_HOSTNAME = 12,
    LB_OPT_DOMAIN = 15,
    LB_OPT_ROOT_PATH = 17,
    LB_OPT_MTU = 26,
    LB_OPT_BROADCAST = 28,
    LB_OPT_STATIC_ROUTES = 33,
    LB_OPT_NTP = 42,
    LB_OPT_VENDOR_SPECIFIC = 43,
    LB_OPT_REQUESTED_ADDRESS = 50,
    LB_OPT_LEASE_TIME = 51,
    LB_OPT_OVERLOAD = 52,
    LB_OPT_TYPE = 53,
    LB_OPT_SERVER_ID = 54,
    LB_OPT_PARAMETERS = 55,
    LB_OPT_MESSAGE = 56,
    LB_OPT_MAX_SIZE = 57,
    LB_OPT_T1 = 58,
    LB_OPT_T2 = 59,
    LB_OPT_VENDOR_CLASS = 60,
    LB_OPT_CLIENT_ID = 61,
    LB_OPT_TFTP_SERVER = 66,
    LB_OPT_BOOTFILE = 67,
    LB_OPT_SLP_DA = 78,
    LB_OPT_SLP_SCOPE = 79,
    LB_OPT_USER_CLASS = 77,
    LB_OPT_RAPID_COMMIT = 80,
    LB_OPT_RELAY_AGENT = 82,
    LB_OPT_RELAY_INFO = 82,
    LB_OPT_ISNS = 83,
    LB_OPT_AUTH = 90,
    LB_OPT_ARCH = 93,
    LB_OPT_UNDI = 94,
    LB_OPT_MACHINE = 97,
    LB_OPT_SUBNET = 118,
    LB_OPT_SEARCH = 119,
    LB_OPT_CLASSLESS_ROUTES = 121,
    LB_OPT_FIRST_TARGET = 201, /* of QLogic, Broadcom, HP; most often inside option 43 */
    LB_OPT_SECOND_TARGET = 202,
    LB_OPT_INITIATOR = 203,
    LB_OPT_END = 255,
};

struct lb_dhcp4_header {
    uint8_t op, htype, hlen, hops;
    uint32_t xid;
    uint16_t secs, flags;
    struct lb_addr ciaddr, yiaddr, siaddr, giaddr;
    uint8_t chaddr[LB_DHCP4_CHADDR_BYTES];
};

/* ---- bytes -> struct ---- */

struct lb_dhcp4_message {
    struct lb_dhcp4_header header;
    struct lb_bytes sname, file; /* as text, in the payload; empty where they hold options */
    bool has_cookie;             /* else no options: BOOTP as of RFC 951 */
    enum lb_dhcp4_type type;     /* option 53; BOOTP when it is absent */
    bool is_cut;      /* the last option runs past the end of its field, and is left out */
    uint8_t cut_code; /* which; none of its instances counts then */
    /* Every option, its instances joined in the order of RFC 3396 5. Ask by lb_dhcp4_option. */
    uint16_t at[256], len[256];
    uint8_t values[LB_DHCP4_PACKET_MAX];
};

/* False when it is too short or too long, or when no option 53 is one of the nine though there is
 * one, or may have been one that is cut; then *why is a phrase for the trace, and *message is
 * untouched. One bad option does not cost the others: an option that runs past the end of its field
 * is left out, and of several options 53 the first good one counts. The payload must outlive
 * *message. */
bool lb_dhcp4_decode(struct lb_bytes payload, struct lb_dhcp4_message *message, const char **why);
/* The value of an option, within *message; false when it is absent. */
bool lb_dhcp4_option(const struct lb_dhcp4_message *message, uint8_t code, struct lb_bytes *value);
/* Those of one fixed length; false, and zero, when absent or of another length. */
bool lb_dhcp4_option_u16(const struct lb_dhcp4_message *message, uint8_t code, uint16_t *value);
/* As lb_dhcp4_option_u16, of 4 bytes. */
bool lb_dhcp4_option_u32(const struct lb_dhcp4_message *message, uint8_t code, uint32_t *value);
/* As lb_dhcp4_option_u16, of one IPv4 address. */
bool lb_dhcp4_option_addr(const struct lb_dhcp4_message *message, uint8_t code,
                          struct lb_addr *value);

/* The link that a request is about, by an address of it: what a relay says (RFC 3527, sub-option 5
 * of option 82), else what the client says (RFC 3011, option 118), else the relay's own address.
 * False: none of them, so the link that it came from. */
bool lb_dhcp4_link(const struct lb_dhcp4_message *message, struct lb_addr *link);

/* What a server's message says (dhcp4_lease.c). An option that is malformed by itself counts as
 * absent, and is told in lease->left_out. Where there is no option 51 the lease is infinite, and an
 * hour where it is 0; t1_s and t2_s are 0 where not given. Where there is no option 54 the server
 * is the sender, or behind a relay siaddr. */
void lb_dhcp4_read_lease(const struct lb_dhcp4_message *message, struct lb_addr from,
                         struct lb_dhcp4_lease *lease);

/* ---- struct -> bytes ---- */

/* Options are collected into a list, a cursor over the caller's memory, and then laid out. */
void lb_dhcp4_put(struct lb_wr *list, uint8_t code, struct lb_bytes value);
void lb_dhcp4_put_u8(struct lb_wr *list, uint8_t code, uint8_t value);   /* an option of 1 byte */
void lb_dhcp4_put_u16(struct lb_wr *list, uint8_t code, uint16_t value); /* an option of 2 bytes */
void lb_dhcp4_put_u32(struct lb_wr *list, uint8_t code, uint32_t value); /* an option of 4 bytes */
/* An option of one IPv4 address. */
void lb_dhcp4_put_addr(struct lb_wr *list, uint8_t code, struct lb_addr value);
/* An option of text, without its NUL. */
void lb_dhcp4_put_text(struct lb_wr *list, uint8_t code, const char *value);

struct lb_dhcp4_layout {
    size_t max_bytes; /* of the UDP payload, at least LB_DHCP4_BOOTP_BYTES; padded to that, too */
    bool overload;    /* options that do not fit may go into file and sname (option 52) */
};

/* Writes the message into room: options in the list's order, each whole where it fits, and split by
 * RFC 3396 where it is longer than 255 bytes or than any field. Empty when it does not fit, or when
 * the list is bad. */
struct lb_bytes lb_dhcp4_encode(const struct lb_dhcp4_header *header, const struct lb_wr *list,
                                struct lb_dhcp4_layout layout, struct lb_span room);

/* ---- RFC 3118: delayed authentication (dhcp4_auth.c) ---- */

/* Option 90 with a place for the MAC, which lb_dhcp4_sign fills in; key NULL: one that only asks
 * for authentication, of DISCOVER and INFORM. Put it early, so that it is not split. */
void lb_dhcp4_put_auth(struct lb_wr *list, uint64_t replay, const struct lb_dhcp_key *key);
/* Computes the MAC of a message that lb_dhcp4_encode made. False: its option 90 lies where no
 * receiver would find it, or there is none. */
bool lb_dhcp4_sign(struct lb_span message, const struct lb_dhcp_key *key);
/* Whether a request asks for authentication, with a proof or without. */
bool lb_dhcp4_asks_auth(struct lb_bytes payload);

/* What an authentic message says of its authentication. */
struct lb_dhcp4_proof {
    uint32_t key_id;
    uint64_t replay; /* the caller compares it with what it has seen: lb_dhcp_seen_is_new */
};
/* NULL: the message was made by somebody who has one of the keys, and *proof is set. Else why it
 * was not, a constant. keys: as in core/base/dhcp_keys.h. */
const char *lb_dhcp4_check_auth(struct lb_bytes payload, struct lb_bytes keys,
                                struct lb_dhcp4_proof *proof);

#endif
