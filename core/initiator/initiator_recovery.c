/* When a connection ends: to the next address, to where a redirect points, to the same portal again
 * after a while, or for good.
 *
 * A session that was never ready ends with the first failure (its owner, the boot engine, has other
 * portals to try and its own patience). One that was ready is tried again until recovery_ms have
 * passed without a task done; RFC 7143 7.9: at ErrorRecoveryLevel 0 all tasks are gone with the
 * session, and are issued again after the new login with the same ISID (6.3.5: reinstatement). */
#include "core/base/pace.h"
#include "core/initiator/initiator_session.h"

#define RESOLVE_MS 10000 /* the resolver has a shorter limit of its own */

static void close_connection(struct lb_initiator *session) {
    session->say_close = session->is_open;
    session->say_connect = session->say_resolve = session->say_ready = false;
    lb_stream_reset(&session->stream);
}

static void wipe_secrets(struct lb_initiator *session) {
    lb_wipe(session->config.chap_secret, sizeof session->config.chap_secret);
    lb_wipe(session->config.chap_target_secret, sizeof session->config.chap_target_secret);
}

void lb_initiator_end(struct lb_initiator *session, uint64_t now_us, const struct lb_error *error) {
    if (session->state == LB_INITIATOR_ENDED)
        return;
    close_connection(session);
    if (error != NULL)
        session->error = *error;
    session->ended_well = error == NULL;
    session->say_end = true;
    lb_initiator_lose_all(session);
    wipe_secrets(session);
    lb_initiator_enter(session, now_us, LB_INITIATOR_ENDED, LB_NEVER);
    if (error != NULL)
        lb_trace(session->trace, now_us, "iscsi", "%s: %s", lb_code_word(error->code),
                 error->facts);
}

/* ---- where to ------------------------------------------------------------------------------- */

/* Not much time is lost on a portal that is dead while another may be alive. */
static uint32_t patience_ms(const struct lb_initiator *session) {
    const struct lb_initiator_config *config = &session->config;
    bool has_others = config->has_others || session->addr_next < session->addr_count;
    if (session->logins > 0 || !has_others || config->hurry_ms == 0)
        return config->connect_ms;
    return LB_MIN(config->hurry_ms, config->connect_ms);
}

void lb_initiator_hurry(struct lb_initiator *session) {
    session->config.has_others = true;
    if (session->state == LB_INITIATOR_CONNECTING && session->logins == 0)
        session->deadline_us =
            LB_MIN(session->deadline_us, session->state_us + patience_ms(session) * LB_US_MS);
}

void lb_initiator_connects_at(struct lb_initiator *session, uint64_t begins_us) {
    if (session->state != LB_INITIATOR_CONNECTING || session->say_connect)
        return;
    session->state_us = begins_us;
    session->deadline_us = begins_us + patience_ms(session) * LB_US_MS;
}

static void connect(struct lb_initiator *session, uint64_t now_us) {
    if (!session->was_redirected || session->redirected_for_good)
        session->home_addr = session->peer.addr;
    session->say_connect = true;
    lb_initiator_enter(session, now_us, LB_INITIATOR_CONNECTING,
                       now_us + patience_ms(session) * LB_US_MS);
    lb_trace(session->trace, now_us, "iscsi", "to %s", lb_endpoint_text(session->peer).s);
}

static void go_to(struct lb_initiator *session, uint64_t now_us, struct lb_endpoint to,
                  const char *host) {
    session->peer = to;
    session->addr_count = session->addr_next = 0;
    if (lb_addr_is_set(to.addr)) {
        connect(session, now_us);
        return;
    }
    lb_text_copy(session->host, sizeof session->host, lb_bytes_of_text(host));
    session->say_resolve = true;
    lb_initiator_enter(session, now_us, LB_INITIATOR_RESOLVING, now_us + RESOLVE_MS * LB_US_MS);
}

void lb_initiator_next_address(struct lb_initiator *session, uint64_t now_us) {
    lb_assert(session->addr_next < session->addr_count);
    session->peer.addr = session->addrs[session->addr_next++];
    connect(session, now_us);
}

void lb_initiator_again(struct lb_initiator *session, uint64_t now_us) {
    close_connection(session);
    connect(session, now_us);
}

void lb_initiator_begin(struct lb_initiator *session, uint64_t now_us) {
    session->redirects = 0;
    session->was_redirected = session->redirected_for_good;
    go_to(session, now_us, session->home, session->home_host);
}

/* RFC 7143 11.13.5, 13.8: the same target, at another address. */
void lb_initiator_redirect(struct lb_initiator *session, uint64_t now_us, bool permanent) {
    struct lb_endpoint to;
    char host[LB_HOST_MAX + 1];
    int32_t tpgt;
    struct lb_bytes value = lb_bytes_of_text(session->login.redirect);
    if (!lb_initiator_parse_address(value, &to, host, &tpgt) ||
        (host[0] == 0 && (lb_addr_is_zero(to.addr) || lb_addr_is_multicast(to.addr)))) {
        lb_initiator_break(session, now_us, LB_E_REDIRECT_INVALID, "sent on to \"%s\"",
                           session->login.redirect);
        return;
    }
    if (++session->redirects > LB_INITIATOR_REDIRECTS_MAX) {
        lb_initiator_break(session, now_us, LB_E_REDIRECT_LOOP, "%u times; now to %s",
                           session->redirects, session->login.redirect);
        return;
    }
    lb_trace(session->trace, now_us, "iscsi", "moved %s to %s", permanent ? "for good" : "for now",
             session->login.redirect);
    session->was_redirected = true;
    session->redirected_for_good = permanent;
    session->sent_by = session->peer;
    if (permanent) {
        session->home = to;
        memcpy(session->home_host, host, sizeof host);
    }
    close_connection(session);
    go_to(session, now_us, to, host);
}

/* ---- again ---------------------------------------------------------------------------------- */

void lb_initiator_progress(struct lb_initiator *session) {
    session->has_progressed = true;
    session->outage_us = LB_NEVER;
    session->attempts = session->digest_errors = session->protocol_errors = 0;
}

static uint64_t back_off_us(struct lb_initiator *session) {
    uint32_t ms = (uint32_t)lb_pace(LB_INITIATOR_BACKOFF_MIN_MS, LB_INITIATOR_BACKOFF_MAX_MS,
                                    session->attempts - 1);
    /* Many machines lose the same target at the same moment. */
    return (ms + lb_rand_below(session->rand, ms / 2)) * LB_US_MS;
}

/* RFC 7143 13.15: the target's state of the old connection stays for Time2Wait. A target may name
 * hours; the last attempt is made when recovery_ms are over. */
static void wait_and_begin(struct lb_initiator *session, uint64_t now_us) {
    uint64_t pause_us =
        session->attempts > 0 ? back_off_us(session) : 0; /* one draw: not in LB_MAX */
    uint64_t wait_us = LB_MAX(session->wait_us, pause_us);
    session->attempts++;
    session->wait_us = 0;
    session->wait_was_told = false;
    lb_initiator_requeue_all(session);
    uint64_t last_us = session->outage_us + session->config.recovery_ms * LB_US_MS;
    lb_initiator_enter(session, now_us, LB_INITIATOR_RECOVERING, LB_MIN(now_us + wait_us, last_us));
}

/* A task that the session has done all for. */
static bool has_bad_task(const struct lb_initiator *session) {
    for (const struct lb_initiator_task *task = session->in_flight.first; task != NULL;
         task = task->next)
        if (task->strikes > LB_INITIATOR_STRIKES_MAX || task->reissues >= LB_INITIATOR_REISSUES_MAX)
            return true;
    return false;
}

static bool has_given_up(struct lb_initiator *session, enum lb_code code) {
    if (has_bad_task(session) || session->logins == 0 || !session->config.recover ||
        lb_code_cure(code) == LB_CURE_PERSON)
        return true;
    if (code == LB_E_DIGEST && ++session->digest_errors >= LB_INITIATOR_DIGEST_ERRORS_MAX)
        return true;
    if ((code == LB_E_PROTOCOL || code == LB_E_LOGIN_PROTOCOL) &&
        ++session->protocol_errors >= LB_INITIATOR_PROTOCOL_ERRORS_MAX)
        return true;
    return false;
}

static bool is_late(const struct lb_initiator *session, uint64_t now_us) {
    return now_us - session->outage_us >= session->config.recovery_ms * LB_US_MS;
}

/* The time for recovery is over. What the target said last is told; a mere loss is told as that. */
static void end_late(struct lb_initiator *session, uint64_t now_us, const struct lb_error *last) {
    struct lb_error error = {.code = LB_OK};
    if (lb_code_cure(last->code) != LB_CURE_CONNECTION) {
        lb_initiator_end(session, now_us, last);
        return;
    }
    lb_fail(&error, LB_E_CONNECTION_LOST, "no session for %u s; last: %s: %s",
            (unsigned)((now_us - session->outage_us) / LB_US_SEC), lb_code_word(last->code),
            last->facts);
    lb_initiator_end(session, now_us, &error);
}

/* A session that was well for as long as it may be ill starts anew. */
static void note_outage(struct lb_initiator *session, uint64_t now_us) {
    if (session->state == LB_INITIATOR_FULL_FEATURE &&
        now_us - session->state_us >= session->config.recovery_ms * LB_US_MS)
        lb_initiator_progress(session);
    if (session->outage_us == LB_NEVER)
        session->outage_us = now_us;
}

/* An access list may let everybody log in, and close then (ctld, SCST): there is no outage. A
 * target that is silent is another matter: there we close, for our ping had no answer. */
static bool closes_early(struct lb_initiator *session, enum lb_code code) {
    if (session->has_progressed || session->ping_is_out || code != LB_E_CONNECTION_LOST ||
        session->state != LB_INITIATOR_FULL_FEATURE)
        return false;
    session->early_ends++;
    return true;
}

static void end_early(struct lb_initiator *session, uint64_t now_us) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, LB_E_LOGIN_CLOSED,
            "%s: closed %u time%s right after the login, before any answer",
            lb_endpoint_text(session->peer).s, session->early_ends,
            session->early_ends == 1 ? "" : "s");
    lb_initiator_end(session, now_us, &error);
}

static void recover(struct lb_initiator *session, uint64_t now_us, const struct lb_error *error) {
    session->last_error = *error;
    lb_trace(session->trace, now_us, "iscsi", "%s: %s", lb_code_word(error->code), error->facts);
    note_outage(session, now_us);
    if (lb_initiator_may_end(session)) {
        lb_initiator_end(session, now_us, NULL);
        return;
    }
    bool is_early = closes_early(session, error->code),
         is_over = has_given_up(session, error->code);
    if (is_early &&
        ((is_over && !session->is_open) || session->early_ends >= LB_INITIATOR_EARLY_ENDS_MAX)) {
        end_early(session, now_us);
        return;
    }
    if (is_over) {
        lb_initiator_end(session, now_us, error);
        return;
    }
    if (is_late(session, now_us)) {
        end_late(session, now_us, error);
        return;
    }
    /* Time2Wait is the old session's, and counts when it was there: not after a failed attempt. */
    if (session->state == LB_INITIATOR_FULL_FEATURE && !session->wait_was_told)
        session->wait_us = session->agreed.time2wait_s * LB_US_SEC;
    close_connection(session);
    wait_and_begin(session, now_us);
}

void lb_initiator_reconnect(struct lb_initiator *session, uint64_t now_us, const char *why) {
    struct lb_error error = {.code = LB_OK};
    lb_fail(&error, LB_E_TARGET_LOGOUT, "%s: %s", lb_endpoint_text(session->peer).s, why);
    recover(session, now_us, &error);
}

/* An address that nobody here has configured is told with who named it. */
static void explain(const struct lb_initiator *session, enum lb_code code, const char *facts,
                    struct lb_error *error) {
    struct lb_addr_text by = lb_endpoint_text(session->sent_by);
    struct lb_addr_text peer = lb_endpoint_text(session->peer);
    bool is_name = session->state == LB_INITIATOR_RESOLVING;
    bool is_sent = session->was_redirected && lb_addr_is_set(session->sent_by.addr);
    if (is_sent && (is_name || session->state == LB_INITIATOR_CONNECTING))
        lb_fail(error, LB_E_REDIRECT_DEAD, "%s sent us on to %s: %s (%s)", by.s,
                is_name ? session->host : peer.s, facts, lb_code_word(code));
    else if (is_sent)
        lb_fail(error, code, "%s, where %s sent us: %s", peer.s, by.s, facts);
    else if (is_name)
        lb_fail(error, code, "%s", facts);
    else
        lb_fail(error, code, "%s: %s", peer.s, facts);
}

void lb_initiator_break(struct lb_initiator *session, uint64_t now_us, enum lb_code code,
                        const char *format, ...) {
    char facts[LB_FACTS_MAX];
    struct lb_text text = lb_text(facts, sizeof facts);
    struct lb_error error = {.code = LB_OK};
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    explain(session, code, facts, &error);
    if (session->state == LB_INITIATOR_CONNECTING && session->addr_next < session->addr_count) {
        lb_trace(session->trace, now_us, "iscsi", "%s: %s", lb_code_word(code), error.facts);
        close_connection(session);
        lb_initiator_next_address(session, now_us);
        return;
    }
    recover(session, now_us, &error);
}
