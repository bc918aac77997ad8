/* What the parts of the machine share: ike.c (states, poll), ike_init.c (IKE_SA_INIT and IKE_AUTH),
 * ike_child.c (what comes after them), ike_keys.c (computations). Not for others. */
#ifndef LB_IKE_STATE_H
#define LB_IKE_STATE_H

#include "core/base/pace.h"
#include "core/base/text.h"
#include "core/ike/ike_wire.h"

/* What poll has to give out, in this order. */
enum due {
    DUE_ANSWER = 1,
    DUE_UP = 2,
    DUE_GONE = 4,
    DUE_FAILED = 8,
    DUE_REQUEST = 16,
    DUE_REKEY = 32,
    DUE_PROBE = 64,
    DUE_CLOSE = 128,
};

/* ---- ike_keys.c ---- */

/* RFC 7296 2.13: prf+ over the parts, as many bytes as `out` has (at most 255 blocks). */
void lb_ike_prf_plus(struct lb_bytes key, const struct lb_bytes *parts, size_t count,
                     struct lb_span out);
/* The keys of the IKE SA, from the shared secret and what both INITs said. */
void lb_ike_derive(struct lb_ike *ike, const uint8_t shared[LB_DH_SECRET_BYTES]);
/* What AUTH of this side must be; id: the body of its identification payload. */
void lb_ike_auth_value(const struct lb_ike *ike, bool of_initiator, struct lb_bytes id,
                       uint8_t out[32]);
/* The keys of a child into ike->terms; shared: of CREATE_CHILD_SA, or empty. we_asked: the exchange
 * was ours. */
void lb_ike_child_keys(struct lb_ike *ike, struct lb_bytes shared, struct lb_bytes nonce_i,
                       struct lb_bytes nonce_r, bool we_asked, size_t key_bytes);
/* RFC 7296 2.23: the hash of an address and a port. */
void lb_ike_nat_hash(const struct lb_ike *ike, bool with_spi_r, struct lb_endpoint at,
                     uint8_t out[20]);

/* A message with one encrypted payload, which what is put after it goes into. */
struct lb_ike_sealed {
    struct lb_ike_out out;
    size_t opened;
};
/* Begins it in a buffer. */
struct lb_ike_sealed lb_ike_begin_sealed(struct lb_ike *ike, struct lb_ike_buffer *buffer,
                                         uint8_t exchange, bool is_answer, uint32_t id);
/* Encrypts it; asserts that all had room. */
void lb_ike_end_sealed(struct lb_ike *ike, struct lb_ike_buffer *buffer,
                       struct lb_ike_sealed *sealed);
/* Decrypts a message in place and reads it. False: it is not the peer's. */
bool lb_ike_unseal(struct lb_ike *ike, const struct lb_ike_header *header, struct lb_span message,
                   struct lb_ike_parsed *parsed);

/* ---- ike.c ---- */

/* Enters a state; what it asks, if anything, is in ike->request. */
void lb_ike_enter(struct lb_ike *ike, uint64_t now_us, enum lb_ike_state state);
/* The end. */
void lb_ike_fail(struct lb_ike *ike, uint64_t now_us, enum lb_code code, const char *what);
/* An answer to the peer's request `id` is in ike->answer. */
void lb_ike_answered(struct lb_ike *ike);
/* A random SPI of ours, at least 256 (RFC 4303 2.1). */
uint32_t lb_ike_new_spi(struct lb_ike *ike);
/* A child is there, and its terms, but for the keys, are what was agreed on. */
void lb_ike_child_up(struct lb_ike *ike, uint64_t now_us, bool has_esn);

/* ---- ike_init.c ---- */

/* The initiator's first message, also again with a cookie or another group. */
void lb_ike_ask_init(struct lb_ike *ike, uint64_t now_us);
/* The answer to it. Each gives why it is ignored, or NULL. */
const char *lb_ike_init_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_header *header, struct lb_bytes message);
/* The responder's side of it. */
const char *lb_ike_init_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_header *header, struct lb_bytes message);
/* IKE_AUTH, answered. */
const char *lb_ike_auth_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_parsed *parsed);
/* IKE_AUTH, asked. */
const char *lb_ike_auth_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed);

/* ---- ike_child.c ---- */

/* Asks for new keys of the child. */
void lb_ike_ask_rekey(struct lb_ike *ike, uint64_t now_us);
/* Asks for what is to be deleted: the child that was replaced, or the IKE SA (spi 0). */
void lb_ike_ask_delete(struct lb_ike *ike, uint64_t now_us, uint32_t spi_or_0);
/* Asks for a sign of life. */
void lb_ike_ask_probe(struct lb_ike *ike, uint64_t now_us);
/* CREATE_CHILD_SA, answered. */
const char *lb_ike_rekey_answer(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed);
/* A request of the peer's, other than INIT and AUTH. */
const char *lb_ike_request(struct lb_ike *ike, uint64_t now_us, uint8_t exchange,
                           const struct lb_ike_parsed *parsed);

#endif
