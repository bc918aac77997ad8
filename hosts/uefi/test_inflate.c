#include "core/base/text.h"
#include "hosts/uefi/inflate.h"
#include "tests/tap.h"

/* What Python's zlib.compressobj(9, zlib.DEFLATED, -15, 9) makes of expected(). */
static const char vector[] =
    "cd944d8adc301046af5207084155fa4f56b398c01c20079065296d86b6c176e8c9ed63425ca9c6758068a5c5a3"
    "28beef492f702ff536cd0d1ed37e83efafdfdea04febfd51d606651e615e609cb677583a4cfb06cb638661598e"
    "5b5f973b1498dbfe58d6f73fd06778f9afc7b5755d56305f60bf35d8cbfaa3edb0955f1b984fb0ed65ff79dc3e"
    "cc71befe45f18ac68c59d0b9d978d274a52d8618046e6b68276eafb88fd60b7a2cc59fb4bbd201312481c734d6"
    "13f7571c6d8882c688f6a4c39526ca4ec63278574e3c2abb18eb51e0de263cf174c55d32c109bce3904e3c2bb9"
    "6040194ceaad73474a9fde3d05438d02e34aa7ce842cc7d7ea47e695562910c9ed43c98e79a5568a3ecb704caa"
    "03f34ab1cec52cad29d110f35ab3648d15bcf336331f547192dcff70f89ff27ab94fea242c2c3d2aede6e4499a"
    "d647961eb3167f4419cfd090b527a55dc214e57c5f1d7b4f4abd985294f37b496c3ea98f361aa94f4e03ab4f56"
    "8d27c9f86de8ec3e29f5da6c837c5aa327969f947aadc328f53c3e09b69f82a64f22b93f6266fd296abfced3fa"
    "a557b69fd4b78b28e377cdb0fda4d7ebe4fc56ed61ff6f";

#define LEN 1657

static struct lb_bytes expected(void) {
    static char room[LEN + 1];
    struct lb_text text = lb_text(room, sizeof room);
    for (int i = 0; i < 3; i++)
        lb_text_add(
            &text,
            "A machine with UEFI firmware and no disk of its own boots from a network disk. ");
    for (unsigned i = 0; i < 30; i++)
        lb_text_add(&text, "error %u: the target says %u, status 0x%04x; ", i, i * i * 7919 % 65536,
                    i * 40503 % 65536);
    return lb_bytes_of_text(room);
}

static uint8_t room[LEN + 1];

static void what_zlib_deflated_is_the_text_again(void) {
    CHECK_EQ(expected().len, LEN);
    CHECK(inflate(tap_hex(vector), lb_span(room, LEN)));
    CHECK_BYTES(lb_bytes(room, LEN), expected());
}

static void another_length_is_refused(void) {
    CHECK(!inflate(tap_hex(vector), lb_span(room, LEN - 1)));
    CHECK(!inflate(tap_hex(vector), lb_span(room, LEN + 1)));
    CHECK(!inflate(tap_hex(vector), lb_span(room, 0)));
}

static void nothing_is_written_behind_the_room(void) {
    for (size_t len = 0; len < LEN; len++) {
        memset(room, 0xee, sizeof room);
        CHECK(!inflate(tap_hex(vector), lb_span(room, len)));
        CHECK_EQ(room[len], 0xee);
    }
}

static void every_truncation_is_refused(void) {
    struct lb_bytes whole = tap_hex(vector);
    for (size_t len = 0; len < whole.len; len++)
        CHECK(!inflate(lb_bytes(whole.p, len), lb_span(room, LEN)));
}

/* Nothing is written outside: the sanitizers see to it. */
static void a_changed_byte_gives_another_text_or_none(void) {
    struct lb_bytes whole = tap_hex(vector);
    uint8_t changed[512];
    size_t refused = 0;
    for (size_t i = 0; i < whole.len; i++) {
        memcpy(changed, whole.p, whole.len);
        changed[i] ^= 0x55;
        bool good = inflate(lb_bytes(changed, whole.len), lb_span(room, LEN));
        CHECK(!good || !lb_bytes_equal(lb_bytes(room, LEN), expected()));
        refused += !good;
    }
    CHECK(refused > whole.len / 2);
}

/* RFC 1951 3.2.3: stored, fixed, reserved. */
static void other_kinds_of_blocks_are_refused(void) {
    CHECK(!inflate(tap_hex("01 0100 feff 41"), lb_span(room, 1)));
    CHECK(!inflate(tap_hex("7304 00"), lb_span(room, 1)));
    CHECK(!inflate(tap_hex("07 00 00"), lb_span(room, 1)));
}

int main(void) {
    TEST(what_zlib_deflated_is_the_text_again);
    TEST(another_length_is_refused);
    TEST(nothing_is_written_behind_the_room);
    TEST(every_truncation_is_refused);
    TEST(a_changed_byte_gives_another_text_or_none);
    TEST(other_kinds_of_blocks_are_refused);
    return tap_done();
}
