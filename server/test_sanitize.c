/* SANITIZE of a machine's overlay: passes, limits, restarts, failures. */
#include "server/board.h"
#include "server/metrics.h"
#include "server/sanitize.h"
#include "server/say.h"
#include "server/target.h"
#include "server/view.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DISK = 40 << 20 }; /* several flushes, and not a whole number of pieces */

#define GOOD                                                                                       \
    "# a comment\nfailed = 0\nrestricted = 1\npasses = 3\ninverts = 1\npass = 2\ndone = 4096\n"    \
    "pattern = 0102ff\nend\n"

static struct lb_sanitize_record record;

static bool parse(const char *text) {
    return lb_sanitize_parse(lb_bytes_of_text(text), &record);
}

static void what_is_written_is_read_back(void) {
    char room[LB_SANITIZE_TEXT_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    CHECK(parse(GOOD));
    for (int i = 0; i < 2; i++) {
        CHECK(!record.has_failed && record.is_restricted && record.inverts);
        CHECK_EQ(record.passes, 3);
        CHECK_EQ(record.pass, 2);
        CHECK_EQ(record.done, 4096);
        CHECK_BYTES(lb_bytes(record.pattern, record.pattern_len), tap_hex("0102ff"));
        if (i == 0) {
            lb_sanitize_format(&text, &record);
            CHECK(!text.cut);
            CHECK(parse(room));
        }
    }
    record.pattern_len = LB_SANITIZE_PATTERN_MAX;
    record.done = UINT64_MAX - LB_SANITIZE_PATTERN_MAX + 1;
    text = lb_text(room, sizeof room);
    lb_sanitize_format(&text, &record); /* the longest */
    CHECK(!text.cut && parse(room));
}

static void what_is_not_whole_or_contradicts_itself_is_refused(void) {
    static const char *const wrong[] = {
        "",
        "passes = 1\npattern = 00\n",
        "passes = 1\nend\n",                         /* without a pattern */
        "passes = 0\npattern = 00\nend\n",           /* BLOCK ERASE has none */
        "passes = 32\npattern = 00\nend\n",          /* more than there can be */
        "passes = 2\npass = 2\npattern = 00\nend\n", /* it would be over */
        "passes = 0\npass = 1\nend\n",
        "passes = 1\ndone = 1\npattern = 00\nend\n", /* no whole block */
        "passes = 1\ndone = 256\npattern = 00\nend\n",
        "passes = 1\npattern = 0\nend\n",
        "passes = 1\npattern = zz\nend\n",
        "passes = 1\npattern = 00\nfailed = 2\nend\n",
        "passes = 1\npattern = 00\ncolour = 1\nend\n",
    };
    CHECK(parse("passes = 0\nend\n"));
    CHECK(parse("passes = 31\npass = 30\npattern = 00\nend\n"));
    for (size_t i = 0; i < LB_COUNT(wrong); i++)
        if (!CHECK(!parse(wrong[i])))
            printf("# %s\n", wrong[i]);
    for (size_t len = 0; len < sizeof GOOD - 2; len++) /* a cut file has no `end` */
        CHECK(!lb_sanitize_parse(lb_bytes(GOOD, len), &record));
}

/* ---- a machine ---- */

static struct lb_server_settings settings;
static struct lb_server_store store;
static struct lb_server_machines machines;
static struct lb_server_machine *anna;
static struct lb_server_sanitize *list;
static char folder[] = "/tmp/lb-test-sanitize-XXXXXX";
static uint64_t polls;

static void start(unsigned limit_mib) {
    struct lb_server_error error = {0};
    char text[1000];
    bool is_new;
    list = NULL;
    snprintf(text, sizeof text,
             "interface=lo\ndisk=%s/disk\nwrites=keep\noverlays=%s/overlays\nstate=%s\n"
             "unknown=ignore\n%s%u\n[machine anna]\nmac=02:00:00:00:00:01\n",
             folder, folder, folder, limit_mib > 0 ? "overlay-limit=" : "# ", limit_mib);
    lb_server_settings_init(&settings);
    CHECK(lb_server_settings_read(&settings, lb_bytes_of_text(text), "test", &error));
    CHECK(lb_server_store_open(&store, folder, &error));
    CHECK(lb_server_machines_open(&machines, &settings, &store, &error));
    CHECK_STR(error.what, "");
    lb_server_sanitize_resume(&list, &machines);
    anna = lb_server_machines_named(&machines, lb_bytes_of_text("anna"));
    CHECK(lb_server_machine_enter(&machines, anna, anna->head.generation, &is_new, &error) != NULL);
}

static void begin(unsigned limit_mib) {
    char path[100];
    strcpy(strchr(folder, 0) - 6, "XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/disk", folder);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < DISK / 512; i++) {
        uint8_t block[512];
        memset(block, i | 1, sizeof block);
        CHECK_EQ(fwrite(block, sizeof block, 1, file), 1);
    }
    fclose(file);
    start(limit_mib);
}

static void end(void) {
    char command[100];
    lb_server_machines_close(&machines);
    lb_server_store_close(&store);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_EQ(system(command), 0);
}

/* lunbootd was killed. */
static void restart(void) {
    lb_server_machines_close(&machines);
    lb_server_store_close(&store);
    start(0);
}

static int ask(enum lb_scsi_sanitize_action action, struct lb_bytes pattern_list, bool has_ause) {
    char path[LB_SERVER_PATH_MAX + 64];
    struct lb_target_io io = {
        .kind = LB_IO_SANITIZE,
        .sanitize = action,
        .is_restricted = !has_ause,
        .lun = &anna->unit,
        .buffer = lb_span((uint8_t *)(uintptr_t)pattern_list.p, pattern_list.len),
    };
    lb_server_machine_folder(&machines, anna, path);
    return lb_server_sanitize_begin(&list, anna, path, &io);
}

static bool turn(void) {
    polls++;
    bool has_ended = lb_server_sanitize_poll(&list, lb_server_sanitize_next(list)),
         goes_on = list != NULL;
    CHECK(has_ended != goes_on); /* of the only one */
    return goes_on;
}

static void finish(void) {
    for (polls = 0; turn();)
        CHECK(polls < 10000);
}

static bool has_file(void) {
    char path[100];
    snprintf(path, sizeof path, "%s/overlays/anna/sanitize", folder);
    return access(path, F_OK) == 0;
}

/* Whether each block is this pattern. */
static bool reads(struct lb_bytes pattern) {
    static uint8_t room[1 << 20];
    for (uint64_t at = 0; at < DISK; at += sizeof room) {
        struct lb_storage_ask read = {
            .op = LB_STORAGE_READ, .offset = at, .len = sizeof room, .memory = room};
        CHECK(lb_storage_submit(&anna->overlay, &read) && read.error == 0);
        for (size_t i = 0; i < sizeof room; i++)
            if (room[i] != pattern.p[i % 512 % pattern.len])
                return false;
    }
    return true;
}

static bool is_base(void) {
    uint8_t block[2] = {0};
    struct lb_storage_ask read = {.op = LB_STORAGE_READ, .offset = 5 * 512, .len = 2};
    read.memory = block;
    CHECK(lb_storage_submit(&anna->overlay, &read) && read.error == 0);
    return block[0] == 5;
}

static void overwrite_writes_all_blocks_and_leaves_the_base(void) {
    begin(0);
    CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("82 00 0003 a1b2c3"), false), 0);
    CHECK(has_file());
    CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_GOES_ON);
    for (unsigned i = 0; i < 40; i++)
        CHECK(turn());
    CHECK_EQ(anna->unit.sanitize.progress, 0x8000); /* of two passes */
    CHECK(reads(tap_hex("5e4d3c")));                /* the inverse */
    finish();
    CHECK(reads(tap_hex("a1b2c3")));
    CHECK(!has_file() && anna->sanitize == NULL);
    CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_NONE);
    CHECK_EQ(anna->unit.used_blocks, DISK / 512);
    restart();
    CHECK(reads(tap_hex("a1b2c3")));
    CHECK_EQ(lb_server_machine_reset(&machines, anna, &(struct lb_server_error){0}), true);
    CHECK(is_base());
    end();
}

static void it_goes_on_after_a_restart(void) {
    for (unsigned erases = 0; erases < 2; erases++) {
        begin(0);
        if (erases)
            CHECK_EQ(ask(LB_SCSI_BLOCK_ERASE, lb_bytes(NULL, 0), false), 0);
        else
            CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("03 00 0001 77"), false), 0);
        for (unsigned i = 0; !erases && i < 50; i++)
            CHECK(turn());
        restart();
        CHECK(list != NULL && anna->sanitize == list);
        CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_GOES_ON);
        CHECK(anna->unit.sanitize.is_restricted);
        if (!erases)
            CHECK(anna->unit.sanitize.progress == 0x5555); /* the second of three */
        finish();
        CHECK_EQ(polls, erases ? 1 : 80);
        CHECK(reads(erases ? tap_hex("00") : tap_hex("77")));
        CHECK(!has_file());
        CHECK_EQ(anna->unit.used_blocks, erases ? 0 : DISK / 512);
        end();
    }
}

static void a_limit_is_met_before_anything_changes(void) {
    begin(39);
    CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("01 00 0001 77"), false), ENOSPC);
    CHECK(!has_file() && list == NULL && is_base());
    CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_NONE);
    CHECK_EQ(ask(LB_SCSI_BLOCK_ERASE, lb_bytes(NULL, 0), false), 0); /* it needs none */
    finish();
    CHECK(reads(tap_hex("00")));
    end();
    begin(40);
    CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("01 00 0001 77"), false), 0);
    end();
}

/* The overlay cannot be made durable any more. */
static void a_failure_is_there_after_a_restart(void) {
    for (unsigned has_ause = 0; has_ause < 2; has_ause++) {
        begin(0);
        CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("01 00 0001 77"), has_ause), 0);
        CHECK(turn());
        anna->overlay.overlay.broken = EIO;
        finish();
        for (unsigned i = 0; i < 2; i++) {
            CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_FAILED);
            CHECK(anna->unit.sanitize.is_restricted == !has_ause);
            CHECK(has_file() && list == NULL);
            if (i == 0)
                restart();
        }
        if (has_ause)
            CHECK_EQ(ask(LB_SCSI_EXIT_FAILURE, lb_bytes(NULL, 0), false), 0);
        else
            CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("01 00 0001 77"), false), 0);
        if (!has_ause)
            finish();
        CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_NONE);
        CHECK(!has_file() && reads(tap_hex("77")) == !has_ause);
        end();
    }
}

static void a_file_that_cannot_be_read_is_a_failure(void) {
    char path[100];
    begin(0);
    snprintf(path, sizeof path, "%s/overlays/anna/sanitize", folder);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("passes = 1\n", file) >= 0);
    fclose(file);
    restart();
    CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_FAILED);
    CHECK(anna->unit.sanitize.is_restricted);
    CHECK(lb_server_machine_reset(&machines, anna, &(struct lb_server_error){0}));
    CHECK_EQ(anna->unit.sanitize.state, LB_SCSI_SANITIZE_NONE);
    CHECK(!has_file() && is_base());
    end();
}

static void no_version_is_made_of_a_disk_that_is_sanitized(void) {
    struct lb_server_error error = {0};
    begin(0);
    CHECK(lb_server_machine_freeze(&machines, anna, &error));
    CHECK(lb_server_machine_thaw(&machines, anna, false, &error));
    CHECK_EQ(ask(LB_SCSI_BLOCK_ERASE, lb_bytes(NULL, 0), false), 0);
    CHECK(!lb_server_machine_freeze(&machines, anna, &error));
    CHECK_STR(error.what, "the disk of anna is being sanitized, or could not be");
    end();
}

/* ---- the board ---- */

static struct lb_board board;

/* The row of anna, after a refresh. */
static const struct lb_board_row *shown(uint64_t time_ms) {
    static struct lb_server_target target;
    lb_board_refresh(&board, time_ms, &machines, &target);
    const struct lb_board_row *row = lb_board_find(&board, "anna");
    CHECK(row != NULL);
    return row;
}

static const char *line(char room[2000]) {
    struct lb_text text = lb_text(room, 2000);
    CHECK_EQ(lb_view_lines(&board, 200, 10, &text), 1);
    return room;
}

static const char *metrics(char room[16384]) {
    struct lb_text text = lb_text(room, 16384);
    lb_metrics_format(&text, &board);
    CHECK(!text.cut);
    return room;
}

static void the_board_shows_how_far_it_is(void) {
    char room[16384];
    struct lb_text text = lb_text(room, sizeof room);
    begin(0);
    board = (struct lb_board){0};
    lb_server_say_to(&board, false);
    CHECK_STR(lb_board_state(shown(1000)), "unseen");
    CHECK(!board.is_lively && !board.is_stirred);
    CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("02 00 0001 77"), false), 0);
    CHECK(board.is_stirred); /* though no session is there */
    for (unsigned i = 0; i < 20; i++)
        CHECK(turn());
    CHECK_EQ(lb_board_progress(&board, shown(2000)), 250); /* of two passes */
    CHECK(board.is_lively);
    CHECK_STR(lb_board_state(&board.rows[0]), "sanitizing");
    lb_board_json(&board, 0, &text);
    CHECK_HAS(room, "\"state\":\"sanitizing\"");
    CHECK_HAS(room, "\"progress\":250");
    CHECK_HAS(line(room), "anna                sanitizing [#####               ] 25%");
    CHECK_HAS(metrics(room), "lunbootd_sanitized_permille{machine=\"anna\"} 250\n");
    restart();
    CHECK_EQ(lb_board_progress(&board, shown(3000)), 0); /* what is durable: this pass anew */
    for (unsigned i = 0; i < 60; i++)
        CHECK(turn());
    CHECK_EQ(lb_board_progress(&board, shown(4000)), 750);
    finish();
    CHECK(board.is_stirred);
    CHECK_EQ(lb_board_progress(&board, shown(5000)), (uint64_t)-1);
    CHECK_STR(lb_board_state(&board.rows[0]), "unseen");
    CHECK(!board.is_lively);
    CHECK(strstr(metrics(room), "sanitized_permille{") == NULL);
    lb_server_say_to(NULL, false);
    end();
}

static void the_board_shows_that_it_failed(void) {
    char room[2000];
    begin(0);
    board = (struct lb_board){0};
    lb_server_say_to(&board, false);
    CHECK_EQ(ask(LB_SCSI_OVERWRITE, tap_hex("01 00 0001 77"), true), 0);
    CHECK(turn());
    anna->overlay.overlay.broken = EIO;
    finish();
    for (unsigned i = 0; i < 2; i++) { /* also after a restart */
        CHECK_STR(lb_board_state(shown(1000)), "unusable");
        CHECK_EQ(lb_board_progress(&board, &board.rows[0]), (uint64_t)-1);
        CHECK(!board.is_lively);
        CHECK_HAS(line(room), "! its disk could not be sanitized, and cannot be used");
        CHECK_HAS(line(room), "; try: mend the disk of the overlays, and send SANITIZE again");
        if (i > 0)
            break;
        board = (struct lb_board){0};
        restart();
    }
    CHECK_EQ(ask(LB_SCSI_EXIT_FAILURE, lb_bytes(NULL, 0), false), 0);
    CHECK_STR(lb_board_state(shown(2000)), "unseen");
    lb_server_say_to(NULL, false);
    end();
}

int main(void) {
    TEST(what_is_written_is_read_back);
    TEST(what_is_not_whole_or_contradicts_itself_is_refused);
    TEST(overwrite_writes_all_blocks_and_leaves_the_base);
    TEST(it_goes_on_after_a_restart);
    TEST(a_limit_is_met_before_anything_changes);
    TEST(a_failure_is_there_after_a_restart);
    TEST(a_file_that_cannot_be_read_is_a_failure);
    TEST(no_version_is_made_of_a_disk_that_is_sanitized);
    TEST(the_board_shows_how_far_it_is);
    TEST(the_board_shows_that_it_failed);
    return tap_done();
}
