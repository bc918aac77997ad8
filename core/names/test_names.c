/* Names that several protocols use: HOST:PORT, and LUNs as messages show them. */
#include "core/names/rootpath.h"
#include "tests/tap.h"

/* ---- HOST:PORT ------------------------------------------------------------------------------- */

static void an_address_or_a_name_may_have_a_port(void) {
    static const struct {
        const char *text, *host; /* host: an address as it is shown, or the name */
        uint16_t port;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7", 0},
        {"192.0.2.7:3261", "192.0.2.7", 3261},
        {"[2001:db8::7]", "2001:db8::7", 0},
        {"[2001:db8::7]:3261", "2001:db8::7", 3261},
        {"2001:db8::7", "2001:db8::7", 0},
        {"2001:db8::7:3261", "2001:db8::7:3261", 0}, /* an address, as it stands */
        {"[fe80::1%eth0]:3260", "fe80::1", 3260},
        {"san.example.com", "san.example.com", 0},
        {"a:1", "a", 1},
        {"san.example.com:65535", "san.example.com", 65535},
        {"san_1.example.com:3260", "san_1.example.com", 3260},
        {"3par:3260", "3par", 3260},
        {"7up", "7up", 0},
        {"nas.4thfloor.", "nas.4thfloor.", 0},
        {"1.storage_", "1.storage_", 0},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_host_port got;
        tap_note("%s", rows[i].text);
        if (!CHECK(lb_host_port_parse(lb_bytes_of_text(rows[i].text), &got)))
            continue;
        CHECK_STR(got.kind == LB_HOST_NAME ? got.name : lb_addr_text(got.at.addr).s, rows[i].host);
        CHECK_EQ(got.at.port, rows[i].port);
    }
}

static void a_wrong_host_or_port_leaves_the_output(void) {
    static const char *const wrong[] = {
        "",        ":",           ":3260",    "192.0.2.7:",  "192.0.2.7:0",
        "[::1",    "[::1]x",      "[::1]:",   "192.0.2.7:x", "192.0.2.7:65536",
        "192.0.2", "192.0.2.300", "a/b",      "a b",         "[192.0.2.7]",
        "[]",      "[]:3260",     "a:b:c",    "0x7f.1",      "-a",
        "san.1",   "_a_-:3260",   "::1%eth0", "$(reboot)",   "a\"b",
        "7",       "192.0.2.7.",  "0x7f",     "192.0.2.7x",  "10.0.0.1b",
        "7.",      "192.7th",
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        struct lb_host_port got = {.at = {.port = 7}};
        tap_note("%s", wrong[i]);
        CHECK(!lb_host_port_parse(lb_bytes_of_text(wrong[i]), &got));
        CHECK_EQ(got.at.port, 7);
        CHECK_EQ(got.kind, LB_HOST_NONE);
    }
}

static void a_name_that_is_too_long_is_none(void) {
    char longest[LB_HOST_MAX + 2];
    struct lb_host_port got;
    memset(longest, '_', sizeof longest);
    CHECK(!lb_host_port_parse(lb_bytes(longest, LB_HOST_MAX + 1), &got));
}

/* ---- LUNs ------------------------------------------------------------------------------------ */

static void a_lun_is_a_number_and_the_root_paths_form_where_that_differs(void) {
    static const char *const pairs[][2] = {
        {"0000000000000000", "0"},
        {"0001000000000000", "1"},
        {"0009000000000000", "9"},
        {"000a000000000000", "10 (Root Path: a)"},
        {"0010000000000000", "16 (Root Path: 10)"},
        {"412c000000000000", "300 (Root Path: 412c)"},
        {"0102000000000000", "0x0102 (Root Path: 102)"},
        {"0001000200000000", "0001000200000000 (Root Path: 1-2)"},
        {"67340009156f0127", "67340009156f0127 (Root Path: 6734-9-156f-127)"},
        {"ffffffffffffffff", "ffffffffffffffff (Root Path: ffff-ffff-ffff-ffff)"},
    };
    for (size_t i = 0; i < LB_COUNT(pairs); i++)
        CHECK_STR(lb_lun_text(tap_hex(pairs[i][0]).p).s, pairs[i][1]);
}

static void a_list_of_luns_names_the_form_once(void) {
    static const uint8_t first[8] = {0, 16}, second[8] = {0, 17};
    char buffer[64];
    struct lb_text text = lb_text(buffer, sizeof buffer);
    CHECK(lb_lun_format_both(&text, first, "Root Path: "));
    lb_text_add(&text, " ");
    CHECK(lb_lun_format_both(&text, second, ""));
    CHECK_STR(buffer, "16 (Root Path: 10) 17 (11)");
}

int main(void) {
    TEST(an_address_or_a_name_may_have_a_port);
    TEST(a_wrong_host_or_port_leaves_the_output);
    TEST(a_name_that_is_too_long_is_none);
    TEST(a_lun_is_a_number_and_the_root_paths_form_where_that_differs);
    TEST(a_list_of_luns_names_the_form_once);
    return tap_done();
}
