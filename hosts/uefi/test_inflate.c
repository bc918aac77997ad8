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
    "ed9cdb4e5e470c859f25a938442950418a8092507a4855daa605a9f4000d6a03ffde7b3cf6bcff5dd7b27f9ea0"
    "17a9c4fa84c4dede331e7bd99e2bc4e6fb673fbcbcf9eae6d5f55f67b7a7e75bcfee2edf1c5eed6d7df776ebf8"
    "62fbf6f8e2f0e0667fe3fce8f6d5e73ffff6eedb2f4e9eff71f4e9d727d7bb67c7c77b6777d7ef3ef97d67e7cf"
    "f76f4fbed9dc3dfdfea7ddbbc3f35fbebcd9bb3cdaf86ce3c5e9c1cec5cdf6f1fec1feebcdb38b5f9f6f1e1cbd"
    "b87af6e6c7abed4befa387f58779b40fc3a38f6103a611f800dc46e091f608cb97e173e0cbe20fb0e17704ac11"
    "736e73ee710f7819d1a7914bc63dcd7cc4aa41c71e65e8de5bef91fef2540bbaf3c6309c678e72dac397612bcf"
    "a58de759f33cded2843d9167c58ad1e0f44663343ae87dfcd399c38cd8c658051e186130bb5e5b195445993958"
    "65b5f0bde71ac4660f880f3bdbcad7e960f194dba6e0b20a6118a285947c2f25d2ab1bc5a37b9c352109734412"
    "cc9ee72352871ce9b5d1cc103dbf8d4c038ae38b39be525cb3e81d67c3b0f4d4c5d39397bac14d3430fb0cf43e"
    "bf214ec4476159cc05aae6566a896491308a6d4b5634ca23d6d98c4306d79ab11c33f5aa1a5772ac5d56aa8fd2"
    "c0e83e556580313e58faf298e65125e9d1261a784e43b6d617b4563a5c313e6a85d7bea4b74c3c4b4f9dbd92f4"
    "482b944002588872e361e6c7a99a623c162a46b5335a0b2a677978b8a3709938aa903db9ee81863546c7699c7b"
    "06c6369cb100c1f636d364a37a3f26f651cfda9ab716eee5922dc82eb0b9d528e0b5b3b95a637f43eb1cb09ebd"
    "8a82b1b85e81d27fd6b341a38eb54befcb48bd2c05f3dcc7cf8e3a66b9d9a6deeb2c8a391a9d41ae4e3d917163"
    "0af086dcb0804dee358b5152d523ab6259e1fada9987395b1245f2142e52f3f510f007dd81ec1f50aabf71aab1"
    "bfb36939a3ce3ba1ae96488d6a535e3175b5e4ad91ed93335233bda41e15c56a9d52e47515337f7307a66ac199"
    "b32f9ecdd7ac6607e9a244e6d545b98fe69ca8fbea781edfb3e863325e194b26cd4beb3133f88b56aa64e4180d"
    "4e41f64046902d1e29155e1626d69b654133e0faccadf65063d9727e98e6ba265568f6558e0a4b1b8f83ca95e8"
    "c2b0551a7b1b3522ebb10b9b7019448e05ebc45879774c2968f7563930eba80eae39889a0d2f5fd9914bb55c8a"
    "9c3a5785a13124e66dea8f0eca05c3dc1142082184104208218410420821841042082184104208218410420821"
    "84104208218410420821841042082184104208f1bf60f323fd4fd3d74f9e9762f7a9f35fa64f77971042082184"
    "104208218410420821841042082184780a7cacbf70fb17";

static uint32_t dice;

static uint32_t roll(uint32_t below) {
    dice = (dice * UINT32_C(1103515245) + 12345) & 0x7fffffff;
    return (dice >> 16) % below;
}

static uint8_t far_room[40000], inflated[40000];

/* A block without a pattern; letters of which each is as frequent as the two before it; and runs,
 * with the block again between them. */
static struct lb_bytes far(void) {
    static uint8_t bag[2000];
    uint8_t block[120];
    size_t count = 0;
    unsigned before = 0, times = 1;
    struct lb_wr wr = lb_wr(lb_span(far_room, sizeof far_room));
    dice = 1;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(32 + roll(64));
    lb_wr_bytes(&wr, lb_bytes(block, sizeof block));
    for (unsigned letter = 0; letter < 15; letter++) {
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
    CHECK_EQ(text.len, 31790);
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
