#include "core/iscsi/iscsi_text.h"
#include "tests/fuzz.h"

static void use_value(struct lb_bytes value) {
    static const char *const known[] = {"CRC32C", "None"};
    uint64_t number;
    bool yes;
    size_t index;
    if (lb_iscsi_parse_number(value, 512, 16777215, &number))
        lb_assert(number >= 512 && number <= 16777215);
    if (lb_iscsi_parse_bool(value, &yes))
        lb_assert(value.len == (yes ? 3 : 2));
    if (lb_iscsi_list_choose(value, known, 2, &index))
        lb_assert(index < 2);
    (void)lb_iscsi_is_refusal(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t room[4096];
    struct lb_bytes text = lb_bytes(data, size);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_iscsi_pair pair;
    size_t left = text.len;
    while (lb_iscsi_text_next(&text, &pair)) {
        lb_assert(text.len < left);
        left = text.len;
        lb_assert(pair.name.p >= data && pair.name.p + pair.name.len <= data + size);
        lb_assert(pair.value.p >= data && pair.value.p + pair.value.len <= data + size);
        use_value(pair.value);
        if (pair.problem == LB_PAIR_OK && pair.key != LB_KEY_UNKNOWN)
            lb_iscsi_put(&wr, pair.key, pair.value);
    }
    struct lb_bytes written = lb_wr_done(&wr);
    while (lb_iscsi_text_next(&written, &pair))
        lb_assert(pair.problem == LB_PAIR_OK && pair.key != LB_KEY_UNKNOWN);
    return 0;
}
