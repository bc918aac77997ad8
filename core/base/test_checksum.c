#include "core/base/checksum.h"
#include "tests/tap.h"

/* RFC 1071 3: the sum of these is ddf2. */
static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

static void the_rfcs_example_has_its_sum(void) {
    CHECK_EQ(lb_checksum(lb_bytes(example, sizeof example)), 0xffff - 0xddf2);
}

static void an_odd_last_byte_counts_as_if_a_zero_followed(void) {
    static const uint8_t odd[] = {0x12, 0x34, 0x56};
    CHECK_EQ(lb_checksum(lb_bytes(odd, 3)), 0xffff - (0x1234 + 0x5600));
    CHECK_EQ(lb_checksum(lb_bytes(odd, 1)), 0xffff - 0x1200);
    CHECK_EQ(lb_checksum(lb_bytes(odd, 0)), 0xffff);
}

static void carries_go_round(void) {
    static const uint8_t full[] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x01};
    CHECK_EQ(lb_checksum(lb_bytes(full, sizeof full)), 0xffff - 0x0001);
}

static void bytes_with_their_checksum_give_zero(void) {
    uint8_t bytes[sizeof example + 2];
    uint16_t sum = lb_checksum(lb_bytes(example, sizeof example));
    memcpy(bytes, example, sizeof example);
    bytes[8] = (uint8_t)(sum >> 8);
    bytes[9] = (uint8_t)sum;
    CHECK_EQ(lb_checksum(lb_bytes(bytes, sizeof bytes)), 0);
}

static void a_payload_counts_with_its_addresses_protocol_and_length(void) {
    struct lb_addr from = lb_addr_v4(10, 0, 0, 1), to = lb_addr_v4(10, 0, 0, 2);
    uint32_t sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 8 + 0xddf2;
    CHECK_EQ(lb_checksum_payload(from, to, 17, lb_bytes(example, sizeof example)),
             0xffff - (sum & 0xffff) - (sum >> 16));
    struct lb_addr local = {.family = LB_V6, .bytes = {0xfe, 0x80, [15] = 1}};
    struct lb_addr all = {.family = LB_V6, .bytes = {0xff, 0x02, [15] = 2}};
    sum = 0xfe80 + 1 + 0xff02 + 2 + 58 + 8 + 0xddf2;
    CHECK_EQ(lb_checksum_payload(local, all, 58, lb_bytes(example, sizeof example)),
             0xffff - (sum & 0xffff) - (sum >> 16));
}

int main(void) {
    TEST(the_rfcs_example_has_its_sum);
    TEST(an_odd_last_byte_counts_as_if_a_zero_followed);
    TEST(carries_go_round);
    TEST(bytes_with_their_checksum_give_zero);
    TEST(a_payload_counts_with_its_addresses_protocol_and_length);
    return tap_done();
}
