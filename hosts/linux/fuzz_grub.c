/* GRUB's files: an environment block up to the first NUL, then a grub.cfg, which is read as an
 * entry file, too. */
#include "hosts/linux/entries.h"
#include "tests/fuzz.h"
#include <string.h>

static void check_entry(const struct lb_entry *entry) {
    lb_assert(entry->kernel[0] != 0 && entry->initrd_count <= LB_ENTRY_INITRDS_MAX);
    lb_assert(!strchr(entry->options, LB_GRUB_UNSET) && !strchr(entry->options, LB_GRUB_UNKNOWN));
    lb_assert(!strchr(entry->kernel, LB_GRUB_UNSET) && !strchr(entry->kernel, LB_GRUB_UNKNOWN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_entries entries;
    static struct lb_entry entry;
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t block_len = nul ? (size_t)(nul - data) : 0, at = nul ? block_len + 1 : 0;
    struct lb_bytes text = lb_bytes(data + at, size - at);
    const struct lb_entry *chosen;
    memset(&entries, 0, sizeof(entries));
    entries.grub.block = lb_bytes(data, block_len);
    lb_entries_grub(&entries, text, 0);
    for (size_t i = 0; i < entries.count; i++) {
        check_entry(&entries.list[i]);
        lb_assert(entries.list[i].kernel[0] == '/');
    }
    chosen = lb_entries_choose(&entries, "");
    lb_assert((chosen != NULL) == (entries.count > 0));
    lb_assert(!chosen || (chosen >= entries.list && chosen < entries.list + entries.count));
    (void)lb_entries_is_once(&entries, chosen);
    lb_assert(entries.grub.len <= sizeof(entries.grub.pool));
    if (lb_entry_parse(text, "name", &entries.grub, &entry))
        lb_assert(entry.kernel[0] != 0 && entry.initrd_count <= LB_ENTRY_INITRDS_MAX);
    return 0;
}
