/* What the parts of the machine share: ike.c (states, poll), ike_init.c (IKE_SA_INIT and IKE_AUTH),
 * ike_child.c (what comes after them), ike_again.c (new keys of the IKE SA), ike_both.c
 * (both ends ask for new keys at once), ike_keys.c (computations). Not for others. */
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
    DUE_REKEY_IKE = 256,
    DUE_OLD_ANSWER = 512, /* in the old IKE SA */
    DUE_REFUSAL = 1024,
    DUE_SPARE_ANSWER = 2048, /* in the spare IKE SA */
};

/* Whether this end asks for the first IKE SA, or is asked. Firmware asks: what answers is not
 * linked there. */
#ifdef LB_SMALL
#define lb_ike_asks(ike) ((void)(ike), true)
#else
#define lb_ike_asks(ike) ((ike)->is_initiator)
#endif

/* ---- ike_keys.c ---- */

/* RFC 7296 2.13: prf+ over the parts, as many bytes as `out` has (at most 255 blocks). */
void lb_ike_prf_plus(struct lb_bytes key, const struct lb_bytes *parts, size_t count,
                     struct lb_span out);
/* The keys of the first IKE SA, from the shared secret and what both INITs said. */
void lb_ike_derive(struct lb_ike *ike, const uint8_t shared[LB_DH_SECRET_BYTES]);
/* RFC 7296 2.18: those of the IKE SA that takes the place of `old`; sa's SPIs and key_bytes are
 * set. */
void lb_ike_derive_again(struct lb_ike_sa *sa, const struct lb_ike_sa *old,
                         const uint8_t shared[LB_DH_SECRET_BYTES], struct lb_bytes nonce_i,
                         struct lb_bytes nonce_r);
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
/* RFC 7296 2.6: the cookie for an initiator with this nonce, SPI and address. */
void lb_ike_cookie(const struct lb_ike *ike, struct lb_bytes nonce, const uint8_t spi_i[8],
                   struct lb_endpoint from, uint8_t out[32]);

/* A message with one encrypted payload, which what is put after it goes into. */
struct lb_ike_sealed {
    struct lb_ike_out out;
    size_t opened;
};
/* Begins it in a buffer. */
struct lb_ike_sealed lb_ike_begin_sealed(struct lb_ike_sa *sa, struct lb_ike_buffer *buffer,
                                         uint8_t exchange, bool is_answer, uint32_t id);
/* Encrypts it; asserts that all had room. */
void lb_ike_end_sealed(struct lb_ike_sa *sa, struct lb_ike_buffer *buffer,
                       struct lb_ike_sealed *sealed);
/* Decrypts a message in place and reads it. False: it is not the peer's. */
bool lb_ike_unseal(struct lb_ike_sa *sa, const struct lb_ike_header *header, struct lb_span message,
                   struct lb_ike_parsed *parsed);

/* ---- ike.c ---- */

/* Enters a state; what it asks, if anything, is in ike->request. */
void lb_ike_enter(struct lb_ike *ike, uint64_t now_us, enum lb_ike_state state);
/* The end. */
void lb_ike_fail(struct lb_ike *ike, uint64_t now_us, enum lb_code code, const char *what);
/* How long an answer is waited for. */
uint64_t lb_ike_give_up_us(const struct lb_ike *ike);
/* An answer to the peer's request is in sa->answer. */
void lb_ike_answered(struct lb_ike *ike, struct lb_ike_sa *sa);
/* A new IKE SA takes the place of the one in use, which is kept until its Delete. */
void lb_ike_replace_sa(struct lb_ike *ike, uint64_t now_us, const struct lb_ike_sa *sa);
/* Whether the IKE SA before the one in use is not deleted yet. */
bool lb_ike_is_replacing(const struct lb_ike *ike);
/* When the IKE SA's own keys are to be renewed: after its time, or earlier by up to a tenth. */
void lb_ike_set_rekey_ike(struct lb_ike *ike, uint64_t now_us);
/* A random SPI of ours, at least 256 (RFC 4303 2.1). */
uint32_t lb_ike_new_spi(struct lb_ike *ike);
/* The terms of a child, but for its keys: what was agreed on. */
void lb_ike_set_terms(struct lb_ike *ike, const struct lb_ike_child *child, bool has_esn);
/* The child of ike->terms is there. */
void lb_ike_child_up(struct lb_ike *ike, uint64_t now_us);
/* The IKE SA before the one in use is no more answered in. */
void lb_ike_forget_old(struct lb_ike *ike);
/* Nor is the spare one. */
void lb_ike_forget_spare(struct lb_ike *ike);

/* ---- ike_init.c ---- */

/* The initiator's first message, also again with a cookie or another group. */
void lb_ike_ask_init(struct lb_ike *ike, uint64_t now_us);
/* The answer to it. Each gives why it is ignored, or NULL. */
const char *lb_ike_init_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_header *header, struct lb_bytes message);
/* The responder's side of it. */
const char *lb_ike_init_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_header *header, struct lb_endpoint from,
                                struct lb_endpoint to, struct lb_bytes message);
/* IKE_AUTH, answered. */
const char *lb_ike_auth_answer(struct lb_ike *ike, uint64_t now_us,
                               const struct lb_ike_parsed *parsed);
/* IKE_AUTH, asked. */
const char *lb_ike_auth_request(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed);

/* ---- ike_again.c ---- */

/* Asks for new keys of the IKE SA. */
void lb_ike_ask_rekey_ike(struct lb_ike *ike, uint64_t now_us);
/* CREATE_CHILD_SA, answered, when that was asked for. */
const char *lb_ike_rekey_ike_answer(struct lb_ike *ike, uint64_t now_us,
                                    const struct lb_ike_parsed *parsed);
/* The peer asks for it, by the IKE SA in use. */
const char *lb_ike_rekey_ike_request(struct lb_ike *ike, uint64_t now_us,
                                     const struct lb_ike_parsed *parsed);
/* The peer deletes the IKE SA that was replaced. */
void lb_ike_old_deleted(struct lb_ike *ike, uint64_t now_us);
/* The peer deletes the spare one. */
void lb_ike_spare_deleted(struct lb_ike *ike, uint64_t now_us);

/* Asks for the end of an IKE SA that is not in use: the spare one, or the old one. */
void lb_ike_ask_retire(struct lb_ike *ike, uint64_t now_us, bool is_spare);

/* ---- ike_both.c ---- */

/* The peer's exchange is a rival of ours: its nonces, of which the lower one counts. */
void lb_ike_hold_rival(struct lb_ike *ike, struct lb_bytes nonce_i, struct lb_bytes nonce_r);
/* The rival is a child, with the terms and keys that are in ike->terms. */
void lb_ike_hold_rival_child(struct lb_ike *ike, const struct lb_ike_child *child);
/* Whether our exchange, with child_nonce and this one, has the lowest nonce of all: then what it
 * made is closed by us. */
bool lb_ike_is_lowest(const struct lb_ike *ike, struct lb_bytes nonce_r);
/* The rival goes on, in the place of the child that is used. */
void lb_ike_rival_child_wins(struct lb_ike *ike, uint64_t now_us);
/* The same, of the IKE SA. */
void lb_ike_rival_sa_wins(struct lb_ike *ike, uint64_t now_us);
/* It does not; harmless where there is none. Its child's numbers stay, for the peer's Delete. */
void lb_ike_rival_loses(struct lb_ike *ike);

/* ---- ike_child.c ---- */

/* A Delete payload: of the child with our inbound SPI, or of the IKE SA (0). */
void lb_ike_put_delete(struct lb_ike_out *out, uint32_t spi_or_0);
/* CREATE_CHILD_SA, refused; group: with INVALID_KE_PAYLOAD. */
const char *lb_ike_refuse(struct lb_ike *ike, struct lb_ike_sa *sa, uint16_t error, uint16_t group);
/* The peer's SPI of ESP, into child->out_spi. False: it is none. */
bool lb_ike_take_spi(struct lb_ike_child *child, const struct lb_ike_choice *choice);
/* Whether the peer may have this group; a request is then made again with it. */
bool lb_ike_takes_group(struct lb_ike *ike, const struct lb_ike_parsed *parsed);
/* Whether a NAT changes the addresses that are within the SAs (RFC 7296 2.23.1). */
bool lb_ike_translates(const struct lb_ike *ike);
/* Whether the peer's selectors are ours (RFC 7296 2.9); then they are agreed on. */
bool lb_ike_agree_ts(struct lb_ike *ike, const struct lb_ike_parsed *parsed);

/* Asks for new keys of the child. */
void lb_ike_ask_rekey(struct lb_ike *ike, uint64_t now_us);
/* A child, whose terms are in ike->terms, takes the place of the one in use. */
void lb_ike_replace_child(struct lb_ike *ike, uint64_t now_us);
/* Asks for what is to be deleted: a child, or the IKE SA (spi 0). */
void lb_ike_ask_delete(struct lb_ike *ike, uint64_t now_us, uint32_t spi_or_0);
/* Asks for a sign of life. */
void lb_ike_ask_probe(struct lb_ike *ike, uint64_t now_us);
/* CREATE_CHILD_SA, answered. */
const char *lb_ike_rekey_answer(struct lb_ike *ike, uint64_t now_us,
                                const struct lb_ike_parsed *parsed);
/* A request of the peer's, other than INIT and AUTH. */
const char *lb_ike_request(struct lb_ike *ike, uint64_t now_us, struct lb_ike_sa *sa,
                           uint8_t exchange, const struct lb_ike_parsed *parsed);

#endif
