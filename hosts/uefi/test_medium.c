/* What firmware is told of the medium, on Linux. */
#include "hosts/uefi/medium.h"
#include "tests/tap.h"

static struct medium medium;

static void what_a_request_ends_with_has_its_status(void) {
    medium_init(&medium);
    CHECK_EQ(medium_ended(&medium, LB_OK), MEDIUM_OK);
    CHECK_EQ(medium_ended(&medium, LB_E_WRITE_PROTECTED), MEDIUM_PROTECTED);
    CHECK_EQ(medium_ended(&medium, LB_E_NO_MEDIUM), MEDIUM_NONE);
    CHECK_EQ(medium_ended(&medium, LB_E_CONNECTION_LOST), MEDIUM_BROKEN);
    CHECK_EQ(medium_ended(&medium, LB_E_MEDIUM), MEDIUM_BROKEN);
    CHECK_EQ(medium_ended(&medium, LB_E_DISK_CHANGED), MEDIUM_CHANGED);
}

static void a_medium_stays_itself_whatever_fails(void) {
    medium_init(&medium);
    medium_ended(&medium, LB_E_CONNECTION_LOST);
    medium_ended(&medium, LB_E_NO_MEDIUM);
    CHECK_EQ(medium_check(&medium, 1), MEDIUM_OK);
    CHECK_EQ(medium_check_flush(&medium), MEDIUM_OK);
    CHECK_EQ(medium_check(&medium, 2), MEDIUM_CHANGED);
}

static void after_another_disk_appeared_nobody_gets_through(void) {
    medium_init(&medium);
    medium_ended(&medium, LB_E_DISK_CHANGED);
    medium_ended(&medium, LB_E_DISK_CHANGED); /* those that were in flight */
    CHECK(!medium.is_present);
    CHECK_EQ(medium.id, 2);
    CHECK_EQ(medium_check(&medium, 1), MEDIUM_CHANGED);
    CHECK_EQ(medium_check(&medium, 2), MEDIUM_NONE);
    CHECK_EQ(medium_check_flush(&medium), MEDIUM_CHANGED);
}

int main(void) {
    TEST(what_a_request_ends_with_has_its_status);
    TEST(a_medium_stays_itself_whatever_fails);
    TEST(after_another_disk_appeared_nobody_gets_through);
    return tap_done();
}
