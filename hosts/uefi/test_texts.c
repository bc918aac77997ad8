/* The packed sentences (tools/pack-texts) against those of errors.def and config.def. */
#include "core/base/config.h"
#include "core/base/error.h"
#include "core/base/packed.h"
#include "tests/tap.h"
#include "texts_packed.h"

static const char *unpacked(unsigned index) {
    static char room[300]; /* as the page has */
    struct lb_text text = lb_text(room, sizeof(room));
    lb_unpack(&text, texts_packed, texts_pairs, index);
    CHECK(!text.cut);
    return room;
}

static unsigned count_texts(void) {
    unsigned texts = 0;
    for (size_t i = 0; i < sizeof(texts_packed); i++)
        texts += texts_packed[i] == 0;
    return texts;
}

static void every_text_of_an_error_is_unpacked_as_it_was(void) {
    for (unsigned code = 0; code < LB_CODE_COUNT; code++) {
        CHECK_STR(unpacked(2 * code), lb_code_what((enum lb_code)code));
        CHECK_STR(unpacked(2 * code + 1), lb_code_hint((enum lb_code)code));
    }
}

static bool is_a_keys_sentence(const char *text) {
    for (unsigned key = 0; key < LB_KEY_COUNT; key++)
        if (lb_streq(text, lb_key_sentence(lb_key_info((enum lb_key)key))))
            return true;
    return false;
}

static void the_others_are_sentences_of_keys(void) {
    unsigned count = count_texts();
    CHECK(count > 2 * LB_CODE_COUNT);
    CHECK_STR(unpacked(2 * LB_CODE_COUNT), lb_key_sentence(lb_key_info(LB_KEY_ADDRESS)));
    for (unsigned index = 2 * LB_CODE_COUNT; index < count; index++)
        CHECK(is_a_keys_sentence(unpacked(index)));
}

static void pairs_are_no_deeper_than_there_is_room(void) {
    CHECK(TEXTS_PACKED_DEPTH <= LB_PACKED_DEPTH_MAX);
}

int main(void) {
    TEST(every_text_of_an_error_is_unpacked_as_it_was);
    TEST(the_others_are_sentences_of_keys);
    TEST(pairs_are_no_deeper_than_there_is_room);
    return tap_done();
}
