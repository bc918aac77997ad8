/* iSCSI text: `key=value` pairs, each ended by a NUL, in Login and Text PDUs. RFC 7143 6.1, 13.
 *
 * Reading never fails as a whole: a pair that is malformed comes with its problem, and its owner
 * decides. Pairs that straddle PDUs (the C bit) are joined before they come here. */
#ifndef LB_ISCSI_TEXT_H
#define LB_ISCSI_TEXT_H

#include "core/base/bytes.h"
#include "core/base/text.h"

#define LB_ISCSI_KEY_MAX   63  /* bytes of a key name: RFC 7143 6.1 */
#define LB_ISCSI_VALUE_MAX 255 /* bytes of a value, unless its key says otherwise: 6.1 */
#define LB_ISCSI_VALUE_LONG_MAX                                                                    \
    8192 /* of any value: no pair longer than the least text that 6.2                              \
            makes everybody accept */

/* Every key of RFC 7143 13, of 12.1 (CHAP) and RFC 7144, and the obsolete markers. */
enum lb_iscsi_key {
    LB_ISCSI_KEY_UNKNOWN,
    LB_ISCSI_KEY_AUTH_METHOD,
    LB_ISCSI_KEY_CHAP_A,
    LB_ISCSI_KEY_CHAP_I,
    LB_ISCSI_KEY_CHAP_C,
    LB_ISCSI_KEY_CHAP_N,
    LB_ISCSI_KEY_CHAP_R,
    LB_ISCSI_KEY_HEADER_DIGEST,
    LB_ISCSI_KEY_DATA_DIGEST,
    LB_ISCSI_KEY_MAX_CONNECTIONS,
    LB_ISCSI_KEY_SEND_TARGETS,
    LB_ISCSI_KEY_TARGET_NAME,
    LB_ISCSI_KEY_INITIATOR_NAME,
    LB_ISCSI_KEY_TARGET_ALIAS,
    LB_ISCSI_KEY_INITIATOR_ALIAS,
    LB_ISCSI_KEY_TARGET_ADDRESS,
    LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG,
    LB_ISCSI_KEY_INITIAL_R2T,
    LB_ISCSI_KEY_IMMEDIATE_DATA,
    LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH,
    LB_ISCSI_KEY_MAX_BURST_LENGTH,
    LB_ISCSI_KEY_FIRST_BURST_LENGTH,
    LB_ISCSI_KEY_DEFAULT_TIME2WAIT,
    LB_ISCSI_KEY_DEFAULT_TIME2RETAIN,
    LB_ISCSI_KEY_MAX_OUTSTANDING_R2T,
    LB_ISCSI_KEY_DATA_PDU_IN_ORDER,
    LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER,
    LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL,
    LB_ISCSI_KEY_SESSION_TYPE,
    LB_ISCSI_KEY_TASK_REPORTING,
    LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL,
    LB_ISCSI_KEY_NODE_ARCHITECTURE, /* X#NodeArchitecture */
    LB_ISCSI_KEY_IF_MARKER,
    LB_ISCSI_KEY_OF_MARKER,
    LB_ISCSI_KEY_IF_MARK_INT,
    LB_ISCSI_KEY_OF_MARK_INT,
    LB_ISCSI_KEY_COUNT, /* at most 64, so that a set of keys is a uint64_t */
};

/* The key of a name (letter case matters), or LB_ISCSI_KEY_UNKNOWN; and back. */
enum lb_iscsi_key lb_iscsi_key_find(struct lb_bytes name);
/* The RFC's spelling: "HeaderDigest"; a constant. UNKNOWN has none. */
const char *lb_iscsi_key_name(enum lb_iscsi_key key);
/* The key that a name means that has blanks around it, or letters of another case. */
enum lb_iscsi_key lb_iscsi_key_guess(struct lb_bytes name);

/* ---- reading ---- */

enum lb_iscsi_pair_problem {
    LB_PAIR_OK,
    LB_PAIR_NO_EQUALS,      /* key is the whole text, value is empty */
    LB_PAIR_KEY_EMPTY,      /* "=value" */
    LB_PAIR_KEY_TOO_LONG,   /* more than LB_ISCSI_KEY_MAX */
    LB_PAIR_VALUE_TOO_LONG, /* more than LB_ISCSI_VALUE_LONG_MAX */
    LB_PAIR_NO_NUL,         /* the last one, cut off; key and value are what is there */
};

struct lb_iscsi_pair {
    enum lb_iscsi_pair_problem problem;
    struct lb_bytes name;  /* point into the text that is read */
    struct lb_bytes value; /* may hold anything but NUL */
    enum lb_iscsi_key key;
};

/* Takes the next pair off *text. False when there are no more. Empty strings (a NUL after a NUL, as
 * some targets pad with) are passed over. Every call that is true shortens *text. */
bool lb_iscsi_text_next(struct lb_bytes *text, struct lb_iscsi_pair *pair);
/* What is wrong with it, as the second half of a sentence: "has no '='". */
const char *lb_iscsi_pair_explain(enum lb_iscsi_pair_problem problem);

/* The last pair of that key; false when there is none. For a few keys of a short text. */
bool lb_iscsi_text_find(struct lb_bytes text, enum lb_iscsi_key key, struct lb_bytes *value);

/* A numerical-value: decimal or 0x hexadecimal, min..max. False leaves *number. */
bool lb_iscsi_parse_number(struct lb_bytes value, uint64_t min, uint64_t max, uint64_t *number);
/* Exactly "Yes" or "No". */
bool lb_iscsi_parse_bool(struct lb_bytes value, bool *yes);
/* A value without blanks around it; a word of the RFC's (Yes, No, None, CRC32C, CHAP, Reject,
 * Irrelevant, NotUnderstood) that has letters of another case is given as the RFC writes it. Points
 * into the value, or to a constant. */
struct lb_bytes lb_iscsi_straighten_value(struct lb_bytes value);
/* A list of values with commas: whether `item` is on it. */
bool lb_iscsi_list_has(struct lb_bytes list, const char *item);
/* 6.2.1: the responder takes the first of the originator's values that it can do, too. Gives its
 * index in `known`; false when there is none. */
bool lb_iscsi_list_choose(struct lb_bytes list, const char *const *known, size_t count,
                          size_t *index);
/* "Reject", "Irrelevant", "NotUnderstood": answers that are no value of any key. */
bool lb_iscsi_is_refusal(struct lb_bytes value);
/* A name of a node that can be shown, logged and put into a file name without harm: as
 * lb_iscsi_name_parse takes it with LB_ROOTPATH_ANY_NAMES. Whether it has a form of RFC 7143 4.2.7
 * is the matter of those who choose one. */
bool lb_iscsi_is_name(struct lb_bytes name);

/* ---- writing: a pair each, with its NUL. What does not fit makes the cursor bad. ---- */

/* key=value; the key must not be UNKNOWN. */
void lb_iscsi_put(struct lb_wr *wr, enum lb_iscsi_key key, struct lb_bytes value);
/* The same for a NUL-terminated value. */
void lb_iscsi_put_text(struct lb_wr *wr, enum lb_iscsi_key key, const char *value);
void lb_iscsi_put_number(struct lb_wr *wr, enum lb_iscsi_key key, uint64_t value); /* in decimal */
void lb_iscsi_put_bool(struct lb_wr *wr, enum lb_iscsi_key key, bool yes); /* "Yes" or "No" */
/* Of a key that has no number here, such as the NotUnderstood answer to an unknown one. */
void lb_iscsi_put_named(struct lb_wr *wr, struct lb_bytes name, const char *value);

#endif
