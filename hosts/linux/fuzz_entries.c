/* What a disk says it can boot: the first byte chooses a boot loader entry, a grub.cfg, a
 * loader.conf, an image's head, an os-release or a pattern. */
#include "hosts/linux/entries.h"
#include "tests/fuzz.h"
#include <string.h>

static struct lb_entries entries;
static char text[4096];

static bool ends(const char *field, size_t cap) {
    return memchr(field, 0, cap) != NULL;
}

static void check_entry(const struct lb_entry *entry) {
    lb_assert(entry->kernel[0] != 0 && !entry->is_left_out);
    lb_assert(ends(entry->id, sizeof(entry->id)) && ends(entry->title, sizeof(entry->title)));
    lb_assert(ends(entry->kernel, sizeof(entry->kernel)));
    lb_assert(ends(entry->options, sizeof(entry->options)));
    lb_assert(entry->initrd_count <= LB_ENTRY_INITRDS_MAX);
    for (size_t i = 0; i < entry->initrd_count; i++)
        lb_assert(entry->initrds[i][0] && ends(entry->initrds[i], sizeof(entry->initrds[i])));
}

static void check_all(void) {
    lb_assert(entries.count <= LB_ENTRIES_MAX);
    for (size_t i = 0; i < entries.count; i++)
        check_entry(&entries.list[i]);
    lb_entries_sort(&entries);
    const struct lb_entry *chosen = lb_entries_choose(&entries, "");
    lb_assert(entries.count == 0 ? !chosen : chosen && chosen->kernel[0]);
}

static void take_file(struct lb_bytes bytes) {
    static struct lb_entry entry;
    struct lb_entry *one;
    if (!lb_entry_parse(bytes, "name+1", &entries.grub, &entry))
        return;
    check_entry(&entry);
    one = lb_entries_add(&entries);
    *one = entry;
}

static void take_image(struct lb_bytes bytes) {
    struct lb_image image;
    uint64_t file_len = UINT64_C(1) << 20;
    if (!lb_image_parse(bytes, file_len, &image))
        return;
    const struct lb_image_part parts[] = {image.kernel, image.initrd, image.options, image.release};
    lb_assert(image.kernel.len > 0);
    for (size_t i = 0; i < LB_COUNT(parts); i++)
        lb_assert((uint64_t)parts[i].offset + parts[i].len <= file_len);
}

/* "PATTERN\nTEXT": what has no star or question mark matches itself alone. */
static void take_pattern(struct lb_bytes bytes) {
    struct lb_bytes pattern;
    char one[512], other[512];
    if (!lb_list_next(&bytes, '\n', &pattern) || !lb_text_copy(one, sizeof(one), pattern) ||
        !lb_text_copy(other, sizeof(other), bytes))
        return;
    bool matches = lb_pattern_matches(one, other);
    lb_assert(strpbrk(one, "*?") || matches == lb_streq(one, other));
    lb_assert(lb_pattern_matches("*", other) && lb_pattern_matches(other, other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(data, size), 1);
    entries.count = entries.dropped = 0;
    entries.wanted[0] = 0;
    entries.preferred = 0;
    entries.has_blscfg = entries.is_wanted_once = false;
    memset(&entries.grub, 0, sizeof(entries.grub));
    switch (size > 0 ? data[0] : 0) {
    case 'e':
        take_file(bytes);
        break;
    case 'l':
        lb_entries_loader_conf(&entries, bytes);
        break;
    case 'i':
        take_image(bytes);
        break;
    case 'r':
        text[0] = 0;
        lb_release_value(bytes, "PRETTY_NAME", text, sizeof(text));
        lb_release_value(bytes, "ID", text, 8);
        lb_assert(strlen(text) < sizeof(text));
        break;
    case 'p':
        take_pattern(bytes);
        break;
    default:
        lb_entries_grub(&entries, bytes, 0);
    }
    check_all();
    return 0;
}
