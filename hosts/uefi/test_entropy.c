/* What counts as a source of randomness, and what is made of all of them. */
#include "core/base/mem.h"
#include "core/base/text.h"
#include "hosts/uefi/entropy.h"
#include "tests/tap.h"

static void a_source_that_is_stuck_does_not_count(void) {
    uint8_t zeros[32] = {0}, ones[32], good[32] = {1, 2, 3};
    memset(ones, 0xff, sizeof ones);
    CHECK(!entropy_bytes_are_good(zeros, sizeof zeros));
    CHECK(!entropy_bytes_are_good(ones, sizeof ones));
    CHECK(!entropy_bytes_are_good(good, 0));
    CHECK(entropy_bytes_are_good(good, sizeof good));
}

static void a_processor_that_gives_a_word_twice_does_not_count(void) {
    uint64_t zeros[4] = {0}, ones[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    uint64_t circle[4] = {5, 6, 5, 6}, good[4] = {5, 6, 7, 8};
    CHECK(!entropy_words_are_good(zeros, 4));
    CHECK(!entropy_words_are_good(ones, 4));
    CHECK(!entropy_words_are_good(circle, 4));
    CHECK(!entropy_words_are_good(good, 0));
    CHECK(entropy_words_are_good(good, 4));
}

static void every_source_alone_changes_the_seed(void) {
    uint8_t seeds[6][32];
    for (size_t i = 0; i < 6; i++) {
        struct entropy entropy = {0};
        entropy.firmware[31] = i == 1;
        entropy.processor[7] = i == 2;
        entropy.moments[7] = i == 3;
        entropy.time[15] = i == 4;
        entropy.machine[23] = i == 5;
        entropy_to_seed(&entropy, seeds[i]);
        for (size_t k = 0; k < i; k++)
            CHECK(memcmp(seeds[i], seeds[k], 32) != 0);
    }
}

static void nothing_of_it_is_left(void) {
    struct entropy entropy, wiped;
    uint8_t seed[32];
    memset(&entropy, 0x5a, sizeof entropy);
    memset(&wiped, 0, sizeof wiped);
    entropy_to_seed(&entropy, seed);
    CHECK_BYTES(lb_bytes(&entropy, sizeof entropy), lb_bytes(&wiped, sizeof entropy));
}

static const char *said(unsigned sources, const char *method) {
    static char words[100];
    struct lb_text text = lb_text(words, sizeof words);
    entropy_say(&text, sources, method);
    return words;
}

static void it_says_where_they_come_from(void) {
    CHECK_STR(said(0, NULL), "from the clock alone, which can be guessed");
    CHECK_STR(said(ENTROPY_FIRMWARE, NULL), "from the firmware (EFI_RNG)");
    CHECK_STR(said(ENTROPY_PROCESSOR, "RDRAND"), "from the processor (RDRAND)");
    CHECK_STR(said(ENTROPY_FIRMWARE | ENTROPY_PROCESSOR, "RNDR"),
              "from the firmware (EFI_RNG) and the processor (RNDR)");
}

int main(void) {
    TEST(a_source_that_is_stuck_does_not_count);
    TEST(a_processor_that_gives_a_word_twice_does_not_count);
    TEST(every_source_alone_changes_the_seed);
    TEST(nothing_of_it_is_left);
    TEST(it_says_where_they_come_from);
    return tap_done();
}
