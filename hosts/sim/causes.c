/* Nothing is lost without a cause: each end of a session, each task management function and each
 * silence that goes unnoticed is held against what the witness saw. */
#include "core/initiator/initiator_session.h"
#include "hosts/sim/sim.h"
#include <stdio.h>

#define NOTICED_US                                                                                 \
    (10 * LB_US_SEC) /* how much later than its pings allow a silence may be noticed */

static uint64_t patience_us(const struct sim *sim) {
    return sim->boot.path.session.config.task_ms * LB_US_MS;
}

/* A host that was away has to read what came in the meantime before it judges. */
static bool is_hasty(const struct sim *sim) {
    return sim->witness.away_us == sim->world.now_us;
}

static bool is_past(const struct sim *sim, uint64_t since_us, uint64_t wait_us) {
    return sim->world.now_us >= since_us + wait_us;
}

/* What the client had to say did not leave it: it counts from when it was ready to be sent, and the
 * time in which the host was away does not count. */
static bool was_held(const struct sim *sim) {
    const struct sim_wire *wire = &sim->witness.wire;
    uint64_t since_us = wire->held_us;
    if (sim->witness.away_us != LB_NEVER)
        since_us = LB_MAX(since_us, sim->witness.away_us);
    return wire->is_held || (wire->held_us != 0 && !is_past(sim, since_us, patience_us(sim)));
}

/* A host may be a little late with what its session has ready; the session's clock runs by then. */
static bool is_silent_now(const struct sim *sim) {
    const struct sim_sents *sent = &sim->witness.wire.sent;
    uint64_t wait_us = patience_us(sim) - LB_INITIATOR_LATE_MS * LB_US_MS;
    for (size_t i = 0; i < sent->count; i++)
        if (is_past(sim, sent->at[i].active_us, wait_us))
            return true;
    return false;
}

/* Questions that a disk comes up without are not waited for as long as the others. */
static bool is_overdue(const struct sim *sim, const struct sim_sent *sent) {
    const uint8_t *cdb = sent->cdb;
    bool is_question = cdb[0] == LB_SCSI_MODE_SENSE_6 || cdb[0] == LB_SCSI_REPORT_LUNS ||
                       cdb[0] == LB_SCSI_READ_CAPACITY_10 ||
                       cdb[0] == LB_SCSI_SERVICE_ACTION_IN_16 ||
                       (cdb[0] == LB_SCSI_INQUIRY && (cdb[1] & 1) != 0);
    return is_question &&
           is_past(sim, sent->active_us, (LB_DISK_OPTIONAL_MS - LB_INITIATOR_LATE_MS) * LB_US_MS);
}

static void note_overdue(struct sim *sim) {
    const struct sim_sents *sent = &sim->witness.wire.sent;
    struct sim_overdue *overdue = &sim->witness.overdue;
    if (overdue->at_us == sim->world.now_us)
        return;
    *overdue = (struct sim_overdue){.at_us = sim->world.now_us};
    for (size_t i = 0; i < sent->count && overdue->count < SIM_OVERDUE_MAX; i++)
        if (is_overdue(sim, &sent->at[i]))
            overdue->itts[overdue->count++] = sent->at[i].itt;
}

/* Before a poll: an engine that is on time may judge first and read then. */
void sim_cause_of_poll(struct sim *sim) {
    if (sim->boot.path.session.promised_us <= sim->world.now_us && is_silent_now(sim))
        sim->witness.silent_us = sim->world.now_us;
    note_overdue(sim);
}

static bool has_silent_command(const struct sim *sim) {
    return sim->witness.silent_us == sim->world.now_us || is_silent_now(sim);
}

static bool has_silent_management(const struct sim *sim) {
    const struct sim_wire *wire = &sim->witness.wire;
    return wire->tmf_was_refused ||
           (wire->tmf_is_out && is_past(sim, wire->tmf_us, patience_us(sim)));
}

/* ---- task management ------------------------------------------------------------------------- */

static bool is_optional(const struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    const struct sim_overdue *overdue = &sim->witness.overdue;
    bool is_now = overdue->at_us == sim->world.now_us && pdu->tmf.function == LB_TMF_ABORT_TASK;
    for (size_t i = 0; is_now && i < overdue->count; i++)
        if (overdue->itts[i] == pdu->tmf.ref_task_tag)
            return true;
    return false;
}

/* It may have waited for room in the stream since before the host was away. */
static bool is_decided_now(const struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    const struct lb_initiator *session = &sim->boot.path.session;
    bool is_ladder = session->tmf.is_out && session->tmf.itt == pdu->itt;
    return (is_ladder ? session->tmf.sent_us : session->aborts_us) >= sim->world.now_us;
}

void sim_cause_of_management(struct sim *sim, const struct lb_iscsi_pdu *pdu) {
    const struct sim_wire *wire = &sim->witness.wire;
    const char *what =
        pdu->tmf.function == LB_TMF_ABORT_TASK ? "a command is aborted" : "a logical unit is reset";
    if (wire->is_spoiled || is_optional(sim, pdu))
        return;
    if (!is_decided_now(sim, pdu))
        return;
    if (is_hasty(sim))
        sim_violation(&sim->world, "%s before the host has read what came while it was away", what);
    else if (!has_silent_command(sim) && !wire->tmf_was_refused && !was_held(sim))
        sim_violation(&sim->world, "%s, and none was silent for %u ms", what,
                      sim->boot.path.session.config.task_ms);
}

/* ---- the end of a session -------------------------------------------------------------------- */

static const char *why_timeout(const struct sim *sim) {
    const struct sim_wire *wire = &sim->witness.wire;
    bool is_closed = lb_sn_before(wire->max_cmd_sn, wire->cmd_sn);
    if (is_hasty(sim))
        return "the host has not read what came while it was away";
    if (!has_silent_command(sim) && !has_silent_management(sim) && !is_closed && !was_held(sim))
        return "no command was silent for so long";
    return NULL;
}

static const char *why_lost(const struct sim *sim) {
    const struct sim_wire *wire = &sim->witness.wire;
    uint64_t ping_us = sim->boot.path.session.config.ping_ms * LB_US_MS;
    if (wire->is_told)
        return NULL;
    if (is_hasty(sim))
        return "the host has not read what came while it was away";
    if (!is_past(sim, wire->heard_us, ping_us))
        return "the target was heard";
    return NULL;
}

/* Why this error is none of the world's; NULL: it has a cause. */
static const char *find_fault(const struct sim *sim, const struct lb_error *error) {
    const struct sim_wire *wire = &sim->witness.wire;
    switch ((unsigned)error->code) {
    case LB_E_TASK_TIMEOUT:
        return why_timeout(sim);
    case LB_E_CONNECTION_LOST:
        return why_lost(sim);
    case LB_E_TARGET_LOGOUT:
        return wire->was_asked_out ? NULL : "the target did not ask for it";
    case LB_E_DIGEST:
        return sim->world.seen[SIM_FLIPPED] ? NULL : "no byte was changed";
    default:
        return NULL;
    }
}

static void session_ended(struct sim *sim, bool is_for_good) {
    const struct lb_initiator *session = &sim->boot.path.session;
    const struct lb_error *error = is_for_good ? &session->error : &session->last_error;
    if (lb_is_ok(error))
        return;
    const char *fault = sim->witness.wire.is_spoiled ? NULL : find_fault(sim, error);
    if (fault != NULL)
        snprintf(sim->witness.suspect, sizeof sim->witness.suspect, "%s: %.120s, but %s",
                 lb_code_word(error->code), error->facts, fault);
    if (error->code != LB_E_TARGET_LOGOUT) /* then the wait is the target's word */
        sim->witness.lost_us = sim->world.now_us;
}

/* What was forged is told as what it is. */
static void check_forged(struct sim *sim, bool is_for_good) {
    struct sim_wire *wire = &sim->witness.wire;
    const struct lb_initiator *session = &sim->boot.path.session;
    const struct lb_error *error = is_for_good ? &session->error : &session->last_error;
    int conn = sim->slots[LB_BOOT_SLOT_SESSION].conn;
    bool was_read = wire->forged != NULL && conn >= 0 && sim->conns[conn].number == wire->number &&
                    sim->conns[conn].down.read >= wire->forged_end;
    if (!was_read)
        return;
    bool is_flipped = error->code == LB_E_DIGEST && sim->world.seen[SIM_FLIPPED];
    if (!lb_is_ok(error) && error->code != wire->forged_code && !is_flipped)
        sim_violation(&sim->world, "%s is told as %s: %s", wire->forged, lb_code_word(error->code),
                      error->facts);
    wire->forged = NULL;
}

void sim_cause_of_state(struct sim *sim) {
    enum lb_initiator_state before = sim->witness.state, state = sim->boot.path.session.state;
    sim->witness.state = state;
    if (state == LB_INITIATOR_RECOVERING || state == LB_INITIATOR_ENDED)
        check_forged(sim, state == LB_INITIATOR_ENDED);
    if (before != LB_INITIATOR_FULL_FEATURE || state == LB_INITIATOR_FULL_FEATURE ||
        sim->plan.is_hostile)
        return;
    if (state != LB_INITIATOR_IDLE && state != LB_INITIATOR_LOGGING_OUT)
        session_ended(sim, state == LB_INITIATOR_ENDED);
}

/* The address that it came from is gone. */
void sim_cause_of_address(struct sim *sim) {
    sim->witness.suspect[0] = '\0';
}

static void check_suspect(struct sim *sim) {
    if (sim->witness.suspect[0] != '\0')
        sim_violation(&sim->world, "a session ends without a cause: %s", sim->witness.suspect);
    sim->witness.suspect[0] = '\0';
}

/* ---- silence --------------------------------------------------------------------------------- */

/* RFC 7143 4.2.7: a connection over which nothing comes is tested by a ping, and given up. */
static void check_silence(struct sim *sim) {
    const struct lb_initiator *session = &sim->boot.path.session;
    struct sim_wire *wire = &sim->witness.wire;
    uint64_t ping_us = session->config.ping_ms * LB_US_MS;
    if (!wire->is_full || session->state != LB_INITIATOR_FULL_FEATURE || sim->plan.is_hostile ||
        !is_past(sim, LB_MAX(wire->heard_us, sim->away_until_us), 2 * ping_us + NOTICED_US))
        return;
    sim_violation(&sim->world, "nothing was heard for %llu s, and the session goes on",
                  (unsigned long long)((sim->world.now_us - wire->heard_us) / LB_US_SEC));
    wire->heard_us = sim->world.now_us; /* once is enough */
}

void sim_cause_of_step(struct sim *sim) {
    check_suspect(sim);
    check_silence(sim);
}
