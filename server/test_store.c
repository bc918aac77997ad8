/* What is kept over a restart and over kill -9, and what it costs. */
#include "core/dhcp4/dhcp4_wire.h"
#include "server/outbox.h"
#include "tests/tap.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static struct lb_server_store store;
static struct lb_server_error error;

static bool open_store(void) {
    error = (struct lb_server_error){0};
    return CHECK(lb_server_store_open(&store, folder, &error));
}

/* A store without anything. */
static void begin(void) {
    char path[96];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < LB_COUNT(ends); i++) {
        lb_format(path, sizeof path, "%s/lunbootd.db%s", folder, ends[i]);
        unlink(path);
    }
    open_store();
}

static struct lb_store_lease lease_of(uint32_t number) {
    struct lb_store_lease lease = {
        .address = lb_addr_v4(10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number),
        .client_len = 7,
        .until_s = 2000000000 + (int64_t)number,
        .leased = true,
    };
    lease.client[0] = 1;
    memcpy(lease.client + 1, &number, sizeof number);
    return lease;
}

static struct lb_store_progress wait_for(uint64_t ticket) {
    struct lb_store_progress progress = lb_server_store_progress(&store);
    while (progress.done < ticket) {
        struct pollfd wait = {.fd = store.fd, .events = POLLIN};
        if (!CHECK_EQ(poll(&wait, 1, 20000), 1))
            return progress;
        progress = lb_server_store_progress(&store);
    }
    return progress;
}

static uint64_t put_lease(uint32_t number) {
    struct lb_store_lease lease = lease_of(number);
    return lb_server_store_put_lease(&store, &lease);
}

static size_t count_leases(void) {
    struct lb_store_lease lease;
    size_t count = 0;
    while (lb_server_store_next_lease(&store, &lease, &error))
        count++;
    CHECK_STR(error.what, "");
    return count;
}

/* ---- what is kept ---- */

static void leases_are_the_same_after_a_restart(void) {
    struct lb_store_lease want = lease_of(7), got;
    begin();
    want.until_s = LB_STORE_FOR_EVER;
    want.bootp = true;
    CHECK_EQ(lb_server_store_put_lease(&store, &want), 1);
    CHECK_EQ(put_lease(8), 2);
    lb_server_store_close(&store); /* writes what waits */
    open_store();
    if (!CHECK(lb_server_store_next_lease(&store, &got, &error)))
        return;
    CHECK(lb_addr_equal(got.address, want.address));
    CHECK_BYTES(lb_bytes(got.client, got.client_len), lb_bytes(want.client, want.client_len));
    CHECK_EQ(got.until_s, LB_STORE_FOR_EVER);
    CHECK(got.leased && got.bootp && !got.declined);
    CHECK(lb_server_store_next_lease(&store, &got, &error));
    CHECK_STR(lb_addr_text(got.address).s, "10.0.0.8");
    CHECK_EQ(got.until_s, 2000000008);
    CHECK(!lb_server_store_next_lease(&store, &got, &error));
    CHECK_STR(error.what, "");
    lb_server_store_close(&store);
}

static void a_client_has_an_address_of_each_family(void) {
    struct lb_store_lease v4 = lease_of(7), v6 = v4, got;
    static const uint8_t address[16] = {0x20, 1, 0xd, 0xb8, [15] = 7};
    begin();
    v6.address = lb_addr_v6_bytes(address);
    v6.until_s++;
    lb_server_store_put_lease(&store, &v4);
    lb_server_store_put_lease(&store, &v6);
    lb_server_store_close(&store);
    open_store();
    CHECK(lb_server_store_next_lease(&store, &got, &error));
    CHECK_STR(lb_addr_text(got.address).s, "2001:db8::7");
    CHECK_BYTES(lb_bytes(got.client, got.client_len), lb_bytes(v4.client, v4.client_len));
    CHECK(lb_server_store_next_lease(&store, &got, &error));
    CHECK_STR(lb_addr_text(got.address).s, "10.0.0.7");
    CHECK(!lb_server_store_next_lease(&store, &got, &error));
    lb_server_store_close(&store);
}

static void a_client_has_one_address_and_an_address_one_client(void) {
    struct lb_store_lease lease = lease_of(1);
    begin();
    put_lease(1);
    lease.address = lb_addr_v4(10, 0, 0, 99); /* the client of 1 has moved */
    lb_server_store_put_lease(&store, &lease);
    lease = lease_of(2);
    lease.address = lb_addr_v4(10, 0, 0, 99); /* and the client of 2 has its address */
    lb_server_store_put_lease(&store, &lease);
    lease = (struct lb_store_lease){.address = lb_addr_v4(10, 0, 0, 1), .declined = true};
    lb_server_store_put_lease(&store, &lease); /* two are put aside, and have no client */
    lease.address = lb_addr_v4(10, 0, 0, 2);
    lb_server_store_put_lease(&store, &lease);
    lb_server_store_close(&store);
    open_store();
    CHECK(lb_server_store_next_lease(&store, &lease, &error));
    CHECK_STR(lb_addr_text(lease.address).s, "10.0.0.99");
    CHECK_EQ(lease.client[1], 2);
    for (int i = 0; i < 2; i++) {
        CHECK(lb_server_store_next_lease(&store, &lease, &error));
        CHECK(lease.declined && lease.client_len == 0);
    }
    CHECK(!lb_server_store_next_lease(&store, &lease, &error));
    lb_server_store_close(&store);
}

static void machines_are_the_same_after_a_restart(void) {
    struct lb_store_machine machine = {.name = "anna", .offered = 7}, got;
    begin();
    lb_server_store_put_machine(&store, &machine);
    machine.offered = 8;
    lb_server_store_put_machine(&store, &machine);
    machine = (struct lb_store_machine){.name = "02-00", .mac = {2, 0, 0, 0, 0, 1}, .offered = 1};
    lb_server_store_put_machine(&store, &machine);
    lb_server_store_close(&store);
    open_store();
    CHECK(lb_server_store_next_machine(&store, &got, &error));
    CHECK_STR(got.name, "02-00");
    CHECK_BYTES(lb_bytes(got.mac, 6), lb_bytes(machine.mac, 6));
    CHECK_EQ(got.offered, 1);
    CHECK(lb_server_store_next_machine(&store, &got, &error));
    CHECK_STR(got.name, "anna");
    CHECK_EQ(got.offered, 8);
    CHECK(!lb_server_store_next_machine(&store, &got, &error));
    lb_server_store_close(&store);
}

/* Puts leases for ever, and says after each progress up to which ticket they are durable. */
static _Noreturn void put_until_killed(int to) {
    for (uint32_t number = 1;; number++) {
        while (put_lease(number) == 0)
            wait_for(1);
        uint64_t done = lb_server_store_progress(&store).done;
        if (write(to, &done, sizeof done) < 0)
            _exit(1);
    }
}

static void what_is_done_is_there_after_kill_9(void) {
    uint64_t done = 0, told = 0;
    for (unsigned round = 0; round < 20; round++) {
        int ends[2];
        begin();
        lb_server_store_close(&store);
        if (!CHECK_EQ(pipe(ends), 0))
            return;
        pid_t child = fork();
        if (child == 0) {
            open_store();
            put_until_killed(ends[1]);
        }
        close(ends[1]);
        while (done < 1 + round * 40 && read(ends[0], &done, sizeof done) == sizeof done)
            continue;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &told, sizeof told) == sizeof told)
            done = told;
        close(ends[0]);
        open_store();
        size_t count = count_leases();
        if (!CHECK(count >= done))
            tap_note("round %u: %zu leases are there, and %llu were done", round, count,
                     (unsigned long long)done);
        lb_server_store_close(&store);
        done = 0;
    }
}

/* ---- what it costs ---- */

static void changes_that_wait_share_a_commit(void) {
    uint64_t last = 0;
    begin();
    for (uint32_t number = 1; number <= LB_STORE_QUEUE; number++) {
        uint64_t ticket = put_lease(number);
        last = LB_MAX(ticket, last);
    }
    struct lb_store_progress progress = wait_for(last);
    CHECK_EQ(progress.failed, 0);
    uint64_t commits = lb_server_store_commits(&store);
    tap_note("%llu changes in %llu commits", (unsigned long long)last, (unsigned long long)commits);
    CHECK(commits >= 1 && commits <= last / 8);
    lb_server_store_close(&store);
}

static void a_full_queue_refuses_and_forgets_nothing(void) {
    uint32_t taken = 0;
    begin();
    for (uint32_t number = 1; number <= 20 * LB_STORE_QUEUE; number++)
        taken += put_lease(number) != 0;
    lb_server_store_close(&store);
    open_store();
    CHECK_EQ(count_leases(), taken);
    lb_server_store_close(&store);
}

/* ---- 10,000 known clients ---- */

#define CLIENTS 10000
static struct lb_binding bindings[16384];
static struct lb_dhcp4_server server;

static struct lb_bytes discover(uint32_t number, struct lb_span room) {
    static uint8_t memory[300];
    struct lb_wr list = lb_wr(lb_span(memory, sizeof memory));
    struct lb_dhcp4_header header = {.op = LB_BOOTREQUEST, .htype = 1, .hlen = 6, .xid = number};
    struct lb_store_lease lease = lease_of(number);
    struct lb_dhcp4_layout layout = {.max_bytes = 548};
    memcpy(header.chaddr, lease.client + 1, 6);
    lb_dhcp4_put_u8(&list, LB_OPT_TYPE, LB_DHCP4_DISCOVER);
    return lb_dhcp4_encode(&header, &list, layout, room);
}

struct steps {
    uint64_t most, in_all;
};

/* Answers each of them once; gives the rows that were looked at. */
static struct steps count_steps(uint32_t clients) {
    uint8_t packet[600], room[LB_DHCP4_PACKET_MAX];
    struct steps steps = {0};
    for (uint32_t number = 1; number <= clients; number++) {
        struct lb_endpoint from = {.port = LB_DHCP4_CLIENT_PORT};
        uint64_t before = server.table.steps;
        struct lb_dhcp4_reply reply = lb_dhcp4_server_input(
            &server, LB_US_SEC, from, discover(number, lb_span(packet, sizeof packet)),
            lb_span(room, sizeof room));
        struct lb_dhcp4_message message;
        const char *why;
        if (!CHECK(lb_dhcp4_decode(reply.bytes, &message, &why)) ||
            !CHECK(lb_addr_equal(message.header.yiaddr, lease_of(number).address)))
            break;
        steps.most = LB_MAX(steps.most, server.table.steps - before);
        steps.in_all += server.table.steps - before;
    }
    return steps;
}

static void restore(uint32_t clients) {
    struct lb_dhcp4_server_config config = {
        .server = lb_addr_v4(10, 0, 255, 254),
        .network = {.addr = lb_addr_v4(10, 0, 0, 0), .len = 16},
        .first = lb_addr_v4(10, 0, 0, 1),
        .last = lb_addr_v4(10, 0, 63, 255),
    };
    struct lb_store_lease lease;
    begin();
    for (uint32_t number = 1; number <= clients; number++)
        while (put_lease(number) == 0)
            wait_for(1);
    lb_server_store_close(&store);
    open_store();
    lb_dhcp4_server_init(&server, &config, bindings, LB_COUNT(bindings));
    while (lb_server_store_next_lease(&store, &lease, &error)) {
        struct lb_dhcp4_kept kept = {.client = lb_bytes(lease.client, lease.client_len),
                                     .address = lease.address,
                                     .valid_s = 1000,
                                     .leased = true};
        CHECK(lb_dhcp4_server_restore(&server, 0, &kept));
    }
    lb_server_store_close(&store);
}

static void ten_thousand_known_clients_cost_what_ten_do(void) {
    restore(10);
    struct steps ten = count_steps(10);
    restore(CLIENTS);
    struct steps many = count_steps(CLIENTS);
    tap_note("rows looked at in 100 answers: %llu of 10, %llu of %d; in one, at most %llu, %llu",
             (unsigned long long)(ten.in_all * 10), (unsigned long long)(many.in_all / 100),
             CLIENTS, (unsigned long long)ten.most, (unsigned long long)many.most);
    /* Chains of a hash table that is 60 % full: 0.3 more in each look-up, and rarely five. */
    CHECK(many.in_all / CLIENTS <= ten.in_all / 10 + 4);
    CHECK(many.most <= 32);
}

/* ---- what goes wrong ---- */

static void a_second_lunbootd_is_refused(void) {
    struct lb_server_store second;
    begin();
    CHECK(!lb_server_store_open(&second, folder, &error));
    CHECK_HAS(error.what, "another lunbootd is using /tmp/");
    CHECK_HAS(error.hint, "--state=FOLDER");
    lb_server_store_close(&second);
    lb_server_store_close(&store);
}

static void a_folder_that_cannot_be_had_is_told(void) {
    error = (struct lb_server_error){0};
    CHECK(!lb_server_store_open(&store, "/proc/none/here", &error));
    CHECK_STR(error.what, "nothing can be kept in /proc/none/here: No such file or directory");
    lb_server_store_close(&store);
}

static void a_damaged_file_is_told(void) {
    char path[80];
    begin();
    lb_server_store_close(&store);
    lb_format(path, sizeof path, "%s/lunbootd.db", folder);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fprintf(file, "%0600d", 0) == 600 && fclose(file) == 0);
    error = (struct lb_server_error){0};
    CHECK(!lb_server_store_open(&store, folder, &error));
    CHECK_HAS(error.what, "lunbootd.db is damaged: file is not a database");
    CHECK_HAS(error.hint, "move it away");
    lb_server_store_close(&store);
    CHECK(unlink(path) == 0);
}

static void what_cannot_be_written_is_told_and_the_next_is_tried_anew(void) {
    struct rlimit before, none = {0};
    char reason[160];
    begin();
    wait_for(put_lease(1));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &none);
    uint64_t ticket = put_lease(2);
    struct lb_store_progress progress = wait_for(ticket);
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_EQ(progress.failed, ticket);
    lb_server_store_reason(&store, reason, sizeof reason);
    CHECK(reason[0] != '\0');
    progress = wait_for(put_lease(3));
    CHECK_EQ(progress.failed, ticket);
    CHECK_EQ(progress.done, ticket + 1);
    lb_server_store_close(&store);
    open_store();
    CHECK_EQ(count_leases(), 2);
    lb_server_store_close(&store);
}

/* ---- letters ---- */

static void letters_wait_for_their_ticket_and_leave_in_order(void) {
    struct lb_outbox outbox;
    size_t dropped = 0;
    struct lb_store_progress progress = {0};
    CHECK(lb_outbox_open(&outbox));
    for (uint64_t i = 0; i < LB_OUTBOX_MAX; i++)
        lb_outbox_add(&outbox)->ticket = i;
    CHECK(lb_outbox_add(&outbox) == NULL);
    CHECK(lb_outbox_next(&outbox, progress, &dropped) == &outbox.letters[0]); /* needs none */
    CHECK(lb_outbox_next(&outbox, progress, &dropped) == NULL);
    progress = (struct lb_store_progress){.done = 3, .failed = 2};
    CHECK(lb_outbox_next(&outbox, progress, &dropped) == &outbox.letters[3]);
    CHECK_EQ(dropped, 2);
    CHECK(lb_outbox_next(&outbox, progress, &dropped) == NULL);
    CHECK(lb_outbox_add(&outbox) == &outbox.letters[0]);
    lb_outbox_close(&outbox);
}

int main(void) {
    lb_format(folder, sizeof folder, "/tmp/lunboot-store-%d", (int)getpid());
    TEST(leases_are_the_same_after_a_restart);
    TEST(a_client_has_an_address_of_each_family);
    TEST(a_client_has_one_address_and_an_address_one_client);
    TEST(machines_are_the_same_after_a_restart);
    TEST(what_is_done_is_there_after_kill_9);
    TEST(changes_that_wait_share_a_commit);
    TEST(a_full_queue_refuses_and_forgets_nothing);
    TEST(ten_thousand_known_clients_cost_what_ten_do);
    TEST(a_second_lunbootd_is_refused);
    TEST(a_folder_that_cannot_be_had_is_told);
    TEST(a_damaged_file_is_told);
    TEST(what_cannot_be_written_is_told_and_the_next_is_tried_anew);
    TEST(letters_wait_for_their_ticket_and_leave_in_order);
    begin();
    lb_server_store_close(&store);
    char path[96];
    lb_format(path, sizeof path, "%s/lunbootd.db", folder);
    unlink(path);
    rmdir(folder);
    return tap_done();
}
