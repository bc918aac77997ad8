/* The search of a target's LUNs for disks, against answers that are not good ones. */
#include "core/disk/disk_luns.h"
#include "core/disk/test_disk.h"

static struct lb_disk_luns luns;

static const struct ending unknown = {.times = ALWAYS, .status = 2, .key = 5, .asc = 0x20};

static void fails(uint8_t op, struct ending ending) {
    ending.op = op;
    disk_fails(ending);
}

/* Until it is over, or for a minute. */
static void search(const char *holds) {
    struct lb_disk_root root = {.kind = LB_ROOT_NONE};
    if (holds[0] != '\0')
        CHECK(lb_disk_root_parse(lb_bytes_of_text(holds), &root));
    peer_connect();
    peer_log_in_with(TEXT(DISK_KEYS));
    memset(&luns, 0, sizeof luns);
    lb_disk_luns_start(&luns, peer.now, &peer.session, d.ready_ms, &root);
    uint64_t end_us = peer.now + 60 * SEC;
    while (!lb_disk_luns_is_over(&luns) && peer.now < end_us) {
        uint64_t until_us = disk_turn_session();
        uint64_t luns_us = lb_disk_luns_poll(&luns, peer.now);
        if (disk_serve() || lb_disk_luns_is_over(&luns))
            continue;
        peer.now = LB_MAX(peer.now + 1, LB_MIN(LB_MIN(until_us, luns_us), end_us));
    }
    CHECK(lb_disk_luns_is_over(&luns));
    CHECK(lb_is_ok(lb_disk_luns_error(&luns)));
}

static void each_lun_of_the_list_is_asked_what_it_is(void) {
    disk_init();
    search("");
    CHECK_EQ(luns.count, 2);
    CHECK_EQ(luns.disk_count, 2);
    CHECK_EQ(luns.disks[1].lun[1], 1);
    CHECK_STR(luns.disks[1].vendor, "Acme");
    CHECK_STR(luns.disks[1].product, "Big Disk");
    CHECK_EQ(luns.holder, 2);
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 2);
}

static void the_list_may_be_as_long_as_there_is_room_for_luns(void) {
    static uint8_t list[8 + 8 * (LB_DISK_LUNS_MAX + 1)];
    disk_init();
    list[2] = (sizeof list - 8) >> 8;
    list[3] = (sizeof list - 8) & 0xff;
    for (uint8_t i = 0; i <= LB_DISK_LUNS_MAX; i++)
        list[8 + i * 8 + 1] = i;
    d.replies[LB_ASK_LUNS] = lb_bytes(list, sizeof list);
    search("");
    CHECK_EQ(luns.count, LB_DISK_LUNS_MAX);
    CHECK_EQ(luns.disk_count, LB_DISK_LUNS_MAX);
    CHECK_EQ(luns.disks[LB_DISK_LUNS_MAX - 1].lun[1], LB_DISK_LUNS_MAX - 1);
}

static void the_list_is_asked_for_as_long_as_there_is_room(void) {
    struct lb_disk_root root = {.kind = LB_ROOT_NONE};
    disk_init();
    peer_connect();
    peer_log_in_with(TEXT(DISK_KEYS));
    lb_disk_luns_start(&luns, peer.now, &peer.session, d.ready_ms, &root);
    (void)disk_turn_session();
    CHECK(peer_take());
    CHECK_EQ(peer.pdu.command.cdb[0], LB_SCSI_REPORT_LUNS);
    CHECK_EQ(peer.pdu.command.cdb[8] << 8 | peer.pdu.command.cdb[9], 16 + 8 * LB_DISK_LUNS_MAX);
    CHECK_EQ(peer.pdu.command.edtl, 16 + 8 * LB_DISK_LUNS_MAX);
}

/* What a target does not know it is not asked again: there is LUN 0 without the list. */
static void a_target_without_the_list_has_lun_0(void) {
    disk_init();
    fails(LB_SCSI_REPORT_LUNS, unknown);
    search("");
    CHECK_EQ(d.count[LB_SCSI_REPORT_LUNS], 1);
    CHECK_EQ(luns.count, 1);
    CHECK_EQ(luns.disk_count, 1);
    CHECK_EQ(luns.disks[0].lun[1], 0);
}

static void a_lun_that_refuses_inquiry_is_no_disk(void) {
    disk_init();
    fails(LB_SCSI_INQUIRY, (struct ending){.times = 1, .status = 2, .key = 5, .asc = 0x25});
    search("");
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 2);
    CHECK_EQ(luns.disk_count, 1);
    CHECK_EQ(luns.disks[0].lun[1], 1);
}

/* A failure of the target (response 1) is none of the unit's, and is not asked again. */
static void a_response_that_is_no_answer_is_taken_as_none(void) {
    disk_init();
    fails(LB_SCSI_INQUIRY, (struct ending){.times = 1, .response = 1});
    search("");
    CHECK_EQ(d.count[LB_SCSI_INQUIRY], 2);
    CHECK_EQ(luns.disk_count, 1);
}

static void ten_unit_attentions_on_a_question_are_borne(void) {
    for (unsigned times = 10; times <= 11; times++) {
        disk_init();
        fails(LB_SCSI_REPORT_LUNS,
              (struct ending){.times = times, .status = 2, .key = 6, .asc = 0x29});
        search("");
        CHECK_EQ(d.count[LB_SCSI_REPORT_LUNS], 11);
        CHECK_EQ(luns.count, times == 10 ? 2 : 1);
    }
}

/* Each question has its retries. */
static void unit_attentions_of_one_lun_are_not_counted_for_the_next(void) {
    disk_init();
    fails(LB_SCSI_REPORT_LUNS, (struct ending){.times = 10, .status = 2, .key = 6, .asc = 0x29});
    fails(LB_SCSI_INQUIRY, (struct ending){.times = 10, .status = 2, .key = 6, .asc = 0x29});
    search("");
    CHECK_EQ(luns.disk_count, 2);
}

static void a_busy_target_is_asked_each_quarter_of_a_second_for_ready_timeout(void) {
    disk_init();
    fails(LB_SCSI_REPORT_LUNS, (struct ending){.times = 4, .status = LB_SCSI_BUSY});
    search("");
    CHECK_EQ(luns.count, 2);
    CHECK_EQ(d.log[4].at - d.log[0].at, SEC);
    disk_init();
    fails(LB_SCSI_REPORT_LUNS, (struct ending){.times = ALWAYS, .status = LB_SCSI_BUSY});
    search("");
    CHECK_EQ(luns.count, 1);
    CHECK_EQ(d.count[LB_SCSI_REPORT_LUNS], 5 * 4 + 2);
}

static void the_shorter_capacity_is_asked_where_the_longer_is_unknown(void) {
    disk_init();
    fails(LB_SCSI_SERVICE_ACTION_IN_16, unknown);
    search("PARTUUID=00000078-01");
    CHECK_EQ(d.count[LB_SCSI_SERVICE_ACTION_IN_16], 2);
    CHECK_EQ(d.count[LB_SCSI_READ_CAPACITY_10], 2);
    CHECK(d.count[LB_SCSI_READ_10] + d.count[LB_SCSI_READ_16] > 0);
    CHECK_EQ(luns.holder, 2);
}

/* Lun 0 is there without a list, and the shorter form has the size. */
static void a_list_without_an_answer_is_done_without(void) {
    disk_init();
    fails(LB_SCSI_REPORT_LUNS, (struct ending){.times = ALWAYS, .is_silent = true});
    uint64_t start = peer.now;
    search("");
    CHECK(peer.now - start < 34 * SEC);
    CHECK_EQ(luns.count, 1);
    CHECK_EQ(luns.disk_count, 1);
    CHECK_EQ(luns.disks[0].lun[1], 0);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

static void a_list_that_is_lost_once_is_asked_for_again(void) {
    disk_init();
    d.is_managed = true;
    fails(LB_SCSI_REPORT_LUNS, (struct ending){.times = 1, .is_silent = true});
    search("");
    CHECK_EQ(luns.disk_count, 2);
}

static void a_longer_size_without_an_answer_is_done_without(void) {
    disk_init();
    fails(LB_SCSI_SERVICE_ACTION_IN_16, (struct ending){.times = ALWAYS, .is_silent = true});
    uint64_t start = peer.now;
    search("PARTUUID=00000078-01");
    CHECK(peer.now - start < 7 * SEC); /* of two disks */
    CHECK_EQ(d.count[LB_SCSI_READ_CAPACITY_10], 2);
    CHECK_EQ(lb_initiator_logins(&peer.session), 1);
}

int main(void) {
    TEST(each_lun_of_the_list_is_asked_what_it_is);
    TEST(the_list_may_be_as_long_as_there_is_room_for_luns);
    TEST(the_list_is_asked_for_as_long_as_there_is_room);
    TEST(a_target_without_the_list_has_lun_0);
    TEST(a_lun_that_refuses_inquiry_is_no_disk);
    TEST(a_response_that_is_no_answer_is_taken_as_none);
    TEST(ten_unit_attentions_on_a_question_are_borne);
    TEST(unit_attentions_of_one_lun_are_not_counted_for_the_next);
    TEST(a_busy_target_is_asked_each_quarter_of_a_second_for_ready_timeout);
    TEST(the_shorter_capacity_is_asked_where_the_longer_is_unknown);
    TEST(a_list_without_an_answer_is_done_without);
    TEST(a_list_that_is_lost_once_is_asked_for_again);
    TEST(a_longer_size_without_an_answer_is_done_without);
    return tap_done();
}
