/* CHAP: lists of algorithms, binary values as text, challenges and responses. */
#include "core/chap/chap.h"

/* ---- Algorithms ---- */

static const struct {
    const char *name;
    struct lb_chap_alg alg;
} known_algs[] = {
    {"md5", {5, LB_HASH_MD5}},       {"sha1", {6, LB_HASH_SHA1}},
    {"sha256", {7, LB_HASH_SHA256}}, {"sha3-256", {8, LB_HASH_SHA3_256}},
    {"tgt-sha1", {7, LB_HASH_SHA1}}, /* after sha256: the bare number means that */
};

const struct lb_chap_algs lb_chap_default_algs = {
    .alg = {{8, LB_HASH_SHA3_256}, {7, LB_HASH_SHA256}, {5, LB_HASH_MD5}},
    .count = 3,
};

/* RFC 7143 6.1, numerical-value: decimal, or 0x and hex digits. */
static bool parse_number(struct lb_bytes text, uint64_t max, uint64_t *out) {
    if (text.len < 2 || text.p[0] != '0' || lb_ascii_lower(text.p[1]) != 'x')
        return lb_parse_u64(text, max, out);
    uint64_t value;
    if (!lb_parse_hex_u64(lb_bytes_after(text, 2), &value) || value > max)
        return false;
    *out = value;
    return true;
}

static bool find_word(struct lb_bytes word, struct lb_chap_alg *out) {
    uint64_t number = 0; /* of no algorithm */
    (void)lb_parse_u64(word, UINT8_MAX, &number);
    for (size_t i = 0; i < LB_COUNT(known_algs); i++) {
        if (lb_text_is(word, known_algs[i].name) || known_algs[i].alg.number == number) {
            *out = known_algs[i].alg;
            return true;
        }
    }
    return false;
}

static bool find_number(const struct lb_chap_algs *algs, uint64_t number, struct lb_chap_alg *out) {
    for (size_t i = 0; i < algs->count; i++) {
        if (algs->alg[i].number == number) {
            *out = algs->alg[i];
            return true;
        }
    }
    return false;
}

bool lb_chap_parse_algs(struct lb_bytes text, struct lb_chap_algs *out) {
    struct lb_chap_algs algs = {.count = 0};
    struct lb_bytes word;
    while (lb_list_next(&text, ',', &word)) {
        struct lb_chap_alg alg, twin;
        if (!find_word(word, &alg) || find_number(&algs, alg.number, &twin))
            return false;
        algs.alg[algs.count++] = alg; /* there is room: LB_CHAP_ALGS_MAX numbers, each once */
    }
    if (algs.count == 0)
        return false;
    *out = algs;
    return true;
}

void lb_chap_format_algs(struct lb_text *text, const struct lb_chap_algs *algs) {
    for (size_t i = 0; i < algs->count; i++)
        lb_text_add(text, "%s%u", i == 0 ? "" : ",", (unsigned)algs->alg[i].number);
}

bool lb_chap_accept_alg(const struct lb_chap_algs *offered, struct lb_bytes value,
                        struct lb_chap_alg *out) {
    uint64_t number;
    return parse_number(value, UINT8_MAX, &number) && find_number(offered, number, out);
}

bool lb_chap_choose_alg(const struct lb_chap_algs *known, struct lb_bytes value,
                        struct lb_chap_alg *out) {
    struct lb_bytes word;
    while (lb_list_next(&value, ',', &word)) {
        if (lb_chap_accept_alg(known, word, out))
            return true;
    }
    return false;
}

const char *lb_chap_alg_name(struct lb_chap_alg alg) {
    for (size_t i = 0; i < LB_COUNT(known_algs); i++) {
        if (known_algs[i].alg.number == alg.number && known_algs[i].alg.hash == alg.hash)
            return known_algs[i].name;
    }
    return "none";
}

/* ---- Values ---- */

bool lb_chap_parse_id(struct lb_bytes value, uint8_t *out) {
    uint64_t number;
    if (!parse_number(value, UINT8_MAX, &number))
        return false;
    *out = (uint8_t)number;
    return true;
}

const char *lb_chap_binary_explain(enum lb_chap_binary result) {
    switch (result) {
    case LB_CHAP_BINARY_OK:
        return "is well-formed";
    case LB_CHAP_BINARY_NO_PREFIX:
        return "begins with neither 0x nor 0b";
    case LB_CHAP_BINARY_EMPTY:
        return "is empty";
    case LB_CHAP_BINARY_BAD_DIGIT:
        return "has a character that is not a digit of its encoding";
    case LB_CHAP_BINARY_BAD_END:
        return "does not end with a whole byte";
    case LB_CHAP_BINARY_TOO_LONG:
        return "is too long";
    }
    return "is not valid";
}

static enum lb_chap_binary parse_hex(struct lb_bytes digits, struct lb_span room, size_t *len) {
    if (digits.len == 0)
        return LB_CHAP_BINARY_EMPTY;
    if (digits.len % 2 != 0)
        return LB_CHAP_BINARY_BAD_END;
    if (digits.len / 2 > room.len)
        return LB_CHAP_BINARY_TOO_LONG;
    for (size_t i = 0; i < digits.len / 2; i++) {
        int high = lb_hex_digit(digits.p[2 * i]);
        int low = lb_hex_digit(digits.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return LB_CHAP_BINARY_BAD_DIGIT;
        room.p[i] = (uint8_t)(high << 4 | low);
    }
    *len = digits.len / 2;
    return LB_CHAP_BINARY_OK;
}

static int base64_digit(uint8_t c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Takes the '=' off the end; false if some are there but not as RFC 4648 wants them. */
static bool take_padding(struct lb_bytes *digits) {
    size_t whole = digits->len;
    while (digits->len > 0 && whole - digits->len < 2 && digits->p[digits->len - 1] == '=')
        digits->len--;
    return digits->len == whole || whole % 4 == 0;
}

static enum lb_chap_binary parse_base64(struct lb_bytes digits, struct lb_span room, size_t *len) {
    if (digits.len == 0)
        return LB_CHAP_BINARY_EMPTY;
    if (!take_padding(&digits))
        return LB_CHAP_BINARY_BAD_DIGIT;
    if (digits.len % 4 == 1)
        return LB_CHAP_BINARY_BAD_END;
    size_t bytes = digits.len / 4 * 3 + digits.len % 4 * 6 / 8;
    if (bytes > room.len)
        return LB_CHAP_BINARY_TOO_LONG;

    uint32_t bits = 0; /* the lowest `held` of them are still to be written */
    unsigned held = 0;
    size_t written = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = base64_digit(digits.p[i]);
        if (digit < 0)
            return LB_CHAP_BINARY_BAD_DIGIT;
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            room.p[written++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return LB_CHAP_BINARY_BAD_END;
    *len = written;
    return LB_CHAP_BINARY_OK;
}

enum lb_chap_binary lb_chap_parse_binary(struct lb_bytes value, struct lb_span room, size_t *len) {
    if (value.len < 2 || value.p[0] != '0')
        return LB_CHAP_BINARY_NO_PREFIX;
    switch (lb_ascii_lower(value.p[1])) {
    case 'x':
        return parse_hex(lb_bytes_after(value, 2), room, len);
    case 'b':
        return parse_base64(lb_bytes_after(value, 2), room, len);
    default:
        return LB_CHAP_BINARY_NO_PREFIX;
    }
}

void lb_chap_format_hex(struct lb_text *text, struct lb_bytes data) {
    lb_text_add(text, "0x");
    lb_text_hex(text, data);
}

void lb_chap_format_base64(struct lb_text *text, struct lb_bytes data) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    lb_text_add(text, "0b");
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        uint32_t bits = (uint32_t)data.p[i] << 16;
        if (left > 1)
            bits |= (uint32_t)data.p[i + 1] << 8;
        if (left > 2)
            bits |= data.p[i + 2];
        lb_text_add(text, "%c%c%c%c", digits[bits >> 18], digits[bits >> 12 & 63],
                    left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '=');
    }
}

/* ---- Secrets, challenges, responses ---- */

bool lb_chap_secret_is_long_enough(struct lb_bytes secret) {
    return secret.len >= LB_CHAP_SECRET_MIN_BYTES;
}

bool lb_chap_secrets_are_equal(struct lb_bytes a, struct lb_bytes b) {
    return lb_equal_secret(a, b);
}

void lb_chap_issue(struct lb_chap_challenge *c, struct lb_rand *rand, size_t len) {
    lb_assert(len >= LB_CHAP_CHALLENGE_MIN && len <= LB_CHAP_BINARY_MAX);
    lb_rand_fill(rand, lb_span(&c->id, 1));
    lb_rand_fill(rand, lb_span(c->data, len));
    c->len = (uint16_t)len;
}

void lb_chap_respond(struct lb_chap_alg alg, struct lb_bytes secret,
                     const struct lb_chap_challenge *c, struct lb_chap_response *out) {
    struct lb_bytes parts[] = {lb_bytes(&c->id, 1), secret, lb_bytes(c->data, c->len)};
    out->len = lb_hash_parts(alg.hash, parts, LB_COUNT(parts), out->data);
}

bool lb_chap_is_reflected(const struct lb_chap_challenge *received,
                          const struct lb_chap_challenge *sent) {
    return lb_bytes_equal(lb_bytes(received->data, received->len), lb_bytes(sent->data, sent->len));
}

static bool is_response_of(struct lb_chap_alg alg, struct lb_bytes secret,
                           const struct lb_chap_challenge *c, struct lb_bytes response) {
    if (secret.len == 0) /* nobody's: whoever asks for it has none to give */
        return false;
    struct lb_chap_response expected;
    lb_chap_respond(alg, secret, c, &expected);
    bool equal = lb_equal_secret(response, lb_bytes(expected.data, expected.len));
    lb_wipe(&expected, sizeof(expected));
    return equal;
}

enum lb_chap_verdict lb_chap_verify(struct lb_chap_alg alg, struct lb_bytes peer,
                                    struct lb_bytes own, const struct lb_chap_challenge *c,
                                    struct lb_bytes response) {
    if (response.len != lb_hash_bytes(alg.hash))
        return LB_CHAP_WRONG_LENGTH;
    if (is_response_of(alg, own, c, response))
        return LB_CHAP_REFLECTED;
    return is_response_of(alg, peer, c, response) ? LB_CHAP_GOOD : LB_CHAP_WRONG;
}
