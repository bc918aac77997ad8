/* What is kept of a disk over a restart: keys and reservations. */
#include "server/kept.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOOD                                                                                       \
    "# a comment\ntarget = iqn.x:t\nreservation = 5\n"                                             \
    "registration = 800102030405 00000000000000aa 1 iqn.2026-11.test:me\n"                         \
    "registration = 800102030406 fedcba9876543210 0 iqn.2026-11.test:you\nend\n"

static struct lb_server_kept kept;

static bool parse(const char *text) {
    return lb_server_kept_parse(lb_bytes_of_text(text), &kept);
}

static void what_is_written_is_read_back(void) {
    char room[LB_SERVER_KEPT_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    CHECK(parse(GOOD));
    for (int i = 0; i < 2; i++) {
        CHECK_STR(kept.target, "iqn.x:t");
        CHECK_EQ(kept.reservation_type, 5);
        CHECK_EQ(kept.registration_count, 2);
        CHECK_EQ(kept.registrations[0].key, 0xaa);
        CHECK(kept.registrations[0].is_holder && !kept.registrations[1].is_holder);
        CHECK_STR(kept.registrations[1].port.name, "iqn.2026-11.test:you");
        CHECK(kept.registrations[1].key == UINT64_C(0xfedcba9876543210));
        CHECK_EQ(kept.registrations[1].port.isid[5], 6);
        if (i == 0) {
            lb_server_kept_format(&text, &kept);
            CHECK(!text.cut);
            CHECK(parse(room));
        }
    }
}

/* As many keys as there can be, with the longest names. */
static void the_longest_file_has_room(void) {
    char room[LB_SERVER_KEPT_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    memset(&kept, 0, sizeof kept);
    memset(kept.target, 'x', LB_NAME_MAX);
    kept.registration_count = LB_SERVER_REGISTRATIONS;
    for (unsigned i = 0; i < kept.registration_count; i++) {
        memset(kept.registrations[i].port.name, 'y', LB_NAME_MAX);
        kept.registrations[i].key = i + 1;
    }
    lb_server_kept_format(&text, &kept);
    CHECK(!text.cut);
    CHECK(parse(room));
    CHECK_EQ(kept.registrations[15].key, 16);
}

static void what_is_not_whole_or_contradicts_itself_is_refused(void) {
    static const char *const wrong[] = {
        "",
        "end\n",
        "target = iqn.x:t\nend\n", /* without a key there is no file */
        "target = iqn.x:t\nregistration = 800102030405 aa 1 n\nend\n", /* holds nothing */
        "target = iqn.x:t\nreservation = 1\nregistration = 800102030405 aa 0 n\nend\n",
        "target = iqn.x:t\nreservation = 2\nregistration = 800102030405 aa 1 n\nend\n",
        "target = iqn.x:t\nreservation = 9\nregistration = 800102030405 aa 1 n\nend\n",
        "target = iqn.x:t\nregistration = 8001020304 aa 0 n\nend\n",
        "target = iqn.x:t\nregistration = 800102030405 0 0 n\nend\n",
        "target = iqn.x:t\nregistration = 800102030405 aa 2 n\nend\n",
        "target = iqn.x:t\nregistration = 800102030405 aa 0\nend\n",
        "target = iqn.x:t\ncolour = red\nregistration = 800102030405 aa 0 n\nend\n",
        "registration = 800102030405 aa 0 n\nend\n",
    };
    CHECK(parse("target = iqn.x:t\nregistration = 800102030405 aa 0 n\nend\n"));
    CHECK(parse("target = iqn.x:t\nreservation = 7\nregistration = 800102030405 aa 0 n\nend\n"));
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        if (!CHECK(!parse(wrong[i])))
            printf("# %s\n", wrong[i]);
    for (size_t len = 0; len < sizeof GOOD - 2; len++) /* a cut file has no `end` */
        CHECK(!lb_server_kept_parse(lb_bytes(GOOD, len), &kept));
}

/* ---- files ---- */

static char state[] = "/tmp/lb-test-kept-XXXXXX";
static struct lb_server_machine machine;

static void begin(void) {
    strcpy(strchr(state, 0) - 6, "XXXXXX");
    CHECK(mkdtemp(state) != NULL);
    memset(&machine, 0, sizeof machine);
    snprintf(machine.base_name, sizeof machine.base_name, "iqn.x:t");
    snprintf(machine.unit.serial, sizeof machine.unit.serial, "3000000000000001");
    machine.unit.registrations = machine.registrations;
    machine.unit.registration_cap = LB_SERVER_REGISTRATIONS;
}

/* lunbootd ends, and comes again. */
static void restart(void) {
    memset(machine.registrations, 0, sizeof machine.registrations);
    machine.unit.registration_count = 0;
    machine.unit.reservation_type = 0;
    machine.unit.is_kept = false;
    lb_server_kept_load(state, &machine);
}

static void add_key(const char *name, uint64_t key, bool is_holder) {
    struct lb_scsi_registration *at = &machine.registrations[machine.unit.registration_count++];
    *at = (struct lb_scsi_registration){
        .key = key, .is_holder = is_holder, .port = {.isid = {0x80, 1, 2, 3, 4, 5}}};
    snprintf(at->port.name, sizeof at->port.name, "%s", name);
}

static bool has_file(const char *name) {
    char path[100];
    struct stat status;
    snprintf(path, sizeof path, "%s/kept/%s", state, name);
    return stat(path, &status) == 0;
}

static void end(void) {
    char path[100];
    snprintf(path, sizeof path, "%s/kept/3000000000000001", state);
    unlink(path);
    snprintf(path, sizeof path, "%s/kept", state);
    rmdir(path);
    CHECK_EQ(rmdir(state), 0); /* nothing else is left */
}

static void keys_survive_a_restart_where_that_was_asked_for(void) {
    begin();
    add_key("iqn.2026-11.test:me", 0xaa, true);
    machine.unit.reservation_type = 3;
    CHECK_EQ(lb_server_kept_save(state, &machine), 0); /* without APTPL there is nothing to keep */
    restart();
    CHECK_EQ(machine.unit.registration_count, 0);
    add_key("iqn.2026-11.test:me", 0xaa, true);
    add_key("iqn.2026-11.test:you", 0xbb, false);
    machine.unit.reservation_type = 3;
    machine.unit.is_kept = true;
    CHECK_EQ(lb_server_kept_save(state, &machine), 0);
    restart();
    CHECK(machine.unit.is_kept);
    CHECK_EQ(machine.unit.reservation_type, 3);
    CHECK_EQ(machine.unit.registration_count, 2);
    CHECK(machine.registrations[0].is_holder);
    CHECK_EQ(machine.registrations[1].key, 0xbb);
    CHECK_STR(machine.registrations[1].port.name, "iqn.2026-11.test:you");
    CHECK(!has_file("3000000000000001.new"));
    end();
}

static void what_is_not_to_be_kept_any_more_is_gone(void) {
    begin();
    for (int i = 0; i < 3; i++) {
        machine.unit.registration_count = 0;
        add_key("iqn.2026-11.test:me", 0xaa, false);
        machine.unit.is_kept = true;
        CHECK_EQ(lb_server_kept_save(state, &machine), 0);
        CHECK(has_file("3000000000000001"));
        machine.unit.is_kept = i != 0;       /* a REGISTER without APTPL */
        machine.unit.registration_count = i; /* 0: the last one has gone */
        CHECK_EQ(i == 2 ? lb_server_kept_forget(state, &machine)
                        : lb_server_kept_save(state, &machine),
                 0);
        CHECK(has_file("3000000000000001") == (i == 1));
    }
    restart();
    CHECK_EQ(machine.unit.registration_count, 0);
    end();
}

static void another_targets_file_and_a_broken_one_are_left_alone(void) {
    char path[100];
    begin();
    add_key("iqn.2026-11.test:me", 0xaa, false);
    machine.unit.is_kept = true;
    CHECK_EQ(lb_server_kept_save(state, &machine), 0);
    snprintf(machine.base_name, sizeof machine.base_name, "iqn.x:other");
    restart();
    CHECK_EQ(machine.unit.registration_count, 0);
    snprintf(machine.base_name, sizeof machine.base_name, "iqn.x:t");
    snprintf(path, sizeof path, "%s/kept/3000000000000001", state);
    CHECK_EQ(truncate(path, 60), 0);
    restart();
    CHECK_EQ(machine.unit.registration_count, 0);
    CHECK(!machine.unit.is_kept && has_file("3000000000000001"));
    end();
}

static void a_folder_that_cannot_be_written_is_an_error(void) {
    begin();
    add_key("iqn.2026-11.test:me", 0xaa, false);
    machine.unit.is_kept = true;
    CHECK_EQ(lb_server_kept_save("/proc/no-such-folder", &machine), ENOENT);
    CHECK_EQ(lb_server_kept_forget("/proc/no-such-folder", &machine), 0); /* there is none */
    end();
}

int main(void) {
    TEST(what_is_written_is_read_back);
    TEST(the_longest_file_has_room);
    TEST(what_is_not_whole_or_contradicts_itself_is_refused);
    TEST(keys_survive_a_restart_where_that_was_asked_for);
    TEST(what_is_not_to_be_kept_any_more_is_gone);
    TEST(another_targets_file_and_a_broken_one_are_left_alone);
    TEST(a_folder_that_cannot_be_written_is_an_error);
    return tap_done();
}
