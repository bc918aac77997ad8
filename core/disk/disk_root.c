#include "core/disk/disk_root.h"
#include "core/base/text.h"

enum {
    CONTENT_BYTES = 4096,
    BTRFS_AT = 65536,
    MBR_TABLE = 446,
    MBR_ENTRY = 16,
    TYPE_PROTECTED = 0xee, /* the disk has a GPT */
    GPT_ENTRY_MIN = 128,
    GPT_ENTRY_MAX = 4096,
    GPT_ENTRIES_MAX = 1024,
    GPT_NAME_AT = 56,
    GPT_NAME_UNITS = 36,
};

/* ---- the words ------------------------------------------------------------------------------ */

static struct lb_bytes unquoted(struct lb_bytes value) {
    if (value.len >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
        value.p[value.len - 1] == value.p[0])
        return lb_bytes(value.p + 1, value.len - 2);
    return value;
}

static bool take(struct lb_disk_root *root, enum lb_disk_root_kind kind, struct lb_bytes value) {
    size_t len = 0;
    value = unquoted(value);
    /* PARTUUID=.../PARTNROFF=N is another partition of the same disk. */
    while (len < value.len && (kind != LB_ROOT_PARTUUID || value.p[len] != '/'))
        len++;
    if (len == 0 || len > LB_DISK_ROOT_TEXT_MAX)
        return false;
    memcpy(root->text, value.p, len);
    root->text[len] = '\0';
    root->kind = kind;
    return true;
}

bool lb_disk_root_parse(struct lb_bytes words, struct lb_disk_root *root) {
    static const struct {
        const char *prefix;
        enum lb_disk_root_kind kind;
    } forms[] = {
        {"UUID=", LB_ROOT_UUID},
        {"PARTUUID=", LB_ROOT_PARTUUID},
        {"LABEL=", LB_ROOT_LABEL},
        {"PARTLABEL=", LB_ROOT_PARTLABEL},
        {"/dev/disk/by-uuid/", LB_ROOT_UUID},
        {"/dev/disk/by-partuuid/", LB_ROOT_PARTUUID},
        {"/dev/disk/by-label/", LB_ROOT_LABEL},
        {"/dev/disk/by-partlabel/", LB_ROOT_PARTLABEL},
    };
    *root = (struct lb_disk_root){.kind = LB_ROOT_NONE};
    words = unquoted(words);
    for (size_t i = 0; i < LB_COUNT(forms); i++) {
        struct lb_bytes prefix = lb_bytes_of_text(forms[i].prefix);
        if (lb_bytes_start_with(words, prefix))
            return take(root, forms[i].kind, lb_bytes_after(words, prefix.len));
    }
    return false;
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool is_wanted(const struct lb_disk_root *root, enum lb_disk_root_kind kind,
                      struct lb_bytes value) {
    struct lb_bytes wanted = lb_bytes_of_text(root->text);
    bool is_number = kind == LB_ROOT_UUID || kind == LB_ROOT_PARTUUID;
    if (kind != root->kind || value.len != wanted.len || value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != wanted.p[i] &&
            (!is_number || lb_ascii_lower(value.p[i]) != lb_ascii_lower(wanted.p[i])))
            return false;
    return true;
}

/* is_efi: the bytes are in EFI's order, not in that of the text. */
static bool is_uuid(const struct lb_disk_root *root, enum lb_disk_root_kind kind,
                    struct lb_bytes uuid, bool is_efi) {
    uint8_t swapped[16];
    char shown[40];
    struct lb_text text = lb_text(shown, sizeof shown);
    if (uuid.len != sizeof swapped)
        return false;
    lb_uuid_swap(uuid.p, swapped);
    for (size_t i = 0; i < sizeof swapped; i++)
        lb_text_add(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                    is_efi ? swapped[i] : uuid.p[i]);
    return is_wanted(root, kind, lb_bytes_of_text(shown));
}

/* A field that ends with its room, its NUL, or the blanks that fill it. */
static bool is_label(const struct lb_disk_root *root, struct lb_bytes field) {
    size_t len = 0;
    while (len < field.len && field.p[len] != 0)
        len++;
    while (len > 0 && field.p[len - 1] == ' ')
        len--;
    return is_wanted(root, LB_ROOT_LABEL, lb_bytes(field.p, len));
}

/* Part of the bytes; empty: they are too short. */
static struct lb_bytes part(struct lb_bytes bytes, size_t at, size_t len) {
    return bytes.len < at || bytes.len - at < len ? lb_bytes(NULL, 0) : lb_bytes(bytes.p + at, len);
}

static bool has(struct lb_bytes bytes, size_t at, const char *magic) {
    struct lb_bytes wanted = lb_bytes_of_text(magic);
    return lb_bytes_equal(part(bytes, at, wanted.len), wanted);
}

/* ---- file systems --------------------------------------------------------------------------- */

static bool is_fat(const struct lb_disk_root *root, struct lb_bytes bytes, size_t id_at) {
    char shown[12];
    struct lb_text text = lb_text(shown, sizeof shown);
    struct lb_rd rd = lb_rd(part(bytes, id_at, 4));
    uint32_t id = lb_rd_u32le(&rd);
    lb_text_add(&text, "%04x-%04x", (unsigned)(id >> 16), (unsigned)(id & 0xffff));
    return is_wanted(root, LB_ROOT_UUID, lb_bytes_of_text(shown)) ||
           is_label(root, part(bytes, id_at + 4, 11));
}

static bool is_in_content(const struct lb_disk_root *root, struct lb_bytes bytes) {
    if (has(bytes, 1024 + 56, "\x53\xef")) /* ext2 to ext4 */
        return is_uuid(root, LB_ROOT_UUID, part(bytes, 1024 + 104, 16), false) ||
               is_label(root, part(bytes, 1024 + 120, 16));
    if (has(bytes, 0, "XFSB"))
        return is_uuid(root, LB_ROOT_UUID, part(bytes, 32, 16), false) ||
               is_label(root, part(bytes, 108, 12));
    if (has(bytes, 82, "FAT32   "))
        return is_fat(root, bytes, 67);
    if (has(bytes, 54, "FAT1"))
        return is_fat(root, bytes, 39);
    return false;
}

static bool is_in_btrfs(const struct lb_disk_root *root, struct lb_bytes bytes) {
    return has(bytes, 64, "_BHRfS_M") && (is_uuid(root, LB_ROOT_UUID, part(bytes, 32, 16), false) ||
                                          is_label(root, part(bytes, 299, 256)));
}

/* ---- tables --------------------------------------------------------------------------------- */

static void enter(struct lb_disk_root *root, enum lb_disk_root_state state) {
    root->state = state;
}

static void end(struct lb_disk_root *root, bool holds) {
    enter(root, LB_ROOT_AT_END);
    root->holds = holds;
}

static void add_part(struct lb_disk_root *root, uint64_t lba) {
    if (lba < root->blocks && root->part_count < LB_COUNT(root->parts))
        root->parts[root->part_count++] = lba;
}

/* Tables alone say what partitions are; what they hold is in the partitions. */
static void read_contents(struct lb_disk_root *root) {
    if (root->kind == LB_ROOT_UUID || root->kind == LB_ROOT_LABEL)
        enter(root, LB_ROOT_AT_CONTENT);
    else
        end(root, false);
}

static void take_mbr(struct lb_disk_root *root, struct lb_bytes sector) {
    char shown[16];
    struct lb_rd signature = lb_rd(part(sector, 440, 4));
    uint32_t id = lb_rd_u32le(&signature);
    if (!has(sector, 510, "\x55\xaa"))
        return;
    for (unsigned i = 0; i < 4; i++) {
        struct lb_rd rd = lb_rd(part(sector, MBR_TABLE + i * MBR_ENTRY, MBR_ENTRY));
        lb_rd_skip(&rd, 4);
        uint8_t type = lb_rd_u8(&rd);
        lb_rd_skip(&rd, 3);
        uint32_t lba = lb_rd_u32le(&rd);
        struct lb_text text = lb_text(shown, sizeof shown);
        lb_text_add(&text, "%08x-%02x", (unsigned)id, i + 1);
        if (type == 0 || type == TYPE_PROTECTED || lba == 0)
            continue;
        if (is_wanted(root, LB_ROOT_PARTUUID, lb_bytes_of_text(shown))) {
            end(root, true);
            return;
        }
        add_part(root, lba);
    }
}

/* Whether there is a GPT whose entries can be read. */
static bool take_header(struct lb_disk_root *root, struct lb_bytes header) {
    struct lb_rd rd = lb_rd(header);
    if (!has(header, 0, "EFI PART"))
        return false;
    lb_rd_skip(&rd, 72);
    root->entries_lba = lb_rd_u64le(&rd);
    root->entries_left = lb_rd_u32le(&rd);
    root->entry_bytes = lb_rd_u32le(&rd);
    return lb_rd_ok(&rd) && root->entry_bytes >= GPT_ENTRY_MIN &&
           root->entry_bytes <= GPT_ENTRY_MAX &&
           (root->entry_bytes & (root->entry_bytes - 1)) == 0 &&
           root->entries_left <= GPT_ENTRIES_MAX && root->entries_lba < root->blocks;
}

static void take_table(struct lb_disk_root *root, struct lb_bytes bytes) {
    add_part(root, 0); /* a file system on the bare disk */
    take_mbr(root, bytes);
    if (root->state == LB_ROOT_AT_END)
        return;
    if (take_header(root, part(bytes, root->block_bytes, 512))) {
        root->part_count = 1; /* not the protective one */
        enter(root, LB_ROOT_AT_ENTRIES);
    } else {
        read_contents(root);
    }
}

/* UTF-16 of the Basic Multilingual Plane, as UTF-8. */
static size_t name_of(struct lb_bytes entry, uint8_t name[3 * GPT_NAME_UNITS]) {
    struct lb_rd rd = lb_rd(part(entry, GPT_NAME_AT, 2 * GPT_NAME_UNITS));
    size_t len = 0;
    for (unsigned i = 0; i < GPT_NAME_UNITS; i++) {
        unsigned unit = lb_rd_u16le(&rd);
        if (unit == 0)
            break;
        if (unit < 0x80) {
            name[len++] = (uint8_t)unit;
            continue;
        }
        if (unit >= 0x800)
            name[len++] = (uint8_t)(0xe0 | unit >> 12);
        name[len++] = (uint8_t)(unit >= 0x800 ? 0x80 | (unit >> 6 & 0x3f) : 0xc0 | unit >> 6);
        name[len++] = (uint8_t)(0x80 | (unit & 0x3f));
    }
    return len;
}

static bool take_entry(struct lb_disk_root *root, struct lb_bytes entry) {
    static const uint8_t unused[16];
    uint8_t name[3 * GPT_NAME_UNITS];
    struct lb_rd rd = lb_rd(part(entry, 32, 8));
    if (lb_bytes_equal(part(entry, 0, 16), lb_bytes(unused, sizeof unused)))
        return false;
    if (is_uuid(root, LB_ROOT_PARTUUID, part(entry, 16, 16), true) ||
        is_wanted(root, LB_ROOT_PARTLABEL, lb_bytes(name, name_of(entry, name))))
        return true;
    add_part(root, lb_rd_u64le(&rd));
    return false;
}

static void take_entries(struct lb_disk_root *root, struct lb_bytes bytes) {
    for (size_t at = 0; root->entries_left > 0 && bytes.len - at >= root->entry_bytes;
         at += root->entry_bytes, root->entries_left--)
        if (take_entry(root, part(bytes, at, root->entry_bytes))) {
            end(root, true);
            return;
        }
    root->entries_lba += bytes.len / root->block_bytes;
    if (root->entries_left == 0 || root->entries_lba >= root->blocks)
        read_contents(root);
}

/* ---- the machine ---------------------------------------------------------------------------- */

void lb_disk_root_begin(struct lb_disk_root *root, uint64_t blocks, uint32_t block_bytes) {
    enter(root, LB_ROOT_AT_TABLE);
    root->holds = false;
    root->blocks = blocks;
    root->block_bytes = block_bytes;
    root->part_count = root->part_at = 0;
    if (root->kind == LB_ROOT_NONE || blocks < 2 || block_bytes < 512 ||
        block_bytes > LB_DISK_ROOT_ROOM / 2)
        end(root, false);
}

bool lb_disk_root_where(const struct lb_disk_root *root, uint64_t *lba, uint32_t *count) {
    size_t bytes = CONTENT_BYTES;
    switch (root->state) {
    case LB_ROOT_AT_END:
        return false;
    case LB_ROOT_AT_TABLE:
        *lba = 0;
        bytes = 2 * (size_t)root->block_bytes;
        break;
    case LB_ROOT_AT_ENTRIES:
        *lba = root->entries_lba;
        bytes = LB_MIN((size_t)root->entries_left * root->entry_bytes, (size_t)LB_DISK_ROOT_ROOM);
        break;
    case LB_ROOT_AT_CONTENT:
        *lba = root->parts[root->part_at];
        break;
    case LB_ROOT_AT_BTRFS:
        *lba = root->parts[root->part_at] + BTRFS_AT / root->block_bytes;
        break;
    }
    uint64_t blocks = (bytes + root->block_bytes - 1) / root->block_bytes;
    *count = (uint32_t)LB_MIN(blocks, root->blocks - *lba);
    return true;
}

static void next_part(struct lb_disk_root *root) {
    enter(root, LB_ROOT_AT_CONTENT);
    if (++root->part_at >= root->part_count)
        end(root, false);
}

static void take_content(struct lb_disk_root *root, struct lb_bytes bytes) {
    uint64_t btrfs_lba = root->parts[root->part_at] + BTRFS_AT / root->block_bytes;
    if (is_in_content(root, bytes))
        end(root, true);
    else if (btrfs_lba < root->blocks)
        enter(root, LB_ROOT_AT_BTRFS);
    else
        next_part(root);
}

void lb_disk_root_got(struct lb_disk_root *root, struct lb_bytes bytes) {
    switch (root->state) {
    case LB_ROOT_AT_TABLE:
        take_table(root, bytes);
        break;
    case LB_ROOT_AT_ENTRIES:
        if (bytes.len < root->entry_bytes)
            read_contents(root); /* of those that are known */
        else
            take_entries(root, bytes);
        break;
    case LB_ROOT_AT_CONTENT:
        take_content(root, bytes);
        break;
    case LB_ROOT_AT_BTRFS:
        if (is_in_btrfs(root, bytes))
            end(root, true);
        else
            next_part(root);
        break;
    case LB_ROOT_AT_END:
        break;
    }
}

bool lb_disk_root_holds(const struct lb_disk_root *root) {
    return root->state == LB_ROOT_AT_END && root->holds;
}
