/* A command's arguments: its own options, and every key of the configuration as --key=value. */
#ifndef LB_LINUX_OPTIONS_H
#define LB_LINUX_OPTIONS_H

#include "core/base/config.h"

/* Exit codes of all commands; documented in --help and docs/lunboot.8. */
enum {
    LB_EXIT_OK = 0,
    LB_EXIT_FAILED = 1,        /* an error that was explained on standard error */
    LB_EXIT_USAGE = 2,         /* the command line is wrong */
    LB_EXIT_INTERRUPTED = 130, /* by SIGINT, SIGTERM or SIGHUP; what was configured is undone */
};

struct lb_option {
    const char *name; /* without the dashes */
    const char
        *form; /* "FILE"; NULL: a flag without a value; "[FILE]": the value may be left out */
    const char *meaning; /* one line for --help */
    bool *flag;          /* set when the option is given; may be NULL */
    const char **value;  /* points into argv */
};

struct lb_usage {
    const char *command;  /* "boot" */
    const char *synopsis; /* what follows "lunboot boot" */
    const char *purpose;  /* a paragraph */
    const struct lb_option *options;
    size_t option_count;
    bool takes_keys;
};

enum lb_parsed {
    LB_PARSED,
    LB_PARSED_HELP,  /* --help was given, and answered */
    LB_PARSED_WRONG, /* explained on standard error: LB_EXIT_USAGE */
};

/* Arguments from argv[1] on. What is not an option goes to `word` (at most one; NULL: none may be
 * given). Values of secrets are blanked out in argv, where `ps` would show them. */
enum lb_parsed lb_options_parse(const struct lb_usage *usage, int argc, char **argv,
                                struct lb_config *config, const char **word);

/* Prints on standard error what is wrong with what was given, fit for a terminal and without what
 * may be a secret: between the two other texts. */
void lb_complain(const char *before, const char *given, const char *after);

/* A number of bytes: decimal digits, and perhaps K, M, G or T for powers of 1024. */
bool lb_parse_bytes(const char *text, uint64_t *value);

#endif
