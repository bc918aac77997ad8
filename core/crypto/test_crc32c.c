/* CRC32C: the vectors of RFC 3720 B.4 (the same CRC in RFC 7143 13.1), and the processor's
 * instructions against the tables. */
#include "core/base/text.h"
#include "core/crypto/crypto.h"
#include "tests/tap.h"

static void check_on_the_wire(struct lb_bytes data, const char *expected) {
    uint8_t wire[4];
    struct lb_wr wr = lb_wr(lb_span(wire, sizeof(wire)));
    lb_wr_u32le(&wr, lb_crc32c(0, data.p, data.len));
    CHECK_BYTES(lb_wr_done(&wr), tap_hex(expected));
    wr = lb_wr(lb_span(wire, sizeof(wire)));
    lb_wr_u32le(&wr, lb_crc32c_portable(0, data.p, data.len));
    CHECK_BYTES(lb_wr_done(&wr), tap_hex(expected));
}

static void the_check_value_is_right(void) {
    CHECK_EQ(lb_crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_EQ(lb_crc32c_portable(0, "123456789", 9), 0xe3069283);
}

static void the_examples_of_rfc_3720_are_right(void) {
    uint8_t data[32];
    memset(data, 0, sizeof(data));
    check_on_the_wire(lb_bytes(data, 32), "aa36918a");
    memset(data, 0xff, sizeof(data));
    check_on_the_wire(lb_bytes(data, 32), "43aba862");
    for (size_t i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    check_on_the_wire(lb_bytes(data, 32), "4e79dd46");
    for (size_t i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    check_on_the_wire(lb_bytes(data, 32), "5cdb3f11");
}

static void the_scsi_read_header_of_rfc_3720_is_right(void) {
    check_on_the_wire(tap_hex("01c00000 00000000 00000000 00000000 14000000 00000400"
                              "00000014 00000018 28000000 00000000 02000000 00000000"),
                      "563a96d9");
}

static void no_bytes_change_nothing(void) {
    CHECK_EQ(lb_crc32c(0, NULL, 0), 0);
    CHECK_EQ(lb_crc32c(0xe3069283, NULL, 0), 0xe3069283);
}

static uint8_t noise[3 * 3072 + 64];

static void make_noise(void) {
    struct lb_rand r;
    uint8_t seed[LB_RAND_SEED_BYTES] = {1};
    lb_rand_init(&r, seed);
    lb_rand_fill(&r, lb_span(noise, sizeof(noise)));
}

static void pieces_give_what_the_whole_gives(void) {
    uint32_t whole = lb_crc32c(0, noise, 1000);
    for (size_t at = 0; at <= 1000; at++) {
        uint32_t crc = lb_crc32c(0, noise, at);
        if (!CHECK_EQ(lb_crc32c(crc, noise + at, 1000 - at), whole))
            return;
    }
}

static void what_the_processor_can_do_is_used(void) {
#ifdef __x86_64__
    bool can = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
    CHECK_EQ(lb_streq(lb_crc32c_method(), "tables"), !can);
#else
    CHECK(lb_crc32c_method()[0] != '\0');
#endif
}

static void instructions_and_tables_agree_at_every_length_and_alignment(void) {
    tap_note("on this machine: %s", lb_crc32c_method());
    for (size_t at = 0; at < 8; at++) {
        for (size_t len = 0; len < 900; len++) {
            uint32_t crc = (uint32_t)(len * 0x9e3779b1);
            if (!CHECK_EQ(lb_crc32c(crc, noise + at, len),
                          lb_crc32c_portable(crc, noise + at, len)))
                return;
        }
    }
}

static void instructions_and_tables_agree_around_the_block_sizes(void) {
    for (size_t blocks = 1; blocks <= 3; blocks++) {
        for (size_t len = blocks * 3072 - 9; len <= blocks * 3072 + 50; len++) {
            if (!CHECK_EQ(lb_crc32c(1, noise, len), lb_crc32c_portable(1, noise, len)))
                return;
        }
    }
}

static uint32_t bit_by_bit(uint32_t crc, const uint8_t *p, size_t len) {
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void tables_agree_with_the_definition(void) {
    for (size_t len = 0; len < 300; len++) {
        if (!CHECK_EQ(lb_crc32c_portable(7, noise, len), bit_by_bit(7, noise, len)))
            return;
    }
}

static void each_flipped_bit_of_a_header_is_seen(void) {
    uint8_t header[48];
    memcpy(header, noise, sizeof(header));
    uint32_t good = lb_crc32c(0, header, sizeof(header));
    for (size_t bit = 0; bit < 8 * sizeof(header); bit++) {
        header[bit / 8] ^= 1u << bit % 8;
        CHECK(lb_crc32c(0, header, sizeof(header)) != good);
        header[bit / 8] ^= 1u << bit % 8;
    }
}

int main(void) {
    make_noise();
    TEST(the_check_value_is_right);
    TEST(the_examples_of_rfc_3720_are_right);
    TEST(the_scsi_read_header_of_rfc_3720_is_right);
    TEST(no_bytes_change_nothing);
    TEST(pieces_give_what_the_whole_gives);
    TEST(instructions_and_tables_agree_at_every_length_and_alignment);
    TEST(instructions_and_tables_agree_around_the_block_sizes);
    TEST(tables_agree_with_the_definition);
    TEST(each_flipped_bit_of_a_header_is_seen);
    TEST(what_the_processor_can_do_is_used);
    return tap_done();
}
