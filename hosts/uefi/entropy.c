#include "hosts/uefi/entropy.h"
#include "core/base/text.h"
#include "core/crypto/crypto.h"

bool entropy_bytes_are_good(const uint8_t *bytes, size_t len) {
    size_t same = 0;
    for (size_t i = 0; i < len; i++)
        same += bytes[i] == bytes[0];
    return len > 0 && same < len;
}

bool entropy_words_are_good(const uint64_t *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (words[i] == words[k]) /* by chance: once in 2^58 starts */
                return false;
    return count > 0;
}

void entropy_to_seed(struct entropy *entropy, uint8_t seed[32]) {
    struct lb_bytes all = lb_bytes(entropy, sizeof *entropy);
    lb_hash_parts(LB_HASH_SHA256, &all, 1, seed);
    lb_wipe(entropy, sizeof *entropy);
}

void entropy_say(struct lb_text *text, unsigned sources, const char *method) {
    if (sources == 0) {
        lb_text_add(text, "from the clock alone, which can be guessed");
        return;
    }
    lb_text_add(text, "from ");
    if ((sources & ENTROPY_FIRMWARE) != 0)
        lb_text_add(text, "the firmware (EFI_RNG)");
    if (sources == (ENTROPY_FIRMWARE | ENTROPY_PROCESSOR))
        lb_text_add(text, " and ");
    if ((sources & ENTROPY_PROCESSOR) != 0)
        lb_text_add(text, "the processor (%s)", method);
}
