#include "hosts/linux/loader.h"

#define ROOM_BYTES                                                                                 \
    (LB_LOADER_ROOM_MIN(65536) +                                                                   \
     65536) /* for any block size that the disk may have                  \
                                      */

const char *lb_run_loader_path(const struct lb_config *config) {
    const char *path = lb_config_text(config, LB_KEY_LOADER);
    if (path[0])
        return path;
#if defined(__aarch64__)
    return "\\EFI\\BOOT\\BOOTAA64.EFI";
#elif defined(__riscv) && __riscv_xlen == 64
    return "\\EFI\\BOOT\\BOOTRISCV64.EFI";
#else
    return "\\EFI\\BOOT\\BOOTX64.EFI";
#endif
}

static bool go_on(struct lb_run *run, struct lb_loader *loader) {
    for (;;) {
        struct lb_loader_action action = lb_loader_poll(loader);
        if (action.event == LB_LOADER_FOUND)
            return true;
        if (action.event == LB_LOADER_FAILED)
            break;
        if (!lb_run_read(run, action.lba, action.blocks, action.buffer))
            return false;
        lb_loader_input(loader, NULL);
    }
    lb_fail(&run->error, loader->error.code, "%s", loader->error.facts);
    return false;
}

static void report(struct lb_run *run, const struct lb_loader *loader, const char *path,
                   size_t step, bool found) {
    struct lb_report *to = lb_boot_report(&run->boot);
    uint64_t now_us = lb_now_us();

    if (!found) {
        lb_report_end(to, now_us, step, LB_DONE_FAILED, "%s", lb_code_word(run->error.code));
        lb_fail(&to->error, run->error.code, "%s", run->error.facts);
        return;
    }
    lb_report_learned(to, now_us, LB_STAGE_LOADER, "loader", "disk", "%s, %llu bytes", path,
                      (unsigned long long)loader->file_bytes);
    lb_report_end(to, now_us, step, LB_DONE_OK, "%s", path);
}

bool lb_run_loader_find(struct lb_run *run, struct lb_loader *loader, const char *path) {
    static uint8_t room[ROOM_BYTES];
    const struct lb_disk_info *disk = lb_boot_disk(&run->boot);
    size_t step = lb_report_begin(lb_boot_report(&run->boot), lb_now_us(), LB_STAGE_LOADER,
                                  (struct lb_endpoint){0}, "%s", path);
    bool found;

    lb_loader_init(loader, disk->blocks, disk->block_bytes, path, lb_span(room, sizeof(room)));
    found = go_on(run, loader);
    report(run, loader, path, step, found);
    return found;
}

bool lb_run_loader_more(struct lb_run *run, struct lb_loader *loader) {
    lb_loader_continue(loader);
    return go_on(run, loader);
}
