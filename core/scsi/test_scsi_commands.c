/* Commands at the edges of their fields: what each is to do, as a line; and whole replies. */
#include "core/base/text.h"
#include "core/scsi/scsi_device.h"
#include "tests/tap.h"

enum { BLOCKS = 0x1000, TRANSFER_MAX = 64, ATOMIC_MAX = 8 };
enum data { NONE, IN, OUT };
enum { THIN = 1, READ_ONLY = 2, PROTECTED = 4, DURABLE = 8, LARGE = 16, COPY = 32 };

struct row {
    const char *cdb;
    enum data data;
    uint32_t expected;
    const char *is;
};

static struct lb_scsi_unit unit, *const units[1] = {&unit};
static struct lb_scsi_nexus nexus;
static struct lb_scsi_port port;

static struct lb_scsi_device begin(unsigned flags) {
    bool is_large = flags & LARGE;
    unit = (struct lb_scsi_unit){.blocks = BLOCKS,
                                 .block_bytes = is_large ? 4096 : 0,
                                 .is_thin = flags & THIN,
                                 .read_only = flags & READ_ONLY,
                                 .write_protected = flags & PROTECTED,
                                 .no_write_cache = flags & DURABLE,
                                 .can_copy = flags & COPY,
                                 .max_transfer_blocks = TRANSFER_MAX,
                                 .atomic_blocks = ATOMIC_MAX};
    nexus = (struct lb_scsi_nexus){.unit = NULL};
    lb_scsi_nexus_begin(&nexus, &unit, &port, NULL);
    return (struct lb_scsi_device){
        .name = "iqn.2026-11.test:d", .units = units, .nexuses = &nexus, .count = 1};
}

/* "write 10+2 1024 -512 fua": lba+blocks in hex, bytes, what is left over or missing. */
static const char *shown(const struct lb_scsi_command *command) {
    static const char *const kinds[] = {
        [LB_SCSI_KIND_REPLY] = "reply",
        [LB_SCSI_KIND_PARAMETERS] = "parameters",
        [LB_SCSI_KIND_READ] = "read",
        [LB_SCSI_KIND_WRITE] = "write",
        [LB_SCSI_KIND_OR] = "or",
        [LB_SCSI_KIND_COMPARE] = "compare",
        [LB_SCSI_KIND_COMPARE_EACH] = "compare-each",
        [LB_SCSI_KIND_COMPARE_AND_WRITE] = "compare-and-write",
        [LB_SCSI_KIND_WRITE_EACH] = "write-each",
        [LB_SCSI_KIND_STATUS] = "status",
        [LB_SCSI_KIND_FLUSH] = "flush",
    };
    static char line[128];
    struct lb_text text = lb_text(line, sizeof line);
    if (command->has_failed && command->kind != LB_SCSI_KIND_REPLY)
        lb_text_add(&text, "wrong kind: ");
    if (command->has_failed)
        lb_text_add(&text, "%02x %x/%02x/%02x", (unsigned)command->status, (unsigned)command->key,
                    (unsigned)command->asc, (unsigned)command->ascq);
    else
        lb_text_add(&text, "%s %x+%x %u", kinds[command->kind], (unsigned)command->lba,
                    (unsigned)command->blocks, (unsigned)command->total);
    if (command->field != 0)
        lb_text_add(&text, " field %u", (unsigned)command->field);
    if (command->tells_residual || !command->has_failed)
        lb_text_add(&text, "%s%u",
                    command->overflow    ? " +"
                    : command->underflow ? " -"
                                         : " ",
                    (unsigned)command->residual);
    lb_text_add(&text, "%s%s%s", command->force_unit_access && !command->has_failed ? " fua" : "",
                command->is_atomic && !command->has_failed ? " atomic" : "",
                command->unmaps && !command->has_failed ? " unmaps" : "");
    return line;
}

static void expect(unsigned flags, const struct row *row) {
    struct lb_scsi_device device = begin(flags);
    struct lb_bytes cdb = tap_hex(row->cdb);
    struct lb_scsi_command command = {
        .reads = row->data == IN, .writes = row->data == OUT, .expected = row->expected};
    memcpy(command.cdb, cdb.p, cdb.len);
    lb_scsi_device_begin(&device, &command);
    if (!CHECK_STR(shown(&command), row->is))
        tap_note("of %s", row->cdb);
}

static void expect_all(unsigned flags, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect(flags, &rows[i]);
}

/* ---- rows ---- */

static void reads_of_each_length(void) {
    static const struct row rows[] = {
        {"08 1fffff 01 00", IN, 512, "02 5/21/00"},
        {"08 000ffe 02 00", IN, 1024, "read ffe+2 1024 0"},
        {"08 000fff 02 00", IN, 1024, "02 5/21/00"},
        {"28 00 00000ffe 00 0002 00", IN, 1024, "read ffe+2 1024 0"},
        {"28 00 00000ffe 00 0003 00", IN, 1536, "02 5/21/00"},
        {"28 00 00001000 00 0000 00", IN, 0, "read 1000+0 0 0"},
        {"28 00 00001001 00 0000 00", IN, 0, "02 5/21/00"},
        {"28 00 00000000 00 0040 00", IN, 32768, "read 0+40 32768 0"},
        {"28 00 00000000 00 0041 00", IN, 33280, "02 5/24/00"},
        {"28 20 00000000 00 0001 00", IN, 512, "02 5/24/00"},
        {"28 18 00000000 00 0001 00", IN, 512, "read 0+1 512 0"},
        {"28 00 00000000 00 0002 00", IN, 1000, "read 0+2 1000 +24"},
        {"28 00 00000000 00 0002 00", IN, 2000, "read 0+2 1024 -976"},
        {"28 00 00000000 00 0002 00", OUT, 1024, "read 0+2 0 +1024"},
        {"28 00 00000000 00 0002 00", NONE, 0, "read 0+2 0 +1024"},
        {"28 00 01000001 00 0001 00", IN, 512, "02 5/21/00"},
        {"28 00 00000001 ff 0001 00", IN, 512, "read 1+1 512 0"},
        {"a8 00 00000ffe 00000002 00 00", IN, 1024, "read ffe+2 1024 0"},
        {"a8 00 00000ffe 00010002 00 00", IN, 1024, "02 5/21/00"},
        {"a8 e0 00000ffe 00000002 00 00", IN, 1024, "02 5/24/00"},
        {"88 00 0000000000000ffe 00000002 00 00", IN, 1024, "read ffe+2 1024 0"},
        {"88 00 0000000100000ffe 00000002 00 00", IN, 1024, "02 5/21/00"},
        {"88 00 ffffffffffffffff 00000001 00 00", IN, 512, "02 5/21/00"},
        {"88 00 0000000000000001 ffffffff 00 00", IN, 512, "02 5/21/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void writes_of_each_length(void) {
    static const struct row rows[] = {
        {"0a 000010 00 00", OUT, 131072, "02 5/24/00"},
        {"0a 000010 02 00", OUT, 1024, "write 10+2 1024 0"},
        {"2a 00 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0"},
        {"2a 08 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"2a 10 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0"},
        {"2a 20 00000010 00 0002 00", OUT, 1024, "02 5/24/00"},
        {"2a 00 00000010 00 0002 00", OUT, 1023, "write 10+2 512 +1"},
        {"2a 00 00000010 00 0002 00", OUT, 512, "write 10+2 512 +512"},
        {"2a 00 00000010 00 0002 00", OUT, 511, "02 5/0e/03 +513"},
        {"2a 00 00000010 00 0002 00", OUT, 1536, "write 10+2 1024 -512"},
        {"2a 00 00000010 00 0002 00", NONE, 0, "02 5/24/00"},
        {"2a 00 00000010 00 0002 00", IN, 1024, "02 5/24/00"},
        {"2a 00 00000010 00 0000 00", OUT, 512, "write 10+0 0 -512"},
        {"2a 00 00000010 00 0000 00", NONE, 0, "write 10+0 0 0"},
        {"2a 00 00000000 00 0040 00", OUT, 32768, "write 0+40 32768 0"},
        {"2a 00 00000000 00 0041 00", OUT, 33280, "02 5/24/00"},
        {"2a 00 00000fff 00 0002 00", OUT, 1024, "02 5/21/00"},
        {"2e 02 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"2e 00 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"2e 20 00000010 00 0002 00", OUT, 1024, "02 5/24/00"},
        {"aa 00 00000010 00000002 00 00", OUT, 1024, "write 10+2 1024 0"},
        {"ae 00 00000010 00000002 00 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"8a 00 0000000000000010 00000002 00 00", OUT, 1024, "write 10+2 1024 0"},
        {"8a 08 0000000000000010 00000002 00 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"8e 00 0000000000000010 00000002 00 00", OUT, 1024, "write 10+2 1024 0 fua"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void what_cannot_be_written_says_why(void) {
    static const struct row rows[] = {
        {"2a 00 00000010 00 0002 00", OUT, 1024, "02 7/27/00"},
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1024, "02 7/27/00"},
        {"9c 00 0000000000000010 0000 0002 00 00", OUT, 1024, "02 7/27/00"},
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1024, "02 7/27/00"},
        {"41 00 00000010 00 0002 00", OUT, 512, "02 7/27/00"},
        {"93 00 0000000000000010 00000002 00 00", OUT, 512, "02 7/27/00"},
        {"28 00 00000010 00 0002 00", IN, 1024, "read 10+2 1024 0"},
    };
    expect_all(READ_ONLY, rows, LB_COUNT(rows));
}

static void a_protected_disk_says_that_it_is_by_software(void) {
    static const struct row rows[] = {
        {"2a 00 00000010 00 0002 00", OUT, 1024, "02 7/27/02"},
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1024, "02 7/27/02"},
        {"9c 00 0000000000000010 0000 0002 00 00", OUT, 1024, "02 7/27/02"},
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1024, "02 7/27/02"},
        {"41 00 00000010 00 0002 00", OUT, 512, "02 7/27/02"},
        {"93 00 0000000000000010 00000002 00 00", OUT, 512, "02 7/27/02"},
    };
    expect_all(PROTECTED, rows, LB_COUNT(rows));
}

static void without_a_cache_each_write_is_durable(void) {
    static const struct row rows[] = {
        {"2a 00 00000010 00 0002 00", OUT, 1024, "write 10+2 1024 0 fua"},
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1024, "or 10+2 1024 0 fua"},
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1024, "compare-and-write 10+1 1024 0 fua"},
        {"93 00 0000000000000010 00000002 00 00", OUT, 512, "write-each 10+2 512 0 fua"},
        {"41 00 00000010 00 0002 00", OUT, 512, "write-each 10+2 512 0 fua"},
    };
    expect_all(DURABLE, rows, LB_COUNT(rows));
}

static void atomic_writes_are_whole(void) {
    static const struct row rows[] = {
        {"9c 00 0000000000000010 0000 0008 00 00", OUT, 4096, "write 10+8 4096 0 fua atomic"},
        {"9c 00 0000000000000010 0000 0009 00 00", OUT, 4608, "02 5/24/00"},
        {"9c 00 0000000000000010 0001 0002 00 00", OUT, 1024, "02 5/24/00 field 10"},
        {"9c 00 0000000000000010 0100 0002 00 00", OUT, 1024, "02 5/24/00 field 10"},
        {"9c 00 0000000000000010 0000 0002 00 00", OUT, 1023, "02 5/0e/03"},
        {"9c 00 0000000000000010 0000 0002 00 00", OUT, 1025, "write 10+2 1024 -1 fua atomic"},
        {"9c 00 0000000000000010 0000 0000 00 00", NONE, 0, "reply 10+0 0 0"},
        {"9c 00 0000000000000fff 0000 0002 00 00", OUT, 1024, "02 5/21/00"},
        {"9c 20 0000000000000010 0000 0002 00 00", OUT, 1024, "02 5/24/00"},
        {"9c 00 0000000000000010 0000 0002 00 00", IN, 1024, "02 5/24/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void orwrites_are_whole(void) {
    static const struct row rows[] = {
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1024, "or 10+2 1024 0"},
        {"8b 08 0000000000000010 00000002 00 00", OUT, 1024, "or 10+2 1024 0 fua"},
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1023, "02 5/0e/03"},
        {"8b 00 0000000000000010 00000002 00 00", OUT, 1025, "or 10+2 1024 -1"},
        {"8b 00 0000000000000010 00000000 00 00", NONE, 0, "reply 10+0 0 0"},
        {"8b 00 0000000000000000 00000040 00 00", OUT, 32768, "or 0+40 32768 0"},
        {"8b 00 0000000000000000 00000041 00 00", OUT, 33280, "02 5/24/00"},
        {"8b 20 0000000000000010 00000002 00 00", OUT, 1024, "02 5/24/00"},
        {"8b 00 0000000000000fff 00000002 00 00", OUT, 1024, "02 5/21/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void verifications_compare_what_they_say(void) {
    static const struct row rows[] = {
        {"2f 00 00000010 00 0002 00", NONE, 0, "reply 10+2 0 0"},
        {"2f 00 00000ffe 00 0003 00", NONE, 0, "02 5/21/00"},
        {"2f 20 00000010 00 0002 00", NONE, 0, "02 5/24/00"},
        {"2f 02 00000010 00 0002 00", OUT, 1024, "compare 10+2 1024 0"},
        {"2f 02 00000010 00 0002 00", OUT, 1023, "02 5/0e/03"},
        {"2f 02 00000010 00 0002 00", OUT, 1025, "compare 10+2 1024 -1"},
        {"2f 02 00000010 00 0002 00", IN, 1024, "02 5/24/00"},
        {"2f 02 00000010 00 0000 00", NONE, 0, "reply 10+0 0 0"},
        {"2f 04 00000010 00 0002 00", OUT, 1024, "02 5/24/00"},
        {"2f 06 00000010 00 0002 00", OUT, 512, "compare-each 10+2 512 0"},
        {"2f 06 00000010 00 0002 00", OUT, 511, "02 5/0e/03"},
        {"2f 06 00000010 00 0002 00", OUT, 513, "compare-each 10+2 512 -1"},
        {"2f 06 00000010 00 0000 00", NONE, 0, "reply 10+0 0 0"},
        {"2f 12 00000010 00 0002 00", OUT, 1024, "compare 10+2 1024 0"},
        {"af 02 00000010 00000002 00 00", OUT, 1024, "compare 10+2 1024 0"},
        {"8f 02 0000000000000010 00000002 00 00", OUT, 1024, "compare 10+2 1024 0"},
        {"8f 02 0000000000000010 00000080 00 00", OUT, 65536, "compare 10+80 65536 0"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void compare_and_write_has_both_halves(void) {
    static const struct row rows[] = {
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1024, "compare-and-write 10+1 1024 0"},
        {"89 08 0000000000000010 000000 01 00 00", OUT, 1024, "compare-and-write 10+1 1024 0 fua"},
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1023, "02 5/0e/03"},
        {"89 00 0000000000000010 000000 01 00 00", OUT, 1025, "02 5/24/00"},
        {"89 00 0000000000000010 000000 00 00 00", NONE, 0, "reply 10+0 0 0"},
        {"89 00 0000000000000010 000000 40 00 00", OUT, 65536, "compare-and-write 10+40 65536 0"},
        {"89 00 0000000000000010 000000 41 00 00", OUT, 66560, "02 5/24/00"},
        {"89 00 0000000000000fff 000000 01 00 00", OUT, 1024, "compare-and-write fff+1 1024 0"},
        {"89 00 0000000000000fff 000000 02 00 00", OUT, 2048, "02 5/21/00"},
        {"89 20 0000000000000010 000000 01 00 00", OUT, 1024, "02 5/24/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void write_same_has_one_block(void) {
    static const struct row rows[] = {
        {"41 00 00000010 00 0002 00", OUT, 512, "write-each 10+2 512 0"},
        {"41 00 00000010 00 0002 00", OUT, 511, "02 5/0e/03"},
        {"41 00 00000010 00 0002 00", OUT, 513, "02 5/0e/03"},
        {"41 00 00000010 00 0000 00", OUT, 512, "write-each 10+ff0 512 0"},
        {"41 00 00001000 00 0000 00", OUT, 512, "reply 1000+0 512 0"},
        {"41 01 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"41 02 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"41 04 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"41 08 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"41 10 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"41 20 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"93 00 0000000000000010 00000002 00 00", OUT, 512, "write-each 10+2 512 0"},
        {"93 01 0000000000000010 00000002 00 00", NONE, 0, "write-each 10+2 0 0"},
        {"93 01 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 01 0000000000000010 00000002 00 00", OUT, 0, "write-each 10+2 0 0"},
        {"93 01 0000000000000010 00000002 00 00", OUT, 1, "02 5/24/00"},
        {"93 01 0000000000000010 00000002 00 00", IN, 512, "write-each 10+2 0 -512"},
        {"93 02 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 04 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 08 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 10 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 09 0000000000000010 00000002 00 00", NONE, 0, "02 5/24/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void a_thin_disk_may_give_blocks_back(void) {
    static const struct row rows[] = {
        {"41 08 00000010 00 0002 00", OUT, 512, "write-each 10+2 512 0 unmaps"},
        {"41 18 00000010 00 0002 00", OUT, 512, "02 5/24/00"},
        {"93 08 0000000000000010 00000002 00 00", OUT, 512, "write-each 10+2 512 0 unmaps"},
        {"93 09 0000000000000010 00000000 00 00", NONE, 0, "write-each 10+ff0 0 0 unmaps"},
        {"93 18 0000000000000010 00000002 00 00", OUT, 512, "02 5/24/00"},
        {"93 00 0000000000000010 00000002 00 00", OUT, 512, "write-each 10+2 512 0"},
    };
    expect_all(THIN, rows, LB_COUNT(rows));
}

static void a_status_is_of_the_blocks_behind_it(void) {
    static const struct row rows[] = {
        {"9e 12 0000000000000000 00000020 00 00", IN, 32, "status 0+1000 0 0"},
        {"9e 12 0000000000000fff 00000020 00 00", IN, 32, "status fff+1 0 0"},
        {"9e 12 0000000000001000 00000020 00 00", IN, 32, "02 5/21/00"},
        {"9e 12 0000000000000000 00000020 00 00", OUT, 32, "02 5/24/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void a_flush_and_a_prefetch_move_nothing(void) {
    static const struct row rows[] = {
        {"35 00 00000000 00 0000 00", NONE, 0, "flush 0+0 0 0"},
        {"35 00 00000ffe 00 0002 00", NONE, 0, "flush ffe+2 0 0"},
        {"35 00 00000ffe 00 0003 00", NONE, 0, "02 5/21/00"},
        {"35 00 00000000 00 0000 00", IN, 512, "flush 0+0 0 -512"},
        {"35 00 00000000 00 0000 00", OUT, 512, "02 5/24/00"},
        {"91 00 0000000000000ffe 00000002 00 00", NONE, 0, "flush ffe+2 0 0"},
        {"91 00 0000000000000ffe 00000003 00 00", NONE, 0, "02 5/21/00"},
        {"34 00 00000ffe 00 0002 00", NONE, 0, "reply ffe+2 0 0"},
        {"34 00 00000ffe 00 0003 00", NONE, 0, "02 5/21/00"},
        {"34 00 00000ffe 00 0002 00", OUT, 512, "reply ffe+2 0 -512"},
        {"90 00 0000000000000ffe 00000002 00 00", NONE, 0, "reply ffe+2 0 0"},
        {"90 00 0000000000001000 00000001 00 00", NONE, 0, "02 5/21/00"},
    };
    expect_all(0, rows, LB_COUNT(rows));
}

static void blocks_of_4096_bytes(void) {
    static const struct row rows[] = {
        {"28 00 00000ffe 00 0002 00", IN, 8192, "read ffe+2 8192 0"},
        {"2a 00 00000010 00 0002 00", OUT, 8191, "write 10+2 4096 +1"},
        {"41 00 00000010 00 0002 00", OUT, 4096, "write-each 10+2 4096 0"},
        {"41 00 00000010 00 0002 00", OUT, 512, "02 5/0e/03"},
        {"2f 06 00000010 00 0002 00", OUT, 4096, "compare-each 10+2 4096 0"},
        {"89 00 0000000000000010 000000 08 00 00", OUT, 65536, "compare-and-write 10+8 65536 0"},
        {"89 00 0000000000000010 000000 09 00 00", OUT, 73728, "02 5/24/00"},
    };
    expect_all(LARGE, rows, LB_COUNT(rows));
}

/* ---- replies ---- */

struct reply_row {
    const char *cdb;
    unsigned flags;
    const char *is; /* in hex, or how it fails */
};

static const char *replied(const struct reply_row *row) {
    static char line[600];
    static uint8_t reply[LB_SCSI_LONG_REPLY_MAX];
    struct lb_scsi_device device = begin(row->flags);
    struct lb_bytes cdb = tap_hex(row->cdb);
    struct lb_scsi_command command = {.reads = true, .expected = 0xffff};
    struct lb_text text = lb_text(line, sizeof line);
    size_t len = 0;
    memcpy(command.cdb, cdb.p, cdb.len);
    lb_scsi_device_begin(&device, &command);
    if (!command.has_failed)
        len = lb_scsi_device_reply(&device, &command, lb_span(reply, sizeof reply));
    if (command.has_failed) {
        command.kind = LB_SCSI_KIND_REPLY;
        return shown(&command);
    }
    lb_text_hex(&text, lb_bytes(reply, len));
    return line;
}

static const struct reply_row replies[] = {
    {"12 01 00 00ff 00", 0, "0000000700808386b0b1b2"},
    {"12 01 00 00ff 00", COPY, "00000008008083868fb0b1b2"},
    {"12 01 80 00ff 00", 0, "0080001033396438653738343638623632636239"},
    {"12 01 86 00ff 00", 0,
     "0086003c00070100000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"12 01 86 00ff 00", DURABLE,
     "0086003c00070000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"12 01 8f 00ff 00", 0, "02 5/24/00"},
    {"12 01 8f 00ff 00", COPY,
     "008f00580001000807830100840200030004001c000000000010004000000900"
     "000000000000000000000000000000000008000403020ae48001002000000040"
     "00000001010000000900000000000000000000000000000000000000"},
    {"12 01 b0 00ff 00", 0,
     "00b0003c00400001000000400000000000000000000000000000000000000000"
     "0000000000000000000200000000000800000000000000000000000000000000"},
    {"12 01 b0 00ff 00", THIN,
     "00b0003c00400001000000400000000000000000ffffffff000000ff00000001"
     "8000000000000000000200000000000800000000000000000000000000000000"},
    {"12 01 b1 00ff 00", 0,
     "00b1003c00010000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000"},
    {"12 01 b2 00ff 00", 0, "00b2000400000000"},
    {"12 01 b2 00ff 00", THIN, "00b2000400e40200"},
    {"12 01 b3 00ff 00", 0, "02 5/24/00"},
    {"12 00 00 0010 00", 0, "000006125b1000024c554e424f4f5420"},
    {"12 00 00 0010 00", COPY, "000006125b1800024c554e424f4f5420"},
    {"25 00 00000000 0000 00 00", 0, "00000fff00000200"},
    {"25 00 00000001 0000 00 00", 0, "02 5/24/00"},
    {"25 00 00000001 0000 01 00", 0, "00000fff00000200"},
    {"25 00 00000000 0000 00 00", LARGE, "00000fff00001000"},
    {"9e 10 0000000000000000 00000020 00 00", 0,
     "0000000000000fff000002000000000000000000000000000000000000000000"},
    {"9e 10 0000000000000000 00000020 00 00", THIN,
     "0000000000000fff000002000000c00000000000000000000000000000000000"},
    {"37 00 1d 00000000 00ff 00", 0, "001d0000"},
    {"37 00 f8 00000000 00ff 00", 0, "00180000"},
    {"b7 1d 00 00000000 0000ff 00 00", 0, "001d000000000000"},
    {"1a 00 3f 00 ff 00", 0,
     "2f00100008120400000000000000000000000000000000000a0a001000000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 3f 00 ff 00", PROTECTED,
     "2f00900008120400000000000000000000000000000000000a0a001008000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 3f 00 ff 00", READ_ONLY,
     "2f00900008120400000000000000000000000000000000000a0a001000000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 3f 00 ff 00", DURABLE,
     "2f00100008120000000000000000000000000000000000000a0a001000000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 7f 00 ff 00", PROTECTED,
     "2f00900008120400000000000000000000000000000000000a0a000008000000"
     "000000001c0a00000000000000000000"},
    {"1a 00 bf 00 ff 00", PROTECTED,
     "2f00900008120400000000000000000000000000000000000a0a001000000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 8a 00 ff 00", PROTECTED, "0f0090000a0a00100000000000000000"},
    {"1a 00 ff 00 ff 00", 0, "02 5/39/00"},
    {"1a 00 3f ff ff 00", 0,
     "4f00100008120400000000000000000000000000000000000a0a001000000000"
     "000000004a01001c000000000000000000000000000000000000000000000000"
     "000000001c0a08000000000000000000"},
    {"1a 00 3f 01 ff 00", 0, "02 5/24/00"},
    {"1a 00 0a ff ff 00", 0,
     "2f0010000a0a001000000000000000004a01001c000000000000000000000000"
     "00000000000000000000000000000000"},
    {"1a 00 0a 01 ff 00", 0,
     "230010004a01001c000000000000000000000000000000000000000000000000"
     "00000000"},
    {"1a 00 0a 02 ff 00", 0, "02 5/24/00"},
    {"1a 00 00 00 ff 00", 0, "03001000"},
    {"1a 00 01 00 ff 00", 0, "02 5/24/00"},
    {"5a 00 08 00000000 00ff 00", DURABLE,
     "001a0010000000000812000000000000000000000000000000000000"},
    {"a3 0c 01 280000 000000ff 00 00", 0, "0003000a28f8ffffffff00ffff00"},
    {"a3 0c 81 280000 000000ff 00 00", 0, "0083000a28f8ffffffff00ffff00000a00000000001e0000003c"},
    {"a3 0c 02 280000 000000ff 00 00", 0, "02 5/24/00 field 2"},
    {"a3 0c 03 280000 000000ff 00 00", 0, "0003000a28f8ffffffff00ffff00"},
    {"a3 0c 04 280000 000000ff 00 00", 0, "02 5/24/00 field 2"},
    {"a3 0c 02 9e0010 000000ff 00 00", 0, "000300109e100000000000000000ffffffff0000"},
    {"a3 0c 01 9e0010 000000ff 00 00", 0, "02 5/24/00 field 2"},
    {"a3 0c 03 9e0010 000000ff 00 00", 0, "000300109e100000000000000000ffffffff0000"},
    {"a3 0c 03 9e0011 000000ff 00 00", 0, "00010000"},
    {"a3 0c 02 9e0011 000000ff 00 00", 0, "00010000"},
    {"a3 0c 01 d00000 000000ff 00 00", 0, "00010000"},
    {"a3 0a 00 000000 000000ff 00 00", 0, "0000000c000100010000000100000001"},
    {"a3 0a 20 000000 000000ff 00 00", 0, "0000000c000100010000000100000001"},
    {"a3 2a 00 000000 000000ff 00 00", 0, "0000001010000000000100010000000100000001"},
    {"1d 04 00 0000 00", 0, ""},
    {"1d 04 00 0100 00", 0, "02 5/24/00"},
    {"1d 20 00 0000 00", 0, "02 5/24/00"},
    {"4d 00 4c 00 0000 00 00ff 00", THIN,
     "0c000018000103080000000201000000000203080000000001000000"},
};

static void each_reply_is_as_the_standards_have_it(void) {
    for (size_t i = 0; i < LB_COUNT(replies); i++)
        if (!CHECK_STR(replied(&replies[i]), replies[i].is))
            tap_note("of %s", replies[i].cdb);
}

/* More registrants came between the beginning of the command and its answer, for example. */
static void a_long_reply_without_room_is_busy(void) {
    uint8_t room[64];
    for (size_t cap = 4; cap <= sizeof room; cap += 4) {
        struct lb_scsi_device device = begin(0);
        struct lb_scsi_command command = {.reads = true, .expected = 0xffff};
        memcpy(command.cdb, tap_hex("a3 0c 00 000000 0000ffff 0000").p, 12);
        lb_scsi_device_begin(&device, &command);
        CHECK_EQ(command.kind, LB_SCSI_KIND_LONG_REPLY);
        CHECK_EQ(lb_scsi_device_reply(&device, &command, lb_span(room, cap)), 0);
        CHECK(command.has_failed);
        CHECK_EQ(command.status, LB_SCSI_BUSY);
    }
}

/* It was taken out of the target after the command began. */
static void a_unit_that_is_gone_answers_nothing(void) {
    static const char *const cdbs[] = {"00 00 00 00 00 00",
                                       "1a 00 3f 00 ff 00",
                                       "9e 10 0000000000000000 00000020 00 00",
                                       "a3 0a 00 000000 000000ff 00 00",
                                       "15 10 00 00 04 00",
                                       "42 00 00000000 00 0018 00"};
    uint8_t room[LB_SCSI_REPLY_MAX];
    for (size_t i = 0; i < LB_COUNT(cdbs); i++) {
        struct lb_scsi_device device = begin(THIN);
        struct lb_scsi_command command = {.writes = i >= 4, .expected = 0x18};
        memcpy(command.cdb, tap_hex(cdbs[i]).p, tap_hex(cdbs[i]).len);
        lb_scsi_device_begin(&device, &command);
        command.unit = LB_SCSI_NO_UNIT;
        if (i >= 4)
            lb_scsi_device_take(&device, &command, tap_hex("00000000"));
        else
            CHECK_EQ(lb_scsi_device_reply(&device, &command, lb_span(room, sizeof room)), 0);
        command.kind = LB_SCSI_KIND_REPLY;
        CHECK_STR(shown(&command), "02 5/25/00");
    }
}

int main(void) {
    TEST(reads_of_each_length);
    TEST(writes_of_each_length);
    TEST(what_cannot_be_written_says_why);
    TEST(a_protected_disk_says_that_it_is_by_software);
    TEST(without_a_cache_each_write_is_durable);
    TEST(atomic_writes_are_whole);
    TEST(orwrites_are_whole);
    TEST(verifications_compare_what_they_say);
    TEST(compare_and_write_has_both_halves);
    TEST(write_same_has_one_block);
    TEST(a_thin_disk_may_give_blocks_back);
    TEST(a_status_is_of_the_blocks_behind_it);
    TEST(a_flush_and_a_prefetch_move_nothing);
    TEST(blocks_of_4096_bytes);
    TEST(each_reply_is_as_the_standards_have_it);
    TEST(a_long_reply_without_room_is_busy);
    TEST(a_unit_that_is_gone_answers_nothing);
    return tap_done();
}
