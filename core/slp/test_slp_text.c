/* The strings inside SLP messages: escapes, comparison, scopes, attributes, URLs, filters. */
#include "core/slp/test_slp.h"
#include "tests/tap.h"

/* ---- escapes and comparison ---- */

static void reserved_characters_are_escaped(void) {
    char room[200];
    struct lb_text out = lb_text(room, sizeof room);
    lb_slp_escape(&out, text("a(),\\!<=>~;*+\t\x7fz:-._/"));
    CHECK_STR(room, "a\\28\\29\\2c\\5c\\21\\3c\\3d\\3e\\7e\\3b\\2a\\2b\\09\\7fz:-._/");
}

static void what_is_escaped_comes_back(void) {
    char room[4 * 256];
    uint8_t all[256], back[256];
    size_t len = 0;
    for (unsigned i = 0; i < 255; i++)
        all[i] = (uint8_t)(i + 1);
    struct lb_text out = lb_text(room, sizeof room);
    lb_slp_escape(&out, lb_bytes(all, 255));
    CHECK(lb_slp_unescape(lb_bytes(room, out.len), lb_span(back, sizeof back), &len));
    CHECK_BYTES(lb_bytes(back, len), lb_bytes(all, 255));
}

/* CVE-2012-4428 of OpenSLP: a list that ends in a backslash was read past its end. */
static void a_backslash_at_the_end_is_malformed(void) {
    static const char *const wrong[] = {"\\", "a\\", "a\\2", "\\2", "\\zz", "\\2z", "ab\\\\"};
    uint8_t room[16];
    size_t len;
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        struct lb_bytes bytes = text(wrong[i]);
        CHECK(!lb_slp_unescape(bytes, lb_span(room, sizeof room), &len));
        CHECK(!lb_slp_fold(bytes, false, lb_span(room, sizeof room), &len));
        CHECK(!lb_slp_same(bytes, bytes));
        CHECK(!lb_slp_scopes_meet(bytes, bytes));
    }
}

static void what_does_not_fit_is_refused(void) {
    uint8_t room[4];
    size_t len = 0;
    CHECK(lb_slp_unescape(text("\\61bc\\64"), lb_span(room, sizeof room), &len));
    CHECK_EQ(len, 4);
    CHECK(!lb_slp_unescape(text("abcde"), lb_span(room, sizeof room), &len));
    CHECK(!lb_slp_fold(text("abcde"), false, lb_span(room, sizeof room), &len));
}

static void comparison_folds_case_and_blanks(void) {
    CHECK(lb_slp_same(text("  Some  String "), text("some string")));
    CHECK(lb_slp_same(text("a\\2cb"), text("A\\2CB")));
    CHECK(lb_slp_same(text("\t\r\n"), text("")));
    CHECK(!lb_slp_same(text("somestring"), text("some string")));
    CHECK(!lb_slp_same(text("a"), text("ab")));
}

/* Lists of a datagram's length, each item held against each. */
static void long_lists_are_compared_in_no_time(void) {
    static char a[1400], b[1400];
    for (size_t i = 0; i + 2 < sizeof a; i += 2) {
        memcpy(a + i, "a,", 2);
        memcpy(b + i, "b,", 2);
    }
    for (unsigned i = 0; i < 20; i++)
        CHECK(!lb_slp_scopes_meet(text(a), text(b)));
}

/* CVE-2016-4912's class: text that is all white space. */
static void white_space_alone_is_an_empty_text(void) {
    uint8_t room[4];
    size_t len = 9;
    CHECK(lb_slp_fold(text("     \t   "), false, lb_span(room, sizeof room), &len));
    CHECK_EQ(len, 0);
    CHECK(!lb_slp_scopes_meet(text("  ,  "), text(" , default")));
}

static void scopes_meet_in_any_case(void) {
    CHECK(lb_slp_scopes_meet(text("default"), text("DEFAULT")));
    CHECK(lb_slp_scopes_meet(text("a, b ,c"), text("x,B")));
    CHECK(!lb_slp_scopes_meet(text("a,b"), text("ab")));
    CHECK(!lb_slp_scopes_meet(text(""), text("")));
    CHECK(!lb_slp_scopes_meet(text(","), text(",")));
    CHECK(!lb_slp_scopes_meet(text(",,"), text("a,\\0A"))); /* a blank in other words */
    CHECK(!lb_slp_scopes_meet(text("a,\\0A"), text(",,")));
    CHECK(!lb_slp_scopes_meet(text("\\20"), text("\\20")));
}

static void responders_are_found_in_their_list(void) {
    CHECK(lb_slp_is_listed(text("192.0.2.1,192.0.2.2"), addr("192.0.2.2")));
    CHECK(!lb_slp_is_listed(text("192.0.2.1,192.0.2.22"), addr("192.0.2.2")));
    CHECK(!lb_slp_is_listed(text("junk,,::,"), addr("192.0.2.2")));
}

/* ---- attributes ---- */

static void attributes_are_read_one_by_one(void) {
    struct lb_bytes list = text("(portal-group=1),(transports=tcp,udp), keyword ,( x = y )");
    struct lb_bytes tag, values;
    CHECK(lb_slp_attribute_next(&list, &tag, &values));
    CHECK_BYTES(tag, text("portal-group"));
    CHECK_BYTES(values, text("1"));
    CHECK(lb_slp_attribute_next(&list, &tag, &values));
    CHECK_BYTES(values, text("tcp,udp"));
    CHECK(lb_slp_attribute_next(&list, &tag, &values));
    CHECK_BYTES(tag, text("keyword"));
    CHECK(values.p == NULL);
    CHECK(lb_slp_attribute_next(&list, &tag, &values));
    CHECK_BYTES(tag, text("x"));
    CHECK(!lb_slp_attribute_next(&list, &tag, &values));
    CHECK_EQ(list.len, 0);
}

static void malformed_attributes_end_the_list(void) {
    static const char *const wrong[] = {"(a=1",   "(a)",        "(=1)", "a=1", ")",     "(a=1)b",
                                        "(a=1),", "(a=1)(b=2)", ",",    "a,",  "(a=1)x"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        struct lb_bytes list = text(wrong[i]), tag, values;
        while (lb_slp_attribute_next(&list, &tag, &values))
            ;
        if (!CHECK(list.len > 0))
            tap_note("%s", wrong[i]);
    }
}

static void an_attribute_is_found_by_its_tag(void) {
    struct lb_bytes values;
    CHECK(lb_slp_attribute_find(text("(a=1),(Portal-Group=7)"), "portal-group", &values));
    CHECK_BYTES(values, text("7"));
    CHECK(!lb_slp_attribute_find(text("(a=1)"), "portal-group", &values));
}

/* ---- URLs ---- */

static struct lb_slp_found found;

static bool url(const char *s) {
    memset(&found, 0xee, sizeof found);
    return lb_slp_url_parse(text(s), &found);
}

static void the_urls_of_rfc_4018_are_read(void) {
    CHECK(url("service:iscsi:target://192.0.2.3:3260/iqn.2001-04.com.example:sn.456"));
    CHECK(!found.isns && found.host == LB_HOST_ADDR);
    CHECK_STR(lb_addr_text(found.addr).s, "192.0.2.3");
    CHECK_STR(found.target, "iqn.2001-04.com.example:sn.456");
    CHECK_STR(found.identity, "");
    CHECK_EQ(found.port, 3260);
    CHECK_EQ(found.portal_group, -1);
    CHECK(url("service:iscsi:target://[2001:db8::3]/eui.02004567a425678d"));
    CHECK_STR(lb_addr_text(found.addr).s, "2001:db8::3");
    CHECK_EQ(found.port, 3260);
    CHECK(url("service:iscsi:target://san.example.com:5003/iqn.2001-04.com.example:disk/"
              "iqn.1998-03.com.example:host"));
    CHECK_EQ(found.host, LB_HOST_NAME);
    CHECK_STR(found.name, "san.example.com");
    CHECK_EQ(found.port, 5003);
    CHECK_STR(found.identity, "iqn.1998-03.com.example:host");
}

static void names_in_urls_are_unescaped_and_keep_their_case(void) {
    CHECK(url("SERVICE:iSCSI:Target://192.0.2.3/IQN.2001-04.com.example:\\53N\\2e456"));
    CHECK_STR(found.target, "IQN.2001-04.com.example:SN.456");
    CHECK(url("service:iscsi:target://192.0.2.3/iqn.2001-04.com.example%3Asn%2e456"));
    CHECK_STR(found.target, "iqn.2001-04.com.example:sn.456");
    CHECK(url("service:iscsi:target://192.0.2.3/not-a-name")); /* accept-names decides */
    CHECK_STR(found.target, "not-a-name");
}

static void urls_of_isns_servers_are_read(void) {
    CHECK(url("service:iscsi:sms://192.0.2.9"));
    CHECK(found.isns);
    CHECK_EQ(found.port, 3205);
    CHECK(url("service:iscsi:sms://[2001:db8::9]:3206/anything"));
    CHECK_EQ(found.port, 3206);
    CHECK(url("service:iscsi:sms:isns://isns.example.com"));
    CHECK_STR(found.name, "isns.example.com");
}

static void other_urls_are_refused(void) {
    static const char *const wrong[] = {
        "",
        "service:iscsi:target",
        "service:iscsi:target:",
        "service:iscsi:target://",
        "service:iscsi:target:///iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.3",
        "service:iscsi:target://192.0.2.3/",
        "service:iscsi:target://192.0.2.3:/iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.3:0/iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.3:65536/iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.3:3260x/iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.256/iqn.2001-04.com.example:a",
        "service:iscsi:target://2001:db8::3/iqn.2001-04.com.example:a",
        "service:iscsi:target://[2001:db8::3/iqn.2001-04.com.example:a",
        "service:iscsi:target://[]/iqn.2001-04.com.example:a",
        "service:iscsi:target://[2001:db8::3]3260/iqn.2001-04.com.example:a",
        "service:iscsi:target://root@192.0.2.3/iqn.2001-04.com.example:a",
        "service:iscsi:target://192.0.2.3/not a name",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a\\",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a\\2",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a\\2fb",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a\\00",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a;x=y",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a%",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a%2",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a%00",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a%20b",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a%2561",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a/not a name",
        "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:a/eui.02004567a425678d/x",
        "service:iscsi://192.0.2.3/iqn.2001-04.com.example:a",
        "service:iscsi:sms",
        "service:iscsi:sms:",
        "service:iscsi:sms://",
        "service:iscsi:sms://:3205",
        "http://192.0.2.3/iqn.2001-04.com.example:a",
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        if (!CHECK(!url(wrong[i])))
            tap_note("%s", wrong[i]);
        CHECK_EQ(((uint8_t *)&found)[0], 0xee);
    }
}

static void a_url_longer_than_a_kibibyte_is_refused(void) {
    char long_url[LB_SLP_URL_MAX + 2];
    memset(long_url, 'a', sizeof long_url - 1);
    memcpy(long_url, "service:iscsi:sms://192.0.2.3/", 30);
    long_url[LB_SLP_URL_MAX + 1] = 0;
    CHECK(!url(long_url));
    long_url[LB_SLP_URL_MAX] = 0;
    CHECK(url(long_url));
}

static void a_name_over_223_bytes_is_refused(void) {
    char long_url[400] = "service:iscsi:target://192.0.2.3/iqn.2001-04.com.example:";
    size_t start = lb_strlen("service:iscsi:target://192.0.2.3/"), len = lb_strlen(long_url);
    memset(long_url + len, 'a', 300);
    long_url[start + LB_NAME_MAX] = 0;
    CHECK(url(long_url));
    long_url[start + LB_NAME_MAX] = 'a';
    long_url[start + LB_NAME_MAX + 1] = 0;
    CHECK(!url(long_url));
}

static void agents_are_found_by_address(void) {
    CHECK_STR(lb_addr_text(lb_slp_agent_url(text("service:directory-agent://192.0.2.5"))).s,
              "192.0.2.5");
    CHECK_STR(lb_addr_text(lb_slp_agent_url(text("service:directory-agent://[2001:db8::5]/x"))).s,
              "2001:db8::5");
    CHECK(!lb_addr_is_set(lb_slp_agent_url(text("service:directory-agent://da.example.com"))));
    CHECK(!lb_addr_is_set(lb_slp_agent_url(text("service:directory-agent://"))));
    CHECK(!lb_addr_is_set(lb_slp_agent_url(text("service:iscsi:target://192.0.2.5"))));
}

/* ---- filters ---- */

static const char *filter(const char *filter_text) {
    static const char attributes[] = "(iscsi-name=iqn.2001-04.com.example:sn.456),(portal-group=7),"
                                     "(transports=tcp),(auth-name=iqn.a,ANY),(auth-cred=chap/x),"
                                     "(note=one  Two three),(big=99999999999999999999),keyword";
    switch (lb_slp_filter(text(filter_text), text(attributes))) {
    case LB_SLP_MATCH_NO:
        return "no";
    case LB_SLP_MATCH_YES:
        return "yes";
    case LB_SLP_MATCH_MALFORMED:
        return "malformed";
    }
    return "?";
}

static void equality_is_matched(void) {
    CHECK_STR(filter(""), "yes");
    CHECK_STR(filter("  "), "yes");
    CHECK_STR(filter("(ISCSI-name=IQN.2001-04.com.example:sn.456)"), "yes");
    CHECK_STR(filter("(iscsi-name=iqn.2001-04.com.example:sn.45)"), "no");
    CHECK_STR(filter("(absent=1)"), "no");
    CHECK_STR(filter("(auth-cred=chap/x)"), "yes");
    CHECK_STR(filter("(note=ONE two  three)"), "yes");
    CHECK_STR(filter("(note~=one two three)"), "yes");
}

static void one_of_several_values_is_enough(void) {
    CHECK_STR(filter("(auth-name=any)"), "yes");
    CHECK_STR(filter("(auth-name=iqn.a)"), "yes");
    CHECK_STR(filter("(auth-name=iqn.b)"), "no");
}

static void combinations_are_matched(void) {
    CHECK_STR(filter("(|(auth-name=iqn.b)(auth-name=any))"), "yes");
    CHECK_STR(filter("(&(auth-name=iqn.b)(auth-name=any))"), "no");
    CHECK_STR(filter("(&(auth-name=any)(|(auth-cred=any)(auth-cred=chap/x))(portal-group=7))"),
              "yes");
    CHECK_STR(filter("(!(auth-name=iqn.b))"), "yes");
    CHECK_STR(filter("(!(|(absent=1)(keyword=*)))"), "no");
    CHECK_STR(filter(" ( & (auth-name=any) (portal-group=7) ) "), "yes");
}

static void presence_is_matched(void) {
    CHECK_STR(filter("(portal-group=*)"), "yes");
    CHECK_STR(filter("(keyword=*)"), "yes");
    CHECK_STR(filter("(keyword=x)"), "no");
    CHECK_STR(filter("(absent=*)"), "no");
}

static void numbers_are_compared_as_numbers(void) {
    CHECK_STR(filter("(portal-group>=7)"), "yes");
    CHECK_STR(filter("(portal-group>=10)"), "no");
    CHECK_STR(filter("(portal-group<=10)"), "yes");
    CHECK_STR(filter("(portal-group<=-1)"), "no");
    CHECK_STR(filter("(portal-group=007)"), "yes");
    CHECK_STR(filter("(portal-group>=a)"), "no");
    CHECK_STR(filter("(big=99999999999999999999)"), "yes");
    CHECK_STR(filter("(transports>=tca)"), "yes");
    CHECK_STR(filter("(transports<=tca)"), "no");
}

static void parts_are_matched(void) {
    CHECK_STR(filter("(iscsi-name=iqn.2001-04.*)"), "yes");
    CHECK_STR(filter("(iscsi-name=*sn.456)"), "yes");
    CHECK_STR(filter("(iscsi-name=*EXAMPLE*)"), "yes");
    CHECK_STR(filter("(iscsi-name=*456*)"), "yes"); /* at the very end */
    CHECK_STR(filter("(iscsi-name=*4567*)"), "no");
    CHECK_STR(filter("(iscsi-name=iqn*6*)"), "yes");
    CHECK_STR(filter("(transports=tcp*)"), "yes"); /* all of it */
    CHECK_STR(filter("(transports=*tcp)"), "yes");
    CHECK_STR(filter("(transports=*tcp*)"), "yes");
    CHECK_STR(filter("(iscsi-name=iqn*example*456)"), "yes");
    CHECK_STR(filter("(iscsi-name=iqn*456*example)"), "no");
    CHECK_STR(filter("(iscsi-name=qn*)"), "no");
    CHECK_STR(filter("(transports=t*p)"), "yes");
    CHECK_STR(filter("(transports=tc*cp)"), "no");
    CHECK_STR(filter("(transports=**)"), "yes");
}

static void malformed_filters_are_told(void) {
    static const char *const wrong[] = {
        "a=b",        "(",           ")",       "()",     "(a)",   "(=b)",          "(a=)",
        "(a=b",       "(a=b))",      "(&)",     "(|)",    "(!)",   "(!(a=b)(c=d))", "(&(a=b)",
        "(a=b)(c=d)", "&(a=b)(c=d)", "((a=b))", "(a=(b)", "(>=b)", "(&x(a=b))",
    };
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        if (!CHECK_STR(filter(wrong[i]), "malformed"))
            tap_note("%s", wrong[i]);
    }
}

/* A stack of filters has an end, and not the processor's. */
static void deep_filters_are_refused(void) {
    char deep[2000];
    for (size_t depth = 1; depth < 300; depth++) {
        struct lb_text out = lb_text(deep, sizeof deep);
        for (size_t i = 0; i < depth; i++)
            lb_text_add(&out, "(!");
        lb_text_add(&out, "(keyword=*)");
        for (size_t i = 0; i < depth; i++)
            lb_text_add(&out, ")");
        CHECK_STR(filter(deep), depth > 16 ? "malformed" : depth % 2 ? "no" : "yes");
    }
}

int main(void) {
    TEST(reserved_characters_are_escaped);
    TEST(what_is_escaped_comes_back);
    TEST(a_backslash_at_the_end_is_malformed);
    TEST(what_does_not_fit_is_refused);
    TEST(comparison_folds_case_and_blanks);
    TEST(long_lists_are_compared_in_no_time);
    TEST(white_space_alone_is_an_empty_text);
    TEST(scopes_meet_in_any_case);
    TEST(responders_are_found_in_their_list);
    TEST(attributes_are_read_one_by_one);
    TEST(malformed_attributes_end_the_list);
    TEST(an_attribute_is_found_by_its_tag);
    TEST(the_urls_of_rfc_4018_are_read);
    TEST(names_in_urls_are_unescaped_and_keep_their_case);
    TEST(urls_of_isns_servers_are_read);
    TEST(other_urls_are_refused);
    TEST(a_url_longer_than_a_kibibyte_is_refused);
    TEST(a_name_over_223_bytes_is_refused);
    TEST(agents_are_found_by_address);
    TEST(equality_is_matched);
    TEST(one_of_several_values_is_enough);
    TEST(combinations_are_matched);
    TEST(presence_is_matched);
    TEST(numbers_are_compared_as_numbers);
    TEST(parts_are_matched);
    TEST(malformed_filters_are_told);
    TEST(deep_filters_are_refused);
    return tap_done();
}
