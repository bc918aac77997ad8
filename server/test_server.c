/* What lunbootd decides by itself: keys, ranges, paths, frames, who boots what, storage. */
#include "core/dhcp4/dhcp4_wire.h"
#include "server/dhcp.h"
#include "server/head.h"
#include "server/other_dhcp.h"
#include "server/range.h"
#include "server/request.h"
#include "server/say.h"
#include "server/serve.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- settings ---- */

static struct lb_server_settings settings;
static struct lb_server_error error;

static bool take(int count, const char *const *words) {
    char *argv[8] = {0};
    for (int i = 0; i < count; i++)
        argv[i + 1] = (char *)(uintptr_t)words[i];
    error = (struct lb_server_error){0};
    lb_server_settings_init(&settings);
    return lb_server_settings_take(&settings, count + 1, argv, &error) &&
           lb_server_settings_check(&settings, &error);
}
#define TAKE(...)                                                                                  \
    take((int)LB_COUNT(((const char *const[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static void a_disk_and_an_interface_are_enough(void) {
    CHECK(TAKE("--interface=eth0", "debian.img"));
    CHECK_STR(settings.interface, "eth0");
    CHECK_STR(settings.disk, "debian.img");
    CHECK_EQ(settings.port, 3260);
    CHECK_EQ(settings.dhcp, LB_SERVER_DHCP_AUTO);
    CHECK(settings.tftp && settings.http && !settings.read_only);
}

static void values_are_read_by_their_types(void) {
    CHECK(TAKE("--interface=eth0", "--disk=d", "--read-only", "--dhcp=off", "--port=3261",
               "--dhcp-range=192.0.2.10-192.0.2.20", "--router=192.0.2.254"));
    CHECK(settings.read_only);
    CHECK_EQ(settings.dhcp, LB_SERVER_DHCP_OFF);
    CHECK_EQ(settings.port, 3261);
    CHECK_STR(lb_addr_text(settings.dhcp_range.last).s, "192.0.2.20");
    CHECK_STR(lb_addr_text(settings.router).s, "192.0.2.254");
}

static void a_wrong_value_is_told_with_its_place_and_form(void) {
    static const struct {
        const char *word, *what, *hint;
    } cases[] = {
        {"--port=0", "the command line: port cannot be \"0\"", "give a number from 1 to 65535"},
        {"--tftp=on", "the command line: tftp cannot be \"on\"", "give yes or no"},
        {"--dhcp=maybe", "the command line: dhcp cannot be \"maybe\"",
         "give one of auto|server|proxy|off"},
        {"--router=fe80::1", "the command line: router cannot be \"fe80::1\"",
         "give an IPv4 address of a machine"},
        {"--dhcp-range=192.0.2.9-192.0.2.1",
         "the command line: dhcp-range cannot be \"192.0.2.9-192.0.2.1\"",
         "give two addresses, the lower one first"},
        {"--dhcp-range=192.0.2.9", "the command line: dhcp-range cannot be \"192.0.2.9\"",
         "give two IPv4 addresses with - between them, such as 192.0.2.100-192.0.2.200"},
        {"--colour=red", "the command line: there is no key \"colour\"",
         "lunbootd --help lists the keys"},
        {"--interface=", "the command line: interface cannot be \"\"",
         "give a text that is not empty, without control characters"},
        {"--interface=averyverylongname",
         "the command line: interface cannot be \"averyverylongname\"", "give a shorter text"},
        {"--target=Disk 1", "the target's name \"Disk 1\" is no iSCSI name",
         "give iqn.YYYY-MM.reversed.domain:anything, in lower case"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!TAKE("--interface=eth0", "disk.img", cases[i].word));
        CHECK_STR(error.what, cases[i].what);
        CHECK_STR(error.hint, cases[i].hint);
    }
}

static void what_is_missing_is_told(void) {
    CHECK(!TAKE("disk.img"));
    CHECK_HAS(error.what, "which network interface");
    CHECK(!TAKE("--interface=eth0"));
    CHECK_HAS(error.what, "which disk");
}

static void the_first_failure_is_kept(void) {
    error = (struct lb_server_error){0};
    CHECK(!lb_server_fail(&error, "a", "one"));
    CHECK(!lb_server_fail(&error, "b", "two"));
    CHECK_STR(error.what, "one");
    CHECK_STR(error.hint, "a");
}

static void help_has_each_key_with_its_default(void) {
    static char room[16384];
    struct lb_text text = lb_text(room, sizeof room);
    lb_server_settings_help(&text);
    CHECK(!text.cut);
    CHECK_HAS(room, "--dhcp=auto|server|proxy|off\n");
    CHECK_HAS(room, "Default: 3260.\n");
    CHECK_HAS(room, "--files=TEXT\n");
}

/* ---- lunbootd.conf ---- */

static bool read_conf(const char *text) {
    error = (struct lb_server_error){0};
    lb_server_settings_init(&settings);
    return lb_server_settings_read(&settings, lb_bytes_of_text(text), "conf", &error) &&
           lb_server_settings_check(&settings, &error);
}

static void a_file_has_keys_and_sections(void) {
    CHECK(read_conf("# comment\n\n interface = eth0\ndisk=/a b.img\r\n"
                    "[machine anna]\nmac = 02:00:00:00:00:0a\naddress = 192.0.2.7\n"
                    "[ machine is no section\n") == false);
    CHECK_STR(error.what, "conf:8: a section that is not understood");
    CHECK(read_conf("interface = eth0\ndisk = /a b.img\r\n"
                    "[machine anna]\nmac = 02:00:00:00:00:0a\naddress = 192.0.2.7\n"
                    "[machine bert]\nuuid = 00112233-4455-6677-8899-aabbccddeeff\nwrites = drop"));
    CHECK_STR(settings.disk, "/a b.img");
    CHECK_EQ(settings.machine_count, 2);
    CHECK_STR(settings.machines[0].name, "anna");
    CHECK_BYTES(lb_bytes(settings.machines[0].mac, 6), tap_hex("02000000000a"));
    CHECK_EQ(settings.machines[0].writes, LB_WRITES_AS_ALL);
    CHECK_EQ(settings.machines[1].writes, LB_WRITES_DROP);
    /* The bytes of SMBIOS: DSP0134 7.2.1 has this very example. */
    CHECK_BYTES(lb_bytes(settings.machines[1].uuid, 16),
                tap_hex("33 22 11 00 55 44 77 66 88 99 aa bb cc dd ee ff"));
}

static void a_section_must_say_which_machine_it_is(void) {
    CHECK(!read_conf("interface=e\ndisk=d\n[machine x]\n"));
    CHECK_STR(error.what, "nothing says which machine x is");
    CHECK(!read_conf("interface=e\ndisk=d\n[machine x]\nuuid=00112233445566778899aabbccddeeff\n"
                     "address=192.0.2.1"));
    CHECK_STR(error.what, "machine x has an address, and is not known by its card");
    CHECK(!read_conf("interface=e\n[machine x]\nmac=02:00:00:00:00:01"));
    CHECK_HAS(error.what, "which disk");
    CHECK(read_conf("interface=e\n[machine x]\nmac=02:00:00:00:00:01\ndisk=d"));
}

#define CONF "interface=e\ndisk=d\n"
#define ANNA "[machine anna]\nmac=02:00:00:00:00:0a\n"

static void chap_is_of_all_machines_or_of_one(void) {
    CHECK(read_conf(CONF "chap-name = all\nchap-secret = secret-of-all\n" ANNA
                         "initiator = iqn.2026-11.test:anna\nchap-name = anna\n"
                         "chap-secret = 0x000102030405060708090a0b\nchap-target-name = disk\n"
                         "chap-target-secret = the-disk-of-anna\n"
                         "[machine open]\nmac=02:00:00:00:00:0b\nchap = no"));
    CHECK_STR(settings.chap.name, "all");
    CHECK_BYTES(lb_bytes(settings.chap.secret.bytes, settings.chap.secret.len),
                lb_bytes_of_text("secret-of-all"));
    CHECK_EQ(settings.chap_algs.count, 4);
    const struct lb_server_machine_settings *anna = &settings.machines[0];
    CHECK(anna->has_chap);
    CHECK_STR(anna->initiator, "iqn.2026-11.test:anna");
    CHECK_BYTES(lb_bytes(anna->chap.secret.bytes, anna->chap.secret.len),
                tap_hex("000102030405060708090a0b"));
    CHECK_STR(anna->chap.target_name, "disk");
    CHECK(!settings.machines[1].has_chap);
}

static void chap_by_halves_is_an_error(void) {
    static const struct {
        const char *text, *what, *hint;
    } cases[] = {
        {CONF "chap-name=a", "all machines: chap-name is given without chap-secret",
         "give both, or neither"},
        {CONF ANNA "chap-secret=123456789012", "anna: chap-secret is given without chap-name",
         "give both, or neither"},
        {CONF "chap-target-secret=123456789012",
         "all machines: chap-target-secret is given without chap-name",
         "give chap-name and chap-secret as well"},
        {CONF "chap-name=a\nchap-secret=123456789012\nchap-target-name=b",
         "all machines: chap-target-name is given without chap-target-secret",
         "give chap-target-secret as well"},
        {CONF "chap-name=a\nchap-secret=123456789012\nchap-target-secret=123456789012",
         "all machines: chap-secret and chap-target-secret are the same",
         "give two secrets that differ"},
        {CONF "chap-secret=12345678901", "conf:3: this chap-secret cannot be used",
         "give a secret of 12 to 128 bytes; 0x and hex digits for binary"},
        {CONF "chap-secret=0x12345678901g", "conf:3: this chap-secret cannot be used",
         "give a secret of 12 to 128 bytes; 0x and hex digits for binary"},
        {CONF "chap-algorithms=md4", "conf:3: chap-algorithms cannot be \"md4\"",
         "give a list of md5, sha1, sha256 and sha3-256"},
        {CONF ANNA "initiator=Anna", "the initiator's name \"Anna\" is no iSCSI name",
         "give iqn.YYYY-MM.reversed.domain:anything, in lower case"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!read_conf(cases[i].text));
        CHECK_STR(error.what, cases[i].what);
        CHECK_STR(error.hint, cases[i].hint);
    }
    CHECK(!TAKE("--interface=eth0", "disk.img", "--chap-name=a", "--chap-secret=123456789012"));
    CHECK_STR(error.what, "the command line: all users of this machine can see a secret there");
}

static bool is_closed(uint32_t mode, uint32_t owner, uint32_t own) {
    error = (struct lb_server_error){0};
    return lb_server_settings_is_closed(&settings, "conf", mode, owner, own, &error);
}

static void a_file_with_secrets_is_its_owners_alone(void) {
    CHECK(read_conf(CONF));
    CHECK(is_closed(0100644, 0, 0) && is_closed(0100664, 1000, 1000) && is_closed(0100644, 0, 7));
    CHECK(!is_closed(0100664, 0, 0));
    CHECK_STR(error.what, "conf: others can change it (mode 664, user 0)");
    CHECK(!is_closed(0100602, 1000, 1000) && !is_closed(0100600, 1000, 0));
    CHECK(read_conf(CONF ANNA "chap-name=a\nchap-secret=123456789012"));
    CHECK(is_closed(0100600, 0, 0));
    CHECK(!is_closed(0100640, 0, 0));
    CHECK_STR(error.what, "conf: it has secrets, and others can read it (mode 640)");
    CHECK_STR(error.hint, "chmod 600");
    CHECK(!is_closed(0100604, 0, 0));
}

static void a_subnet_is_a_network_behind_a_relay(void) {
    CHECK(read_conf(CONF "[subnet lab]\nnetwork = 192.0.2.0/25\nrouter = 192.0.2.1\n" ANNA
                         "[subnet far]\nnetwork = 198.51.100.0/24\n"
                         "dhcp-range = 198.51.100.7-198.51.100.9\n"));
    CHECK_EQ(settings.subnet_count, 2);
    CHECK_EQ(settings.machine_count, 1);
    CHECK_STR(settings.subnets[0].name, "lab");
    CHECK_STR(lb_prefix_text(settings.subnets[0].network).s, "192.0.2.0/25");
    CHECK_STR(lb_addr_text(settings.subnets[1].range.last).s, "198.51.100.9");
    CHECK(!read_conf(CONF "[subnet a]\nnetwork = 192.0.2.0/24\n"
                          "dhcp-range = 192.0.3.1-192.0.3.9"));
    CHECK_STR(error.what, "dhcp-range of a is not within 192.0.2.0/24");
    CHECK(!read_conf(CONF "[subnet a]\nnetwork = 10.0.0.0/7"));
    CHECK_STR(error.what, "conf:4: network cannot be \"10.0.0.0/7\"");
    CHECK(!read_conf(CONF "[subnet a]\n[subnet a]"));
    CHECK_STR(error.what, "conf:4: there are two subnets a");
}

static void a_subnet_may_be_of_ipv6_alone(void) {
    CHECK(read_conf(CONF "[subnet lab]\nnetwork6 = 2001:db8:5::/64\n"
                         "dhcp6-range = 2001:db8:5::100-2001:db8:5::1ff\n" ANNA));
    CHECK_EQ(settings.subnets[0].network.len, 0);
    CHECK_STR(lb_prefix_text(settings.subnets[0].network6).s, "2001:db8:5::/64");
    CHECK_STR(lb_addr_text(settings.subnets[0].range6.last).s, "2001:db8:5::1ff");
    CHECK(!read_conf(CONF "[subnet lab]\nnetwork6 = 2001:db8::/32"));
    CHECK_STR(error.what, "conf:4: network6 cannot be \"2001:db8::/32\"");
    CHECK(!read_conf(CONF "[subnet lab]\nnetwork6 = 192.0.2.0/24"));
    CHECK(!read_conf(CONF "[subnet lab]\nrouter = 192.0.2.1"));
    CHECK_STR(error.what, "nothing says which network lab is");
    CHECK(!read_conf(CONF "[subnet lab]\nnetwork = 192.0.2.0/24\n"
                          "dhcp6-range = 2001:db8:5::1-2001:db8:5::9"));
    CHECK_STR(error.what, "dhcp6-range of lab has no network");
    CHECK(!read_conf(CONF "[subnet a]\nnetwork6 = 2001:db8:5::/64\n"
                          "[subnet b]\nnetwork6 = 2001:db8:5::8000/113"));
    CHECK_STR(error.what, "the networks of a and b overlap");
}

/* Which network a request is about: by its relay, else by the address that its client has. */
static void a_request_belongs_to_the_network_of_its_relay(void) {
    static const struct lb_server_link link = {
        .name = "e",
        .address = {.family = LB_V4, .bytes = {203, 0, 113, 1}},
        .network = {.addr = {.family = LB_V4, .bytes = {203, 0, 113, 0}}, .len = 24},
    };
    struct lb_dhcp4_message request = {.has_cookie = true};
    struct lb_server_nets nets = {.count = 0};
    struct lb_addr at;
    CHECK(read_conf(CONF "dhcp = server\n[subnet lab]\nnetwork = 192.0.2.0/25\n" ANNA
                         "address = 192.0.2.9\n"));
    CHECK(lb_server_nets_open(&nets, &settings, &link, NULL, &error));
    CHECK_EQ(nets.count, 2);
    CHECK_STR(lb_addr_text(nets.list[1].server.config.first).s, "192.0.2.2");
    CHECK_STR(lb_addr_text(nets.list[1].server.config.last).s, "192.0.2.126");
    CHECK_EQ(nets.list[0].server.config.host_count, 0);
    CHECK_EQ(nets.list[1].server.config.host_count, 1);
    CHECK(lb_server_nets_of(&nets, &request, &at) == &nets.list[0]);
    request.header.ciaddr = lb_addr_v4(192, 0, 2, 9);
    CHECK(lb_server_nets_of(&nets, &request, &at) == &nets.list[1]);
    request.header.giaddr = lb_addr_v4(203, 0, 113, 9);
    CHECK(lb_server_nets_of(&nets, &request, &at) == &nets.list[0]);
    request.header.giaddr = lb_addr_v4(10, 0, 0, 1);
    CHECK(lb_server_nets_of(&nets, &request, &at) == NULL);
    CHECK_STR(lb_addr_text(at).s, "10.0.0.1");
    lb_server_nets_close(&nets);
}

static void names_of_machines_are_plain(void) {
    static const char *const wrong[] = {"[machine ]",
                                        "[machine A]",
                                        "[machine a/b]",
                                        "[machine ..]",
                                        "[machine -a]",
                                        "[machine a b]",
                                        "[machine a",
                                        "[",
                                        "[]"};
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        tap_note("%s", wrong[i]);
        CHECK(!read_conf(wrong[i]));
        CHECK_HAS(error.what, "conf:1: ");
    }
}

static bool add_numbered(unsigned number) {
    struct lb_store_section section;
    lb_format(section.name, sizeof section.name, "m%u", number);
    lb_format(section.text, sizeof section.text, "[machine m%u]\nmac=02:00:00:00:%02x:%02x\n",
              number, number >> 8, number & 0xff);
    error = (struct lb_server_error){0};
    return lb_server_settings_add(&settings, &section, "add", &error);
}

static void one_machine_too_many_changes_nothing(void) {
    CHECK(TAKE("--interface=eth0", "debian.img"));
    for (unsigned i = 0; i < LB_SERVER_SECTIONS_MAX; i++)
        if (!CHECK(add_numbered(i)))
            return;
    static struct lb_server_settings before;
    before = settings;
    CHECK(!add_numbered(LB_SERVER_SECTIONS_MAX));
    CHECK_HAS(error.what, "more than 1024 machines");
    CHECK(memcmp(&before, &settings, sizeof before) == 0);
}

/* ---- requests of lunbootctl ---- */

static struct lb_request request;

static bool ask_for(const char *line) {
    error = (struct lb_server_error){0};
    request = (struct lb_request){0};
    return lb_request_parse(lb_bytes_of_text(line), &request, &error);
}

static void a_request_is_a_command_and_its_words(void) {
    CHECK(ask_for("text\tlist"));
    CHECK_EQ(request.verb, LB_REQUEST_LIST);
    CHECK(!request.is_json);
    CHECK_EQ(request.word_count, 0);
    CHECK(ask_for("json\tadd\tbert\tmac=02:00:00:00:00:01\tdisk=/a b.img"));
    CHECK_EQ(request.verb, LB_REQUEST_ADD);
    CHECK(request.is_json);
    CHECK_EQ(request.word_count, 3);
    CHECK_BYTES(request.words[0], lb_bytes_of_text("bert"));
    CHECK_BYTES(request.words[2], lb_bytes_of_text("disk=/a b.img"));
}

static void a_wrong_request_is_told(void) {
    static const struct {
        const char *line, *what;
    } cases[] = {
        {"", "the request is not understood"},
        {"xml\tlist", "the request is not understood"},
        {"text", "there is no command \"\""},
        {"text\tdance", "there is no command \"dance\""},
        {"text\tlist\tx", "there are too many words after list"},
        {"text\tshow", "something is missing after show"},
        {"text\tshow\t\t", "a word after show is empty or has control characters"},
        {"text\tshow\ta\033b", "a word after show is empty or has control characters"},
        {"text\tadd\tx", "something is missing after add"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!ask_for(cases[i].line));
        CHECK_STR(error.what, cases[i].what);
        CHECK(error.hint[0] != '\0');
    }
}

static void help_has_each_command(void) {
    static char room[4096];
    struct lb_text text = lb_text(room, sizeof room);
    lb_request_help(&text);
    CHECK(!text.cut);
    CHECK_HAS(room, "  list\n");
    CHECK_HAS(room, "  eject MACHINE\n");
}

/* ---- images ---- */

static void a_version_is_a_name_and_a_number(void) {
    static const char *const wrong[] = {
        "",          "debian",    "debian@",           "@1",        "debian@0", "debian@01",
        "debian@1 ", "debian@-1", "debian@4294967296", ".debian@1", "Debian@1", " debian@1",
        "debian @1", "a/b@1",     "debian@1@2"};
    struct lb_image image = {0};
    CHECK(lb_image_parse(lb_bytes_of_text("debian-12.5@42"), &image));
    CHECK_STR(image.name, "debian-12.5");
    CHECK_EQ(image.version, 42);
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        tap_note("%s", wrong[i]);
        CHECK(!lb_image_parse(lb_bytes_of_text(wrong[i]), &image));
    }
}

static void a_path_is_a_version_of_its_state_folder_alone(void) {
    char path[LB_IMAGE_PATH_MAX];
    struct lb_image image = {.name = "debian", .version = 3};
    lb_image_path("/var/lib/lunbootd", &image, path);
    CHECK_STR(path, "/var/lib/lunbootd/images/debian@3");
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", path).version, 3);
    CHECK_EQ(lb_image_of_path("/var/lib/other", path).version, 0);
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", "/srv/debian@3").version, 0);
    CHECK_EQ(lb_image_of_path("/var/lib/lunbootd", "debian@3").version, 0);
}

static void an_image_is_never_written(void) {
    CHECK(!TAKE("--interface=eth0", "--image=debian"));
    CHECK_HAS(error.what, "a version of an image is never written");
    CHECK(!TAKE("--interface=eth0", "--image=debian", "--writes=drop", "disk.img"));
    CHECK_HAS(error.what, "disk and image are both given");
    CHECK(TAKE("--interface=eth0", "--image=debian", "--writes=drop"));
    CHECK(!TAKE("--interface=eth0", "--image=Debian", "--writes=drop"));
}

/* ---- heads of overlays ---- */

static void a_head_is_read_back_as_it_was_written(void) {
    char room[LB_SERVER_HEAD_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    struct lb_server_head got, head = {.mac = {2, 0, 0, 0, 0, 10},
                                       .base = "/srv/a = b.img",
                                       .base_bytes = 1 << 30,
                                       .base_changed_ns = UINT64_C(1796000000123456789),
                                       .generation = 7,
                                       .is_used = true};
    lb_server_head_format(&text, &head);
    CHECK(lb_server_head_parse(lb_bytes_of_text(room), &got));
    CHECK_STR(got.base, head.base);
    CHECK_BYTES(lb_bytes(got.mac, 6), lb_bytes(head.mac, 6));
    CHECK_EQ(got.base_bytes, head.base_bytes);
    CHECK_EQ(got.base_changed_ns, head.base_changed_ns);
    CHECK_EQ(got.generation, 7);
    CHECK(got.is_used);
    for (size_t len = 0; len + 4 < text.len; len++) /* "end" is its end */
        CHECK(!lb_server_head_parse(lb_bytes(room, len), &got));
}

/* ---- the target's name, and sizes ---- */

static void the_targets_name_is_made_of_the_disks(void) {
    static const struct {
        const char *disk, *name;
    } cases[] = {
        {"/srv/images/Debian 12.img", "iqn.2026-11.org.lunboot:debian-12"},
        {"disk", "iqn.2026-11.org.lunboot:disk"},
        {"/dev/vg0/a.b.raw", "iqn.2026-11.org.lunboot:a.b"},
        {".img", "iqn.2026-11.org.lunboot:.img"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        char name[LB_NAME_MAX + 1];
        lb_server_target_name(name, cases[i].disk);
        CHECK_STR(name, cases[i].name);
    }
}

/* ---- ranges of HTTP: the examples of RFC 9110 14.1.2, for 10000 bytes ---- */

static void ranges_of_http_are_read(void) {
    static const struct {
        const char *header;
        enum lb_server_range_kind kind;
        uint64_t offset, len;
    } cases[] = {
        {"bytes=0-499", LB_RANGE_PART, 0, 500},
        {"bytes=500-999", LB_RANGE_PART, 500, 500},
        {"bytes=-500", LB_RANGE_PART, 9500, 500},
        {"bytes=9500-", LB_RANGE_PART, 9500, 500},
        {"bytes=9999-20000", LB_RANGE_PART, 9999, 1},
        {"bytes=-20000", LB_RANGE_PART, 0, 10000},
        {"bytes=10000-", LB_RANGE_OUTSIDE, 0, 10000},
        {"bytes=-0", LB_RANGE_OUTSIDE, 0, 10000},
        {"", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=5-4", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=0-0,-1", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=a-b", LB_RANGE_WHOLE, 0, 10000},
        {"bytes=7", LB_RANGE_WHOLE, 0, 10000},
        {"lines=1-2", LB_RANGE_WHOLE, 0, 10000},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        uint64_t offset, len;
        tap_note("%s", cases[i].header);
        CHECK_EQ(lb_server_range_parse(lb_bytes_of_text(cases[i].header), 10000, &offset, &len),
                 cases[i].kind);
        CHECK_EQ(offset, cases[i].offset);
        CHECK_EQ(len, cases[i].len);
    }
}

static void an_empty_file_has_no_range(void) {
    uint64_t offset, len;
    CHECK_EQ(lb_server_range_parse(lb_bytes_of_text("bytes=0-"), 0, &offset, &len),
             LB_RANGE_OUTSIDE);
    CHECK_EQ(lb_server_range_parse(lb_bytes_of_text("bytes=-5"), 0, &offset, &len),
             LB_RANGE_OUTSIDE);
}

/* ---- names of files ---- */

static void a_clients_name_stays_within_the_folder(void) {
    static const struct {
        const char *name, *path;
    } cases[] = {
        {"lunbootx64.efi", "lunbootx64.efi"},
        {"/boot/kernel", "boot/kernel"},
        {"\\boot\\\\kernel", "boot/kernel"},
        {"../etc/passwd", ""},
        {"boot/../../etc/passwd", ""},
        {"boot\\..\\x", ""},
        {".hidden", ""},
        {"a/.b", ""},
        {"folder/", ""},
        {"/", ""},
        {"a\nb", ""},
        {"a..b", "a..b"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        uint8_t room[32];
        struct lb_bytes path =
            lb_server_files_path(lb_bytes_of_text(cases[i].name), lb_span(room, sizeof room));
        CHECK_BYTES(path, lb_bytes_of_text(cases[i].path));
    }
}

static void a_name_that_is_too_long_is_none(void) {
    uint8_t room[4];
    CHECK_EQ(lb_server_files_path(lb_bytes_of_text("abcde"), lb_span(room, 4)).len, 0);
}

static void lunboot_conf_is_made_beside_any_loader(void) {
    struct lb_server_files files;
    struct lb_server_file file;
    const char *why;
    CHECK(lb_server_files_open(&files, "/nowhere/at/all", &error) == false);
    CHECK(lb_server_files_find(&files, lb_bytes_of_text("boot/lunboot.conf"), &file, &why));
    char text[64] = "";
    CHECK(lb_server_file_read(&file, 0, text, (size_t)file.bytes));
    CHECK_HAS(text, "enable = yes\n");
    CHECK(!lb_server_file_read(&file, 1, text, (size_t)file.bytes));
    CHECK(!lb_server_files_find(&files, lb_bytes_of_text("xlunboot.conf"), &file, &why));
    CHECK_STR(why, "there is no such file");
}

/* ---- who boots what ---- */

/* A request with these options. */
static struct lb_server_boot_file boot_file_of(struct lb_wr *list) {
    static uint8_t packet[600];
    static struct lb_dhcp4_message message;
    struct lb_dhcp4_header header = {.op = LB_BOOTREQUEST, .htype = 1, .hlen = 6};
    struct lb_dhcp4_layout layout = {.max_bytes = 548};
    const char *why;
    struct lb_bytes bytes = lb_dhcp4_encode(&header, list, layout, lb_span(packet, sizeof packet));
    CHECK(lb_dhcp4_decode(bytes, &message, &why));
    return lb_server_boot_file(&message);
}

static struct lb_server_boot_file boot_file(const char *vendor_class, int arch,
                                            const char *user_class) {
    static uint8_t memory[600];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
    if (vendor_class)
        lb_dhcp4_put_text(&list, LB_OPT_VENDOR_CLASS, vendor_class);
    if (arch >= 0)
        lb_dhcp4_put_u16(&list, LB_OPT_ARCH, (uint16_t)arch);
    if (user_class)
        lb_dhcp4_put_text(&list, LB_OPT_USER_CLASS, user_class);
    return boot_file_of(&list);
}

static void firmware_gets_the_loader_of_its_architecture(void) {
    struct lb_server_boot_file boot = boot_file("PXEClient:Arch:00007:UNDI:003000", 7, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_PXE);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK_STR(boot.machine, "UEFI x64");
    CHECK_STR(boot_file("PXEClient", 11, NULL).file, "lunbootaa64.efi");
    CHECK_STR(boot_file("PXEClient", 0, NULL).file, "undionly.kpxe");
    boot = boot_file("HTTPClient:Arch:00016:UNDI:003001", 16, NULL);
    CHECK_EQ(boot.requester, LB_REQUESTER_HTTP);
    CHECK_STR(boot.file, "lunbootx64.efi");
    CHECK_STR(boot_file("HTTPClient", 19, NULL).file, "lunbootaa64.efi");
}

static void others_get_no_loader(void) {
    CHECK(boot_file("lunboot", 7, NULL).file == NULL);
    CHECK(boot_file(NULL, -1, NULL).file == NULL);
    CHECK(boot_file("PXEClient", -1, NULL).file == NULL);
    CHECK(boot_file("PXEClient", 6, NULL).file == NULL);
    CHECK_EQ(boot_file("MSFT 5.0", -1, NULL).requester, LB_REQUESTER_OTHER);
}

static void ipxe_boots_the_disk_itself(void) {
    CHECK(boot_file("PXEClient", 0, "iPXE").file == NULL);
    CHECK(boot_file("PXEClient", 7, "iPXE").file == NULL);
    CHECK(boot_file("PXEClient", 7, "iPXE").is_ipxe);
    CHECK_STR(boot_file("PXEClient", 7, "Lunboot").file, "lunbootx64.efi");
}

static void a_firmwares_own_initiator_is_known_by_what_it_asks_for(void) {
    static const uint8_t edk2[] = {1, 3, 6, 17}, klibc[] = {1, 3, 6, 12, 15, 17, 26};
    static const struct {
        struct lb_bytes asked;
        uint8_t other; /* an option that it has as well */
        bool is_initiator;
    } rows[] = {
        {{edk2, 4}, 0, true},
        {{edk2, 3}, 0, false},
        {{klibc, 7}, 0, false},
        {{edk2, 4}, LB_OPT_HOSTNAME, false},
        {{edk2, 4}, LB_OPT_VENDOR_CLASS, false},
        {{edk2, 4}, LB_OPT_CLIENT_ID, false},
        {{edk2, 4}, LB_OPT_USER_CLASS, false},
        {{edk2, 4}, LB_OPT_ARCH, false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        uint8_t memory[100];
        struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
        lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
        lb_dhcp4_put_u16(&list, LB_OPT_MAX_SIZE, 1500);
        lb_dhcp4_put(&list, LB_OPT_PARAMETERS, rows[i].asked);
        if (rows[i].other != 0)
            lb_dhcp4_put_u16(&list, rows[i].other, 7);
        struct lb_server_boot_file boot = boot_file_of(&list);
        CHECK_EQ(boot.requester == LB_REQUESTER_INITIATOR, rows[i].is_initiator);
        CHECK(boot.file == NULL);
    }
}

/* ---- another DHCP server ---- */

static struct lb_bytes reply(uint32_t xid, enum lb_dhcp4_type type, struct lb_addr yiaddr,
                             struct lb_span room) {
    static uint8_t memory[64];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {
        .op = LB_BOOTREPLY, .htype = 1, .hlen = 6, .xid = xid, .yiaddr = yiaddr};
    struct lb_dhcp4_layout layout = {.max_bytes = LB_DHCP4_BOOTP_BYTES};
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, (uint8_t)type);
    lb_dhcp4_put_addr(&list, LB_OPT_SERVER_ID, lb_addr_v4(192, 0, 2, 3));
    return lb_dhcp4_encode(&header, &list, layout, room);
}

static void an_offer_of_an_address_tells_of_another_server(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct lb_addr address = lb_addr_v4(192, 0, 2, 9), none = {0}, other = {0};
    struct lb_dhcp4_message message;
    uint8_t room[600];
    const char *why;
    struct lb_bytes question = lb_server_other_dhcp_question(mac, 77, lb_span(room, sizeof room));
    CHECK(lb_dhcp4_decode(question, &message, &why));
    CHECK_EQ(message.type, LB_DHCP4_DISCOVER);
    CHECK_EQ(message.header.xid, 77);
    CHECK(message.header.flags & LB_DHCP4_BROADCAST);
    CHECK(!lb_server_other_dhcp_answer(question, 77, address, &other)); /* our own, heard again */
    struct lb_bytes offer = reply(77, LB_DHCP4_OFFER, address, lb_span(room, sizeof room));
    CHECK(!lb_server_other_dhcp_answer(offer, 78, none, &other));
    CHECK(lb_server_other_dhcp_answer(offer, 77, none, &other));
    CHECK_STR(lb_addr_text(other).s, "192.0.2.3");
    offer = reply(77, LB_DHCP4_OFFER, none, lb_span(room, sizeof room)); /* of a proxy */
    CHECK(!lb_server_other_dhcp_answer(offer, 77, none, &other));
    offer = reply(77, LB_DHCP4_NAK, address, lb_span(room, sizeof room));
    CHECK(!lb_server_other_dhcp_answer(offer, 77, none, &other));
}

/* ---- addresses and frames ---- */

static struct lb_server_range range_of(struct lb_addr address, uint8_t len) {
    struct lb_server_link link = {
        .address = address,
        .network = {.addr = lb_addr_mask(address, len), .len = len},
    };
    return lb_server_link_range(&link, 4096);
}

static void the_default_range_is_the_longer_side_of_the_network(void) {
    struct lb_server_range range = range_of(lb_addr_v4(192, 0, 2, 1), 24);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.2");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.254");
    range = range_of(lb_addr_v4(192, 0, 2, 254), 24);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.1");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.253");
    range = range_of(lb_addr_v4(10, 0, 0, 1), 8);
    CHECK_STR(lb_addr_text(range.first).s, "10.0.0.2");
    CHECK_STR(lb_addr_text(range.last).s, "10.0.16.1");
    range = range_of(lb_addr_v4(192, 0, 2, 1), 30);
    CHECK_STR(lb_addr_text(range.first).s, "192.0.2.2");
    CHECK_STR(lb_addr_text(range.last).s, "192.0.2.2");
    CHECK(!lb_addr_is_set(range_of(lb_addr_v4(192, 0, 2, 1), 31).first));
    CHECK(!lb_addr_is_set(range_of(lb_addr_v4(192, 0, 2, 1), 32).first));
}

/* ---- storage ---- */

static void errors_of_the_disk_are_told_as_sense(void) {
    struct lb_target_answer answer = lb_server_target_answer(ENOSPC, true);
    CHECK_EQ(answer.status, LB_SCSI_CHECK_CONDITION);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x72707);
    answer = lb_server_target_answer(EROFS, true);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x72700);
    answer = lb_server_target_answer(EIO, true);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x30c00);
    answer = lb_server_target_answer(EIO, false);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x31100);
    answer = lb_server_target_answer(ENOMEDIUM, false);
    CHECK_EQ(answer.key << 16 | answer.asc << 8 | answer.ascq, 0x20403);
    CHECK_EQ(lb_server_target_answer(0, true).status, LB_SCSI_GOOD);
}

static void a_disk_that_became_shorter_is_an_error_and_no_crash(void) {
    char path[] = "/tmp/lb-test-disk-XXXXXX";
    int fd = mkstemp(path);
    struct lb_storage storage;
    uint8_t block[512];
    struct lb_storage_ask ask = {.op = LB_STORAGE_READ, .offset = 512, .len = 512, .memory = block};
    CHECK(fd >= 0 && ftruncate(fd, 1500) == 0);
    CHECK(lb_storage_open(&storage, path, false, &error));
    CHECK_EQ(storage.bytes, 1024);
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, 0);
    CHECK(ftruncate(fd, 600) == 0);
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, EIO);
    lb_storage_close(&storage);
    close(fd);
    unlink(path);
}

static void a_read_only_disk_takes_no_writes(void) {
    char path[] = "/tmp/lb-test-disk-XXXXXX";
    int fd = mkstemp(path);
    struct lb_storage storage, second;
    uint8_t block[512] = {1};
    struct lb_storage_ask ask = {.op = LB_STORAGE_WRITE, .len = 512, .memory = block};
    CHECK(fd >= 0 && ftruncate(fd, 1024) == 0);
    CHECK(lb_storage_open(&storage, path, true, &error));
    CHECK(lb_storage_open(&second, path, true, &error)); /* readers share it */
    CHECK(lb_storage_submit(&storage, &ask));
    CHECK_EQ(ask.error, EROFS);
    error = (struct lb_server_error){0};
    lb_storage_close(&second);
    CHECK(!lb_storage_open(&second, path, false, &error)); /* and no writer beside them */
    CHECK_HAS(error.what, "another program is using the disk");
    lb_storage_close(&storage);
    close(fd);
    unlink(path);
}

int main(void) {
    TEST(a_disk_and_an_interface_are_enough);
    TEST(values_are_read_by_their_types);
    TEST(a_wrong_value_is_told_with_its_place_and_form);
    TEST(what_is_missing_is_told);
    TEST(the_first_failure_is_kept);
    TEST(help_has_each_key_with_its_default);
    TEST(a_file_has_keys_and_sections);
    TEST(a_section_must_say_which_machine_it_is);
    TEST(chap_is_of_all_machines_or_of_one);
    TEST(chap_by_halves_is_an_error);
    TEST(a_file_with_secrets_is_its_owners_alone);
    TEST(a_subnet_is_a_network_behind_a_relay);
    TEST(a_subnet_may_be_of_ipv6_alone);
    TEST(a_request_belongs_to_the_network_of_its_relay);
    TEST(names_of_machines_are_plain);
    TEST(one_machine_too_many_changes_nothing);
    TEST(a_request_is_a_command_and_its_words);
    TEST(a_wrong_request_is_told);
    TEST(help_has_each_command);
    TEST(a_version_is_a_name_and_a_number);
    TEST(a_path_is_a_version_of_its_state_folder_alone);
    TEST(an_image_is_never_written);
    TEST(a_head_is_read_back_as_it_was_written);
    TEST(the_targets_name_is_made_of_the_disks);
    TEST(ranges_of_http_are_read);
    TEST(an_empty_file_has_no_range);
    TEST(a_clients_name_stays_within_the_folder);
    TEST(a_name_that_is_too_long_is_none);
    TEST(lunboot_conf_is_made_beside_any_loader);
    TEST(firmware_gets_the_loader_of_its_architecture);
    TEST(others_get_no_loader);
    TEST(ipxe_boots_the_disk_itself);
    TEST(a_firmwares_own_initiator_is_known_by_what_it_asks_for);
    TEST(an_offer_of_an_address_tells_of_another_server);
    TEST(the_default_range_is_the_longer_side_of_the_network);
    TEST(errors_of_the_disk_are_told_as_sense);
    TEST(a_disk_that_became_shorter_is_an_error_and_no_crash);
    TEST(a_read_only_disk_takes_no_writes);
    return tap_done();
}
