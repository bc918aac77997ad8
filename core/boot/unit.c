#include "core/boot/unit.h"
#include "core/boot/boot_report.h"

/* ---- beginning and end ---------------------------------------------------------------------- */

void lb_unit_init(struct lb_unit *unit, struct lb_common *common) {
    memset(unit, 0, sizeof *unit);
    unit->common = common;
}

void lb_unit_begin(struct lb_unit *unit) {
    unit->step = LB_NO_STEP;
}

void lb_unit_clear(struct lb_unit *unit) {
    unit->searches = unit->has_disk = unit->is_up = unit->tells_wait = false;
    lb_error_clear(&unit->error);
}

void lb_unit_end_step(struct lb_unit *unit, uint64_t now_us, const char *why) {
    lb_report_end(unit->common->report, now_us, unit->step, LB_DONE_FAILED, "%s", why);
}

bool lb_unit_runs(const struct lb_unit *unit) {
    return unit->has_disk || unit->searches;
}

static const struct lb_config *config_of(const struct lb_unit *unit) {
    return unit->common->plan->config;
}

static void start_disk(struct lb_unit *unit, uint64_t now_us) {
    lb_disk_init(&unit->disk, unit->session, unit->lun,
                 lb_config_u32(config_of(unit), LB_KEY_READY_TIMEOUT), unit->common->trace);
    lb_disk_start(&unit->disk, now_us);
    unit->has_disk = true;
}

static void start_search(struct lb_unit *unit, uint64_t now_us) {
    const struct lb_config *config = config_of(unit);
    struct lb_disk_root root;
    (void)lb_disk_root_parse(lb_bytes_of_text(lb_config_text(config, LB_KEY_LUN_HOLDS)), &root);
    unit->searches = true;
    lb_disk_luns_start(&unit->luns, now_us, unit->session,
                       lb_config_u32(config, LB_KEY_READY_TIMEOUT), &root);
}

void lb_unit_start(struct lb_unit *unit, uint64_t now_us, struct lb_initiator *session,
                   const struct lb_rootpath *target) {
    unit->session = session;
    unit->choice = target->lun_choice;
    memcpy(unit->lun, target->lun, sizeof unit->lun);
    unit->step = lb_report_begin(unit->common->report, now_us, LB_STAGE_DISK,
                                 lb_initiator_peer(session), "%s", target->target);
    if (unit->choice == LB_LUN_AS_GIVEN)
        start_disk(unit, now_us);
    else
        start_search(unit, now_us);
}

/* ---- the LUN, where none is named: the one that is a disk ----------------------------------- */

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
    for (size_t i = 0; i < luns->count && i < 16; i++)
        lb_text_add(text, " %s", lb_lun_text(luns->luns[i]).s);
}

/* A target that is starting has its controller, or nothing, before it has its disks. */
static bool is_decided(struct lb_unit *unit) {
    const struct lb_disk_luns *luns = &unit->luns;
    const char *wanted = lb_config_text(config_of(unit), LB_KEY_LUN_HOLDS);
    char list[LB_FACTS_MAX];
    struct lb_text text = lb_text(list, sizeof list);
    if (!lb_is_ok(lb_disk_luns_error(luns))) {
        unit->error = *lb_disk_luns_error(luns);
    } else if (luns->count == 0) {
        lb_fail(&unit->error, LB_E_LUN_MISSING, "the target lists none");
    } else if (luns->disk_count == 0) {
        list_luns(luns, &text);
        lb_fail(&unit->error, LB_E_LUN_MISSING,
                "none is named, and none of those that there are "
                "is a disk:%s",
                list);
    } else if (luns->disk_count > 1 && luns->holder == luns->disk_count &&
               unit->choice == LB_LUN_ANY) {
        list_disks(luns, &text);
        lb_fail(&unit->error, LB_E_LUN_AMBIGUOUS, "none is named, and %zu are disks%s%s: %s",
                luns->disk_count, wanted[0] != '\0' ? ", and none holds " : "", wanted, list);
    }
    return lb_is_ok(&unit->error);
}

static void take_lun(struct lb_unit *unit, uint64_t now_us) {
    const struct lb_disk_luns *luns = &unit->luns;
    const char *wanted = lb_config_text(config_of(unit), LB_KEY_LUN_HOLDS);
    bool is_found = luns->holder < luns->disk_count;
    memcpy(unit->lun, luns->disks[is_found ? luns->holder : 0].lun, sizeof unit->lun);
    if (is_found)
        lb_report_decided(unit->common->report, now_us, LB_STAGE_DISK, "lun", "its contents",
                          "%s, the one of %zu disks that holds %s", lb_lun_text(unit->lun).s,
                          luns->disk_count, wanted);
    else
        lb_report_decided(unit->common->report, now_us, LB_STAGE_DISK, "lun", "target",
                          "%s, %s of %zu that are disks%s%s", lb_lun_text(unit->lun).s,
                          luns->disk_count == 1 ? "the only one" : "the first", luns->disk_count,
                          luns->disk_count > 1 && wanted[0] != '\0' ? "; none holds " : "",
                          luns->disk_count > 1 ? wanted : "");
}

static enum lb_turn search_turn(struct lb_unit *unit, uint64_t now_us, struct lb_unit_news *news) {
    lb_until(unit->common, lb_disk_luns_poll(&unit->luns, now_us));
    if (!lb_disk_luns_is_over(&unit->luns))
        return LB_TURN_IDLE;
    unit->searches = false;
    if (!is_decided(unit)) {
        *news = (struct lb_unit_news){.what = LB_UNIT_FAILED, .error = &unit->error};
        return LB_TURN_AGAIN;
    }
    take_lun(unit, now_us);
    start_disk(unit, now_us);
    *news = (struct lb_unit_news){.what = LB_UNIT_LUN, .lun = unit->lun};
    return LB_TURN_AGAIN;
}

/* ---- the disk ------------------------------------------------------------------------------- */

static void report_up(struct lb_unit *unit, uint64_t now_us) {
    bool is_searched = unit->choice != LB_LUN_AS_GIVEN; /* then nobody knows it yet */
    lb_report_disk(unit->common->report, now_us, &unit->disk);
    lb_report_end(unit->common->report, now_us, unit->step, LB_DONE_OK, "%s%s%s",
                  lb_disk_info(&unit->disk)->product, is_searched ? ", LUN " : "",
                  is_searched ? lb_lun_text(unit->lun).s : "");
}

/* What a person sees while it lasts. */
static void tell_wait(struct lb_unit *unit, uint64_t now_us) {
    const struct lb_error *why = lb_disk_awaited(&unit->disk);
    if (unit->tells_wait || lb_is_ok(why))
        return;
    unit->tells_wait = true;
    lb_report_told(unit->common->report, now_us, LB_STAGE_DISK, "waits",
                   lb_endpoint_text(lb_initiator_peer(unit->session)).s, "%s: %s",
                   lb_code_word(why->code), why->facts);
}

static enum lb_turn disk_turn(struct lb_unit *unit, uint64_t now_us, struct lb_unit_news *news) {
    lb_until(unit->common, lb_disk_poll(&unit->disk, now_us));
    if (unit->is_up)
        return LB_TURN_IDLE;
    tell_wait(unit, now_us);
    if (!lb_is_ok(lb_disk_error(&unit->disk))) {
        *news = (struct lb_unit_news){.what = LB_UNIT_FAILED, .error = lb_disk_error(&unit->disk)};
        return LB_TURN_AGAIN;
    }
    if (!lb_disk_is_up(&unit->disk))
        return LB_TURN_IDLE;
    report_up(unit, now_us);
    unit->is_up = true;
    news->what = LB_UNIT_UP;
    return LB_TURN_AGAIN;
}

enum lb_turn lb_unit_turn(struct lb_unit *unit, uint64_t now_us, struct lb_unit_news *news) {
    if (unit->searches)
        return search_turn(unit, now_us, news);
    return unit->has_disk ? disk_turn(unit, now_us, news) : LB_TURN_IDLE;
}

uint64_t lb_unit_settle(struct lb_unit *unit, uint64_t now_us) {
    return unit->has_disk ? lb_disk_poll(&unit->disk, now_us) : LB_NEVER;
}

void lb_unit_submit(struct lb_unit *unit, uint64_t now_us, struct lb_disk_op *op) {
    lb_assert(unit->has_disk);
    lb_disk_submit(&unit->disk, now_us, op);
}

struct lb_disk_op *lb_unit_completed(struct lb_unit *unit) {
    return unit->has_disk ? lb_disk_completed(&unit->disk) : NULL;
}
