/* The parts of GRUB's language that a boot menu needs: its variables, its environment block
 * (grubenv), and the commands of a grub.cfg with their conditions. Nothing is run and nothing is
 * written: `save_env` does nothing, so a next_entry stays as it is.
 *
 * Everything here comes from the disk and is untrusted: what does not fit is left out, never
 * cut. */
#ifndef LB_LINUX_GRUB_H
#define LB_LINUX_GRUB_H

#include "core/base/bytes.h"

#define LB_GRUB_POOL_BYTES 8192 /* all variables; an environment block has 1024 bytes */
#define LB_GRUB_WORDS_MAX  128  /* of a command; a kernel with more words is not offered */
#define LB_GRUB_WORD_MAX   2048 /* `set kernelopts="..."` is one word; as long as a kernel's line */
#define LB_GRUB_BLOCKS_MAX 16   /* conditions within conditions; grub-mkconfig nests four */

/* ---- variables ------------------------------------------------------------------------------- */

/* Zeroed, it holds what GRUB itself sets (feature_menuentry_id and its kin). */
struct lb_grub_env {
    char pool[LB_GRUB_POOL_BYTES]; /* NAME=VALUE, each with its NUL */
    size_t len;
    bool is_efi;           /* GRUB's platform: this machine's */
    struct lb_bytes block; /* the file grubenv, which `load_env` reads; the caller's. Empty: none */
};

/* The value; NULL: not set, or not known (see lb_grub_env_forget). It is valid until the next
 * change. */
const char *lb_grub_env_get(const struct lb_grub_env *env, const char *name);
/* Replaces the variable. False: no room; it is not set then. */
bool lb_grub_env_set(struct lb_grub_env *env, const char *name, const char *value);
/* A command that is not run here gives it a value, as `search --set=root` does. */
void lb_grub_env_forget(struct lb_grub_env *env, const char *name);
/* Whether the variable has a value in GRUB that is not known here. */
bool lb_grub_is_unknown(const struct lb_grub_env *env, const char *name);
/* Sets all variables of env->block; false: that is no environment block. */
bool lb_grub_env_load(struct lb_grub_env *env);
/* The value of one variable of env->block into to; false: it has none, an empty one, or one that
 * does not fit. */
bool lb_grub_block_value(const struct lb_grub_env *env, const char *name, char *to, size_t cap);

/* ---- commands -------------------------------------------------------------------------------- */

/* Stands in a word for a variable without a value: not set (GRUB puts nothing there), or set by a
 * command that is not run here. */
#define LB_GRUB_UNSET   '\1'
#define LB_GRUB_UNKNOWN '\2'

struct lb_grub_command {
    char words[LB_GRUB_WORDS_MAX][LB_GRUB_WORD_MAX];
    size_t count;
    bool is_cut; /* there were more words, or longer ones */
};

/* Takes the next command off *text, its variables replaced. A command ends with its line, with `;`,
 * with the word `{`, which it includes, or before the word `}`, which is a command of its own.
 * False: the text is at its end. */
bool lb_grub_next(struct lb_bytes *text, const struct lb_grub_env *env,
                  struct lb_grub_command *command);
/* Reads `$name` or `${name}` at the start of from, a dollar sign; gives its length, at least 1. The
 * name is empty where none follows. */
size_t lb_grub_variable(struct lb_bytes from, char *name, size_t cap);
/* The text with its variables replaced, as the values of a boot loader entry have them; what is not
 * set is empty. False: no room. */
bool lb_grub_expand(const struct lb_grub_env *env, struct lb_bytes from, char *to, size_t cap);
/* Takes the marks of variables without a value out of a word. */
void lb_grub_strip(char *word);

/* ---- conditions ------------------------------------------------------------------------------ */

enum lb_grub_verdict { LB_GRUB_NO, LB_GRUB_YES, LB_GRUB_UNSURE };

/* Where a script is in its `if`s. Zeroed at the start. A branch runs unless it is certain that GRUB
 * would not run it. */
struct lb_grub_blocks {
    struct {
        enum lb_grub_verdict taken; /* whether a branch before this one ran */
        bool is_left_out;
    } at[LB_GRUB_BLOCKS_MAX];
    size_t depth; /* may be more than there is room for: those run */
};

/* What a condition gives: `[ ... ]`, `test`, `true`, `false`; UNSURE for all other commands. */
enum lb_grub_verdict lb_grub_test(const struct lb_grub_env *env, struct lb_grub_command *command);
/* Takes if, then, elif, else, fi and the words of loops off the command. False: nothing is left. */
bool lb_grub_branch(struct lb_grub_blocks *blocks, const struct lb_grub_env *env,
                    struct lb_grub_command *command);
/* Whether what comes now runs. */
bool lb_grub_runs(const struct lb_grub_blocks *blocks);

#endif
