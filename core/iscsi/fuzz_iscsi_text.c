#include "core/iscsi/iscsi_text.h"
#include "tests/fuzz.h"

static void check_inside(struct lb_bytes whole, struct lb_bytes part) {
    lb_assert(part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

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

/* What is found is what reading all pairs finds. */
static void check_find(struct lb_bytes text) {
    struct lb_bytes last[LB_ISCSI_KEY_COUNT], value, rest = text;
    bool has[LB_ISCSI_KEY_COUNT] = {false};
    struct lb_iscsi_pair pair;
    while (lb_iscsi_text_next(&rest, &pair)) {
        if (pair.problem != LB_PAIR_OK && pair.problem != LB_PAIR_NO_NUL)
            continue;
        has[pair.key] = true;
        last[pair.key] = pair.value;
    }
    for (int key = 0; key < LB_ISCSI_KEY_COUNT; key++) {
        bool found = lb_iscsi_text_find(text, (enum lb_iscsi_key)key, &value);
        lb_assert(found == has[key]);
        lb_assert(!found || lb_bytes_equal(value, last[key]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t room[4096];
    struct lb_bytes text = lb_bytes(data, size);
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_iscsi_pair pair;
    size_t left = text.len;
    check_find(text);
    while (lb_iscsi_text_next(&text, &pair)) {
        lb_assert(text.len < left);
        left = text.len;
        check_inside(lb_bytes(data, size), pair.name);
        check_inside(lb_bytes(data, size), pair.value);
        use_value(pair.value);
        if (pair.problem == LB_PAIR_OK && pair.key != LB_ISCSI_KEY_UNKNOWN)
            lb_iscsi_put(&wr, pair.key, pair.value);
    }
    struct lb_bytes written = lb_wr_done(&wr);
    while (lb_iscsi_text_next(&written, &pair))
        lb_assert(pair.problem == LB_PAIR_OK && pair.key != LB_ISCSI_KEY_UNKNOWN);
    return 0;
}
