/* The packed sentences (tools/pack-texts) against those of errors.def. */
#include "core/base/error.h"
#include "core/base/packed.h"
#include "errors_packed.h"
#include "tests/tap.h"

static const char *unpacked(unsigned index) {
    static char room[LB_HINT_MAX];
    struct lb_text text = lb_text(room, sizeof(room));
    lb_unpack(&text, errors_packed, errors_pairs, index);
    CHECK(!text.cut);
    return room;
}

static void every_text_is_unpacked_as_it_was(void) {
    for (unsigned code = 0; code < LB_CODE_COUNT; code++) {
        CHECK_STR(unpacked(2 * code), lb_code_what((enum lb_code)code));
        CHECK_STR(unpacked(2 * code + 1), lb_code_hint((enum lb_code)code));
    }
}

static void nothing_follows_the_last_text(void) {
    unsigned texts = 0;
    for (size_t i = 0; i < sizeof(errors_packed); i++)
        texts += errors_packed[i] == 0;
    CHECK_EQ(texts, 2 * LB_CODE_COUNT);
}

static void pairs_are_no_deeper_than_there_is_room(void) {
    CHECK(ERRORS_PACKED_DEPTH <= LB_PACKED_DEPTH_MAX);
}

int main(void) {
    TEST(every_text_is_unpacked_as_it_was);
    TEST(nothing_follows_the_last_text);
    TEST(pairs_are_no_deeper_than_there_is_room);
    return tap_done();
}
