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

/* The same of far(): codes of more than SHORT_BITS bits, runs of 257 to 259 bytes, distances of
 * thousands. */
static const char far_vector[] =
    "eddcdd4e534110c0f16701d352822d8662d32250ab88b12a5a12f1a3954669cf39bb33fbfeb7ce4c8517f00293"
    "fe7f213d87ddb3f395b65784f6edcefb83f9abf9f1cdcff1e274b2b7b39c9d0fae0ff7de5eee8da69dc5683ae8"
    "cf8f5a93e1e2f8f9a7af576f5e9cec7e1f3e7d7d72d31b8f4687e3e5cdd5936fddee8fdbcb938b76eff4ddc7de"
    "7230f9fc727e381bb69eb5f64ffbdde9bc333aea1f9db5c7d32fbbedfe70ff7ae7fcc375679652d1a2a948f6ab"
    "6829f1a3a516d13a89dfe65faab11d9b8dbd6eee722aeb22b6252537b69c63c3b7b2ad8a785c5b1089550f90fd"
    "8c4a957ca56e4ab2155fb7c4c9ef9244dc3ae278a2a47eaa295af9518b640b7e46542ceb5a1b2d5269b6c7eb52"
    "52c9591b89182a2bab4a8c1d2e6259b357936d31174b53a95778575213add8711f8257d07862c9f7ed46aac859"
    "623a6ac5fb5223253a57f52145c596da9344b424e96114765d598b7f272091b152f1a26c6656ef9d9592656d01"
    "22a7ed6813938f563723f254de73141531fc579195d76cc3a9e2215ddb68b5f6d43ecbac3ebf68a578006f41e5"
    "7754e891ea3a796079e8afca5ea1e44da23a7ab0024b2e9b7d7bd207e8a9556cdaead3f2c35ea4cdac291620dd"
    "bf43ec75dd0500000000000000000000000000000000000000000000000000000000fc17da8ff48f0fcfb6de01"
    "7adbee5f3e7d7c77010000000000000000000000601b3cd65fb8fd01";

static uint32_t dice;

static uint32_t roll(uint32_t below) {
    dice = (dice * UINT32_C(1103515245) + 12345) & 0x7fffffff;
    return (dice >> 16) % below;
}

static uint8_t far_room[40000], inflated[40000];

/* A block without a pattern; letters of which each is as frequent as the two before it; and runs,
 * with the block again between them. */
static struct lb_bytes far(void) {
    static uint8_t bag[1000];
    uint8_t block[120];
    size_t count = 0;
    unsigned before = 0, times = 1;
    struct lb_wr wr = lb_wr(lb_span(far_room, sizeof far_room));
    dice = 1;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(32 + roll(64));
    lb_wr_bytes(&wr, lb_bytes(block, sizeof block));
    for (unsigned letter = 0; letter < 13; letter++) {
        memset(bag + count, (int)('a' + letter), times);
        count += times;
        unsigned next = before + times;
        before = times;
        times = next;
    }
    for (dice = 7; count > 0; count--) {
        size_t at = roll((uint32_t)count);
        lb_wr_u8(&wr, bag[at]);
        bag[at] = bag[count - 1];
    }
    static const struct {
        char c;
        unsigned times;
        size_t behind; /* bytes of the block */
    } runs[] = {{'-', 20000, 120}, {'=', 258, 0}, {'+', 259, 0}, {'.', 257, 60}, {'-', 9000, 120}};
    for (size_t i = 0; i < LB_COUNT(runs); i++) {
        for (unsigned j = 0; j < runs[i].times; j++)
            lb_wr_u8(&wr, (uint8_t)runs[i].c);
        lb_wr_bytes(&wr, lb_bytes(block, runs[i].behind));
    }
    return lb_wr_done(&wr);
}

static void long_codes_long_runs_and_far_copies_are_the_text_again(void) {
    struct lb_bytes text = far();
    CHECK_EQ(text.len, 30803);
    CHECK(inflate(tap_hex(far_vector), lb_span(inflated, text.len)));
    CHECK_BYTES(lb_bytes(inflated, text.len), text);
}

int main(void) {
    TEST(what_zlib_deflated_is_the_text_again);
    TEST(another_length_is_refused);
    TEST(nothing_is_written_behind_the_room);
    TEST(every_truncation_is_refused);
    TEST(a_changed_byte_gives_another_text_or_none);
    TEST(other_kinds_of_blocks_are_refused);
    TEST(long_codes_long_runs_and_far_copies_are_the_text_again);
    return tap_done();
}
