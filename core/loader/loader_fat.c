/* FAT12, FAT16 and FAT32, read-only: Microsoft's FAT specification 1.03. */
#include "core/loader/loader_internal.h"

#define BOOT_SECTOR    512
#define ENTRY          32
#define TABLE_AHEAD    8192 /* of the allocation table; 2048 clusters of FAT32 */
#define ATTR_DIRECTORY 0x10
#define ATTR_VOLUME    0x08
#define ATTR_LONG      0x0f
#define LONG_LAST      0x40
#define LONG_SEQUENCE  0x1f
#define LONG_UNITS     13 /* of a name in one entry */
#define CLUSTERS_FAT12 4085
#define CLUSTERS_FAT16 65525
#define CLUSTERS_FAT32 0x0ffffff5

static const struct lb_partition *partition_of(const struct lb_loader *loader) {
    return &loader->partitions[loader->at];
}

static uint64_t partition_offset(const struct lb_loader *loader) {
    return partition_of(loader)->lba * loader->block_bytes;
}

/* ---- the boot sector ------------------------------------------------------------------------ */

/* The BIOS parameter block, as far as reading needs it. */
struct bpb {
    uint8_t jump, sectors_per_cluster, tables;
    uint16_t sector_bytes, reserved, root_entries;
    uint32_t sectors, table_sectors, root_cluster;
};

static struct bpb read_bpb(struct lb_rd rd) {
    struct bpb b = {.jump = lb_rd_u8(&rd)};
    uint16_t sectors16, table16;

    lb_rd_skip(&rd, 10);
    b.sector_bytes = lb_rd_u16le(&rd);
    b.sectors_per_cluster = lb_rd_u8(&rd);
    b.reserved = lb_rd_u16le(&rd);
    b.tables = lb_rd_u8(&rd);
    b.root_entries = lb_rd_u16le(&rd);
    sectors16 = lb_rd_u16le(&rd);
    lb_rd_skip(&rd, 1); /* medium */
    table16 = lb_rd_u16le(&rd);
    lb_rd_skip(&rd, 8); /* geometry, hidden sectors */
    b.sectors = lb_rd_u32le(&rd);
    b.table_sectors = lb_rd_u32le(&rd);
    lb_rd_skip(&rd, 4); /* flags, version */
    b.root_cluster = lb_rd_u32le(&rd);
    if (sectors16 != 0)
        b.sectors = sectors16;
    if (table16 != 0) {
        b.table_sectors = table16;
        b.root_cluster = 0;
    }
    return b;
}

static bool is_power_of_two(uint32_t n) {
    return n != 0 && (n & (n - 1)) == 0;
}

/* What is wrong with it, or NULL. */
static const char *check_bpb(const struct bpb *b) {
    if (b->jump != 0xeb && b->jump != 0xe9)
        return "it does not begin with a jump";
    if (!is_power_of_two(b->sector_bytes) || b->sector_bytes < 512)
        return "bytes per sector";
    if (!is_power_of_two(b->sectors_per_cluster))
        return "sectors per cluster";
    if (b->reserved == 0)
        return "reserved sectors";
    if (b->tables == 0 || b->tables > 4)
        return "number of allocation tables";
    if (b->sectors == 0)
        return "number of sectors";
    if (b->table_sectors == 0)
        return "size of the allocation table";
    return NULL;
}

bool lb_fat_is_boot_sector(struct lb_bytes sector) {
    struct bpb b = read_bpb(lb_rd(sector));
    return sector.len >= BOOT_SECTOR && check_bpb(&b) == NULL;
}

static const char *mount(struct lb_loader *loader, const struct bpb *b) {
    struct lb_fat *fat = &loader->fat;
    uint64_t start = partition_offset(loader);
    uint64_t root_sectors =
        ((uint64_t)b->root_entries * ENTRY + b->sector_bytes - 1) / b->sector_bytes;
    uint64_t data_sector = b->reserved + (uint64_t)b->tables * b->table_sectors + root_sectors;

    if ((uint64_t)b->sectors * b->sector_bytes > partition_of(loader)->blocks * loader->block_bytes)
        return "it is larger than its partition";
    if (data_sector >= b->sectors)
        return "it has no room for data";
    fat->cluster_bytes = (uint32_t)b->sector_bytes * b->sectors_per_cluster;
    fat->cluster_count = (uint32_t)((b->sectors - data_sector) / b->sectors_per_cluster);
    if (fat->cluster_count >= CLUSTERS_FAT32)
        return "it has too many clusters";
    fat->bits = fat->cluster_count < CLUSTERS_FAT12   ? 12
                : fat->cluster_count < CLUSTERS_FAT16 ? 16
                                                      : 32;
    if ((fat->bits == 32) != (b->root_cluster != 0 && root_sectors == 0))
        return "its size and its root directory disagree";
    fat->table = start + (uint64_t)b->reserved * b->sector_bytes;
    fat->table_len = (uint64_t)b->table_sectors * b->sector_bytes;
    fat->data = start + data_sector * b->sector_bytes;
    fat->root_len = root_sectors * b->sector_bytes;
    fat->root = fat->data - fat->root_len;
    fat->root_cluster = fat->bits == 32 ? b->root_cluster : 0; /* else other fields lie there */
    return NULL;
}

/* This partition is of no use; the next one may be. What was wrong is kept. */
static void give_up_partition(struct lb_loader *loader, const char *what) {
    lb_fail(&loader->error, LB_E_ESP_BROKEN, "partition %u, block %llu: %s",
            partition_of(loader)->number, (unsigned long long)partition_of(loader)->lba, what);
    loader->at++;
    lb_loader_enter(loader, LB_LOADER_PARTITION);
}

static void file_is_missing(struct lb_loader *loader) {
    loader->at++;
    lb_loader_enter(loader, LB_LOADER_PARTITION);
}

/* ---- clusters ------------------------------------------------------------------------------- */

static bool is_cluster(const struct lb_fat *fat, uint32_t cluster) {
    return cluster >= 2 && cluster - 2 < fat->cluster_count;
}

static uint64_t cluster_offset(const struct lb_fat *fat, uint32_t cluster) {
    return fat->data + (uint64_t)(cluster - 2) * fat->cluster_bytes;
}

static uint64_t link_position(const struct lb_fat *fat, uint32_t cluster) {
    return fat->bits == 12 ? cluster + cluster / 2 : (uint64_t)cluster * (fat->bits / 8);
}

static size_t link_len(const struct lb_fat *fat) {
    return fat->bits == 32 ? 4 : 2;
}

static bool has_link(const struct lb_fat *fat, uint32_t cluster) {
    return is_cluster(fat, cluster) &&
           link_position(fat, cluster) + link_len(fat) <= fat->table_len;
}

/* The cluster after loader->cluster, as the table has it; an end of chain is no cluster. */
static uint32_t read_link(const struct lb_loader *loader) {
    const struct lb_fat *fat = &loader->fat;
    struct lb_rd rd =
        lb_loader_view(loader, fat->table + link_position(fat, loader->cluster), link_len(fat));
    if (fat->bits == 32)
        return lb_rd_u32le(&rd) & 0x0fffffff;
    if (fat->bits == 16)
        return lb_rd_u16le(&rd);
    return loader->cluster % 2 ? (uint32_t)lb_rd_u16le(&rd) >> 4 : lb_rd_u16le(&rd) & 0xfffu;
}

/* ---- names ---------------------------------------------------------------------------------- */

static bool is_separator(char c) {
    return c == '\\' || c == '/';
}

static const char *skip_separators(const char *path) {
    while (is_separator(*path))
        path++;
    return path;
}

static size_t component_len(const char *component) {
    size_t len = 0;
    while (component[len] != 0 && !is_separator(component[len]))
        len++;
    return len;
}

/* One character of UTF-8; false at the end. Broken sequences give their bytes. */
static bool next_character(struct lb_rd *rd, uint32_t *character) {
    uint8_t first = lb_rd_u8(rd);
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (rd->bad)
        return false;
    *character = more == 0 ? first : first & (0x3fu >> more);
    for (; more > 0 && rd->left > 0; more--)
        *character = *character << 6 | (lb_rd_u8(rd) & 0x3fu);
    return true;
}

static uint32_t fold(uint32_t character) {
    return character < 0x80 ? lb_ascii_lower((uint8_t)character) : character;
}

static bool is_unit(const struct lb_loader *loader, size_t at, uint32_t unit) {
    return at < loader->long_name.len && fold(loader->long_name.units[at]) == fold(unit);
}

static bool long_name_is(const struct lb_loader *loader, struct lb_bytes component) {
    struct lb_rd rd = lb_rd(component);
    uint32_t character;
    size_t at = 0;

    while (next_character(&rd, &character)) {
        if (character >= 0x10000) {
            if (!is_unit(loader, at++, 0xd800 + ((character - 0x10000) >> 10)))
                return false;
            character = 0xdc00 + ((character - 0x10000) & 0x3ff);
        }
        if (!is_unit(loader, at++, character))
            return false;
    }
    return at == loader->long_name.len;
}

static size_t without_blanks(const uint8_t *name, size_t len) {
    while (len > 0 && name[len - 1] == ' ')
        len--;
    return len;
}

/* "BOOTX64 EFI" as "BOOTX64.EFI". */
static bool short_name_is(const uint8_t name[11], struct lb_bytes component) {
    size_t base = without_blanks(name, 8), extension = without_blanks(name + 8, 3);
    size_t len = base + (extension > 0 ? 1 + extension : 0);

    if (len != component.len)
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = i < base ? name[i] : i == base ? '.' : name[8 + i - base - 1];
        if (i == 0 && c == 0x05) /* stands for 0xe5, which would mean a deleted entry */
            c = 0xe5;
        if (lb_ascii_lower(c) != lb_ascii_lower(component.p[i]))
            return false;
    }
    return true;
}

static uint8_t short_name_checksum(const uint8_t name[11]) {
    uint8_t sum = 0;
    for (size_t i = 0; i < 11; i++)
        sum = (uint8_t)((sum & 1 ? 0x80 : 0) + (sum >> 1) + name[i]);
    return sum;
}

/* One of the entries that hold a long name, its last part first. */
static void take_long_entry(struct lb_loader *loader, struct lb_rd rd) {
    uint8_t sequence = lb_rd_u8(&rd), number = sequence & LONG_SEQUENCE, checksum = 0;
    uint16_t units[LONG_UNITS];
    size_t used = 0;

    for (size_t i = 0; i < LONG_UNITS; i++) {
        if (i == 5) {
            lb_rd_skip(&rd, 2); /* attributes, type */
            checksum = lb_rd_u8(&rd);
        } else if (i == 11) {
            lb_rd_skip(&rd, 2); /* cluster */
        }
        units[i] = lb_rd_u16le(&rd);
    }
    while (used < LONG_UNITS && units[used] != 0)
        used++;
    if (sequence & LONG_LAST) {
        loader->long_name.is_valid =
            number >= 1 && number <= (LB_LOADER_LONG_NAME_MAX + 12) / LONG_UNITS;
        loader->long_name.checksum = checksum;
        loader->long_name.len = (size_t)(number - 1) * LONG_UNITS + used;
    } else if (number != loader->long_name.expected || checksum != loader->long_name.checksum ||
               used != LONG_UNITS) {
        loader->long_name.is_valid = false;
    }
    if (!loader->long_name.is_valid || number == 0)
        return;
    memcpy(loader->long_name.units + (size_t)(number - 1) * LONG_UNITS, units,
           used * sizeof(units[0]));
    loader->long_name.expected = number - 1;
}

static bool entry_is_wanted(const struct lb_loader *loader, const uint8_t name[11]) {
    struct lb_bytes component = lb_bytes(loader->component, component_len(loader->component));
    if (short_name_is(name, component))
        return true;
    return loader->long_name.is_valid && loader->long_name.expected == 0 &&
           loader->long_name.checksum == short_name_checksum(name) &&
           long_name_is(loader, component);
}

/* ---- directories and files ------------------------------------------------------------------ */

static void enter_directory(struct lb_loader *loader, uint32_t cluster) {
    loader->cluster = cluster;
    loader->walked = 0;
    loader->long_name.is_valid = false;
    loader->position = cluster ? cluster_offset(&loader->fat, cluster) : loader->fat.root;
    loader->run_end =
        loader->position + (cluster ? loader->fat.cluster_bytes : loader->fat.root_len);
    lb_loader_enter(loader, LB_LOADER_DIRECTORY);
}

void lb_loader_step_boot_sector(struct lb_loader *loader) {
    struct lb_rd rd = lb_loader_view(loader, partition_offset(loader), BOOT_SECTOR);
    struct bpb b = read_bpb(rd);
    const char *wrong;

    lb_rd_skip(&rd, 510);
    if (lb_rd_u16(&rd) != 0x55aa) {
        give_up_partition(loader, "there is no FAT file system");
        return;
    }
    wrong = check_bpb(&b);
    if (!wrong)
        wrong = mount(loader, &b);
    if (!wrong && loader->fat.bits == 32 && !is_cluster(&loader->fat, loader->fat.root_cluster))
        wrong = "the root directory's cluster";
    if (wrong) {
        give_up_partition(loader, wrong);
        return;
    }
    loader->fat_bits = loader->fat.bits;
    loader->component = skip_separators(loader->path);
    enter_directory(loader, loader->fat.root_cluster);
}

static void enter_file(struct lb_loader *loader, uint32_t cluster, uint32_t bytes) {
    loader->file_bytes = loader->left = bytes;
    loader->cluster = cluster;
    loader->extent_count = 0;
    if (bytes > 0 && !is_cluster(&loader->fat, cluster)) {
        give_up_partition(loader, "the file's first cluster does not exist");
        return;
    }
    if (bytes > (uint64_t)loader->fat.cluster_count * loader->fat.cluster_bytes) {
        give_up_partition(loader, "the file is larger than its file system");
        return;
    }
    lb_loader_enter(loader, bytes > 0 ? LB_LOADER_EXTENTS : LB_LOADER_AT_FOUND);
}

/* The entry with the name we look for: one folder deeper, or the file. */
static void take_entry(struct lb_loader *loader, uint8_t attributes, uint32_t cluster,
                       uint32_t bytes) {
    const char *after = loader->component + component_len(loader->component);
    const char *next = skip_separators(after);

    if (((attributes & ATTR_DIRECTORY) != 0) != (*next != 0)) {
        file_is_missing(loader);
        return;
    }
    if (*next == 0) {
        enter_file(loader, cluster, bytes);
        return;
    }
    if (!is_cluster(&loader->fat, cluster)) {
        give_up_partition(loader, "a folder's first cluster does not exist");
        return;
    }
    loader->component = next;
    enter_directory(loader, cluster);
}

static void next_entry(struct lb_loader *loader) {
    loader->position += ENTRY;
    loader->walked += ENTRY;
    if (loader->walked >= LB_LOADER_DIRECTORY_MAX)
        give_up_partition(loader, "a folder does not end");
    else if (loader->position >= loader->run_end)
        lb_loader_enter(loader, LB_LOADER_NEXT_CLUSTER);
}

void lb_loader_step_directory(struct lb_loader *loader) {
    struct lb_rd rd = lb_loader_view(loader, loader->position, ENTRY);
    struct lb_rd whole = rd;
    uint8_t name[11], attributes;
    uint32_t cluster, bytes;

    lb_rd_copy(&rd, name, sizeof(name));
    attributes = lb_rd_u8(&rd);
    lb_rd_skip(&rd, 8);
    cluster = (uint32_t)lb_rd_u16le(&rd) << 16;
    lb_rd_skip(&rd, 4);
    cluster |= lb_rd_u16le(&rd);
    bytes = lb_rd_u32le(&rd);
    if (loader->fat.bits != 32)
        cluster &= 0xffff;
    if (name[0] == 0) { /* no entry from here on */
        file_is_missing(loader);
        return;
    }
    if (name[0] != 0xe5 && (attributes & 0x3f) == ATTR_LONG) {
        take_long_entry(loader, whole);
        next_entry(loader);
        return;
    }
    if (name[0] != 0xe5 && !(attributes & ATTR_VOLUME) && entry_is_wanted(loader, name)) {
        take_entry(loader, attributes, cluster, bytes);
        return;
    }
    loader->long_name.is_valid = false;
    next_entry(loader);
}

void lb_loader_step_next_cluster(struct lb_loader *loader) {
    uint32_t walked = loader->walked, next;
    bool long_name = loader->long_name.is_valid;

    if (loader->cluster == 0 || !has_link(&loader->fat, loader->cluster)) {
        file_is_missing(loader);
        return;
    }
    next = read_link(loader);
    if (!is_cluster(&loader->fat, next)) {
        file_is_missing(loader);
        return;
    }
    enter_directory(loader, next);
    loader->walked = walked;
    loader->long_name.is_valid = long_name; /* a name may go on in the next cluster */
}

/* Gives the current cluster to the file's extents; false when there is no room for one more. */
static bool add_cluster(struct lb_loader *loader) {
    uint64_t offset = cluster_offset(&loader->fat, loader->cluster);
    uint64_t len = LB_MIN(loader->left, loader->fat.cluster_bytes);
    struct lb_extent *last = loader->extents + loader->extent_count;

    if (loader->extent_count > 0 && last[-1].offset + last[-1].len == offset) {
        last[-1].len += len;
    } else if (loader->extent_count < LB_LOADER_EXTENTS_MAX) {
        *last = (struct lb_extent){offset, len};
        loader->extent_count++;
    } else {
        return false;
    }
    loader->left -= len;
    return true;
}

/* The chain is as long as the file's size says, which bounds it also where it runs in a circle. */
void lb_loader_step_extent(struct lb_loader *loader) {
    uint32_t next = has_link(&loader->fat, loader->cluster) ? read_link(loader) : 0;

    if (!add_cluster(loader)) {
        loader->more = true;
        lb_loader_enter(loader, LB_LOADER_AT_FOUND);
        return;
    }
    if (loader->left == 0) {
        lb_loader_enter(loader, LB_LOADER_AT_FOUND);
        return;
    }
    if (!is_cluster(&loader->fat, next)) {
        give_up_partition(loader, "the file is shorter than its size says");
        return;
    }
    loader->cluster = next;
}

struct lb_loader_want lb_loader_want_fat(const struct lb_loader *loader) {
    const struct lb_fat *fat = &loader->fat;
    uint64_t position;

    if (loader->state == LB_LOADER_BOOT_SECTOR)
        return (struct lb_loader_want){partition_offset(loader), BOOT_SECTOR, 0};
    if (loader->state == LB_LOADER_DIRECTORY)
        return (struct lb_loader_want){loader->position, ENTRY, loader->run_end - loader->position};
    if (!has_link(fat, loader->cluster))
        return (struct lb_loader_want){0};
    position = link_position(fat, loader->cluster);
    return (struct lb_loader_want){fat->table + position, link_len(fat),
                                   LB_MIN(TABLE_AHEAD, fat->table_len - position)};
}
