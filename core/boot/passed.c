#include "core/boot/passed.h"

void lb_passed_init(struct lb_passed *passed, struct lb_common *common) {
    memset(passed, 0, sizeof *passed);
    passed->common = common;
}

void lb_passed_begin(struct lb_passed *passed) {
    passed->before = passed->count;
}

bool lb_passed_has_any(const struct lb_passed *passed) {
    return passed->count > passed->before;
}

/* The answer to a question that was asked again. */
static bool is_repeated(const struct lb_passed *passed, const struct lb_error *why) {
    return lb_passed_has_any(passed) && passed->error.code == why->code &&
           lb_streq(passed->error.facts, why->facts);
}

void lb_passed_note(struct lb_passed *passed, uint64_t now_us, const char *source,
                    const struct lb_error *why) {
    if (is_repeated(passed, why))
        return;
    lb_trace(passed->common->trace, now_us, "boot", "passed over: %s: %s", lb_code_word(why->code),
             why->facts);
    passed->count++;
    passed->error = *why;
    if (passed->shown++ < LB_PASSED_SHOWN_MAX)
        lb_report_told(passed->common->report, now_us, LB_STAGE_CONFIG, "passed-over", source,
                       "%s: %s", lb_code_word(why->code), why->facts);
}

/* That nothing was found is not the whole truth where something was found and passed over. */
void lb_passed_explain(const struct lb_passed *passed, struct lb_error *error) {
    const struct lb_error said = *error, *last = &passed->error;
    if (passed->count == 0 || said.code == last->code)
        return;
    const char *answers = passed->count == 1 ? "answer" : "answers";
    lb_error_clear(error);
    if (lb_code_tells(said.code, LB_TELLS_NO_DISK))
        lb_fail(error, last->code, "%s; %u %s passed over, and then %s", last->facts, passed->count,
                answers, lb_code_word(said.code));
    else
        lb_fail(error, said.code, "%s; %u %s passed over (%s)", said.facts, passed->count, answers,
                lb_code_word(last->code));
}
