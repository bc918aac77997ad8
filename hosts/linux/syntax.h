/* One writer for each syntax of the files, words and environments that others read. A value comes
 * from a network, firmware, a disk or a person: what is written holds exactly the value, or the
 * writer gives false and leaves the text as it was. fuzz_syntax.c reads everything back. */
#ifndef LB_LINUX_SYNTAX_H
#define LB_LINUX_SYNTAX_H

#include "core/base/text.h"

/* NAME='value' and a line end, for a shell that sources it (klibc's net-*.conf,
 * /run/lunboot/session). False: the name is no name of a variable, or it does not fit. */
bool lb_syntax_shell(struct lb_text *text, const char *name, const char *value);
/* KEY=value and a line end: systemd's units and .network files, NetworkManager's key files. False:
 * a control, a backslash, a quote, $ or % (they mean something there), or a blank at either end. */
bool lb_syntax_setting(struct lb_text *text, const char *key, const char *value);
/* "search a b" and a line end, of the names of a list that are plain (lb_host_name_is_plain);
 * others are left out. False: none is left. */
bool lb_syntax_search(struct lb_text *text, const char *names);
/* KEYvalue as a word of a kernel command line, with a blank before it where something stands there.
 * A value with what is a blank to the kernel is put in double quotes. False: a double quote, for
 * which there is no way, or a control. */
bool lb_syntax_kernel_word(struct lb_text *text, const char *key, const char *value);
/* Whether words of others can be followed by ours: each double quote of theirs is closed. */
bool lb_syntax_kernel_words_are_whole(const char *words);
/* `key = value` and a line end, for lunboot.conf. False: it would be read as another value. */
bool lb_syntax_conf(struct lb_text *text, const char *key, const char *value);
/* Sets a variable of the environment; what is empty or not fit for a terminal takes it out. */
void lb_syntax_environment(const char *name, const char *value);

#endif
