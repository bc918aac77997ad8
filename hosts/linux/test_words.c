/* Lines that people have, of dracut's manual, open-iscsi's README.Debian and guides, and what they
 * mean. A row gives a kernel command line and, perhaps, open-iscsi's iscsi.initramfs. */
#include "hosts/linux/words.h"
#include "tests/tap.h"
#include <string.h>

#define IQN "iqn.2026-11.test:disk"

static struct lb_config config;
static struct lb_words words;
static struct lb_error error;

static bool read(const char *file, const char *line) {
    memset(&config, 0, sizeof(config));
    memset(&words, 0, sizeof(words));
    memset(&error, 0, sizeof(error));
    lb_words_read_file(&words, lb_bytes_of_text(file));
    lb_words_read_line(&words, lb_bytes_of_text(line));
    return lb_words_configure(&words, &config, &error);
}

static void write_value(enum lb_key key, struct lb_text *text) {
    switch ((enum lb_key_type)lb_key_info(key)->type) {
    case LB_TYPE_BOOL:
        lb_text_add(text, "%s", lb_config_bool(&config, key) ? "yes" : "no");
        return;
    case LB_TYPE_NUMBER:
    case LB_TYPE_DURATION:
        lb_text_add(text, "%u", lb_config_u32(&config, key));
        return;
    case LB_TYPE_SECRET: {
        struct lb_bytes secret = lb_config_secret(&config, key);
        lb_text_add(text, "%.*s", (int)secret.len, (const char *)secret.p);
        return;
    }
    case LB_TYPE_ADDR:
        lb_text_add(text, "%s", lb_addr_text(lb_config_addr(&config, key)).s);
        return;
    case LB_TYPE_PREFIX:
        lb_text_add(text, "%s", lb_prefix_text(lb_config_prefix(&config, key)).s);
        return;
    case LB_TYPE_TEXT:
    case LB_TYPE_HOSTNAME:
    case LB_TYPE_WORD:
    case LB_TYPE_ADDRS:
    case LB_TYPE_LIST:
    case LB_TYPE_SERVERS:
    case LB_TYPE_NAMES:
    case LB_TYPE_HOSTS:
    case LB_TYPE_ROUTES:
    case LB_TYPE_CARDS:
    case LB_TYPE_CHOICE:
    case LB_TYPE_CHOICES:
    case LB_TYPE_BYTES:
        lb_text_add(text, "%s", lb_config_text(&config, key));
        return;
    }
}

/* All that is set, in the order of the keys: "server=192.0.2.1 lun=any". */
static void write_all(struct lb_text *text) {
    for (unsigned i = 0; i < LB_KEY_COUNT; i++) {
        if (!lb_config_is_set(&config, (enum lb_key)i))
            continue;
        lb_text_add(text, "%s%s=", text->len > 0 ? "; " : "", lb_key_info((enum lb_key)i)->word);
        write_value((enum lb_key)i, text);
    }
}

struct row {
    const char *line;
    const char *means; /* all keys that are set, in the order of config.def */
};

static void check_row(const char *file, const struct row *row) {
    char all[4096];
    struct lb_text text = lb_text(all, sizeof(all));
    bool good = read(file, row->line);
    write_all(&text);
    if (!CHECK(good) || !CHECK_STR(all, row->means))
        tap_note("%s%s%s (%s)", file, file[0] ? "\n" : "", row->line, error.facts);
}

#define CHECK_ROWS(rows)                                                                           \
    for (size_t row_at = 0; row_at < LB_COUNT(rows); row_at++)                                     \
    check_row("", &(rows)[row_at])

/* ---- which disk ------------------------------------------------------------------------------ */

static void a_disk_without_a_lun_is_any_disk_of_its_target(void) {
    static const struct row rows[] = {
        {"ip=dhcp console=ttyS0,115200 netroot=iscsi:@192.0.2.1::::" IQN
         " iscsi_initiator=iqn.2015-02.example.boot:instance",
         "enable=yes; server=192.0.2.1; lun=any; target=" IQN
         "; initiator=iqn.2015-02.example.boot:instance"},
        {"root=UUID=0000 netroot=iscsi:192.0.2.1::::" IQN,
         "enable=yes; server=192.0.2.1; lun=first; lun-holds=UUID=0000; target=" IQN},
        {"ip=dhcp iscsi_target_name=" IQN " iscsi_target_ip=192.0.2.1 root=UUID=0000",
         "enable=yes; server=192.0.2.1; lun=first; lun-holds=UUID=0000; target=" IQN},
        {"root=/dev/mapper/vg-root netroot=iscsi:192.0.2.1::::" IQN,
         "enable=yes; server=192.0.2.1; lun=first; target=" IQN},
        {"root=/dev/disk/by-label/cloudimg-rootfs netroot=iscsi:192.0.2.1::::" IQN,
         "enable=yes; server=192.0.2.1; lun=first; lun-holds=/dev/disk/by-label/cloudimg-rootfs; "
         "target=" IQN},
        {"root=PARTUUID=1234abcd-02 netroot=iscsi:192.0.2.1:::1:" IQN,
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"root=iscsi:192.0.2.1::::" IQN, "enable=yes; server=192.0.2.1; lun=any; target=" IQN},
        {"root=iscsi:192.0.2.1::::" IQN " root=UUID=0000",
         "enable=yes; server=192.0.2.1; lun=first; lun-holds=UUID=0000; target=" IQN},
        {"root=iscsi iscsiroot=192.0.2.1::::" IQN,
         "enable=yes; server=192.0.2.1; lun=any; target=" IQN},
        {"netroot=iscsi:192.0.2.1::3260:" IQN,
         "enable=yes; server=192.0.2.1; port=3260; lun=any; target=" IQN},
    };
    CHECK_ROWS(rows);
}

static void root_by_path_says_the_lun(void) {
#define BY_PATH "/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-" IQN "-lun-"
    static const struct row rows[] = {
        {"root=" BY_PATH "1 netroot=iscsi:192.0.2.1::::" IQN " quiet",
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::" IQN " root=" BY_PATH "12-part2",
         "enable=yes; server=192.0.2.1; lun=c; target=" IQN},
        {"netroot=iscsi:192.0.2.1:::0:" IQN " root=" BY_PATH "1",
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::" IQN " root=" BY_PATH "0x4101000000000000",
         "enable=yes; server=192.0.2.1; lun=4101-0000-0000-0000; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::" IQN
         " root=/dev/disk/by-path/pci-0000:00:03.0-ip-192.0.2.1:3260-iscsi-IQN.2026-11.test:disk"
         "-lun-7",
         "enable=yes; server=192.0.2.1; lun=7; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::" IQN
         " root=/dev/disk/by-path/ip-192.0.2.1:3260-iscsi-iqn.2026-11.test:other-lun-7",
         "enable=yes; server=192.0.2.1; lun=first; target=" IQN},
        {"nomodeset iscsi_target_name=" IQN
         " iscsi_target_ip=192.0.2.1 iscsi_target_port=3260 iscsi_initiator=maas-enlist "
         "ip=::::maas-enlist:BOOTIF ip6=off ro root=" BY_PATH "1 BOOTIF=01-52-54-00-12-34-56",
         "enable=yes; interface=52:54:00:12:34:56; family=4; hostname=maas-enlist; "
         "server=192.0.2.1; port=3260; lun=1; target=" IQN "; initiator=maas-enlist"},
    };
    CHECK_ROWS(rows);
}

static void a_lun_word_is_decimal(void) {
    static const struct row rows[] = {
        {"rd.iscsi.target.name=" IQN " rd.iscsi.target.ip=192.0.2.1 rd.iscsi.target.lun=1",
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"iscsi_target_name=" IQN " iscsi_target_ip=192.0.2.1 iscsi_lun=10",
         "enable=yes; server=192.0.2.1; lun=a; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::" IQN " rd.iscsi.target.lun=2",
         "enable=yes; server=192.0.2.1; lun=2; target=" IQN},
    };
    CHECK_ROWS(rows);
    CHECK(!read("", "iscsi_target_name=" IQN " iscsi_lun=x"));
    CHECK_HAS(error.facts, "lun=x on the kernel command line is no decimal number");
}

static void what_stands_round_a_value_is_no_part_of_it(void) {
    static const struct row rows[] = {
        {"netroot='iscsi:192.0.2.1:::1:" IQN "' ip='dhcp'",
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"ip=[2001:db8::51]/64:::::eth0:none netroot=iscsi:[2001:db8::2]:::1:" IQN,
         "enable=yes; interface=eth0; address=2001:db8::51/64; server=2001:db8::2; lun=1; "
         "target=" IQN},
        {"iscsi_target_name=" IQN " iscsi_target_ip=192.0.2.1:3261,1 iscsi_lun=1",
         "enable=yes; server=192.0.2.1; port=3261; lun=1; target=" IQN},
        {"iscsi_target_name=" IQN " iscsi_target_ip=192.0.2.1:3261,1,192.0.2.2,12 iscsi_lun=1",
         "enable=yes; server=192.0.2.1; port=3261; lun=1; other-rootpaths=iscsi:192.0.2.2:::1:" IQN
         "; target=" IQN},
    };
    CHECK_ROWS(rows);
}

static void an_error_names_the_place_of_the_word(void) {
    static const struct {
        const char *words, *facts;
    } rows[] = {
        {"ip=192.0.2.60::router:24::eth0:none", "on the kernel command line: gateway=router"},
        {"ip=192.0.2.60::192.0.2.254:255.0.255.0::eth0:none",
         "on the kernel command line has no valid netmask or prefix length"},
        {"rd.iscsi.target.name=" IQN " rd.iscsi.target.port=iscsi",
         "on the kernel command line: port=iscsi"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char line[300];
        lb_format(line, sizeof(line), "netroot=iscsi:192.0.2.1:::1:%s %s", IQN, rows[i].words);
        CHECK(!read("", i < 2 ? line : rows[i].words));
        CHECK_HAS(error.facts, rows[i].facts);
    }
}

/* As dracut's *-iscsi-*-%s of udev's paths: iscsiroot.sh of dracut 059. */
static void so_is_that_of_netroot(void) {
    static const struct row rows[] = {
        {"netroot=iscsi:192.0.2.1:::10:" IQN, "enable=yes; server=192.0.2.1; lun=a; target=" IQN},
        {"netroot=iscsi:u:secretsecret@192.0.2.1::3260:eth0::12:" IQN " root=LABEL=x",
         "enable=yes; server=192.0.2.1; port=3260; lun=c; target=" IQN
         "; chap-name=u; chap-secret=secretsecret"},
        {"netroot=iscsi:192.0.2.1:::0x4101000000000000:" IQN,
         "enable=yes; server=192.0.2.1; lun=4101-0000-0000-0000; target=" IQN},
        {"netroot=iscsi:192.0.2.1:::0:" IQN " netroot=iscsi:192.0.2.2:::17:" IQN,
         "enable=yes; server=192.0.2.1; lun=0; other-rootpaths=iscsi:192.0.2.2:::11:" IQN
         "; target=" IQN},
    };
    CHECK_ROWS(rows);
    CHECK_EQ(words.note_count, 1);
    CHECK_HAS(words.notes[0], "LUN 17 of netroot=iscsi: is decimal");
    CHECK_HAS(words.notes[0], "`11`");
    CHECK(!read("", "netroot=iscsi:192.0.2.1:::c:" IQN));
    CHECK_HAS(error.facts, "`c` is no decimal number");
    CHECK_HAS(error.facts, "hexadecimal");
    CHECK(!read("", "netroot=iscsi:user::3260:abcdef:" IQN)); /* a secret without its @ ? */
    CHECK(strstr(error.facts, "abcdef") == NULL);
}

static void words_in_upper_case_are_the_same(void) {
    static const struct row rows[] = {
        {"console=tty1 ip=dhcp ISCSI_INITIATOR=iqn.2026-11.test:pi ISCSI_TARGET_NAME=" IQN
         " ISCSI_TARGET_IP=192.0.2.1 ISCSI_TARGET_PORT=3260 ISCSI_TARGET_GROUP=1 rw root=UUID=0000 "
         "rootwait",
         "enable=yes; server=192.0.2.1; port=3260; lun=first; lun-holds=UUID=0000; target=" IQN
         "; initiator=iqn.2026-11.test:pi"},
        {"ISCSI_TARGET_IP=192.0.2.1 ISCSI_USERNAME=u ISCSI_PASSWORD=secret567890 "
         "ISCSI_IN_USERNAME=t ISCSI_IN_PASSWORD=secret098765 ISCSI_TARGET_NAME=" IQN,
         "enable=yes; server=192.0.2.1; lun=any; target=" IQN
         "; chap-name=u; chap-secret=secret567890; chap-target-name=t; "
         "chap-target-secret=secret098765"},
    };
    CHECK_ROWS(rows);
}

static void several_disks_stand_behind_the_first(void) {
    static const struct row rows[] = {
        {"root=/dev/mapper/root netroot=iscsi:@192.0.2.1::3260:1:" IQN
         " rd.iscsi.initiator=iqn.2026-11.test:h netroot=iscsi:@192.0.2.77::3260:1:" IQN " ip=dhcp",
         "enable=yes; server=192.0.2.1; port=3260; lun=1; "
         "other-rootpaths=iscsi:192.0.2.77::3260:1:" IQN "; target=" IQN
         "; initiator=iqn.2026-11.test:h"},
        {"netroot=iscsi:[2001:db8::1]::::" IQN " netroot=iscsi:[2001:db8::2]::3261::" IQN
         " netroot=nfs:192.0.2.9:/x",
         "enable=yes; server=2001:db8::1; lun=any; "
         "other-rootpaths=iscsi:[2001:db8::2]::3261::" IQN "; target=" IQN},
        {"netroot=iscsi:192.0.2.2:::1:" IQN " root=iscsi:192.0.2.1:::1:" IQN,
         "enable=yes; server=192.0.2.1; lun=1; other-rootpaths=iscsi:192.0.2.2:::1:" IQN
         "; target=" IQN},
        {"ISCSI_TARGET_IP=\"192.0.2.1  192.0.2.2 192.0.2.3\" ISCSI_TARGET_NAME=" IQN
         " ISCSI_TARGET_PORT=3261",
         "enable=yes; server=192.0.2.1; port=3261; lun=any; "
         "other-rootpaths=iscsi:192.0.2.2::3261::" IQN " iscsi:192.0.2.3::3261::" IQN
         "; target=" IQN},
        {"iscsi_target_ip=192.0.2.1,192.0.2.2 iscsi_target_name=" IQN,
         "enable=yes; server=192.0.2.1; lun=any; other-rootpaths=iscsi:192.0.2.2::::" IQN
         "; target=" IQN},
        {"netroot=iscsi:192.0.2.1:::1:" IQN " netroot=iscsi:192.0.2.2::::iqn.2026-11.test:b",
         "enable=yes; rootpath=iscsi:192.0.2.1:::1:" IQN
         "; lun=any; other-rootpaths=iscsi:192.0.2.2::::iqn.2026-11.test:b"},
        {"netroot=iscsi:u:secret567890@192.0.2.1:::1:" IQN
         " netroot=iscsi:u:secret567890@192.0.2.2:::1:" IQN
         " netroot=iscsi:v:secret567890@192.0.2.3:::1:" IQN,
         "enable=yes; server=192.0.2.1; lun=1; other-rootpaths=iscsi:192.0.2.2:::1:" IQN
         "; target=" IQN "; chap-name=u; chap-secret=secret567890"},
    };
    CHECK_ROWS(rows);
    CHECK_EQ(words.note_count, 1); /* of the last row */
    CHECK_HAS(words.notes[0], "another account");
}

static void any_order_is_good(void) {
    static const char *const line[] = {("netroot=iscsi:192.0.2.1:::1:" IQN),
                                       "ip=eth0:dhcp",
                                       "rd.iscsi.username=u",
                                       "rd.iscsi.password=secret567890",
                                       "ifname=eth0:52:54:00:12:34:56",
                                       "nameserver=192.0.2.53"};
    for (size_t first = 0; first < LB_COUNT(line); first++) {
        char all[1024];
        struct lb_text text = lb_text(all, sizeof(all));
        for (size_t i = 0; i < LB_COUNT(line); i++)
            lb_text_add(&text, "%s ", line[(first + i * 5) % LB_COUNT(line)]);
        const struct row row = {
            all, "enable=yes; interface=52:54:00:12:34:56; dns=192.0.2.53; server=192.0.2.1; lun=1;"
                 " target=" IQN "; chap-name=u; chap-secret=secret567890"};
        check_row("", &row);
    }
}

static void an_empty_user_is_none(void) {
    static const char *const users[] = {"@", ":@", "::@", ":::@"};
    for (size_t i = 0; i < LB_COUNT(users); i++) {
        char line[120];
        lb_format(line, sizeof(line), "netroot=iscsi:%s192.0.2.1:::1:%s", users[i], IQN "@b");
        const struct row row = {line, "enable=yes; server=192.0.2.1; lun=1; target=" IQN "@b"};
        check_row("", &row);
    }
    const struct row row = {"iscsi_target_name=" IQN
                            " iscsi_target_ip=192.0.2.1 iscsi_username= iscsi_password=",
                            "enable=yes; server=192.0.2.1; lun=any; target=" IQN};
    check_row("", &row);
}

/* net-lib.sh: parse_iscsi_root. */
static void netroot_has_the_forms_of_dracut(void) {
    static const struct row rows[] = {
        {"netroot=iscsi:192.0.2.1:6:3261:default:eth3:1:" IQN,
         "enable=yes; interface=eth3; server=192.0.2.1; port=3261; lun=1; target=" IQN},
        {"netroot=iscsi:192.0.2.1:6:3261:eth3:1:" IQN,
         "enable=yes; interface=eth3; server=192.0.2.1; port=3261; lun=1; target=" IQN},
        {"netroot=iscsi:192.0.2.1::::1:" IQN, "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"netroot=iscsi:storage.example::::naa.6001405000000001",
         "enable=yes; server=storage.example; lun=any; target=naa.6001405000000001"},
        {"netroot=iscsi:192.0.2.1:tcp::1:IQN.2026-11.Test:disk:b",
         "enable=yes; server=192.0.2.1; lun=1; target=IQN.2026-11.Test:disk:b"},
        {"netroot=iscsi:192.0.2.1::3260:1:kumo-disk:one",
         "enable=yes; server=192.0.2.1; port=3260; lun=1; target=kumo-disk:one"},
        {"netroot=iscsi:192.0.2.1::3260:default:eth0:1:kumo-disk:one",
         "enable=yes; interface=eth0; server=192.0.2.1; port=3260; lun=1; target=kumo-disk:one"},
        {"netroot=iscsi::::1:" IQN, "enable=yes; lun=1; target=" IQN},
        {"netroot=iscsi:nas_1.example::::" IQN,
         "enable=yes; server=nas_1.example; lun=any; target=" IQN},
        {"netroot=ISCSI:192.0.2.1:::1:" IQN, "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"ip=\tnetroot=iscsi:192.0.2.1:::1:" IQN "\r\n",
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"iscsi_target_ip=192.0.2.1:3261 iscsi_target_name=" IQN,
         "enable=yes; server=192.0.2.1; port=3261; lun=any; target=" IQN},
        {"iscsi_target_ip=[2001:db8::2]:3261,192.0.2.1 iscsi_target_port=3262 "
         "iscsi_target_name=" IQN,
         "enable=yes; server=2001:db8::2; port=3261; lun=any; "
         "other-rootpaths=iscsi:192.0.2.1::3262::" IQN "; target=" IQN},
    };
    static const char *const wrong[] = {
        "netroot=iscsi:192.0.2.1",
        "netroot=iscsi:192.0.2.1:" IQN,
        "netroot=iscsi:192.0.2.1:::x:" IQN,
        "netroot=iscsi:192.0.2.1::port::" IQN,
        "netroot=iscsi:a b::::" IQN,
        "netroot=iscsi:192.0.2.1:::1:",
        "netroot=iscsi:1:2:3:4:5:6:7:8:" IQN,
    };
    CHECK_ROWS(rows);
    for (size_t i = 0; i < LB_COUNT(wrong); i++) {
        char quoted[120];
        lb_format(quoted, sizeof(quoted), "\"%s\"", wrong[i]);
        if (!CHECK(!read("", quoted)))
            tap_note("%s", wrong[i]);
    }
}

static void a_near_miss_of_netroot_says_what_was_meant(void) {
    static const struct {
        const char *value;
        enum lb_code code;
        const char *why;
        bool is_shown;
    } rows[] = {
        {"//192.0.2.1/" IQN "/1", LB_E_ROOTPATH_FIELDS, "iscsi:// URL", true},
        {"192.0.2.1:3260:" IQN, LB_E_ROOTPATH_FIELDS, "two colons are missing", true},
        {"192.0.2.1:" IQN, LB_E_ROOTPATH_FIELDS, "three colons are missing", true},
        {"nas:3260:" IQN, LB_E_ROOTPATH_FIELDS, "two colons are missing", false},
        {IQN, LB_E_ROOTPATH_FIELDS, "in the server's place", true},
        {"192.0.2.1,3260:1:" IQN, LB_E_ROOTPATH_SERVER, "a comma", false},
        {"192.0.2.1::3260:0x1:" IQN, LB_E_CONFIG_VALUE, "no decimal number", false},
        {"192.0.2.1::3260:0001000000000000:" IQN, LB_E_CONFIG_VALUE, "no decimal number", false},
        {"boot:secretsecret:192.0.2.1::3260:1:" IQN, LB_E_CONFIG_VALUE, "may hold a secret", false},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char line[160];
        lb_format(line, sizeof(line), "netroot=iscsi:%s", rows[i].value);
        CHECK(!read("", line));
        if (!CHECK_EQ(error.code, rows[i].code))
            tap_note("%s: %s", line, error.facts);
        CHECK_HAS(error.facts, rows[i].why);
        CHECK_EQ(strstr(error.facts, rows[i].value) != NULL, rows[i].is_shown);
    }
}

static void dhcp_may_say_which_disk(void) {
    static const struct row rows[] = {
        {"root=dhcp ip=dhcp", "enable=yes; discovery=off"},
        {"root=UUID=0000 netroot=dhcp ip=dhcp", "enable=yes; discovery=off"},
        {"root=dhcp6", "enable=yes; family=6; discovery=off"},
        {"netroot=iscsi root=UUID=0000", "enable=yes"},
        {"netroot=dhcp netroot=iscsi:192.0.2.1:::1:" IQN,
         "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
    };
    CHECK_ROWS(rows);
}

static void the_table_is_asked_for_beside_netroot(void) {
    static const struct row rows[] = {
        {"netroot=iscsi rd.iscsi.firmware=1", ""},
        {"root=UUID=0000 ip=dhcp rd.iscsi.ibft=1 rd.iscsi.firmware=1", ""},
        {"iscsi_firmware root=iscsi:", ""},
        {"rd.iscsi.firmware=0", "ibft=no"},
    };
    CHECK_ROWS(rows);
    CHECK(read("", "netroot=iscsi rd.iscsi.firmware=1") && words.asks_ibft && lb_words_ask(&words));
    CHECK(read("ISCSI_AUTO=true\n", "ip=dhcp") && words.asks_ibft);
    CHECK(read("ISCSI_AUTO=\n", "ip=dhcp") && !words.asks_ibft);
}

/* ---- nobody asks ----------------------------------------------------------------------------- */

static void a_machine_that_asks_for_no_disk_is_left_alone(void) {
    static const char *const lines[] = {
        "BOOT_IMAGE=/live/vmlinuz boot=live ip=frommedia quiet",
        "root=UUID=0000 rd.neednet=1 ip=dhcp,dhcp6 ignition.platform.id=metal",
        "root=UUID=0000 ip=vc0:static",
        "root=UUID=0000 ip=192.0.2.34/24:192.0.2.254",
        "root=UUID=0000 BOOTIF=${netX/mac}",
        "root=/dev/sda1 iscsi_initiator=maas-enlist",
        "root=nfs:192.0.2.1:/srv netroot=nbd:192.0.2.1:x",
        "root=UUID=0000 rd.iscsi.waitnet=0 rd.iscsi.testroute=0 rd.iscsi.mp=1",
        "root=UUID=0000 ip=192.0.2.5::192.0.2.1:255.0.255.0::eth0:none nameserver=x rd.route=y",
        "root=UUID=0000 vlan=x bond=: team= bridge=y ifname=z iscsi_lun=x iscsi_password=",
    };
    for (size_t i = 0; i < LB_COUNT(lines); i++) {
        (void)read("", lines[i]);
        if (!CHECK(!lb_words_ask(&words)) || !CHECK(!lb_config_is_set(&config, LB_KEY_ENABLE)))
            tap_note("%s", lines[i]);
    }
    CHECK(read("ISCSI_TARGET_NAME=" IQN "\n", "root=UUID=0000") && !lb_words_ask(&words));
}

static void what_is_not_understood_is_passed_over_with_a_note(void) {
    static const struct {
        const char *word, *note;
    } rows[] = {
        {"ip=frommedia", "ip=frommedia is not understood"},
        {"ip=nonsense", "ip=nonsense"},
        {"ip=192.0.2.34/24:192.0.2.254", "is not understood"},
        {"ip=a:b:c", "is not understood"},
        {"BOOTIF=${netX/mac}", "BOOTIF=${netX/mac} is no MAC address"},
        {"BOOTIF=01-52-54", "is no MAC address"},
        {"rd.iscsi.param=node.x=y", "no use for"},
        {"rd.net.timeout.dhcp=soon", "rd.net.timeout.dhcp=soon has no valid dhcp-timeout"},
        {"ip=::::-h::dhcp", "ip=::::-h::dhcp has no valid hostname"},
        {"nameserver=dns.example", "nameserver=dns.example is no IP address"},
        {"rd.route=198.51.100.0", "is no route"},
        {"rd.route=198.51.100.0/24:x", "is no route"},
        {"rd.route=198.51.100.0/24:[2001:db8::1]", "is no route"},
        {"rd.route=:192.0.2.1", "is no route"},
        {"rd.route=198.51.100.0/33:192.0.2.1", "is no route"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        char line[160];
        lb_format(line, sizeof(line), "netroot=iscsi:192.0.2.1:::1:%s %s", IQN, rows[i].word);
        const struct row row = {line, "enable=yes; server=192.0.2.1; lun=1; target=" IQN};
        check_row("", &row);
        CHECK_EQ(words.note_count, 1);
        CHECK_HAS(words.notes[0], rows[i].note);
    }
    CHECK(read("", "ip=sesame@sesame netroot=iscsi:192.0.2.1:::1:" IQN));
    CHECK(strstr(words.notes[0], "sesame") == NULL);
    CHECK(read("", "rd.iscsi.transport=bnx2i rd.iscsi.login_retry_max=3 rd.iscsi.target.group=1 "
                   "iscsi_new_word=1 rd.iscsi netroot=iscsi:192.0.2.1:::1:" IQN));
    CHECK_EQ(words.note_count, 0);
}

/* ---- the interface --------------------------------------------------------------------------- */

static void ip_has_many_forms(void) {
    static const struct row rows[] = {
        {"ip=dhcp", ""},
        {"ip=dhcp6", "family=6"},
        {"ip=either6", "family=6"},
        {"ip=link6", "family=6"},
        {"ip=auto6", "family=6"},
        {"ip=dhcp4", "family=4"},
        {"ip=single-dhcp", ""},
        {"ip=off", ""},
        {"ip=none", ""},
        {"ip=vc0:dhcp,dhcp6", "interface=vc0"},
        {"ip=vc0:auto6,dhcp6", "interface=vc0; family=6"},
        {"ip=vc0:static", "interface=vc0"},
        {"ip=eth1:auto6:1400", "interface=eth1; family=6; mtu=1400"},
        {"ip=vc0:dhcp:9000:52:54:00:12:34:56", "interface=vc0; mtu=9000"},
        {"ip=:::::vc0", "interface=vc0"},
        {"ip=::::h1:vc0:dhcp", "interface=vc0; hostname=h1"},
        {"ip=192.0.2.5::192.0.2.1:255.255.255.0:h:eth0:none:192.0.2.53:192.0.2.54:192.0.2.123",
         "interface=eth0; address=192.0.2.5/24; gateway=192.0.2.1; dns=192.0.2.53,192.0.2.54; "
         "hostname=h"},
        {"ip=192.0.2.5::192.0.2.1:255.255.255.0::eth0:off:1450:52:54:00:12:34:56",
         "interface=eth0; address=192.0.2.5/24; gateway=192.0.2.1; mtu=1450"},
        {"ip=192.0.2.5::192.0.2.1:24::eth0:none nameserver=192.0.2.53 nameserver=[2001:db8::53]",
         "interface=eth0; address=192.0.2.5/24; gateway=192.0.2.1; dns=192.0.2.53,2001:db8::53"},
        {"ip=[2001:db8::5/64]::[2001:db8::1]:::eth0:none",
         "interface=eth0; address=2001:db8::5/64; gateway=2001:db8::1"},
        {"ip=192.0.2.5:192.0.2.1:192.0.2.254:255.255.255.0 BOOTIF=01-52-54-00-12-34-56",
         "interface=52:54:00:12:34:56; address=192.0.2.5/24; gateway=192.0.2.254"},
        {"ip=10.1.2.3::10.0.0.1:::eth0:none",
         "interface=eth0; address=10.1.2.3/8; gateway=10.0.0.1"},
        {"ip=192.0.2.5::0.0.0.0:255.255.255.0::eth0:off", "interface=eth0; address=192.0.2.5/24"},
        {"ip=eth0:disabled", "interface=eth0"},
        {"rd.net.dhcp.vendor-class=site", "vendor-class=site"},
        {"ip=192.0.2.5/25::192.0.2.1:::eth0:none",
         "interface=eth0; address=192.0.2.5/25; gateway=192.0.2.1"},
        {"ip=192.0.2.5 netmask=255.255.255.128 gateway=192.0.2.1 hostname=h ksdevice=eth1 mtu=1400",
         "interface=eth1; address=192.0.2.5/25; gateway=192.0.2.1; mtu=1400; hostname=h"},
        {"ip=dhcp ip6=off", "family=4"},
        {"ip=off ip6=dhcp", "family=6"},
        {"rd.net.timeout.carrier=20 rd.net.timeout.dhcp=45", "link-timeout=20000; "
                                                             "dhcp-timeout=45000"},
        {"rd.peerdns=0 rd.neednet=1 biosdevname=0", ""},
    };
    CHECK_ROWS(rows);
}

static void an_interface_may_be_named_by_its_address(void) {
    static const struct row rows[] = {
        {"ifname=san0:52:54:00:AB:cd:56 ip=san0:dhcp", "interface=52:54:00:ab:cd:56"},
        {"ip=52-54-00-12-34-56:dhcp", "interface=52:54:00:12:34:56"},
        {"ip=52:54:00:12:34:56:dhcp", "interface=52:54:00:12:34:56"},
        {"ip=52:54:00:AB:CD:56:dhcp,dhcp6:1400", "interface=52:54:00:ab:cd:56; mtu=1400"},
        {"ip=192.0.2.5::192.0.2.1:24:h:52:54:00:12:34:56:none:192.0.2.53",
         "interface=52:54:00:12:34:56; address=192.0.2.5/24; gateway=192.0.2.1; dns=192.0.2.53; "
         "hostname=h"},
        {"ip=192.0.2.5::192.0.2.1:24:h:52-54-00-12-34-56:off:1400:52:54:00:12:34:57",
         "interface=52:54:00:12:34:56; address=192.0.2.5/24; gateway=192.0.2.1; mtu=1400; "
         "hostname=h"},
        {"ip=enx525400123456:dhcp", "interface=52:54:00:12:34:56"},
        {"ip=dhcp bootdev=52:54:00:12:34:56", "interface=52:54:00:12:34:56"},
        {"BOOTIF=01-52-54-00-12-34-56", "interface=52:54:00:12:34:56"},
        {"BOOTIF=52:54:00:12:34:56", "interface=52:54:00:12:34:56"},
        {"BOOTIF=01-52-54-00-12-34-56 rd.bootif=0", ""},
        {"BOOTIF=01-52-54-00-12-34-56 ip=eth7:dhcp", "interface=eth7"},
        {"bootdev=san1 ifname=san0:52:54:00:12:34:56 ifname=san1:52:54:00:12:34:57",
         "interface=52:54:00:12:34:57"},
    };
    CHECK_ROWS(rows);
    CHECK(read("", "BOOTIF=01-52-54-00-12-34-56") && words.interface_is_hint);
    CHECK(read("", "ip=52-54-00-12-34-56:dhcp") && !words.interface_is_hint);
}

static void of_several_ip_the_one_that_leads_to_the_disk_counts(void) {
#define TWO                                                                                        \
    "ip=198.51.100.5::198.51.100.1:255.255.255.0::eth0:none "                                      \
    "ip=192.0.2.5:::255.255.255.0::eth1:none "
    static const struct row rows[] = {
        {TWO "netroot=iscsi:192.0.2.1:::1:" IQN,
         "enable=yes; interface=eth1; address=192.0.2.5/24; server=192.0.2.1; lun=1; target=" IQN},
        {TWO "netroot=iscsi:203.0.113.1:::1:" IQN,
         "enable=yes; interface=eth0; address=198.51.100.5/24; gateway=198.51.100.1; "
         "server=203.0.113.1; lun=1; target=" IQN},
        {TWO "bootdev=eth1", "interface=eth1; address=192.0.2.5/24"},
        {TWO "netroot=iscsi:203.0.113.1:::default:eth1:1:" IQN,
         "enable=yes; interface=eth1; address=192.0.2.5/24; server=203.0.113.1; lun=1; "
         "target=" IQN},
        {"ip=eth0:dhcp ip=eth1:dhcp", ""},
        {"ip=eth0:dhcp ip=eth1:dhcp bootdev=eth1", "interface=eth1"},
        {"ip=ibft ip=eth0:dhcp", "interface=eth0"},
        {"ip=eth0:off ip=eth1:dhcp", ""},
    };
    CHECK_ROWS(rows);
}

static void routes_are_set(void) {
    static const struct row rows[] = {
        {"ip=192.0.2.60:::255.255.255.0::vc0:none rd.route=198.51.100.0/24:192.0.2.254:vc0",
         "interface=vc0; address=192.0.2.60/24; routes=198.51.100.0/24 via 192.0.2.254"},
        {"rd.route=198.51.100.0/24:192.0.2.254 rd.route=203.0.113.0/255.255.255.0::vc0",
         "routes=198.51.100.0/24 via 192.0.2.254, 203.0.113.0/24"},
        {"rd.route=[2001:DB8:3::/48]:[2001:db8:2::1]:vc0",
         "routes=2001:db8:3::/48 via 2001:db8:2::1"},
        {"ip=vc0:dhcp rd.route=198.51.100.0/24:192.0.2.254:eth9", "interface=vc0"},
        {"rd.route=198.51.100.7/24:192.0.2.254", "routes=198.51.100.0/24 via 192.0.2.254"},
    };
    CHECK_ROWS(rows);
}

static void an_interface_that_would_be_made_is_told(void) {
    static const struct {
        const char *line, *what;
    } rows[] = {
        {"vlan=vc0.100:vc0 ip=vc0.100:dhcp", "vc0.100, of vlan="},
        {"vlan=vlan5:vc0 bootdev=vlan5 ip=vlan5:dhcp", "vlan5, of vlan="},
        {"bond=bond0:eth0,eth1:mode=802.3ad ip=bond0:dhcp", "bond0, of bond="},
        {"bond ip=bond0:dhcp", "bond0, of bond="},
        {"team=team7:eth0,eth1 ip=team7:dhcp", "team7, of team="},
        {"bridge=br0:eth0 ip=dhcp", "br0, of bridge="},
        {"bond=bond0:eth0,eth1 ip=dhcp", "bond0, of bond="},
        {"bond=bond0:eth0,eth1 ip=eth2:dhcp", ""},
        {"vlan=vc0.100:vc0 ip=vc0:dhcp", ""},
        {"ip=dhcp", ""},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        CHECK(read("", rows[i].line));
        if (!CHECK_STR(words.not_made, rows[i].what))
            tap_note("%s", rows[i].line);
    }
}

static void parameters_of_iscsiadm_are_taken_where_they_mean_something(void) {
    static const struct row rows[] = {
        {"rd.iscsi.param=node.session.timeo.replacement_timeout=30", "recovery-time=30000"},
        {"rd.iscsi.param=node.conn[0].timeo.login_timeout=15 iscsi_param=node.session.auth.username"
         "=u rd.iscsi.param=node.session.auth.password=secret567890",
         "chap-name=u; chap-secret=secret567890; login-timeout=15000"},
    };
    CHECK_ROWS(rows);
}

/* ---- open-iscsi's files ---------------------------------------------------------------------- */

static void the_file_of_the_readme_is_read(void) {
    static const char file[] = "# made by hand\n"
                               "ISCSI_INITIATOR=\"iqn.1993-08.org.debian:01:9b3e5634fdb9\"\n"
                               "ISCSI_TARGET_NAME=iqn.2008-01.com.example:storage.foo\r\n"
                               "  export ISCSI_TARGET_IP='192.0.2.1' # the first\n"
                               "ISCSI_TARGET_PORT=3260;ISCSI_USERNAME=\"username\"\n"
                               "ISCSI_PASSWORD=\"pass\\\"word \\$1\"\n"
                               "ISCSI_IN_USERNAME=in_\"user\"'name'\n"
                               "ISCSI_IN_PASSWORD=in\\ password\n"
                               "ISCSI_TARGET_GROUP=1\n";
    static const char disk[] =
        "server=192.0.2.1; port=3260; lun=first; target=iqn.2008-01.com.example:storage.foo; "
        "initiator=iqn.1993-08.org.debian:01:9b3e5634fdb9; chap-name=username; "
        "chap-secret=pass\"word $1; chap-target-name=in_username; chap-target-secret=in password";
    char means[512];
    lb_format(means, sizeof(means), "enable=yes; %s", disk);
    const struct row row = {"ip=dhcp root=/dev/sda1", means};
    check_row(file, &row);
    CHECK_EQ(lb_config_source(&config, LB_KEY_SERVER), LB_SOURCE_OPEN_ISCSI);
    CHECK_EQ(words.note_count, 0);
}

static void the_command_line_stands_above_the_file(void) {
    static const char file[] =
        "ISCSI_TARGET_NAME=iqn.2026-11.test:file\nISCSI_TARGET_IP=192.0.2.9\n";
    static const struct row rows[] = {
        {"iscsi_target_ip=192.0.2.1",
         "enable=yes; server=192.0.2.1; lun=any; target=iqn.2026-11.test:file"},
        {"root=iscsi:192.0.2.1:::1:" IQN, "enable=yes; server=192.0.2.1; lun=1; target=" IQN},
        {"", "enable=yes; server=192.0.2.9; lun=any; target=iqn.2026-11.test:file"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++)
        check_row(file, &rows[i]);
}

static void a_list_in_the_file_is_one(void) {
    const struct row row = {"", "enable=yes; server=192.0.2.1; lun=any; "
                                "other-rootpaths=iscsi:192.0.2.2::::" IQN " iscsi:192.0.2.3::::" IQN
                                "; target=" IQN};
    check_row("ISCSI_TARGET_IP=\"192.0.2.1 192.0.2.2 192.0.2.3\"\nISCSI_TARGET_NAME=" IQN "\n",
              &row);
}

static void what_a_shell_would_work_out_is_passed_over(void) {
    static const char *const files[] = {
        "ISCSI_TARGET_NAME=$X\n",
        "ISCSI_TARGET_NAME=\"a$(id)\"\n",
        "ISCSI_TARGET_NAME=`id`\n",
        "ISCSI_TARGET_NAME='open\n",
        "ISCSI_TARGET_NAME=\"open\n",
        "if true; then\n",
        ". /etc/other\n",
    };
    for (size_t i = 0; i < LB_COUNT(files); i++) {
        char file[160];
        lb_format(file, sizeof(file), "ISCSI_TARGET_IP=192.0.2.1\n%s", files[i]);
        if (!CHECK(read(file, "")) || !CHECK(!lb_words_ask(&words)) || !CHECK(words.note_count > 0))
            tap_note("%s", files[i]);
    }
    const struct row row = {"", "enable=yes; server=192.0.2.1; lun=any; target=" IQN};
    check_row("ISCSI_TARGET_IP=192.0.2.1\nFOO=$(id)\nISCSI_TARGET_NAME=" IQN, &row);
}

static void the_initiators_name_is_in_its_file(void) {
    static const struct {
        const char *file, *name;
    } rows[] = {
        {"InitiatorName=iqn.1993-08.org.debian:01:abc\n", "iqn.1993-08.org.debian:01:abc"},
        {"## DO NOT EDIT\n#InitiatorName=iqn.x\nInitiatorName = "
         "\"iqn.1993-08.org.debian:01:abc\"\r\n"
         "InitiatorAlias=me\n",
         "iqn.1993-08.org.debian:01:abc"},
        {"InitiatorName=a\nInitiatorName=b", "b"},
        {"GenerateName=yes\n", ""},
        {"InitiatorName=\n", ""},
        {"InitiatorNames=x\n", ""},
        {"", ""},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        struct lb_bytes name = lb_words_initiator_name(lb_bytes_of_text(rows[i].file));
        if (!CHECK(lb_text_is(name, rows[i].name)))
            tap_note("%s", rows[i].file);
    }
}

static void the_boot_loaders_partition_is_a_guid_or_none(void) {
    static const struct {
        const char *text, *holds;
    } rows[] = {
        {"8F0C1B6A-2D3E-4F50-8192-A3B4C5D6E7F8", "PARTUUID=8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f8"},
        {"8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f", NULL},   /* too short */
        {"8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f8x", NULL}, /* goes on */
        {"8f0c1b6a02d3e-4f50-8192-a3b4c5d6e7f8", NULL},
        {"8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7fg", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        for (unsigned nul = 0; nul < 2; nul++) {
            uint8_t bytes[128] = {7};
            char holds[LB_WORDS_HOLDS_BYTES];
            size_t len = strlen(rows[i].text);
            for (size_t at = 0; at < len; at++)
                bytes[4 + 2 * at] = (uint8_t)rows[i].text[at];
            bool is_one = lb_words_loader_partition(lb_bytes(bytes, 4 + 2 * (len + nul)), holds);
            CHECK_EQ(is_one, rows[i].holds != NULL);
            if (is_one && rows[i].holds != NULL)
                CHECK_STR(holds, rows[i].holds);
        }
    }
}

int main(void) {
    TEST(a_disk_without_a_lun_is_any_disk_of_its_target);
    TEST(root_by_path_says_the_lun);
    TEST(a_lun_word_is_decimal);
    TEST(so_is_that_of_netroot);
    TEST(what_stands_round_a_value_is_no_part_of_it);
    TEST(an_error_names_the_place_of_the_word);
    TEST(words_in_upper_case_are_the_same);
    TEST(several_disks_stand_behind_the_first);
    TEST(any_order_is_good);
    TEST(an_empty_user_is_none);
    TEST(netroot_has_the_forms_of_dracut);
    TEST(a_near_miss_of_netroot_says_what_was_meant);
    TEST(dhcp_may_say_which_disk);
    TEST(the_table_is_asked_for_beside_netroot);
    TEST(a_machine_that_asks_for_no_disk_is_left_alone);
    TEST(what_is_not_understood_is_passed_over_with_a_note);
    TEST(ip_has_many_forms);
    TEST(an_interface_may_be_named_by_its_address);
    TEST(of_several_ip_the_one_that_leads_to_the_disk_counts);
    TEST(routes_are_set);
    TEST(an_interface_that_would_be_made_is_told);
    TEST(parameters_of_iscsiadm_are_taken_where_they_mean_something);
    TEST(the_file_of_the_readme_is_read);
    TEST(the_command_line_stands_above_the_file);
    TEST(a_list_in_the_file_is_one);
    TEST(what_a_shell_would_work_out_is_passed_over);
    TEST(the_initiators_name_is_in_its_file);
    TEST(the_boot_loaders_partition_is_a_guid_or_none);
    return tap_done();
}
