/* The Root Path: what is accepted as what, and what is wrong where. The numbers of the rows are
 * those of the project's fact sheet, whose tables were checked with another parser. */
#include "core/names/rootpath.h"
#include "tests/tap.h"
#include <string.h>

#define IQN  "iqn.2001-04.com.example:disk"
#define V4   "iscsi:192.0.2.10:"
#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X195 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define N223 "iqn.2001-04.com.example:xxxx" X195 /* 28 + 195 bytes */

static bool parse(struct lb_bytes string, unsigned flags, struct lb_rootpath *rootpath,
                  struct lb_rootpath_where *where, struct lb_error *error) {
    memset(rootpath, 0xee, sizeof *rootpath);
    memset(where, 0xee, sizeof *where);
    memset(error, 0, sizeof *error);
    return lb_rootpath_parse(string, flags, rootpath, where, error);
}

static const char *servername(const struct lb_rootpath *rootpath) {
    static char text[LB_HOST_MAX + 3];
    if (rootpath->host == LB_HOST_NONE)
        return "";
    if (rootpath->host == LB_HOST_NAME)
        return rootpath->name;
    lb_format(text, sizeof text, rootpath->addr.family == LB_V6 ? "[%s]" : "%s",
              lb_addr_text(rootpath->addr).s);
    return text;
}

static const char *lun_text(const struct lb_rootpath *rootpath) {
    static char hex[17];
    struct lb_text text = lb_text(hex, sizeof hex);
    lb_text_hex(&text, lb_bytes(rootpath->lun, 8));
    return hex;
}

/* ---- accepted ---- */

static const struct good {
    const char *string, *server;
    unsigned port; /* 0: blank */
    const char *lun, *target;
    unsigned warnings;
} good[] = {
    /* 1 */ {V4 ":::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, 0},
    /* 2 */ {V4 "6:3260:0:" IQN, "192.0.2.10", 3260, "0000000000000000", IQN, 0},
    /* 3 */
    {V4 "6:3260::iqn.2001-04.com.example", "192.0.2.10", 3260, "0000000000000000",
     "iqn.2001-04.com.example", 0},
    /* 4 */ {V4 ":3261:1:" IQN, "192.0.2.10", 3261, "0001000000000000", IQN, 0},
    /* 5 */ {"iscsi:::::" IQN, "", 0, "0000000000000000", IQN, 0},
    /* 7 */
    {"iscsi::6:::eui.02004567a425678d", "", 0, "0000000000000000", "eui.02004567a425678d", 0},
    /* 8 */
    {"iscsi:storage.example.com::::" IQN, "storage.example.com", 0, "0000000000000000", IQN, 0},
    /* 10 */ {"iscsi:nas1::::" IQN, "nas1", 0, "0000000000000000", IQN, 0},
    /* 12 */ {"iscsi:[2001:db8::1]::::" IQN, "[2001:db8::1]", 0, "0000000000000000", IQN, 0},
    /* 13 */
    {"iscsi:[2001:db8::1]:6:3260:0:" IQN, "[2001:db8::1]", 3260, "0000000000000000", IQN, 0},
    /* 15 */ {"iscsi:[fe80::1]:::0:" IQN, "[fe80::1]", 0, "0000000000000000", IQN, 0},
    /* 17 */ {V4 "::4752-3A4F-6b7e-2F99:" IQN, "192.0.2.10", 0, "47523a4f6b7e2f99", IQN, 0},
    /* 18 */ {V4 "::6734-9-156f-127:" IQN, "192.0.2.10", 0, "67340009156f0127", IQN, 0},
    /* 19 */ {V4 "::6734-0009-156f-0127:" IQN, "192.0.2.10", 0, "67340009156f0127", IQN, 0},
    /* 22 */ {V4 "::0-0-0-0:" IQN, "192.0.2.10", 0, "0000000000000000", IQN, 0},
    /* 23 */ {V4 "::0000:" IQN, "192.0.2.10", 0, "0000000000000000", IQN, 0},
    /* 30 */
    {V4 ":::iqn.2001-04.com.example:storage:diskarrays-sn-a8675309", "192.0.2.10", 0,
     "0000000000000000", "iqn.2001-04.com.example:storage:diskarrays-sn-a8675309", 0},
    /* 32 */
    {V4 ":::eui.02004567A425678D", "192.0.2.10", 0, "0000000000000000", "eui.02004567A425678D",
     LB_WARN_UPPER_CASE},
    /* 35 */
    {V4 ":::iqn.2001-04.com.example:sn.45678", "192.0.2.10", 0, "0000000000000000",
     "iqn.2001-04.com.example:sn.45678", 0},
    /* 38, which the sheet rejects, and targets in the field force on us */
    {V4 ":::iqn.2001-04.com.example:a_b", "192.0.2.10", 0, "0000000000000000",
     "iqn.2001-04.com.example:a_b", LB_WARN_UNDERSCORE},
    /* Boundaries. */
    {V4 ":65535:ffff-ffff-ffff-ffff:" IQN, "192.0.2.10", 65535, "ffffffffffffffff", IQN, 0},
    {V4 ":1:0-0-0-1:" IQN, "192.0.2.10", 1, "0000000000000001", IQN, 0},
    {V4 ":::" N223, "192.0.2.10", 0, "0000000000000000", N223, 0},
    {"iscsi:255.255.255.255::::" IQN, "255.255.255.255", 0, "0000000000000000", IQN, 0},
    {"iscsi:0.0.0.0::::" IQN, "0.0.0.0", 0, "0000000000000000", IQN, 0},
    {"iscsi:a::::" IQN, "a", 0, "0000000000000000", IQN, 0},
    {"iscsi:9.a::::" IQN, "9.a", 0, "0000000000000000", IQN, 0},
    {"iscsi:example.com.::::" IQN, "example.com.", 0, "0000000000000000", IQN, 0},
    {"iscsi:[::ffff:192.0.2.1]::::" IQN, "[::ffff:192.0.2.1]", 0, "0000000000000000", IQN, 0},
    {V4 ":::naa.52004567ba64678d", "192.0.2.10", 0, "0000000000000000", "naa.52004567ba64678d", 0},
    {V4 ":::naa.62004567ba64678d0123456789abcdef", "192.0.2.10", 0, "0000000000000000",
     "naa.62004567ba64678d0123456789abcdef", 0},
    {V4 ":::iqn.2001-12.a:", "192.0.2.10", 0, "0000000000000000", "iqn.2001-12.a:", 0},
    {V4 ":::IQN.2001-04.COM.example:D\xc3\xa4sk", "192.0.2.10", 0, "0000000000000000",
     "IQN.2001-04.COM.example:D\xc3\xa4sk", LB_WARN_UPPER_CASE | LB_WARN_NON_ASCII},
    {V4 ":::iqn.2000-01.com.synology:DiskStation4.Target-1.0123456789", "192.0.2.10", 0,
     "0000000000000000", "iqn.2000-01.com.synology:DiskStation4.Target-1.0123456789",
     LB_WARN_UPPER_CASE},
    /* What people write, and all peers take. */
    {"ISCSI:192.0.2.10::::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PREFIX},
    {"iScsi:192.0.2.10::::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PREFIX},
    {V4 ":::" IQN "\n", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {V4 ":::" IQN "\r\n", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {V4 ":::" IQN " ", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {" \t" V4 ":::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {"\"" V4 ":::" IQN "\"", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_QUOTES},
    {"'" V4 ":::" IQN "' \n", "192.0.2.10", 0, "0000000000000000", IQN,
     LB_WARN_QUOTES | LB_WARN_BLANKS},
    {"\" " V4 ":::" IQN " \"", "192.0.2.10", 0, "0000000000000000", IQN,
     LB_WARN_QUOTES | LB_WARN_BLANKS},
    {"iscsi:192.0.2.30:tcp:3260:1:iqn.2018-08.example:img37", "192.0.2.30", 3260,
     "0001000000000000", "iqn.2018-08.example:img37", LB_WARN_PROTOCOL},
    {V4 "TCP:::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PROTOCOL},
    {V4 "06:::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PROTOCOL},
    {V4 "tcp4:::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PROTOCOL},
    {V4 "TCP/IP:::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_PROTOCOL},
    {"iscsi:nas_1.example.com::::" IQN, "nas_1.example.com", 0, "0000000000000000", IQN, 0},
    {"iscsi:_nas::::" IQN, "_nas", 0, "0000000000000000", IQN, 0},
    {"iscsi:NAS.Example.COM.::::" IQN, "NAS.Example.COM.", 0, "0000000000000000", IQN, 0},
    {"\xef\xbb\xbf" V4 ":::" IQN, "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {V4 ":::" IQN "\xc2\xa0", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {V4 ":::" IQN "\xe2\x80\x8b\n", "192.0.2.10", 0, "0000000000000000", IQN, LB_WARN_BLANKS},
    {V4 ":::" IQN ":", "192.0.2.10", 0, "0000000000000000", IQN ":", 0},
    {V4 ":::iqn.2004-04.com.qnap:ts-x51:iscsi:nas.abcdef", "192.0.2.10", 0, "0000000000000000",
     "iqn.2004-04.com.qnap:ts-x51:iscsi:nas.abcdef", 0},
    {V4 ":::iqn.2003-01.org.linux-iscsi.my_host.x8664:sn.abc", "192.0.2.10", 0, "0000000000000000",
     "iqn.2003-01.org.linux-iscsi.my_host.x8664:sn.abc", LB_WARN_UNDERSCORE},
    {V4 ":::iqn.2006-08.com.huawei:oceanstor:2100abc::20400:192.0.2.1", "192.0.2.10", 0,
     "0000000000000000", "iqn.2006-08.com.huawei:oceanstor:2100abc::20400:192.0.2.1", 0},
    {"iscsi:[fe80::1%eth0]::3260::iqn.2024-01.example:x", "[fe80::1]", 3260, "0000000000000000",
     "iqn.2024-01.example:x", LB_WARN_ZONE},
    {"iscsi:[FE80::1%3]::::" IQN, "[fe80::1]", 0, "0000000000000000", IQN, LB_WARN_ZONE},
    {"iscsi:cafe::3260:1:" IQN, "cafe", 3260, "0001000000000000", IQN, 0},
};

static void check_good(const struct good *row) {
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error;
    if (!CHECK(parse(lb_bytes_of_text(row->string), 0, &rootpath, &where, &error))) {
        tap_note("%s: %s", row->string, error.facts);
        return;
    }
    CHECK_STR(servername(&rootpath), row->server);
    CHECK_EQ(rootpath.port, row->port);
    CHECK_STR(lun_text(&rootpath), row->lun);
    CHECK_STR(rootpath.target, row->target);
    CHECK_EQ(rootpath.warnings, row->warnings);
    CHECK(lb_is_ok(&error));
}

static void every_valid_row_is_read(void) {
    for (size_t i = 0; i < LB_COUNT(good); i++)
        check_good(&good[i]);
}

static void formatting_and_parsing_again_changes_nothing(void) {
    for (size_t i = 0; i < LB_COUNT(good); i++) {
        struct lb_rootpath first, second;
        struct lb_rootpath_where where;
        struct lb_error error;
        char buffer[LB_ROOTPATH_MAX];
        struct lb_text text = lb_text(buffer, sizeof buffer);
        CHECK(parse(lb_bytes_of_text(good[i].string), 0, &first, &where, &error));
        lb_rootpath_format(&text, &first);
        CHECK(!text.cut);
        CHECK(parse(lb_bytes_of_text(buffer), 0, &second, &where, &error));
        CHECK_STR(servername(&first), servername(&second));
        CHECK_EQ(first.port, second.port);
        CHECK_EQ(first.lun_given, second.lun_given);
        CHECK_BYTES(lb_bytes(first.lun, 8), lb_bytes(second.lun, 8));
        CHECK_STR(first.target, second.target);
    }
}

/* ---- names that RFC 7143 forbids, and targets have ---- */

static bool parse_name(const char *name, unsigned flags, unsigned *warnings, size_t *offset) {
    char copy[LB_NAME_MAX + 1] = "";
    *warnings = 0;
    if (!lb_iscsi_name_parse(lb_bytes_of_text(name), flags, copy, warnings, offset))
        return false;
    CHECK_STR(copy, name);
    return true;
}

static void an_odd_name_is_taken_where_that_is_allowed(void) {
    static const char *const names[] = {
        "kumo-img37",
        "iqn.com.example-10",
        "iqn.2025.net.example:image-default",
        "iqn.2015-1.com.example:disk",
        "iqn.h1:cluster",
        "maas-enlist",
        "initiator",
        "data_disk",
        "disk1",
        "DISK.01:a",
        "iqn.2026-13.test:x",
        "iqn.2026-11.test:a+b=c@d",
        "eui.0123",
        "naa.62004567ba64678d0",
        "7",
    };
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        unsigned warnings;
        size_t offset;
        CHECK(!parse_name(names[i], 0, &warnings, &offset));
        if (!CHECK(parse_name(names[i], LB_ROOTPATH_ANY_NAMES, &warnings, &offset)))
            tap_note("%s: byte %zu", names[i], offset);
        CHECK(warnings & LB_WARN_NAME_FORM);
    }
}

static void what_a_shell_a_list_or_a_path_would_obey_is_never_taken(void) {
    static const char *const names[] = {
        "",
        "a b",
        "a\tb",
        "a\nb",
        "a\x7f"
        "b",
        "a\x01"
        "b",
        "a\"b",
        "a'b",
        "a`b",
        "a$b",
        "a\\b",
        "a&b",
        "a;b",
        "a|b",
        "a<b",
        "a>b",
        "a(b",
        "a)b",
        "a{b",
        "a}b",
        "a[b",
        "a]b",
        "a*b",
        "a?b",
        "a!b",
        "a#b",
        "a~b",
        "a,b",
        "a%b",
        "a^b",
        "a/b",
        "../a",
        "-a",
        ".a",
        ":a",
        "=a",
        "@a",
        "_a",
        "a\xff",
        "a\xe2\x80\xae"
        "b",
        N223 "x",
        "0:" IQN,
        "3260:0:iqn.2001-04.x",
        "::eui.02004567a425678d",
    };
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        unsigned warnings;
        size_t offset = 0;
        if (!CHECK(!parse_name(names[i], LB_ROOTPATH_ANY_NAMES, &warnings, &offset)))
            tap_note("%s", names[i]);
        CHECK(offset <= lb_strlen(names[i]));
    }
}

static void names_are_compared_without_case(void) {
    CHECK(lb_iscsi_names_equal("iqn.2001-04.com.example:Disk", "IQN.2001-04.com.EXAMPLE:disk"));
    CHECK(!lb_iscsi_names_equal("iqn.2001-04.com.example:disk", "iqn.2001-04.com.example:disk1"));
    CHECK(!lb_iscsi_names_equal("iqn.2001-04.com.example:disk1", "iqn.2001-04.com.example:disk"));
    CHECK(!lb_iscsi_names_equal("d\xc3\xa4", "d\xc3\x84"));
}

static void trailing_nuls_are_not_part_of_it(void) {
    static const char string[] = V4 ":::" IQN "\0\0\0";
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error;
    CHECK(parse(lb_bytes(string, sizeof string), 0, &rootpath, &where, &error));
    CHECK_STR(rootpath.target, IQN);
    CHECK_EQ(rootpath.warnings, 0);
    static const char with_line_end[] = V4 ":::" IQN "\0\n";
    CHECK(parse(lb_bytes(with_line_end, sizeof with_line_end), 0, &rootpath, &where, &error));
    CHECK_STR(rootpath.target, IQN);
}

static void a_blank_lun_is_told_from_lun_zero(void) {
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error;
    CHECK(parse(lb_bytes_of_text("iscsi:::::" IQN), 0, &rootpath, &where, &error));
    CHECK(!rootpath.lun_given);
    CHECK(parse(lb_bytes_of_text("iscsi::::0:" IQN), 0, &rootpath, &where, &error));
    CHECK(rootpath.lun_given);
}

/* ---- rejected ---- */

static const struct bad {
    const char *string;
    enum lb_code code;
    enum lb_rootpath_field field;
    size_t offset;
} bad[] = {
    /* 1 */ {"192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0},
    /* 2 */ {"iscsi:", LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 6},
    /* 4 */ {"iscsi:192.0.2.10:" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_PROTOCOL, 17},
    /* 6 */ {V4 "6:3260:0:", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 26},
    /* 7 */ {V4 "17:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17},
    /* 10 */ {V4 ":0::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18},
    /* 11 */ {V4 ":65536::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18},
    /* 15 */ {V4 "::12345:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 23},
    /* 17 */ {V4 "::0x1:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 20},
    /* 22 */ {V4 "::4186 9:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 23},
    /* 23 */ {V4 "::41g6:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 21},
    /* 25 */ {"iscsi:[2001:db8::1::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6},
    /* 27, of another address than a link-local one */
    {"iscsi:[2001:db8::1%eth0]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 18},
    {"iscsi:[fe80::1%]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 14},
    /* 30 */ {"iscsi:-bad.example.com::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6},
    /* 34 */ {V4 ":::disk1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20},
    /* 35 */ {V4 ":::iqn.com.example:host47", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 24},
    /* 37 */
    {V4 ":::iqn.2001-04.com.example:my disk", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 46},
    /* 40 */ {V4 ":::eui.02004567A425678", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 39},
    /* 42 */ {V4 ":::" N223 "x", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20 + 223},
    /* 44 */
    {V4 ":::iqn.2001-04.com.example:\xc3\x28", LB_E_ROOTPATH_BYTES, LB_FIELD_TARGETNAME, 44},
    /* The prefix. */
    {"", LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0},
    {"iscsi", LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 5},
    {"iscsi;192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 5},
    {"192.0.2.1:/srv/nfs", LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0},
    /* Fields. */
    {"iscsi:192.0.2.10", LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 16},
    {"iscsi:192.0.2.10:6:3260:0", LB_E_ROOTPATH_FIELDS, LB_FIELD_LUN, 25},
    {"iscsi:[::1]", LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 11},
    {"iscsi:[::1", LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6},
    /* The server. */
    {"iscsi:[2001:db8::1]x::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 19},
    {"iscsi:[2001:db8::g]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 17},
    {"iscsi:[]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 7},
    {"iscsi:[192.0.2.1]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 7},
    {"iscsi:192.0.2.256::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 14},
    {"iscsi:192.0.2.010::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 14},
    {"iscsi:192.0.2::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 13},
    {"iscsi:192.0.2.1.5::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 15},
    {"iscsi:192.0.2.1.::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 15},
    {"iscsi:192.0..1::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 12},
    {"iscsi:1921.0.2.1::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 9},
    {"iscsi:nas_-::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 10},
    {"iscsi:n\xc3\xa4s::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 7},
    {"iscsi:(2001-db8)::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6},
    {"iscsi:nas-::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 9},
    {"iscsi:a..b::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 8},
    {"iscsi:.::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6},
    {"iscsi:user@nas::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 10},
    {"iscsi:nas1 ::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 10},
    {"iscsi://192.0.2.10/" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 6},
    {"iscsi:a" X50 "1234567890123::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 69},
    /* Protocol and port. */
    {V4 "0:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17},
    {V4 "iscsi:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17},
    {V4 "6 :::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 18},
    {V4 "udp:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17},
    {V4 ":03260::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18},
    {V4 ":iscsi-target::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18},
    {V4 ":0xcbc::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 19},
    {V4 ":3260x::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 22},
    {V4 ":-1::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18},
    {V4 ":68796::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 18}, /* 65536 + 3260 */
    /* LUN. */
    {V4 "::1-:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 21},
    {V4 "::-1:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 19},
    {V4 "::1--2:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 21},
    {V4 "::1-2-3-4-5:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 26},
    {V4 "::1-2-3-4-:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 26},
    {V4 "::0001000000000000:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 23},
    /* Target names. */
    {V4 ":::iqn.2001-13.com.example", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 29},
    {V4 ":::iqn.2001-00.com.example", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 29},
    {V4 ":::iqn.2001-04", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 31},
    {V4 ":::iqn.2001-04.", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 32},
    {V4 ":::iqn.2001-04.:disk", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 32},
    {V4 ":::iqn.2001-04.com..example", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 36},
    {V4 ":::iqn.2001-04.com.:disk", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 36},
    {V4 ":::iqn.", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 24},
    {V4 ":::iqn", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20},
    {V4 ":::eui.02004567A425678DE", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 40},
    {V4 ":::eui.02004567A425678g", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 39},
    {V4 ":::naa.62004567ba64678d0", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 41},
    {V4 ":::naa.62004567ba64678d0123456789abcdef0", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 56},
    {V4 ":::iqn.2001-04.com.example:a/../b", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 45},
    {V4 ":::iqn.2001-04.com.example:a\nb", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 45},
    {V4 ":::iqn.2001-04.com.example:a,1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 45},
    {V4 ":::iqn.2001-04.com.example:\xe3\x80\x82", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 44},
    {V4 ":::iqn.2001-04.com.example:\xe2\x80\xae", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 44},
    {V4 ":::iqn.2001-04.com.example:\xef\xbf\xbe", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 44},
    /* Bytes that are no text, in other fields. */
    {"iscsi:\xff::::" IQN, LB_E_ROOTPATH_BYTES, LB_FIELD_SERVERNAME, 6},
    {V4 "::\xed\xa0\x80:" IQN, LB_E_ROOTPATH_BYTES, LB_FIELD_LUN, 19},
};

static void check_bad(const char *string, struct lb_bytes bytes, unsigned flags, enum lb_code code,
                      enum lb_rootpath_field field, size_t offset) {
    struct lb_rootpath rootpath, untouched;
    struct lb_rootpath_where where;
    struct lb_error error;
    memset(&untouched, 0xee, sizeof untouched);
    CHECK(!parse(bytes, flags, &rootpath, &where, &error));
    bool held = CHECK_EQ(error.code, code);
    held &= CHECK_STR(lb_rootpath_field_word(where.field), lb_rootpath_field_word(field));
    held &= CHECK_EQ(where.offset, offset);
    CHECK(memcmp(&rootpath, &untouched, sizeof rootpath) == 0);
    CHECK_HAS(error.facts, lb_rootpath_field_word(field));
    if (!held)
        tap_note("%s: %s", string, error.facts);
}

static void every_invalid_row_is_rejected_at_its_byte(void) {
    for (size_t i = 0; i < LB_COUNT(bad); i++)
        check_bad(bad[i].string, lb_bytes_of_text(bad[i].string), 0, bad[i].code, bad[i].field,
                  bad[i].offset);
}

/* What people wrote, and what the error says of it. */
static const struct near {
    const char *string;
    enum lb_code code;
    enum lb_rootpath_field field;
    size_t offset;
    const char *why;
} near[] = {
    {"iscsi:192.0.2.5:::iqn.2025-04.local.example:client1", LB_E_ROOTPATH_FIELDS, LB_FIELD_LUN, 18,
     "a colon is missing"},
    {"iscsi:192.0.2.5::iqn.2025-04.local.example:client1", LB_E_ROOTPATH_FIELDS, LB_FIELD_PORT, 17,
     "two colons are missing"},
    {"iscsi:IQN.2025-04.local.example:client1", LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 6,
     "four colons are missing"},
    {V4 "6:3260:0:0::" IQN, LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 26, "no iSCSI name"},
    {V4 "6:3260:0::" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_TARGETNAME, 26, "a colon too many"},
    {IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0, "a target name alone"},
    {"192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0, "`iscsi:` is missing"},
    {"iscsi;192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 5, "no colon behind"},
    {"iscsi 192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 5, "no colon behind"},
    {"root=iscsi:192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0,
     "something stands before"},
    {"\"iscsi:192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0, "a quote"},
    {"iscsi:iscsi:192.0.2.10::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "twice"},
    {"iscsi://192.0.2.10:3260/" IQN "/1", LB_E_ROOTPATH_FIELDS, LB_FIELD_SERVERNAME, 6, "URL"},
    {"iscsi:\"192.0.2.1\":\"3260\":\"0\":\"" IQN "\"", LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6,
     "HP's own form"},
    {"iscsi:http://192.0.2.5/::3260:1:" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6,
     "a URL in the server's place"},
    {"iscsi:user:secret@192.0.2.5::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 17,
     "a user before an @"},
    {"iscsi:user@192.0.2.5::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 10,
     "a user before an @"},
    {"iscsi:192.0.2.5,3260::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 15, "a comma"},
    {"iscsi:192.0.2.5,192.0.2.6::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 15,
     "one host stands here"},
    {V4 ":::" IQN V4 ":::" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_TARGETNAME, 48,
     "a second Root Path"},
    {V4 ":::" IQN " " V4 ":::" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_TARGETNAME, 49,
     "a second Root Path"},
    {V4 ":::" IQN ";" V4 ":::" IQN, LB_E_ROOTPATH_FIELDS, LB_FIELD_TARGETNAME, 49,
     "a second Root Path"},
    {V4 ":::" IQN ",1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 48, "a comma"},
    {V4 ":::\"" IQN "\"", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20, "a quote"},
    {V4 ":::" IQN "\"", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 48, "a quote"},
    {"isci:192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0, "`iscsi:` is missing"},
    {"iscsi.192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 5, "no colon behind"},
    {"\xe2\x80\x9ciscsi:192.0.2.10::::" IQN, LB_E_ROOTPATH_PREFIX, LB_FIELD_PREFIX, 0,
     "something stands before"},
    {"iscsi:@192.0.2.5::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6,
     "a user before an @"},
    {"iscsi:/192.0.2.5/" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "a slash"},
    {"iscsi:[2001:db8::1]:3260::0:" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 20,
     "one field further"},
    {"iscsi:[2001:db8::1/64]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 18, "a slash"},
    {V4 ":::iqn.2001-04.com.example:${hostname}", LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 44,
     "a variable of iPXE"},
    {V4 "::eth0:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 20, "hex digits"},
    {V4 "::LUN0:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 19, "hex digits"},
    {V4 "::4f010000:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 23, "hex digits"},
    {"iscsi:192.0.2.5/24::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 15, "a slash"},
    {"iscsi:${next-server}::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6,
     "a variable of iPXE"},
    {"iscsi:2001:db8::1::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "[brackets]"},
    {"iscsi:fe80::1::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "[brackets]"},
    {"iscsi:fe80::1%eth0::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "[brackets]"},
    {"iscsi:fd00::1g:3260:0:" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 13, "a decimal number"},
    {"iscsi:fd00::10:6:3260:0:" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "[brackets]"},
    {"iscsi:2001:db8::1", LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "[brackets]"},
    {"iscsi:[192.0.2.1]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 7,
     "for an IPv6 address alone"},
    {"iscsi:[2001:db8::1%eth0]::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 18,
     "only a link-local address"},
    {"iscsi:192.0.2.10:3260:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17,
     "one field further"},
    {"iscsi: 192.0.2.10::::" IQN, LB_E_ROOTPATH_SERVER, LB_FIELD_SERVERNAME, 6, "a blank"},
    {V4 " 6:::" IQN, LB_E_ROOTPATH_PROTOCOL, LB_FIELD_PROTOCOL, 17, "a blank"},
    {V4 ":3260 ::" IQN, LB_E_ROOTPATH_PORT, LB_FIELD_PORT, 22, "a blank"},
    {V4 ":: 1:" IQN, LB_E_ROOTPATH_LUN, LB_FIELD_LUN, 19, "a blank"},
    {V4 "::: " IQN, LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20, "a blank"},
    {V4 ":::iqn.2001-04.com.example:my disk", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 46,
     "a blank"},
    {V4 ":::disk1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20, "accept-names=lenient"},
    {V4 ":::disk;1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 20, "no iSCSI name,"},
    {" " V4 ":::disk1", LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 21, "no iSCSI name"},
};

static void a_near_miss_says_what_was_meant(void) {
    for (size_t i = 0; i < LB_COUNT(near); i++) {
        struct lb_rootpath rootpath;
        struct lb_error error = {0};
        check_bad(near[i].string, lb_bytes_of_text(near[i].string), 0, near[i].code, near[i].field,
                  near[i].offset);
        CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text(near[i].string), 0));
        CHECK(!lb_rootpath_parse(lb_bytes_of_text(near[i].string), 0, &rootpath, NULL, &error));
        CHECK_HAS(error.facts, near[i].why);
    }
}

/* A user's secret may stand before an @, wherever what is wrong is. */
static void a_root_path_with_an_at_is_not_shown(void) {
    static const char *const strings[] = {"iscsi:user:tiptop@192.0.2.5::::" IQN,
                                          "iscsi:192.0.2.5::99999::tiptop@" IQN};
    for (size_t i = 0; i < LB_COUNT(strings); i++) {
        struct lb_rootpath rootpath;
        struct lb_error error = {0};
        CHECK(!lb_rootpath_parse(lb_bytes_of_text(strings[i]), 0, &rootpath, NULL, &error));
        CHECK_HAS(error.facts, "an @ is in it, so it is not shown");
        CHECK(strstr(error.facts, "tiptop") == NULL);
    }
}

static void a_nul_inside_is_rejected(void) /* row 43 */
{
    static const char string[] = V4 ":::iqn.2001-04.com.example:a\0b";
    check_bad(string, lb_bytes(string, sizeof string - 1), 0, LB_E_ROOTPATH_BYTES,
              LB_FIELD_TARGETNAME, 45);
}

static void an_underscore_is_rejected_where_names_are_strict(void) /* row 38 */
{
    static const char string[] = V4 ":::iqn.2001-04.com.example:a_b";
    check_bad(string, lb_bytes_of_text(string), LB_ROOTPATH_STRICT_NAMES, LB_E_ROOTPATH_TARGET,
              LB_FIELD_TARGETNAME, 45);
}

static void a_string_without_end_is_rejected(void) {
    static char string[LB_ROOTPATH_MAX + 1];
    memset(string, 'x', sizeof string);
    memcpy(string, "iscsi:", 6);
    check_bad("1024 x", lb_bytes(string, LB_ROOTPATH_MAX), 0, LB_E_ROOTPATH_FIELDS,
              LB_FIELD_SERVERNAME, LB_ROOTPATH_MAX);
    check_bad("1025 x", lb_bytes(string, sizeof string), 0, LB_E_ROOTPATH_BYTES,
              LB_FIELD_TARGETNAME, LB_ROOTPATH_MAX);
}

/* What is left of a valid string is either valid by itself, its target name shorter, or is rejected
 * at a byte it has, or at its end. */
static void every_truncation_is_shorter_or_rejected(void) {
    for (size_t i = 0; i < LB_COUNT(good); i++) {
        struct lb_bytes whole = lb_bytes_of_text(good[i].string);
        for (size_t len = 0; len < whole.len; len++) {
            struct lb_rootpath rootpath;
            struct lb_rootpath_where where;
            struct lb_error error;
            if (parse(lb_bytes(whole.p, len), 0, &rootpath, &where, &error)) {
                size_t kept = lb_strlen(rootpath.target);
                CHECK(kept < lb_strlen(good[i].target) ||
                      (good[i].warnings & (LB_WARN_BLANKS | LB_WARN_QUOTES)) != 0);
                CHECK(memcmp(rootpath.target, good[i].target, kept) == 0);
            } else {
                CHECK(where.offset <= len);
                CHECK(!lb_is_ok(&error));
            }
        }
    }
}

/* ---- option 59 is a URI ---- */

static void a_uri_may_be_percent_encoded_once(void) {
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error;
    CHECK(parse(lb_bytes_of_text("iSCSI:%5B2001:db8::1%5d::::iqn.2001-04.com.example%3Ad%C3%A4"),
                LB_ROOTPATH_URI, &rootpath, &where, &error));
    CHECK_STR(servername(&rootpath), "[2001:db8::1]");
    CHECK_STR(rootpath.target, "iqn.2001-04.com.example:d\xc3\xa4");
    CHECK(
        !parse(lb_bytes_of_text("iscsi:%5B2001:db8::1%5d::::" IQN), 0, &rootpath, &where, &error));
}

static void a_uri_is_wrong_at_the_byte_as_given(void) {
    check_bad("%00", lb_bytes_of_text("iscsi:%5B::1%5D::::iqn.2001-04.com.example:%00"),
              LB_ROOTPATH_URI, LB_E_ROOTPATH_BYTES, LB_FIELD_TARGETNAME, 43);
    check_bad("%255f", lb_bytes_of_text("iscsi:::::iqn.2001-04.com.example:%255f"), LB_ROOTPATH_URI,
              LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 34);
    check_bad("%4", lb_bytes_of_text("iscsi:::::iqn.2001-04.com.example:%4"), LB_ROOTPATH_URI,
              LB_E_ROOTPATH_TARGET, LB_FIELD_TARGETNAME, 34);
}

static void somebody_elses_root_path_is_told_from_a_broken_one(void) {
    static const char *const others[] = {
        "192.0.2.1:/srv/root",
        "192.0.2.1:/srv/root,vers=3",
        "nfs:192.0.2.1:/srv/root",
        "nfs://192.0.2.1/srv/iqn.2001-04.com.example",
        "iscsi.example.com:/srv/nfs",
        "iscsi-nas:/srv/nfs",
        "/dev/nfs",
        "/srv/iqn.2001-04.com.example",
        "http://192.0.2.1/root.img",
        "",
        "\n",
    };
    for (size_t i = 0; i < LB_COUNT(others); i++)
        if (!CHECK(!lb_rootpath_is_iscsi(lb_bytes_of_text(others[i]), 0)))
            tap_note("%s", others[i]);
    CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text("iscsi:"), 0));
    CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text("iscsi"), 0));
    CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text("ISCSI:"), 0));
    CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text("\"iscsi:\""), 0));
    CHECK(lb_rootpath_is_iscsi(lb_bytes_of_text("Iscsi:"), LB_ROOTPATH_URI));
}

/* ---- the parts by themselves ---- */

static void luns_are_written_in_their_shortest_form(void) {
    static const char *const pairs[][2] = {
        {"0000000000000000", "0"},       {"0001000000000000", "1"},
        {"412c000000000000", "412c"},    {"67340009156f0127", "6734-9-156f-127"},
        {"0000000000000001", "0-0-0-1"}, {"c101000000000000", "c101"},
    };
    for (size_t i = 0; i < LB_COUNT(pairs); i++) {
        char buffer[32];
        uint8_t lun[8];
        size_t len, offset;
        struct lb_text text = lb_text(buffer, sizeof buffer);
        CHECK(lb_parse_hex_bytes(lb_bytes_of_text(pairs[i][0]), lb_span(lun, 8), &len));
        lb_lun_format(&text, lun);
        CHECK_STR(buffer, pairs[i][1]);
        uint8_t again[8];
        CHECK(lb_lun_parse(lb_bytes_of_text(buffer), again, &offset));
        CHECK_BYTES(lb_bytes(again, 8), lb_bytes(lun, 8));
    }
}

static void an_empty_lun_is_none(void) {
    uint8_t lun[8];
    size_t offset = 99;
    CHECK(!lb_lun_parse(lb_bytes_of_text(""), lun, &offset));
    CHECK_EQ(offset, 0);
}

static void a_bare_ipv6_address_needs_leave(void) {
    enum lb_host_kind kind;
    struct lb_addr addr = {0};
    char name[LB_HOST_MAX + 1];
    size_t offset;
    CHECK(lb_host_parse(lb_bytes_of_text("2001:db8::1"), true, &kind, &addr, name, &offset));
    CHECK_EQ(kind, LB_HOST_ADDR);
    CHECK_STR(lb_addr_text(addr).s, "2001:db8::1");
    CHECK(lb_host_parse(lb_bytes_of_text("[2001:db8::2]"), true, &kind, &addr, name, &offset));
    CHECK_STR(lb_addr_text(addr).s, "2001:db8::2");
    CHECK(!lb_host_parse(lb_bytes_of_text("2001:db8::1"), false, &kind, &addr, name, &offset));
    CHECK_EQ(offset, 4);
    CHECK(lb_host_parse(lb_bytes_of_text("nas1"), true, &kind, &addr, name, &offset));
    CHECK_EQ(kind, LB_HOST_NAME);
}

static void a_host_name_has_255_bytes_at_most(void) {
    static char text[257];
    enum lb_host_kind kind;
    struct lb_addr addr;
    char name[LB_HOST_MAX + 1];
    size_t offset;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 50 == 49 ? '.' : 'a';
    CHECK(lb_host_parse(lb_bytes(text, 255), false, &kind, &addr, name, &offset));
    CHECK_EQ(lb_strlen(name), 255);
    CHECK(!lb_host_parse(lb_bytes(text, 256), false, &kind, &addr, name, &offset));
    CHECK_EQ(offset, 255);
}

static void our_own_name_comes_from_the_uuid_or_else_the_mac(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0xab, 0xcd};
    uint8_t uuid[16] = {0};
    char name[LB_NAME_MAX + 1], again[LB_NAME_MAX + 1];
    unsigned warnings = 0;
    size_t offset;
    lb_iscsi_name_default(name, uuid, mac);
    CHECK_STR(name, "iqn.2026-11.org.lunboot:mac:02000000abcd");
    lb_iscsi_name_default(name, NULL, mac);
    CHECK_STR(name, "iqn.2026-11.org.lunboot:mac:02000000abcd");
    memset(uuid, 0xff, sizeof uuid);
    lb_iscsi_name_default(name, uuid, mac);
    CHECK_STR(name, "iqn.2026-11.org.lunboot:mac:02000000abcd");
    uuid[0] = 0x12;
    lb_iscsi_name_default(name, uuid, mac);
    CHECK_STR(name, "iqn.2026-11.org.lunboot:uuid:12ffffffffffffffffffffffffffffff");
    CHECK(lb_iscsi_name_parse(lb_bytes_of_text(name), LB_ROOTPATH_STRICT_NAMES, again, &warnings,
                              &offset));
    CHECK_EQ(warnings, 0);
}

static void every_warning_has_a_text(void) {
    for (unsigned warning = 1; warning <= LB_WARN_LAST; warning <<= 1)
        CHECK(lb_rootpath_warning_text((enum lb_rootpath_warning)warning)[0] != 0);
    CHECK_HAS(lb_rootpath_warning_text(LB_WARN_UNDERSCORE), "_");
    CHECK_HAS(lb_rootpath_warning_text(LB_WARN_UPPER_CASE), "case");
    CHECK_HAS(lb_rootpath_warning_text(LB_WARN_NON_ASCII), "ASCII");
}

/* A name is printed as it is, so it has nothing that a terminal obeys: also what is younger than
 * RFC 3454's Unicode. */
static void no_character_of_a_name_turns_or_hides_the_text_around_it(void) {
    static const char *const odd[] = {
        "\xc2\x9b",     "\xc2\xad",     "\xd8\x9c",     "\xe2\x80\x8b", "\xe2\x80\x8e",
        "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa4", "\xe2\x81\xa6", "\xe2\x81\xa9",
        "\xef\xbb\xbf", "\xe1\xa0\x8e", "\xcd\x8f",     "\xef\xb8\x8f", "\xf3\xa0\x84\x80",
    };
    for (size_t i = 0; i < LB_COUNT(odd); i++) {
        char given[64], name[LB_NAME_MAX + 1];
        unsigned warnings = 0;
        size_t offset = 0;
        lb_format(given, sizeof given, "iqn.2026-11.test:a%sb", odd[i]);
        if (!CHECK(!lb_iscsi_name_parse(lb_bytes_of_text(given), 0, name, &warnings, &offset)))
            tap_note("%zu", i);
        CHECK_EQ(offset, 18);
    }
}

/* What stands in memory behind a string is no part of it. */
static void nothing_is_read_behind_the_end(void) {
    static const struct {
        const char *string;
        size_t len;
        enum lb_code code;
    } rows[] = {
        {"iscsi:[x", 6, LB_E_ROOTPATH_FIELDS},
        {"iscsi::", 6, LB_E_ROOTPATH_FIELDS},
        {"iscsi:192.0.2.10::::iqn.2001-04.com.example:disk", 20, LB_E_ROOTPATH_TARGET},
        {"iscsi:192.0.2.10::::iqn.2001-04.com.example:disk", 29, LB_E_ROOTPATH_TARGET},
        {"iscsi:[2001:db8::1]::::" IQN, 18, LB_E_ROOTPATH_SERVER},
        {"iscsi:", 5, LB_E_ROOTPATH_PREFIX},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_rootpath rootpath;
        struct lb_rootpath_where where;
        struct lb_error error;
        struct lb_bytes string = lb_bytes(rows[i].string, rows[i].len);
        CHECK(!parse(string, 0, &rootpath, &where, &error));
        if (!CHECK_EQ(error.code, rows[i].code))
            tap_note("%.*s: %s", (int)string.len, rows[i].string, error.facts);
    }
}

int main(void) {
    TEST(every_valid_row_is_read);
    TEST(formatting_and_parsing_again_changes_nothing);
    TEST(an_odd_name_is_taken_where_that_is_allowed);
    TEST(what_a_shell_a_list_or_a_path_would_obey_is_never_taken);
    TEST(names_are_compared_without_case);
    TEST(trailing_nuls_are_not_part_of_it);
    TEST(a_blank_lun_is_told_from_lun_zero);
    TEST(every_invalid_row_is_rejected_at_its_byte);
    TEST(a_near_miss_says_what_was_meant);
    TEST(a_root_path_with_an_at_is_not_shown);
    TEST(a_nul_inside_is_rejected);
    TEST(an_underscore_is_rejected_where_names_are_strict);
    TEST(a_string_without_end_is_rejected);
    TEST(every_truncation_is_shorter_or_rejected);
    TEST(a_uri_may_be_percent_encoded_once);
    TEST(a_uri_is_wrong_at_the_byte_as_given);
    TEST(somebody_elses_root_path_is_told_from_a_broken_one);
    TEST(luns_are_written_in_their_shortest_form);
    TEST(an_empty_lun_is_none);
    TEST(a_bare_ipv6_address_needs_leave);
    TEST(a_host_name_has_255_bytes_at_most);
    TEST(our_own_name_comes_from_the_uuid_or_else_the_mac);
    TEST(every_warning_has_a_text);
    TEST(no_character_of_a_name_turns_or_hides_the_text_around_it);
    TEST(nothing_is_read_behind_the_end);
    return tap_done();
}
