#include "core/base/text.h"
#include "tests/tap.h"

static char buffer[256];

#define FORMATTED(...) (lb_format(buffer, sizeof(buffer), __VA_ARGS__), buffer)

static void strings_and_characters_are_formatted(void) {
    CHECK_STR(FORMATTED("plain"), "plain");
    CHECK_STR(FORMATTED("%s-%s", "a", "b"), "a-b");
    CHECK_STR(FORMATTED("%.*s|", 2, "abc"), "ab|");
    CHECK_STR(FORMATTED("%.*s|", 5, "abc"), "abc|");
    CHECK_STR(FORMATTED("%.2s|", "abc"), "ab|");
    CHECK_STR(FORMATTED("%c%c", 'x', 'y'), "xy");
    CHECK_STR(FORMATTED("%5s|%-5s|%*s|", "ab", "cd", 4, "ef"), "   ab|cd   |  ef|");
    CHECK_STR(FORMATTED("100%%"), "100%");
}

static void numbers_are_formatted(void) {
    CHECK_STR(FORMATTED("%d %d %d", 0, -1, 42), "0 -1 42");
    CHECK_STR(FORMATTED("%d", INT32_MIN), "-2147483648");
    CHECK_STR(FORMATTED("%u %x %X", 4294967295u, 0xbeefu, 0xbeefu), "4294967295 beef BEEF");
    CHECK_STR(FORMATTED("%08x|%4u|%-4u|%04d|%4d", 0x12u, 7u, 7u, -7, -7),
              "00000012|   7|7   |-007|  -7");
    CHECK_STR(FORMATTED("%zu %lu %ld", (size_t)1, 2ul, -3l), "1 2 -3");
    CHECK_STR(FORMATTED("%llu", (unsigned long long)UINT64_MAX), "18446744073709551615");
    CHECK_STR(FORMATTED("%lld", (long long)INT64_MIN), "-9223372036854775808");
    CHECK_STR(FORMATTED("%016llx", 0xabcull), "0000000000000abc");
}

static void what_does_not_fit_is_cut_and_the_rest_left_out(void) {
    char small[6];
    struct lb_text text = lb_text(small, sizeof(small));
    lb_text_add(&text, "abc");
    CHECK(!text.cut);
    lb_text_add(&text, "defg");
    CHECK(text.cut);
    CHECK_STR(small, "abcde");
    lb_text_add(&text, "%s", "");
    lb_text_add(&text, "h");
    CHECK_STR(small, "abcde");
    CHECK_EQ(text.len, 5);
}

static void a_cut_does_not_split_a_utf8_sequence(void) {
    char small[4];
    struct lb_text text = lb_text(small, sizeof(small));
    lb_text_add(&text, "%s", "ab\xc3\xa4");
    CHECK_STR(small, "ab");
    CHECK(text.cut);
    text = lb_text(small, sizeof(small));
    lb_text_untrusted(&text, lb_bytes("ab\xff", 3));
    CHECK_STR(small, "ab");
    CHECK(text.cut);
}

static void a_buffer_of_one_byte_holds_the_end_alone(void) {
    char one[1] = {'x'};
    struct lb_text text = lb_text(one, 1);
    lb_text_add(&text, "%d", 5);
    CHECK_EQ(one[0], 0);
    CHECK(text.cut);
}

static const char *untrusted(const char *bytes, size_t len) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    lb_text_untrusted(&text, lb_bytes(bytes, len));
    return buffer;
}

static void untrusted_text_keeps_what_is_readable(void) {
    CHECK_STR(untrusted("iqn.2026-11.org:a b~", 20), "iqn.2026-11.org:a b~");
    CHECK_STR(untrusted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe", 9),
              "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe");
}

static void untrusted_text_cannot_drive_a_terminal(void) {
    CHECK_STR(untrusted("a\x1b[2Jb", 6), "a\\x1b[2Jb");
    CHECK_STR(untrusted("a\0b\r\n\t\x7f", 7), "a\\x00b\\x0d\\x0a\\x09\\x7f");
    CHECK_STR(untrusted("\xc2\x9b", 2), "\\xc2\\x9b");          /* C1: CSI */
    CHECK_STR(untrusted("\xe2\x80\xae", 3), "\\xe2\\x80\\xae"); /* right-to-left override */
    CHECK_STR(untrusted("\xe2\x81\xa6", 3), "\\xe2\\x81\\xa6"); /* isolate */
    CHECK_STR(untrusted("\xef\xbb\xbf", 3), "\\xef\\xbb\\xbf"); /* byte order mark */
    CHECK_STR(untrusted("\xff\xc3(", 3), "\\xff\\xc3(");        /* not UTF-8 */
    CHECK_STR(untrusted("\xed\xa0\x80", 3), "\\xed\\xa0\\x80"); /* a surrogate */
}

static const char *json(const char *bytes, size_t len) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    lb_text_json(&text, lb_bytes(bytes, len));
    return buffer;
}

static void json_strings_are_escaped(void) {
    CHECK_STR(json("", 0), "\"\"");
    CHECK_STR(json("a\"b\\c/d", 7), "\"a\\\"b\\\\c/d\"");
    CHECK_STR(json("\n\r\t\0\x1f\x7f", 6), "\"\\n\\r\\t\\u0000\\u001f\\u007f\"");
    CHECK_STR(json("\xc3\xa4", 2), "\"\xc3\xa4\"");
    CHECK_STR(json("\xff\xc3", 2), "\"\\u00ff\\u00c3\"");
}

static void hex_is_written_in_lower_case(void) {
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    lb_text_hex(&text, tap_hex("00 AB ff"));
    CHECK_STR(buffer, "00abff");
}

static bool utf8(const char *bytes) {
    return lb_utf8_is_valid(lb_bytes_of_text(bytes));
}

static void utf8_is_told_from_other_bytes(void) {
    CHECK(utf8(""));
    CHECK(utf8("a\x7f"));
    CHECK(utf8("\xc2\x80\xdf\xbf"));
    CHECK(utf8("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    CHECK(utf8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    CHECK(!utf8("\x80"));
    CHECK(!utf8("\xc0\x80"));         /* overlong NUL */
    CHECK(!utf8("\xc1\xbf"));         /* overlong */
    CHECK(!utf8("\xe0\x9f\xbf"));     /* overlong */
    CHECK(!utf8("\xf0\x8f\xbf\xbf")); /* overlong */
    CHECK(!utf8("\xed\xa0\x80"));     /* first surrogate */
    CHECK(!utf8("\xed\xbf\xbf"));     /* last surrogate */
    CHECK(!utf8("\xf4\x90\x80\x80")); /* beyond U+10FFFF */
    CHECK(!utf8("\xf5\x80\x80\x80"));
    CHECK(!utf8("\xc3"));
    CHECK(!utf8("\xe2\x82"));
    CHECK(!utf8("\xf0\x9f\x92"));
    CHECK(!utf8("\xc3("));
    CHECK(lb_utf8_is_valid(lb_bytes("a\0b", 3)));
}

static bool decimal_is(const char *text, uint64_t max, uint64_t want) {
    uint64_t value = ~want;
    return lb_parse_u64(lb_bytes_of_text(text), max, &value) && value == want;
}

static bool decimal_fails(const char *text, uint64_t max) {
    uint64_t value = 77;
    return !lb_parse_u64(lb_bytes_of_text(text), max, &value) && value == 77;
}

static void decimal_numbers_are_digits_and_nothing_else(void) {
    CHECK(decimal_is("0", 0, 0));
    CHECK(decimal_is("0003260", 65535, 3260));
    CHECK(decimal_is("18446744073709551615", UINT64_MAX, UINT64_MAX));
    CHECK(decimal_fails("18446744073709551616", UINT64_MAX));
    CHECK(decimal_fails("99999999999999999999999", UINT64_MAX));
    CHECK(decimal_fails("65536", 65535));
    CHECK(decimal_fails("", 9));
    CHECK(decimal_fails("-1", 9));
    CHECK(decimal_fails("+1", 9));
    CHECK(decimal_fails(" 1", 9));
    CHECK(decimal_fails("1 ", 9));
    CHECK(decimal_fails("0x1", 9));
}

static void hex_numbers_have_one_to_sixteen_digits(void) {
    uint64_t value = 5;
    CHECK(lb_parse_hex_u64(lb_bytes_of_text("fFfFfFfFfFfFfFfF"), &value));
    CHECK_EQ(value, UINT64_MAX);
    CHECK(lb_parse_hex_u64(lb_bytes_of_text("0a"), &value));
    CHECK_EQ(value, 10);
    CHECK(!lb_parse_hex_u64(lb_bytes_of_text(""), &value));
    CHECK(!lb_parse_hex_u64(lb_bytes_of_text("00000000000000000"), &value));
    CHECK(!lb_parse_hex_u64(lb_bytes_of_text("0x1"), &value));
    CHECK(!lb_parse_hex_u64(lb_bytes_of_text("g"), &value));
    CHECK_EQ(value, 10);
}

static bool hex_bytes_are(const char *text, const char *want) {
    uint8_t room[6];
    size_t len = 0;
    struct lb_bytes expected = tap_hex(want);
    return lb_parse_hex_bytes(lb_bytes_of_text(text), lb_span(room, sizeof(room)), &len) &&
           lb_bytes_equal(lb_bytes(room, len), expected);
}

static void hex_bytes_come_in_pairs(void) {
    CHECK(hex_bytes_are("", ""));
    CHECK(hex_bytes_are("0aFF", "0a ff"));
    CHECK(hex_bytes_are("52:54:00:12:34:56", "525400123456"));
    CHECK(hex_bytes_are("5254:00123456", "525400123456"));
    CHECK(!hex_bytes_are("52:54:00:12:34:56:78", "52540012345678"));
    CHECK(!hex_bytes_are("525", "52"));
    CHECK(!hex_bytes_are(":52", "52"));
    CHECK(!hex_bytes_are("52:", "52"));
    CHECK(!hex_bytes_are("52::54", "5254"));
    CHECK(!hex_bytes_are("5g", "50"));
}

static void a_copy_into_a_fixed_array_is_whole_or_empty(void) {
    char to[4] = "xyz";
    CHECK(lb_text_copy(to, sizeof(to), lb_bytes_of_text("abc")));
    CHECK_STR(to, "abc");
    CHECK(!lb_text_copy(to, sizeof(to), lb_bytes_of_text("abcd")));
    CHECK_STR(to, "");
    CHECK(!lb_text_copy(to, sizeof(to), lb_bytes("a\0b", 3)));
    CHECK_STR(to, "");
    CHECK(lb_text_copy(to, sizeof(to), lb_bytes(NULL, 0)));
    CHECK_STR(to, "");
}

static void lists_are_taken_apart(void) {
    struct lb_bytes list = lb_bytes_of_text("a, b ,,c"), item;
    CHECK(lb_list_next(&list, ',', &item) && lb_text_is(item, "a"));
    CHECK(lb_list_next(&list, ',', &item) && lb_text_is(item, "b"));
    CHECK(lb_list_next(&list, ',', &item) && lb_text_is(item, ""));
    CHECK(lb_list_next(&list, ',', &item) && lb_text_is(item, "c"));
    CHECK(!lb_list_next(&list, ',', &item));
    list = lb_bytes_of_text("");
    CHECK(!lb_list_next(&list, ',', &item));
}

static void a_text_is_split_at_its_first_mark(void) {
    struct lb_bytes before, after;
    CHECK(lb_split_at(lb_bytes_of_text("key=a=b"), '=', &before, &after));
    CHECK(lb_text_is(before, "key") && lb_text_is(after, "a=b"));
    CHECK(lb_split_at(lb_bytes_of_text("key="), '=', &before, &after));
    CHECK(lb_text_is(before, "key") && after.len == 0);
    CHECK(lb_split_at(lb_bytes_of_text("="), '=', &before, &after));
    CHECK(before.len == 0 && after.len == 0);
    CHECK(!lb_split_at(lb_bytes_of_text("key"), '=', &before, &after));
    CHECK(lb_text_is(before, "key") && after.len == 0);
    CHECK(!lb_split_at((struct lb_bytes){0}, '=', &before, &after));
    CHECK(before.len == 0 && after.len == 0);
}

/* RFC 4122 4.1.2; the second form is that of the EFI System Partition's type on a disk. */
static void a_uuid_is_swapped_between_text_and_efi(void) {
    static const uint8_t text[16] = {0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2,
                                     0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    static const uint8_t efi[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                    0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    uint8_t swapped[16];
    lb_uuid_swap(text, swapped);
    CHECK_BYTES(lb_bytes(swapped, 16), lb_bytes(efi, 16));
    lb_uuid_swap(efi, swapped);
    CHECK_BYTES(lb_bytes(swapped, 16), lb_bytes(text, 16));
}

static void texts_compare(void) {
    CHECK(lb_streq("ab", "ab"));
    CHECK(!lb_streq("ab", "abc"));
    CHECK(lb_text_is(lb_bytes("abc", 2), "ab"));
    CHECK(!lb_text_is(lb_bytes("ab\0", 3), "ab"));
    CHECK_EQ(lb_strlen("abc"), 3);
    CHECK_EQ(lb_ascii_lower('Q'), 'q');
    CHECK_EQ(lb_ascii_lower('['), '[');
    CHECK_BYTES(lb_bytes_trim(lb_bytes_of_text(" \ta b\r\n")), lb_bytes_of_text("a b"));
    CHECK_EQ(lb_bytes_trim(lb_bytes_of_text(" \t ")).len, 0);
}

static void what_was_given_is_cut_and_hides_what_may_be_a_secret(void) {
    char shown_text[64];
    struct lb_text text = lb_text(shown_text, sizeof shown_text);
    lb_text_given(&text, lb_bytes_of_text("192.0.2.1\x1b[2J"), 40);
    CHECK_STR(shown_text, "192.0.2.1\\x1b[2J");
    text = lb_text(shown_text, sizeof shown_text);
    lb_text_given(&text, lb_bytes_of_text("a long value"), 6);
    CHECK_STR(shown_text, "a long...");
    text = lb_text(shown_text, sizeof shown_text);
    lb_text_given(&text, lb_bytes_of_text("user:secret@192.0.2.1"), 40);
    CHECK_STR(shown_text, "(not shown: it may hold a secret)");
}

/* C1 controls, bidirectional controls, blanks without room and separators, in all their places. */
static void nothing_that_a_terminal_obeys_is_shown_or_stands_in_json(void) {
    static const struct {
        const char *raw, *json;
    } rows[] = {
        {"\xc2\x80", "\\u0080"},
        {"\xc2\x9b", "\\u009b"},
        {"\xc2\x9f", "\\u009f"},
        {"\xc2\xad", "\\u00ad"},
        {"\xd8\x9c", "\\u061c"},
        {"\xe2\x80\x8b", "\\u200b"},
        {"\xe2\x80\x8e", "\\u200e"},
        {"\xe2\x80\x8f", "\\u200f"},
        {"\xe2\x80\xa8", "\\u2028"},
        {"\xe2\x80\xa9", "\\u2029"},
        {"\xe2\x80\xaa", "\\u202a"},
        {"\xe2\x80\xae", "\\u202e"},
        {"\xe2\x81\xa6", "\\u2066"},
        {"\xe2\x81\xa9", "\\u2069"},
        {"\xe2\x81\xa0", "\\u2060"},
        {"\xef\xbb\xbf", "\\ufeff"},
        {"\xe1\xa0\x8e", "\\u180e"},
        {"\x7f", "\\u007f"},
        {"\xf3\xa0\x81\x81", "\\udb40\\udc41"},
        {"\xff", "\\u00ff"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char shown_text[64], want[64];
        struct lb_text text = lb_text(shown_text, sizeof shown_text);
        CHECK(!lb_text_is_fit(lb_bytes_of_text(rows[i].raw)));
        lb_text_untrusted(&text, lb_bytes_of_text(rows[i].raw));
        CHECK(lb_text_is_fit(lb_bytes_of_text(shown_text)));
        text = lb_text(shown_text, sizeof shown_text);
        lb_text_json(&text, lb_bytes_of_text(rows[i].raw));
        lb_format(want, sizeof want, "\"%s\"", rows[i].json);
        CHECK_STR(shown_text, want);
    }
    CHECK(lb_text_is_fit(lb_bytes_of_text("Gr\xc3\xbc\xc3\x9f"
                                          "e \xe2\x82\xac \xf0\x9f\x92\xbe")));
}

static void sizes_are_cut_to_a_tenth(void) {
    CHECK_STR(lb_size_text(0).s, "0 bytes");
    CHECK_STR(lb_size_text(1023).s, "1023 bytes");
    CHECK_STR(lb_size_text(1024).s, "1.0 KiB");
    CHECK_STR(lb_size_text(1536).s, "1.5 KiB");
    CHECK_STR(lb_size_text(UINT64_C(3) << 40).s, "3.0 TiB");
    CHECK_STR(lb_size_text(UINT64_MAX).s, "15.9 EiB");
}

int main(void) {
    TEST(strings_and_characters_are_formatted);
    TEST(numbers_are_formatted);
    TEST(what_does_not_fit_is_cut_and_the_rest_left_out);
    TEST(a_cut_does_not_split_a_utf8_sequence);
    TEST(a_buffer_of_one_byte_holds_the_end_alone);
    TEST(untrusted_text_keeps_what_is_readable);
    TEST(untrusted_text_cannot_drive_a_terminal);
    TEST(json_strings_are_escaped);
    TEST(hex_is_written_in_lower_case);
    TEST(utf8_is_told_from_other_bytes);
    TEST(decimal_numbers_are_digits_and_nothing_else);
    TEST(hex_numbers_have_one_to_sixteen_digits);
    TEST(hex_bytes_come_in_pairs);
    TEST(a_copy_into_a_fixed_array_is_whole_or_empty);
    TEST(lists_are_taken_apart);
    TEST(a_text_is_split_at_its_first_mark);
    TEST(a_uuid_is_swapped_between_text_and_efi);
    TEST(texts_compare);
    TEST(what_was_given_is_cut_and_hides_what_may_be_a_secret);
    TEST(nothing_that_a_terminal_obeys_is_shown_or_stands_in_json);
    TEST(sizes_are_cut_to_a_tenth);
    return tap_done();
}
