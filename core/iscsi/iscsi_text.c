#include "core/iscsi/iscsi_text.h"
#include "core/base/limits.h"
#include "core/names/rootpath.h"

/* X(key, name) */
#define KEYS(X)                                                                                    \
    X(LB_ISCSI_KEY_UNKNOWN, "")                                                                    \
    X(LB_ISCSI_KEY_AUTH_METHOD, "AuthMethod")                                                      \
    X(LB_ISCSI_KEY_CHAP_A, "CHAP_A")                                                               \
    X(LB_ISCSI_KEY_CHAP_I, "CHAP_I")                                                               \
    X(LB_ISCSI_KEY_CHAP_C, "CHAP_C")                                                               \
    X(LB_ISCSI_KEY_CHAP_N, "CHAP_N")                                                               \
    X(LB_ISCSI_KEY_CHAP_R, "CHAP_R")                                                               \
    X(LB_ISCSI_KEY_HEADER_DIGEST, "HeaderDigest")                                                  \
    X(LB_ISCSI_KEY_DATA_DIGEST, "DataDigest")                                                      \
    X(LB_ISCSI_KEY_MAX_CONNECTIONS, "MaxConnections")                                              \
    X(LB_ISCSI_KEY_SEND_TARGETS, "SendTargets")                                                    \
    X(LB_ISCSI_KEY_TARGET_NAME, "TargetName")                                                      \
    X(LB_ISCSI_KEY_INITIATOR_NAME, "InitiatorName")                                                \
    X(LB_ISCSI_KEY_TARGET_ALIAS, "TargetAlias")                                                    \
    X(LB_ISCSI_KEY_INITIATOR_ALIAS, "InitiatorAlias")                                              \
    X(LB_ISCSI_KEY_TARGET_ADDRESS, "TargetAddress")                                                \
    X(LB_ISCSI_KEY_TARGET_PORTAL_GROUP_TAG, "TargetPortalGroupTag")                                \
    X(LB_ISCSI_KEY_INITIAL_R2T, "InitialR2T")                                                      \
    X(LB_ISCSI_KEY_IMMEDIATE_DATA, "ImmediateData")                                                \
    X(LB_ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH, "MaxRecvDataSegmentLength")                       \
    X(LB_ISCSI_KEY_MAX_BURST_LENGTH, "MaxBurstLength")                                             \
    X(LB_ISCSI_KEY_FIRST_BURST_LENGTH, "FirstBurstLength")                                         \
    X(LB_ISCSI_KEY_DEFAULT_TIME2WAIT, "DefaultTime2Wait")                                          \
    X(LB_ISCSI_KEY_DEFAULT_TIME2RETAIN, "DefaultTime2Retain")                                      \
    X(LB_ISCSI_KEY_MAX_OUTSTANDING_R2T, "MaxOutstandingR2T")                                       \
    X(LB_ISCSI_KEY_DATA_PDU_IN_ORDER, "DataPDUInOrder")                                            \
    X(LB_ISCSI_KEY_DATA_SEQUENCE_IN_ORDER, "DataSequenceInOrder")                                  \
    X(LB_ISCSI_KEY_ERROR_RECOVERY_LEVEL, "ErrorRecoveryLevel")                                     \
    X(LB_ISCSI_KEY_SESSION_TYPE, "SessionType")                                                    \
    X(LB_ISCSI_KEY_TASK_REPORTING, "TaskReporting")                                                \
    X(LB_ISCSI_KEY_ISCSI_PROTOCOL_LEVEL, "iSCSIProtocolLevel")                                     \
    X(LB_ISCSI_KEY_NODE_ARCHITECTURE, "X#NodeArchitecture")                                        \
    X(LB_ISCSI_KEY_IF_MARKER, "IFMarker")                                                          \
    X(LB_ISCSI_KEY_OF_MARKER, "OFMarker")                                                          \
    X(LB_ISCSI_KEY_IF_MARK_INT, "IFMarkInt")                                                       \
    X(LB_ISCSI_KEY_OF_MARK_INT, "OFMarkInt")

#define NAME(key, name)   [key] = (name),
#define LENGTH(key, name) [key] = sizeof(name) - 1,
static const char *const key_names[LB_ISCSI_KEY_COUNT] = {KEYS(NAME)};
static const uint8_t key_lengths[LB_ISCSI_KEY_COUNT] = {KEYS(LENGTH)};
_Static_assert(LB_ISCSI_KEY_COUNT <= 64, "a set of keys is a uint64_t");

static bool is_key(struct lb_bytes name, size_t key) {
    return name.len == key_lengths[key] && memcmp(name.p, key_names[key], name.len) == 0;
}

enum lb_iscsi_key lb_iscsi_key_find(struct lb_bytes name) {
    for (size_t i = 1; i < LB_ISCSI_KEY_COUNT; i++)
        if (is_key(name, i))
            return (enum lb_iscsi_key)i;
    return LB_ISCSI_KEY_UNKNOWN;
}

static bool is_ignoring_case(struct lb_bytes bytes, const char *text) {
    if (bytes.len != lb_strlen(text))
        return false;
    for (size_t i = 0; i < bytes.len; i++)
        if (lb_ascii_lower(bytes.p[i]) != lb_ascii_lower((uint8_t)text[i]))
            return false;
    return true;
}

enum lb_iscsi_key lb_iscsi_key_guess(struct lb_bytes name) {
    name = lb_bytes_trim(name);
    for (size_t i = 1; i < LB_ISCSI_KEY_COUNT; i++)
        if (is_ignoring_case(name, key_names[i]))
            return (enum lb_iscsi_key)i;
    return LB_ISCSI_KEY_UNKNOWN;
}

const char *lb_iscsi_key_name(enum lb_iscsi_key key) {
    lb_assert(key < LB_ISCSI_KEY_COUNT);
    return key_names[key];
}

/* ---- reading ---- */

static enum lb_iscsi_pair_problem judge(const struct lb_iscsi_pair *pair, bool has_nul,
                                        bool has_equals) {
    if (!has_equals)
        return LB_PAIR_NO_EQUALS;
    if (pair->name.len == 0)
        return LB_PAIR_KEY_EMPTY;
    if (pair->name.len > LB_ISCSI_KEY_MAX)
        return LB_PAIR_KEY_TOO_LONG;
    if (pair->value.len > LB_ISCSI_VALUE_LONG_MAX)
        return LB_PAIR_VALUE_TOO_LONG;
    return has_nul ? LB_PAIR_OK : LB_PAIR_NO_NUL;
}

/* Where the first NUL is from `at` on; len: there is none. Eight bytes at a time: a login reads its
 * text several times. */
static size_t find_nul(const uint8_t *p, size_t at, size_t len) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (uint64_t word; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, p + at, sizeof word);
        if (((word - ones) & ~word & ones << 7) != 0)
            break; /* one of them is NUL */
    }
    while (at < len && p[at] != 0)
        at++;
    return at;
}

bool lb_iscsi_text_next(struct lb_bytes *text, struct lb_iscsi_pair *pair) {
    while (text->len > 0 && text->p[0] == 0)
        *text = lb_bytes_after(*text, 1);
    if (text->len == 0)
        return false;
    const uint8_t *p = text->p;
    size_t len = text->len, equals = 0;
    while (equals < len && p[equals] != 0 && p[equals] != '=')
        equals++;
    size_t end = find_nul(p, equals, len);
    bool has_nul = end < len, has_equals = equals < end;
    pair->name = lb_bytes(p, equals);
    pair->value = lb_bytes_after(lb_bytes(text->p, end), pair->name.len + 1);
    pair->problem = judge(pair, has_nul, has_equals);
    pair->key = lb_iscsi_key_find(pair->name);
    *text = lb_bytes_after(*text, end + 1);
    return true;
}

const char *lb_iscsi_pair_explain(enum lb_iscsi_pair_problem problem) {
    switch (problem) {
    case LB_PAIR_OK:
        return "is well-formed";
    case LB_PAIR_NO_EQUALS:
        return "has no '='";
    case LB_PAIR_KEY_EMPTY:
        return "has no key before the '='";
    case LB_PAIR_KEY_TOO_LONG:
        return "has a key of more than 63 bytes";
    case LB_PAIR_VALUE_TOO_LONG:
        return "has a value of more than 8192 bytes";
    case LB_PAIR_NO_NUL:
        return "is cut off: no NUL ends it";
    }
    return "";
}

/* The last pair whose key nobody knows. */
static bool find_unknown(struct lb_bytes text, struct lb_bytes *value) {
    struct lb_iscsi_pair pair;
    bool found = false;
    while (lb_iscsi_text_next(&text, &pair)) {
        if (pair.key != LB_ISCSI_KEY_UNKNOWN ||
            (pair.problem != LB_PAIR_OK && pair.problem != LB_PAIR_NO_NUL))
            continue;
        *value = pair.value;
        found = true;
    }
    return found;
}

bool lb_iscsi_text_find(struct lb_bytes text, enum lb_iscsi_key key, struct lb_bytes *value) {
    size_t name_len = key_lengths[key];
    bool found = false;
    if (key == LB_ISCSI_KEY_UNKNOWN)
        return find_unknown(text, value);
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        const uint8_t *p = text.p + at;
        end = find_nul(text.p, at, text.len);
        size_t len = end - at;
        if (len <= name_len || p[name_len] != '=' || memcmp(p, key_names[key], name_len) != 0 ||
            len - name_len - 1 > LB_ISCSI_VALUE_LONG_MAX)
            continue;
        *value = lb_bytes(p + name_len + 1, len - name_len - 1);
        found = true;
    }
    return found;
}

bool lb_iscsi_parse_number(struct lb_bytes value, uint64_t min, uint64_t max, uint64_t *number) {
    uint64_t got;
    if (lb_bytes_start_with(value, lb_bytes_of_text("0x")) ||
        lb_bytes_start_with(value, lb_bytes_of_text("0X"))) {
        if (!lb_parse_hex_u64(lb_bytes_after(value, 2), &got))
            return false;
    } else if (!lb_parse_u64(value, UINT64_MAX, &got)) {
        return false;
    }
    if (got < min || got > max)
        return false;
    *number = got;
    return true;
}

bool lb_iscsi_parse_bool(struct lb_bytes value, bool *yes) {
    if (!lb_text_is(value, "Yes") && !lb_text_is(value, "No"))
        return false;
    *yes = lb_text_is(value, "Yes");
    return true;
}

struct lb_bytes lb_iscsi_straighten_value(struct lb_bytes value) {
    static const char *const words[] = {"Yes",  "No",     "None",       "CRC32C",
                                        "CHAP", "Reject", "Irrelevant", "NotUnderstood"};
    value = lb_bytes_trim(value);
    for (size_t i = 0; i < LB_COUNT(words); i++)
        if (is_ignoring_case(value, words[i]) && !lb_text_is(value, words[i]))
            return lb_bytes_of_text(words[i]);
    return value;
}

bool lb_iscsi_list_has(struct lb_bytes list, const char *item) {
    size_t index;
    return lb_iscsi_list_choose(list, &item, 1, &index);
}

bool lb_iscsi_list_choose(struct lb_bytes list, const char *const *known, size_t count,
                          size_t *index) {
    struct lb_bytes item;
    while (lb_list_next(&list, ',', &item))
        for (size_t i = 0; i < count; i++)
            if (lb_text_is(item, known[i])) {
                *index = i;
                return true;
            }
    return false;
}

bool lb_iscsi_is_refusal(struct lb_bytes value) {
    return lb_text_is(value, "Reject") || lb_text_is(value, "Irrelevant") ||
           lb_text_is(value, "NotUnderstood");
}

bool lb_iscsi_is_name(struct lb_bytes name) {
    char made[LB_NAME_MAX + 1];
    unsigned warnings = 0;
    size_t offset;
    return lb_iscsi_name_parse(name, LB_ROOTPATH_ANY_NAMES, made, &warnings, &offset);
}

/* ---- writing ---- */

static void put(struct lb_wr *wr, struct lb_bytes name, struct lb_bytes value) {
    lb_wr_bytes(wr, name);
    lb_wr_u8(wr, '=');
    lb_wr_bytes(wr, value);
    lb_wr_u8(wr, 0);
}

void lb_iscsi_put(struct lb_wr *wr, enum lb_iscsi_key key, struct lb_bytes value) {
    lb_assert(key != LB_ISCSI_KEY_UNKNOWN);
    put(wr, lb_bytes_of_text(lb_iscsi_key_name(key)), value);
}

void lb_iscsi_put_text(struct lb_wr *wr, enum lb_iscsi_key key, const char *value) {
    lb_iscsi_put(wr, key, lb_bytes_of_text(value));
}

void lb_iscsi_put_number(struct lb_wr *wr, enum lb_iscsi_key key, uint64_t value) {
    char digits[24];
    lb_format(digits, sizeof digits, "%llu", (unsigned long long)value);
    lb_iscsi_put_text(wr, key, digits);
}

void lb_iscsi_put_bool(struct lb_wr *wr, enum lb_iscsi_key key, bool yes) {
    lb_iscsi_put_text(wr, key, yes ? "Yes" : "No");
}

void lb_iscsi_put_named(struct lb_wr *wr, struct lb_bytes name, const char *value) {
    put(wr, name, lb_bytes_of_text(value));
}
