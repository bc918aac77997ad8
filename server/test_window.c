/* Disks that are read without a copy: what is shown, and when it is not. */
#include "server/storage.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE  LB_WINDOW_PAGE
#define PAGES 16

static struct lb_server_error error;
static struct lb_storage disk;
static char path[] = "/tmp/lb-test-window-XXXXXX";
static uint8_t room[PAGES * PAGE];

/* A disk of PAGES pages; byte n of it is n / 512. */
static void open_disk(void) {
    strcpy(strchr(path, 0) - 6, "XXXXXX");
    int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = (uint8_t)(i / 512);
    CHECK(fd >= 0 && write(fd, room, sizeof room) == sizeof room);
    close(fd);
    CHECK(lb_storage_open(&disk, path, false, &error));
    CHECK(disk.window != NULL);
}

static void close_disk(void) {
    lb_storage_close(&disk);
    unlink(path);
}

static int ask(struct lb_storage *storage, enum lb_storage_op op, uint64_t offset, uint32_t len) {
    struct lb_storage_ask ask = {.op = op, .offset = offset, .len = len, .memory = room};
    CHECK(lb_storage_submit(storage, &ask));
    return ask.error;
}

/* Whether it is shown; what is shown must be what is read. */
static bool shows(struct lb_storage *storage, uint64_t offset, uint32_t len) {
    const uint8_t *bytes = lb_storage_view(storage, offset, len);
    if (bytes == NULL)
        return false;
    CHECK_EQ(ask(storage, LB_STORAGE_READ, offset, len), 0);
    CHECK(memcmp(bytes, room, len) == 0);
    lb_window_give_back(storage->window);
    return true;
}

static void what_was_read_is_shown(void) {
    open_disk();
    CHECK(!shows(&disk, 0, PAGE));
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, PAGE + 512, 2 * PAGE), 0); /* parts of 1 and 3, and 2 */
    CHECK(shows(&disk, PAGE, 3 * PAGE));
    CHECK(shows(&disk, 3 * PAGE + 1024, 512));
    CHECK(!shows(&disk, PAGE - 512, 1024));
    CHECK(!shows(&disk, 3 * PAGE, PAGE + 512));
    close_disk();
}

static void a_write_is_seen(void) {
    open_disk();
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, 0, PAGE), 0);
    const uint8_t *bytes = lb_storage_view(&disk, 512, 512);
    CHECK(bytes != NULL && bytes[0] == 1);
    memset(room, 99, 512);
    CHECK_EQ(ask(&disk, LB_STORAGE_WRITE, 512, 512), 0);
    CHECK_EQ(bytes[0], 99);
    lb_window_give_back(disk.window);
    close_disk();
}

static void overlays_show_their_base_alone(void) {
    char folder[] = "/tmp/lb-test-window-XXXXXX", name[64];
    struct lb_storage one, two;
    open_disk();
    CHECK(mkdtemp(folder) != NULL);
    snprintf(name, sizeof name, "%s/1", folder);
    CHECK(lb_storage_open_overlay(&one, &disk, name, 0, &error));
    snprintf(name, sizeof name, "%s/2", folder);
    CHECK(lb_storage_open_overlay(&two, &disk, name, 0, &error));
    CHECK_EQ(ask(&one, LB_STORAGE_READ, 0, 4 * PAGE), 0);
    CHECK(shows(&two, 0, 4 * PAGE)); /* what one has read all are shown */
    CHECK_EQ(ask(&one, LB_STORAGE_WRITE, 2 * PAGE, PAGE), 0);
    CHECK(shows(&one, 0, 2 * PAGE));
    CHECK(!shows(&one, 2 * PAGE, 512));
    CHECK(!shows(&one, PAGE, 2 * PAGE));
    CHECK(shows(&two, PAGE, 2 * PAGE));
    CHECK_EQ(ask(&one, LB_STORAGE_UNMAP, 0, PAGE), 0);
    CHECK(!shows(&one, 0, PAGE));
    CHECK_EQ(ask(&one, LB_STORAGE_READ, 4 * PAGE, PAGE), 0);
    lb_storage_close(&one);
    CHECK(shows(&two, 4 * PAGE, PAGE)); /* the base's window is the base's */
    lb_storage_close(&two);
    close_disk();
    snprintf(name, sizeof name, "rm -r %s", folder);
    CHECK(system(name) == 0);
}

/* A version that nobody has any more is closed while its last bytes are on their way. */
static void what_was_taken_outlives_the_disk(void) {
    open_disk();
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, 0, PAGE), 0);
    struct lb_window *window = disk.window;
    const uint8_t *bytes = lb_storage_view(&disk, 512, 512);
    CHECK(lb_storage_view(&disk, 0, 512) != NULL);
    close_disk();
    lb_window_give_back(window);
    CHECK(bytes != NULL && bytes[0] == 1);
    lb_window_give_back(window);
}

/* No signal: the system call fails, the disk is distrusted, and reading it says why. */
static void a_disk_that_was_cut_is_an_error_and_no_crash(void) {
    int ends[2];
    open_disk();
    CHECK(pipe(ends) == 0);
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, 8 * PAGE, PAGE), 0);
    const uint8_t *bytes = lb_storage_view(&disk, 8 * PAGE, PAGE);
    CHECK(bytes != NULL && truncate(path, 4 * (off_t)PAGE) == 0);
    CHECK_EQ(write(ends[1], bytes, PAGE), -1);
    CHECK_EQ(errno, EFAULT);
    lb_window_give_back(disk.window);
    lb_window_distrust(disk.window);
    CHECK(!shows(&disk, 8 * PAGE, PAGE));
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, 8 * PAGE, PAGE), EIO);
    CHECK_EQ(ask(&disk, LB_STORAGE_READ, 0, PAGE), 0);
    CHECK(!shows(&disk, 0, PAGE));
    close(ends[0]);
    close(ends[1]);
    close_disk();
}

int main(void) {
    TEST(what_was_read_is_shown);
    TEST(a_write_is_seen);
    TEST(overlays_show_their_base_alone);
    TEST(what_was_taken_outlives_the_disk);
    TEST(a_disk_that_was_cut_is_an_error_and_no_crash);
    return tap_done();
}
