/* What the files of words.h ask of one another. */
#ifndef LB_LINUX_WORDS_PARTS_H
#define LB_LINUX_WORDS_PARTS_H

#include "hosts/linux/words.h"

/* One run of lb_words_configure. */
struct lb_words_run {
    struct lb_words *words;
    struct lb_config *config;
    struct lb_error *error; /* the first is kept */
    struct lb_bytes netdev; /* of the first disk: the interface that leads there */
    struct lb_bytes server; /* of the first disk */
};

/* words.c */
/* Keeps the word where it is one of those that are understood, such as netroot= or rd.iscsi.*;
 * false: it is not. value_or_null: NULL where it has no `=`. */
bool lb_words_take(struct lb_words *words, struct lb_bytes name,
                   const struct lb_bytes *value_or_null, enum lb_config_source source);
/* Adds a note for the report; those beyond LB_WORDS_NOTES_MAX are dropped. */
void lb_words_note(struct lb_words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "NAME=VALUE, AFTER": nothing of the value is shown where a secret may be in it. */
void lb_words_note_value(struct lb_words *words, const struct lb_words_word *word,
                         const char *after);
/* Sets a key. An empty value sets nothing. False: the error is set. */
bool lb_words_set(struct lb_words_run *run, enum lb_config_source source, const char *key,
                  struct lb_bytes value);
/* False, for the caller to return: the error is set, "NAME=VALUE on the kernel command line
 * WHY". */
bool lb_words_wrong(struct lb_words_run *run, const struct lb_words_word *word,
                    struct lb_bytes value, const char *why);
/* By colons, but not inside [brackets] or a MAC address; the last field has what is left. */
size_t lb_words_fields(struct lb_bytes text, struct lb_bytes *out, size_t cap);
/* "[::1]" becomes "::1"; anything else stays. */
struct lb_bytes lb_words_without_brackets(struct lb_bytes text);
/* As lb_bytes_start_with, for a NUL-terminated prefix. */
bool lb_words_start_with(struct lb_bytes text, const char *prefix);

/* words_disk.c */
/* Sets the target keys of the words that name a disk (netroot=, rd.iscsi.*): the first one, and the
 * others as other-rootpaths. */
void lb_words_configure_disks(struct lb_words_run *run);
/* words_net.c */
/* Sets the interface and the address keys of ip=, BOOTIF= and their kin. */
void lb_words_configure_net(struct lb_words_run *run);
/* Whether this value of ip= asks for the firmware's table: "ibft" as its method. */
bool lb_words_ip_asks_ibft(struct lb_bytes value);

#endif
