/* What the engine's files have in common: its state and its failure. */
#include "core/boot/boot_state.h"

/* For a logout's answer, before the connection is just closed. */
#define CLOSING_US (2 * LB_US_SEC)

static const char *state_word(enum lb_boot_state state) {
    static const char *const words[] = {
        [LB_AT_START] = "start",         [LB_AT_LINK] = "link",
        [LB_AT_DHCP] = "dhcp",           [LB_AT_ADDRESS] = "address",
        [LB_AT_DISCOVERY] = "discovery", [LB_AT_SESSION] = "session",
        [LB_AT_DISK] = "disk",           [LB_AT_UP] = "up",
        [LB_AT_CLOSING] = "closing",     [LB_AT_BACKOFF] = "backoff",
        [LB_AT_OVER] = "over",
    };
    return words[state];
}

void lb_boot_enter(struct lb_boot *boot, uint64_t now_us, enum lb_boot_state state) {
    lb_trace(&boot->trace, now_us, "boot", "%s -> %s", state_word(boot->state), state_word(state));
    boot->state = state;
    boot->enter_us = now_us;
    boot->deadline_us = state == LB_AT_CLOSING ? now_us + CLOSING_US : LB_NEVER;
    lb_families_await(&boot->families, LB_NEVER);
    lb_network_awaited(&boot->network, state == LB_AT_DHCP ? LB_NEVER : 0);
}

/* Nobody can answer on a link that has gone. */
static void blame_link(struct lb_boot *boot) {
    struct lb_error said = boot->error;
    if (!boot->network.link_lost || !lb_code_tells(said.code, LB_TELLS_SILENCE))
        return;
    lb_error_clear(&boot->error);
    lb_fail(&boot->error, LB_E_NO_LINK, "the link of interface %s has gone; %s: %s",
            boot->interface, lb_code_word(said.code), said.facts);
}

void lb_boot_attempt_failed(struct lb_boot *boot) {
    lb_assert(!lb_is_ok(&boot->error));
    blame_link(boot);
    boot->has_failed = true;
}

bool lb_boot_choose_name(struct lb_boot *boot, uint64_t now_us,
                         const struct lb_boot_answer *answer_or_null) {
    struct lb_own_name own;
    char shown[LB_NAME_MAX + 1];
    bool is_good = lb_choice_own_name(&boot->plan, answer_or_null, &own, &boot->error);
    if (own.unused != NULL) {
        struct lb_text text = lb_text(shown, sizeof shown);
        lb_text_untrusted(&text, lb_bytes_of_text(answer_or_null->initiator));
        lb_report_decided(&boot->report, now_us, LB_STAGE_CONFIG, "initiator", "DHCP option 203",
                          "%s is not used: %s", shown, own.unused);
    }
    if (!is_good)
        return false;
    memcpy(boot->initiator, own.name, sizeof boot->initiator);
    lb_report_learned(&boot->report, now_us, LB_STAGE_CONFIG, "initiator", own.source, "%s",
                      boot->initiator);
    return true;
}

void lb_session_end(struct lb_boot *boot, uint64_t now_us) {
    struct lb_error why = boot->error;
    lb_fail(&why, LB_E_CANCELLED, "the session was ended here");
    lb_path_end(&boot->path, now_us, &why);
    (void)lb_unit_settle(&boot->unit, now_us);
    lb_names_cancel(&boot->names, LB_REQUESTER_SESSION);
}
