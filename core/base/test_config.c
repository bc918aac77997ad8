/* The configuration's keys: what is accepted, who wins, what a wrong value is told. */
#include "core/base/config.h"
#include "tests/tap.h"
#include <string.h>

static struct lb_config config;
static struct lb_error error;

static struct lb_bytes text(const char *s) {
    return lb_bytes_of_text(s);
}

static bool set(const char *key, const char *value) {
    error = (struct lb_error){.code = LB_OK};
    return lb_config_set(&config, LB_SOURCE_OPTION, text(key), text(value), &error);
}

static void clear(void) {
    memset(&config, 0, sizeof config);
}

static void every_key_has_a_sentence_and_accepts_its_own_default(void) {
    for (size_t i = 0; i < LB_KEY_COUNT; i++) {
        const struct lb_key_info *info = lb_key_info((enum lb_key)i);
        size_t len = lb_strlen(lb_key_sentence(info));
        clear();
        CHECK(len > 10 && lb_key_sentence(info)[len - 1] == '.');
        if (lb_key_initial(info)[0] != '\0')
            CHECK(set(info->word, lb_key_initial(info)));
    }
}

static void nothing_is_set_in_a_zeroed_configuration(void) {
    clear();
    CHECK(!lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(lb_config_bool(&config, LB_KEY_ARP_PROBE));
    CHECK_EQ(lb_config_u32(&config, LB_KEY_OFFER_WAIT), 800);
    CHECK_EQ(lb_config_u32(&config, LB_KEY_RETRY_TIME), 300000);
    CHECK_EQ(lb_config_u32(&config, LB_KEY_MTU), 0);
    CHECK_STR(lb_config_text(&config, LB_KEY_CLIENT_ID), "mac");
    for (size_t i = 0; i < LB_KEY_COUNT; i++)
        CHECK(!lb_config_is_set(&config, (enum lb_key)i));
}

static void the_later_source_wins_in_either_order(void) {
    clear();
    CHECK(lb_config_set(&config, LB_SOURCE_OPTION, text("lun"), text("2"), &error));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("lun"), text("1"), &error));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "2");
    CHECK(lb_config_set(&config, LB_SOURCE_PERSON, text("lun"), text("3"), &error));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "3");
    CHECK_EQ(lb_config_source(&config, LB_KEY_LUN), LB_SOURCE_PERSON);
}

static void quotes_round_a_value_of_a_file_are_left_out_but_not_of_a_secret(void) {
    static const char file[] = "enable = \"yes\"\nserver = ' 192.0.2.1 '\nchap-name = \"\n"
                               "chap-secret = \"twelve-bytes-1\"\n";
    clear();
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, text(file), &error));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(lb_config_text(&config, LB_KEY_SERVER), "192.0.2.1");
    CHECK_STR(lb_config_text(&config, LB_KEY_CHAP_NAME), "\"");
    CHECK_EQ(lb_config_secret(&config, LB_KEY_CHAP_SECRET).len, 16);
}

static void durations_take_units_and_bare_numbers_are_seconds(void) {
    clear();
    CHECK(set("retry-time", "500ms") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 500);
    CHECK(set("retry-time", "2m") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 120000);
    CHECK(set("retry-time", "7") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 7000);
    CHECK(set("retry-time", "9s") && lb_config_u32(&config, LB_KEY_RETRY_TIME) == 9000);
    CHECK(!set("retry-time", "ms"));
    CHECK(!set("retry-time", "4294967295m"));
    CHECK(!set("retry-time", "-1"));
    CHECK_EQ(lb_config_u32(&config, LB_KEY_RETRY_TIME), 9000);
}

static void a_wrong_value_names_the_key_and_the_form(void) {
    clear();
    CHECK(!set("port", "70000"));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK_STR(error.facts, "port=70000, expected 1 to 65535");
    CHECK(!set("header-digest", "maybe"));
    CHECK_STR(error.facts, "header-digest=maybe, expected none|prefer|crc32c");
    CHECK(!set("address", "192.0.2.300/24"));
    CHECK(!set("dns", "192.0.2.1,nonsense"));
    CHECK(!set("require", "chap,tls"));
    CHECK(!set("isid", "0011"));
    CHECK(!set("hostname", "two\nlines"));
}

static void an_unknown_key_suggests_the_nearest(void) {
    clear();
    CHECK(!set("initator", "x"));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
    CHECK_STR(error.facts, "`initator`; did you mean `initiator`?");
    CHECK(!set("chap-secret:tip-top", "x")); /* what may be a value is not shown */
    CHECK_STR(error.facts, "`chap-secret...`; did you mean `chap-secret`?");
}

static void a_secret_is_never_in_an_error_and_is_wiped(void) {
    char seen[8] = "";
    clear();
    CHECK(!set("chap-secret", ""));
    CHECK(set("chap-secret", "tip-top-secret-1"));
    struct lb_bytes secret = lb_config_secret(&config, LB_KEY_CHAP_SECRET);
    CHECK_BYTES(secret, text("tip-top-secret-1"));
    lb_config_wipe_secrets(&config);
    CHECK_EQ(lb_config_secret(&config, LB_KEY_CHAP_SECRET).len, 0);
    for (size_t i = 0; i + 3 <= sizeof config.texts; i++)
        if (memcmp(config.texts + i, "tip", 3) == 0)
            memcpy(seen, "found", 6);
    CHECK_STR(seen, "");
    CHECK(!set("chap-secret", "0xabc"));
    CHECK(error.facts[0] != '\0' && memcmp(error.facts, "chap-secret=a secret", 20) == 0);
}

static bool config_holds(const char *part) {
    size_t len = lb_strlen(part);
    for (size_t i = 0; i + len <= sizeof config.texts; i++)
        if (memcmp(config.texts + i, part, len) == 0)
            return true;
    return false;
}

static void a_secret_that_another_replaced_is_gone(void) {
    clear();
    CHECK(set("chap-secret", "the-first-secret"));
    CHECK(set("chap-secret", "the-second-secret"));
    CHECK(!config_holds("the-first"));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("chap-secret"), text("weaker"), &error));
    CHECK(!config_holds("weaker"));
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), text("the-second-secret"));
    lb_config_wipe_secrets(&config);
    CHECK(!config_holds("secret"));
}

static void a_secret_may_be_binary_as_hex(void) {
    clear();
    CHECK(set("chap-secret", "0x00ff10"));
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), lb_bytes("\0\xff\x10", 3));
}

static void a_file_is_lines_of_key_and_value(void) {
    static const char file[] = "# a comment\n\nenable = yes\r\n  lun=1\nchap-secret = a = b # c\n"
                               "rootpath = iscsi:192.0.2.1::::iqn.2026-11.test:disk";
    clear();
    CHECK(lb_config_file(&config, LB_SOURCE_FILE, text(file), &error));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "1");
    CHECK_BYTES(lb_config_secret(&config, LB_KEY_CHAP_SECRET), text("a = b # c"));
    CHECK_STR(lb_config_text(&config, LB_KEY_ROOTPATH), "iscsi:192.0.2.1::::iqn.2026-11.test:disk");
}

static void a_wrong_line_is_named_by_its_number(void) {
    clear();
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_file(&config, LB_SOURCE_FILE, text("lun = 1\nnonsense\n"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_LINE);
    CHECK_STR(error.facts, "line 2");
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_file(&config, LB_SOURCE_FILE, text("\n\nport = many\n"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
    CHECK_STR(error.facts, "line 3: port=many, expected 1 to 65535");
}

static void the_kernel_command_line_gives_our_words_alone(void) {
    clear();
    CHECK(lb_config_cmdline(
        &config,
        text("root=/dev/sda quiet lunboot.enable lunboot.lun=5 "
             "lunboot.boot-entry=\"a b\" \"lunboot.kernel-options=c d\" lunbootx=1\n"),
        &error));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "5");
    CHECK_STR(lb_config_text(&config, LB_KEY_BOOT_ENTRY), "a b");
    CHECK_STR(lb_config_text(&config, LB_KEY_KERNEL_OPTIONS), "c d");
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_cmdline(&config, text("lunboot.unknown-thing=1"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
}

static void too_much_text_is_refused_and_changes_nothing(void) {
    static char longest[1025];
    clear();
    memset(longest, 'x', sizeof longest - 1);
    CHECK(set("rootpath", "kept"));
    unsigned accepted = 0;
    while (accepted < 100 && set("rootpath", longest))
        accepted++;
    CHECK(accepted >= 1 && accepted < 100);
    CHECK_EQ(lb_strlen(lb_config_text(&config, LB_KEY_ROOTPATH)), 1024);
}

static void requirements_are_words_of_a_list(void) {
    clear();
    CHECK(set("require", "mutual-chap, data-digest"));
    CHECK(lb_config_requires(&config, "mutual-chap"));
    CHECK(lb_config_requires(&config, "data-digest"));
    CHECK(!lb_config_requires(&config, "chap"));
}

/* ---- what forbids --------------------------------------------------------------------------- */

static void no_of_any_source_forbids_whatever_another_says(void) {
    for (unsigned no = LB_SOURCE_IBFT; no < LB_SOURCES; no++) {
        for (unsigned yes = LB_SOURCE_IBFT; yes < LB_SOURCES; yes++) {
            for (unsigned first = 0; first < 2; first++) {
                enum lb_config_source sources[2] = {(enum lb_config_source)no,
                                                    (enum lb_config_source)yes};
                clear();
                for (unsigned i = 0; i < 2; i++)
                    CHECK(lb_config_set(&config, sources[i ^ first], text("enable"),
                                        text((i ^ first) == 0 ? "no" : "yes"), &error));
                CHECK(!lb_config_bool(&config, LB_KEY_ENABLE));
                CHECK_EQ(lb_config_source(&config, LB_KEY_ENABLE), no);
            }
        }
    }
}

/* ---- files that are not what their writer left ---------------------------------------------- */

static bool file(struct lb_bytes bytes) {
    clear();
    error = (struct lb_error){.code = LB_OK};
    return lb_config_file(&config, LB_SOURCE_FILE, bytes, &error);
}

static void a_byte_order_mark_and_cr_lf_are_read_as_what_they_are(void) {
    CHECK(file(text("\xef\xbb\xbf"
                    "enable = yes\r\nlun = 3\r\n\r\n# a comment\r\ntrace = on")));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE) && lb_config_bool(&config, LB_KEY_TRACE));
    CHECK_STR(lb_config_text(&config, LB_KEY_LUN), "3");
}

#define BYTES(literal)                                                                             \
    { literal, sizeof(literal) - 1 }

static void bytes_that_are_no_text_are_an_error_that_names_the_line(void) {
    static const struct {
        struct {
            const char *p;
            size_t len;
        } bytes;
        const char *facts;
    } cases[] = {
        {BYTES("enable = yes\nallow-server = 10.0.0.1\0\n"), "line 2: a NUL byte"},
        {BYTES("enable = yes\n\0\0\0\0"), "line 2: a NUL byte"},
        {BYTES("# a\0b\nenable = yes\n"), "line 1: a NUL byte"},
        {BYTES("e\0n\0a\0b\0l\0e\0"), "line 1: a NUL byte"},
        {BYTES("enable = yes\nchap-secret = twelve\x1b bytes\n"), "line 2: a control character"},
        {BYTES("chap-secret = twelve\rbytes\n"), "line 1: a control character"},
        {BYTES("hostname = b\xfcro\n"), "line 1: bytes that are no UTF-8"},
        {BYTES("# b\xfcro\nenable = yes\n"), "line 1: bytes that are no UTF-8"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!file(lb_bytes(cases[i].bytes.p, cases[i].bytes.len)));
        CHECK_EQ(error.code, LB_E_CONFIG_BYTES);
        CHECK_HAS(error.facts, cases[i].facts);
    }
}

/* People and phones write the first letter large. */
static void keys_and_words_count_in_any_case(void) {
    CHECK(file(text("Enable = Yes\nRequire = CHAP,Address\nPREFER-FAMILY = Auto\n"
                    "Chap-Algorithms = SHA256,md5\nTarget = iqn.2026-11.test:Disk1\nIBFT=OFF\n")));
    CHECK(lb_config_bool(&config, LB_KEY_ENABLE));
    CHECK(!lb_config_bool(&config, LB_KEY_IBFT));
    CHECK_STR(lb_config_text(&config, LB_KEY_REQUIRE), "chap,address");
    CHECK_STR(lb_config_text(&config, LB_KEY_PREFER_FAMILY), "auto");
    CHECK_STR(lb_config_text(&config, LB_KEY_CHAP_ALGORITHMS), "sha256,md5");
    CHECK_STR(lb_config_text(&config, LB_KEY_TARGET), "iqn.2026-11.test:Disk1");
    CHECK(set("Require", "MUTUAL-CHAP")); /* adds up */
    CHECK_STR(lb_config_text(&config, LB_KEY_REQUIRE), "chap,address,mutual-chap");
    CHECK(!file(text("enable = yes\nENABLE = No\n")));
    CHECK_EQ(error.code, LB_E_CONFIG_TWICE);
    CHECK(file(text("enable = yes\nENABLE = YES\n")));
    CHECK(!file(text("require = chap,MAGIC\n")));
    CHECK_HAS(error.facts, "item 2, `MAGIC`");
}

static void a_secret_in_hex_may_begin_in_any_case_and_has_whole_bytes(void) {
    CHECK(set("chap-secret", "0X0a0B0c0D0e0F101112131415"));
    CHECK_EQ(lb_config_secret(&config, LB_KEY_CHAP_SECRET).len, 12);
    CHECK(!set("chap-secret", "0x0102030405060708090a0b0"));
    CHECK_HAS(error.facts, "0x and 23 characters");
    CHECK_HAS(error.facts, "pairs of hex digits");
}

static void a_byte_order_mark_within_a_file_is_no_part_of_a_key(void) {
    CHECK(!file(text("enable = yes\n\xef\xbb\xbflun = 1\n")));
    CHECK_EQ(error.code, LB_E_CONFIG_KEY);
    CHECK_HAS(error.facts, "line 2");
}

static void a_key_with_two_values_in_one_file_is_an_error(void) {
    static const struct {
        const char *file, *facts;
    } cases[] = {
        {"lun = 1\nport = 3261\nlun = 2\n", "line 3: lun, first set in line 1"},
        {"enable = no\nenable = yes\n", "line 2: enable, first set in line 1"},
        {"retry-time = 1m\nretry-time = 61s\n", "line 2: retry-time"},
        {"chap-secret = twelve-bytes-1\nchap-secret = twelve-bytes-2", "line 2: chap-secret"},
        {"allow-server = 10.0.0.1\nallow-server = 10.0.0.2\n", "line 2: allow-server"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!file(text(cases[i].file)));
        CHECK_EQ(error.code, LB_E_CONFIG_TWICE);
        CHECK_HAS(error.facts, cases[i].facts);
    }
    CHECK(strstr(error.facts, "10.0.0") == NULL);
    CHECK(file(text("lun = 1\nlun = 1\nenable = yes\nenable = on\nretry-time = 1m\n"
                    "retry-time = 60s\n")));
}

static void a_key_with_two_values_on_one_command_line_is_an_error(void) {
    clear();
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_cmdline(&config, text("lunboot.lun=1 quiet lunboot.lun=2"), &error));
    CHECK_EQ(error.code, LB_E_CONFIG_TWICE);
    clear();
    CHECK(lb_config_cmdline(&config, text("lunboot.lun=1 lunboot.lun=1"), &error));
}

static void a_word_of_the_command_line_without_its_value_is_an_error(void) {
    static const char *const lines[] = {
        "lunboot.target",         "quiet lunboot.allow-server", "lunboot.=x",
        "lunboot.hostname=\"a b", "\"lunboot.hostname=a b",     "lunboot.chap_name=x",
    };
    for (size_t i = 0; i < LB_COUNT(lines); i++) {
        clear();
        error = (struct lb_error){.code = LB_OK};
        if (!CHECK(!lb_config_cmdline(&config, text(lines[i]), &error)))
            tap_note("%s", lines[i]);
    }
    clear();
    CHECK(lb_config_cmdline(&config, text("systemd.x=\"a b other=\"y lunboot lunboot=1"), &error));
}

/* ---- lists ---------------------------------------------------------------------------------- */

static const struct {
    const char *key, *value, *item;
} wrong_items[] = {
    {"allow-server", "10.9.8.7,192.0.2.*", "item 2, `192.0.2.*`"},
    {"allow-server", "*", "item 1, `*`"},
    {"allow-server", "*.example.com", "item 1"},
    {"allow-server", "192.0.2.0/33", "item 1, `192.0.2.0/33`"},
    {"allow-server", "2001:db8::/129", "item 1"},
    {"allow-server", "192.0.2", "item 1, `192.0.2`"},
    {"allow-server", "192.0.2.256", "item 1"},
    {"allow-server", "192.0.2.01", "item 1"},
    {"allow-server", "10.0.0.0/8/8", "item 1"},
    {"allow-server", "10.0.0.0/", "item 1"},
    {"allow-server", "10.0.0.0/255.0.0.0", "item 1"},
    {"allow-server", "192.0.2.1-192.0.2.9", "item 1"},
    {"allow-server", "192.0.2.1:3260", "item 1"},
    {"allow-server", "[2001:db8::1]", "item 1"},
    {"allow-server", "fe80::1%eth0", "item 1, `fe80::1%eth0`"},
    {"allow-server", "::ffff:192.0.2.1", "item 1"},
    {"allow-server", "192.0.2.1/24", "bits set beyond its length"},
    {"allow-server", "2001:db8::1/64", "bits set beyond its length"},
    {"allow-server", "0.0.0.0", "no server's address"},
    {"allow-server", "224.0.0.1", "no server's address"},
    {"allow-server", "::", "no server's address"},
    {"allow-server", "ff02::1", "no server's address"},
    {"allow-server", "192.0.2.1,,192.0.2.2", "item 2 is empty"},
    {"allow-server", "192.0.2.1,", "item 2 is empty"},
    {"allow-server", ",192.0.2.1", "item 1 is empty"},
    {"allow-server", "192.0.2.1 192.0.2.2", "item 1"},
    {"allow-server", "192.0.2.1;192.0.2.2", "item 1"},
    {"allow-server", "!192.0.2.1", "item 1"},
    {"allow-server", "host*name.example.com", "item 1"},
    {"allow-server", "192.0.2.1x", "item 1"},
    {"allow-server", "", "is empty"},
    {"routes", "198.51.100.0/24 via 192.0.2.1,x", "item 2, `x`"},
    {"routes", "198.51.100.1/24 via 192.0.2.1", "item 1"},
    {"allow-target", "iqn.*x*", "item 1, `iqn.*x*`"},
    {"allow-target", "*disk", "item 1"},
    {"allow-target", "iqn.2026-11.test:d*k", "item 1"},
    {"allow-target", "iqn.2026-11.test:a b", "item 1"},
    {"allow-target", "disk/1", "item 1"},
    {"allow-target", "iqn.2026-11.test:a,,*", "item 2 is empty"},
    {"allow-target", ",", "item 1 is empty"},
    {"isns-server", "192.0.2.1:0", "item 1"},
    {"isns-server", "192.0.2.1:65536", "item 1"},
    {"isns-server", "192.0.2.1:", "item 1"},
    {"isns-server", "[2001:db8::1", "item 1"},
    {"isns-server", "isns.example.com:x", "item 1"},
    {"isns-server", "isns.example.com,", "item 2 is empty"},
    {"cards", "eth0", "item 1, `eth0`"},
    {"cards", "net0,52:54:00:12:34", "item 2"},
    {"cards", "net", "item 1"},
    {"dns", "192.0.2.1,", "item 2 is empty"},
    {"dns", "dns.example.com", "item 1"},
    {"slp-agent", "192.0.2.1,x", "item 2, `x`"},
    {"slp-scopes", "a,,b", "item 2 is empty"},
    {"chap-algorithms", "md5,rot13", "item 2, `rot13`"},
    {"chap-algorithms", "", "is empty"},
    {"require", "chap,mutual", "item 2, `mutual`"},
    {"require", "chap,", "item 2 is empty"},
    {"require", "", "is empty"},
    {"discovery", "isns,everything", "item 2"},
};

static void an_item_that_can_match_nothing_is_an_error_at_its_place(void) {
    for (size_t i = 0; i < LB_COUNT(wrong_items); i++) {
        clear();
        if (!CHECK(!set(wrong_items[i].key, wrong_items[i].value)) ||
            !CHECK_HAS(error.facts, wrong_items[i].item))
            tap_note("%s = %s", wrong_items[i].key, wrong_items[i].value);
        CHECK(!lb_config_is_set(&config, LB_KEY_ALLOW_SERVER));
    }
}

static void items_of_each_legal_form_are_taken(void) {
    static const struct {
        const char *key, *value;
    } cases[] = {
        {"allow-server", "192.0.2.0/24, 2001:db8::/32,10.1.2.3,::1,127.0.0.1,fe80::1"},
        {"allow-server", "0.0.0.0/0,::/0"},
        {"allow-server", "storage.example.com,Storage,xn--bcher-kva.example,s.example.com."},
        {"allow-target", "*"},
        {"allow-target", "iqn.*,iqn.2026-11.test:*, iqn.2026-11.test,IQN.2026-11.Test:Disk_1"},
        {"allow-target", "eui.0123456789ABCDEF,naa.0123456789abcdef,eui.01*"},
        {"allow-target", "naa.0123456789abcdef0123456789abcdef,iqn.2026-11.test:\xc3\xa4"},
        {"isns-server", "192.0.2.9,192.0.2.9:3205,isns.example.com,isns.example.com:3205"},
        {"isns-server", "2001:db8::9,[2001:db8::9],[2001:db8::9]:3205"},
        {"cards", "net0,net12,52:54:00:12:34:56,525400123456"},
        {"chap-algorithms", "sha3-256,tgt-sha1,md5"},
        {"chap-algorithms", "8,7,6,5"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        clear();
        if (!CHECK(set(cases[i].key, cases[i].value)))
            tap_note("%s = %s: %s", cases[i].key, cases[i].value, error.facts);
    }
}

static void an_empty_value_is_an_error_where_it_would_mean_nothing(void) {
    static const char *const keys[] = {"chap-name",          "chap-secret", "chap-target-name",
                                       "chap-target-secret", "target",      "server",
                                       "rootpath",           "initiator",   "lun",
                                       "interface",          "address",     "require"};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        clear();
        if (!CHECK(!set(keys[i], "")))
            tap_note("%s", keys[i]);
    }
}

static void a_listed_name_of_no_form_is_an_error_unless_such_names_are_accepted(void) {
    static const char *const lists[] = {
        "disk",
        "disk*",
        "iqn.2026-11",
        "iqn.2026.test:disk",
        "iqn.*,kumo-img",
        "eui.0123",
        "eui.0123456789abcdef0*",
        "naa.x*",
    };
    for (size_t i = 0; i < LB_COUNT(lists); i++) {
        clear();
        CHECK(set("allow-target", lists[i]));
        if (!CHECK(!lb_config_check(&config, &error)))
            tap_note("%s", lists[i]);
        CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
        CHECK_HAS(error.facts, "allow-target");
        CHECK_HAS(error.facts, "accept-names=lenient");
        error = (struct lb_error){.code = LB_OK};
        CHECK(set("accept-names", "lenient"));
        CHECK(lb_config_check(&config, &error));
    }
    clear();
    CHECK(set("allow-initiator", "iqn.2026-11.test:a,client1"));
    CHECK(!lb_config_check(&config, &error));
    CHECK_HAS(error.facts, "item 2, `client1`");
}

/* ---- what belongs together ------------------------------------------------------------------ */

static void half_of_chap_names_key_file_and_line(void) {
    CHECK(file(text("enable = yes\nchap-target-secret = twelve-bytes-1\n")));
    config.name[LB_SOURCE_FILE] = "/etc/lunboot.conf";
    CHECK(!lb_config_check(&config, &error));
    CHECK_EQ(error.code, LB_E_CONFIG_HALF);
    CHECK_STR(error.facts, "chap-target-secret (/etc/lunboot.conf, line 2) needs chap-name");
}

static void halves_of_two_persons_sources_are_a_whole(void) {
    CHECK(file(text("chap-secret = twelve-bytes-1\n")));
    CHECK(!lb_config_check(&config, &error));
    CHECK(lb_config_set(&config, LB_SOURCE_KERNEL, text("chap-name"), text("me"), &error));
    CHECK(lb_config_check(&config, &error));
}

static void from_table(const char *key, const char *value) {
    struct lb_error none = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_IBFT, text(key), text(value), &none));
}

static void the_tables_half_and_a_persons_are_no_whole(void) {
    clear();
    from_table("chap-name", "of-the-table");
    from_table("chap-secret", "secret-of-the-table");
    CHECK(lb_config_check(&config, &error));
    CHECK(lb_config_has_chap(&config, LB_KEY_CHAP_NAME));
    error = (struct lb_error){.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("chap-secret"), text("of-a-person-12"),
                        &error));
    CHECK(!lb_config_has_chap(&config, LB_KEY_CHAP_NAME));
    CHECK(!lb_config_check(&config, &error));
    CHECK_HAS(error.facts, "chap-secret (configuration file) needs chap-name, and that of the");
    error = (struct lb_error){.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, text("chap-name"), text("me"), &error));
    CHECK(lb_config_check(&config, &error));
}

static void a_table_that_says_chap_needs_name_and_secret(void) {
    clear();
    from_table("target", "iqn.2026-11.test:disk");
    lb_text_copy(config.table.target, sizeof config.table.target, text("iqn.2026-11.test:disk"));
    CHECK(lb_config_check(&config, &error));
    config.table.chap = true;
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_check(&config, &error));
    CHECK_HAS(error.facts, "wants CHAP, and there is no chap-name");
    from_table("chap-name", "me");
    from_table("chap-secret", "secret-of-the-table");
    CHECK(lb_config_check(&config, &error));
    config.table.mutual = true;
    error = (struct lb_error){.code = LB_OK};
    CHECK(!lb_config_check(&config, &error));
    CHECK_HAS(error.facts, "wants mutual CHAP, and there is no chap-target-secret");
    error = (struct lb_error){.code = LB_OK};
    CHECK(set("rootpath", "iscsi:192.0.2.9:::1:iqn.2026-11.test:other"));
    CHECK(lb_config_check(&config, &error)); /* another target is booted */
}

/* What goes into files, kernel words and shells that others read is checked where it enters. */
static void names_of_machines_and_interfaces_have_no_odd_characters(void) {
    static const char *const hosts[] = {"x';id;'", "$(id)", "`id`",     "a b", "a\"b",
                                        "a;b",     "a:b",   "-a",       ".a",  "a/b",
                                        "a,b",     "a\\b",  "\xc3\xbc", ""};
    static const char *const interfaces[] = {"eth0;id", "eth 0", "a/b",  ".", "..",
                                             "$(id)",   "a'b",   "a\"b", "",  "eth0,eth1"};
    static const char *const texts[] = {"a\xc2\x9b", "\xe2\x80\xae", "a\x7f", "\xe2\x80\xa8"};
    memset(&config, 0, sizeof config);
    for (size_t i = 0; i < LB_COUNT(hosts); i++) {
        struct lb_error one = {.code = LB_OK}, two = {.code = LB_OK};
        if (!CHECK(!lb_config_set(&config, LB_SOURCE_KERNEL, lb_bytes_of_text("hostname"),
                                  lb_bytes_of_text(hosts[i]), &one)) ||
            !CHECK(!lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("domain"),
                                  lb_bytes_of_text(hosts[i]), &two)))
            tap_note("%s", hosts[i]);
    }
    for (size_t i = 0; i < LB_COUNT(interfaces); i++) {
        struct lb_error one = {.code = LB_OK};
        if (!CHECK(!lb_config_set(&config, LB_SOURCE_KERNEL, lb_bytes_of_text("interface"),
                                  lb_bytes_of_text(interfaces[i]), &one)))
            tap_note("%s", interfaces[i]);
    }
    for (size_t i = 0; i < LB_COUNT(texts); i++) {
        struct lb_error one = {.code = LB_OK};
        CHECK(!lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("chap-name"),
                             lb_bytes_of_text(texts[i]), &one));
    }
    struct lb_error none = {.code = LB_OK};
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("hostname"),
                        lb_bytes_of_text("node_1.rack-2.example"), &none));
    CHECK(lb_config_set(&config, LB_SOURCE_FILE, lb_bytes_of_text("interface"),
                        lb_bytes_of_text("br-lan:1.42@x"), &none));
}

static void keys_of_dhcp_are_whole_or_an_error(void) {
    static const char *const wrong[] = {"12345678", "1:short", "1:12345678,1:87654321",
                                        "1@:12345678"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        clear();
        CHECK(set("dhcp-keys", wrong[i]));
        CHECK(!lb_config_check(&config, &error));
        CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
        CHECK(strstr(error.facts, "12345678") == NULL);
    }
    clear();
    CHECK(set("dhcp-keys", "1:12345678,1@boot.example:0x0001020304050607"));
    CHECK(set("require", "dhcp-auth"));
    CHECK(lb_config_check(&config, &error));
    CHECK(set("bootp", "yes"));
    CHECK(!lb_config_check(&config, &error));
    CHECK_HAS(error.facts, "BOOTP cannot be authenticated");
}

static void authentication_that_is_required_needs_a_key(void) {
    clear();
    CHECK(set("require", "chap,dhcp-auth"));
    CHECK(!lb_config_check(&config, &error));
    CHECK_EQ(error.code, LB_E_CONFIG_HALF);
    CHECK_HAS(error.facts, "dhcp-auth needs dhcp-keys");
}

static void an_architecture_is_a_number_or_one_of_two_words(void) {
    static const char *const right[] = {"auto", "none", "", "0", "7", "65535"};
    static const char *const wrong[] = {"65536", "x86", "-1", "7 ", "Auto", "0x7"};
    uint16_t arch = 0;
    for (size_t i = 0; i < LB_COUNT(right); i++) {
        clear();
        CHECK(set("client-arch", right[i]) && lb_config_check(&config, &error));
        CHECK_EQ(lb_config_arch(&config, &arch), i >= 3);
    }
    CHECK_EQ(arch, 65535);
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        clear();
        if (!set("client-arch", wrong[i])) /* longer than any */
            continue;
        CHECK(!lb_config_arch(&config, &arch));
        CHECK(!lb_config_check(&config, &error));
        CHECK_EQ(error.code, LB_E_CONFIG_VALUE);
        CHECK_HAS(error.facts, "client-arch (command line): `");
        CHECK_HAS(error.facts, "expected auto, none, or 0 to 65535");
    }
}

static bool is_refused(enum lb_code code, const char *facts) {
    bool is_good = !lb_config_check(&config, &error);
    is_good = CHECK_EQ(error.code, code) && is_good;
    return CHECK_HAS(error.facts, facts) && is_good;
}

static void ipsec_by_halves_is_an_error_that_names_the_line(void) {
    static const char *const keys[] = {"ipsec-psk", "ipsec-id", "ipsec-peer-id"};
    static const char *const values[] = {"0123456789abcdef", "me.example", "disk.example"};
    for (unsigned has = 1; has < 7; has++) { /* all but none and all of them */
        clear();
        for (unsigned i = 0; i < 3; i++)
            if (has >> i & 1)
                CHECK(set(keys[i], values[i]));
        CHECK(is_refused(LB_E_CONFIG_HALF, "needs ipsec-"));
        CHECK(strstr(error.facts, "0123456789abcdef") == NULL);
    }
    clear();
    CHECK(!set("ipsec-psk", "only 15 bytes ."));
    clear();
    for (unsigned i = 0; i < 3; i++)
        CHECK(set(keys[i], values[i]));
    CHECK(lb_config_check(&config, &error));
    CHECK(set("require", "ipsec"));
    CHECK(lb_config_check(&config, &error));
    CHECK(set("ipsec", "target"));
    CHECK(is_refused(LB_E_CONFIG_VALUE, "is target, and require has ipsec"));
    clear();
    CHECK(set("ipsec-mode", "transport"));
    CHECK(is_refused(LB_E_CONFIG_HALF, "ipsec-mode (command line) needs ipsec-psk"));
}

static void ipsec_that_is_asked_for_needs_a_key(void) {
    clear();
    CHECK(set("require", "chap,ipsec"));
    CHECK(is_refused(LB_E_CONFIG_HALF, "ipsec needs ipsec-psk"));
    clear();
    CHECK(set("ipsec", "all"));
    CHECK(is_refused(LB_E_CONFIG_HALF, "all needs ipsec-psk"));
}

/* ---- forms ----------------------------------------------------------------------------------- */

static void check_form(enum lb_key key, const char *want) {
    char form[200];
    struct lb_text to = lb_text(form, sizeof form);
    lb_key_form(&to, key);
    CHECK_STR(form, want);
}

static void the_form_of_a_key_has_its_bounds(void) {
    check_form(LB_KEY_PING_INTERVAL, "duration (500ms, 10s, 2m), 100ms to 60m");
    check_form(LB_KEY_RECOVERY_TIME, "duration (500ms, 10s, 2m), 0s to 1440m");
    check_form(LB_KEY_QUEUE_DEPTH, "1 to 256");
    check_form(LB_KEY_ENABLE, "yes or no");
    check_form(LB_KEY_IPSEC_PEER_ID, "text, up to 255 bytes");
    check_form(LB_KEY_DOMAIN, "name of letters, digits and . - _, up to 255 bytes");
    check_form(LB_KEY_INTERFACE, "letters, digits and . _ : + @ -, up to 31 bytes");
    check_form(LB_KEY_IPSEC_PSK,
               "secret of 16 to 128 bytes; 0x and pairs of hex digits for binary");
    check_form(LB_KEY_ISID, "6 bytes as hex digits");
}

static void the_form_of_a_key_says_what_it_takes(void) {
    check_form(LB_KEY_GATEWAY, "IP address");
    check_form(LB_KEY_ADDRESS, "ADDRESS/LENGTH");
    check_form(LB_KEY_SLP_AGENT, "IP addresses, with commas");
    check_form(LB_KEY_SLP_SCOPES, "list, with commas");
    check_form(LB_KEY_ALLOW_SERVER, "addresses, ADDRESS/LENGTH or host names, with commas");
    check_form(LB_KEY_ALLOW_INITIATOR, "iSCSI names, with commas; the end may be *");
    check_form(LB_KEY_ISNS_SERVER, "HOST or HOST:PORT, with commas");
    check_form(LB_KEY_ROUTES, "NETWORK/LENGTH via ROUTER, with commas; or without via ROUTER");
    check_form(LB_KEY_CARDS, "MAC addresses or net0, net1, ..., with commas");
    check_form(LB_KEY_DATA_DIGEST, "none|prefer|crc32c");
}

int main(void) {
    TEST(the_form_of_a_key_has_its_bounds);
    TEST(the_form_of_a_key_says_what_it_takes);
    TEST(every_key_has_a_sentence_and_accepts_its_own_default);
    TEST(nothing_is_set_in_a_zeroed_configuration);
    TEST(the_later_source_wins_in_either_order);
    TEST(quotes_round_a_value_of_a_file_are_left_out_but_not_of_a_secret);
    TEST(durations_take_units_and_bare_numbers_are_seconds);
    TEST(a_wrong_value_names_the_key_and_the_form);
    TEST(an_unknown_key_suggests_the_nearest);
    TEST(a_secret_is_never_in_an_error_and_is_wiped);
    TEST(a_secret_that_another_replaced_is_gone);
    TEST(a_secret_may_be_binary_as_hex);
    TEST(a_file_is_lines_of_key_and_value);
    TEST(a_wrong_line_is_named_by_its_number);
    TEST(the_kernel_command_line_gives_our_words_alone);
    TEST(too_much_text_is_refused_and_changes_nothing);
    TEST(ipsec_by_halves_is_an_error_that_names_the_line);
    TEST(ipsec_that_is_asked_for_needs_a_key);
    TEST(requirements_are_words_of_a_list);
    TEST(no_of_any_source_forbids_whatever_another_says);
    TEST(a_byte_order_mark_and_cr_lf_are_read_as_what_they_are);
    TEST(bytes_that_are_no_text_are_an_error_that_names_the_line);
    TEST(keys_and_words_count_in_any_case);
    TEST(a_secret_in_hex_may_begin_in_any_case_and_has_whole_bytes);
    TEST(a_byte_order_mark_within_a_file_is_no_part_of_a_key);
    TEST(a_key_with_two_values_in_one_file_is_an_error);
    TEST(a_key_with_two_values_on_one_command_line_is_an_error);
    TEST(a_word_of_the_command_line_without_its_value_is_an_error);
    TEST(an_item_that_can_match_nothing_is_an_error_at_its_place);
    TEST(items_of_each_legal_form_are_taken);
    TEST(an_empty_value_is_an_error_where_it_would_mean_nothing);
    TEST(a_listed_name_of_no_form_is_an_error_unless_such_names_are_accepted);
    TEST(half_of_chap_names_key_file_and_line);
    TEST(halves_of_two_persons_sources_are_a_whole);
    TEST(the_tables_half_and_a_persons_are_no_whole);
    TEST(a_table_that_says_chap_needs_name_and_secret);
    TEST(names_of_machines_and_interfaces_have_no_odd_characters);
    TEST(keys_of_dhcp_are_whole_or_an_error);
    TEST(authentication_that_is_required_needs_a_key);
    TEST(an_architecture_is_a_number_or_one_of_two_words);
    return tap_done();
}
