/* ESP without IP headers: RFC 4303 2 and 3.4, RFC 4106.
 *
 *   SPI 4 | sequence number 4 | IV 8 | ciphertext of payload, padding, its length, next header |
 * tag
 */
#include "core/ipsec/ipsec.h"

enum {
    HEADER_BYTES = 8,
    IV_BYTES = 8,
    TRAILER_BYTES = 2, /* padding's length and next header */
    ALIGN = 4,
    SALT_BYTES = 4,
    NEXT_NONE = 59, /* a dummy packet: RFC 4303 2.6 */
};

static void begin_way(struct lb_ipsec_way *way, uint32_t spi, bool has_esn, const uint8_t *key,
                      size_t len) {
    lb_assert(len == 20 || len == LB_IPSEC_KEY_MAX);
    *way = (struct lb_ipsec_way){.spi = spi, .has_esn = has_esn};
    memcpy(way->salt, key + len - SALT_BYTES, SALT_BYTES);
    lb_gcm_init(&way->gcm, lb_bytes(key, len - SALT_BYTES));
}

void lb_ipsec_begin(struct lb_ipsec *ipsec, const struct lb_ipsec_terms *terms) {
    memset(ipsec, 0, sizeof *ipsec);
    ipsec->terms = *terms;
    begin_way(&ipsec->out, terms->out_spi, terms->has_esn, terms->out_key, terms->key_len);
    begin_way(&ipsec->in, terms->in_spi, terms->has_esn, terms->in_key, terms->key_len);
    lb_wipe(ipsec->terms.out_key, sizeof ipsec->terms.out_key);
    lb_wipe(ipsec->terms.in_key, sizeof ipsec->terms.in_key);
}

void lb_ipsec_end(struct lb_ipsec *ipsec) {
    lb_wipe(ipsec, sizeof *ipsec);
}

/* What is authenticated beside the text: SPI and number, of which ESN has the upper half, too. */
static struct lb_bytes extra_of(const struct lb_ipsec_way *way, uint64_t number, uint8_t room[12]) {
    struct lb_wr wr = lb_wr(lb_span(room, 12));
    lb_wr_u32(&wr, way->spi);
    if (way->has_esn)
        lb_wr_u64(&wr, number);
    else
        lb_wr_u32(&wr, (uint32_t)number);
    return lb_wr_done(&wr);
}

/* ---- out ---- */

bool lb_ipsec_has_numbers(const struct lb_ipsec *ipsec) {
    uint64_t last = ipsec->out.has_esn ? UINT64_MAX : UINT32_MAX;
    return ipsec->out.top < last;
}

struct lb_bytes lb_ipsec_seal_payload(struct lb_ipsec *ipsec, struct lb_bytes payload,
                                      uint8_t next_header, struct lb_span room) {
    struct lb_ipsec_way *way = &ipsec->out;
    size_t pad = (0 - (payload.len + TRAILER_BYTES)) % ALIGN;
    size_t text_len = payload.len + pad + TRAILER_BYTES;
    struct lb_bytes none = lb_bytes(room.p, 0);
    if (room.len < HEADER_BYTES + IV_BYTES + text_len + LB_GCM_TAG_BYTES ||
        !lb_ipsec_has_numbers(ipsec))
        return none;
    uint64_t number = ++way->top;
    struct lb_wr wr = lb_wr(room);
    lb_wr_u32(&wr, way->spi);
    lb_wr_u32(&wr, (uint32_t)number);
    lb_wr_u64(&wr, number); /* the IV: a counter, as RFC 4106 3.1 recommends */
    lb_wr_bytes(&wr, payload);
    for (size_t i = 1; i <= pad; i++)
        lb_wr_u8(&wr, (uint8_t)i);
    lb_wr_u8(&wr, (uint8_t)pad);
    lb_wr_u8(&wr, next_header);
    size_t text_at = HEADER_BYTES + IV_BYTES;
    uint8_t nonce[LB_GCM_NONCE_BYTES], extra[12], tag[LB_GCM_TAG_BYTES];
    memcpy(nonce, way->salt, SALT_BYTES);
    memcpy(nonce + SALT_BYTES, room.p + HEADER_BYTES, IV_BYTES);
    lb_gcm_seal(&way->gcm, nonce, extra_of(way, number, extra), lb_span(room.p + text_at, text_len),
                tag);
    lb_wr_bytes(&wr, lb_bytes(tag, sizeof tag));
    ipsec->sealed++;
    return lb_wr_done(&wr);
}

/* ---- in ---- */

/* RFC 4303 appendix A2.2: which 64-bit number these 32 bits are likely to mean. */
static bool whole_number(const struct lb_ipsec_way *way, uint32_t low, uint64_t *number) {
    uint32_t top_low = (uint32_t)way->top, high = (uint32_t)(way->top >> 32);
    uint32_t bottom = top_low - (LB_IPSEC_WINDOW - 1);
    if (!way->has_esn) {
        *number = low;
        return true;
    }
    if (top_low >= LB_IPSEC_WINDOW - 1) {
        if (low < bottom)
            high++; /* the lower half has come round: a zero here is no number at all */
    } else if (low >= bottom) {
        if (high == 0)
            return false;
        high--;
    }
    *number = (uint64_t)high << 32 | low;
    return true;
}

static bool has_come(const struct lb_ipsec *ipsec, uint64_t number) {
    uint64_t top = ipsec->in.top;
    if (number == 0)
        return true;
    if (number > top)
        return false;
    if (top - number >= LB_IPSEC_WINDOW)
        return true;
    return ipsec->seen[number / 64 % LB_COUNT(ipsec->seen)] >> number % 64 & 1;
}

/* The window is a ring of words; those that it moves over are emptied. There is one more than the
 * window has, for the highest number's own word is not full yet. */
static void note(struct lb_ipsec *ipsec, uint64_t number) {
    uint64_t words = LB_COUNT(ipsec->seen), word = number / 64, top_word = ipsec->in.top / 64;
    if (number > ipsec->in.top) {
        uint64_t over = LB_MIN(word - top_word, words);
        for (uint64_t i = 1; i <= over; i++)
            ipsec->seen[(top_word + i) % words] = 0;
        ipsec->in.top = number;
    }
    ipsec->seen[word % words] |= (uint64_t)1 << number % 64;
}

/* Padding is 1, 2, 3, ...: RFC 4303 2.4. */
static bool take_padding(struct lb_span *text, uint8_t *next_header) {
    size_t len = text->len;
    if (len < TRAILER_BYTES)
        return false;
    size_t pad = text->p[len - 2];
    *next_header = text->p[len - 1];
    if (pad > len - TRAILER_BYTES)
        return false;
    text->len = len - TRAILER_BYTES - pad;
    for (size_t i = 0; i < pad; i++)
        if (text->p[text->len + i] != i + 1)
            return false;
    return true;
}

bool lb_ipsec_open_payload(struct lb_ipsec *ipsec, struct lb_span esp, struct lb_span *payload,
                           uint8_t *next_header) {
    struct lb_ipsec_way *way = &ipsec->in;
    struct lb_rd rd = lb_rd(lb_bytes(esp.p, esp.len));
    uint8_t nonce[LB_GCM_NONCE_BYTES], extra[12];
    uint64_t number;
    size_t around = HEADER_BYTES + IV_BYTES + LB_GCM_TAG_BYTES;
    if (esp.len < around || (esp.len - around) % ALIGN != 0 || lb_rd_u32(&rd) != way->spi) {
        ipsec->odd++;
        return false;
    }
    if (!whole_number(way, lb_rd_u32(&rd), &number) || has_come(ipsec, number)) {
        ipsec->replayed++;
        return false;
    }
    memcpy(nonce, way->salt, SALT_BYTES);
    lb_rd_copy(&rd, nonce + SALT_BYTES, IV_BYTES);
    struct lb_span text = lb_span(esp.p + HEADER_BYTES + IV_BYTES, esp.len - around);
    if (!lb_gcm_open(&way->gcm, nonce, extra_of(way, number, extra), text, text.p + text.len)) {
        ipsec->forged++;
        return false;
    }
    note(ipsec, number);
    if (!take_padding(&text, next_header) || *next_header == NEXT_NONE) {
        ipsec->odd++;
        return false;
    }
    *payload = text;
    ipsec->opened++;
    return true;
}
