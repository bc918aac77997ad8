#include "core/iscsi/test_iscsi_pair.h"

static void a_disk_comes_up_and_is_read(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    const struct lb_disk_info *info = lb_disk_info(&pair.disk);
    CHECK_EQ(info->blocks, PAIR_DISK / 512);
    CHECK_EQ(info->block_bytes, 512);
    CHECK_STR(info->vendor, "LUNBOOT");
    CHECK_STR(info->serial, "1");
    CHECK(info->id[0] == 'n');
    CHECK_EQ(info->lun_count, 1);
    CHECK(!info->read_only);
    pair_check_read(0, 1, 1);
    pair_check_read(PAIR_DISK / 512 - 8, 8, 1);
    pair_check_read(0, 2048, 2);
}

static void what_is_written_is_on_the_disk(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 1, 1);
    pair_check_write(100, 8, 32);
    pair_check_write(1000, 2048, 1);
    pair_check_write(8, 5000, 1);
}

static void a_flush_reaches_the_disk_after_the_writes(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_FLUSH}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 8, 4);
    CHECK_EQ(pair_run(ops, 1), 1);
    CHECK(pair.flushes >= 1);
}

int main(void) {
    TEST(a_disk_comes_up_and_is_read);
    TEST(what_is_written_is_on_the_disk);
    TEST(a_flush_reaches_the_disk_after_the_writes);
    return tap_done();
}
