/* The first byte says what the rest is: a message, or one of the strings inside. What is read is
 * written again and read again, and is the same. */
#include "core/slp/slp_wire.h"
#include "tests/fuzz.h"

static void check_request(const struct lb_slp_header *header, struct lb_bytes body) {
    static uint8_t room[1 << 20];
    struct lb_slp_request request, again;
    struct lb_slp_header header_again;
    struct lb_bytes body_again;
    const char *why;
    if (!lb_slp_decode_request(body, &request))
        return;
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_slp_begin(&wr, (enum lb_slp_function)header->function, header->flags, header->xid,
                 header->language);
    lb_slp_put_request(&wr, &request);
    struct lb_bytes bytes = lb_slp_finish(&wr);
    lb_assert(lb_slp_decode(bytes, &header_again, &body_again, &why));
    lb_assert(lb_slp_decode_request(body_again, &again));
    lb_assert(header_again.xid == header->xid && header_again.flags == header->flags);
    lb_assert(lb_bytes_equal(again.predicate, request.predicate));
    lb_assert(lb_bytes_equal(again.spi, request.spi));
}

static void message(struct lb_bytes bytes) {
    struct lb_slp_header header, peeked;
    struct lb_slp_da_advert da;
    struct lb_slp_sa_advert sa;
    struct lb_slp_attr_reply attributes;
    struct lb_slp_reg reg;
    struct lb_bytes body;
    const char *why = NULL;
    uint16_t error;
    if (!lb_slp_decode(bytes, &header, &body, &why)) {
        lb_assert(why);
        return;
    }
    lb_assert(lb_slp_peek(bytes, &peeked, &why) == LB_SLP_PEEK_GOOD && peeked.xid == header.xid);
    lb_assert(header.length == bytes.len && body.len < bytes.len);
    check_request(&header, body);
    lb_slp_decode_da_advert(body, &da);
    lb_slp_decode_sa_advert(body, &sa);
    lb_slp_decode_attr_reply(body, &attributes);
    lb_slp_decode_reg(body, &reg);
    lb_slp_decode_dereg(body, &reg);
    lb_slp_decode_ack(body, &error);
    struct lb_rd rd = lb_rd(body);
    while (lb_rd_ok(&rd))
        lb_slp_rd_entry(&rd);
}

static void url(struct lb_bytes bytes) {
    struct lb_slp_found found;
    lb_slp_agent_url(bytes);
    if (!lb_slp_url_parse(bytes, &found))
        return;
    lb_assert(found.host == LB_HOST_ADDR || found.host == LB_HOST_NAME);
    lb_assert(found.port > 0 && found.portal_group == -1);
    lb_assert(found.isns || lb_strlen(found.target) > 0);
}

/* Two texts, up to the first NUL and behind it. */
static void strings(struct lb_bytes bytes) {
    uint8_t folded[512], unescaped[512];
    size_t split = 0, folded_len, unescaped_len;
    while (split < bytes.len && bytes.p[split] != 0)
        split++;
    struct lb_bytes a = lb_bytes(bytes.p, split), b = lb_bytes_after(bytes, split + 1);
    lb_assert(lb_slp_same(a, b) == lb_slp_same(b, a));
    lb_assert(lb_slp_scopes_meet(a, b) == lb_slp_scopes_meet(b, a));
    uint8_t other[512];
    size_t other_len;
    bool folds_a = lb_slp_fold(a, false, lb_span(folded, sizeof folded), &folded_len);
    if (folds_a && lb_slp_fold(b, false, lb_span(other, sizeof other), &other_len))
        lb_assert(lb_slp_same(a, b) ==
                  lb_bytes_equal(lb_bytes(folded, folded_len), lb_bytes(other, other_len)));
    lb_slp_is_listed(a, lb_addr_v4(192, 0, 2, 1));
    bool folds = lb_slp_fold(a, false, lb_span(folded, sizeof folded), &folded_len);
    if (lb_slp_unescape(a, lb_span(unescaped, sizeof unescaped), &unescaped_len))
        lb_assert(folds && folded_len <= unescaped_len);
    struct lb_bytes list = b, tag, values;
    while (lb_slp_attribute_next(&list, &tag, &values))
        lb_assert(tag.len > 0);
    enum lb_slp_match match = lb_slp_filter(a, b);
    /* Whether a filter is well formed does not depend on what it is held against. */
    enum lb_slp_match none = lb_slp_filter(a, lb_bytes(NULL, 0));
    lb_assert((match == LB_SLP_MATCH_MALFORMED) == (none == LB_SLP_MATCH_MALFORMED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    switch (lb_rd_u8(&rd) % 4) {
    case 0:
        url(lb_rd_rest(&rd));
        break;
    case 1:
        strings(lb_rd_rest(&rd));
        break;
    default:
        message(lb_rd_rest(&rd));
        break;
    }
    return 0;
}
