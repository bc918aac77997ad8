/* Which disk holds what somebody named: words, tables and file systems. */
#include "core/base/text.h"
#include "core/disk/disk_root.h"
#include "tests/tap.h"

#define GUID "8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f8"

static uint8_t disk[512 * 1024];
static struct lb_disk_root root;
static uint32_t block_bytes;
static unsigned reads, fails; /* fails: this read of them does, from 1 */

static void begin(void) {
    memset(disk, 0, sizeof disk);
    block_bytes = 512;
    fails = 0;
}

static bool parse(const char *words) {
    return lb_disk_root_parse(lb_bytes_of_text(words), &root);
}

static bool holds(const char *words) {
    uint64_t lba, blocks = sizeof disk / block_bytes;
    uint32_t count;
    CHECK(parse(words));
    lb_disk_root_begin(&root, blocks, block_bytes);
    for (reads = 0; lb_disk_root_where(&root, &lba, &count);) {
        if (!CHECK(lba < blocks && count <= blocks - lba && count > 0) || !CHECK(reads++ < 500))
            return false;
        lb_disk_root_got(&root, reads == fails ? lb_bytes(NULL, 0)
                                               : lb_bytes(disk + lba * block_bytes,
                                                          (size_t)count * block_bytes));
    }
    return lb_disk_root_holds(&root);
}

static void put(size_t at, const char *hex) {
    struct lb_bytes bytes = tap_hex(hex);
    memcpy(disk + at, bytes.p, bytes.len);
}

static void put_text(size_t at, const char *text) {
    memcpy(disk + at, text, lb_strlen(text));
}

static void put_u32(size_t at, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        disk[at + i] = (uint8_t)(value >> 8 * i);
}

/* An entry of the table in block 2: its number from 0, its first block. */
static void put_gpt(unsigned number, uint32_t lba, const char *name) {
    size_t at = 2 * (size_t)block_bytes + 128 * (size_t)number;
    put_text(block_bytes, "EFI PART");
    put_u32(block_bytes + 72, 2);
    put_u32(block_bytes + 80, 128);
    put_u32(block_bytes + 84, 128);
    put(at, "af3dc60f838472478e793d69d8477de4");
    put(at + 16, "6a1b0c8f 3e2d 504f 8192 a3b4c5d6e7f8"); /* GUID */
    disk[at + 16 + 15] = (uint8_t)(0xf8 + number);
    put_u32(at + 32, lba);
    for (size_t i = 0; name[i] != '\0'; i++)
        disk[at + 56 + 2 * i] = (uint8_t)name[i];
}

static void put_mbr(unsigned number, uint8_t type, uint32_t lba) {
    put(510, "55aa");
    put(440, "cdab3412"); /* 1234abcd */
    disk[446 + 16 * (number - 1) + 4] = type;
    put_u32(446 + 16 * (number - 1) + 8, lba);
}

static void put_ext4(size_t at, const char *label) {
    put(at + 1024 + 56, "53ef");
    put(at + 1024 + 104, "8f0c1b6a2d3e4f508192a3b4c5d6e7f8");
    put_text(at + 1024 + 120, label);
}

/* ---- the words ------------------------------------------------------------------------------ */

static void words_name_a_partition_or_a_file_system(void) {
    static const struct {
        const char *words;
        enum lb_disk_root_kind kind;
        const char *text;
    } rows[] = {
        {"UUID=" GUID, LB_ROOT_UUID, GUID},
        {"UUID=\"" GUID "\"", LB_ROOT_UUID, GUID},
        {"\"LABEL=my disk\"", LB_ROOT_LABEL, "my disk"},
        {"LABEL='my disk'", LB_ROOT_LABEL, "my disk"},
        {"PARTUUID=1234abcd-02", LB_ROOT_PARTUUID, "1234abcd-02"},
        {"PARTUUID=" GUID "/PARTNROFF=1", LB_ROOT_PARTUUID, GUID},
        {"LABEL=a/b", LB_ROOT_LABEL, "a/b"},
        {"PARTLABEL=root", LB_ROOT_PARTLABEL, "root"},
        {"/dev/disk/by-uuid/12AB-34CD", LB_ROOT_UUID, "12AB-34CD"},
        {"/dev/disk/by-partuuid/1234abcd-02", LB_ROOT_PARTUUID, "1234abcd-02"},
        {"/dev/disk/by-label/cloudimg-rootfs", LB_ROOT_LABEL, "cloudimg-rootfs"},
        {"/dev/disk/by-partlabel/root", LB_ROOT_PARTLABEL, "root"},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        CHECK(parse(rows[i].words));
        CHECK_EQ(root.kind, rows[i].kind);
        CHECK_STR(root.text, rows[i].text);
    }
}

static void other_words_name_none(void) {
    static const char *const rows[] = {"",
                                       "/dev/sda2",
                                       "/dev/mapper/vg-root",
                                       "uuid=1234",
                                       "UUID=",
                                       "LABEL=\"\"",
                                       "PARTUUID=/PARTNROFF=1",
                                       "LABELX",
                                       "zfs:pool/root"};
    char longest[8 + LB_DISK_ROOT_TEXT_MAX] = "LABEL=";
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        CHECK(!parse(rows[i]));
        CHECK_EQ(root.kind, LB_ROOT_NONE);
    }
    memset(longest + 6, 'x', LB_DISK_ROOT_TEXT_MAX);
    CHECK(parse(longest));
    longest[6 + LB_DISK_ROOT_TEXT_MAX] = 'x';
    CHECK(!lb_disk_root_parse(lb_bytes(longest, 7 + LB_DISK_ROOT_TEXT_MAX), &root));
}

/* ---- tables --------------------------------------------------------------------------------- */

static void a_partition_of_a_gpt_is_found_by_guid_and_name(void) {
    static const uint32_t sizes[] = {512, 4096};
    for (size_t i = 0; i < LB_COUNT(sizes); i++) {
        begin();
        block_bytes = sizes[i];
        put_mbr(1, 0xee, 1);
        put_gpt(0, 64, "root");
        put_gpt(2, 80, "second one");
        CHECK(holds("PARTUUID=" GUID));
        CHECK(holds("PARTUUID=8F0C1B6A-2D3E-4F50-8192-A3B4C5D6E7F8"));
        CHECK(holds("PARTUUID=8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7fa"));
        CHECK(!holds("PARTUUID=8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f9")); /* entry 1 is not used */
        CHECK(holds("PARTLABEL=root") && holds("PARTLABEL=second one"));
        CHECK(!holds("PARTLABEL=Root") && !holds("PARTLABEL=roo") && !holds("PARTLABEL=root "));
        CHECK(!holds("PARTUUID=1234abcd-01")); /* the protective partition is none */
        CHECK(!holds("UUID=" GUID));
    }
}

static void the_last_entry_of_the_table_counts(void) {
    begin();
    put_gpt(127, 64, "last");
    CHECK(holds("PARTLABEL=last"));
    put_u32(512 + 80, 127);
    CHECK(!holds("PARTLABEL=last"));
}

static void a_name_is_compared_as_utf_8(void) {
    begin();
    put_gpt(0, 64, "r");
    put(2 * 512 + 56, "f600 ac20 0000"); /* o with two dots, and the sign of the euro */
    CHECK(holds("PARTLABEL=\xc3\xb6\xe2\x82\xac"));
    CHECK(!holds("PARTLABEL=\xc3\xb6"));
}

static void a_partition_of_an_mbr_is_found_by_signature_and_number(void) {
    begin();
    put_mbr(1, 0x0c, 64);
    put_mbr(2, 0x83, 96);
    CHECK(holds("PARTUUID=1234abcd-01") && holds("PARTUUID=1234ABCD-02"));
    CHECK(!holds("PARTUUID=1234abcd-03") && !holds("PARTUUID=1234abcd-2"));
    CHECK(!holds("PARTUUID=1234abce-02"));
    disk[510] = 0;
    CHECK(!holds("PARTUUID=1234abcd-02"));
}

static void a_table_that_is_no_table_holds_nothing(void) {
    static const struct {
        size_t at;
        uint32_t value;
    } rows[] = {
        {512 + 84, 64},   {512 + 84, 192},   {512 + 84, 8192},
        {512 + 80, 1025}, {512 + 72, 99999}, {512, 0},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        begin();
        put_gpt(0, 64, "root");
        put_u32(rows[i].at, rows[i].value);
        CHECK(!holds("PARTLABEL=root"));
    }
    begin();
    put_gpt(0, 64, "root");
    put_u32(512 + 76, 1); /* beyond 2^32 blocks */
    CHECK(!holds("PARTLABEL=root"));
}

static void disks_too_small_or_of_odd_blocks_are_not_read(void) {
    static const struct {
        uint64_t blocks;
        uint32_t block_bytes;
        bool is_read;
    } rows[] = {{0, 512, false}, {1, 512, false}, {2, 512, true},   {100, 256, false},
                {100, 0, false}, {2, 4096, true}, {2, 8192, false}, {100, 65536, false}};
    uint64_t lba;
    uint32_t count;
    CHECK(parse("UUID=" GUID));
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        lb_disk_root_begin(&root, rows[i].blocks, rows[i].block_bytes);
        CHECK_EQ(lb_disk_root_where(&root, &lba, &count), rows[i].is_read);
        CHECK(!lb_disk_root_holds(&root));
    }
}

/* ---- file systems --------------------------------------------------------------------------- */

static void file_systems_are_found_by_uuid_and_label(void) {
    for (unsigned table = 0; table < 3; table++) {
        size_t at = table == 0 ? 0 : 64 * 512;
        for (unsigned kind = 0; kind < 3; kind++) {
            begin();
            if (table == 1)
                put_mbr(2, 0x83, 64);
            if (table == 2)
                put_gpt(3, 64, "root");
            if (kind == 0)
                put_ext4(at, "my root");
            if (kind == 1) {
                put_text(at, "XFSB");
                put(at + 32, "8f0c1b6a2d3e4f508192a3b4c5d6e7f8");
                put_text(at + 108, "my root");
            }
            if (kind == 2) {
                put_text(at + 65536 + 64, "_BHRfS_M");
                put(at + 65536 + 32, "8f0c1b6a2d3e4f508192a3b4c5d6e7f8");
                put_text(at + 65536 + 299, "my root");
            }
            CHECK(holds("UUID=" GUID) && holds("LABEL=my root"));
            CHECK(!holds("LABEL=my") && !holds("LABEL=My root"));
            CHECK(!holds("UUID=8f0c1b6a-2d3e-4f50-8192-a3b4c5d6e7f9"));
            CHECK(!holds("PARTLABEL=my root") && !holds("PARTUUID=" GUID));
        }
    }
}

static void a_fat_is_found_by_its_number_and_label(void) {
    static const struct {
        const char *magic;
        size_t magic_at, id_at;
    } rows[] = {{"FAT32   ", 82, 67}, {"FAT16   ", 54, 39}, {"FAT12   ", 54, 39}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        begin();
        put_text(rows[i].magic_at, rows[i].magic);
        put(rows[i].id_at, "cd34ab12");
        put_text(rows[i].id_at + 4, "BOOT       ");
        CHECK(holds("UUID=12AB-34CD") && holds("UUID=12ab-34cd") && holds("LABEL=BOOT"));
        CHECK(!holds("UUID=34CD-12AB") && !holds("LABEL=BOOT ") && !holds("LABEL=boot"));
    }
}

static void labels_that_fill_their_room_end_with_it(void) {
    begin();
    put_ext4(0, "sixteen_letters!");
    put_text(1024 + 136, "/mnt"); /* where it was mounted last */
    CHECK(holds("LABEL=sixteen_letters!"));
    CHECK(!holds("LABEL=sixteen_letters!/mnt"));
}

static void a_block_that_cannot_be_read_holds_nothing_and_the_others_count(void) {
    begin();
    put_gpt(0, 64, "first");
    put_gpt(1, 256, "second");
    put_ext4(256 * 512, "root");
    CHECK(holds("LABEL=root"));
    unsigned needed = reads;
    for (fails = 1; fails <= needed; fails++)
        CHECK_EQ(holds("LABEL=root"), fails > 2 && fails < needed + 0);
}

static void partitions_beyond_the_disk_are_not_read(void) {
    begin();
    put_mbr(1, 0x83, sizeof disk / 512);
    put_mbr(2, 0x83, sizeof disk / 512 - 1);
    put_mbr(3, 0x83, 0xffffffff);
    CHECK(!holds("LABEL=root")); /* holds() judges each read */
    CHECK_EQ(reads, 1 + 2 + 1);  /* the table, the bare disk twice, and the second */
    begin();
    put_gpt(0, 64, "root");
    put_u32(512 + 72, sizeof disk / 512); /* the table itself */
    CHECK(!holds("PARTLABEL=root"));
}

static void of_many_partitions_the_first_are_read(void) {
    begin();
    for (unsigned i = 0; i < 128; i++)
        put_gpt(i, 200 + 5 * i, "p");
    put_ext4((200 + 5 * (LB_DISK_ROOT_PARTS_MAX - 2)) * (size_t)512, "root");
    CHECK(holds("LABEL=root")); /* the bare disk is one of them */
    begin();
    for (unsigned i = 0; i < 128; i++)
        put_gpt(i, 200 + 5 * i, "p");
    put_ext4((200 + 5 * (LB_DISK_ROOT_PARTS_MAX - 1)) * (size_t)512, "root");
    CHECK(!holds("LABEL=root"));
}

/* The read brings the one entry that there is, and not a byte more. */
static void a_table_of_one_large_entry_is_read(void) {
    begin();
    put_gpt(0, 64, "root");
    put_u32(block_bytes + 80, 1);
    put_u32(block_bytes + 84, 512);
    CHECK(holds("PARTLABEL=root"));
    CHECK(!holds("PARTLABEL=other"));
}

int main(void) {
    TEST(words_name_a_partition_or_a_file_system);
    TEST(other_words_name_none);
    TEST(a_partition_of_a_gpt_is_found_by_guid_and_name);
    TEST(the_last_entry_of_the_table_counts);
    TEST(a_name_is_compared_as_utf_8);
    TEST(a_partition_of_an_mbr_is_found_by_signature_and_number);
    TEST(a_table_that_is_no_table_holds_nothing);
    TEST(disks_too_small_or_of_odd_blocks_are_not_read);
    TEST(file_systems_are_found_by_uuid_and_label);
    TEST(a_fat_is_found_by_its_number_and_label);
    TEST(labels_that_fill_their_room_end_with_it);
    TEST(a_block_that_cannot_be_read_holds_nothing_and_the_others_count);
    TEST(partitions_beyond_the_disk_are_not_read);
    TEST(of_many_partitions_the_first_are_read);
    TEST(a_table_of_one_large_entry_is_read);
    return tap_done();
}
