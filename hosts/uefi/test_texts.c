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

/* All codes. */
#define LB_ERROR(name, word, stage, cure, tells, what, hint) LB_E_##name,
static const enum lb_code codes[] = {
    LB_OK,
#include "core/base/errors.def"
};
#undef LB_ERROR

static void every_text_of_an_error_is_unpacked_as_it_was(void) {
    for (unsigned i = 0; i < LB_COUNT(codes); i++) {
        CHECK_STR(unpacked(2 * i), lb_code_what(codes[i]));
        CHECK_STR(unpacked(2 * i + 1), lb_code_hint(codes[i]));
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
    CHECK(count > 2 * LB_COUNT(codes));
    CHECK_STR(unpacked(2 * LB_COUNT(codes)), lb_key_sentence(lb_key_info(LB_KEY_ADDRESS)));
    for (unsigned index = 2 * LB_COUNT(codes); index < count; index++)
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
