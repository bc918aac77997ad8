/*
 * chap: the computations of CHAP (RFC 1994) as iSCSI uses it (RFC 7143, section 12.1.3).
 *
 * No I/O and no states: core/iscsi's login decides when. Both sides and both directions use the
 * same few calls:
 *
 *     who is asked (initiator; target in mutual)     who asks (target; initiator in mutual)
 *     ------------------------------------------     -------------------------------------------
 *     lb_chap_format_algs    -> CHAP_A list          lb_chap_choose_alg    <- CHAP_A list
 *     lb_chap_accept_alg     <- CHAP_A, one number   lb_chap_issue         -> CHAP_I, CHAP_C
 *     lb_chap_parse_id       <- CHAP_I               lb_chap_format_hex
 *     lb_chap_parse_binary   <- CHAP_C               lb_chap_parse_binary  <- CHAP_R
 *     lb_chap_is_reflected   close if so             lb_chap_verify
 *     lb_chap_respond        -> CHAP_R
 */
#ifndef LB_CHAP_CHAP_H
#define LB_CHAP_CHAP_H

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

enum {
    LB_CHAP_CHALLENGE_MIN = 16,    /* what we issue is never shorter */
    LB_CHAP_CHALLENGE_BYTES = 32,  /* what we issue unless told otherwise */
    LB_CHAP_SECRET_MIN_BYTES = 12, /* RFC 7143 9.2.1: 96 bits unless IPsec protects the session */
};

/* ---- Algorithms ---- */

/*
 * A number as CHAP_A has it, with the hash that it stands for: 5 MD5, 6 SHA-1, 7 SHA-256,
 * 8 SHA3-256 (IANA, "PPP Authentication Algorithms"). The target of Linux SCSI (tgt) means SHA-1 by
 * its 7, and takes the first number it knows; "tgt-sha1" is that pair, for use instead of "sha256".
 */
struct lb_chap_alg {
    uint8_t number;
    enum lb_hash_alg hash;
};

/* In order of preference. */
struct lb_chap_algs {
    struct lb_chap_alg alg[LB_CHAP_ALGS_MAX];
    size_t count;
};

/* sha3-256, sha256, md5: the strongest first. RFC 7143 12.1.3 wants MD5 always on the list, so
 * SHA-1 would add nothing: who knows it knows MD5. */
extern const struct lb_chap_algs lb_chap_default_algs;

/* Reads a configured list: "md5", "sha1", "sha256", "sha3-256", "tgt-sha1" or their numbers, with
 * commas between. False, out untouched: an unknown name, a number twice, an empty list. */
bool lb_chap_parse_algs(struct lb_bytes text, struct lb_chap_algs *out);

/* Adds the value of CHAP_A: "8,7,6,5". At most 2 * LB_CHAP_ALGS_MAX - 1 characters. */
void lb_chap_format_algs(struct lb_text *text, const struct lb_chap_algs *algs);

/* The asked side reads the requester's choice: one number, and one that we offered. */
bool lb_chap_accept_alg(const struct lb_chap_algs *offered, struct lb_bytes value,
                        struct lb_chap_alg *out);

/* The asking side chooses from a peer's list the first number that we know (RFC 7143 6.2.1). */
bool lb_chap_choose_alg(const struct lb_chap_algs *known, struct lb_bytes value,
                        struct lb_chap_alg *out);

/* The configuration's name: "sha256", "tgt-sha1", ... Never NULL. */
const char *lb_chap_alg_name(struct lb_chap_alg alg);

/* ---- Values ---- */

/* CHAP_I: a number from 0 to 255, decimal or 0x hexadecimal. */
bool lb_chap_parse_id(struct lb_bytes value, uint8_t *out);

enum lb_chap_binary {
    LB_CHAP_BINARY_OK,
    LB_CHAP_BINARY_NO_PREFIX, /* begins with neither 0x nor 0b */
    LB_CHAP_BINARY_EMPTY,     /* a prefix and nothing after it */
    LB_CHAP_BINARY_BAD_DIGIT, /* not a digit of its base; '=' in the wrong place */
    LB_CHAP_BINARY_BAD_END,   /* half a byte left over, or left-over bits that are not 0 */
    LB_CHAP_BINARY_TOO_LONG,  /* more bytes than room */
};

/* What is wrong, as the second half of a sentence: "has half a byte left over". Never NULL. */
const char *lb_chap_binary_explain(enum lb_chap_binary result);

/*
 * Decodes a large-binary-value (RFC 7143 6.1): 0x or 0X and hex digits of either case, or 0b or 0B
 * and base64 (RFC 4648 section 4; its '=' may be missing). Unless it returns OK, *len is
 * untouched; room may hold what was decoded so far.
 */
enum lb_chap_binary lb_chap_parse_binary(struct lb_bytes value, struct lb_span room, size_t *len);

/* Adds "0x..." in lower case: 2 + 2 * data.len characters. */
void lb_chap_format_hex(struct lb_text *text, struct lb_bytes data);
/* Adds "0b..." with its '=': 2 + (data.len + 2) / 3 * 4 characters. */
void lb_chap_format_base64(struct lb_text *text, struct lb_bytes data);

/* ---- Secrets, challenges, responses ---- */

/* A secret is a lb_bytes here: borrowed, the owner wipes it; no secret: len 0. */

/* Whether it is long enough to be used without IPsec: LB_CHAP_SECRET_MIN_BYTES. */
bool lb_chap_secret_is_long_enough(struct lb_bytes secret);

/* Two directions must not share a secret (RFC 7143 9.2.1). */
bool lb_chap_secrets_are_equal(struct lb_bytes a, struct lb_bytes b);

struct lb_chap_challenge {
    uint8_t id;   /* CHAP_I */
    uint16_t len; /* 1 to LB_CHAP_BINARY_MAX */
    uint8_t data[LB_CHAP_BINARY_MAX];
};

struct lb_chap_response {
    size_t len; /* the hash's digest length */
    uint8_t data[LB_HASH_MAX_BYTES];
};

/* Makes an id and a challenge of len random bytes, LB_CHAP_CHALLENGE_MIN to LB_CHAP_BINARY_MAX. */
void lb_chap_issue(struct lb_chap_challenge *c, struct lb_rand *rand, size_t len);

/* R = H(id, secret, challenge), RFC 1994 section 4.1. */
void lb_chap_respond(struct lb_chap_alg alg, struct lb_bytes secret,
                     const struct lb_chap_challenge *c, struct lb_chap_response *out);

/* Whether a challenge that came is one that we sent: an attacker lets us answer ourselves. RFC 7143
 * 12.1.3: close then. Ask it for every other live connection's challenge too. */
bool lb_chap_is_reflected(const struct lb_chap_challenge *received,
                          const struct lb_chap_challenge *sent);

enum lb_chap_verdict {
    LB_CHAP_GOOD,
    LB_CHAP_WRONG,        /* another secret, or tampered with */
    LB_CHAP_WRONG_LENGTH, /* not the digest length: another hash than agreed (tgt's 7?) */
    LB_CHAP_REFLECTED, /* what our own secret would give: the peer knows, or was given, that one */
};

/*
 * Judges the answer to a challenge that we issued. peer is the secret that the peer must know; own
 * is the one by which we answer the peer (len 0 if we do not): a response made with it is refused
 * even if peer is the same secret. An empty peer secret is never GOOD. Constant time in the secrets
 * and the response.
 */
enum lb_chap_verdict lb_chap_verify(struct lb_chap_alg alg, struct lb_bytes peer,
                                    struct lb_bytes own, const struct lb_chap_challenge *c,
                                    struct lb_bytes response);

#endif
