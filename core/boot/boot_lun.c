/* Which LUN is booted, where none is named: the one that is a disk. */
#include "core/boot/boot_state.h"

static void start_disk(struct lb_boot *boot, uint64_t now_us) {
    lb_disk_init(&boot->disk, &boot->path.session, boot->choice.target.lun,
                 lb_config_u32(boot->setup.config, LB_KEY_READY_TIMEOUT), &boot->trace);
    lb_disk_start(&boot->disk, now_us);
    boot->disk_started = true;
}

void lb_lun_stage_start(struct lb_boot *boot, uint64_t now_us) {
    if (boot->choice.target.lun_choice == LB_LUN_AS_GIVEN) {
        start_disk(boot, now_us);
        return;
    }
    struct lb_disk_root root;
    (void)lb_disk_root_parse(lb_bytes_of_text(lb_config_text(boot->setup.config, LB_KEY_LUN_HOLDS)),
                             &root);
    boot->luns_run = true;
    lb_disk_luns_start(&boot->luns, now_us, &boot->path.session,
                       lb_config_u32(boot->setup.config, LB_KEY_READY_TIMEOUT), &root);
}

/* "LUN 1 (VENDOR PRODUCT), LUN 2 (...)" */
static void list_disks(const struct lb_disk_luns *luns, struct lb_text *text) {
    for (size_t i = 0; i < luns->disk_count && i < 8; i++) {
        const struct lb_disk_lun *disk = &luns->disks[i];
        lb_text_add(text, "%sLUN %s (%s %s)", i > 0 ? ", " : "", lb_lun_text(disk->lun).s,
                    disk->vendor, disk->product);
    }
    if (luns->disk_count > 8)
        lb_text_add(text, " and more");
}

static void list_luns(const struct lb_disk_luns *luns, struct lb_text *text) {
    for (size_t i = 0; i < luns->count && i < 16; i++) {
        lb_text_add(text, " %s", lb_lun_text(luns->luns[i]).s);
    }
}

/* A target that is starting has its controller, or nothing, before it has its disks. */
static bool is_decided(struct lb_boot *boot) {
    const struct lb_disk_luns *luns = &boot->luns;
    char list[LB_FACTS_MAX];
    struct lb_text text = lb_text(list, sizeof list);
    if (!lb_is_ok(lb_disk_luns_error(luns)))
        lb_fail(&boot->error, lb_disk_luns_error(luns)->code, "%s",
                lb_disk_luns_error(luns)->facts);
    else if (luns->count == 0)
        lb_fail(&boot->error, LB_E_LUN_MISSING, "the target lists none");
    else if (luns->disk_count == 0) {
        list_luns(luns, &text);
        lb_fail(&boot->error, LB_E_LUN_MISSING,
                "none is named, and none of those that there are "
                "is a disk:%s",
                list);
    } else if (luns->disk_count > 1 && luns->holder == luns->disk_count &&
               boot->choice.target.lun_choice == LB_LUN_ANY) {
        const char *wanted = lb_config_text(boot->setup.config, LB_KEY_LUN_HOLDS);
        list_disks(luns, &text);
        lb_fail(&boot->error, LB_E_LUN_AMBIGUOUS, "none is named, and %zu are disks%s%s: %s",
                luns->disk_count, wanted[0] != '\0' ? ", and none holds " : "", wanted, list);
    }
    return lb_is_ok(&boot->error);
}

static void take_lun(struct lb_boot *boot, uint64_t now_us) {
    const struct lb_disk_luns *luns = &boot->luns;
    const char *wanted = lb_config_text(boot->setup.config, LB_KEY_LUN_HOLDS);
    bool is_found = luns->holder < luns->disk_count;
    memcpy(boot->choice.target.lun, luns->disks[is_found ? luns->holder : 0].lun,
           sizeof boot->choice.target.lun);
    boot->choice.target.lun_given = true;
    boot->choice.target.lun_choice = LB_LUN_AS_GIVEN;
    if (is_found)
        lb_report_decided(&boot->report, now_us, LB_STAGE_DISK, "lun", "its contents",
                          "%s, the one of %zu disks that holds %s",
                          lb_lun_text(boot->choice.target.lun).s, luns->disk_count, wanted);
    else
        lb_report_decided(&boot->report, now_us, LB_STAGE_DISK, "lun", "target",
                          "%s, %s of %zu that are disks%s%s",
                          lb_lun_text(boot->choice.target.lun).s,
                          luns->disk_count == 1 ? "the only one" : "the first", luns->disk_count,
                          luns->disk_count > 1 && wanted[0] != '\0' ? "; none holds " : "",
                          luns->disk_count > 1 ? wanted : "");
}

enum lb_turn lb_lun_stage_turn(struct lb_boot *boot, uint64_t now_us) {
    lb_until(&boot->common, lb_disk_luns_poll(&boot->luns, now_us));
    if (!lb_disk_luns_is_over(&boot->luns))
        return LB_TURN_IDLE;
    boot->luns_run = false;
    if (!is_decided(boot)) {
        lb_boot_attempt_failed(boot);
        return LB_TURN_AGAIN;
    }
    take_lun(boot, now_us);
    start_disk(boot, now_us);
    return LB_TURN_AGAIN;
}
