/* Partition tables: the MBR, and the GPT of UEFI 2.10 chapter 5. */
#include "core/loader/loader_internal.h"

#define MBR_ENTRIES    446
#define MBR_ENTRY      16
#define TYPE_PROTECTED 0xee
#define TYPE_ESP       0xef
#define GPT_HEADER_MIN 92
#define GPT_ENTRY_MIN  128
#define AHEAD          (128 * 128) /* the usual table of entries, behind the header */

/* C12A7328-F81F-11D2-BA4B-00A0C93EC93B */
static const uint8_t esp_guid[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                     0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

uint32_t lb_loader_crc32(uint32_t crc, struct lb_bytes bytes) {
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.p[i];
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return ~crc;
}

static uint64_t block_count(const struct lb_loader *loader) {
    return loader->disk_bytes / loader->block_bytes;
}

static void add_partition(struct lb_loader *loader, const struct lb_partition *partition) {
    if (partition->blocks == 0 || partition->lba >= block_count(loader) ||
        partition->blocks > block_count(loader) - partition->lba)
        return;
    if (loader->partition_count == LB_LOADER_PARTITIONS_MAX) {
        loader->partitions_dropped++;
        if (partition->is_esp && !loader->partitions[LB_LOADER_PARTITIONS_MAX - 1].is_esp)
            loader->partitions[LB_LOADER_PARTITIONS_MAX - 1] = *partition;
        return;
    }
    loader->partitions[loader->partition_count++] = *partition;
}

static void forget_partitions(struct lb_loader *loader) {
    loader->partition_count = 0;
    loader->partitions_dropped = 0;
}

struct lb_loader_want lb_loader_want_table(const struct lb_loader *loader) {
    uint64_t count = block_count(loader);
    if (loader->state == LB_LOADER_TABLE)
        return (struct lb_loader_want){0, (size_t)LB_MIN(count, 2) * loader->block_bytes,
                                       2 * (uint64_t)loader->block_bytes + AHEAD};
    if (loader->state == LB_LOADER_BACKUP)
        return (struct lb_loader_want){(count - 1) * loader->block_bytes, loader->block_bytes, 0};
    return (struct lb_loader_want){
        loader->gpt.entries_offset + (uint64_t)loader->gpt.next * loader->gpt.entry_bytes,
        loader->gpt.entry_bytes,
        (uint64_t)(loader->gpt.count - loader->gpt.next) * loader->gpt.entry_bytes};
}

/* ---- MBR ------------------------------------------------------------------------------------ */

static bool has_mbr_signature(const struct lb_loader *loader) {
    struct lb_rd rd = lb_loader_view(loader, 510, 2);
    return lb_rd_u16(&rd) == 0x55aa;
}

static struct lb_partition mbr_entry(const struct lb_loader *loader, unsigned number) {
    struct lb_partition partition = {.number = number};
    struct lb_rd rd = lb_loader_view(loader, MBR_ENTRIES + (number - 1) * MBR_ENTRY, MBR_ENTRY);

    lb_rd_skip(&rd, 4); /* boot indicator and the first sector in CHS */
    partition.type[0] = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 3);
    partition.lba = lb_rd_u32le(&rd);
    partition.blocks = lb_rd_u32le(&rd);
    partition.is_esp = partition.type[0] == TYPE_ESP;
    return partition;
}

static bool is_protected(const struct lb_loader *loader) {
    for (unsigned number = 1; number <= 4; number++) {
        struct lb_partition partition = mbr_entry(loader, number);
        if (partition.type[0] == TYPE_PROTECTED && partition.lba == 1)
            return true;
    }
    return false;
}

static void take_mbr(struct lb_loader *loader) {
    for (unsigned number = 1; number <= 4; number++) {
        struct lb_partition partition = mbr_entry(loader, number);
        if (partition.type[0] != 0 && partition.lba > 0)
            add_partition(loader, &partition);
    }
    if (loader->partition_count > 0)
        loader->table = LB_TABLE_MBR;
}

/* UEFI 2.10 13.3.2: media without a partition table may hold the file system directly. */
static void take_bare_disk(struct lb_loader *loader) {
    struct lb_rd rd = lb_loader_view(loader, 0, 512);
    if (!lb_fat_is_boot_sector(lb_rd_rest(&rd)))
        return;
    add_partition(loader, &(struct lb_partition){.blocks = block_count(loader), .is_esp = true});
}

/* ---- GPT ------------------------------------------------------------------------------------ */

static bool header_crc_is_right(struct lb_bytes header, uint32_t expected) {
    static const uint8_t zero[4];
    uint32_t crc = lb_loader_crc32(0, lb_bytes(header.p, 16));
    crc = lb_loader_crc32(crc, lb_bytes(zero, sizeof(zero)));
    return lb_loader_crc32(crc, lb_bytes_after(header, 20)) == expected;
}

static bool entries_are_on_disk(const struct lb_loader *loader, uint64_t lba, uint32_t count,
                                uint32_t entry_bytes) {
    if (entry_bytes < GPT_ENTRY_MIN || entry_bytes > LB_LOADER_ENTRY_MAX || entry_bytes % 8 != 0)
        return false;
    if (count == 0 || count > LB_LOADER_ENTRIES_MAX || lba == 0 || lba >= block_count(loader))
        return false;
    return (uint64_t)count * entry_bytes <= loader->disk_bytes - lba * loader->block_bytes;
}

/* UEFI 2.10 5.3.2: signature, checksum, and that the header lies where it says it lies. */
static bool take_header(struct lb_loader *loader, uint64_t lba) {
    struct lb_rd rd = lb_loader_view(loader, lba * loader->block_bytes, loader->block_bytes);
    const uint8_t *start = rd.at;
    struct lb_bytes signature = lb_rd_bytes(&rd, 8);
    uint32_t len, crc, count, entry_bytes;
    uint64_t my_lba, entries;

    lb_rd_skip(&rd, 4); /* revision */
    len = lb_rd_u32le(&rd);
    crc = lb_rd_u32le(&rd);
    lb_rd_skip(&rd, 4);
    my_lba = lb_rd_u64le(&rd);
    lb_rd_skip(&rd, 8 + 8 + 8 + 16); /* the other header, usable blocks, the disk's GUID */
    entries = lb_rd_u64le(&rd);
    count = lb_rd_u32le(&rd);
    entry_bytes = lb_rd_u32le(&rd);
    if (!lb_text_is(signature, "EFI PART") || len < GPT_HEADER_MIN || len > loader->block_bytes ||
        !header_crc_is_right(lb_bytes(start, len), crc) || my_lba != lba ||
        !entries_are_on_disk(loader, entries, count, entry_bytes))
        return false;
    loader->gpt.header_lba = lba;
    loader->gpt.entries_offset = entries * loader->block_bytes;
    loader->gpt.count = count;
    loader->gpt.entry_bytes = entry_bytes;
    loader->gpt.expected_crc = lb_rd_u32le(&rd);
    loader->gpt.crc = 0;
    loader->gpt.next = 0;
    return true;
}

static void add_unit(struct lb_text *text, uint32_t unit) {
    uint8_t utf8[3];
    size_t len = 0;
    if (unit < 0x80) {
        utf8[len++] = (uint8_t)unit;
    } else if (unit < 0x800) {
        utf8[len++] = (uint8_t)(0xc0 | unit >> 6);
        utf8[len++] = (uint8_t)(0x80 | (unit & 0x3f));
    } else {
        utf8[len++] = (uint8_t)(0xe0 | unit >> 12);
        utf8[len++] = (uint8_t)(0x80 | (unit >> 6 & 0x3f));
        utf8[len++] = (uint8_t)(0x80 | (unit & 0x3f));
    }
    lb_text_add(text, "%.*s", (int)len, (const char *)utf8);
}

/* The name of a GPT entry; halves of surrogate pairs become `?`. */
static void take_name(struct lb_partition *partition, struct lb_rd rd) {
    struct lb_text text = lb_text(partition->name, sizeof(partition->name));
    for (unsigned i = 0; i < 36; i++) {
        uint16_t unit = lb_rd_u16le(&rd);
        if (unit == 0)
            return;
        add_unit(&text, unit >= 0xd800 && unit < 0xe000 ? '?' : unit);
    }
}

static void take_entry(struct lb_loader *loader, struct lb_rd rd) {
    struct lb_partition partition = {.number = loader->gpt.next + 1};
    static const uint8_t unused[16];
    uint64_t last;

    lb_rd_copy(&rd, partition.type, sizeof(partition.type));
    lb_rd_skip(&rd, 16); /* its own GUID */
    partition.lba = lb_rd_u64le(&rd);
    last = lb_rd_u64le(&rd);
    lb_rd_skip(&rd, 8); /* attributes */
    if (memcmp(partition.type, unused, sizeof(unused)) == 0 || last < partition.lba ||
        last >= block_count(loader))
        return;
    partition.blocks = last - partition.lba + 1;
    partition.is_esp = memcmp(partition.type, esp_guid, sizeof(esp_guid)) == 0;
    take_name(&partition, rd);
    add_partition(loader, &partition);
}

/* A disk that was made with blocks of one size, and is served with blocks of another: its table is
 * good, and everything in it is elsewhere. */
static uint32_t block_bytes_of_table(const struct lb_loader *loader) {
    for (uint32_t size = 512; size <= 16384; size *= 2) {
        if (size == loader->block_bytes || !lb_loader_has(loader, size, 512))
            continue;
        struct lb_rd rd = lb_loader_view(loader, size, 512);
        const uint8_t *start = rd.at;
        struct lb_bytes signature = lb_rd_bytes(&rd, 8);
        lb_rd_skip(&rd, 4); /* revision */
        uint32_t len = lb_rd_u32le(&rd), crc = lb_rd_u32le(&rd);
        lb_rd_skip(&rd, 4);
        uint64_t my_lba = lb_rd_u64le(&rd);
        if (lb_text_is(signature, "EFI PART") && len >= GPT_HEADER_MIN && len <= 512 &&
            my_lba == 1 && header_crc_is_right(lb_bytes(start, len), crc))
            return size;
    }
    return 0;
}

/* A damaged first copy sends us to the second; a damaged second is the end. */
static void gpt_is_broken(struct lb_loader *loader, const char *why) {
    forget_partitions(loader);
    if (!loader->gpt.is_backup) {
        loader->gpt.is_backup = true;
        lb_loader_enter(loader, LB_LOADER_BACKUP);
        return;
    }
    if (loader->other_block_bytes != 0)
        lb_fail(&loader->error, LB_E_BLOCK_MISMATCH,
                "its partition table is for blocks of %u bytes, the target says %u",
                loader->other_block_bytes, loader->block_bytes);
    lb_fail(&loader->error, LB_E_GPT_BROKEN, "the copy in block %llu: %s",
            (unsigned long long)(block_count(loader) - 1), why);
    lb_loader_enter(loader, LB_LOADER_AT_FAILED);
}

void lb_loader_step_entry(struct lb_loader *loader) {
    uint64_t offset =
        loader->gpt.entries_offset + (uint64_t)loader->gpt.next * loader->gpt.entry_bytes;
    struct lb_rd rd = lb_loader_view(loader, offset, loader->gpt.entry_bytes);

    loader->gpt.crc = lb_loader_crc32(loader->gpt.crc, lb_bytes(rd.at, rd.left));
    take_entry(loader, rd);
    if (++loader->gpt.next < loader->gpt.count)
        return;
    if (loader->gpt.crc != loader->gpt.expected_crc) {
        gpt_is_broken(loader, "the checksum of its entries is wrong");
        return;
    }
    loader->table = loader->gpt.is_backup ? LB_TABLE_GPT_BACKUP : LB_TABLE_GPT;
    lb_loader_enter(loader, LB_LOADER_PARTITION);
}

void lb_loader_step_backup(struct lb_loader *loader) {
    if (take_header(loader, block_count(loader) - 1))
        lb_loader_enter(loader, LB_LOADER_ENTRIES);
    else
        gpt_is_broken(loader, "its header is damaged");
}

void lb_loader_step_table(struct lb_loader *loader) {
    if (has_mbr_signature(loader) && is_protected(loader)) {
        if (block_count(loader) > 1 && take_header(loader, 1))
            lb_loader_enter(loader, LB_LOADER_ENTRIES);
        else {
            loader->other_block_bytes = block_bytes_of_table(loader);
            gpt_is_broken(loader, "");
        }
        return;
    }
    if (has_mbr_signature(loader)) {
        /* The boot sector of a FAT ends like an MBR, with code where the entries would be. */
        take_bare_disk(loader);
        if (loader->partition_count == 0)
            take_mbr(loader);
    }
    lb_loader_enter(loader, LB_LOADER_PARTITION);
}
