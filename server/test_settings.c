/* lunbootd.conf and the command line: keys, sections, and what belongs together. */
#include "core/dhcp4/dhcp4_wire.h"
#include "server/serve.h"
#include "tests/tap.h"
#include <string.h>

/* ---- the command line ---- */

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
        {"--overlay-limit=4G", "the command line: overlay-limit cannot be \"4G\"",
         "give a number from 0 to 4194304 (MiB)"},
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

static void a_word_of_the_command_line_is_an_option_or_the_disk(void) {
    CHECK(!TAKE("--interface", "eth0", "disk.img"));
    CHECK_STR(error.what, "the command line: --interface has no value");
    CHECK_STR(error.hint, "write it as one word: --interface=NAME");
    CHECK(!TAKE("--config", "lunbootd.conf"));
    CHECK_STR(error.hint, "write it as one word: --config=FILE");
    CHECK(!TAKE("-i", "eth0", "disk.img"));
    CHECK_STR(error.what, "the command line: there is no option -i");
    CHECK(!TAKE("--interface=eth0", "a.img", "b.img"));
    CHECK_STR(error.what, "the command line: two disks are named, a.img and b.img");
    CHECK(TAKE("--interface=eth0", "a.img", "--read-only"));
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

static void a_file_of_another_editor_is_read(void) {
    CHECK(read_conf("\xef\xbb\xbfinterface = eth0\r\ndisk = d\r\n[machine x]\r\n"
                    "mac = 02-00-00-00-00-0A\r\n"));
    CHECK_BYTES(lb_bytes(settings.machines[0].mac, 6), tap_hex("02000000000a"));
    error = (struct lb_server_error){0};
    static const char utf16[] = "\xff\xfei\0n\0t\0";
    CHECK(!lb_server_settings_read(&settings, lb_bytes(utf16, sizeof utf16 - 1), "conf", &error));
    CHECK_STR(error.what, "conf:1: a NUL byte: the file is damaged, or it is UTF-16");
}

static void a_key_twice_or_in_the_wrong_section_is_told(void) {
    static const struct {
        const char *text, *what, *hint;
    } cases[] = {
        {"interface = a\n\ninterface = b\n", "conf:3: interface has another value in line 1",
         "keep the line that is meant, and remove the other"},
        {"[machine x]\nwrites = drop\nwrites = keep\n",
         "conf:3: writes has another value in line 2",
         "keep the line that is meant, and remove the other"},
        {"[machine x]\ninterface = a\n", "conf:2: there is no key \"interface\" in this section",
         "it is for all machines: write it above the first section"},
        {"mac = 02:00:00:00:00:0a\n", "conf:1: there is no key \"mac\"",
         "it is for one machine: write it below a line [machine NAME]"},
        {"network = 192.0.2.0/24\n", "conf:1: there is no key \"network\"",
         "it is for one network: write it below a line [subnet NAME]"},
        {"interface = eth0 # to the machines\n",
         "conf:1: interface cannot be \"eth0 # to the machines\"",
         "give the name of a network interface, such as eth1; a comment has a line of its own"},
        {"tftp = \"yes\"\n", "conf:1: tftp cannot be \"\"yes\"\"",
         "give yes or no; without quotes"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        CHECK(!read_conf(cases[i].text));
        CHECK_STR(error.what, cases[i].what);
        CHECK_STR(error.hint, cases[i].hint);
    }
    CHECK(read_conf("interface = a\ninterface = a\ndisk = d\n[machine x]\nmac = 02:00:00:00:00:0a\n"
                    "writes = drop\n[machine y]\nmac = 02:00:00:00:00:0b\nwrites = keep\n"));
}

static void two_sections_are_two_machines(void) {
    static const char *const keys[] = {"mac", "uuid", "address", "address6"};
    static const char *const a[] = {"mac = 02:00:00:00:00:0a\n",
                                    "uuid = 00112233-4455-6677-8899-aabbccddeeff\n",
                                    "mac = 02:00:00:00:00:0a\naddress = 192.0.2.9\n",
                                    "mac = 02:00:00:00:00:0a\naddress6 = 2001:db8::9\n"};
    static const char *const b[] = {"mac = 02:00:00:00:00:0A\n",
                                    "uuid = 00112233-4455-6677-8899-AABBCCDDEEFF\n",
                                    "mac = 02:00:00:00:00:0b\naddress = 192.0.2.9\n",
                                    "mac = 02:00:00:00:00:0b\naddress6 = 2001:db8:0::9\n"};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        char text[300], what[80];
        lb_format(text, sizeof text, "interface=e\ndisk=d\n[machine x]\n%s[machine y]\n%s", a[i],
                  b[i]);
        lb_format(what, sizeof what, "machines x and y have the same %s", keys[i]);
        CHECK(!read_conf(text));
        CHECK_STR(error.what, what);
    }
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

static void a_machines_address_is_one_that_can_be_given(void) {
    static const struct lb_server_link link = {
        .name = "e",
        .address = {.family = LB_V4, .bytes = {203, 0, 113, 1}},
        .network = {.addr = {.family = LB_V4, .bytes = {203, 0, 113, 0}}, .len = 24},
    };
    struct lb_server_nets nets = {.count = 0};
    CHECK(read_conf(CONF "dhcp = server\n" ANNA "address = 192.0.2.9\n"));
    error = (struct lb_server_error){0};
    CHECK(!lb_server_nets_open(&nets, &settings, &link, NULL, &error));
    CHECK_STR(error.what,
              "the address of machine anna, 192.0.2.9, is in no network that is served");
    lb_server_nets_close(&nets);
    CHECK(read_conf(CONF "dhcp = server\n" ANNA "address = 203.0.113.1\n"));
    error = (struct lb_server_error){0};
    CHECK(!lb_server_nets_open(&nets, &settings, &link, NULL, &error));
    CHECK_STR(error.what, "machine anna has the address of e, 203.0.113.1");
    lb_server_nets_close(&nets);
    CHECK(read_conf(CONF "dhcp = proxy\n" ANNA "address = 192.0.2.9\n"));
    CHECK(lb_server_nets_open(&nets, &settings, &link, NULL, &error));
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

static void an_image_is_never_written(void) {
    CHECK(!TAKE("--interface=eth0", "--image=debian"));
    CHECK_HAS(error.what, "a version of an image is never written");
    CHECK(!TAKE("--interface=eth0", "--image=debian", "--writes=drop", "disk.img"));
    CHECK_HAS(error.what, "disk and image are both given");
    CHECK(TAKE("--interface=eth0", "--image=debian", "--writes=drop"));
    CHECK(!TAKE("--interface=eth0", "--image=Debian", "--writes=drop"));
}

int main(void) {
    TEST(a_disk_and_an_interface_are_enough);
    TEST(values_are_read_by_their_types);
    TEST(a_wrong_value_is_told_with_its_place_and_form);
    TEST(a_word_of_the_command_line_is_an_option_or_the_disk);
    TEST(what_is_missing_is_told);
    TEST(the_first_failure_is_kept);
    TEST(help_has_each_key_with_its_default);
    TEST(a_file_has_keys_and_sections);
    TEST(a_file_of_another_editor_is_read);
    TEST(a_key_twice_or_in_the_wrong_section_is_told);
    TEST(two_sections_are_two_machines);
    TEST(a_section_must_say_which_machine_it_is);
    TEST(chap_is_of_all_machines_or_of_one);
    TEST(chap_by_halves_is_an_error);
    TEST(a_file_with_secrets_is_its_owners_alone);
    TEST(a_subnet_is_a_network_behind_a_relay);
    TEST(a_subnet_may_be_of_ipv6_alone);
    TEST(a_request_belongs_to_the_network_of_its_relay);
    TEST(a_machines_address_is_one_that_can_be_given);
    TEST(names_of_machines_are_plain);
    TEST(one_machine_too_many_changes_nothing);
    TEST(an_image_is_never_written);
    return tap_done();
}
