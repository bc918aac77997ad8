/* Disks are made here, byte by byte, as the specifications have them. */
#include "core/loader/loader.h"
#include "core/loader/loader_internal.h"
#include "tests/tap.h"

#define DISK_MAX     (UINT32_C(40) << 20)
#define LOADER       "\\EFI\\BOOT\\BOOTX64.EFI"
#define LOADER_BYTES 3000
#define ESP_LBA      64

static uint8_t disk[DISK_MAX];
static uint8_t room[LB_LOADER_ROOM_MIN(65536)];
static uint32_t block_bytes;
static uint64_t blocks;
static struct lb_loader loader;
static unsigned reads;
static bool is_outside;

/* ---- making a disk -------------------------------------------------------------------------- */

static void le(uint64_t offset, uint64_t value, unsigned len) {
    for (unsigned i = 0; i < len; i++)
        disk[offset + i] = (uint8_t)(value >> 8 * i);
}

static void new_disk(uint64_t count, uint32_t bytes) {
    memset(disk, 0, sizeof(disk));
    block_bytes = bytes;
    blocks = count;
}

static void mbr_entry(unsigned number, uint8_t type, uint32_t lba, uint32_t count) {
    uint64_t at = 446 + (number - 1) * 16;
    disk[at + 4] = type;
    le(at + 8, lba, 4);
    le(at + 12, count, 4);
    disk[510] = 0x55;
    disk[511] = 0xaa;
}

static uint64_t entries_lba(uint64_t header_lba) {
    return header_lba == 1 ? 2 : blocks - 1 - (16384 + block_bytes - 1) / block_bytes;
}

/* The header is sealed after its entries have been written. */
static void seal_gpt(uint64_t header_lba) {
    uint64_t at = header_lba * block_bytes;
    uint64_t entries = entries_lba(header_lba) * block_bytes;

    memcpy(disk + at, "EFI PART", 8);
    le(at + 8, 0x10000, 4);
    le(at + 12, 92, 4);
    le(at + 16, 0, 4);
    le(at + 24, header_lba, 8);
    le(at + 32, header_lba == 1 ? blocks - 1 : 1, 8);
    le(at + 72, entries_lba(header_lba), 8);
    le(at + 80, 128, 4);
    le(at + 84, 128, 4);
    le(at + 88, lb_loader_crc32(0, lb_bytes(disk + entries, 16384)), 4);
    le(at + 16, lb_loader_crc32(0, lb_bytes(disk + at, 92)), 4);
}

static void gpt_entry(unsigned number, bool is_esp, uint64_t lba, uint64_t count) {
    static const uint8_t guid[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                     0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    static const char name[] = "EFI \xe9";
    for (unsigned copy = 0; copy < 2; copy++) {
        uint64_t at = entries_lba(copy ? blocks - 1 : 1) * block_bytes + (number - 1) * 128;
        memcpy(disk + at, guid, 16);
        if (!is_esp)
            disk[at]++;
        le(at + 32, lba, 8);
        le(at + 40, lba + count - 1, 8);
        for (unsigned i = 0; i < 5; i++)
            disk[at + 56 + 2 * i] = (uint8_t)name[i];
    }
    mbr_entry(1, 0xee, 1, (uint32_t)blocks - 1);
    seal_gpt(1);
    seal_gpt(blocks - 1);
}

/* A file system with one sector a cluster. */
static struct {
    unsigned bits;
    uint64_t start, table, root, data;
    uint32_t sector;
} fat;

static uint64_t cluster_at(uint32_t cluster) {
    return fat.data + (uint64_t)(cluster - 2) * fat.sector;
}

static void set_link(uint32_t cluster, uint32_t next) {
    if (fat.bits == 12) {
        uint64_t at = fat.table + cluster + cluster / 2;
        uint32_t both = disk[at] | (uint32_t)disk[at + 1] << 8;
        both = cluster % 2 ? (both & 0xf) | next << 4 : (both & 0xf000) | (next & 0xfff);
        le(at, both, 2);
        return;
    }
    le(fat.table + (uint64_t)cluster * fat.bits / 8, next, fat.bits / 8);
}

static void make_fat(unsigned bits, uint64_t lba, uint32_t sector, uint32_t sectors) {
    uint32_t table_sectors = (uint32_t)((uint64_t)sectors * bits / 8 / sector + 1);
    uint32_t root_sectors = bits == 32 ? 0 : 512 * 32 / sector;

    fat.bits = bits;
    fat.sector = sector;
    fat.start = lba * block_bytes;
    fat.table = fat.start + 4 * (uint64_t)sector;
    fat.root = fat.table + (uint64_t)table_sectors * sector;
    fat.data = fat.root + (uint64_t)root_sectors * sector;
    disk[fat.start] = 0xeb;
    le(fat.start + 11, sector, 2);
    disk[fat.start + 13] = 1;
    le(fat.start + 14, 4, 2);
    disk[fat.start + 16] = 1;
    le(fat.start + 17, bits == 32 ? 0 : 512, 2);
    le(fat.start + 32, sectors, 4);
    le(fat.start + (bits == 32 ? 36 : 22), table_sectors, bits == 32 ? 4 : 2);
    le(fat.start + 510, 0xaa55, 2);
    if (bits == 32) {
        le(fat.start + 44, 2, 4);
        fat.root = cluster_at(2);
        set_link(2, 0x0fffffff);
    }
}

static void entry(uint64_t at, const char *name, uint8_t attributes, uint32_t cluster,
                  uint32_t bytes) {
    memcpy(disk + at, name, 11);
    disk[at + 11] = attributes;
    le(at + 20, cluster >> 16, 2);
    le(at + 26, cluster & 0xffff, 2);
    le(at + 28, bytes, 4);
}

/* The loader in clusters 10, 11, 12, ... */
static void put_loader(void) {
    uint32_t count = (LOADER_BYTES + fat.sector - 1) / fat.sector;
    entry(fat.root, "LABEL      ", 0x08, 0, 0);
    entry(fat.root + 32, "EFI        ", 0x10, 3, 0);
    set_link(3, 0x0fffffff);
    entry(cluster_at(3), "BOOT       ", 0x10, 4, 0);
    set_link(4, 0x0fffffff);
    entry(cluster_at(4), "BOOTX64 EFI", 0x20, 10, LOADER_BYTES);
    for (uint32_t i = 0; i < count; i++)
        set_link(10 + i, i + 1 == count ? 0x0fffffff : 11 + i);
}

static void usual_disk(void) {
    new_disk(8192, 512);
    make_fat(16, ESP_LBA, 512, 6000);
    put_loader();
    gpt_entry(1, false, 40, 8);
    gpt_entry(2, true, ESP_LBA, 6000);
}

/* ---- running the machine -------------------------------------------------------------------- */

static bool read_blocks(const struct lb_loader_action *action) {
    uint64_t len = (uint64_t)action->blocks * block_bytes;
    is_outside = is_outside || action->blocks == 0 || action->lba >= blocks ||
                 action->blocks > blocks - action->lba || action->buffer != room ||
                 len > LB_LOADER_ROOM_MIN(block_bytes);
    if (is_outside)
        return false;
    memcpy(room, disk + action->lba * block_bytes, len);
    reads++;
    return true;
}

static enum lb_loader_event go_on(void) {
    for (unsigned turn = 0; turn < 5000; turn++) {
        struct lb_loader_action action = lb_loader_poll(&loader);
        if (action.event != LB_LOADER_READ)
            return action.event;
        if (!read_blocks(&action))
            break;
        lb_loader_input(&loader, NULL);
    }
    CHECK(!is_outside);
    CHECK(false && "the machine does not end");
    return LB_LOADER_READ;
}

static enum lb_loader_event look_for(const char *path) {
    reads = 0;
    is_outside = false;
    lb_loader_init(&loader, blocks, block_bytes, path,
                   lb_span(room, LB_LOADER_ROOM_MIN(block_bytes)));
    return go_on();
}

static void finds_loader_at(uint64_t offset) {
    if (!CHECK_EQ(look_for(LOADER), LB_LOADER_FOUND)) {
        CHECK_STR(loader.error.facts, "");
        return;
    }
    CHECK_EQ(loader.file_bytes, LOADER_BYTES);
    CHECK_EQ(loader.extent_count, 1);
    CHECK_EQ(loader.extents[0].offset, offset);
    CHECK_EQ(loader.extents[0].len, LOADER_BYTES);
}

static void fails_as(enum lb_code code, const char *fact) {
    CHECK_EQ(look_for(LOADER), LB_LOADER_FAILED);
    CHECK_STR(lb_code_word(loader.error.code), lb_code_word(code));
    CHECK_HAS(loader.error.facts, fact);
}

/* ---- tables --------------------------------------------------------------------------------- */

static void crc32_gives_the_check_value_of_its_catalogue(void) {
    CHECK_EQ(lb_loader_crc32(0, lb_bytes("123456789", 9)), 0xcbf43926);
}

static void a_gpt_leads_to_the_loader(void) {
    usual_disk();
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.table, LB_TABLE_GPT);
    CHECK_EQ(loader.partition_count, 2);
    CHECK_EQ(loader.at, 1);
    CHECK_EQ(loader.partitions[1].number, 2);
    CHECK_EQ(loader.partitions[1].lba, ESP_LBA);
    CHECK_EQ(loader.partitions[1].blocks, 6000);
    CHECK_STR(loader.partitions[1].name, "EFI \xc3\xa9");
    CHECK_EQ(loader.fat_bits, 16);
}

static void the_loader_is_found_in_few_reads(void) {
    usual_disk();
    CHECK_EQ(look_for(LOADER), LB_LOADER_FOUND);
    CHECK(reads <= 6); /* table; boot sector; three directories; allocation table */
}

static void blocks_of_4096_bytes_work_too(void) {
    new_disk(8000, 4096);
    make_fat(16, ESP_LBA, 4096, 6000);
    put_loader();
    gpt_entry(1, true, ESP_LBA, 6000);
    finds_loader_at(cluster_at(10));
}

static void a_fat_with_smaller_sectors_than_the_disk_works(void) {
    new_disk(2000, 4096);
    make_fat(16, ESP_LBA, 512, 6000);
    put_loader();
    gpt_entry(1, true, ESP_LBA, 1000);
    finds_loader_at(cluster_at(10));
}

static void a_damaged_header_sends_us_to_the_copy_at_the_end(void) {
    usual_disk();
    disk[512 + 40] ^= 1;
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.table, LB_TABLE_GPT_BACKUP);
    CHECK_EQ(loader.partition_count, 2);
}

static void damaged_entries_send_us_to_the_copy_at_the_end(void) {
    usual_disk();
    disk[1024 + 128 + 32] ^= 1;
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.table, LB_TABLE_GPT_BACKUP);
}

static void a_gpt_damaged_in_both_places_is_an_error(void) {
    usual_disk();
    disk[512] = 'X';
    disk[8191 * 512] = 'X';
    fails_as(LB_E_GPT_BROKEN, "8191");
    usual_disk();
    disk[1024 + 32] ^= 1;
    disk[entries_lba(8191) * 512 + 32] ^= 1;
    fails_as(LB_E_GPT_BROKEN, "checksum of its entries");
}

/* fujita/tgt#19, systemd#35258: made on a disk with blocks of one size, served with another. The
 * remedy is not to repair it. */
static void a_table_for_other_blocks_is_told_as_such(void) {
    static const struct {
        uint32_t made, served;
        const char *facts;
    } cases[] = {
        {512, 4096, "for blocks of 512 bytes, the target says 4096"},
        {4096, 512, "for blocks of 4096 bytes, the target says 512"},
        {512, 1024, "for blocks of 512 bytes, the target says 1024"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        new_disk(4096, cases[i].made);
        gpt_entry(1, true, 64, 1024);
        blocks = blocks * cases[i].made / cases[i].served;
        block_bytes = cases[i].served;
        fails_as(LB_E_BLOCK_MISMATCH, cases[i].facts);
    }
}

/* Both headers say this of their entries, and are sealed. */
static void say_in_headers(uint64_t lba, uint32_t count, uint32_t entry_bytes) {
    usual_disk();
    for (unsigned copy = 0; copy < 2; copy++) {
        uint64_t at = (copy ? blocks - 1 : 1) * 512;
        le(at + 72, lba, 8);
        le(at + 80, count, 4);
        le(at + 84, entry_bytes, 4);
        le(at + 16, 0, 4);
        le(at + 16, lb_loader_crc32(0, lb_bytes(disk + at, 92)), 4);
    }
}

static void a_gpt_whose_entries_lie_outside_the_disk_is_damaged(void) {
    static const struct {
        uint64_t lba;
        uint32_t count, entry_bytes;
        const char *facts;
    } cases[] = {
        {UINT64_MAX, 128, 128, "header"},
        {0, 128, 128, "header"},
        {8192, 128, 128, "header"},
        {8192 - 31, 128, 128, "header"}, /* the last block is outside */
        {8192 - 32, 128, 128, "checksum of its entries"},
        {2, 0, 128, "header"},
        {2, LB_LOADER_ENTRIES_MAX + 1, 128, "header"},
        {2, LB_LOADER_ENTRIES_MAX, 128, "checksum of its entries"},
        {2, 128, 120, "header"},
        {2, 128, 132, "header"},
        {2, 8, LB_LOADER_ENTRY_MAX + 8, "header"},
        {2, 8, LB_LOADER_ENTRY_MAX, "checksum of its entries"},
    };
    for (size_t i = 0; i < LB_COUNT(cases); i++) {
        say_in_headers(cases[i].lba, cases[i].count, cases[i].entry_bytes);
        fails_as(LB_E_GPT_BROKEN, cases[i].facts);
        CHECK(!is_outside);
    }
}

static void an_mbr_leads_to_the_loader(void) {
    new_disk(8192, 512);
    make_fat(16, ESP_LBA, 512, 6000);
    put_loader();
    mbr_entry(1, 0x83, 7000, 100);
    mbr_entry(3, 0xef, ESP_LBA, 6000);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.table, LB_TABLE_MBR);
    CHECK_EQ(loader.partitions[loader.at].number, 3);
}

static void a_fat_on_the_bare_disk_leads_to_the_loader(void) {
    new_disk(8192, 512);
    make_fat(16, 0, 512, 6000);
    put_loader();
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.table, LB_TABLE_NONE);
    CHECK_EQ(loader.partitions[0].number, 0);
}

static void a_gpt_without_its_protective_mbr_does_not_count(void) {
    usual_disk();
    disk[446 + 4] = 0x83;
    fails_as(LB_E_NO_ESP, "MBR");
}

static void a_disk_of_zeroes_is_empty(void) {
    new_disk(8192, 512);
    fails_as(LB_E_DISK_EMPTY, "4194304 bytes");
}

static void a_disk_of_one_block_or_none_is_empty(void) {
    new_disk(1, 512);
    fails_as(LB_E_DISK_EMPTY, "512 bytes");
    new_disk(0, 512);
    fails_as(LB_E_DISK_EMPTY, "no blocks");
}

static void a_disk_without_a_system_partition_says_so(void) {
    new_disk(8192, 512);
    gpt_entry(1, false, ESP_LBA, 6000);
    fails_as(LB_E_NO_ESP, "1 partitions");
}

static void partitions_outside_the_disk_do_not_count(void) {
    new_disk(8192, 512);
    gpt_entry(1, true, 8000, 6000);
    fails_as(LB_E_DISK_EMPTY, "");
}

static void more_partitions_than_we_keep_are_counted(void) {
    usual_disk();
    for (unsigned number = 3; number <= 40; number++)
        gpt_entry(number, false, 7000 + number, 1);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.partition_count, LB_LOADER_PARTITIONS_MAX);
    CHECK_EQ(loader.partitions_dropped, 40 - LB_LOADER_PARTITIONS_MAX);
}

static void a_system_partition_behind_many_others_is_found(void) {
    new_disk(8192, 512);
    make_fat(16, ESP_LBA, 512, 6000);
    put_loader();
    for (unsigned number = 1; number <= 40; number++)
        gpt_entry(number, false, 7000 + number, 1);
    gpt_entry(41, true, ESP_LBA, 6000);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.partitions[loader.at].number, 41);
}

static void the_second_system_partition_is_tried_when_the_first_has_no_loader(void) {
    usual_disk();
    make_fat(12, 7000, 512, 100);
    gpt_entry(1, true, 7000, 100);
    finds_loader_at(ESP_LBA * 512 + (4 + 24 + 32 + 8) * 512);
    CHECK_EQ(loader.at, 1);
}

/* Some of the first file's extents were known when its chain ended too early. */
static void a_file_that_broke_off_leaves_nothing_to_the_next_one(void) {
    usual_disk();
    make_fat(12, 7000, 512, 200);
    put_loader();
    set_link(10, 12);
    set_link(12, 0xfff);
    gpt_entry(1, true, 7000, 200);
    finds_loader_at(ESP_LBA * 512 + (4 + 24 + 32 + 8) * 512);
    CHECK_EQ(loader.at, 1);
    CHECK_EQ(loader.extent_count, 1);
}

/* ---- file systems --------------------------------------------------------------------------- */

static void fat12_works(void) {
    new_disk(8192, 512);
    make_fat(12, ESP_LBA, 512, 2000);
    put_loader();
    gpt_entry(1, true, ESP_LBA, 2000);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.fat_bits, 12);
}

/* Fuzzing found it: fields of FAT32 in a file system that is too small for it. */
static void a_root_cluster_of_fat12_does_not_count(void) {
    new_disk(8192, 512);
    make_fat(12, ESP_LBA, 512, 2000);
    put_loader();
    gpt_entry(1, true, ESP_LBA, 2000);
    le(fat.start + 36, disk[fat.start + 22] | (uint64_t)disk[fat.start + 23] << 8, 4);
    le(fat.start + 22, 0, 2); /* the table's size is where FAT32 has it */
    le(fat.start + 44, 0x67676767, 4);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.fat_bits, 12);
}

static void fat32_works(void) {
    new_disk(80000, 512);
    make_fat(32, ESP_LBA, 512, 70000);
    put_loader();
    gpt_entry(1, true, ESP_LBA, 70000);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.fat_bits, 32);
}

static void names_are_compared_without_regard_to_case_and_slash(void) {
    usual_disk();
    CHECK_EQ(look_for("/efi/Boot/bootx64.efi"), LB_LOADER_FOUND);
    CHECK_EQ(look_for("efi\\\\boot\\bootx64.efi"), LB_LOADER_FOUND);
}

static void a_missing_loader_is_named_with_its_partition(void) {
    usual_disk();
    entry(cluster_at(4), "BOOTAA64EFI", 0x20, 10, LOADER_BYTES);
    fails_as(LB_E_NO_LOADER, LOADER " is not on partition 2");
}

static void a_folder_is_not_a_loader_and_a_file_no_folder(void) {
    usual_disk();
    CHECK_EQ(look_for("\\EFI\\BOOT"), LB_LOADER_FAILED);
    CHECK_EQ(loader.error.code, LB_E_NO_LOADER);
    CHECK_EQ(look_for(LOADER "\\X"), LB_LOADER_FAILED);
    CHECK_EQ(loader.error.code, LB_E_NO_LOADER);
}

static void deleted_entries_and_labels_are_passed_over(void) {
    usual_disk();
    entry(cluster_at(4), "BOOTX64 EFI", 0x08, 20, 1);
    entry(cluster_at(4) + 32, "\xe5OOTX64 EFI", 0x20, 20, 1);
    entry(cluster_at(4) + 64, "BOOTX64 EFI", 0x20, 10, LOADER_BYTES);
    finds_loader_at(cluster_at(10));
}

/* The two entries of a name of 17 units. */
static void put_units(uint64_t at, const char *short_name, const uint16_t units[26]) {
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    uint8_t sum = 0;
    for (unsigned i = 0; i < 11; i++)
        sum = (uint8_t)((sum & 1 ? 0x80 : 0) + (sum >> 1) + (uint8_t)short_name[i]);
    for (unsigned part = 0; part < 2; part++) {
        uint64_t here = at + 32 * (1 - part);
        disk[here] = (uint8_t)(part + 1) | (part == 1 ? 0x40 : 0);
        disk[here + 11] = 0x0f;
        disk[here + 13] = sum;
        for (unsigned i = 0; i < 13; i++)
            le(here + places[i], units[13 * part + i], 2);
    }
    entry(at + 64, short_name, 0x20, 10, LOADER_BYTES);
}

/* "shim-loader-é.efi" */
static void put_long_name(uint64_t at, const char *short_name) {
    static const uint16_t units[26] = {
        's', 'h', 'i', 'm', '-', 'l',    'o',    'a',    'd',    'e',    'r',    '-',    0xe9,
        '.', 'e', 'f', 'i', 0,   0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff};
    put_units(at, short_name, units);
}

/* RFC 2781 2.1: U+1F600 is the pair d83d de00. */
static void a_character_beyond_16_bits_is_two_units_of_a_long_name(void) {
    static const uint16_t units[26] = {
        's', 'h', 'i', 'm', '-', 'l',    'o',    'a',    'd',    'e',    'r',    0xd83d, 0xde00,
        '.', 'e', 'f', 'i', 0,   0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff};
    usual_disk();
    put_units(cluster_at(4), "SHIM-L~1EFI", units);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader\xf0\x9f\x98\x80.efi"), LB_LOADER_FOUND);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader\xf0\x9f\x98\x81.efi"), LB_LOADER_FAILED);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader\xf0\x9f\x94\x80.efi"), LB_LOADER_FAILED);
}

static void long_names_are_read(void) {
    usual_disk();
    put_long_name(cluster_at(4), "SHIM-L~1EFI");
    CHECK_EQ(look_for("\\EFI\\BOOT\\Shim-Loader-\xc3\xa9.efi"), LB_LOADER_FOUND);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-l~1.efi"), LB_LOADER_FOUND);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader-\xc3\xa9.ef"), LB_LOADER_FAILED);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader-\xc3\xa9.efix"), LB_LOADER_FAILED);
}

static void a_long_name_that_belongs_to_another_entry_does_not_count(void) {
    usual_disk();
    put_long_name(cluster_at(4), "SHIM-L~1EFI");
    disk[cluster_at(4) + 64] = 'T'; /* the checksum is of another short name now */
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader-\xc3\xa9.efi"), LB_LOADER_FAILED);
}

static void a_folder_goes_on_in_its_next_cluster(void) {
    usual_disk();
    for (unsigned i = 0; i < 15; i++)
        entry(cluster_at(4) + 32 * i, "OTHER   EFI", 0x20, 30, 1);
    put_long_name(cluster_at(4) + 15 * 32, "SHIM-L~1EFI"); /* its second entry is overwritten */
    memcpy(disk + cluster_at(40), disk + cluster_at(5), 64);
    memset(disk + cluster_at(5), 0, 64);
    set_link(4, 40);
    set_link(40, 0xffff);
    CHECK_EQ(look_for("\\EFI\\BOOT\\shim-loader-\xc3\xa9.efi"), LB_LOADER_FOUND);
    CHECK_EQ(loader.extents[0].offset, cluster_at(10));
}

static void a_folder_in_a_circle_ends_in_an_error(void) {
    usual_disk();
    for (unsigned i = 0; i < 16; i++)
        entry(cluster_at(4) + 32 * i, "OTHER   EFI", 0x20, 30, 1);
    set_link(4, 4);
    loader.error = (struct lb_error){0};
    lb_loader_init(&loader, blocks, block_bytes, LOADER,
                   lb_span(room, LB_LOADER_ROOM_MIN(block_bytes)));
    for (unsigned turn = 0; turn < 20000; turn++) {
        struct lb_loader_action action = lb_loader_poll(&loader);
        if (action.event != LB_LOADER_READ)
            break;
        if (!read_blocks(&action))
            break;
        lb_loader_input(&loader, NULL);
    }
    CHECK_EQ(lb_loader_poll(&loader).event, LB_LOADER_FAILED);
    CHECK_STR(lb_code_word(loader.error.code), "esp-broken");
    CHECK_HAS(loader.error.facts, "does not end");
}

static void a_file_in_a_circle_ends_with_its_size(void) {
    usual_disk();
    set_link(11, 10);
    CHECK_EQ(look_for(LOADER), LB_LOADER_FOUND);
    uint64_t sum = 0;
    for (size_t i = 0; i < loader.extent_count; i++)
        sum += loader.extents[i].len;
    CHECK_EQ(sum, LOADER_BYTES);
}

static void a_file_shorter_than_its_size_is_an_error(void) {
    usual_disk();
    set_link(11, 0xffff);
    fails_as(LB_E_ESP_BROKEN, "shorter than its size");
}

/* Else a chain in a circle is walked for as long as 4 GiB take. */
static void a_file_larger_than_its_file_system_is_an_error(void) {
    usual_disk();
    entry(cluster_at(4), "BOOTX64 EFI", 0x20, 10, UINT32_MAX);
    set_link(11, 10);
    fails_as(LB_E_ESP_BROKEN, "larger than its file system");
}

static void a_fragmented_file_comes_in_parts(void) {
    usual_disk();
    uint32_t count = 3 * LB_LOADER_EXTENTS_MAX + 5;
    entry(cluster_at(4), "BOOTX64 EFI", 0x20, 100, count * 512 - 100);
    for (uint32_t i = 0; i < count; i++)
        set_link(100 + 2 * i, i + 1 == count ? 0xffff : 102 + 2 * i);
    CHECK_EQ(look_for(LOADER), LB_LOADER_FOUND);
    uint64_t sum = 0;
    uint32_t seen = 0;
    for (;;) {
        for (size_t i = 0; i < loader.extent_count; i++, seen++) {
            CHECK_EQ(loader.extents[i].offset, cluster_at(100 + 2 * seen));
            sum += loader.extents[i].len;
        }
        if (!loader.more)
            break;
        lb_loader_continue(&loader);
        if (!CHECK_EQ(go_on(), LB_LOADER_FOUND))
            return;
    }
    CHECK_EQ(seen, count);
    CHECK_EQ(sum, count * 512 - 100);
}

static void an_empty_file_has_no_extents(void) {
    usual_disk();
    entry(cluster_at(4), "BOOTX64 EFI", 0x20, 0, 0);
    CHECK_EQ(look_for(LOADER), LB_LOADER_FOUND);
    CHECK_EQ(loader.file_bytes, 0);
    CHECK_EQ(loader.extent_count, 0);
}

static void clusters_outside_the_file_system_are_errors(void) {
    usual_disk();
    entry(cluster_at(4), "BOOTX64 EFI", 0x20, 60000, LOADER_BYTES);
    fails_as(LB_E_ESP_BROKEN, "first cluster");
    usual_disk();
    entry(cluster_at(3), "BOOT       ", 0x10, 1, 0);
    fails_as(LB_E_ESP_BROKEN, "folder's first cluster");
}

static void a_system_partition_without_fat_says_so(void) {
    new_disk(8192, 512);
    gpt_entry(1, true, ESP_LBA, 6000);
    fails_as(LB_E_ESP_BROKEN, "no FAT");
}

static void one_to_four_allocation_tables_are_a_file_system(void) {
    for (unsigned tables = 0; tables < 8; tables++) {
        usual_disk();
        disk[fat.start + 16] = (uint8_t)tables;
        CHECK_EQ(lb_fat_is_boot_sector(lb_bytes(disk + fat.start, 512)),
                 tables >= 1 && tables <= 4);
    }
}

static void a_broken_boot_sector_is_named_by_its_field(void) {
    static const struct {
        uint16_t offset, len;
        uint32_t value;
        const char *fact;
    } rows[] = {
        {0, 1, 0x00, "jump"},
        {11, 2, 0, "bytes per sector"},
        {11, 2, 513, "bytes per sector"},
        {13, 1, 0, "sectors per cluster"},
        {13, 1, 3, "sectors per cluster"},
        {14, 2, 0, "reserved"},
        {16, 1, 0, "number of allocation tables"},
        {16, 1, 5, "number of allocation tables"},
        {32, 4, 0, "number of sectors"},
        {22, 2, 0, "size of the allocation table"},
        {32, 4, UINT32_MAX, "larger than its partition"},
        {32, 4, 30, "no room for data"},
        {17, 2, 0, ""},
    };
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        usual_disk();
        le(fat.start + rows[i].offset, rows[i].value, rows[i].len);
        if (rows[i].fact[0])
            fails_as(LB_E_ESP_BROKEN, rows[i].fact);
        else
            CHECK_EQ(look_for(LOADER), LB_LOADER_FAILED);
    }
}

static void a_read_that_fails_is_how_the_machine_fails(void) {
    struct lb_error error = {0};
    usual_disk();
    lb_loader_init(&loader, blocks, block_bytes, LOADER,
                   lb_span(room, LB_LOADER_ROOM_MIN(block_bytes)));
    CHECK_EQ(lb_loader_poll(&loader).event, LB_LOADER_READ);
    lb_fail(&error, LB_E_MEDIUM, "block 0");
    lb_loader_input(&loader, &error);
    CHECK_EQ(lb_loader_poll(&loader).event, LB_LOADER_FAILED);
    CHECK_EQ(loader.error.code, LB_E_MEDIUM);
}

static void a_disk_of_2_to_the_64_blocks_is_no_overflow(void) {
    usual_disk();
    lb_loader_init(&loader, UINT64_MAX, 65536, LOADER, lb_span(room, sizeof(room)));
    struct lb_loader_action action = lb_loader_poll(&loader);
    CHECK_EQ(action.event, LB_LOADER_READ);
    CHECK_EQ(action.lba, 0);
    CHECK_EQ(action.blocks, 2);
}

static void entries_of_an_mbr_without_a_type_or_at_block_zero_do_not_count(void) {
    new_disk(8192, 512);
    make_fat(16, ESP_LBA, 512, 6000);
    put_loader();
    mbr_entry(1, 0xef, 0, 8192);
    mbr_entry(2, 0, ESP_LBA, 6000);
    mbr_entry(3, 0xef, ESP_LBA, 0);
    mbr_entry(4, 0xef, ESP_LBA, 6000);
    finds_loader_at(cluster_at(10));
    CHECK_EQ(loader.partition_count, 1);
    CHECK_EQ(loader.partitions[0].number, 4);
}

/* The last place is given to the first system partition that comes after it was taken. */
static void of_too_many_partitions_a_system_partition_has_the_last_place(void) {
    static const struct {
        unsigned first, second, found; /* system partitions, by number; the one with a loader */
    } rows[] = {{LB_LOADER_PARTITIONS_MAX - 1, 41, 41},
                {LB_LOADER_PARTITIONS_MAX, 41, LB_LOADER_PARTITIONS_MAX},
                {41, 42, 41}};
    for (size_t i = 0; i < LB_COUNT(rows); i++) {
        new_disk(8192, 512);
        make_fat(16, ESP_LBA, 512, 6000);
        put_loader();
        for (unsigned number = 1; number <= 42; number++) {
            bool is_esp = number == rows[i].first || number == rows[i].second;
            if (number == rows[i].found)
                gpt_entry(number, is_esp, ESP_LBA, 6000);
            else
                gpt_entry(number, is_esp, 7000 + number, 1);
        }
        finds_loader_at(cluster_at(10));
        CHECK_EQ(loader.partitions[loader.at].number, rows[i].found);
    }
}

int main(void) {
    TEST(crc32_gives_the_check_value_of_its_catalogue);
    TEST(a_gpt_leads_to_the_loader);
    TEST(the_loader_is_found_in_few_reads);
    TEST(blocks_of_4096_bytes_work_too);
    TEST(a_fat_with_smaller_sectors_than_the_disk_works);
    TEST(a_damaged_header_sends_us_to_the_copy_at_the_end);
    TEST(damaged_entries_send_us_to_the_copy_at_the_end);
    TEST(a_gpt_damaged_in_both_places_is_an_error);
    TEST(a_table_for_other_blocks_is_told_as_such);
    TEST(a_gpt_whose_entries_lie_outside_the_disk_is_damaged);
    TEST(an_mbr_leads_to_the_loader);
    TEST(a_fat_on_the_bare_disk_leads_to_the_loader);
    TEST(a_gpt_without_its_protective_mbr_does_not_count);
    TEST(a_disk_of_zeroes_is_empty);
    TEST(a_disk_of_one_block_or_none_is_empty);
    TEST(a_disk_without_a_system_partition_says_so);
    TEST(partitions_outside_the_disk_do_not_count);
    TEST(more_partitions_than_we_keep_are_counted);
    TEST(a_system_partition_behind_many_others_is_found);
    TEST(the_second_system_partition_is_tried_when_the_first_has_no_loader);
    TEST(fat12_works);
    TEST(a_root_cluster_of_fat12_does_not_count);
    TEST(fat32_works);
    TEST(names_are_compared_without_regard_to_case_and_slash);
    TEST(a_missing_loader_is_named_with_its_partition);
    TEST(a_folder_is_not_a_loader_and_a_file_no_folder);
    TEST(deleted_entries_and_labels_are_passed_over);
    TEST(long_names_are_read);
    TEST(a_character_beyond_16_bits_is_two_units_of_a_long_name);
    TEST(a_long_name_that_belongs_to_another_entry_does_not_count);
    TEST(a_folder_goes_on_in_its_next_cluster);
    TEST(a_folder_in_a_circle_ends_in_an_error);
    TEST(a_file_in_a_circle_ends_with_its_size);
    TEST(a_file_shorter_than_its_size_is_an_error);
    TEST(a_file_larger_than_its_file_system_is_an_error);
    TEST(a_fragmented_file_comes_in_parts);
    TEST(an_empty_file_has_no_extents);
    TEST(clusters_outside_the_file_system_are_errors);
    TEST(a_system_partition_without_fat_says_so);
    TEST(one_to_four_allocation_tables_are_a_file_system);
    TEST(a_broken_boot_sector_is_named_by_its_field);
    TEST(a_read_that_fails_is_how_the_machine_fails);
    TEST(a_disk_of_2_to_the_64_blocks_is_no_overflow);
    TEST(a_file_that_broke_off_leaves_nothing_to_the_next_one);
    TEST(entries_of_an_mbr_without_a_type_or_at_block_zero_do_not_count);
    TEST(of_too_many_partitions_a_system_partition_has_the_last_place);
    return tap_done();
}
