/* Whose turn it is among the cards of a machine, and which interfaces are cards. */
#include "hosts/linux/choose.h"
#include "hosts/linux/loop.h"
#include "tests/tap.h"
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- turns ----------------------------------------------------------------------------------- */

static struct lb_cards cards;

static void two_cards(void) {
    cards = (struct lb_cards){.count = 2};
    lb_format(cards.card[0].name, IF_NAMESIZE, "bmc0");
    lb_format(cards.card[1].name, IF_NAMESIZE, "eth0");
    cards.card[0].has_link = cards.card[1].has_link = true;
}

static const char *next(enum lb_code code) {
    struct lb_card *card = lb_cards_next(&cards);
    if (!card)
        return NULL;
    lb_cards_note(card, code);
    return card->name;
}

static void cards_with_a_link_take_turns(void) {
    two_cards();
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "bmc0");
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "eth0");
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "bmc0");
    cards.card[0].has_link = false;
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "eth0");
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "eth0");
    cards.card[1].has_link = false;
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), NULL);
}

static void a_link_that_comes_late_has_the_next_turn(void) {
    two_cards();
    cards.card[1].has_link = false;
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "bmc0");
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "bmc0");
    cards.card[1].has_link = true;
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "eth0");
    CHECK_STR(next(LB_E_DHCP_NO_OFFER), "bmc0");
}

/* The target is away: its card is tried again and again, the silent one now and then. */
static void who_answered_is_remembered(void) {
    unsigned silent = 0, last = 0;
    two_cards();
    for (unsigned i = 0; i < 40; i++) {
        struct lb_card *card = lb_cards_next(&cards);
        bool is_silent = card == &cards.card[0];
        silent += is_silent;
        if (is_silent && silent > 2)
            CHECK_EQ(i - last, 5); /* four turns of the other between them */
        last = is_silent ? i : last;
        lb_cards_note(card, is_silent ? LB_E_DHCP_NO_OFFER : LB_E_CONNECT_REFUSED);
    }
    CHECK_EQ(cards.card[0].worth, LB_CARD_SILENT);
    CHECK_EQ(cards.card[1].worth, LB_CARD_HAS_DISK);
    CHECK(silent >= 8 && silent <= 12);
}

static void a_card_whose_network_names_no_disk_is_worth_less(void) {
    two_cards();
    lb_cards_note(&cards.card[0], LB_E_NO_ROOT_PATH);
    CHECK_EQ(cards.card[0].worth, LB_CARD_ANSWERED);
    lb_cards_note(&cards.card[0], LB_E_SERVER_NOT_ALLOWED);
    CHECK_EQ(cards.card[0].worth, LB_CARD_ANSWERED);
    lb_cards_note(&cards.card[1], LB_E_LUN_MISSING);
    CHECK_EQ(cards.card[1].worth, LB_CARD_HAS_DISK);
    lb_cards_note(&cards.card[1], LB_E_DHCP_NO_OFFER); /* what was known stays known */
    CHECK_EQ(cards.card[1].worth, LB_CARD_HAS_DISK);
}

static void a_silent_card_is_listened_to_for_longer_each_time(void) {
    two_cards();
    (void)lb_cards_next(&cards);
    CHECK_EQ(lb_cards_patience_ms(&cards, &cards.card[0], 60000), 10000);
    cards.card[0].turns = 3;
    CHECK_EQ(lb_cards_patience_ms(&cards, &cards.card[0], 60000), 40000);
    cards.card[0].turns = 1000;
    CHECK_EQ(lb_cards_patience_ms(&cards, &cards.card[0], 60000), 60000);
    CHECK_EQ(lb_cards_patience_ms(&cards, &cards.card[0], 5000), 5000);
    cards.count = 1;
    cards.card[0].turns = 1;
    CHECK_EQ(lb_cards_patience_ms(&cards, &cards.card[0], 60000), 60000);
}

static void what_does_not_pass_ends_the_boot_when_it_is_so_on_each_card(void) {
    two_cards();
    CHECK(!lb_cards_have_failed(&cards, true));
    lb_cards_note(&cards.card[0], LB_E_NO_ROOT_PATH);
    CHECK(!lb_cards_have_failed(&cards, true));
    cards.card[1].has_link = false; /* it may come */
    CHECK(!lb_cards_have_failed(&cards, false));
    CHECK(lb_cards_have_failed(&cards, true));
    cards.card[1].has_link = true;
    lb_cards_note(&cards.card[1], LB_E_DHCP_NO_OFFER);
    CHECK(!lb_cards_have_failed(&cards, true));
    lb_cards_note(&cards.card[1], LB_E_AUTH_FAILED);
    CHECK(lb_cards_have_failed(&cards, false));
}

/* ---- which they are -------------------------------------------------------------------------- */

static char folder[] = "/tmp/lunboot-cards-XXXXXX";
static struct lb_chooser chooser;

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...) {
    char command[512];
    struct lb_text text = lb_text(command, sizeof(command));
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    return system(command) == 0;
}

/* A machine with two real cards, ca0 (a cable to cb0) and cc0, and much that is none. */
static void make_machine(void) {
    CHECK(run("ip link add ca0 type veth peer name cb0; ip link add cc0 type veth peer name cd0; "
              "ip link add br0 type bridge; "
              "ip link add link ca0 name vl0 type vlan id 5 2>/dev/null; true"));
    CHECK(run("mkdir -p %s/sys/class/net %s/run", folder, folder));
}

static void open_chooser(const char *name) {
    static char run_folder[64];
    struct lb_error error = {.code = LB_OK};
    struct lb_card_choice choice = {.name = name, .sysfs = folder, .run = run_folder};
    lb_format(run_folder, sizeof(run_folder), "%s/run", folder);
    CHECK(lb_chooser_open(&chooser, &choice, &error));
}

static bool is_up(const char *name) {
    return run("ip -o link show %s | grep -q '[<,]UP[,>]'", name);
}

static void without_a_device_behind_any_the_ends_of_cables_are_cards(void) {
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 4);
    CHECK(is_up("ca0") && is_up("cc0") && !is_up("br0"));
    lb_chooser_close(&chooser, &chooser.cards.card[0]);
    unsigned up = is_up("ca0") + is_up("cb0") + is_up("cc0") + is_up("cd0");
    CHECK_EQ(up, 1);
    CHECK(run("for i in ca0 cb0 cc0 cd0; do ip link set $i down; done"));
}

static void what_others_have_brought_up_stays_up(void) {
    CHECK(run("ip link set cc0 up"));
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    CHECK(run("ip addr add 192.0.2.9/24 dev ca0")); /* somebody uses it meanwhile */
    lb_chooser_close(&chooser, NULL);
    CHECK(is_up("cc0") && is_up("ca0") && !is_up("cb0") && !is_up("cd0"));
    CHECK(run("ip addr flush dev ca0; ip link set ca0 down; ip link set cc0 down"));
}

static void ports_of_a_bridge_are_no_cards(void) {
    CHECK(run("ip link set cc0 master br0"));
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 3);
    CHECK(!is_up("cc0"));
    lb_chooser_close(&chooser, NULL);
    CHECK(run("ip link set cc0 nomaster"));
}

static void where_there_are_real_cards_they_alone_are_cards(void) {
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 4); /* before the driver of the real one is there */
    CHECK(run("mkdir -p %s/sys/class/net/cc0/device %s/sys/class/net/cd0/device "
              "%s/sys/class/net/cd0/phy80211",
              folder, folder, folder));
    lb_chooser_close(&chooser, NULL);
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 1);
    CHECK_STR(chooser.cards.card[0].name, "cc0");
    CHECK(is_up("cc0") && !is_up("ca0") && !is_up("cb0") && !is_up("cd0"));
    lb_chooser_close(&chooser, NULL);
    CHECK(run("rm -r %s/sys/class/net/cc0 %s/sys/class/net/cd0", folder, folder));
}

static void where_udev_has_not_done_with_a_card_it_is_not_raised(void) {
    CHECK(run("mkdir -p %s/run/udev/data; : >%s/run/udev/control", folder, folder));
    for (const char *const *one = (const char *const[]){"cb0", "cc0", "cd0", NULL}; *one; one++)
        CHECK(run(": >%s/run/udev/data/n%u", folder, if_nametoindex(*one)));
    open_chooser(NULL);
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 3);
    CHECK(!is_up("ca0"));
    uint64_t start_us = lb_now_us();
    lb_chooser_wait(&chooser, start_us + 10 * LB_US_SEC);
    CHECK(lb_now_us() < start_us + 5 * LB_US_SEC); /* it looks again soon */
    CHECK(run("ip link set ca0 name renamed0"));
    CHECK(run(": >%s/run/udev/data/n%u", folder, if_nametoindex("renamed0")));
    lb_chooser_look(&chooser);
    CHECK_EQ(chooser.cards.count, 4);
    CHECK_STR(chooser.cards.card[3].name, "renamed0");
    CHECK(is_up("renamed0"));
    lb_chooser_close(&chooser, NULL);
}

static void a_new_name_is_as_good_as_udevs_word(void) {
    char name[IF_NAMESIZE];
    CHECK(run("rm %s/run/udev/data/*", folder));
    open_chooser("eth8");
    CHECK(run("ip link set renamed0 name eth8"));
    CHECK(!lb_chooser_find(&chooser, name, sizeof(name)));
    chooser.choice.name = "renamed0";
    CHECK(run("ip link set eth8 name renamed0"));
    CHECK(lb_chooser_find(&chooser, name, sizeof(name)));
    CHECK_STR(name, "renamed0");
    lb_chooser_close(&chooser, NULL);
    CHECK(run(": >%s/run/udev/data/n0", folder));
}

static void a_name_counts_when_udev_has_given_it(void) {
    char name[IF_NAMESIZE];
    CHECK(run("rm %s/run/udev/data/*; ip link set renamed0 name eth7", folder));
    open_chooser("eth7"); /* before udev has renamed it */
    CHECK(!lb_chooser_find(&chooser, name, sizeof(name)));
    CHECK(
        run("ip link set eth7 name ca0; : >%s/run/udev/data/n%u", folder, if_nametoindex("eth7")));
    CHECK(!lb_chooser_find(&chooser, name, sizeof(name)));
    chooser.choice.name = "ca0";
    CHECK(run(": >%s/run/udev/data/n%u", folder, if_nametoindex("ca0")));
    CHECK(lb_chooser_find(&chooser, name, sizeof(name)));
    CHECK_STR(name, "ca0");
    lb_chooser_close(&chooser, NULL);
    CHECK(run("rm -r %s", folder));
}

#define T(name)                                                                                    \
    { #name, name }

static const struct {
    const char *name;
    void (*function)(void);
} tests[] = {
    T(without_a_device_behind_any_the_ends_of_cables_are_cards),
    T(what_others_have_brought_up_stays_up),
    T(ports_of_a_bridge_are_no_cards),
    T(where_there_are_real_cards_they_alone_are_cards),
    T(where_udev_has_not_done_with_a_card_it_is_not_raised),
    T(a_new_name_is_as_good_as_udevs_word),
    T(a_name_counts_when_udev_has_given_it),
};

int main(void) {
    const char *reason = geteuid() != 0              ? "network namespaces need root"
                         : unshare(CLONE_NEWNET) < 0 ? "no network namespace can be made here"
                         : !mkdtemp(folder)          ? "no scratch folder"
                                                     : NULL;
    TEST(cards_with_a_link_take_turns);
    TEST(a_link_that_comes_late_has_the_next_turn);
    TEST(who_answered_is_remembered);
    TEST(a_card_whose_network_names_no_disk_is_worth_less);
    TEST(a_silent_card_is_listened_to_for_longer_each_time);
    TEST(what_does_not_pass_ends_the_boot_when_it_is_so_on_each_card);
    if (!reason)
        make_machine();
    for (size_t i = 0; i < LB_COUNT(tests); i++) {
        if (reason)
            tap_skip(tests[i].name, reason);
        else
            tap_run(tests[i].name, tests[i].function);
    }
    return tap_done();
}
