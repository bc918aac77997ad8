/* Every text that CHAP reads from a peer. First byte: how much room a binary value gets, in steps
 * of 5 bytes; the rest: the text. */
#include "core/chap/chap.h"
#include "tests/fuzz.h"

static void binary_values(struct lb_bytes value, size_t cap) {
    uint8_t room[LB_CHAP_BINARY_MAX + 256], again[LB_CHAP_BINARY_MAX + 256];
    size_t len = 0, again_len = 0;
    lb_assert(cap <= sizeof(room));
    if (lb_chap_parse_binary(value, lb_span(room, cap), &len) != LB_CHAP_BINARY_OK) {
        lb_assert(len == 0);
        return;
    }
    lb_assert(len > 0 && len <= cap);

    /* What was read is written and read back the same, in both encodings. */
    char buffer[2 + 2 * sizeof(room) + 1];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    lb_chap_format_hex(&text, lb_bytes(room, len));
    lb_assert(!text.cut);
    lb_assert(lb_chap_parse_binary(lb_bytes(buffer, text.len), lb_span(again, len), &again_len) ==
              LB_CHAP_BINARY_OK);
    lb_assert(lb_bytes_equal(lb_bytes(room, len), lb_bytes(again, again_len)));
    text = lb_text(buffer, sizeof(buffer));
    lb_chap_format_base64(&text, lb_bytes(room, len));
    lb_assert(!text.cut);
    lb_assert(lb_chap_parse_binary(lb_bytes(buffer, text.len), lb_span(again, len), &again_len) ==
              LB_CHAP_BINARY_OK);
    lb_assert(lb_bytes_equal(lb_bytes(room, len), lb_bytes(again, again_len)));
}

static void algorithms(struct lb_bytes value) {
    struct lb_chap_alg alg;
    if (lb_chap_accept_alg(&lb_chap_default_algs, value, &alg))
        lb_assert(alg.number >= 5 && alg.number <= 8);
    if (lb_chap_choose_alg(&lb_chap_default_algs, value, &alg))
        lb_assert(alg.number >= 5 && alg.number <= 8);

    struct lb_chap_algs algs;
    if (!lb_chap_parse_algs(value, &algs))
        return;
    lb_assert(algs.count > 0 && algs.count <= LB_CHAP_ALGS_MAX);
    char buffer[2 * LB_CHAP_ALGS_MAX];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    lb_chap_format_algs(&text, &algs);
    lb_assert(!text.cut);
    lb_assert(lb_chap_choose_alg(&algs, lb_bytes(buffer, text.len), &alg));
    lb_assert(alg.number == algs.alg[0].number && alg.hash == algs.alg[0].hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    struct lb_bytes value = lb_bytes(data + 1, size - 1);
    binary_values(value, (size_t)data[0] * 5);
    algorithms(value);
    uint8_t id;
    (void)lb_chap_parse_id(value, &id);
    return 0;
}
