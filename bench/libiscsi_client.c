/* The peer: libiscsi's asynchronous reads, depth of them in flight, each straight into a buffer of
 * its own (libiscsi's best way). The loop is the one its manual shows: poll, then iscsi_service. */
#include "bench.h"

#include <errno.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

struct slot {
    struct reader *reader;
    unsigned char *buffer;
};

struct reader {
    struct bench bench;
    struct iscsi_context *iscsi;
    uint32_t block_bytes;
    uint64_t completed; /* since the last pass of the loop */
    bool over;
    struct slot slots[BENCH_DEPTH_MAX];
};

static void submit(struct slot *slot);

static void completed(struct iscsi_context *iscsi, int status, void *command_data, void *private) {
    struct scsi_task *task = command_data;
    struct slot *slot = private;
    if (status != SCSI_STATUS_GOOD)
        bench_die(iscsi_get_error(iscsi));
    scsi_free_scsi_task(task);
    slot->reader->completed++;
    if (!slot->reader->over)
        submit(slot);
}

static void submit(struct slot *slot) {
    struct reader *r = slot->reader;
    uint64_t lba = bench_next_offset(&r->bench) / r->block_bytes;
    struct scsi_task *task = iscsi_read16_task(r->iscsi, r->bench.lun, lba, r->bench.size,
                                               (int)r->block_bytes, 0, 0, 0, 0, 0, completed, slot);
    if (!task || scsi_task_add_data_in_buffer(task, (int)r->bench.size, slot->buffer) < 0)
        bench_die(iscsi_get_error(r->iscsi));
}

static void run(struct reader *r) {
    for (uint32_t i = 0; i < r->bench.depth; i++)
        submit(&r->slots[i]);
    for (;;) {
        struct pollfd pfd = {iscsi_get_fd(r->iscsi), (short)iscsi_which_events(r->iscsi), 0};
        r->bench.waits++;
        if (poll(&pfd, 1, 5000) <= 0)
            bench_die("poll");
        r->completed = 0;
        if (iscsi_service(r->iscsi, pfd.revents) < 0)
            bench_die(iscsi_get_error(r->iscsi));
        if (!bench_completed(&r->bench, r->completed))
            return;
    }
}

static void connect_to_target(struct reader *r) {
    char portal[64];
    snprintf(portal, sizeof portal, "%s:%d", r->bench.host, r->bench.port);
    r->iscsi = iscsi_create_context("iqn.2026-11.test:peer");
    if (!r->iscsi)
        bench_die("iscsi_create_context");
    iscsi_set_targetname(r->iscsi, r->bench.target);
    iscsi_set_session_type(r->iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_header_digest(r->iscsi, ISCSI_HEADER_DIGEST_NONE);
    if (iscsi_full_connect_sync(r->iscsi, portal, r->bench.lun) < 0)
        bench_die(iscsi_get_error(r->iscsi));
}

static uint64_t disk_bytes(struct reader *r) {
    struct scsi_task *task = iscsi_readcapacity16_sync(r->iscsi, r->bench.lun);
    struct scsi_readcapacity16 *capacity =
        task && task->status == SCSI_STATUS_GOOD ? scsi_datain_unmarshall(task) : NULL;
    if (!capacity)
        bench_die("READ CAPACITY");
    r->block_bytes = capacity->block_length;
    uint64_t bytes = (capacity->returned_lba + 1) * capacity->block_length;
    scsi_free_scsi_task(task);
    return bytes;
}

int main(int argc, char **argv) {
    static struct reader r;
    bench_options(&r.bench, argc, argv);
    for (uint32_t i = 0; i < r.bench.depth; i++)
        r.slots[i] = (struct slot){&r, malloc(r.bench.size)};
    errno = 0;
    connect_to_target(&r);
    bench_begin(&r.bench, disk_bytes(&r));
    run(&r);
    bench_print(&r.bench, "libiscsi");
    return 0;
}
