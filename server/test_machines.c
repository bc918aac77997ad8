/* How machines and their targets are found: by card, UUID, name, and the target's name. */
#include "server/unused.h"
#include "tests/tap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lb_server_settings settings;
static struct lb_server_machines machines;
static struct lb_server_store store;
static bool with_store; /* what is offered is kept there */
static struct lb_server_error error;
static char disk[] = "/tmp/lb-test-machines-XXXXXX";
static size_t table_at; /* the GPT's header; 0: there is none */

/* Serves a disk to all, each with an overlay of its own, and to these sections. */
static void open_with(const char *sections) {
    static uint8_t blocks[8192];
    char text[1000];
    memset(blocks, 0, sizeof blocks);
    if (table_at > 0)
        memcpy(blocks + table_at, "EFI PART", 8);
    strcpy(strchr(disk, 0) - 6, "XXXXXX");
    int fd = mkstemp(disk);
    CHECK(fd >= 0 && write(fd, blocks, sizeof blocks) == sizeof blocks);
    close(fd);
    snprintf(text, sizeof text, "interface=lo\ndisk=%s\nwrites=drop\ntarget=iqn.x:t\n%s", disk,
             sections);
    error = (struct lb_server_error){0};
    lb_server_settings_init(&settings);
    CHECK(lb_server_settings_read(&settings, lb_bytes_of_text(text), "test", &error));
    snprintf(settings.overlays, sizeof settings.overlays, "%s.none", disk);
    CHECK(lb_server_machines_open(&machines, &settings, with_store ? &store : NULL, &error));
    CHECK_STR(error.what, "");
}

static void close_all(void) {
    lb_server_machines_close(&machines);
    unlink(disk);
}

static struct lb_server_machine *find(uint32_t card, struct lb_bytes uuid) {
    const uint8_t mac[6] = {
        2, 0, (uint8_t)(card >> 24), (uint8_t)(card >> 16), (uint8_t)(card >> 8), (uint8_t)card};
    return lb_server_machines_find(&machines, mac, uuid, false);
}

static const char *name_of(const struct lb_server_machine *machine) {
    return machine != NULL ? machine->name : "none";
}

static struct lb_server_machine *named(const char *name) {
    return lb_server_machines_named(&machines, lb_bytes_of_text(name));
}

static const char *target_of(const char *name) {
    const struct lb_target *node = lb_server_machines_node(&machines, name);
    return node != NULL ? name_of(lb_server_machines_of(&machines, node)) : "none";
}

static const char sections[] = "[machine anna]\nmac=02:00:00:00:00:01\n"
                               "[machine bert]\nuuid=00112233-4455-6677-8899-aabbccddeeff\n"
                               "[machine carl]\nmac=02:00:00:00:00:03\nwrites=keep\n";

static void a_machine_is_found_by_all_that_it_is_known_by(void) {
    open_with(sections);
    struct lb_bytes nothing = lb_bytes(NULL, 0);
    const struct lb_server_machine *bert = named("bert");
    CHECK(bert != NULL);
    CHECK_STR(name_of(find(1, nothing)), "anna");
    CHECK_STR(name_of(find(77, lb_bytes(bert->uuid, 16))), "bert");
    CHECK_STR(name_of(find(1, lb_bytes(bert->uuid, 16))), "anna"); /* the earlier section */
    CHECK_STR(name_of(find(3, lb_bytes(bert->uuid, 16))), "bert");
    CHECK_STR(name_of(named("02:00:00:00:00:03")), "carl");
    CHECK(named("02:00:00:00:00:04") == NULL);
    CHECK_STR(name_of(find(4, nothing)), "02-00-00-00-00-04"); /* it is new */
    CHECK_STR(name_of(named("02:00:00:00:00:04")), "02-00-00-00-00-04");
    CHECK_EQ(machines.count, 4);
    close_all();
}

static void a_target_is_found_by_its_name_as_it_is_now(void) {
    open_with(sections);
    CHECK_STR(target_of("iqn.x:t:anna.g1"), "anna");
    CHECK_STR(target_of("IQN.X:T:ANNA.G1"), "anna"); /* RFC 3722 */
    CHECK_STR(target_of("iqn.x:t:anna.g2"), "none");
    CHECK_STR(target_of("iqn.x:t:ANNA"), "anna"); /* a person gave it the name: no boot */
    CHECK_STR(target_of("iqn.x:t:carl"), "carl"); /* kept: no boots */
    CHECK_STR(target_of("iqn.x:t:carl.g1"), "none");
    CHECK_STR(target_of(""), "none");
    CHECK_STR(target_of("."), "none");
    CHECK_STR(target_of(".g1"), "none");
    close_all();
}

static void without_its_number_a_name_is_that_of_the_boot_that_has_the_disk(void) {
    struct lb_bytes nothing = lb_bytes(NULL, 0);
    char folder[] = "/tmp/lb-test-machines-XXXXXX", command[sizeof folder + 16];
    CHECK(mkdtemp(folder) != NULL);
    CHECK(lb_server_store_open(&store, folder, &error));
    with_store = true;
    open_with(sections);
    struct lb_server_machine *anna = named("anna");
    bool is_new = false;
    snprintf(settings.overlays, sizeof settings.overlays, "%s", folder);
    CHECK(lb_server_machine_enter(&machines, anna, 1, &is_new, &error) != NULL);
    CHECK(is_new);
    CHECK(lb_server_machines_find(&machines, anna->mac, nothing, true) == anna);
    CHECK_EQ(anna->offered, 2);
    const struct lb_target *node = lb_server_machines_node(&machines, "iqn.x:t:anna");
    CHECK_STR(node->name, "iqn.x:t:anna.g1"); /* the next is offered, and nobody has come */
    CHECK_EQ(lb_server_machine_boot(anna, node), 1);
    CHECK(lb_server_machine_enter(&machines, anna, 2, &is_new, &error) != NULL);
    node = lb_server_machines_node(&machines, "iqn.x:t:anna");
    CHECK_STR(node->name, "iqn.x:t:anna.g2");
    close_all();
    with_store = false;
    lb_server_store_close(&store);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK_EQ(system(command), 0);
}

static void who_has_gone_is_not_found_and_its_place_is_free(void) {
    struct lb_bytes nothing = lb_bytes(NULL, 0);
    open_with(sections);
    uint64_t stamp = lb_server_machines_stamp(&machines);
    lb_server_machines_forget(&machines, named("anna"));
    CHECK(lb_server_machines_stamp(&machines) != stamp);
    CHECK(named("anna") == NULL);
    CHECK(named("02:00:00:00:00:01") == NULL);
    CHECK_STR(target_of("iqn.x:t:anna.g1"), "none");
    CHECK_STR(name_of(find(1, nothing)), "02-00-00-00-00-01"); /* without a section from here on */
    CHECK_EQ(machines.count, 3);
    CHECK_STR(name_of(find(5, nothing)), "02-00-00-00-00-05");
    CHECK_EQ(machines.count, 4);
    /* A section that comes later goes before what the machine was without one. */
    CHECK(lb_server_machines_add(&machines, &settings.machines[0], &error));
    CHECK_STR(name_of(find(1, nothing)), "anna");
    close_all();
}

static void a_machine_gets_another_card(void) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9}, uuid[16] = {7};
    struct lb_bytes nothing = lb_bytes(NULL, 0);
    open_with(sections);
    lb_server_machine_identify(&machines, named("anna"), mac, uuid);
    CHECK_STR(name_of(find(9, nothing)), "anna");
    CHECK_STR(name_of(find(88, lb_bytes(uuid, 16))), "anna");
    CHECK_STR(name_of(find(1, nothing)), "02-00-00-00-00-01");
    CHECK_STR(name_of(named("anna")), "anna");
    CHECK_STR(target_of("iqn.x:t:anna.g1"), "anna");
    close_all();
}

/* Candidates that are looked at to find each of so many machines by its card, and its target. */
static double steps_of(uint32_t count) {
    open_with("");
    for (uint32_t i = 0; i < count; i++)
        CHECK(find(i, lb_bytes(NULL, 0)) != NULL);
    CHECK_EQ(machines.count, count);
    uint64_t before = machines.index.steps;
    for (uint32_t i = 0; i < count; i++) {
        const struct lb_server_machine *machine = find(i, lb_bytes(NULL, 0));
        CHECK(machine == &machines.list[i]);
        CHECK(lb_server_machines_node(&machines, machine->node->name) == machine->node);
        CHECK(named(machine->name) == machine);
    }
    double steps = (double)(machines.index.steps - before) / count;
    close_all();
    return steps;
}

static void ten_thousand_machines_cost_what_ten_do(void) {
    double few = steps_of(10), many = steps_of(10000);
    printf("# steps a machine: %.2f of 10, %.2f of 10000\n", few, many);
    CHECK(few >= 3);
    CHECK(many < 6);
}

static void one_machine_too_many_gets_no_disk(void) {
    open_with("");
    for (uint32_t i = 0; i < LB_SERVER_MACHINES_MAX; i++)
        CHECK(find(i, lb_bytes(NULL, 0)) != NULL);
    CHECK(find(LB_SERVER_MACHINES_MAX, lb_bytes(NULL, 0)) == NULL);
    lb_server_machines_forget(&machines, &machines.list[5]);
    CHECK(find(LB_SERVER_MACHINES_MAX, lb_bytes(NULL, 0)) == &machines.list[5]);
    close_all();
}

/* Somebody asks in the name of ever new cards. */
static void who_never_logged_in_gives_way(void) {
    static struct lb_server_target target; /* without sessions */
    struct lb_bytes nothing = lb_bytes(NULL, 0);
    const uint32_t most = LB_SERVER_MACHINES_MAX - 3;
    open_with(sections);
    for (uint32_t i = 0; i < most - LB_UNUSED_FREE; i++)
        CHECK(find(i + 100, nothing) != NULL);
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 0); /* there is room */
    struct lb_server_machine *begun = find(101, nothing), *ejected = find(102, nothing);
    struct lb_server_machine *maintained = find(103, nothing);
    begun->head.is_used = true;
    ejected->nodes[0].login_status = ejected->nodes[1].login_status = 1;
    maintained->is_maintained = true;
    CHECK(find(100, nothing) ==
          find(100, nothing)); /* it has asked again: it is none of the first */
    for (uint32_t i = 0; i < LB_UNUSED_FREE; i++)
        CHECK(find(LB_SERVER_MACHINES_MAX + i, nothing) != NULL);
    CHECK(find(2 * LB_SERVER_MACHINES_MAX, nothing) == NULL);
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 2 * LB_UNUSED_FREE);
    CHECK(named("anna") != NULL && named("carl") != NULL && !begun->is_gone && !ejected->is_gone &&
          !maintained->is_gone);
    CHECK_STR(name_of(find(100, nothing)), "02-00-00-00-00-64");
    CHECK(named("02:00:00:00:00:68") == NULL);                   /* the first of the others */
    CHECK(named("02:00:00:00:40:00") != NULL);                   /* one of the last */
    CHECK(find(2 * LB_SERVER_MACHINES_MAX, nothing) != NULL);    /* one more */
    CHECK_STR(name_of(find(104, nothing)), "02-00-00-00-00-68"); /* it is there again */
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 0);
    close_all();
}

/* Where nobody gives way, all are looked at now and then, and not each time. */
static void who_has_logged_in_stays(void) {
    static struct lb_server_target target;
    open_with("");
    for (uint32_t i = 0; i < LB_SERVER_MACHINES_MAX; i++)
        find(i, lb_bytes(NULL, 0))->head.is_used = true;
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 0);
    machines.list[7].head.is_used = false;
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 0);
    for (uint32_t i = 0; i < LB_UNUSED_FREE; i++)
        CHECK(find(i, lb_bytes(NULL, 0)) != NULL);
    CHECK_EQ(lb_server_unused_forget(&machines, &target), 1);
    CHECK(machines.list[7].is_gone);
    close_all();
}

static void blocks_are_as_large_as_is_said(void) {
    open_with("[machine a]\nmac = 02:00:00:00:00:01\n");
    CHECK_EQ(machines.list[0].unit.block_bytes, 512);
    CHECK_EQ(machines.list[0].unit.blocks, 16);
    CHECK_EQ(machines.list[0].unit.physical_exponent, 3);
    uint32_t atomic_bytes = machines.list[0].unit.atomic_blocks * 512;
    uint32_t transfer_bytes = machines.list[0].unit.max_transfer_blocks * 512;
    close_all();
    open_with("block-size = 4096\n[machine a]\nmac = 02:00:00:00:00:01\n");
    CHECK_EQ(machines.list[0].unit.block_bytes, 4096);
    CHECK_EQ(machines.list[0].unit.blocks, 2);
    CHECK_EQ(machines.list[0].unit.physical_exponent, 0);
    CHECK(atomic_bytes > 0 && machines.list[0].unit.atomic_blocks * 4096 == atomic_bytes);
    CHECK(machines.list[0].unit.max_transfer_blocks * 4096 == transfer_bytes);
    close_all();
}

static uint32_t blocks_with(size_t table, const char *key) {
    char text[100];
    snprintf(text, sizeof text, "%s\n[machine a]\nmac = 02:00:00:00:00:01\n", key);
    table_at = table;
    open_with(text);
    uint32_t bytes = machines.list[0].unit.block_bytes;
    table_at = 0;
    close_all();
    return bytes;
}

static void blocks_are_those_of_the_partition_table(void) {
    CHECK_EQ(blocks_with(512, ""), 512);
    CHECK_EQ(blocks_with(4096, ""), 4096);
    CHECK_EQ(blocks_with(4096, "block-size = auto"), 4096);
    CHECK_EQ(blocks_with(4096, "block-size = 512"), 512); /* a person knows better */
    CHECK_EQ(blocks_with(512, "block-size = 4096"), 4096);
}

int main(void) {
    TEST(a_machine_is_found_by_all_that_it_is_known_by);
    TEST(a_target_is_found_by_its_name_as_it_is_now);
    TEST(without_its_number_a_name_is_that_of_the_boot_that_has_the_disk);
    TEST(who_has_gone_is_not_found_and_its_place_is_free);
    TEST(a_machine_gets_another_card);
    TEST(ten_thousand_machines_cost_what_ten_do);
    TEST(one_machine_too_many_gets_no_disk);
    TEST(who_never_logged_in_gives_way);
    TEST(who_has_logged_in_stays);
    TEST(blocks_are_as_large_as_is_said);
    TEST(blocks_are_those_of_the_partition_table);
    return tap_done();
}
