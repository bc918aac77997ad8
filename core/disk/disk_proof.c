/* Which disk is it? Asked in rounds, at first and whenever there is a doubt:
 *
 *   DOWN -> ASKING --------------> UP <-------- the same -------.
 *             |                    |                            |
 *             v                    `-- new login, attention --> PROVING --> CHANGED
 *           BROKEN
 *
 * A round is a set of questions in one flight. Its answers count when all of them came from one
 * login, and no UNIT ATTENTION came between them: else they might be those of two disks, and all is
 * asked again. While it is PROVING the session is held: no request is issued, and those that were
 * in flight are issued again after the proof, whatever their answers were. */
#include "core/disk/disk_state.h"

#define ASK_ALL        ((1U << LB_ASK_START) - 1)
#define NO_MORE_ROUNDS (LB_DISK_ROUNDS_MAX + 1)

/* ---- rounds --------------------------------------------------------------------------------- */

static void start_round(struct lb_disk *disk, uint64_t now_us) {
    uint32_t also = disk->state == LB_DISK_PROVING ? disk->known & 1U << LB_ASK_MODE : 0;
    disk->rounds = LB_MIN(disk->rounds + 1, (unsigned)LB_DISK_ROUNDS_MAX);
    disk->asks_again = false;
    disk->again_us = LB_NEVER;
    disk->asked_login = lb_initiator_logins(disk->session);
    disk->asked_missed = lb_initiator_missed(disk->session);
    lb_disk_ask(disk, now_us, (disk->wanted | also) & ~disk->silent);
}

static void begin(struct lb_disk *disk, uint64_t now_us, uint32_t wanted) {
    disk->wanted = wanted;
    disk->silent = disk->postponed = disk->postponements = 0;
    disk->rounds = disk->pauses = 0;
    disk->since_us = now_us;
    lb_error_clear(&disk->unsure);
    start_round(disk, now_us);
}

void lb_disk_start_asking(struct lb_disk *disk, uint64_t now_us) {
    lb_initiator_hold_logins(disk->session);
    begin(disk, now_us, ASK_ALL);
}

/* What was answered at first, and shows which disk it is. Nothing else is worth a wait. */
static uint32_t questions_of_proof(const struct lb_disk *disk) {
    uint32_t wanted = 1U << LB_ASK_READY | 1U << LB_ASK_INQUIRY;
    wanted |= disk->known & (1U << LB_ASK_CAPACITY_16 | 1U << LB_ASK_CAPACITY_10);
    if (disk->identity.name_len > 0)
        wanted |= 1U << LB_ASK_IDS;
    if (lb_disk_needs_serial(&disk->identity))
        wanted |= 1U << LB_ASK_SERIAL;
    return wanted;
}

void lb_disk_start_proving(struct lb_disk *disk, uint64_t now_us) {
    lb_initiator_hold_logins(disk->session);
    disk->known = ASK_ALL;
    lb_disk_doubt(disk, now_us);
}

void lb_disk_doubt(struct lb_disk *disk, uint64_t now_us) {
    if (disk->state != LB_DISK_UP) {
        disk->asks_again = true;
        return;
    }
    lb_initiator_hold(disk->session);
    lb_disk_enter(disk, now_us, LB_DISK_PROVING);
    begin(disk, now_us, questions_of_proof(disk));
}

bool lb_disk_has_answers(const struct lb_disk *disk) {
    for (unsigned i = 0; i < LB_ASK_COUNT; i++)
        if (disk->wanted >> i & 1 && disk->answers[i].is_there)
            return true;
    return false;
}

/* The answers of a round count if all came from one login and none was missed. */
static bool is_torn(const struct lb_disk *disk) {
    return disk->asked_login != lb_initiator_logins(disk->session) ||
           disk->asked_missed != lb_initiator_missed(disk->session);
}

static bool is_round_over(const struct lb_disk *disk) {
    for (unsigned i = 0; i < LB_ASK_COUNT; i++)
        if (disk->wanted >> i & 1 && !disk->answers[i].is_there)
            return false;
    return disk->again_us == LB_NEVER && !is_torn(disk);
}

static uint64_t pause_us(const struct lb_disk *disk) {
    return lb_pace(LB_DISK_DELAY_MIN_MS, LB_DISK_DELAY_MAX_MS, disk->pauses) * LB_US_MS;
}

/* Something changed between the answers. Where that happens again and again there are pauses, for a
 * minute. */
static bool ask_again(struct lb_disk *disk, uint64_t now_us) {
    if (disk->rounds < LB_DISK_ROUNDS_MAX) {
        start_round(disk, now_us);
        return true;
    }
    if (disk->rounds == NO_MORE_ROUNDS || now_us - disk->since_us >= LB_DISK_BUSY_MS * LB_US_MS)
        return false;
    disk->again_us = now_us + pause_us(disk);
    disk->pauses++;
    return true;
}

void lb_disk_answered(struct lb_disk *disk, uint64_t now_us, struct lb_disk_task *task,
                      const struct lb_error *error) {
    struct lb_disk_answer *answer = &disk->answers[task->lba];
    bool is_asking = disk->state == LB_DISK_ASKING;
    bool is_silent = task->task.state == LB_TASK_SILENT;
    answer->is_out = false;
    if (is_silent && disk->postponed >> task->lba & 1) {
        disk->postponed &= ~(1U << task->lba);
        lb_disk_ask(disk, now_us, 1U << task->lba);
        return;
    }
    answer->is_there = true;
    answer->is_good = lb_is_ok(error);
    answer->error = *error;
    answer->len = task->task.in_len;
    bool is_endless = !answer->is_good && task->retries > LB_DISK_RETRIES_MAX;
    if (is_silent || (is_endless && lb_disk_is_optional(disk, task->lba)))
        disk->silent |= 1U << task->lba; /* later rounds do without it */
    else if (is_endless)
        disk->rounds = NO_MORE_ROUNDS; /* asking again is no help */
    if (disk->state == LB_DISK_UP && task->lba == LB_ASK_MODE)
        lb_disk_take_mode(disk);
    if ((!is_asking && disk->state != LB_DISK_PROVING) || !is_round_over(disk))
        return;
    bool has_ended = lb_initiator_state(disk->session) == LB_INITIATOR_ENDED;
    if (disk->asks_again && !has_ended && ask_again(disk, now_us))
        return;
    if (is_asking)
        lb_disk_judge(disk, now_us);
    else if (!has_ended && disk->asks_again)
        lb_disk_found_nothing(disk, now_us, LB_E_NOT_READY, LB_DISK_TORN);
    else if (!has_ended)
        lb_disk_judge_again(disk, now_us);
}

/* ---- what it came to ------------------------------------------------------------------------ */

void lb_disk_found_same(struct lb_disk *disk, uint64_t now_us) {
    lb_disk_enter(disk, now_us, LB_DISK_UP);
    lb_initiator_release(disk->session, now_us);
}

/* Every request that waits ends with the session. */
void lb_disk_found_other(struct lb_disk *disk, uint64_t now_us, const char *facts) {
    lb_fail(&disk->error, LB_E_DISK_CHANGED, "%s: %s",
            lb_endpoint_text(lb_initiator_peer(disk->session)).s, facts);
    lb_disk_enter(disk, now_us, LB_DISK_CHANGED);
    lb_initiator_end(disk->session, now_us, &disk->error);
}

/* It may be a target that is still starting, so it is asked again after a pause. Who has waited for
 * a minute is told; what is asked for afterwards waits anew. */
void lb_disk_found_nothing(struct lb_disk *disk, uint64_t now_us, enum lb_code code,
                           const char *facts) {
    lb_error_clear(&disk->unsure);
    lb_fail(&disk->unsure, code, "%s: %s", lb_endpoint_text(lb_initiator_peer(disk->session)).s,
            facts);
    if (now_us - disk->since_us >= LB_DISK_BUSY_MS * LB_US_MS) {
        lb_trace(disk->trace, now_us, "disk", "not proven: %s: %s", lb_code_word(code), facts);
        lb_disk_end_waiting(disk, now_us);
        disk->since_us = now_us;
    }
    disk->again_us = now_us + pause_us(disk);
    disk->pauses++;
    disk->rounds = 0;
}

bool lb_disk_ask_once_more(struct lb_disk *disk, uint64_t now_us) {
    if (disk->pauses >= LB_DISK_EMPTY_MAX ||
        lb_initiator_state(disk->session) == LB_INITIATOR_ENDED)
        return false;
    disk->again_us = now_us + pause_us(disk);
    disk->pauses++;
    disk->rounds = 0;
    return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

uint64_t lb_disk_proof_tick(struct lb_disk *disk, uint64_t now_us) {
    bool is_asking = disk->state == LB_DISK_ASKING || disk->state == LB_DISK_PROVING;
    if (lb_initiator_state(disk->session) == LB_INITIATOR_ENDED)
        return LB_NEVER;
    if (disk->state == LB_DISK_UP && lb_initiator_is_held(disk->session))
        lb_disk_doubt(disk, now_us);
    else if (is_asking && (is_torn(disk) || now_us >= disk->again_us)) {
        disk->rounds = disk->asked_login == lb_initiator_logins(disk->session) ? disk->rounds : 0;
        start_round(disk, now_us);
    }
    return disk->again_us;
}
