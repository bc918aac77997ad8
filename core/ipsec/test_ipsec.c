/* ESP: the vectors of the protocol sheet, both modes and families, what is lost, old, forged. */
#include "core/ipsec/test_ipsec.h"
#include "tests/tap.h"

static struct lb_ipsec a, b; /* two ends */
static uint8_t plain[2048], sealed[2048];

static void begin(struct lb_ipsec_terms terms) {
    struct lb_ipsec_terms turned = test_turned(terms);
    lb_ipsec_begin(&a, &terms);
    lb_ipsec_begin(&b, &turned);
}

/* ---- vectors ---- */

/* core/ike's sheet: a TCP header by the keys of a made-up exchange, computed by a program of its
 * own and by OpenSSL. */
static void a_sealed_payload_is_the_vectors(void) {
    static const char *const expected[] = {
        "c0ffee0100000001000000000000000101c17572a19a9d09efc552744751ab8124db47dc4c5eb326"
        "ac8126e8d986629d3c2d264fd96185ee",
        "c0ffee0100000001000000000000000101c17572a19a9d09efc552744751ab8124db47dc4c5eb326"
        "3d1e821809d1316b5448d31425e51800",
    };
    static const uint8_t tcp[20] = {0xc0, 0, 0x0c, 0xbc, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0x20};
    for (size_t esn = 0; esn < 2; esn++) {
        uint8_t vector[56];
        size_t len = 0;
        struct lb_span payload;
        uint8_t next = 0;
        CHECK(lb_parse_hex_bytes(lb_bytes_of_text(expected[esn]), lb_span(vector, sizeof vector),
                                 &len));
        begin(test_terms(LB_IPSEC_TRANSPORT, false, false, esn == 1));
        struct lb_bytes esp =
            lb_ipsec_seal_payload(&a, lb_bytes(tcp, sizeof tcp), 6, lb_span(sealed, sizeof sealed));
        CHECK_BYTES(esp, lb_bytes(vector, len));
        CHECK(lb_ipsec_open_payload(&b, lb_span(vector, len), &payload, &next));
        CHECK_BYTES(lb_bytes(payload.p, payload.len), lb_bytes(tcp, sizeof tcp));
        CHECK_EQ(next, 6);
    }
}

/* ---- packets ---- */

/* Headers differ in what is made anew (identification, TTL); addresses, protocol and payload are
 * as they were. */
static bool is_same_packet(struct lb_bytes x, struct lb_bytes y) {
    size_t header = x.p[0] >> 4 == 4 ? 20 : 40, addresses = x.p[0] >> 4 == 4 ? 8 : 32;
    return x.len == y.len && x.p[0] == y.p[0] &&
           memcmp(x.p + header - addresses, y.p + header - addresses, x.len - header + addresses) ==
               0;
}

static void packets_come_out_as_they_went_in(void) {
    for (unsigned kind = 0; kind < 16; kind++) {
        enum lb_ipsec_mode mode = kind & 1 ? LB_IPSEC_TUNNEL : LB_IPSEC_TRANSPORT;
        struct lb_ipsec_terms terms = test_terms(mode, kind & 2, kind & 4, kind & 8);
        begin(terms);
        for (size_t data = 0; data < 40; data++) {
            struct lb_bytes packet = test_packet(&terms, 3260, data, lb_span(plain, sizeof plain));
            struct lb_bytes out = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed));
            CHECK(out.len > packet.len && out.len <= packet.len + LB_IPSEC_OVERHEAD_MAX);
            CHECK(lb_ipsec_is_ours(&b, out) && !lb_ipsec_is_ours(&a, out));
            struct lb_bytes in = lb_ipsec_open(&b, lb_span(sealed, out.len));
            /* In UDP the checksum of TCP is made anew: the packets of the test have none. */
            if (kind & 4 && mode == LB_IPSEC_TRANSPORT)
                CHECK(in.len == packet.len);
            else
                CHECK(in.len > 0 && is_same_packet(in, packet));
        }
        CHECK_EQ(a.sealed, 40);
        CHECK_EQ(b.opened, 40);
    }
}

static void each_byte_changed_is_noticed(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, false, false, true);
    begin(terms);
    struct lb_bytes packet = test_packet(&terms, 3260, 30, lb_span(plain, sizeof plain));
    size_t len = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len;
    for (size_t at = 20; at < len; at++) { /* ESP; nothing protects the outer header */
        uint8_t copy[256];
        memcpy(copy, sealed, len);
        copy[at] ^= 1;
        CHECK_EQ(lb_ipsec_open(&b, lb_span(copy, len)).len, 0);
    }
    CHECK_EQ(b.opened, 0);
    CHECK(lb_ipsec_open(&b, lb_span(sealed, len)).len > 0);
}

static void every_truncation_is_noticed(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, true, true, false);
    begin(terms);
    struct lb_bytes packet = test_packet(&terms, 3260, 30, lb_span(plain, sizeof plain));
    size_t len = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len;
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t copy[256];
        memcpy(copy, sealed, len);
        CHECK_EQ(lb_ipsec_open(&b, lb_span(copy, cut)).len, 0);
    }
}

static void too_little_room_takes_no_number(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, false, false, false);
    begin(terms);
    struct lb_bytes packet = test_packet(&terms, 3260, 30, lb_span(plain, sizeof plain));
    for (size_t room = 0; room < packet.len + 54; room++)
        CHECK_EQ(lb_ipsec_seal(&a, packet, lb_span(sealed, room)).len, 0);
    CHECK_EQ(a.out.top, 0);
}

/* ---- selectors ---- */

static void a_selector_names_its_ports_alone(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, false, false, false);
    struct lb_bytes packet = test_packet(&terms, 3260, 0, lb_span(plain, sizeof plain));
    CHECK(lb_ipsec_selects(&terms.selector, packet, true));
    CHECK(!lb_ipsec_selects(&terms.selector, packet, false));
    packet = test_packet(&terms, 3261, 0, lb_span(plain, sizeof plain));
    CHECK(!lb_ipsec_selects(&terms.selector, packet, true));
    plain[6] = 0x20; /* a first fragment may hold anything: it counts as protected */
    CHECK(lb_ipsec_selects(&terms.selector, packet, true));
    for (size_t len = 0; len < 20; len++)
        CHECK(!lb_ipsec_selects(&terms.selector, lb_bytes(plain, len), true));
}

static void what_the_selector_does_not_name_does_not_come_out(void) {
    for (unsigned mode = 0; mode < 2; mode++) {
        struct lb_ipsec_terms terms = test_terms((enum lb_ipsec_mode)mode, false, false, false);
        begin(terms);
        struct lb_bytes packet = test_packet(&terms, 22, 8, lb_span(plain, sizeof plain));
        CHECK_EQ(lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len, 0);
        a.terms.selector.remote_first = 0; /* the other end is not so careful */
        size_t len = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len;
        CHECK(len > 0);
        CHECK_EQ(lb_ipsec_open(&b, lb_span(sealed, len)).len, 0);
        CHECK_EQ(b.odd, 1);
    }
}

static void a_packet_of_the_other_mode_does_not_come_out(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, false, false, false);
    begin(terms);
    b.terms.mode = LB_IPSEC_TRANSPORT;
    struct lb_bytes packet = test_packet(&terms, 3260, 8, lb_span(plain, sizeof plain));
    size_t len = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len;
    CHECK_EQ(lb_ipsec_open(&b, lb_span(sealed, len)).len, 0);
}

static void a_checksum_behind_a_nat_is_made_anew(void) {
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TRANSPORT, false, true, false);
    begin(terms);
    struct lb_bytes packet = test_packet(&terms, 3260, 3, lb_span(plain, sizeof plain));
    size_t len = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len;
    struct lb_bytes in = lb_ipsec_open(&b, lb_span(sealed, len));
    uint32_t sum = 6 + (uint32_t)in.len - 20;
    for (size_t i = 12; i < in.len; i += 2) /* addresses and segment: with its checksum, all ones */
        sum += (uint32_t)in.p[i] << 8 | (i + 1 < in.len ? in.p[i + 1] : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    CHECK_EQ(sum, 0xffff);
    CHECK_BYTES(lb_bytes(in.p + 12, 24), lb_bytes(packet.p + 12, 24)); /* nothing else is */
    CHECK_BYTES(lb_bytes_after(in, 38), lb_bytes_after(packet, 38));
}

/* ---- numbers ---- */

/* RFC 1071 1, two bytes at a time: all ones where the checksum is right. */
static uint32_t sum_by_pairs(uint32_t sum, struct lb_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes.p[i] << 8 : bytes.p[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Of the IPv4 header, of UDP over IPv6, and of what a NAT may have changed. */
static void checksums_are_right_for_every_length(void) {
    for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
        struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TRANSPORT, is_v6 != 0, true, true);
        size_t header = is_v6 ? 40 : 20, addresses = is_v6 ? 32 : 8;
        begin(terms);
        for (size_t data = 0; data < 1300; data += data < 70 ? 1 : 61) {
            struct lb_bytes packet = test_packet(&terms, 3260, data, lb_span(plain, sizeof plain));
            for (size_t i = header + 20; i < packet.len; i++)
                plain[i] = (uint8_t)(i * i + 255 * (i % 7 == 0));
            struct lb_bytes out = lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed));
            struct lb_bytes above = lb_bytes_after(out, header);
            uint32_t pseudo = sum_by_pairs(17 + (uint32_t)above.len,
                                           lb_bytes(out.p + header - addresses, addresses));
            CHECK_EQ(is_v6 ? sum_by_pairs(pseudo, above) : sum_by_pairs(0, lb_bytes(out.p, header)),
                     0xffff);
            struct lb_bytes in = lb_ipsec_open(&b, lb_span(sealed, out.len));
            struct lb_bytes segment = lb_bytes_after(in, header);
            CHECK_EQ(segment.len, 20 + data);
            pseudo = sum_by_pairs(6 + (uint32_t)segment.len,
                                  lb_bytes(in.p + header - addresses, addresses));
            CHECK_EQ(sum_by_pairs(pseudo, segment), 0xffff);
        }
    }
}

/* The packet of this number comes to b. */
static bool arrives(uint64_t number) {
    struct lb_span payload;
    uint8_t next;
    a.out.top = number - 1;
    size_t len = lb_ipsec_seal_payload(&a, lb_bytes("x", 1), 6, lb_span(sealed, sizeof sealed)).len;
    return lb_ipsec_open_payload(&b, lb_span(sealed, len), &payload, &next);
}

static void a_number_counts_once(void) {
    begin(test_terms(LB_IPSEC_TRANSPORT, false, false, false));
    CHECK(arrives(1) && !arrives(1));
    CHECK(arrives(3) && arrives(2) && !arrives(2) && !arrives(3));
    CHECK(arrives(2000) && !arrives(2000));
    CHECK(!arrives(2000 - LB_IPSEC_WINDOW) && arrives(2000 - LB_IPSEC_WINDOW + 1));
    CHECK(!arrives(2000 - LB_IPSEC_WINDOW + 1));
    CHECK(arrives(1999) && arrives(1024) && !arrives(1024));
    CHECK_EQ(b.replayed, 7);
}

/* Each order within the window, against a list of what has come. */
static void any_order_within_the_window_is_taken_once(void) {
    static bool came[8192];
    uint8_t seed[LB_RAND_SEED_BYTES] = {5};
    struct lb_rand rand;
    uint64_t top = 0;
    lb_rand_init(&rand, seed);
    begin(test_terms(LB_IPSEC_TRANSPORT, false, false, true));
    for (unsigned i = 0; i < 6000; i++) {
        uint64_t ahead = lb_rand_below(&rand, 1500), number = 1 + LB_MIN(i + ahead, 8190);
        bool is_new = !came[number] && number + LB_IPSEC_WINDOW > top;
        CHECK_EQ(arrives(number), is_new);
        came[number] = came[number] || is_new;
        top = is_new ? LB_MAX(top, number) : top;
    }
}

static void a_forged_number_does_not_move_the_window(void) {
    begin(test_terms(LB_IPSEC_TRANSPORT, false, false, false));
    struct lb_span payload;
    uint8_t next;
    CHECK(arrives(1));
    a.out.top = 100000;
    size_t len = lb_ipsec_seal_payload(&a, lb_bytes("x", 1), 6, lb_span(sealed, sizeof sealed)).len;
    sealed[len - 1] ^= 1;
    CHECK(!lb_ipsec_open_payload(&b, lb_span(sealed, len), &payload, &next));
    CHECK_EQ(b.forged, 1);
    CHECK(arrives(2));
}

static void extended_numbers_come_round(void) {
    uint64_t round = (uint64_t)1 << 32;
    begin(test_terms(LB_IPSEC_TRANSPORT, false, false, true));
    b.in.top = round - 10;
    CHECK(arrives(round - 5) && arrives(round - 1) && arrives(round) && arrives(round + 1));
    CHECK(arrives(round - 2) && !arrives(round - 2) && !arrives(round));
    CHECK(arrives(round + 4000) && !arrives(round - 3));
    b.in.top = 3 * round - 1; /* the highest that has come ends in ffffffff */
    CHECK(arrives(3 * round) && arrives(3 * round + 7));
}

static void without_extended_numbers_there_is_an_end(void) {
    begin(test_terms(LB_IPSEC_TRANSPORT, false, false, false));
    CHECK(arrives(UINT32_MAX));
    CHECK(!lb_ipsec_has_numbers(&a));
    CHECK_EQ(lb_ipsec_seal_payload(&a, lb_bytes("x", 1), 6, lb_span(sealed, sizeof sealed)).len, 0);
}

/* RFC 791 3.1: five words of header at least, and the length counts the header. */
static void packets_whose_lengths_cannot_be_are_not_sealed(void) {
    static const struct {
        uint8_t words, len;
    } odd[] = {{4, 60}, {0, 60}, {6, 23}, {5, 19}, {5, 61}};
    struct lb_ipsec_terms terms = test_terms(LB_IPSEC_TUNNEL, false, false, false);
    begin(terms);
    for (size_t i = 0; i < LB_COUNT(odd); i++) {
        struct lb_bytes packet = test_packet(&terms, 3260, 20, lb_span(plain, sizeof plain));
        CHECK_EQ(packet.len, 60);
        plain[0] = 0x40 | odd[i].words;
        plain[3] = odd[i].len;
        CHECK_EQ(lb_ipsec_seal(&a, packet, lb_span(sealed, sizeof sealed)).len, 0);
    }
    CHECK_EQ(a.sealed, 0);
}

static void nothing_of_the_keys_stays(void) {
    static const struct lb_ipsec zeros;
    begin(test_terms(LB_IPSEC_TUNNEL, false, false, false));
    for (size_t i = 0; i < LB_IPSEC_KEY_MAX; i++)
        CHECK(a.terms.out_key[i] == 0 && a.terms.in_key[i] == 0);
    lb_ipsec_end(&a);
    CHECK(memcmp(&a, &zeros, sizeof a) == 0);
}

int main(void) {
    TEST(a_sealed_payload_is_the_vectors);
    TEST(packets_come_out_as_they_went_in);
    TEST(each_byte_changed_is_noticed);
    TEST(every_truncation_is_noticed);
    TEST(too_little_room_takes_no_number);
    TEST(a_selector_names_its_ports_alone);
    TEST(what_the_selector_does_not_name_does_not_come_out);
    TEST(a_packet_of_the_other_mode_does_not_come_out);
    TEST(a_checksum_behind_a_nat_is_made_anew);
    TEST(checksums_are_right_for_every_length);
    TEST(a_number_counts_once);
    TEST(any_order_within_the_window_is_taken_once);
    TEST(a_forged_number_does_not_move_the_window);
    TEST(extended_numbers_come_round);
    TEST(without_extended_numbers_there_is_an_end);
    TEST(packets_whose_lengths_cannot_be_are_not_sealed);
    TEST(nothing_of_the_keys_stays);
    return tap_done();
}
