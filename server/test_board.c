/* What people see: the board's rows, their JSON, the metrics, the lines of the log, and tokens. */
#include "server/board.h"
#include "server/metrics.h"
#include "server/target.h"
#include "server/token.h"
#include "server/view.h"
#include "tests/tap.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lb_board board;
static struct lb_server_machines machines;
static struct lb_server_target target;
static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void begin(void) {
    board = (struct lb_board){0};
}

static void tell(uint64_t time_ms, struct lb_event event) {
    lb_board_event(&board, time_ms, &event, "what it is");
}

static void refresh(uint64_t time_ms) {
    lb_board_refresh(&board, time_ms, &machines, &target);
}

static void asks(uint64_t time_ms, bool is_firmware) {
    tell(time_ms, (struct lb_event){.kind = LB_EVENT_ADDRESS,
                                    .mac = mac,
                                    .address = lb_addr_v4(192, 0, 2, 7),
                                    .is_firmware = is_firmware});
}

static struct lb_event of_address(enum lb_event_kind kind) {
    return (struct lb_event){
        .kind = kind, .address = lb_addr_v4(192, 0, 2, 7), .file = "lunbootx64.efi"};
}

static const char *json(size_t row) {
    static char room[LB_BOARD_JSON_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    lb_board_json(&board, row, &text);
    CHECK(!text.cut);
    return room;
}

/* ---- rows ---- */

static void a_boot_goes_through_its_stages(void) {
    const struct lb_board_row *row = &board.rows[0];
    begin();
    asks(1000, true);
    CHECK_STR(lb_board_state(row), "address");
    CHECK_EQ(lb_board_progress(&board, row), 50);
    tell(2000, of_address(LB_EVENT_FILE));
    CHECK_STR(lb_board_state(row), "loader");
    CHECK_STR(row->file, "lunbootx64.efi");
    tell(3000, of_address(LB_EVENT_LOGIN));
    CHECK_STR(lb_board_state(row), "login");
    tell(4000, of_address(LB_EVENT_READ));
    CHECK_STR(lb_board_state(row), "reading");
    CHECK_EQ(lb_board_progress(&board, row), (uint64_t)-2);
    CHECK_EQ(row->boot_ms, 1000);
    CHECK_EQ(row->since_ms, 4000);
    CHECK_EQ(board.count, 1);
}

static void progress_is_measured_by_the_last_boot(void) {
    begin();
    asks(1000, true);
    tell(2000, of_address(LB_EVENT_LOGIN));
    tell(2000, of_address(LB_EVENT_READ));
    board.rows[0].bytes_read = 50000000;
    board.usual_bytes = 100000000;
    CHECK_EQ(lb_board_progress(&board, &board.rows[0]), 600);
    board.rows[0].boot_bytes = 40000000;
    CHECK_EQ(lb_board_progress(&board, &board.rows[0]), 990);
}

static void a_system_that_asks_again_begins_no_boot(void) {
    begin();
    asks(1000, true);
    tell(2000, of_address(LB_EVENT_LOGIN));
    tell(3000, of_address(LB_EVENT_READ));
    asks(4000, false);
    CHECK_STR(lb_board_state(&board.rows[0]), "reading");
    asks(90000, true);
    CHECK_STR(lb_board_state(&board.rows[0]), "address");
    CHECK_EQ(board.rows[0].boot_ms, 90000);
    asks(91000, true); /* iPXE after the card's own firmware */
    CHECK_EQ(board.rows[0].boot_ms, 90000);
}

static void a_machine_without_a_session_is_off(void) {
    struct lb_event end = of_address(LB_EVENT_END);
    begin();
    asks(1000, true);
    tell(2000, of_address(LB_EVENT_LOGIN));
    tell(3000, of_address(LB_EVENT_READ));
    end.bytes_read = 5000;
    end.bytes_written = 300;
    tell(4000, end);
    refresh(5000);
    CHECK_STR(lb_board_state(&board.rows[0]), "reading");
    CHECK_EQ(board.rows[0].bytes_read, 5000);
    CHECK_EQ(board.rows[0].bytes_written, 300);
    CHECK(board.is_lively);
    refresh(35000);
    CHECK_STR(lb_board_state(&board.rows[0]), "off");
    CHECK_EQ(board.rows[0].since_ms, 4000);
    CHECK(!board.is_lively);
}

static void a_boot_that_stalls_is_told(void) {
    begin();
    asks(1000, true);
    refresh(2000);
    CHECK_STR(board.rows[0].trouble, "");
    refresh(121000);
    CHECK_HAS(board.rows[0].trouble, "two minutes");
    CHECK_HAS(board.rows[0].hint, "UDP port 69");
    CHECK_EQ(board.rows[0].trouble_ms, 121000);
    refresh(140000);
    CHECK_EQ(board.rows[0].trouble_ms, 121000);
}

static void a_system_with_an_address_has_no_trouble(void) {
    begin();
    asks(1000, false);
    refresh(200000);
    CHECK_STR(board.rows[0].trouble, "");
    CHECK_EQ(lb_board_progress(&board, &board.rows[0]), (uint64_t)-1);
}

static void trouble_stays_until_the_next_boot_reads(void) {
    struct lb_event trouble = of_address(LB_EVENT_TROUBLE);
    trouble.hint = "look at it";
    begin();
    asks(1000, true);
    tell(2000, trouble);
    CHECK_STR(board.rows[0].trouble, "what it is");
    CHECK_STR(board.rows[0].hint, "look at it");
    tell(3000, of_address(LB_EVENT_READ));
    CHECK_STR(board.rows[0].trouble, "what it is");
    asks(90000, true);
    tell(91000, of_address(LB_EVENT_LOGIN));
    tell(92000, of_address(LB_EVENT_READ));
    CHECK_STR(board.rows[0].trouble, "");
}

static void a_machine_is_found_by_its_name_its_card_or_its_address(void) {
    struct lb_event named = of_address(LB_EVENT_LOGIN);
    begin();
    asks(1000, true);
    tell(2000, of_address(LB_EVENT_FILE));
    CHECK_EQ(board.count, 1);
    named.machine = "anna";
    tell(3000, named);
    CHECK_EQ(board.count, 2);
    CHECK_STR(lb_board_name(&board.rows[0]).s, "52:54:00:12:34:56");
    CHECK_STR(lb_board_name(&board.rows[1]).s, "anna");
    tell(4000, of_address(LB_EVENT_FILE)); /* the one that had the address last */
    CHECK_STR(lb_board_state(&board.rows[1]), "login");
    CHECK_EQ(board.rows[1].heard_ms, 4000);
    CHECK_STR(lb_board_name(&board.rows[1]).s, "anna"); /* it keeps its name */
    CHECK_EQ(board.rows[0].heard_ms, 2000);
}

static void the_row_that_was_idle_for_longest_goes(void) {
    begin();
    for (uint32_t i = 0; i <= LB_BOARD_ROWS; i++) {
        const uint8_t card[6] = {2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        tell(1000 + i, (struct lb_event){.kind = LB_EVENT_ADDRESS, .mac = card});
    }
    CHECK_EQ(board.count, LB_BOARD_ROWS);
    CHECK_STR(lb_board_name(&board.rows[0]).s, "02:00:00:00:04:00");
    CHECK_STR(lb_board_name(&board.rows[1]).s, "02:00:00:00:00:01");
}

static void a_storm_of_other_machines_leaves_those_with_sessions(void) {
    begin();
    for (uint32_t i = 0; i < 3 * LB_BOARD_ROWS; i++) {
        const uint8_t card[6] = {2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};
        tell(1000 + i, (struct lb_event){.kind = LB_EVENT_ADDRESS, .mac = card});
        if (i == 7)
            board.rows[7].sessions = 1;
    }
    CHECK_EQ(board.count, LB_BOARD_ROWS);
    CHECK_STR(lb_board_name(&board.rows[7]).s, "02:00:00:00:00:07");
    const uint8_t last[6] = {2, 0, 0, 0, 0x0b, 0xff}, first[6] = {2, 0, 0, 0, 0, 1};
    tell(9000, (struct lb_event){.kind = LB_EVENT_TROUBLE, .mac = last});
    CHECK_EQ(board.count, LB_BOARD_ROWS);
    size_t known = 0, gone = 0;
    for (size_t i = 0; i < board.count; i++) {
        known += memcmp(board.rows[i].mac, last, 6) == 0 && board.rows[i].trouble[0] != '\0';
        gone += memcmp(board.rows[i].mac, first, 6) == 0;
    }
    CHECK_EQ(known, 1);
    CHECK_EQ(gone, 0);
}

static void only_what_changes_has_a_new_serial(void) {
    begin();
    asks(1000, true);
    refresh(2000);
    uint64_t serial = board.rows[0].serial;
    CHECK_EQ(serial, board.serial);
    refresh(3000);
    CHECK_EQ(board.serial, serial);
    tell(3000, of_address(LB_EVENT_FILE));
    CHECK(board.is_stirred);
    refresh(3100);
    CHECK_EQ(board.rows[0].serial, serial + 1);
}

/* ---- what is shown ---- */

static void what_a_machine_says_of_itself_stays_text(void) {
    begin();
    tell(1000, (struct lb_event){.kind = LB_EVENT_ADDRESS,
                                 .mac = mac,
                                 .host = "<script>alert(\"1\")</script>\n"});
    CHECK_HAS(json(0), "\"host\":\"<script>alert(\\\"1\\\")</script>\\n\"");
    CHECK(strchr(json(0), '\n') == NULL);
}

static void the_longest_row_has_room(void) {
    begin();
    asks(1000, true);
    struct lb_board_row *row = &board.rows[0];
    memset(row->name, 'n', sizeof row->name - 1);
    memset(row->host, '\1', sizeof row->host - 1);
    memset(row->file, '\1', sizeof row->file - 1);
    memset(row->disk, '\1', sizeof row->disk - 1);
    memset(row->trouble, '\1', sizeof row->trouble - 1);
    memset(row->hint, '\1', sizeof row->hint - 1);
    row->bytes_read = row->bytes_written = row->rate_read = row->rate_written = UINT64_MAX;
    row->overlay_bytes = row->overlay_limit = row->boot_ms = row->trouble_ms = UINT64_MAX;
    row->has_overlay = row->is_maintained = true;
    CHECK(json(0)[strlen(json(0)) - 1] == '}');
}

static void a_row_that_is_not_used_is_gone(void) {
    begin();
    CHECK_STR(json(3), "{\"row\":3,\"gone\":true}");
}

static void metrics_have_help_and_type_of_each(void) {
    char room[16384], help[80], type[80];
    struct lb_text text = lb_text(room, sizeof room);
    static const char *const names[] = {"info",
                                        "addresses_total",
                                        "files_total",
                                        "logins_total",
                                        "troubles_total",
                                        "memory_bytes",
                                        "memory_used_bytes",
                                        "memory_waits_total",
                                        "machines",
                                        "read_bytes_total",
                                        "sessions",
                                        "overlay_bytes",
                                        "written_bytes_total",
                                        "boots_total",
                                        "overlay_limit_bytes",
                                        "sanitized_permille",
                                        "trouble_timestamp_seconds"};
    begin();
    lb_budget_init(&target.budget, 256 << 20, 1024);
    lb_budget_room(&target.budget, 4711);
    asks(1000, true);
    refresh(2000);
    lb_metrics_format(&text, &board);
    CHECK_HAS(room, "lunbootd_memory_bytes 268435456\n");
    CHECK_HAS(room, "lunbootd_memory_used_bytes 4711\n");
    CHECK_HAS(room, "lunbootd_memory_waits_total 0\n");
    CHECK(!text.cut);
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        lb_format(help, sizeof help, "# HELP lunbootd_%s ", names[i]);
        lb_format(type, sizeof type, "# TYPE lunbootd_%s ", names[i]);
        CHECK_HAS(room, help);
        CHECK_HAS(room, type);
    }
    CHECK_HAS(room, "lunbootd_machines{stage=\"address\"} 1\n");
    CHECK_HAS(room, "lunbootd_read_bytes_total{machine=\"52:54:00:12:34:56\"} 0\n");
    CHECK_HAS(room, "lunbootd_addresses_total 1\n");
}

static void metrics_of_all_rows_have_room(void) {
    size_t cap = 8192 + LB_BOARD_ROWS * 1024;
    char *room = malloc(cap);
    struct lb_text text = lb_text(room, cap);
    begin();
    board.count = LB_BOARD_ROWS;
    for (size_t i = 0; i < LB_BOARD_ROWS; i++) {
        struct lb_board_row *row = &board.rows[i];
        row->is_used = row->has_overlay = true;
        row->sanitize = LB_SCSI_SANITIZE_GOES_ON;
        row->sanitized = 1000;
        row->overlay_limit = row->overlay_bytes = row->bytes_read = row->trouble_ms = UINT64_MAX;
        memset(row->name, 'n', sizeof row->name - 1);
    }
    lb_metrics_format(&text, &board);
    CHECK(!text.cut);
    free(room);
}

static void a_line_of_the_log_is_for_people_or_json(void) {
    char room[6000];
    struct lb_text text = lb_text(room, sizeof room);
    const struct lb_event event = {
        .kind = LB_EVENT_TROUBLE, .machine = "anna", .mac = mac, .hint = "look at it"};
    lb_server_line(&text, false, 1700000000123, "52:54:00:12:34:56", &event, "says \"no\"");
    CHECK_HAS(room, "  52:54:00:12:34:56  says \"no\"; try: look at it");
    text = lb_text(room, sizeof room);
    lb_server_line(&text, true, 1700000000123, "52:54:00:12:34:56", &event, "says \"no\"");
    CHECK_HAS(room, "{\"time\":\"2023-11-1");
    CHECK_HAS(room, ".123");
    CHECK_HAS(room, "\",\"event\":\"trouble\",\"machine\":\"anna\",\"mac\":\"52:54:00:12:34:56\","
                    "\"text\":\"says \\\"no\\\"\",\"try\":\"look at it\"}");
}

/* ---- tokens ---- */

static const char good[] = "0123456789abcdef";

static bool opens(const char *header, const char *password) {
    struct lb_token token = {""};
    CHECK(lb_token_parse(lb_bytes_of_text(good), &token));
    return lb_token_opens(&token, lb_bytes_of_text(header), password);
}

static void a_token_is_a_line_of_letters(void) {
    struct lb_token token = {""};
    CHECK(!lb_token_parse(lb_bytes_of_text("0123456789abcde"), &token));
    CHECK(!lb_token_parse(lb_bytes_of_text("0123456789 abcdef"), &token));
    CHECK(!lb_token_parse(lb_bytes("0123456789abcdef\0", 17), &token));
    CHECK_STR(token.text, "");
    CHECK(lb_token_parse(lb_bytes_of_text(" 0123456789abcdef\n"), &token));
    CHECK_STR(token.text, good);
}

static void a_token_opens_as_bearer_or_as_password(void) {
    CHECK(opens("Bearer 0123456789abcdef", NULL));
    CHECK(opens("bearer  0123456789abcdef", NULL));
    CHECK(opens("Basic whatever", good));
    CHECK(!opens("Basic whatever", "0123456789abcdeg"));
    CHECK(!opens("Bearer 0123456789abcdefg", NULL));
    CHECK(!opens("Bearer 0123456789abcde", NULL));
    CHECK(!opens("Bearer ", NULL));
    CHECK(!opens("0123456789abcdef", NULL));
    CHECK(!opens("", NULL));
    CHECK(!opens("", ""));
}

static void no_token_opens_nothing(void) {
    const struct lb_token none = {""};
    CHECK(!lb_token_opens(&none, lb_bytes_of_text("Bearer "), NULL));
    CHECK(!lb_token_opens(&none, lb_bytes_of_text(""), ""));
}

static void a_token_is_made_once_and_its_owners_alone(void) {
    char folder[] = "/tmp/lunboot-token-XXXXXX", path[64];
    struct lb_token made = {""}, again = {""};
    struct lb_server_error error = {0}, other = {0};
    struct stat status = {0};
    if (!CHECK(mkdtemp(folder) != NULL))
        return;
    lb_format(path, sizeof path, "%s/page-token", folder);
    CHECK(!lb_token_load(&made, path, false, &other));
    CHECK_HAS(other.what, "cannot be read: No such file");
    CHECK(lb_token_load(&made, path, true, &error));
    CHECK_EQ(strlen(made.text), 64);
    CHECK(stat(path, &status) == 0);
    CHECK_EQ(status.st_mode & 0777, 0600);
    CHECK(lb_token_load(&again, path, true, &error));
    CHECK_STR(again.text, made.text);
    CHECK_STR(error.what, "");
    CHECK(chmod(path, 0644) == 0);
    CHECK(!lb_token_load(&again, path, true, &error));
    CHECK_HAS(error.what, "others can read");
    CHECK_STR(error.hint, "chmod 600");
    CHECK(strstr(error.what, made.text) == NULL);
    unlink(path);
    rmdir(folder);
}

/* ---- the view in a terminal ---- */

static const char *view(unsigned columns, unsigned lines) {
    static char room[4096];
    struct lb_text text = lb_text(room, sizeof room);
    lines = lb_view_lines(&board, columns, lines, &text);
    CHECK(!text.cut);
    for (const char *c = room; *c != '\0'; c++)
        lines -= *c == '\n';
    CHECK_EQ(lines, 0);
    return room;
}

static void the_view_has_a_line_for_each_machine_trouble_first(void) {
    begin();
    CHECK_STR(view(80, 10), "");
    for (unsigned i = 0; i < 3; i++)
        tell(1000, (struct lb_event){.kind = LB_EVENT_ADDRESS,
                                     .machine = i == 0   ? "anna"
                                                : i == 1 ? "bert"
                                                         : "carla",
                                     .is_firmware = i == 1});
    tell(2000,
         (struct lb_event){.kind = LB_EVENT_TROUBLE, .machine = "carla", .hint = "more room"});
    CHECK_STR(view(80, 10), "carla               address    ! what it is; try: more room\n"
                            "bert                address   [#                   ] 5%\n"
                            "anna                address  \n");
    CHECK_STR(view(40, 2), "carla               address    ! what it\n"
                           "and 2 more: lunbootctl list\n");
}

int main(void) {
    TEST(a_boot_goes_through_its_stages);
    TEST(progress_is_measured_by_the_last_boot);
    TEST(a_system_that_asks_again_begins_no_boot);
    TEST(a_machine_without_a_session_is_off);
    TEST(a_boot_that_stalls_is_told);
    TEST(a_system_with_an_address_has_no_trouble);
    TEST(trouble_stays_until_the_next_boot_reads);
    TEST(a_machine_is_found_by_its_name_its_card_or_its_address);
    TEST(the_row_that_was_idle_for_longest_goes);
    TEST(a_storm_of_other_machines_leaves_those_with_sessions);
    TEST(only_what_changes_has_a_new_serial);
    TEST(what_a_machine_says_of_itself_stays_text);
    TEST(the_longest_row_has_room);
    TEST(a_row_that_is_not_used_is_gone);
    TEST(metrics_have_help_and_type_of_each);
    TEST(metrics_of_all_rows_have_room);
    TEST(a_line_of_the_log_is_for_people_or_json);
    TEST(a_token_is_a_line_of_letters);
    TEST(a_token_opens_as_bearer_or_as_password);
    TEST(no_token_opens_nothing);
    TEST(a_token_is_made_once_and_its_owners_alone);
    TEST(the_view_has_a_line_for_each_machine_trouble_first);
    return tap_done();
}
