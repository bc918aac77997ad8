/* IKEv2 messages: struct <-> bytes. No state, no keys. RFC 7296 3. */
#ifndef LB_IKE_WIRE_H
#define LB_IKE_WIRE_H

#include "core/ike/ike.h"

enum { LB_IKE_HEADER_BYTES = 28, LB_IKE_GENERIC_BYTES = 4, LB_IKE_IV_BYTES = 8 };

enum lb_ike_exchange {
    LB_IKE_SA_INIT = 34,
    LB_IKE_AUTH = 35,
    LB_IKE_CREATE_CHILD_SA = 36,
    LB_IKE_INFORMATIONAL = 37,
};

enum { LB_IKE_FLAG_INITIATOR = 0x08, LB_IKE_FLAG_RESPONSE = 0x20 };

enum lb_ike_payload {
    LB_IKE_NONE = 0,
    LB_IKE_P_SA = 33,
    LB_IKE_P_KE = 34,
    LB_IKE_P_IDI = 35,
    LB_IKE_P_IDR = 36,
    LB_IKE_P_AUTH = 39,
    LB_IKE_P_NONCE = 40,
    LB_IKE_P_NOTIFY = 41,
    LB_IKE_P_DELETE = 42,
    LB_IKE_P_VENDOR = 43,
    LB_IKE_P_TSI = 44,
    LB_IKE_P_TSR = 45,
    LB_IKE_P_SK = 46,
};

enum lb_ike_notify {
    LB_IKE_N_INVALID_SYNTAX = 7,
    LB_IKE_N_NO_PROPOSAL = 14,
    LB_IKE_N_INVALID_KE = 17,
    LB_IKE_N_AUTH_FAILED = 24,
    LB_IKE_N_NO_ADDITIONAL_SAS = 35,
    LB_IKE_N_TS_UNACCEPTABLE = 38,
    LB_IKE_N_TEMPORARY = 43,
    LB_IKE_N_CHILD_NOT_FOUND = 44,
    LB_IKE_N_STATUS = 16384, /* from here on a notification is no error */
    LB_IKE_N_INITIAL_CONTACT = 16384,
    LB_IKE_N_NAT_SOURCE = 16388,
    LB_IKE_N_NAT_DESTINATION = 16389,
    LB_IKE_N_COOKIE = 16390,
    LB_IKE_N_TRANSPORT = 16391,
    LB_IKE_N_REKEY_SA = 16393,
};
/* "NO_PROPOSAL_CHOSEN", ...; "an error" for those that are not named. */
const char *lb_ike_notify_word(unsigned type);

enum { LB_IKE_PROTO_IKE = 1, LB_IKE_PROTO_ESP = 3 };

struct lb_ike_header {
    uint8_t spi_i[8], spi_r[8];
    uint8_t next, exchange, flags;
    uint32_t id, len;
};

/* The header of a message; false: it is none of IKEv2, or its length is not that of the bytes. */
bool lb_ike_read_header(struct lb_bytes message, struct lb_ike_header *header);

#define LB_IKE_NAT_HASHES 8 /* sources that a peer names; more are not compared */

/* The payloads of a message that we look at; those that are absent are empty. All in the message.
 * */
struct lb_ike_parsed {
    struct lb_bytes sa, nonce, id_i, id_r, auth, ts_i, ts_r; /* bodies */
    uint16_t ke_group;
    struct lb_bytes ke;
    struct lb_bytes cookie;
    uint16_t wanted_group; /* INVALID_KE_PAYLOAD's; 0: none */
    uint16_t error;        /* the first notification that is one; 0: none */
    bool transport, initial_contact;
    uint32_t rekey_spi; /* REKEY_SA's; 0: none */
    struct lb_bytes nat_source[LB_IKE_NAT_HASHES], nat_destination;
    size_t nat_source_count;
    bool deletes_ike;
    uint32_t deletes_spi; /* the first ESP SPI of a Delete; 0: none */
};

/* Reads the payloads from `bytes`, the first of type `next`. False: one runs past the end, stands
 * there twice, or is unknown and critical; *parsed is untouched. */
bool lb_ike_parse(uint8_t next, struct lb_bytes bytes, struct lb_ike_parsed *parsed);

/* One proposal's transforms, as chosen. */
struct lb_ike_choice {
    uint8_t number, spi[8];
    size_t spi_len;
    size_t key_bytes; /* 32 or 16 */
    uint16_t group;   /* 0: none */
    bool has_esn;
};
/* Finds the first proposal of the SA payload's body that is all of what we do: AES-GCM-16, for IKE
 * the PRF of SHA-256, a group if needs_group (that of `wanted` before others), for ESP an ESN word.
 * is_answer: there must be exactly one proposal and one transform of a kind. */
bool lb_ike_choose(struct lb_bytes sa, uint8_t protocol, bool needs_group, uint16_t wanted,
                   bool is_answer, struct lb_ike_choice *choice);

/* A message under construction: payloads are chained. */
struct lb_ike_out {
    struct lb_wr wr;
    size_t next_at; /* where the type of the next payload belongs */
};
/* Writes a header whose length and first payload come later. */
struct lb_ike_out lb_ike_begin(struct lb_span room, const struct lb_ike_header *header);
/* Opens a payload; for lb_ike_close_payload. */
size_t lb_ike_open_payload(struct lb_ike_out *out, uint8_t type);
/* Fills in the payload's length; `opened` is what open gave. */
void lb_ike_close_payload(struct lb_ike_out *out, size_t opened);
/* A payload whole. */
void lb_ike_put(struct lb_ike_out *out, uint8_t type, struct lb_bytes body);
/* A notification; spi_or_0: of ESP, with REKEY_SA. */
void lb_ike_put_notify(struct lb_ike_out *out, uint16_t type, uint32_t spi_or_0,
                       struct lb_bytes data);
/* A Key Exchange payload. */
void lb_ike_put_ke(struct lb_ike_out *out, const struct lb_dh *dh);
/* What we offer: both key lengths, and the groups (first, then the other; 0: none). spi: ours; 4
 * bytes of ESP, 8 of IKE, none in IKE_SA_INIT. */
void lb_ike_put_offer(struct lb_ike_out *out, uint8_t protocol, struct lb_bytes spi,
                      uint16_t group);
/* The one proposal of an answer; spi: as for the offer. */
void lb_ike_put_choice(struct lb_ike_out *out, uint8_t protocol, struct lb_bytes spi,
                       const struct lb_ike_choice *choice);
/* An SPI of ESP as bytes, in room. */
struct lb_bytes lb_ike_spi(uint32_t spi, uint8_t room[4]);
/* A traffic selector payload: the local or the remote side of the selector. */
void lb_ike_put_ts(struct lb_ike_out *out, uint8_t type, const struct lb_ipsec_selector *selector,
                   bool is_local);
/* Whether one of the payload's selectors has this side of ours within: a peer that asks for more is
 * given ours. has_nat: where it is of one address, that stands for ours, for a NAT has changed it
 * (RFC 7296 2.23.1). */
bool lb_ike_has_ts(struct lb_bytes body, const struct lb_ipsec_selector *selector, bool is_local,
                   bool has_nat);
/* RFC 7296 2.9: finds the payload's first selector that is within this side of `asked` and has that
 * of `need` within; this side of *agreed, and its protocol, become that. False: there is none.
 * has_nat as above. */
bool lb_ike_narrow_ts(struct lb_bytes body, const struct lb_ipsec_selector *asked,
                      const struct lb_ipsec_selector *need, bool is_local, bool has_nat,
                      struct lb_ipsec_selector *agreed);
/* An identification payload's body, of NAME or USER@NAME. */
void lb_ike_put_id(struct lb_wr *wr, const char *id);

#endif
