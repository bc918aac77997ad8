/* Overlays and commits: what is read back, the limit, and power cuts. The files are in memory; a
 * cut loses any subset of the sectors that were not flushed. `test_overlay CUTS` runs so many
 * cuts. */
#include "core/base/text.h"
#include "server/atomic.h"
#include "server/blockfile.h"
#include "server/copy.h"
#include "server/live.h"
#include "server/overlay.h"
#include "tests/tap.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR       512
#define DISK_BYTES   (67 * LB_OVERLAY_BLOCK + 1024) /* its last block is cut */
#define SECTORS      (DISK_BYTES / SECTOR)
#define FILE_SECTORS (SECTORS + 8)
#define PENDING_MAX  4096
#define CLEAR        UINT32_MAX /* in the place of a sector */

enum { BASE, DATA, MAP, JOURNAL, IMAGE, LIVE, FILES }; /* IMAGE: the version of a commit */

/* ---- files whose power can be cut ---- */

static struct file {
    uint64_t bytes;
    uint8_t seen[FILE_SECTORS][SECTOR]; /* what a read gives */
    uint8_t safe[FILE_SECTORS][SECTOR]; /* what was synced */
    struct {
        uint32_t sector; /* or CLEAR */
        uint8_t bytes[SECTOR];
    } pending[PENDING_MAX];
    size_t pending_count;
} files[FILES];
static unsigned calls_left; /* until the power is cut; then everything fails */
static int sync_error;

static bool has_power(void) {
    return calls_left > 0 && --calls_left > 0;
}

int lb_blockfile_read(int fd, uint8_t *to, size_t len, uint64_t offset) {
    if (!has_power() || offset + len > files[fd].bytes)
        return EIO;
    memcpy(to, &files[fd].seen[0][0] + offset, len);
    return 0;
}

static void note(struct file *file, uint32_t sector) {
    lb_assert(file->pending_count < PENDING_MAX);
    file->pending[file->pending_count].sector = sector;
    if (sector != CLEAR)
        memcpy(file->pending[file->pending_count].bytes, file->seen[sector], SECTOR);
    file->pending_count++;
}

int lb_blockfile_write(int fd, const uint8_t *from, size_t len, uint64_t offset, bool is_durable) {
    struct file *file = &files[fd];
    lb_assert(fd != BASE && offset + len <= file->bytes && !is_durable);
    /* A write that the cut falls into may have put some of its sectors. */
    bool is_cut = !has_power();
    memcpy(&file->seen[0][0] + offset, from, len);
    for (uint64_t sector = offset / SECTOR; sector * SECTOR < offset + len; sector++)
        note(file, (uint32_t)sector);
    return is_cut ? EIO : 0;
}

int lb_blockfile_sync(int fd) {
    struct file *file = &files[fd];
    if (!has_power())
        return EIO;
    if (sync_error != 0)
        return sync_error;
    memcpy(file->safe, file->seen, sizeof file->safe);
    file->pending_count = 0;
    return 0;
}

int lb_blockfile_clear(int fd, uint64_t bytes) {
    struct file *file = &files[fd];
    bool is_cut = !has_power();
    lb_assert(bytes <= sizeof file->seen);
    file->bytes = bytes;
    memset(file->seen, 0, sizeof file->seen);
    note(file, CLEAR);
    return is_cut ? EIO : 0;
}

int lb_blockfile_punch(int fd, uint64_t len, uint64_t offset) {
    struct file *file = &files[fd];
    lb_assert(fd == DATA && offset + len <= file->bytes);
    bool is_cut = !has_power();
    memset(&file->seen[0][0] + offset, 0, len);
    for (uint64_t sector = offset / SECTOR; sector * SECTOR < offset + len; sector++)
        note(file, (uint32_t)sector);
    return is_cut ? EIO : 0;
}

static int allocate_error;

int lb_blockfile_allocate(int fd, uint64_t len, uint64_t offset) {
    lb_assert(fd == DATA && offset + len <= files[fd].bytes);
    return has_power() ? allocate_error : EIO;
}

static uint64_t rng;
static uint32_t below(uint32_t n) {
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return (uint32_t)((rng >> 16) % n);
}

static void cut_power(struct file *file) {
    unsigned chance = below(4); /* of 3: whether one that was not synced is there */
    for (size_t i = 0; i < file->pending_count; i++) {
        if (below(3) >= chance)
            continue;
        if (file->pending[i].sector == CLEAR)
            memset(file->safe, 0, sizeof file->safe);
        else
            memcpy(file->safe[file->pending[i].sector], file->pending[i].bytes, SECTOR);
    }
    memcpy(file->seen, file->safe, sizeof file->seen);
    file->pending_count = 0;
}

/* ---- the disk ---- */

static struct lb_overlay overlay;
static uint8_t buffer[DISK_BYTES];

/* A sector says who it is, and which write it came from; 0 is the base. */
struct stamp {
    uint32_t sector, number;
};

static void fill(uint8_t *at, uint32_t sector, uint32_t number) {
    struct stamp stamp = {sector, number};
    memset(at, (int)(number * 7 + sector) | 1, SECTOR);
    memcpy(at, &stamp, sizeof stamp);
}

static uint32_t zeroed[SECTORS]; /* the number of the last UNMAP of it; 0: none */

static uint32_t number_of(const uint8_t *at, uint32_t sector) {
    static const uint8_t zeros[SECTOR];
    struct stamp stamp;
    uint8_t want[SECTOR];
    if (zeroed[sector] != 0 && memcmp(at, zeros, SECTOR) == 0)
        return zeroed[sector];
    memcpy(&stamp, at, sizeof stamp);
    fill(want, sector, stamp.number);
    return memcmp(at, want, SECTOR) == 0 ? stamp.number : UINT32_MAX;
}

static char boot[LB_OVERLAY_BOOT]; /* of the computer */

static void load(uint64_t limit) {
    calls_left = UINT32_MAX;
    CHECK_EQ(lb_overlay_load(&overlay, BASE, DATA, MAP, DISK_BYTES, limit), 0);
    CHECK_EQ(lb_live_begin(&overlay, LIVE, boot), 0);
    CHECK_EQ(lb_atomic_recover(&overlay, JOURNAL), 0);
}

static void begin(uint64_t limit) {
    lb_overlay_free(&overlay);
    memset(files, 0, sizeof files);
    memset(zeroed, 0, sizeof zeroed);
    sync_error = allocate_error = 0;
    lb_format(boot, sizeof boot, "boot 1");
    files[BASE].bytes = DISK_BYTES;
    for (uint32_t sector = 0; sector < SECTORS; sector++)
        fill(files[BASE].seen[sector], sector, 0);
    load(limit);
}

static void fill_all(uint32_t sector, uint32_t count, uint32_t number) {
    for (uint32_t i = 0; i < count; i++)
        fill(buffer + i * SECTOR, sector + i, number);
}

static int put_atomic(uint32_t sector, uint32_t count, uint32_t number) {
    fill_all(sector, count, number);
    return lb_atomic_write(&overlay, JOURNAL, buffer, count * SECTOR, (uint64_t)sector * SECTOR);
}

static int put(uint32_t sector, uint32_t count, uint32_t number) {
    fill_all(sector, count, number);
    return lb_overlay_write(&overlay, buffer, count * SECTOR, (uint64_t)sector * SECTOR);
}

static uint32_t get(uint32_t sector) {
    uint8_t at[SECTOR];
    int error = lb_overlay_read(&overlay, at, SECTOR, (uint64_t)sector * SECTOR);
    return error == 0 ? number_of(at, sector) : UINT32_MAX;
}

/* ---- reading back ---- */

static void what_was_never_written_is_the_base(void) {
    begin(0);
    CHECK_EQ(lb_overlay_read(&overlay, buffer, DISK_BYTES, 0), 0);
    for (uint32_t sector = 0; sector < SECTORS; sector++)
        CHECK_EQ(number_of(buffer + sector * SECTOR, sector), 0);
    CHECK_EQ(overlay.here, 0);
}

static void a_part_of_a_block_leaves_the_rest_as_it_was(void) {
    begin(0);
    CHECK_EQ(put(13, 1, 1), 0);
    CHECK_EQ(overlay.here, 1);
    for (uint32_t sector = 8; sector < 16; sector++)
        CHECK_EQ(get(sector), sector == 13);
    CHECK_EQ(put(14, 4, 2), 0); /* the end of one, the beginning of the next */
    CHECK_EQ(overlay.here, 2);
    CHECK_EQ(get(13), 1);
    CHECK_EQ(get(14), 2);
    CHECK_EQ(get(17), 2);
    CHECK_EQ(get(18), 0);
}

static void bytes_need_not_be_whole_sectors(void) {
    begin(0);
    CHECK_EQ(lb_overlay_write(&overlay, (const uint8_t *)"xyz", 3, 5000), 0);
    CHECK_EQ(lb_overlay_read(&overlay, buffer, 8, 4998), 0);
    CHECK_BYTES(lb_bytes(buffer + 2, 3), lb_bytes("xyz", 3));
    CHECK(buffer[1] != 'x' && buffer[5] != 'z');
}

static void the_disks_last_block_may_be_cut(void) {
    begin(0);
    CHECK_EQ(put(SECTORS - 1, 1, 1), 0);
    CHECK_EQ(get(SECTORS - 1), 1);
    CHECK_EQ(get(SECTORS - 2), 0);
    CHECK_EQ(put(SECTORS - 4, 4, 2), 0);
    CHECK_EQ(get(SECTORS - 4), 2);
    CHECK_EQ(get(SECTORS - 1), 2);
}

static void it_is_the_same_after_a_flush_and_a_new_start(void) {
    begin(0);
    put(0, 100, 1);
    put(300, 20, 2);
    uint64_t here = overlay.here;
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    CHECK(!overlay.has_changed);
    lb_overlay_free(&overlay);
    load(0);
    CHECK_EQ(overlay.here, here);
    CHECK_EQ(get(99), 1);
    CHECK_EQ(get(100), 0);
    CHECK_EQ(get(319), 2);
}

static void a_reset_is_the_base_again(void) {
    begin(0);
    put(0, 100, 1);
    lb_overlay_flush(&overlay);
    CHECK_EQ(lb_overlay_reset(&overlay), 0);
    CHECK_EQ(overlay.here, 0);
    CHECK_EQ(get(5), 0);
    lb_overlay_free(&overlay);
    load(0);
    CHECK_EQ(get(5), 0);
}

/* ---- lunbootd is killed ---- */

static void kill_and_load(void) {
    lb_overlay_free(&overlay);
    load(0);
}

static void what_was_answered_outlives_a_kill(void) {
    begin(0);
    put(0, 100, 1);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    put(200, 20, 2);
    zeroed[8] = 3;
    CHECK_EQ(lb_overlay_unmap(&overlay, 8 * SECTOR, 8 * SECTOR), 0);
    uint64_t here = overlay.here;
    kill_and_load();
    CHECK_EQ(overlay.here, here);
    CHECK_EQ(get(219), 2);
    CHECK_EQ(get(8), 3);
    CHECK_EQ(get(99), 1);
    CHECK_EQ(lb_overlay_flush(&overlay), 0); /* also what was written before the kill */
    lb_format(boot, sizeof boot, "boot 2");
    kill_and_load();
    CHECK_EQ(get(219), 2);
    CHECK_EQ(get(8), 3);
}

static void in_another_boot_the_durable_map_counts(void) {
    begin(0);
    put(0, 100, 1);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    put(200, 20, 2);
    lb_format(boot, sizeof boot, "boot 2");
    kill_and_load();
    CHECK_EQ(get(99), 1);
    CHECK_EQ(get(219), 0);
    put(200, 20, 3);
    kill_and_load();
    CHECK_EQ(get(219), 3);
}

static void an_overlay_that_was_made_anew_is_empty(void) {
    begin(0);
    put(0, 100, 1);
    files[MAP].bytes = files[DATA].bytes = 0; /* somebody removed them */
    kill_and_load();
    CHECK_EQ(get(5), 0);
    put(0, 10, 2);
    CHECK_EQ(lb_overlay_reset(&overlay), 0);
    kill_and_load();
    CHECK_EQ(get(5), 0);
    CHECK_EQ(overlay.here, 0);
}

/* At each call of a write, an UNMAP and a reset. */
static void a_kill_at_any_moment_leaves_what_was_answered(void) {
    bool is_over = false;
    for (unsigned calls = 1; !is_over; calls++) {
        begin(0);
        put(0, 40, 1);
        calls_left = calls;
        bool has_written = put(16, 40, 2) == 0;
        zeroed[0] = 3;
        bool has_unmapped = has_written && lb_overlay_unmap(&overlay, 8 * SECTOR, 0) == 0;
        bool has_reset = has_unmapped && lb_overlay_reset(&overlay) == 0;
        is_over = has_reset;
        kill_and_load();
        if (!has_unmapped) {
            CHECK(get(0) == 1 || (has_written && get(0) == 3));
            CHECK(get(39) == 2 || (!has_written && get(39) == 1));
            CHECK(get(55) == 2 || (!has_written && get(55) == 0));
        }
        CHECK(get(60) == 0 && (!has_reset || get(20) == 0));
    }
}

/* ---- UNMAP ---- */

static bool is_zero(uint32_t sector) {
    static const uint8_t zeros[SECTOR];
    uint8_t at[SECTOR];
    return lb_overlay_read(&overlay, at, SECTOR, (uint64_t)sector * SECTOR) == 0 &&
           memcmp(at, zeros, SECTOR) == 0;
}

static int unmap(uint32_t sector, uint32_t count) {
    return lb_overlay_unmap(&overlay, (uint64_t)count * SECTOR, (uint64_t)sector * SECTOR);
}

static void unmapped_blocks_are_zeros_and_count_no_more(void) {
    bool is_unmapped;
    begin(10);
    CHECK_EQ(put(0, 80, 1), 0);
    CHECK_EQ(put(80, 8, 1), ENOSPC);
    CHECK_EQ(unmap(4, 24), 0); /* two whole blocks, and parts of two */
    CHECK_EQ(overlay.here, 8);
    CHECK_EQ(get(3), 1);
    CHECK(is_zero(4) && is_zero(8) && is_zero(27));
    CHECK_EQ(get(28), 1);
    CHECK_EQ(unmap(200, 8), 0); /* of the base */
    CHECK(is_zero(200) && !is_zero(199) && !is_zero(208));
    CHECK_EQ(overlay.here, 8);
    CHECK_EQ(lb_overlay_status(&overlay, 64 * SECTOR, 4 * SECTOR, &is_unmapped), 4 * SECTOR);
    CHECK(!is_unmapped);
    CHECK_EQ(lb_overlay_status(&overlay, 64 * SECTOR, 9 * SECTOR, &is_unmapped), 15 * SECTOR);
    CHECK(is_unmapped);
    CHECK_EQ(lb_overlay_status(&overlay, 3 * SECTOR, 9 * SECTOR, &is_unmapped), 3 * SECTOR);
    CHECK_EQ(put(80, 8, 2), 0);
    CHECK_EQ(put(9, 1, 3), 0); /* a part of an unmapped block: the rest of it stays zeros */
    CHECK(is_zero(8) && is_zero(10));
    CHECK_EQ(get(9), 3);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    lb_overlay_free(&overlay);
    load(10);
    CHECK_EQ(overlay.here, 10);
    CHECK(is_zero(8) && is_zero(16) && is_zero(200));
    CHECK_EQ(get(9), 3);
}

static void their_room_is_given_back_once_the_map_is_durable(void) {
    static const uint8_t zeros[8 * SECTOR];
    begin(0);
    put(0, 16, 1);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    CHECK_EQ(unmap(8, 8), 0);
    CHECK(memcmp(files[DATA].seen[8], zeros, sizeof zeros) != 0);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    CHECK(memcmp(files[DATA].seen[8], zeros, sizeof zeros) == 0);
    CHECK_EQ(get(7), 1);
}

static void exact_zeros_have_no_whole_blocks_border(void) {
    static const uint32_t cases[][2] = {
        {3, 1}, {3, 5},  {3, 6},           {3, 13},          {3, 14},
        {8, 8}, {0, 20}, {SECTORS - 2, 2}, {SECTORS - 1, 1}, {SECTORS - 12, 12}};
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        uint32_t first = cases[i][0], end = first + cases[i][1];
        begin(0);
        CHECK_EQ(unmap(first, cases[i][1]), 0);
        for (uint32_t sector = 0; sector < SECTORS; sector++)
            CHECK_EQ(is_zero(sector), sector >= first && sector < end);
    }
}

/* ---- the limit ---- */

static void at_the_limit_new_blocks_are_refused_and_rewrites_go_on(void) {
    begin(3);
    CHECK_EQ(put(0, 16, 1), 0); /* two blocks */
    CHECK_EQ(put(16, 16, 1), ENOSPC);
    CHECK_EQ(get(16), 0);
    CHECK_EQ(overlay.here, 2);
    CHECK_EQ(put(16, 8, 2), 0);
    CHECK_EQ(overlay.here, 3);
    CHECK_EQ(put(24, 1, 3), ENOSPC);
    CHECK_EQ(put(0, 24, 4), 0);
    CHECK_EQ(get(23), 4);
    CHECK_EQ(put(20, 8, 5), ENOSPC); /* half of it is new: none of it is written */
    CHECK_EQ(get(20), 4);
}

static void a_smaller_limit_than_what_is_there_harms_nothing(void) {
    begin(0);
    put(0, 80, 1);
    lb_overlay_flush(&overlay);
    lb_overlay_free(&overlay);
    load(5);
    CHECK_EQ(overlay.here, 10);
    CHECK_EQ(put(0, 8, 2), 0);
    CHECK_EQ(put(80, 8, 2), ENOSPC);
    CHECK_EQ(get(79), 1);
}

static void a_flush_that_failed_fails_until_the_next_start(void) {
    begin(0);
    put(0, 8, 1);
    sync_error = EIO;
    CHECK_EQ(lb_overlay_flush(&overlay), EIO);
    sync_error = 0;
    CHECK_EQ(lb_overlay_flush(&overlay), EIO);
}

/* ---- atomic writes ---- */

static void an_atomic_write_is_durable_and_leaves_nothing_to_do(void) {
    static const uint8_t nothing[LB_ATOMIC_HEAD];
    begin(0);
    CHECK_EQ(put_atomic(13, 200, 1), 0);
    CHECK(memcmp(files[JOURNAL].safe[0], nothing, sizeof nothing) == 0);
    CHECK_EQ(files[DATA].pending_count + files[MAP].pending_count, 0);
    CHECK_EQ(get(12), 0);
    CHECK_EQ(get(13), 1);
    CHECK_EQ(get(212), 1);
    CHECK_EQ(get(213), 0);
    lb_overlay_free(&overlay);
    load(0);
    CHECK_EQ(get(100), 1);
}

/* At every call, with any of what was not synced lost. */
static void a_cut_atomic_write_is_whole_or_undone(void) {
    unsigned whole = 0, undone = 0;
    for (unsigned call = 1; call < 40; call++) {
        for (unsigned seed = 1; seed < 20; seed++) {
            begin(0);
            rng = seed * UINT64_C(0x9e3779b97f4a7c15) + call;
            CHECK_EQ(put(20, 10, 1), 0);
            CHECK_EQ(lb_overlay_flush(&overlay), 0);
            calls_left = call;
            bool is_done = put_atomic(13, 30, 2) == 0;
            for (int i = DATA; i < FILES; i++)
                cut_power(&files[i]);
            boot[0]++;
            lb_overlay_free(&overlay);
            load(0);
            bool is_there = get(13) == 2;
            CHECK(is_there || !is_done);
            for (uint32_t sector = 13; sector < 43; sector++)
                CHECK_EQ(get(sector), is_there ? 2 : sector >= 20 && sector < 30 ? 1 : 0);
            whole += is_there;
            undone += !is_there;
            /* What is written later is not undone by it. */
            CHECK_EQ(put(13, 1, 3), 0);
            CHECK_EQ(lb_overlay_flush(&overlay), 0);
            lb_overlay_free(&overlay);
            load(0);
            CHECK_EQ(get(13), 3);
        }
    }
    CHECK(whole > 50 && undone > 50);
}

static void an_atomic_write_without_room_changes_nothing(void) {
    begin(3);
    CHECK_EQ(put(0, 16, 1), 0);
    CHECK_EQ(put_atomic(8, 24, 2), ENOSPC);
    CHECK_EQ(get(8), 1);
    allocate_error = ENOSPC; /* of the file system */
    CHECK_EQ(put_atomic(8, 8, 2), ENOSPC);
    CHECK_EQ(get(8), 1);
    allocate_error = 0;
    CHECK_EQ(put_atomic(8, 8, 2), 0);
    CHECK_EQ(get(8), 2);
    sync_error = EIO;
    CHECK_EQ(put_atomic(8, 8, 3), EIO);
    sync_error = 0;
    CHECK_EQ(put_atomic(8, 8, 4), EIO); /* nobody knows what the journal has */
    CHECK_EQ(lb_overlay_flush(&overlay), EIO);
}

/* ---- commits ---- */

static enum { NOT_NAMED, RENAMED, NAMED } image_name; /* RENAMED: the folder is not durable yet */
static bool is_intended;   /* the store has the commit: a new start goes on with it */
static bool base_is_image; /* the machine is over it: what is not durable of it may be lost still */

/* What job.c does, with this file's power. False: there is none any more. */
static bool make_image(void) {
    struct lb_copy_progress progress = {0};
    base_is_image = false;
    if (lb_blockfile_clear(IMAGE, DISK_BYTES) != 0 ||
        lb_blockfile_read(BASE, buffer, DISK_BYTES, 0) != 0 ||
        lb_blockfile_write(IMAGE, buffer, DISK_BYTES, 0, false) != 0 ||
        lb_copy_finish(&overlay, IMAGE, &progress) != 0)
        return false;
    image_name = RENAMED;
    if (!has_power())
        return false;
    image_name = NAMED;
    return has_power();
}

/* The machine begins anew, over the version; only then the store forgets the commit. */
static bool adopt_image(void) {
    memcpy(files[BASE].seen, files[IMAGE].seen, sizeof files[BASE].seen);
    base_is_image = true;
    if (lb_overlay_reset(&overlay) != 0 || !has_power())
        return false;
    is_intended = false;
    image_name = NOT_NAMED;
    return true;
}

/* As lunbootd does at its start. */
static void go_on(void) {
    if (is_intended && (image_name == NAMED || make_image()))
        CHECK(adopt_image());
}

static void a_commit_is_what_the_machine_saw(void) {
    begin(0);
    put(0, 100, 1);
    put(90, 20, 2);
    put(SECTORS - 1, 1, 3);
    CHECK_EQ(lb_overlay_flush(&overlay), 0);
    is_intended = true;
    go_on();
    CHECK_EQ(overlay.here, 0);
    CHECK_EQ(get(89), 1);
    CHECK_EQ(get(90), 2);
    CHECK_EQ(get(109), 2);
    CHECK_EQ(get(110), 0);
    CHECK_EQ(get(SECTORS - 1), 3);
}

/* ---- power cuts ---- */

static uint32_t least[SECTORS];       /* what the last flush has made durable */
static uint32_t in_base[SECTORS];     /* what the base has: 0, or what a commit has put there */
static uint32_t base_zeroed[SECTORS]; /* as zeroed, of what the base has */
static uint32_t oldest, number;       /* numbers up to oldest went with a reset; the last write's */
static bool is_resetting;
static unsigned commit_count, commit_cuts;

static bool is_good(uint32_t sector, uint32_t got) {
    if (got > number)
        return false;
    if (is_resetting)
        return got == in_base[sector] || got >= least[sector];
    return got >= least[sector] && (got == in_base[sector] || got > oldest);
}

/* The base has what is durable. */
static void note_base(void) {
    memcpy(in_base, least, sizeof in_base);
    for (uint32_t i = 0; i < SECTORS; i++)
        base_zeroed[i] = zeroed[i] == least[i] ? zeroed[i] : 0;
}

/* What is flushed is in the version, and nothing else: nobody writes meanwhile. */
static bool commit(void) {
    is_intended = true;
    commit_cuts++;
    if (!make_image() || !adopt_image())
        return false;
    commit_cuts--;
    commit_count++;
    note_base();
    return true;
}

static bool reset(uint32_t newest[SECTORS]) {
    is_resetting = true;
    if (lb_atomic_forget(JOURNAL) != 0 || lb_overlay_reset(&overlay) != 0)
        return false;
    is_resetting = false;
    oldest = number;
    memcpy(newest, in_base, sizeof in_base);
    memcpy(least, in_base, sizeof in_base);
    memcpy(zeroed, base_zeroed, sizeof zeroed);
    return true;
}

static bool flush(const uint32_t newest[SECTORS]) {
    if (lb_overlay_flush(&overlay) != 0)
        return false;
    memcpy(least, newest, sizeof least);
    return true;
}

static bool write_some(uint32_t newest[SECTORS]) {
    uint32_t first = below(SECTORS), longest = below(2) ? 4 : 40, count = 1 + below(longest);
    count = LB_MIN(count, SECTORS - first);
    number++;
    if (put(first, count, number) != 0)
        return false;
    for (uint32_t i = 0; i < count; i++)
        newest[first + i] = number;
    return true;
}

static struct {
    uint32_t first, count, number; /* of the atomic write that was cut; number 0: none was */
} cut_write;
static unsigned cut_whole, cut_undone;

/* It is a flush, too. */
static bool write_atomic(uint32_t newest[SECTORS]) {
    uint32_t first = below(SECTORS), count = 1 + below(24);
    count = LB_MIN(count, SECTORS - first);
    cut_write.number = ++number;
    cut_write.first = first;
    cut_write.count = count;
    if (put_atomic(first, count, number) != 0)
        return false;
    cut_write.number = 0;
    for (uint32_t i = 0; i < count; i++)
        newest[first + i] = number;
    memcpy(least, newest, sizeof least);
    return true;
}

static bool is_whole_or_undone(void) {
    uint32_t found = 0;
    if (cut_write.number == 0)
        return true;
    for (uint32_t i = 0; i < cut_write.count; i++)
        found += get(cut_write.first + i) == cut_write.number;
    cut_write.number = 0;
    cut_whole += found > 0;
    cut_undone += found == 0;
    return found == 0 || found == cut_write.count;
}

static bool unmap_some(uint32_t newest[SECTORS]) {
    uint32_t first = below(SECTORS), count = 8 + 8 * below(4);
    first -= below(4) ? first % 8 : 0;
    count = LB_MIN(count, SECTORS - first);
    number++;
    for (uint32_t i = 0; i < count; i++)
        newest[first + i] = zeroed[first + i] = number;
    return unmap(first, count) == 0;
}

/* Random work until the power is cut. */
static void work(void) {
    uint32_t newest[SECTORS];
    bool has_power_left = true;
    memcpy(newest, least, sizeof newest);
    calls_left = 1 + below(240);
    while (has_power_left) {
        uint32_t what = below(40);
        if (what == 0)
            has_power_left = reset(newest);
        else if (what < 4)
            has_power_left = flush(newest) && commit();
        else if (what < 10)
            has_power_left = flush(newest);
        else if (what < 15)
            has_power_left = unmap_some(newest);
        else if (what < 18)
            has_power_left = write_atomic(newest);
        else
            has_power_left = write_some(newest);
    }
}

static bool check_after_cut(void) {
    if (!CHECK(is_whole_or_undone()))
        return false;
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        uint32_t got = get(sector);
        if (is_resetting && got == zeroed[sector] && got < least[sector] && base_zeroed[sector])
            got = zeroed[sector] = base_zeroed[sector]; /* zeros of the base, which a reset shows */
        if (!is_good(sector, got)) {
            tap_note("sector %u has %u, and %u was flushed (reset at %u)", sector, got,
                     least[sector], oldest);
            return CHECK(false);
        }
        least[sector] = got; /* it came from what is durable */
    }
    return true;
}

/* Everything that was not flushed is lost or not; then lunbootd starts. */
static void start_again(void) {
    bool was_intended = is_intended;
    for (int i = DATA; i < FILES; i++)
        cut_power(&files[i]);
    boot[0]++;
    if (base_is_image)
        memcpy(files[BASE].seen, files[IMAGE].seen, sizeof files[BASE].seen);
    if (image_name == RENAMED)
        image_name = below(2) ? NAMED : NOT_NAMED;
    lb_overlay_free(&overlay);
    load(0);
    go_on();
    if (was_intended)
        note_base();
}

static unsigned cuts = 2000;

static void no_power_cut_loses_what_was_flushed(void) {
    for (unsigned seed = 1; seed <= cuts / 4; seed++) {
        rng = seed * UINT64_C(0x9e3779b97f4a7c15);
        begin(0);
        memset(least, 0, sizeof least);
        memset(in_base, 0, sizeof in_base);
        memset(base_zeroed, 0, sizeof base_zeroed);
        number = oldest = 0;
        is_intended = is_resetting = base_is_image = false;
        image_name = NOT_NAMED;
        for (int i = 0; i < 4; i++) {
            work();
            start_again();
            if (!check_after_cut()) {
                tap_note("seed %u, cut %d", seed, i);
                return;
            }
            is_resetting = false;
        }
    }
    tap_note("%u power cuts, %u of them in a commit; %u commits were whole", cuts / 4 * 4,
             commit_cuts, commit_count);
    tap_note("%u cuts in an atomic write: %u left it whole, %u undone", cut_whole + cut_undone,
             cut_whole, cut_undone);
    CHECK(commit_cuts * 50 > cuts && commit_count * 50 > cuts);
    CHECK(cut_whole * 50 > cuts && cut_undone * 50 > cuts);
}

int main(int argc, char **argv) {
    if (argc > 1)
        cuts = (unsigned)atoi(argv[1]);
    TEST(what_was_never_written_is_the_base);
    TEST(a_part_of_a_block_leaves_the_rest_as_it_was);
    TEST(bytes_need_not_be_whole_sectors);
    TEST(the_disks_last_block_may_be_cut);
    TEST(it_is_the_same_after_a_flush_and_a_new_start);
    TEST(a_reset_is_the_base_again);
    TEST(what_was_answered_outlives_a_kill);
    TEST(in_another_boot_the_durable_map_counts);
    TEST(an_overlay_that_was_made_anew_is_empty);
    TEST(a_kill_at_any_moment_leaves_what_was_answered);
    TEST(unmapped_blocks_are_zeros_and_count_no_more);
    TEST(their_room_is_given_back_once_the_map_is_durable);
    TEST(exact_zeros_have_no_whole_blocks_border);
    TEST(at_the_limit_new_blocks_are_refused_and_rewrites_go_on);
    TEST(a_smaller_limit_than_what_is_there_harms_nothing);
    TEST(a_flush_that_failed_fails_until_the_next_start);
    TEST(an_atomic_write_is_durable_and_leaves_nothing_to_do);
    TEST(a_cut_atomic_write_is_whole_or_undone);
    TEST(an_atomic_write_without_room_changes_nothing);
    TEST(a_commit_is_what_the_machine_saw);
    TEST(no_power_cut_loses_what_was_flushed);
    lb_overlay_free(&overlay);
    return tap_done();
}
