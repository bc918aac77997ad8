/* The hand-over to the kernel, with a fake kernel at the other end of the socket, and what is left
 * for the running system. */
#include "hosts/linux/results.h"
#include "hosts/linux/syntax.h"
#include "hosts/linux/test_kernel.h"
#include "hosts/linux/uevent.h"

/* ---- a kernel -------------------------------------------------------------------------------- */

static uint32_t start_result;

static void answer(int fd, struct event *e) {
    if (is_refused(e))
        refuse(e);
    if (e->type == CREATE_SESSION) {
        e->out[0] = 7;
        e->out[1] = 3;
    }
    if (e->type == START)
        e->out[0] = start_result;
    tell(fd, e, 0);
}

static const struct event *asked_or_null(uint32_t type) {
    for (size_t i = 0; i < seen.count; i++) {
        if (seen.events[i].type == type)
            return &seen.events[i];
    }
    return NULL;
}

static bool was_asked(uint32_t type) {
    return asked_or_null(type) != NULL;
}

/* The request, which must be there. */
static const struct event *asked(uint32_t type) {
    static const struct event none;
    const struct event *e = asked_or_null(type);
    CHECK(e != NULL);
    return e ? e : &none;
}

/* ---- a session ------------------------------------------------------------------------------- */

static struct lb_initiator_config config;
static struct lb_initiator_agreed agreed;
static struct lb_initiator_standing standing;
static struct lb_error error;

static void configure(void) {
    config = (struct lb_initiator_config){.target = "iqn.2026-11.test:disk",
                                          .initiator = "iqn.2026-11.test:me"};
    agreed = (struct lb_initiator_agreed){.header_digest = true,
                                          .immediate_data = true,
                                          .max_send_data = 8192,
                                          .max_burst = 262144,
                                          .first_burst = 65536,
                                          .max_outstanding_r2t = 1,
                                          .tpgt = 4};
    standing = (struct lb_initiator_standing){.config = &config,
                                              .agreed = &agreed,
                                              .cmd_sn = 12,
                                              .exp_stat_sn = 4000000000,
                                              .max_recv_data = 131072,
                                              .home = {lb_addr_v4(192, 0, 2, 1), 3261},
                                              .home_host = "",
                                              .chap_target_name = ""};
    error = (struct lb_error){0};
}

static void with_chap(bool is_mutual) {
    agreed.chap = true;
    agreed.mutual = is_mutual;
    lb_format(config.chap_name, sizeof(config.chap_name), "boot");
    memcpy(config.chap_secret, "boot-secret-0123", config.chap_secret_len = 16);
    memcpy(config.chap_target_secret, "disk-secret-4567", config.chap_target_secret_len = 16);
    standing.chap_target_name = "disk";
}

static bool take(void) {
    static const struct lb_kernel_iscsi_settings settings = {.recovery_s = 90, .queue_depth = 16};
    start_kernel(answer);
    return lb_kernel_iscsi_take(&kernel, 42, &standing, &settings, &error);
}

/* ---- taking over ----------------------------------------------------------------------------- */

static void the_session_begins_with_the_next_command(void) {
    configure();
    CHECK(take());
    CHECK_EQ(kernel.sid, 7);
    CHECK_EQ(kernel.host, 3);
    stop_kernel();
    const struct event *e = asked(CREATE_SESSION);
    uint16_t depths[2];
    CHECK_EQ(e->header.nlmsg_type, CREATE_SESSION);
    CHECK_EQ(e->transport, 0x1122334455667788);
    CHECK_EQ(e->in[0], 12);
    memcpy(depths, &e->in[1], sizeof(depths));
    CHECK_EQ(depths[0], 128);
    CHECK_EQ(depths[1], 16);
    CHECK_STR(param(14), "4000000000"); /* ExpStatSN, without a sign */
}

static void the_connection_is_the_very_socket(void) {
    uint64_t fd;
    configure();
    CHECK(take());
    stop_kernel();
    const struct event *e = asked(BIND);
    CHECK(was_asked(CREATE_CONNECTION));
    memcpy(&fd, &e->in[2], sizeof(fd));
    CHECK_EQ(e->in[0], 7);
    CHECK_EQ(fd, 42);
    CHECK_EQ(e->in[4], 1);
    CHECK_EQ(asked(START)->in[0], 7);
}

static void what_was_agreed_is_told(void) {
    static const struct {
        uint32_t number;
        const char *value;
    } expected[] = {{0, "131072"},
                    {1, "8192"},
                    {2, "1"},
                    {3, "0"},
                    {4, "0"},
                    {5, "1"},
                    {6, "1"},
                    {7, "65536"},
                    {8, "262144"},
                    {9, "1"},
                    {10, "1"},
                    {11, "0"},
                    {16, "4"},
                    {17, "192.0.2.1"},
                    {18, "3261"},
                    {19, "90"},
                    {32, "default"},
                    {15, "iqn.2026-11.test:disk"},
                    {34, "iqn.2026-11.test:me"}};
    configure();
    CHECK(take());
    stop_kernel();
    for (size_t i = 0; i < LB_COUNT(expected); i++) {
        const char *value = param(expected[i].number);
        if (!CHECK_STR(value ? value : "", expected[i].value))
            tap_note("parameter %u", expected[i].number);
    }
    CHECK(param(22) == NULL && param(24) == NULL); /* no CHAP, no names of it */
}

static void digests_are_told_before_anything_else_of_the_connection(void) {
    configure();
    CHECK(take());
    stop_kernel();
    for (size_t i = 0; i + 1 < seen.count; i++) {
        if (seen.events[i].type == BIND)
            CHECK_EQ(seen.events[i + 1].in[2], 2);
    }
}

static void chap_is_told_for_those_who_log_in_later(void) {
    configure();
    with_chap(false);
    CHECK(take());
    stop_kernel();
    CHECK_STR(param(22), "boot");
    CHECK_STR(param(24), "boot-secret-0123");
    CHECK(param(23) == NULL && param(25) == NULL);
}

static void mutual_chap_is_told_with_the_name_that_the_target_answered_with(void) {
    configure();
    with_chap(true);
    CHECK(take());
    stop_kernel();
    CHECK_STR(param(23), "disk");
    CHECK_STR(param(25), "disk-secret-4567");
}

static void an_ipv6_portal_is_told_without_brackets(void) {
    configure();
    CHECK(lb_addr_parse(lb_bytes_of_text("2001:db8::1"), &standing.home.addr));
    CHECK(take());
    stop_kernel();
    CHECK_STR(param(17), "2001:db8::1");
}

static void a_portal_that_is_a_name_stays_one(void) {
    configure();
    standing.home.addr = (struct lb_addr){0};
    standing.home_host = "storage.test";
    CHECK(take());
    stop_kernel();
    CHECK_STR(param(17), "storage.test");
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void refused_at(uint32_t type, uint32_t number, const char *facts) {
    configure();
    fake.refuse_type = type;
    fake.refuse_param = number;
    CHECK(!take());
    CHECK_EQ(error.code, LB_E_HAND_OVER);
    CHECK_HAS(error.facts, facts);
    CHECK_HAS(error.facts, "Invalid argument");
    fake.refuse_type = 0;
    lb_kernel_iscsi_undo(&kernel);
    CHECK(!kernel.has_session && !kernel.has_connection && !kernel.is_bound);
    stop_kernel();
}

static void each_refusal_says_what_was_refused_and_is_undone(void) {
    refused_at(CREATE_SESSION, 0, "making a session");
    CHECK(!was_asked(DESTROY_SESSION));
    refused_at(CREATE_CONNECTION, 0, "making a connection");
    CHECK(was_asked(DESTROY_SESSION) && !was_asked(DESTROY_CONNECTION));
    refused_at(BIND, 0, "giving the connection to the kernel");
    CHECK(was_asked(DESTROY_SESSION) && was_asked(DESTROY_CONNECTION) && !was_asked(STOP));
    refused_at(SET_PARAM, 5, "parameter 5");
    CHECK(was_asked(DESTROY_SESSION) && was_asked(DESTROY_CONNECTION) && was_asked(STOP));
    CHECK_EQ(asked(STOP)->in[4], 1);
    refused_at(START, 0, "starting the connection");
    CHECK(was_asked(STOP));
}

static void a_result_in_the_answer_is_a_refusal_too(void) {
    configure();
    start_result = (uint32_t)-EPERM;
    CHECK(!take());
    CHECK_HAS(error.facts, "Operation not permitted");
    stop_kernel();
    start_result = 0;
}

static void a_kernel_without_the_module_is_told(void) {
    configure();
    CHECK(!lb_kernel_iscsi_open(&kernel, "/nonexistent", &error));
    CHECK_STR(lb_code_word(error.code), "hand-over");
    CHECK_HAS(error.facts, "iscsi_tcp");
    lb_kernel_iscsi_close(&kernel);
}

static void a_connection_that_breaks_is_noticed(void) {
    int ends[2];
    struct event e = {.header.nlmsg_len = offsetof(struct event, text),
                      .type = CONNECTION_ERROR,
                      .out = {7, 0, 1011}};
    configure();
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    kernel = (struct lb_kernel_iscsi){.fd = ends[0], .sid = 7, .has_session = true};
    CHECK(lb_kernel_iscsi_look(&kernel));
    e.out[0] = 6; /* another session's */
    CHECK(send(ends[1], &e, offsetof(struct event, text), 0) > 0);
    CHECK(lb_kernel_iscsi_look(&kernel));
    e.out[0] = 7;
    CHECK(send(ends[1], &e, offsetof(struct event, text), 0) > 0);
    CHECK(!lb_kernel_iscsi_look(&kernel));
    CHECK_EQ(kernel.broken, 1011);
    lb_kernel_iscsi_close(&kernel);
    close(ends[1]);
}

/* ---- devices --------------------------------------------------------------------------------- */

#define EVENT(action, path, type)                                                                  \
    action "@" path "\0ACTION=" action "\0DEVPATH=" path                                           \
           "\0SUBSYSTEM=block\0DEVNAME=sda\0DEVTYPE=" type

static bool is_disk(const char *bytes, size_t len) {
    struct lb_uevent event;
    return lb_uevent_decode(lb_bytes(bytes, len), &event) && lb_uevent_is_disk(&event, 1, 2, 1);
}
#define IS_DISK(text) is_disk(text, sizeof(text))

static void the_disk_of_the_lun_is_known_by_its_event(void) {
#define SESSION "/devices/platform/host2/session1/target2:0:0/"
    CHECK(IS_DISK(EVENT("add", SESSION "2:0:0:1/block/sda", "disk")));
    CHECK(!IS_DISK(EVENT("remove", SESSION "2:0:0:1/block/sda", "disk")));
    CHECK(!IS_DISK(EVENT("add", SESSION "2:0:0:1/block/sda/sda1", "partition")));
    CHECK(!IS_DISK(EVENT("add", SESSION "2:0:0:10/block/sda", "disk")));
    CHECK(
        !IS_DISK(EVENT("add", "/devices/pci0000:00/host2/target2:0:0/2:0:0:1/block/sda", "disk")));
    CHECK(!is_disk("add@/x", 6)); /* not ended */
    CHECK(!is_disk("", 0));
}

static void luns_have_the_kernels_numbers(void) {
    static const uint8_t one[8] = {0, 1}, flat[8] = {0x40, 1}, two_levels[8] = {0, 1, 0, 2};
    CHECK_EQ(lb_kernel_lun(one), 1);
    CHECK_EQ(lb_kernel_lun(flat), 0x4001);
    CHECK_EQ(lb_kernel_lun(two_levels), 0x20001);
}

/* ---- results --------------------------------------------------------------------------------- */

static void a_value_reaches_a_shell_as_it_is(void) {
    char buffer[128];
    struct lb_text text = lb_text(buffer, sizeof(buffer));
    (void)lb_syntax_shell(&text, "A", "it's $(x) `y` \\");
    CHECK_STR(buffer, "A='it'\\''s $(x) `y` \\'\n");
}

int main(void) {
    TEST(the_session_begins_with_the_next_command);
    TEST(the_connection_is_the_very_socket);
    TEST(what_was_agreed_is_told);
    TEST(digests_are_told_before_anything_else_of_the_connection);
    TEST(chap_is_told_for_those_who_log_in_later);
    TEST(mutual_chap_is_told_with_the_name_that_the_target_answered_with);
    TEST(an_ipv6_portal_is_told_without_brackets);
    TEST(a_portal_that_is_a_name_stays_one);
    TEST(each_refusal_says_what_was_refused_and_is_undone);
    TEST(a_result_in_the_answer_is_a_refusal_too);
    TEST(a_kernel_without_the_module_is_told);
    TEST(a_connection_that_breaks_is_noticed);
    TEST(the_disk_of_the_lun_is_known_by_its_event);
    TEST(luns_have_the_kernels_numbers);
    TEST(a_value_reaches_a_shell_as_it_is);
    return tap_done();
}
