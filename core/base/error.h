/* Errors for a tired person at a rack. errors.def has a line per cause; see docs/errors.md.
 *
 * An error is a code and the facts of this occurrence. Stage, meaning and hint come from the code.
 * The first failure is kept: lb_fail does nothing to an error that is already set. */
#ifndef LB_BASE_ERROR_H
#define LB_BASE_ERROR_H

#include "core/base/text.h"

enum lb_code {
    LB_OK = 0,
#define LB_ERROR(name, word, stage, cure, tells, what, hint) LB_E_##name,
#include "core/base/errors.def"
#undef LB_ERROR
    LB_CODE_COUNT,
};

#define LB_FACTS_MAX 240 /* one terminal line and a half; longer facts are cut */

struct lb_error {
    enum lb_code code;
    char facts[LB_FACTS_MAX]; /* addresses, names, values, byte offsets of this occurrence */
};

/* The facts may hold a peer's text: they are made fit for a terminal (lb_text_untrusted). */
void lb_fail(struct lb_error *error, enum lb_code code, const char *facts, ...)
    __attribute__((format(printf, 3, 4)));
/* Nothing has failed, again: the next failure is kept. */
void lb_error_clear(struct lb_error *error);
bool lb_is_ok(const struct lb_error *error); /* nothing has failed: the code is LB_OK */

/* The stages of a boot, in the order in which a boot comes to them: of steps, facts and errors. */
#define LB_STAGES(LB_STAGE)                                                                        \
    LB_STAGE(CONFIG, "config")                                                                     \
    LB_STAGE(LINK, "link")                                                                         \
    LB_STAGE(DHCP, "dhcp")                                                                         \
    LB_STAGE(DISCOVERY, "discovery")                                                               \
    LB_STAGE(ROOTPATH, "rootpath")                                                                 \
    LB_STAGE(RESOLVE, "resolve")                                                                   \
    LB_STAGE(POLICY, "policy")                                                                     \
    LB_STAGE(IPSEC, "ipsec")                                                                       \
    LB_STAGE(CONNECT, "connect")                                                                   \
    LB_STAGE(SESSION, "session")                                                                   \
    LB_STAGE(LOGIN, "login")                                                                       \
    LB_STAGE(DISK, "disk")                                                                         \
    LB_STAGE(LOADER, "loader")                                                                     \
    LB_STAGE(HAND_OVER, "hand-over")                                                               \
    LB_STAGE(KEXEC, "kexec")                                                                       \
    LB_STAGE(OUTPUT, "output")                                                                     \
    LB_STAGE(BOOT, "boot")
enum lb_stage {
#define LB_STAGE(name, word) LB_STAGE_##name,
    LB_STAGES(LB_STAGE)
#undef LB_STAGE
        LB_STAGE_COUNT,
};
/* The stage's name on the console and in JSON: "dhcp", "login", ...; a constant. */
const char *lb_stage_word(enum lb_stage stage);

/* Of a code: its word (as in `lunboot explain WORD`), stage, meaning, and what to try. LB_OK gives
 * "ok" and empty texts. The strings are constants. */
const char *lb_code_word(enum lb_code code);
/* The stage in which it happens; CONFIG for LB_OK. */
enum lb_stage lb_code_stage(enum lb_code code);
/* The meaning. */
const char *lb_code_what(enum lb_code code);
/* What to try. */
const char *lb_code_hint(enum lb_code code);
/* What may cure it, without a person who changes something. */
enum lb_cure {
    LB_CURE_PERSON,     /* nothing: it is the same each time */
    LB_CURE_LOGIN,      /* another login of a session that was up; not another attempt to boot */
    LB_CURE_LATER,      /* time: another attempt to boot, or another login */
    LB_CURE_CONNECTION, /* as LATER; it says only that there was no connection, or no answer */
};
/* The cure of a code; PERSON for LB_OK. */
enum lb_cure lb_code_cure(enum lb_code code);
/* Whether another attempt may end better, though nobody changes anything: LATER or CONNECTION. */
bool lb_code_may_pass(enum lb_code code);
/* What a code tells besides its own meaning. */
enum lb_tells {
    LB_TELLS_ITSELF = 0,   /* nothing */
    LB_TELLS_STARTING = 1, /* storage says this while it starts: its next step may come soon */
    LB_TELLS_SILENCE = 2,  /* somebody did not answer, or no longer; nobody can on a dead link */
    LB_TELLS_NO_DISK = 4,  /* nobody named a disk in a way that could be used */
    LB_TELLS_ALONE = 8,    /* nobody was heard on this network */
    LB_TELLS_NO_REPLY = LB_TELLS_SILENCE | LB_TELLS_NO_DISK,
    LB_TELLS_NOBODY = LB_TELLS_NO_REPLY | LB_TELLS_ALONE,
};
/* Whether a code tells this, which is not ITSELF; false for LB_OK. */
bool lb_code_tells(enum lb_code code, enum lb_tells what);
/* The code with this word; false: there is none. */
bool lb_code_find(struct lb_bytes word, enum lb_code *code);

/* The four parts, a line each: "stage: what (word)", "  facts", "  try: hint"; "ok" for LB_OK. */
void lb_error_format(struct lb_text *text, const struct lb_error *error);

#endif
