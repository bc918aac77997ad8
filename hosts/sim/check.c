/* What must never be. */
#include "hosts/sim/sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_BYTE   0xc7
#define FRESH_BYTE   0xa5
#define FRESH_RUN    16 /* so many in a row are nobody's data */
#define CLEAN_US     (30 * LB_US_SEC)
#define FAULTS_US    (130 * LB_US_SEC)
#define GATE_US      (60 * LB_US_SEC) /* one that forgot all is noticed, and agreed with anew */
#define SILENT_STEPS 3                /* abort, reset, new session */
#define SILENT_NAMES 2                /* the first name is aborted; then a few seconds for each */
#define STOP_US_MAX  (6 * LB_US_SEC)  /* two for the logout, three that the host may be late */

/* ---- guards ---------------------------------------------------------------------------------- */

uint8_t *sim_guarded(size_t len) {
    uint8_t *memory = malloc(len + (size_t)2 * SIM_GUARD);
    if (memory == NULL)
        abort();
    memset(memory, GUARD_BYTE, SIM_GUARD);
    memset(memory + SIM_GUARD, FRESH_BYTE, len);
    memset(memory + SIM_GUARD + len, GUARD_BYTE, SIM_GUARD);
    return memory;
}

void sim_check_guards(struct sim *sim, const uint8_t *memory, size_t len, const char *whose) {
    const uint8_t *after = memory + SIM_GUARD + len;
    for (size_t i = 0; i < SIM_GUARD; i++)
        if (memory[i] != GUARD_BYTE || after[i] != GUARD_BYTE) {
            sim_violation(&sim->world, "bytes were written outside of the buffer of %s", whose);
            return;
        }
}

/* ---- where bytes go and come from ------------------------------------------------------------ */

static bool is_within(const uint8_t *p, size_t len, const uint8_t *room, size_t room_len) {
    return p >= room && p + len <= room + room_len;
}

static bool is_buffer(const struct sim *sim, const uint8_t *p, size_t len, enum lb_disk_kind kind) {
    for (size_t i = 0; i < SIM_OPS_MAX; i++) {
        const struct sim_op *op = &sim->work.ops[i];
        if (op->is_out && op->op.kind == kind && op->memory != NULL &&
            is_within(p, len, op->memory + SIM_GUARD, op->len))
            return true;
    }
    return false;
}

static bool is_engines(const struct sim *sim, const uint8_t *p, size_t len) {
    return is_within(p, len, (const uint8_t *)&sim->boot, sizeof sim->boot) ||
           is_within(p, len, sim->rx + SIM_GUARD, SIM_RX_BYTES);
}

void sim_check_where(struct sim *sim, struct lb_span span) {
    if (span.len == 0)
        sim_violation(&sim->world, "the engine wants to receive into an empty span");
    else if (!is_engines(sim, span.p, span.len) && !is_buffer(sim, span.p, span.len, LB_DISK_READ))
        sim_violation(&sim->world, "%zu bytes are to be received outside of any buffer", span.len);
}

void sim_check_gather(struct sim *sim, struct lb_bytes piece) {
    if (!is_engines(sim, piece.p, piece.len) && !is_buffer(sim, piece.p, piece.len, LB_DISK_WRITE))
        sim_violation(&sim->world, "%zu bytes are to be sent from outside of any buffer",
                      piece.len);
}

/* ---- completions ----------------------------------------------------------------------------- */

/* Also an enemy cannot have a read completed that was not written whole. */
static void check_whole(struct sim *sim, const struct sim_op *op) {
    size_t fresh = 0;
    for (size_t i = 0; i < op->len && fresh < FRESH_RUN; i++)
        fresh = op->op.buffer[i] == FRESH_BYTE ? fresh + 1 : 0;
    if (fresh == FRESH_RUN)
        sim_violation(&sim->world, "a read is done, and a part of its buffer was not written");
}

static void check_read(struct sim *sim, const struct sim_op *op) {
    const struct sim_disk *disk = &sim->disk;
    uint64_t now_us = sim->world.now_us;
    for (uint32_t i = 0; i < op->op.blocks; i++) {
        const uint8_t *block = op->op.buffer + (size_t)i * disk->block_bytes;
        unsigned long long lba = op->op.lba + i;
        uint32_t version = 0;
        if (!sim_block_version(block, disk->block_bytes, lba, &version))
            sim_violation(&sim->world, "block %llu was read, and is nothing the disk ever had",
                          lba);
        else if (version == SIM_SWAP_VERSION)
            sim_violation(&sim->world, "block %llu was read from another disk than was booted",
                          lba);
        else if (!sim_disk_had(disk, lba, version, op->submit_us, now_us))
            sim_violation(&sim->world,
                          "block %llu was read as write %u left it, which it was not at that time",
                          lba, version);
        else
            continue;
        return;
    }
}

static void check_write(struct sim *sim, const struct sim_op *op) {
    struct sim_disk *disk = &sim->disk;
    for (uint32_t i = 0; i < op->op.blocks; i++) {
        uint64_t lba = op->op.lba + i;
        uint64_t seq = sim_disk_written(disk, lba, op->version, op->submit_us, sim->world.now_us);
        if (seq == 0) {
            sim_violation(&sim->world, "write %u is completed, and block %llu was not written",
                          op->version, (unsigned long long)lba);
            return;
        }
        if (op->op.force_unit_access && !sim_disk_is_safe(disk, lba, seq))
            sim_violation(&sim->world, "write %u is completed, and not through the cache",
                          op->version);
        sim->work.must[lba] = LB_MAX(sim->work.must[lba], seq);
    }
}

/* Writes that a flush called unsure are told: nothing is promised of them any more. */
static void forget_unsure(struct sim *sim, const struct sim_op *op) {
    for (uint64_t lba = 0; lba < sim->disk.blocks; lba++)
        if (sim->work.must[lba] <= op->must[lba])
            sim->work.must[lba] = 0;
    for (size_t i = 0; i < SIM_OPS_MAX; i++) {
        struct sim_op *other = &sim->work.ops[i];
        for (uint64_t lba = 0; other->is_out && other->must != NULL && lba < sim->disk.blocks;
             lba++)
            if (other->must[lba] <= op->must[lba])
                other->must[lba] = 0;
    }
}

static void check_flush(struct sim *sim, const struct sim_op *op) {
    for (uint64_t lba = 0; lba < sim->disk.blocks; lba++)
        if (!sim_disk_is_safe(&sim->disk, lba, op->must[lba])) {
            sim_violation(
                &sim->world, "a flush is completed, and block %llu %s", (unsigned long long)lba,
                sim->disk.durable_seq[lba] >= op->must[lba] ? "was lost" : "is not durable");
            return;
        }
}

static void check_error(struct sim *sim, const struct lb_error *error, const char *what) {
    sim_swap_check_error(sim, error->code);
    if (error->code <= LB_OK || error->code >= LB_CODE_COUNT)
        sim_violation(&sim->world, "%s failed with the code %u", what, (unsigned)error->code);
    else if (error->facts[0] == '\0')
        sim_violation(&sim->world, "%s failed with %s and no facts", what,
                      lb_code_word(error->code));
}

void sim_check_completion(struct sim *sim, struct sim_op *op) {
    bool outside = op->op.kind != LB_DISK_FLUSH &&
                   (op->op.lba > sim->disk.blocks || op->op.blocks > sim->disk.blocks - op->op.lba);
    if (op->memory != NULL)
        sim_check_guards(sim, op->memory, op->len, "a request");
    if (!lb_is_ok(&op->op.error)) {
        check_error(sim, &op->op.error, "a request");
        if (op->op.error.code == LB_E_WRITES_UNSURE)
            forget_unsure(sim, op);
        if (sim->plan.is_clean && !outside && !sim->is_out)
            sim_violation(&sim->world, "a request failed without any fault: %s: %s",
                          lb_code_word(op->op.error.code), op->op.error.facts);
        return;
    }
    if (op->op.kind == LB_DISK_READ)
        check_whole(sim, op);
    if (sim->disk.distrusted)
        return;
    if (outside)
        sim_violation(&sim->world, "a request beyond the end of the disk is done");
    else if (op->op.kind == LB_DISK_READ)
        check_read(sim, op);
    else if (op->op.kind == LB_DISK_WRITE)
        check_write(sim, op);
    else
        check_flush(sim, op);
}

/* ---- each end of the other ------------------------------------------------------------------- */

/* What is no fault of the initiator's bytes. */
static bool is_harmless(const struct sim *sim, const char *reason) {
    static const char *const reasons[] = {
        "", /* the connection was lost, or closed by the other end */
        "logged out",
        "another login took its place",
        "target moved temporarily",
        "target moved permanently",
        "service unavailable",
        "out of resources",
        "dropped by the host",
        "no logout in time",
        "no login in time",
        "no answer to a NOP-In",
        "a wrong digest",
    };
    for (size_t i = 0; i < LB_COUNT(reasons); i++)
        if (strcmp(reason, reasons[i]) == 0)
            return strcmp(reason, "a wrong digest") != 0 || sim->world.seen[SIM_FLIPPED];
    return false;
}

/* An answer of DHCP that was altered may name anything. */
static bool is_garbled(const struct sim *sim) {
    const bool *seen = sim->world.seen;
    return seen[SIM_CORRUPTED] || seen[SIM_TRUNCATED] || seen[SIM_DHCP_LIES];
}

void sim_check_reason(struct sim *sim, const char *reason) {
    bool refused =
        sim->plan.wrong != SIM_WRONG_NONE || sim->plan.late == SIM_LATE_NAME || is_garbled(sim);
    if (!sim->plan.is_hostile && !refused && !is_harmless(sim, reason))
        sim_violation(&sim->world, "a target ended a connection: %s", reason);
}

void sim_check_session(struct sim *sim) {
    const struct lb_error *error = &sim->boot.path.session.last_error;
    if (lb_is_ok(error))
        error = &sim->boot.path.session.error;
    if (sim->plan.is_hostile || sim->has_protest || sim->world.seen[SIM_FORGED_PDU] ||
        (error->code != LB_E_PROTOCOL && error->code != LB_E_LOGIN_PROTOCOL))
        return;
    sim->has_protest = true;
    sim_violation(&sim->world, "without an enemy the engine says %s: %s", lb_code_word(error->code),
                  error->facts);
}

/* ---- text ------------------------------------------------------------------------------------ */

void sim_check_line(struct sim *sim, const char *line) {
    for (size_t i = 0; i < sim->secret_count; i++)
        if (strstr(line, sim->secrets[i]) != NULL)
            sim_violation(&sim->world, "a secret is shown: number %zu", i);
    sim_tunnel_check_line(sim, line);
    for (const char *c = line; *c != '\0'; c++)
        if (((uint8_t)*c < 0x20 && *c != '\n') || *c == 0x7f) {
            sim_violation(&sim->world, "a control character is shown: %02x", (unsigned)(uint8_t)*c);
            return;
        }
}

/* CHAP proves a secret without saying it. */
void sim_check_sent(struct sim *sim, struct lb_bytes bytes) {
    for (size_t i = 0; i < sim->secret_count; i++) {
        size_t len = strlen(sim->secrets[i]);
        for (size_t at = 0; at + len <= bytes.len; at++)
            if (memcmp(bytes.p + at, sim->secrets[i], len) == 0)
                sim_violation(&sim->world, "a secret is sent: number %zu", i);
    }
}

static void check_step(struct sim *sim, const struct lb_step *step) {
    const char *stage = lb_stage_word(step->stage);
    if (step->outcome == LB_RUNNING)
        sim_violation(&sim->world, "the report's step '%s' (%s) is still running at the end", stage,
                      step->note);
    else if (step->end_us < step->start_us || step->end_us > sim->world.now_us)
        sim_violation(&sim->world, "the report's step '%s' ends before it starts", stage);
    bool explained = step->note[0] != '\0' && strcmp(step->note, "ok") != 0;
    if (step->outcome == LB_DONE_FAILED && !explained)
        sim_violation(&sim->world, "the report's step '%s' failed without a reason: '%s'", stage,
                      step->note);
    if (step->start_us < sim->boot.report.start_us)
        sim_violation(&sim->world, "the report's step '%s' starts before the boot", stage);
}

void sim_check_report(struct sim *sim) {
    static char shown[262144];
    const struct lb_report *report = lb_boot_report(&sim->boot);
    uint64_t before_us = 0;
    for (size_t i = 0; i < report->step_count; i++) {
        check_step(sim, &report->steps[i]);
        if (report->steps[i].start_us < before_us)
            sim_violation(&sim->world, "the report's steps are not in order");
        before_us = report->steps[i].start_us;
    }
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_report_json(report, &text);
    lb_report_waterfall(report, &text, 100, false);
    lb_report_facts(report, &text);
    if (text.cut)
        sim_violation(&sim->world, "the report is longer than %zu bytes", sizeof shown);
    sim_check_line(sim, shown);
}

/* ---- in time --------------------------------------------------------------------------------- */

/* How long a boot may take from when nothing is in its way any more: what was under way is waited
 * for, then comes the longest pause between attempts, and an attempt. */
static uint64_t ready_within_us(const struct sim *sim) {
    const struct sim_plan *plan = &sim->plan;
    const struct lb_config *config = &sim->config;
    const uint16_t *chance = sim->world.chance;
    uint64_t task_us = lb_config_u32(config, LB_KEY_TASK_TIMEOUT) * LB_US_MS;
    bool has_silent_io = chance[SIM_IO_STUCK] + chance[SIM_IO_FORGOTTEN] + chance[SIM_LUN_HUNG] > 0;
    if (plan->is_clean)
        return CLEAN_US;
    /* Beyond a window that hostile bytes told too large, a target is silent to each command. */
    if (plan->is_hostile)
        return FAULTS_US + (SILENT_NAMES + SILENT_STEPS) * task_us;
    if (plan->silent & LB_SILENT_VPD)
        return FAULTS_US + SILENT_NAMES * task_us;
    uint64_t gate_us = plan->has_ipsec ? GATE_US : 0;
    return FAULTS_US + gate_us + (has_silent_io ? SILENT_STEPS * task_us : 0);
}

void sim_check_ready(struct sim *sim) {
    uint64_t good_us = sim->plan.is_clean ? LB_US_SEC : sim->world.calm_us;
    good_us = LB_MAX(good_us, sim->plan.late_until_us);
    if (sim->world.now_us > good_us + ready_within_us(sim))
        sim_violation(&sim->world, "the disk is there %llu s after nothing was in the way any more",
                      (unsigned long long)((sim->world.now_us - good_us) / LB_US_SEC));
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The one with the root path was not heard, and the other was taken. */
static bool is_of_other_server(const struct sim *sim, const struct lb_error *error) {
    const struct sim_plan *plan = &sim->plan;
    bool has_two = plan->net4 && plan->net6 && plan->root4 != plan->root6;
    bool has_other = plan->two_servers || plan->proxy || has_two;
    bool knows_nothing = error->code == LB_E_NO_ROOT_PATH || error->code == LB_E_DISCOVERY_SILENT;
    return knows_nothing && has_other;
}

/* One of the name's addresses is nobody's. */
static bool is_of_dead_address(const struct sim *sim, const struct lb_error *error) {
    const struct sim_plan *plan = &sim->plan;
    bool is_silent = error->code == LB_E_CONNECT_TIMEOUT ||
                     (plan->has_ipsec && error->code == LB_E_IPSEC_SILENT);
    return plan->uses_name && plan->dead_address && is_silent;
}

/* Of a name's addresses one may be of a family that was not set up by then, or a dead one. */
static bool is_unreached(const struct sim *sim, const struct lb_error *error) {
    const struct sim_plan *plan = &sim->plan;
    bool is_other = plan->net4 && plan->net6 &&
                    (error->code == LB_E_CONNECT_UNREACHABLE || error->code == LB_E_REDIRECT_DEAD);
    return (is_of_dead_address(sim, error) || (plan->uses_name && is_other)) &&
           plan->wrong >= SIM_WRONG_REFUSED;
}

/* An impostor answers, and none of it can be used. */
static bool is_impostors(const struct sim *sim, const struct lb_error *error) {
    enum lb_code code = sim_wrong_code(sim->plan.wrong);
    return sim->plan.has_impostor &&
           ((code == LB_E_DHCP6_NO_ANSWER && error->code == LB_E_DHCP6_UNUSABLE) ||
            (code == LB_E_DHCP_NO_OFFER && error->code == LB_E_DHCP_UNUSABLE));
}

/* A gate that cannot be agreed with is named as such. */
static void check_ipsec(struct sim *sim, const struct lb_error *error) {
    static const enum lb_code codes[SIM_IPSEC_WRONGS_ALL] = {
        [SIM_IPSEC_WELL] = LB_OK,
        [SIM_IPSEC_KEY] = LB_E_IPSEC_AUTH,
        [SIM_IPSEC_ID] = LB_E_IPSEC_AUTH,
        [SIM_IPSEC_SILENT] = LB_E_IPSEC_SILENT,
        [SIM_IPSEC_MODE] = LB_E_IPSEC_SELECTOR,
        [SIM_IPSEC_NARROW] = LB_E_IPSEC_SELECTOR,
    };
    enum lb_code code = codes[sim->plan.ipsec_wrong];
    if (sim->is_ready)
        sim_violation(&sim->world, "booted through a gate that is not agreed with");
    else if (sim->plan.isns != SIM_ISNS_NONE && error->code == LB_E_DISCOVERY_SILENT)
        return; /* the gate before the iSNS server is such a one, too */
    else if (error->code == LB_E_IPSEC_SILENT &&
             (is_of_dead_address(sim, error) || sim->plan.isns_dead_portal))
        return; /* nobody is there who could agree */
    else if (sim->plan.is_clean && sim->is_failed && error->code != code)
        sim_violation(&sim->world, "what is wrong is %s, and it was told as %s: %s",
                      lb_code_word(code), lb_code_word(error->code), error->facts);
}

static void check_code(struct sim *sim, const struct lb_error *error) {
    enum lb_code code = sim_wrong_code(sim->plan.wrong);
    bool clean = sim->plan.is_clean;
    if (sim->plan.ipsec_wrong != SIM_IPSEC_WELL)
        return;
    if (sim->plan.wrong == SIM_WRONG_NONE) {
        if (clean)
            sim_violation(&sim->world, "the boot failed without any fault: %s: %s",
                          lb_code_word(error->code), error->facts);
        else if (sim->plan.must_boot && !sim->is_ready && !is_of_other_server(sim, error))
            sim_violation(&sim->world, "the faults have stopped, and the boot failed: %s: %s",
                          lb_code_word(error->code), error->facts);
    } else if (clean && code != LB_CODE_COUNT && code != error->code && !is_unreached(sim, error) &&
               !is_impostors(sim, error)) {
        sim_violation(&sim->world, "what is wrong is '%s', and it was told as %s: %s",
                      sim_wrong_word(sim->plan.wrong), lb_code_word(error->code), error->facts);
    }
}

void sim_check_outcome(struct sim *sim) {
    const struct lb_error *error = &lb_boot_report(&sim->boot)->error;
    sim_check_report(sim);
    sim_check_guards(sim, sim->rx, SIM_RX_BYTES, "the staging room");
    if (sim->is_failed) {
        check_error(sim, error, "the boot");
        check_code(sim, error);
    } else if (sim->is_ready && !lb_is_ok(error)) {
        sim_violation(&sim->world, "the engine is out as asked, and tells an error: %s: %s",
                      lb_code_word(error->code), error->facts);
    } else if (sim->is_early) {
        if (sim->world.now_us > sim->stop_told_us + STOP_US_MAX)
            sim_violation(&sim->world, "stopped, and out only after %llu ms",
                          (unsigned long long)((sim->world.now_us - sim->stop_told_us) / LB_US_MS));
    } else if (sim->is_ready && !sim->work.is_over) {
        sim_violation(&sim->world, "the engine is out before the disk's user was done");
    }
    if (sim->is_ready && sim->plan.wrong != SIM_WRONG_NONE && !is_garbled(sim))
        sim_violation(&sim->world, "booted, though this is wrong: %s",
                      sim_wrong_word(sim->plan.wrong));
    if (sim->plan.ipsec_wrong != SIM_IPSEC_WELL)
        check_ipsec(sim, error);
    unsigned logins = lb_initiator_logins(&sim->boot.path.session);
    if (sim->plan.is_clean && sim->is_ready && logins != 1)
        sim_violation(&sim->world, "%u logins without any fault", logins);
    if (!sim_slots_are_closed(sim))
        sim_violation(&sim->world, "the engine has ended, and left a slot open");
}
