#include "core/base/limits.h"
#include "core/iscsi/iscsi_text.h"
#include "tests/tap.h"

#define TEXT(s) lb_bytes((s), sizeof(s) - 1) /* with embedded NULs, without the last one */

static struct lb_iscsi_pair first_of(struct lb_bytes text) {
    struct lb_iscsi_pair pair = {.problem = LB_PAIR_OK};
    CHECK(lb_iscsi_text_next(&text, &pair));
    return pair;
}

static void pairs_come_one_after_the_other(void) {
    struct lb_bytes text = TEXT("InitiatorName=iqn.a\0SessionType=Normal\0X-com.vendor=1=2\0");
    struct lb_iscsi_pair pair;
    CHECK(lb_iscsi_text_next(&text, &pair));
    CHECK_EQ(pair.key, LB_ISCSI_KEY_INITIATOR_NAME);
    CHECK_EQ(pair.problem, LB_PAIR_OK);
    CHECK(lb_text_is(pair.value, "iqn.a"));
    CHECK(lb_iscsi_text_next(&text, &pair));
    CHECK_EQ(pair.key, LB_ISCSI_KEY_SESSION_TYPE);
    CHECK(lb_iscsi_text_next(&text, &pair));
    CHECK_EQ(pair.key, LB_ISCSI_KEY_UNKNOWN);
    CHECK(lb_text_is(pair.name, "X-com.vendor"));
    CHECK(lb_text_is(pair.value, "1=2"));
    CHECK(!lb_iscsi_text_next(&text, &pair));
}

/* CVE-2024-38805: the remaining length wrapped around. */
static void a_segment_without_equals_ends(void) {
    struct lb_bytes text = TEXT("CHAP_A\0\0\0CHAP_I");
    struct lb_iscsi_pair pair;
    CHECK(lb_iscsi_text_next(&text, &pair));
    CHECK_EQ(pair.problem, LB_PAIR_NO_EQUALS);
    CHECK_EQ(pair.value.len, 0);
    CHECK(lb_iscsi_text_next(&text, &pair));
    CHECK_EQ(pair.problem, LB_PAIR_NO_EQUALS);
    CHECK(!lb_iscsi_text_next(&text, &pair));
}

static void the_last_value_may_lack_its_nul(void) {
    struct lb_iscsi_pair pair = first_of(TEXT("X=Y"));
    CHECK_EQ(pair.problem, LB_PAIR_NO_NUL);
    CHECK(lb_text_is(pair.value, "Y"));
}

static void empty_texts_have_no_pairs(void) {
    struct lb_bytes none = lb_bytes(NULL, 0), nuls = TEXT("\0\0\0\0");
    struct lb_iscsi_pair pair;
    CHECK(!lb_iscsi_text_next(&none, &pair));
    CHECK(!lb_iscsi_text_next(&nuls, &pair));
}

static void a_key_may_have_63_bytes_and_no_more(void) {
    char text[80];
    memset(text, 'k', sizeof text);
    text[63] = '=';
    text[64] = 'v';
    text[65] = 0;
    CHECK_EQ(first_of(lb_bytes(text, 66)).problem, LB_PAIR_OK);
    text[63] = 'k';
    text[64] = '=';
    CHECK_EQ(first_of(lb_bytes(text, 66)).problem, LB_PAIR_KEY_TOO_LONG);
    CHECK_EQ(first_of(TEXT("=v\0")).problem, LB_PAIR_KEY_EMPTY);
}

static void a_value_may_be_empty_and_not_endless(void) {
    static char text[LB_ISCSI_VALUE_LONG_MAX + 4] = "k=";
    CHECK_EQ(first_of(TEXT("TargetAlias=\0")).value.len, 0);
    memset(text + 2, 'v', LB_ISCSI_VALUE_LONG_MAX);
    CHECK_EQ(first_of(lb_bytes(text, sizeof text - 1)).problem, LB_PAIR_OK);
    text[sizeof text - 2] = 'v';
    CHECK_EQ(first_of(lb_bytes(text, sizeof text)).problem, LB_PAIR_VALUE_TOO_LONG);
}

static void every_truncation_is_read_to_its_end(void) {
    static const char whole[] = "AuthMethod=CHAP,None\0\0CHAP_A=5\0=\0X\0TargetName=iqn.b:c\0";
    for (size_t len = 0; len < sizeof whole; len++) {
        uint8_t copy[sizeof whole];
        memcpy(copy, whole, len);
        struct lb_bytes text = lb_bytes(copy, len);
        struct lb_iscsi_pair pair;
        size_t pairs = 0;
        while (lb_iscsi_text_next(&text, &pair)) {
            CHECK(pair.value.len == 0 || pair.value.p + pair.value.len <= copy + len);
            pairs++;
        }
        CHECK(pairs <= 5 && text.len == 0);
    }
}

static void every_key_has_a_name_that_finds_it(void) {
    for (size_t i = 1; i < LB_ISCSI_KEY_COUNT; i++) {
        const char *name = lb_iscsi_key_name((enum lb_iscsi_key)i);
        CHECK_EQ(lb_iscsi_key_find(lb_bytes_of_text(name)), i);
        CHECK(lb_strlen(name) <= LB_ISCSI_KEY_MAX);
    }
    CHECK_EQ(lb_iscsi_key_find(TEXT("authmethod")), LB_ISCSI_KEY_UNKNOWN);
    CHECK_EQ(lb_iscsi_key_find(TEXT("")), LB_ISCSI_KEY_UNKNOWN);
}

static void numbers_are_decimal_or_hex_and_in_range(void) {
    uint64_t n = 7;
    CHECK(lb_iscsi_parse_number(TEXT("8192"), 512, 16777215, &n) && n == 8192);
    CHECK(lb_iscsi_parse_number(TEXT("0x2000"), 512, 16777215, &n) && n == 8192);
    CHECK(lb_iscsi_parse_number(TEXT("0XfF"), 0, 255, &n) && n == 255);
    CHECK(!lb_iscsi_parse_number(TEXT("511"), 512, 16777215, &n));
    CHECK(!lb_iscsi_parse_number(TEXT("16777216"), 512, 16777215, &n));
    CHECK(!lb_iscsi_parse_number(TEXT("18446744073709551616"), 0, UINT64_MAX, &n));
    CHECK(!lb_iscsi_parse_number(TEXT("0x"), 0, 255, &n));
    CHECK(!lb_iscsi_parse_number(TEXT(""), 0, 255, &n));
    CHECK(!lb_iscsi_parse_number(TEXT("-1"), 0, 255, &n));
    CHECK(!lb_iscsi_parse_number(TEXT("5 "), 0, 255, &n));
    CHECK_EQ(n, 255);
}

static void booleans_are_yes_and_no_alone(void) {
    bool yes = false;
    CHECK(lb_iscsi_parse_bool(TEXT("Yes"), &yes) && yes);
    CHECK(lb_iscsi_parse_bool(TEXT("No"), &yes) && !yes);
    CHECK(!lb_iscsi_parse_bool(TEXT("yes"), &yes) && !lb_iscsi_parse_bool(TEXT(""), &yes));
}

static void the_originators_order_decides(void) {
    static const char *const known[] = {"None", "CRC32C"};
    size_t index = 9;
    CHECK(lb_iscsi_list_choose(TEXT("CRC32C,None"), known, 2, &index) && index == 1);
    CHECK(lb_iscsi_list_choose(TEXT("X,None,CRC32C"), known, 2, &index) && index == 0);
    CHECK(!lb_iscsi_list_choose(TEXT("KRB5,Nonesuch"), known, 2, &index));
    CHECK(!lb_iscsi_list_choose(TEXT(""), known, 2, &index));
    CHECK(lb_iscsi_list_has(TEXT("CHAP,None"), "None") && !lb_iscsi_list_has(TEXT("CHAP"), "None"));
    CHECK(lb_iscsi_is_refusal(TEXT("Reject")) && !lb_iscsi_is_refusal(TEXT("reject")));
}

/* CVE-2026-44943: names that become paths and lines of logs. */
static void a_name_does_no_harm_where_it_is_shown(void) {
    static char longest[LB_NAME_MAX + 1];
    CHECK(lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:disk_1-a.B")));
    CHECK(lb_iscsi_is_name(TEXT("eui.02004567A425678D")));
    CHECK(lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:\xc3\xbc")));
    CHECK(!lb_iscsi_is_name(TEXT("")));
    CHECK(!lb_iscsi_is_name(TEXT("-disk1")));
    CHECK(!lb_iscsi_is_name(TEXT("../disk1")));
    CHECK(lb_iscsi_is_name(TEXT("disk1"))); /* targets have such names */
    CHECK(lb_iscsi_is_name(TEXT("iqn.x")));
    CHECK(lb_iscsi_is_name(TEXT("IQN.2003-01.org.example:Disk")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:a\";reboot;\"")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:$(reboot)")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:a\xc2\xa0"
                                 "b")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:\xe2\x80\xae"
                                 "evil")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:../../etc/passwd")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:a\nb")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:a b")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:\x1b[2J")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:\xc2\x9b"
                                 "2J")));
    CHECK(!lb_iscsi_is_name(TEXT("iqn.2003-01.org.example:\xff")));
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "iqn.2003-01.org.example:", 24);
    CHECK(lb_iscsi_is_name(lb_bytes(longest, LB_NAME_MAX)));
    CHECK(!lb_iscsi_is_name(lb_bytes(longest, LB_NAME_MAX + 1)));
}

static void what_is_written_is_read_back(void) {
    uint8_t room[200];
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    struct lb_bytes value;
    lb_iscsi_put_text(&wr, LB_ISCSI_KEY_TARGET_NAME, "iqn.2003-01.org.example:x");
    lb_iscsi_put_number(&wr, LB_ISCSI_KEY_MAX_BURST_LENGTH, 262144);
    lb_iscsi_put_bool(&wr, LB_ISCSI_KEY_INITIAL_R2T, false);
    lb_iscsi_put_named(&wr, TEXT("X-y"), "NotUnderstood");
    CHECK_BYTES(lb_wr_done(&wr),
                TEXT("TargetName=iqn.2003-01.org.example:x\0MaxBurstLength=262144\0"
                     "InitialR2T=No\0X-y=NotUnderstood\0"));
    CHECK(lb_iscsi_text_find(lb_wr_done(&wr), LB_ISCSI_KEY_MAX_BURST_LENGTH, &value));
    CHECK(lb_text_is(value, "262144"));
    CHECK(!lb_iscsi_text_find(lb_wr_done(&wr), LB_ISCSI_KEY_AUTH_METHOD, &value));
    CHECK(lb_iscsi_text_find(lb_wr_done(&wr), LB_ISCSI_KEY_UNKNOWN, &value));
    CHECK(lb_text_is(value, "NotUnderstood"));
}

static void the_last_pair_of_a_key_is_found(void) {
    struct lb_bytes value, text = TEXT("\0TargetNam=a\0TargetName\0TargetName=bc\0TargetNames=d\0"
                                       "xTargetName=e\0TargetName=fgh=i\0\0SessionType=");
    CHECK(lb_iscsi_text_find(text, LB_ISCSI_KEY_TARGET_NAME, &value));
    CHECK(lb_text_is(value, "fgh=i"));
    CHECK(lb_iscsi_text_find(text, LB_ISCSI_KEY_SESSION_TYPE, &value));
    CHECK_EQ(value.len, 0);
    CHECK(!lb_iscsi_text_find(lb_bytes(text.p, text.len - 1), LB_ISCSI_KEY_SESSION_TYPE, &value));
    CHECK(!lb_iscsi_text_find(lb_bytes(NULL, 0), LB_ISCSI_KEY_TARGET_NAME, &value));
}

/* A key is found by its whole name, and by its equals sign. */
static void what_only_begins_like_a_key_is_not_found(void) {
    static const struct lb_bytes texts[] = {
        {(const uint8_t *)"TargetNames=d", 14}, {(const uint8_t *)"TargetName", 11},
        {(const uint8_t *)"TargetName", 10},    {(const uint8_t *)"TargetNam=", 11},
        {(const uint8_t *)"xTargetName=e", 14}, {(const uint8_t *)"targetname=e", 13},
    };
    struct lb_bytes value;
    for (size_t i = 0; i < LB_COUNT(texts); i++)
        if (!CHECK(!lb_iscsi_text_find(texts[i], LB_ISCSI_KEY_TARGET_NAME, &value)))
            tap_note("%s", (const char *)texts[i].p);
    CHECK(lb_iscsi_text_find(TEXT("TargetName="), LB_ISCSI_KEY_TARGET_NAME, &value));
    CHECK_EQ(value.len, 0);
}

int main(void) {
    TEST(pairs_come_one_after_the_other);
    TEST(a_segment_without_equals_ends);
    TEST(the_last_value_may_lack_its_nul);
    TEST(empty_texts_have_no_pairs);
    TEST(a_key_may_have_63_bytes_and_no_more);
    TEST(a_value_may_be_empty_and_not_endless);
    TEST(every_truncation_is_read_to_its_end);
    TEST(every_key_has_a_name_that_finds_it);
    TEST(numbers_are_decimal_or_hex_and_in_range);
    TEST(booleans_are_yes_and_no_alone);
    TEST(the_originators_order_decides);
    TEST(a_name_does_no_harm_where_it_is_shown);
    TEST(what_is_written_is_read_back);
    TEST(the_last_pair_of_a_key_is_found);
    TEST(what_only_begins_like_a_key_is_not_found);
    return tap_done();
}
